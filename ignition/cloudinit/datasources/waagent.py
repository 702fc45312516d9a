"""The directory of Azure's agent, which has read the provisioning drive.

Source: docs/reference/coreos-cloudinit.md §5.1, §5.2.
"""

from __future__ import annotations

import os

from ignition.cloudinit.datasources import Datasource, Metadata
from ignition.cloudinit.datasources.addresses import parsed_or_none
from ignition.cloudinit.datasources.file import Directory
from ignition.errors import Failure
from ignition.platforms.azure import own_instance

MARK, CUSTOM_DATA, SHARED_CONFIG = "provisioned", "CustomData", "SharedConfig.xml"


class WindowsAzureAgent(Datasource):
    """Available once the agent marks the machine as provisioned."""

    name = "waagent"

    def __init__(self, directory: str) -> None:
        self.where = directory
        self._directory = Directory(directory)

    def available(self) -> bool:
        return os.path.exists(os.path.join(self.where, MARK))

    def user_data(self) -> bytes:
        return self._directory.read(CUSTOM_DATA) or b""

    def metadata(self) -> Metadata:
        """Empty without a shared config. Raises Failure if it is not XML."""
        from ignition.metadata.xml_text import parse

        found = self._directory.read(SHARED_CONFIG)
        if not found:
            return Metadata()
        where = os.path.join(self.where, SHARED_CONFIG)
        try:
            own = own_instance(parse(found.decode("utf-8", "replace")))
        except ValueError as error:
            raise Failure("not valid XML", where=where, fix="let the agent write it again") from error
        if own is None:
            return Metadata()
        # Unlike the companion, the original takes the first endpoint's address.
        given = [one.get("loadBalancedPublicAddress", "") for one in own.findall("InputEndpoints/Endpoint")]
        public = next((value.rpartition(":")[0] for value in given if ":" in value), "")
        return Metadata(private_ipv4=parsed_or_none(own.get("address", ""), where), public_ipv4=parsed_or_none(public, where))
