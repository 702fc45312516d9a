"""Azure Stack Hub. Source: docs/reference/platforms.md §3.4, §5.1, §8, §10.3, §10.4."""

from __future__ import annotations

from ignition.errors import Failure
from ignition.platforms import Platform
from ignition.platforms.parts.azure_fabric import CONFIGURATION, GOAL_STATE, INSTANCE, Fabric, check_in, get, goal_state
from ignition.platforms.parts.config_source import ConfigSource
from ignition.platforms.parts.drive import LIMIT_S, found
from ignition.platforms.parts.metadata import Metadata
from ignition.platforms.parts.ovf import CUSTOM_DATA, discs
from ignition.platforms.parts.values import Document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.platforms.parts.reader import Reader

FORMATS = ("udf", "iso9660")
IDENTITY = Document(f"{INSTANCE}/Microsoft.Compute/identity?api-version=2019-03-11")


def _ssh_keys(reader: Reader) -> list[str]:
    from ignition.platforms.parts.azure_certificates import ssh_keys

    url = goal_state(reader).findtext(f"{CONFIGURATION}/Certificates")
    if url is None:
        return []
    if not url.strip():
        raise Failure("the address of the certificates is empty", where=GOAL_STATE.path, fix="ask the platform's support")
    return ssh_keys(lambda headers: get(reader.fetcher, url.strip(), headers), url.strip())


PLATFORM = Platform(
    "Azure Stack Hub",
    config=ConfigSource(
        f"{CUSTOM_DATA} on the provisioning drive", lambda _: found(discs(FORMATS), LIMIT_S), needs_network=False
    ),
    metadata=(
        Metadata(
            Fabric(),
            prefix="AZURESTACK_",
            hostname=IDENTITY.member("vmName"),
            ssh_keys=_ssh_keys,
            check_in=check_in,
        ),
    ),
)
