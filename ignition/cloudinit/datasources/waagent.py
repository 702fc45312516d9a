"""The folder of Azure's agent, which has read the provisioning drive before.

Source: docs/reference/coreos-cloudinit.md §5.1, §5.2.
"""

from __future__ import annotations

import os

from ignition.cloudinit.datasources import Datasource, Metadata
from ignition.cloudinit.datasources.addresses import parsed_or_none
from ignition.cloudinit.datasources.file import Directory
from ignition.errors import Failure
from ignition.platforms.azure import own_instance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MARK, CUSTOM_DATA, SHARED_CONFIG = "provisioned", "CustomData", "SharedConfig.xml"


class WindowsAzureAgent(Datasource):
    """There as soon as the agent says that it has provisioned the machine."""

    name = "waagent"

    def __init__(self, directory: str) -> None:
        self.where = directory
        self._directory = Directory(directory)

    def available(self) -> bool:
        return os.path.exists(os.path.join(self.where, MARK))

    def user_data(self) -> bytes:
        return self._directory.read(CUSTOM_DATA) or b""

    def metadata(self) -> Metadata:
        """Nothing without a shared config. Raises Failure for one that is no XML."""
        from ignition.metadata.xml_text import parse

        found = self._directory.read(SHARED_CONFIG)
        if not found:
            return Metadata()
        where = os.path.join(self.where, SHARED_CONFIG)
        try:
            own = own_instance(parse(found.decode("utf-8", "replace")))
        except ValueError as error:
            raise Failure("this is no XML", where=where, fix="the agent has to write it anew") from error
        if own is None:
            return Metadata()
        return Metadata(
            private_ipv4=parsed_or_none(own.get("address", ""), where), public_ipv4=parsed_or_none(_public(own), where)
        )


def _public(own: Element) -> str:
    """The host part of the first endpoint's address."""
    found = [one.get("loadBalancedPublicAddress", "") for one in own.findall("InputEndpoints/Endpoint")]
    return next((value.rpartition(":")[0] for value in found if ":" in value), "")
