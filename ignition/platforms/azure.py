"""Microsoft Azure. Source: docs/reference/platforms.md §3.1, §3.4, §4.1, §4.2, §5.1, §5.2, §8, §10.3.

User data of the instance metadata service, else custom data of the provisioning drive. The service answers 404, 410 or 429 for a
while after the boot. Unlike Ignition, which waits for the drive indefinitely: a machine without one has no config.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from ignition.errors import Failure, NotHere
from ignition.host import labels, log
from ignition.metadata.config_source import ConfigSource, base64, http
from ignition.metadata.drive import LIMIT_S, Search
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document, Value, text
from ignition.metadata.xml_text import escaped, parse
from ignition.network import dhcp
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ignition.fetch.engine import Fetcher
    from ignition.metadata.drive import Candidate
    from ignition.metadata.reader import Reader
    from ignition.metadata.service import Get
    from ignition.metadata.table import FirstUser


# Azure's two services: the fabric's wire server, and the instance metadata service.
#
# Source: docs/reference/platforms.md §5.1, §8, §10.3.
#
# The versions of the fabric's protocol are checked before its first document; the other service does not need that.

VERSION = "2012-11-30"
HEADERS = {"x-ms-agent-name": "com.coreos.afterburn", "x-ms-version": VERSION}
INSTANCE = "http://169.254.169.254"  # the instance metadata service
DEFAULT_ADDRESS = "168.63.129.16"
DHCP_OPTION = "OPTION_245"
GOAL_STATE = Document("machine/?comp=goalstate", parse, kind="XML")
CONFIGURATION = "Container/RoleInstanceList/RoleInstance/Configuration"
_NOT_YET = frozenset({404, 410})
_CHECK_INS = 5
_HEALTH = """<?xml version="1.0" encoding="utf-8"?>
<Health xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <GoalStateIncarnation>{}</GoalStateIncarnation>
  <Container>
    <ContainerId>{}</ContainerId>
    <RoleInstanceList>
      <Role>
        <InstanceId>{}</InstanceId>
        <Health>
          <State>Ready</State>
        </Health>
      </Role>
    </RoleInstanceList>
  </Container>
</Health>
"""


def address() -> str:
    """The fabric's address: DHCP option 245, else the usual one."""
    digits = dhcp.option(DHCP_OPTION).replace(":", "")
    try:
        octets = bytes.fromhex(digits)
    except ValueError:
        octets = b""
    if len(octets) == 4:
        return ".".join(map(str, octets))
    if digits:
        log.warning(f"DHCP option 245 is not an address: {digits}")
    return DEFAULT_ADDRESS


class Fabric:
    """Both services as one place: paths belong to the fabric, URLs to either."""

    says = f"http://{DEFAULT_ADDRESS} (or the address in DHCP option 245), and {INSTANCE}"

    @contextmanager
    def open(self, fetcher: Fetcher) -> Iterator[Get]:
        """A function that gets documents; each exists once the service is up."""
        base = f"http://{address()}"
        checked = False

        def read(path: str) -> bytes | None:
            nonlocal checked
            if path.startswith(f"{INSTANCE}/"):
                return get(fetcher, path, {"Metadata": "true"})
            if not checked:
                _check_versions(fetcher, f"{base}/?comp=versions")
                checked = True
            return get(fetcher, path if path.startswith("http://") else f"{base}/{path}")

        yield read


