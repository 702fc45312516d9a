"""NetworkManager's profiles for the network that the metadata describes.

Source: docs/reference/platforms.md §7.3; nm-settings-keyfile(5).
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.host import log
from ignition.network.bonding import kernel_parameters
from ignition.network.model import Device, Interface, Network
from ignition.network.networkd import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Route
    from ignition.network.networkd import Section

MODE = 0o600  # NetworkManager ignores profiles that others can read
HIGHEST = 999  # autoconnect-priority of a unit of priority 0


def files(network: Network) -> dict[str, str]:
    """File name → content."""
    devices = {device.name: device for device in network.devices}
    found = {}
    for interface in network.interfaces:
        if interface.unmanaged or not (interface.name or interface.mac):
            continue  # networkd's way to leave links alone; NetworkManager touches none without a profile
        device = devices.get(interface.name)
        if device is not None and device.kind != "bond":
            log.warning(f"{device.name} is a {device.kind}: no NetworkManager profile is written for it")
            continue
        found[f"{interface.id}.nmconnection"] = render(_sections(interface, device))
    return found


def _sections(interface: Interface, bond: Device | None) -> Iterator[Section]:
    yield "connection", list(_connection(interface, bond))
    if bond:
        # NetworkManager calls them as the kernel does.
        yield "bond", [f"{name}={value}" for name, value in kernel_parameters(bond.options.get("Bond", {})).items()]
    mac, key = (bond.mac, "cloned-mac-address") if bond else (interface.mac, "mac-address")
    if mac:
        yield "ethernet", [f"{key}={mac}"]
    if not interface.bond:
        yield "ipv4", list(_family(interface, 4))
        yield "ipv6", list(_family(interface, 6))


def _connection(interface: Interface, bond: Device | None) -> Iterator[str]:
    yield f"id={interface.id}"
    yield f"type={'bond' if bond else 'ethernet'}"
    if bond or not interface.mac:
        yield f"interface-name={interface.name}"
    yield "autoconnect=true"
    yield f"autoconnect-priority={HIGHEST - interface.priority}"
    if interface.bond:
        yield f"master={interface.bond}"
        yield "slave-type=bond"


def _family(interface: Interface, version: int) -> Iterator[str]:
    addresses = [one for one in interface.addresses if one.version == version]
    if interface.dhcp in ("yes", f"ipv{version}"):
        yield "method=auto"
    elif not addresses:
        yield "method=disabled"
    else:
        yield "method=manual"
        yield from (f"address{number}={address}" for number, address in enumerate(addresses, start=1))
        yield from _routes([route for route in interface.routes if route.gateway.version == version])
    servers = [str(server) for server in interface.nameservers if server.version == version]
    if servers:
        yield f"dns={';'.join(servers)};"


def _routes(routes: list[Route]) -> Iterator[str]:
    """The first default route is the gateway, further ones are left out; all others are numbered."""
    defaults = [route for route in routes if _is_default(route)]
    if defaults:
        yield f"gateway={defaults[0].gateway}"
    for route in defaults[1:]:
        if route.gateway != defaults[0].gateway:
            log.warning(f"default route through {route.gateway} is left out: a profile has one gateway, {defaults[0].gateway}")
    others = [route for route in routes if not _is_default(route)]
    yield from (f"route{number}={route.destination},{route.gateway},0" for number, route in enumerate(others, start=1))


def _is_default(route: Route) -> bool:
    return str(route.destination).endswith("/0")
