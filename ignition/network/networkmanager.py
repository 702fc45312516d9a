"""NetworkManager's profiles for a network.

Source: docs/reference/platforms.md §7.3; nm-settings-keyfile(5).
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.host import log
from ignition.network.bonding import kernel_parameters
from ignition.network.networkd import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Device, Interface, Network, Route
    from ignition.network.networkd import Section

MODE = 0o600  # NetworkManager ignores profiles that are readable by others
HIGHEST = 999  # autoconnect-priority of a unit of priority 0


def files(network: Network) -> dict[str, str]:
    """File name → content."""
    devices = {device.name: device for device in network.devices}
    found = {}
    for interface in network.interfaces:
        if interface.unmanaged or not (interface.name or interface.mac):
            continue  # networkd needs a file to leave a link alone; NetworkManager leaves it alone without a profile
        device = devices.get(interface.name)
        if device is not None and device.kind != "bond":
            log.warning(f"{device.name} ignored: NetworkManager profiles are not written for devices of kind {device.kind}")
            continue
        found[f"{interface.id}.nmconnection"] = render(_sections(interface, device))
    return found


def _sections(interface: Interface, bond: Device | None) -> Iterator[Section]:
    connection = [f"id={interface.id}", f"type={'bond' if bond else 'ethernet'}"]
    if bond or not interface.mac:
        connection.append(f"interface-name={interface.name}")
    connection += ["autoconnect=true", f"autoconnect-priority={HIGHEST - interface.priority}"]
    if interface.bond:
        connection += [f"master={interface.bond}", "slave-type=bond"]
    yield "connection", connection
    if bond:
        # NetworkManager uses the kernel's names.
        yield "bond", [f"{name}={value}" for name, value in kernel_parameters(bond.options.get("Bond", {})).items()]
    mac, key = (bond.mac, "cloned-mac-address") if bond else (interface.mac, "mac-address")
    if mac:
        yield "ethernet", [f"{key}={mac}"]
    if not interface.bond:
        yield "ipv4", list(_family(interface, 4))
        yield "ipv6", list(_family(interface, 6))


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
    """The first default route is the gateway, further ones are ignored; all others are numbered."""
    defaults = [route for route in routes if route.is_default]
    if defaults:
        yield f"gateway={defaults[0].gateway}"
    for route in defaults[1:]:
        if route.gateway != defaults[0].gateway:
            log.warning(f"default route through {route.gateway} ignored: a profile has one gateway, {defaults[0].gateway}")
    others = [route for route in routes if not route.is_default]
    yield from (f"route{number}={route.destination},{route.gateway},0" for number, route in enumerate(others, start=1))
