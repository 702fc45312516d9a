"""docs/reference/platforms.md §10.8."""

from tests.platforms.samples import KEY, DriveSample
from tests.platforms.samples.cloudstack_metadata import VALUES

NAMES = ("availability-zone", "cloud-identifier", "instance-id", "local-hostname", "service-offering", "vm-id")
FILES = {f"cloudstack/metadata/{name.replace('-', '_')}.txt": f"{VALUES[name]}\n" for name in NAMES}
DRIVES = tuple(
    DriveSample(
        label,
        {**FILES, "cloudstack/metadata/public_keys.txt": f"{KEY}\n"},
        attributes={
            f"{group}_CLOUDSTACK_{name.replace('-', '_').upper()}": VALUES[name]
            for name in NAMES
            for group in ("AFTERBURN", "COREOS")
        },
        ssh_keys=[KEY],
        required=("cloudstack/metadata/public_keys.txt",),
    )
    for label in ("config-2", "CONFIG-2")
)
