"""CloudStack: a config drive or the virtual router, which is the DHCP server. Source: docs/reference/platforms.md §3.3, §10.8.

Unlike Ignition, a drive is read without a network, and a network card that appears later counts.
"""

from __future__ import annotations

from collections.abc import Callable

from ignition.metadata.config_source import http
from ignition.metadata.drive import LIMIT_S
from ignition.metadata.race import drive_or_service
from ignition.network import dhcp
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher

LABELS = ("config-2", "CONFIG-2")
URL = "http://{}/latest/user-data"
SHOWN = URL.format("DHCP-SERVER")


def _services(fetcher: Fetcher) -> dict[str, Callable[[], bytes]]:
    return {SHOWN: lambda: http(URL.format(dhcp.server(LIMIT_S))).fetch(fetcher)}


PLATFORM = Platform(
    "CloudStack",
    closing=(
        "`updateVirtualMachine` with other `userdata`, on a stopped machine "
        "([CloudStack](https://docs.huihoo.com/apache/cloudstack/api/4.4/user/updateVirtualMachine.html)). Only DHCP "
        "knows the address of the service: a rule of the image's own firewall has to deny it. A drive: root and the "
        "group of its device"
    ),
    config=drive_or_service(dict.fromkeys(LABELS, ("cloudstack/userdata/user_data.txt",)), _services, says=SHOWN),
)
