"""Microsoft Azure. Source: docs/reference/platforms.md §3.1, §3.4, §4.1, §4.2, §5.1, §5.2, §8, §10.3.

User data of the instance metadata service; where there is none, custom data of the provisioning drive. The service says 404, 410
or 429 for a while after the boot. Unlike Ignition, which waits for the drive without end: a machine without one has no config.
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
# The fabric's version is asked for before its first document, not before those of the other service.

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
    """The fabric's: what DHCP says in option 245, else the usual one."""
    digits = dhcp.option(DHCP_OPTION).replace(":", "")
    try:
        octets = bytes.fromhex(digits)
    except ValueError:
        octets = b""
    if len(octets) == 4:
        return ".".join(map(str, octets))
    if digits:
        log.warning(f"the DHCP option 245 is no address: {digits}")
    return DEFAULT_ADDRESS


class Fabric:
    """Both services as one place: paths are of the fabric, URLs of either."""

    says = f"http://{DEFAULT_ADDRESS} (or the address in DHCP option 245), and {INSTANCE}"

    @contextmanager
    def open(self, fetcher: Fetcher) -> Iterator[Get]:
        """Gives a function that gets documents; each is there as soon as the service is up."""
        base = f"http://{address()}"
        checked = False

        def read(path: str) -> bytes | None:
            nonlocal checked
            if path.startswith(f"{INSTANCE}/"):
                return get(fetcher, path, {"Metadata": "true"})
            if not checked:
                _check_version(fetcher, base)
                checked = True
            return get(fetcher, path if path.startswith("http://") else f"{base}/{path}")

        yield read


def get(fetcher: Fetcher, url: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A document of either service, which is there as soon as the service is up."""
    return fetcher.get(url, {**HEADERS, **(headers or {})}, also_retry=_NOT_YET)


def _check_version(fetcher: Fetcher, base: str) -> None:
    versions = Document(f"{base}/?comp=versions", parse, kind="XML")
    top = versions.parse(get(fetcher, versions.path).decode("utf-8", "replace"))
    found = [element.text for element in top.findall("Supported/Version")]
    if VERSION not in found:
        raise Failure(
            f"the fabric does not know the protocol of {VERSION}", where=versions.path, fix="ask the platform's support"
        )


def goal_state(reader: Reader) -> Element:
    """What the fabric wants of this machine."""
    found: Element = GOAL_STATE.read(reader)
    return found


def element_text(top: Element, path: str, where: str) -> str:
    """The text of an element. Raises Failure if it is missing or empty."""
    found = (top.findtext(path) or "").strip()
    if not found:
        raise Failure(f"there is no {path} in it", where=where, fix="ask the platform's support")
    return found


def check_in(reader: Reader) -> None:
    """Tell the fabric that this machine is up. What it wants may change meanwhile: then it refuses, and is asked anew."""
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
            log.warning(f"the check-in is tried again: {failure}")


def health(goal: Element) -> str:
    """The document that says that the machine is ready."""
    names = ("Incarnation", "Container/ContainerId", "Container/RoleInstanceList/RoleInstance/InstanceId")
    return _HEALTH.format(*(escaped(element_text(goal, name, GOAL_STATE.path)) for name in names))


# Azure's provisioning drive: an optical disc with ovf-env.xml and the custom data.
#
# Source: docs/reference/platforms.md §3.4, §4.1, §10.3.
#
# Unlike with Ignition a drive that is not ready at the first look is looked at again, a disc in something else than an optical
# drive counts, too, and there may be any number of discs.

ENVIRONMENT, CUSTOM_DATA = "ovf-env.xml", "CustomData.bin"
CDROM_DRIVE_STATUS, CDSL_CURRENT, CDS_DISC_OK = 0x5326, 0x7FFFFFFF, 4  # linux/cdrom.h
PASSWORD = ("AdminPassword", "adminPassword")


def discs(formats: Sequence[str], file: str = CUSTOM_DATA) -> Search:
    """A search for a file of the provisioning drive, which has one of these file systems."""

    def candidates() -> Iterator[Candidate]:
        for format in formats:
            for node in labels.probed(f"TYPE={format}"):
                if is_ready(node):
                    yield node, f"the {format} disc {node}", (file,)

    return Search(f"disc ({' or '.join(formats)}) with the file {ENVIRONMENT}", candidates, marker=ENVIRONMENT)


def is_ready(node: str) -> bool:
    """Whether a drive has its disc; what is no optical drive is always ready."""
    try:
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
    """What the drive gives the first user, in clear; "" without a drive that is there now and can be read.

    Raises Failure for a document that is no XML.
    """
    content = discs(formats, ENVIRONMENT).look()
    if not content:
        return ""
    try:
        top = parse(content.decode("utf-8", "replace"))
    except ValueError as error:
        raise Failure("this is no XML", where=ENVIRONMENT, fix="the platform has to attach a right drive") from error
    return next((element.text or "" for element in top.iter() if element.tag in PASSWORD), "")


# The platform.

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
        log.warning(f"there is no user data, and {reason}: going on without a config")
        return b""


def _shared_config(attribute: str) -> Value:
    """An attribute of the machine's own instance in the shared config, which the goal state names."""

    def read(reader: Reader) -> str | None:
        url = element_text(goal_state(reader), f"{CONFIGURATION}/SharedConfig", GOAL_STATE.path)
        own = own_instance(Document(url, parse, kind="XML").read(reader))
        return None if own is None else _of_instance(own, attribute)

    return Value(f"{attribute} of the machine's own instance in the SharedConfig of the goal state", read)


def own_instance(top: Element) -> Element | None:
    """The machine's own among the instances of a shared config."""
    incarnation = top.find("Incarnation")
    name = incarnation.get("instance") if incarnation is not None else None
    return next((one for one in top.findall("Instances/Instance") if one.get("id") == name), None)


def _of_instance(own: Element, attribute: str) -> str | None:
    """The last endpoint counts, of those with an address and a port; ports are no part of it. Raises Failure for the machine's
    own address if it is not one.
    """
    from ignition.network.addresses import address, endpoint

    if attribute == "address":
        found = own.get(attribute)
        return None if found is None else str(address(found, f"{attribute} of the SharedConfig"))
    given = [one.get(attribute) for one in own.findall("InputEndpoints/Endpoint")]
    return next((str(one) for value in reversed(given) if (one := endpoint(value))), None)


def _ssh_keys(reader: Reader) -> list[str]:
    # Azure folds a long key into several lines: each entry is one key.
    keys = [str(one.get("keyData") or "").replace("\r", "").replace("\n", "") for one in KEYS.objects(reader, "")]
    if keys and not any(keys):
        raise Failure("every public key is empty", where=KEYS.path, fix="correct the keys of the virtual machine")
    if not all(keys):
        log.warning(f"{KEYS.path}: a public key is empty: left out (fix: correct the keys of the virtual machine)")
    return [key for key in keys if key]


def _first_user(reader: Reader) -> FirstUser | None:
    from ignition.metadata.table import FirstUser

    found = ADMIN.read(reader)
    name = found.strip() if isinstance(found, str) else ""
    if not name:
        log.warning("the platform names no user: no user.ign is written")
        return None
    return FirstUser(name, _ssh_keys(reader), admin_password(("udf", "iso9660")))


PLATFORM = Platform(
    "Microsoft Azure",
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
