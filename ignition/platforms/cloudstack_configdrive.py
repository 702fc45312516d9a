"""CloudStack's config drive. Source: docs/reference/platforms.md §5.1, §5.2, §10.8."""

from __future__ import annotations

from ignition.host.reading import answer_lines
from ignition.metadata.drive import Drive
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Value, text
from ignition.platforms import Platform
from ignition.platforms.cloudstack import LABELS

FOLDER = "cloudstack/metadata"


def _file(name: str) -> Value:
    return text(f"{FOLDER}/{name}.txt")


PLATFORM = Platform(
    "CloudStack, config drive",
    metadata=(
        Metadata(
            Drive(*LABELS),
            prefix="CLOUDSTACK_",
            legacy_prefix="CLOUDSTACK_",
            attributes=(
                Attribute("AVAILABILITY_ZONE", _file("availability_zone")),
                Attribute("CLOUD_IDENTIFIER", _file("cloud_identifier")),
                Attribute("INSTANCE_ID", _file("instance_id")),
                Attribute("LOCAL_HOSTNAME", _file("local_hostname")),
                Attribute("SERVICE_OFFERING", _file("service_offering")),
                Attribute("VM_ID", _file("vm_id")),
            ),
            ssh_keys=lambda reader: answer_lines(reader.required(f"{FOLDER}/public_keys.txt")),
        ),
    ),
)
