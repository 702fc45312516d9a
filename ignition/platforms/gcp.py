"""Google Compute Engine, also known as gce. Source: docs/reference/platforms.md §3.1, §5.1, §5.2, §10.2."""

from __future__ import annotations

from ignition.host import log
from ignition.host.reading import answer_lines
from ignition.metadata.config_source import http
from ignition.metadata.service import Service
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import text
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader

BASE = "http://169.254.169.254/computeMetadata/v1"
HEADERS = {"Metadata-Flavor": "Google"}
INSTANCE, PROJECT = "instance/attributes", "project/attributes"


def _ssh_keys(reader: Reader) -> list[str]:
    """The instance's old attribute alone if it has keys; else its new one, and those of the project unless the instance blocks
    them.
    """
    own = _keys(reader, f"{INSTANCE}/sshKeys")
    if own:
        return own
    found = _keys(reader, f"{INSTANCE}/ssh-keys")
    if reader.text(f"{INSTANCE}/block-project-ssh-keys") != "true":
        found += _keys(reader, f"{PROJECT}/sshKeys") + _keys(reader, f"{PROJECT}/ssh-keys")
    return found


def _keys(reader: Reader, path: str) -> list[str]:
    """The keys in lines of the form `user:key`, of all users."""
    found = []
    for number, line in enumerate(answer_lines(reader.text(path) or ""), start=1):
        user, colon, key = line.partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        if not colon:
            log.warning(f"{path}: line {number} is not USER:KEY: ignored (fix: correct the metadata of the instance or project)")
            continue
        found.append(key)
    return found


PLATFORM = Platform(
    "Google Compute Engine",
    # IPv6: of instances without IPv4, by the deny lists of many programs; Google's own pages were not found to name it. Nobody
    # else has this address: to deny it in vain does no harm.
    addresses=("169.254.169.254", "fd20:ce::254"),
    closing=(
        "`gcloud compute instances remove-metadata NAME --keys=user-data` removes it "
        "([Google](https://cloud.google.com/compute/docs/metadata/setting-custom-metadata)), or deny the address"
    ),
    without_unit={"hostname": "DHCP provides it"},
    config=http(f"{BASE}/{INSTANCE}/user-data", headers=HEADERS),
    metadata=(
        Metadata(
            Service(BASE, headers=HEADERS),
            prefix="GCP_",
            legacy_prefix="GCE_",
            attributes=(
                Attribute("HOSTNAME", text("instance/hostname")),
                Attribute("IP_EXTERNAL_0", text("instance/network-interfaces/0/access-configs/0/external-ip")),
                Attribute("IP_LOCAL_0", text("instance/network-interfaces/0/ip")),
                Attribute("MACHINE_TYPE", text("instance/machine-type"), legacy=""),
            ),
            hostname=text("instance/hostname"),
            ssh_keys=_ssh_keys,
            keeps_empty=False,
        ),
    ),
)
