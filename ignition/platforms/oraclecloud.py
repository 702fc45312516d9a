"""Oracle Cloud Infrastructure, known as oracle-oci to Container Linux.

Source: docs/reference/platforms.md §3.1, §3.10, §5.1, §5.2, §10.12.

The old id uses today's service (/opc/v2), too: the old service may be disabled.
"""

from __future__ import annotations

from ignition.host.reading import answer_lines
from ignition.metadata.config_source import base64, http
from ignition.metadata.service import Service
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document
from ignition.network.members import several, text
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader
    from ignition.metadata.values import Value

BASE = "http://169.254.169.254/opc/v2"
USER_DATA = f"{BASE}/instance/metadata/user_data"
HEADERS = {"Authorization": "Bearer Oracle"}
INSTANCE = Document("instance")
KEYS = "metadata.ssh_authorized_keys"


def _required(path: str) -> Value:
    return INSTANCE.member(path, required=True)


def _ssh_keys(reader: Reader) -> list[str]:
    # One text with a key per line, or a list of such texts.
    (found,) = INSTANCE.values(reader, KEYS)
    return [line for one in several(found) for line in answer_lines(text(one))]


PLATFORM = Platform(
    "Oracle Cloud Infrastructure",
    # IPv6: Oracle's https://github.com/oracle-terraform-modules/terraform-oci-oke, modules/workers/cloudinit-oke.sh
    addresses=("169.254.169.254", "fd00:c1::a9fe:a9fe"),
    closing=(
        "`user_data` cannot be changed after the launch "
        "([Oracle](https://docs.oracle.com/iaas/Content/Compute/Tasks/updatinginstancemetada.htm)): deny the address"
    ),
    config=http(USER_DATA, headers=HEADERS, decode=base64, says=f"{USER_DATA} in base64"),
    metadata=(
        Metadata(
            Service(BASE, headers=HEADERS, absent_is_404=False),
            prefix="ORACLECLOUD_",
            legacy_prefix="ORACLE_OCI_",
            attributes=(
                Attribute("AVAILABILITY_DOMAIN", _required("availabilityDomain"), legacy=""),
                Attribute("COMPARTMENT_ID", _required("compartmentId"), legacy=""),
                Attribute("FAULT_DOMAIN", _required("faultDomain"), legacy=""),
                Attribute("HOSTNAME", _required("hostname"), legacy=""),
                Attribute("INSTANCE_ID", _required("id")),
                Attribute("INSTANCE_SHAPE", _required("shape"), legacy=""),
                Attribute("REGION_ID", _required("canonicalRegionName"), legacy=""),
                Attribute("", INSTANCE.member("displayName"), legacy="DISPLAY_NAME"),
                Attribute("", INSTANCE.member("region"), legacy="REGION"),
            ),
            hostname=_required("hostname"),
            ssh_keys=_ssh_keys,
        ),
    ),
)
