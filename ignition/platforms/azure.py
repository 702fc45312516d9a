"""Microsoft Azure. Source: docs/reference/platforms.md §3.1, §3.4, §4.1, §4.2, §5.1, §5.2, §8, §10.3.

User data of the instance metadata service; where there is none, custom data of the provisioning drive. The service says 404, 410
or 429 for a while after the boot. Unlike Ignition, which waits for the drive without end: a machine without one has no config.
"""

from __future__ import annotations

from ignition.errors import Failure
from ignition.host import log
from ignition.platforms import Platform
from ignition.platforms.parts.azure_fabric import CONFIGURATION, GOAL_STATE, INSTANCE, Fabric, check_in, element_text, goal_state
from ignition.platforms.parts.config_source import ConfigSource, base64, http
from ignition.platforms.parts.drive import LIMIT_S
from ignition.platforms.parts.metadata import Attribute, Metadata
from ignition.platforms.parts.ovf import CUSTOM_DATA, admin_password, discs
from ignition.platforms.parts.place import NotHere
from ignition.platforms.parts.values import Document, Value, text
from ignition.platforms.parts.xml_text import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ignition.fetch.engine import Fetcher
    from ignition.platforms.parts.first_user import FirstUser
    from ignition.platforms.parts.reader import Reader

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
    from ignition.platforms.parts.addresses import address, endpoint

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
    from ignition.platforms.parts.first_user import FirstUser

    found = ADMIN.read(reader)
    name = found.strip() if isinstance(found, str) else ""
    if not name:
        log.warning("the platform names no user: no user.ign is written")
        return None
    return FirstUser(name, _ssh_keys(reader), admin_password(("udf", "iso9660")))


PLATFORM = Platform(
    "Microsoft Azure",
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
