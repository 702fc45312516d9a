"""VMware: guestinfo of the host, or an OVF environment in a file. Source: docs/reference/coreos-cloudinit.md §5.1, §5.3.

Where the host has an OVF environment, its properties replace the machine's own, all of them.
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
    """Where the properties are decides which one it is. They are there from the beginning, or never."""

    name = "vmware"
    final = True

    def properties(self) -> Read:
        """By their names without `guestinfo.`; "" for what is not there."""
        raise NotImplementedError

    def user_data(self) -> bytes:
        with http.fetcher() as client:
            return vmware.config((self.properties(),), client)

    def metadata(self) -> Metadata:
        """A role or an address that is not one is a problem of its own."""
        read = self.properties()
        found, addresses, problems = described(read), dict[str, str](), list[Failure]()
        try:
            with at(self.where):
                for role, address in found.addresses():
                    addresses[f"{role}_ipv{address.version}"] = str(address.ip)  # of several the last one
        except Failure as failure:
            problems.append(failure)
        # Also where nothing is said: the preset converts on every machine.
        network = NetworkConfig("vmware", lambda: conversion(found))
        return Metadata(hostname=read("hostname"), network=network, problems=tuple(problems)).evolve(**addresses)


class GuestInfo(VMware):
    """Through VMware's own vmware-rpctool, on every architecture that it is there for."""

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
    """A file, of a drive that is mounted."""

    def __init__(self, path: str) -> None:
        self.where = path

    def available(self) -> bool:
        return os.path.exists(self.where)

    def properties(self) -> Read:
        directory, name = os.path.split(os.path.abspath(self.where))
        found = Directory(directory).read(name)
        if found is None:
            raise Failure("there is no such file", where=self.where)
        try:
            return vmware.reading(vmware.properties(found.decode("utf-8", "replace")))
        except Failure as failure:
            failure.where = self.where
            raise
