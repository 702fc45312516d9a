"""OpenStack: a config drive or the metadata service. Source: docs/reference/platforms.md §3.3, §4.2, §5.1, §5.2, §10.7.

The service is asked over IPv4, and over IPv6 at each interface. Unlike Ignition, an error at one of them does not affect the
others, and a drive is read without a network. The companion, too, accepts both spellings of the label and any file system.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ignition.metadata.config_source import http
from ignition.metadata.drive import Drive
from ignition.metadata.race import drive_or_service
from ignition.metadata.service import Service
from ignition.metadata.ssh_keys import listed, members
from ignition.metadata.table import Attribute, Metadata
from ignition.metadata.values import Document, Value, first_word, text
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher
    from ignition.metadata.service import Place
    from ignition.metadata.ssh_keys import Keys

LABELS = ("config-2", "CONFIG-2")
USER_DATA = "openstack/latest/user_data"
BASE = "http://169.254.169.254"
ADDRESS_6 = "fe80::a9fe:a9fe"
IF_INET6 = "/proc/net/if_inet6"  # proc(5): address, index, prefix length, scope, flags, name; only of interfaces that are up

DRIVE_META = Document("openstack/latest/meta_data.json")
DRIVE_EC2 = Document("ec2/latest/meta-data.json")
SERVICE_META = Document("openstack/2012-08-10/meta_data.json")


def _services(fetcher: Fetcher) -> dict[str, Callable[[], bytes]]:
    sources = {f"{BASE}/{USER_DATA}": http(f"{BASE}/{USER_DATA}")}
    # The link-local address of the service exists on each link; only a try tells on which one.
    for name in interfaces():
        url = f"http://[{ADDRESS_6}%25{name}]/{USER_DATA}"
        sources[url] = http(url, headers={"Host": f"[{ADDRESS_6}]"})  # without the zone, as RFC 6874 requires
    return {url: partial(source.fetch, fetcher) for url, source in sources.items()}


def interfaces(path: str = IF_INET6) -> list[str]:
    """The interfaces with an IPv6 address, except loopback."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            names = [line.rstrip("\n").rpartition(" ")[2] for line in file]
    except FileNotFoundError:  # a kernel without IPv6
        return []
    return list(dict.fromkeys(name for name in names if name != "lo"))


def _table(place: Place, *, hostname: Value, uuid: Value, ec2: Callable[[str], Value], ssh_keys: Keys) -> Metadata:
    return Metadata(
        place,
        prefix="OPENSTACK_",
        legacy_prefix="OPENSTACK_",
        attributes=(
            Attribute("HOSTNAME", hostname),
            Attribute("INSTANCE_ID", ec2("instance-id")),
            Attribute("INSTANCE_TYPE", ec2("instance-type"), legacy=""),
            Attribute("INSTANCE_UUID", uuid, legacy=""),
            Attribute("IPV4_LOCAL", ec2("local-ipv4")),
            Attribute("IPV4_PUBLIC", ec2("public-ipv4")),
        ),
        hostname=hostname,
        ssh_keys=ssh_keys,
    )


CONFIG = drive_or_service(dict.fromkeys(LABELS, (USER_DATA,)), _services, says=f"{BASE}/{USER_DATA}, also by IPv6")
SERVICE = _table(
    Service(BASE),
    hostname=first_word(text("latest/meta-data/hostname")),
    uuid=SERVICE_META.member("uuid"),
    ec2=lambda name: text(f"latest/meta-data/{name}"),
    ssh_keys=listed("latest/meta-data/public-keys"),
)
PLATFORM = Platform(
    "OpenStack",
    # IPv6: docs/reference/platforms.md §3.3
    addresses=("169.254.169.254", "fe80::a9fe:a9fe"),
    closing=(
        "only a rebuild, which replaces the disk, changes user data (`nova rebuild --user-data-unset`, "
        "[Nova](https://docs.openstack.org/releasenotes/python-novaclient/queens.html)): deny the address. A drive: "
        "root and the group of its device"
    ),
    without_unit={"hostname": "DHCP provides it"},
    config=CONFIG,
    metadata=(
        _table(
            Drive(*LABELS, needs=DRIVE_META.path),
            hostname=DRIVE_META.member("hostname"),
            uuid=DRIVE_META.member("uuid"),
            ec2=DRIVE_EC2.member,
            ssh_keys=members(DRIVE_META.member("public_keys.*")),
        ),
        SERVICE,
    ),
)
