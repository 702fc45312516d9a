"""Packet's network: every card in one bond that has all addresses. Source: docs/reference/coreos-cloudinit.md §17.3.

The bond's parameters are fixed; as in the original, the mode in the metadata is ignored.
"""

from __future__ import annotations

from ignition.errors import Failure
from ignition.metadata.values import required
from ignition.network.bonding import networkd_options
from ignition.platforms.packet import MACHINE, addressing, blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader
    from ignition.network.model import Network

BOND = "bond0"
PARAMETERS = {"mode": "802.3ad", "lacp_rate": "fast", "miimon": "200", "updelay": "200", "downdelay": "200"}
SERVERS = ("8.8.8.8", "8.8.4.4")  # if the metadata does not list any
_PLACE = f"network.interfaces of {MACHINE.path}"


def network(reader: Reader) -> Network:
    """The cards in their order, then the bond. Raises Failure."""
    from ignition.network.addresses import address
    from ignition.network.model import Device, Interface, Network

    cards = MACHINE.objects(reader, "network.interfaces")
    if not cards:
        raise Failure("the metadata has no interfaces", where=_PLACE, fix="ask the platform's support")
    (given,) = MACHINE.values(reader, "network.dns")
    names = SERVERS if given is None else MACHINE.values(reader, "network.dns[]")
    servers = [address(one, f"network.dns of {MACHINE.path}") for one in names]
    slaves = [
        Interface(name=required(card, "name", _PLACE), bond=BOND, nameservers=servers, priority=number)
        for number, card in enumerate(cards)
    ]
    bond = Interface(name=BOND, nameservers=servers, priority=0)
    bond.addresses, bond.routes = addressing(blocks(reader))
    options = {"Bond": networkd_options(PARAMETERS)}
    mac = required(cards[0], "mac", _PLACE)
    return Network([*slaves, bond], [Device(BOND, "bond", mac=mac, priority=0, options=options)])
