"""The proxy for a URL, if any (spec: ignition.proxy; rules of golang.org/x/net/http/httpproxy).

http URLs use httpProxy only, and https URLs httpsProxy only. The environment is ignored.
"""

from __future__ import annotations

from collections.abc import Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from ignition.fetch.settings import Settings


def choose(scheme: str, host: str, port: int, settings: Settings) -> str | None:
    """The proxy URL for a target, or None to reach it directly. `host` without brackets."""
    proxy = settings.https_proxy if scheme == "https" else settings.http_proxy
    if not proxy or _is_local(host) or exempt(host, port, settings.no_proxy):
        return None
    return proxy


def exempt(host: str, port: int, no_proxy: Iterable[str]) -> bool:
    """Whether one of the items matches the target: `*`, CIDR, IP address, domain (and below), `.domain` (only below)."""
    host = host.lower().rstrip(".")
    address = _address(host)
    for item in (part.strip().lower() for text in no_proxy for part in text.split(",")):
        if not item:
            continue
        if item == "*":
            return True
        if "/" in item:
            if address is not None and _in_network(address, item):
                return True
            continue
        name, item_port = _split_port(item)
        if name and item_port in {"", str(port)} and _same(host, address, name):
            return True
    return False


def _same(host: str, address: IPv4Address | IPv6Address | None, name: str) -> bool:
    item_address = _address(name)
    if address is not None or item_address is not None:
        return address == item_address
    if name.startswith("*."):
        name = name[1:]
    if name.startswith("."):
        return host.endswith(name)
    return host == name or host.endswith("." + name)


def _split_port(item: str) -> tuple[str, str]:
    if item.startswith("["):  # [IPv6]:port
        name, _, port = item[1:].partition("]")
        return name, port.removeprefix(":")
    if item.count(":") == 1:
        name, _, port = item.partition(":")
        return name, port
    return item, ""


def _is_local(host: str) -> bool:
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def _address(host: str) -> IPv4Address | IPv6Address | None:
    import ipaddress

    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _in_network(address: IPv4Address | IPv6Address, item: str) -> bool:
    import ipaddress

    try:
        return address in ipaddress.ip_network(item, strict=False)
    except ValueError:
        return False
