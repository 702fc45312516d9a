"""VMware: guestinfo of the host, or an OVF environment in a file. Source: docs/reference/coreos-cloudinit.md §5.1, §5.3.

If the host has an OVF environment, its properties replace all of the machine's own.
"""

from __future__ import annotations

import os

from ignition.cloudinit.datasources import Datasource, Metadata, NetworkConfig, http
from ignition.cloudinit.datasources.file import Directory
from ignition.cloudinit.network.vmware import described
from ignition.cloudinit.network.vmware import network as conversion
from ignition.errors import CommandFailed, Failure, at
from ignition.host import log
from ignition.platforms import vmware

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.platforms.vmware import Read


class VMware(Datasource):
    """Base of two datasources, which differ in the source of the properties. They are available at once or never."""

    name = "vmware"
    final = True

    def properties(self) -> Read:
        """A reader of properties by their names without `guestinfo.`; "" for a missing one."""
        raise NotImplementedError

    def user_data(self) -> bytes:
        with http.fetcher() as client:
            return vmware.config((self.properties(),), client)

    def metadata(self) -> Metadata:
        """An invalid role or address is reported in `problems`."""
        read = self.properties()
        found, addresses, problems = described(read), dict[str, str](), list[Failure]()
        try:
            with at(self.where):
                for role, address in found.addresses():
                    addresses[f"{role}_ipv{address.version}"] = str(address.ip)  # the last one of several
        except Failure as failure:
            problems.append(failure)
        # Also without any properties, since the OEM preset requests the conversion on every machine.
        network = NetworkConfig("vmware", lambda: conversion(found))
        return Metadata(hostname=read("hostname"), network=network, problems=tuple(problems)).evolve(**addresses)


class GuestInfo(VMware):
    """Through VMware's own vmware-rpctool, on every architecture that has it."""

    where = "guestinfo"

    def available(self) -> bool:
        try:
            vmware.value(vmware.ENVIRONMENT)
        except CommandFailed as failure:
            log.info(f"{self.name}: {failure}")
            return False
        return True

    def properties(self) -> Read:
        environment = vmware.properties(vmware.value(vmware.ENVIRONMENT))
        return vmware.reading(environment) if environment else vmware.value


class OvfEnvironment(VMware):
    """A file with the OVF environment, usually on a mounted drive."""

    def __init__(self, path: str) -> None:
        self.where = path

    def available(self) -> bool:
        return os.path.exists(self.where)

    def properties(self) -> Read:
        directory, name = os.path.split(os.path.abspath(self.where))
        found = Directory(directory).read(name)
        if found is None:
            raise Failure("the file does not exist", where=self.where)
        try:
            return vmware.reading(vmware.properties(found.decode("utf-8", "replace")))
        except Failure as failure:
            failure.where = self.where
            raise