def get(fetcher: Fetcher, url: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A document of either service, which exists once the service is up."""
    return fetcher.get(url, {**HEADERS, **(headers or {})}, also_retry=_NOT_YET)


def _check_versions(fetcher: Fetcher, url: str) -> None:
    top = Document(url, parse, kind="XML").parse(get(fetcher, url).decode("utf-8", "replace"))
    if VERSION not in [element.text for element in top.findall("Supported/Version")]:
        raise Failure(f"the fabric does not support protocol version {VERSION}", where=url, fix="ask the platform's support")


def goal_state(reader: Reader) -> Element:
    """The fabric's goal state for this machine."""
    found: Element = GOAL_STATE.read(reader)
    return found


def element_text(top: Element, path: str, where: str) -> str:
    """The text of an element. Raises Failure if it is missing or empty."""
    found = (top.findtext(path) or "").strip()
    if not found:
        raise Failure(f"{path} is missing", where=where, fix="ask the platform's support")
    return found


def check_in(reader: Reader) -> None:
    """Tell the fabric that this machine is ready.

    If the goal state has changed meanwhile, it refuses; then the new one is used.
    """
    base = f"http://{address()}"
    for left in range(_CHECK_INS - 1, -1, -1):
        text = get(reader.fetcher, f"{base}/{GOAL_STATE.path}").decode("utf-8", "replace")
        body = health(GOAL_STATE.parse(text))
        headers = {**HEADERS, "Content-Type": "text/xml; charset=utf-8"}
        try:
            reader.fetcher.request("POST", f"{base}/machine/?comp=health", headers, body=body.encode())
            return
        except Failure as failure:
            if not left:
                raise
            log.warning(f"check-in failed, retrying: {failure}")


def health(goal: Element) -> str:
    """The document that reports the machine as ready."""
    names = ("Incarnation", "Container/ContainerId", "Container/RoleInstanceList/RoleInstance/InstanceId")
    return _HEALTH.format(*(escaped(element_text(goal, name, GOAL_STATE.path)) for name in names))


# Azure's provisioning drive: an optical disc with ovf-env.xml and the custom data.
#
# Source: docs/reference/platforms.md §3.4, §4.1, §10.3.
#
# Unlike Ignition, a drive that is not ready yet is checked again, discs in other drives count as well, and there
# may be any number of discs.

ENVIRONMENT, CUSTOM_DATA = "ovf-env.xml", "CustomData.bin"
CDROM_DRIVE_STATUS, CDSL_CURRENT, CDS_DISC_OK = 0x5326, 0x7FFFFFFF, 4  # linux/cdrom.h
PASSWORD = ("AdminPassword", "adminPassword")


def discs(formats: Sequence[str], file: str = CUSTOM_DATA) -> Search:
    """A search for a file on the provisioning drive, which has one of these file systems."""

    def candidates() -> Iterator[Candidate]:
        for format in formats:
            for node in labels.probed(f"TYPE={format}"):
                if is_ready(node):
                    yield node, f"the {format} disc {node}", (file,)

    return Search(f"disc ({' or '.join(formats)}) with the file {ENVIRONMENT}", candidates, marker=ENVIRONMENT)


def is_ready(node: str) -> bool:
    """Whether a drive has its disc; a device that is not an optical drive is always ready."""
    try:
        # O_NONBLOCK: without it, opening an optical drive that has no disc fails before its status can be read.
        descriptor = os.open(node, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return fcntl.ioctl(descriptor, CDROM_DRIVE_STATUS, CDSL_CURRENT) == CDS_DISC_OK
    except OSError:
        return True
    finally:
        os.close(descriptor)


def admin_password(formats: Sequence[str]) -> str:
    """The first user's password in plain text; "" if no readable drive is present now, or it has none.

    Raises Failure if the document is not XML.
    """
    content = discs(formats, ENVIRONMENT).look()
    if not content:
        return ""
    try:
        top = parse(content.decode("utf-8", "replace"))
    except ValueError as error:
        raise Failure("not valid XML", where=ENVIRONMENT, fix="attach another provisioning drive") from error
    return next((element.text or "" for element in top.iter() if element.tag in PASSWORD), "")


# The platform itself.

COMPUTE = f"{INSTANCE}/metadata/instance/compute"
FORMATS = ("udf",)
USER_DATA = http(
    f"{COMPUTE}/userData?api-version=2021-01-01&format=text",
    headers={"Metadata": "true"},
    decode=base64,
    missing_is_none=False,
    also_retry=frozenset({404, 410}),
)
KEYS = Document(f"{COMPUTE}/publicKeys?api-version=2021-02-01")
ADMIN = text(f"{COMPUTE}/osProfile/adminUsername?api-version=2021-02-01&format=text")


def _fetch(fetcher: Fetcher) -> bytes:
    found = USER_DATA.fetch(fetcher)
    if found:
        return found
    try:
        return discs(FORMATS).wait(LIMIT_S)
    except NotHere as reason:
        log.warning(f"there is no user data, and {reason}: continuing without a config")
        return b""


def _shared_config(attribute: str) -> Value:
    """An attribute of this machine's instance in the shared config, whose URL is in the goal state."""

    def read(reader: Reader) -> str | None:
        url = element_text(goal_state(reader), f"{CONFIGURATION}/SharedConfig", GOAL_STATE.path)
        own = own_instance(Document(url, parse, kind="XML").read(reader))
        return None if own is None else instance_address(own, attribute)

    return Value(f"{attribute} of the machine's own instance in the SharedConfig of the goal state", read)


def own_instance(top: Element) -> Element | None:
    """The instance of a shared config that is this machine."""
    incarnation = top.find("Incarnation")
    name = incarnation.get("instance") if incarnation is not None else None
    return next((one for one in top.findall("Instances/Instance") if one.get("id") == name), None)


def instance_address(own: Element, attribute: str) -> str | None:
    """The instance's own `address`, or the address without port in that attribute of its last endpoint that has both.

    Raises Failure if its own address is malformed.
    """
    from ignition.network.addresses import address, endpoint

    if attribute == "address":
        found = own.get(attribute)
        return None if found is None else str(address(found, f"{attribute} of the SharedConfig"))
    given = [one.get(attribute) for one in own.findall("InputEndpoints/Endpoint")]
    return next((str(one) for value in reversed(given) if (one := endpoint(value))), None)


def _ssh_keys(reader: Reader) -> list[str]:
    # Azure folds a long key into several lines; each entry is one key.
    keys = [str(one.get("keyData") or "").replace("\r", "").replace("\n", "") for one in KEYS.objects(reader, "")]
    if keys and not any(keys):
        raise Failure("every public key is empty", where=KEYS.path, fix="correct the keys of the virtual machine")
    if not all(keys):
        log.warning(f"{KEYS.path}: a public key is empty: ignored (fix: correct the keys of the virtual machine)")
    return [key for key in keys if key]


def _first_user(reader: Reader) -> FirstUser | None:
    from ignition.metadata.table import FirstUser

    found = ADMIN.read(reader)
    name = found.strip() if isinstance(found, str) else ""
    if not name:
        log.warning("the metadata has no user name: user.ign is not written")
        return None
    return FirstUser(name, _ssh_keys(reader), admin_password(("udf", "iso9660")))


PLATFORM = Platform(
    "Microsoft Azure",
    # The second is the fabric (§5.1), which has the certificates of the machine.
    addresses=("169.254.169.254", "168.63.129.16"),
    closing=(
        "user data can be replaced from outside while the machine runs "
        "([Azure](https://learn.microsoft.com/en-us/azure/virtual-machines/user-data)); custom data stays on the "
        "provisioning drive, for root and the group of its device; otherwise deny the address"
    ),
    each_boot=("check_in",),
    config=ConfigSource(f"{USER_DATA.says}, else {CUSTOM_DATA} on the provisioning drive", _fetch, needs_network=True),
    metadata=(
        Metadata(
            Fabric(),
            prefix="AZURE_",
            legacy_prefix="AZURE_",
            attributes=(
                Attribute("IPV4_DYNAMIC", _shared_config("address")),
                Attribute("IPV4_VIRTUAL", _shared_config("loadBalancedPublicAddress")),
                Attribute("VMSIZE", text(f"{COMPUTE}/vmSize?api-version=2017-08-01&format=text"), legacy=""),
            ),
            hostname=text(f"{COMPUTE}/name?api-version=2017-08-01&format=text"),
            ssh_keys=_ssh_keys,
            check_in=check_in,
            first_user=_first_user,
        ),
    ),
)
