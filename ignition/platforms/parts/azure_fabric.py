"""Azure's two services: the fabric's wire server, and the instance metadata service.

Source: docs/reference/platforms.md §5.1, §8, §10.3.

The fabric's version is asked for before its first document, not before those of the other service.
"""

from __future__ import annotations

from contextlib import contextmanager

from ignition.errors import Failure
from ignition.host import log
from ignition.platforms.parts import dhcp
from ignition.platforms.parts.values import Document
from ignition.platforms.parts.xml_text import escaped, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from xml.etree.ElementTree import Element

    from ignition.fetch.engine import Fetcher
    from ignition.platforms.parts.place import Get
    from ignition.platforms.parts.reader import Reader

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
