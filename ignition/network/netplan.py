"""A network as a document for netplan. Source: docs/reference/platforms.md §7.1; netplan's reference of `network`, version 2.

Better than Afterburn, which writes neither version nor routes for Proxmox VE: netplan rejects a file without `version`, and a
machine without its gateway is unreachable.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Interface, Network


def document(network: Network) -> dict[str, object] | None:
    """The document; None if the network has no interfaces."""
    ethernets = {one.name or f"mac-{one.mac.replace(':', '')}": _ethernet(one) for one in network.interfaces}
    return {"network": {"version": 2, "ethernets": ethernets}} if ethernets else None


def _ethernet(interface: Interface) -> dict[str, object]:
    found: dict[str, object] = {"match": {"macaddress": interface.mac}} if not interface.name else {}
    for family, name in (("ipv4", "dhcp4"), ("ipv6", "dhcp6")):
        if interface.dhcp in (family, "yes"):
            found[name] = True
    if interface.addresses:
        found["addresses"] = [str(one) for one in interface.addresses]
    if interface.routes:
        found["routes"] = [{"to": str(route.destination), "via": str(route.gateway)} for route in interface.routes]
    if interface.nameservers:
        found["nameservers"] = {"addresses": [str(one) for one in interface.nameservers]}
    return found
