"""IBM Cloud, virtual servers of the second generation (VPC Gen2): a NoCloud drive.

Source: docs/reference/platforms.md §3.4, §5.1, §5.3, §10.13.

The SSH keys are in a cloud-config, which is a part of a MIME document.
"""

from __future__ import annotations

from ignition.metadata.drive import Drive, drive
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document
from ignition.metadata.yaml_text import parse
from ignition.network.members import several, text
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader

LIMIT_S = 30.0
META = Document("meta-data", parse, kind="YAML")
VENDOR = "vendor-data"
KEYS = "ssh_authorized_keys"


def _ssh_keys(reader: Reader) -> list[str]:
    """The keys of the last cloud-config that has any."""
    configs = [one for one in _cloud_configs(reader.text(VENDOR) or "") if KEYS in one]
    if not configs:
        return []
    config = Document(VENDOR, parse, kind="cloud-config").parse(configs[-1])
    keys = config.get(KEYS) if isinstance(config, dict) else None
    return [text(key) for key in several(keys)]


def _cloud_configs(mime: str) -> list[str]:
    from email import message_from_string

    parts = [part for part in message_from_string(mime).walk() if part.get_content_type() == "text/cloud-config"]
    return [payload.decode("utf-8", "replace") for part in parts if isinstance(payload := part.get_payload(decode=True), bytes)]


PLATFORM = Platform(
    "IBM Cloud",
    closing=(
        "root and the group of the drive's device (Debian: `cdrom` or `disk`) can read it; detach the drive. The "
        "metadata service is off by default, and can be switched off "
        "([IBM](https://cloud.ibm.com/docs/vpc?topic=vpc-imd-configure-service))"
    ),
    config=drive({"cidata": ("user-data",)}, limit_s=LIMIT_S, absent_is_none=True),
    metadata=(
        Metadata(
            Drive("cidata"),
            prefix="IBMCLOUD_",
            attributes=(
                Attribute("INSTANCE_ID", META.member("instance-id")),
                Attribute("LOCAL_HOSTNAME", META.member("local-hostname")),
            ),
            hostname=META.member("local-hostname"),
            ssh_keys=_ssh_keys,
        ),
    ),
)
