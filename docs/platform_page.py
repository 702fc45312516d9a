"""docs/platforms.md, from the tables of the platforms: their ids, the sources of their configs, and their metadata."""

import re
from collections.abc import Iterator

from markdown_table import table

from dracut import platform_conditions
from ignition import platforms
from ignition.metadata.table import LEGACY, TODAY, Attribute, Metadata

INTRODUCTION = """# Platforms

Generated from the modules in `ignition/platforms` by `python docs/generate.py`: change a platform there, then run it.

The kernel argument `ignition.platform.id=` selects the platform for the agent and for `coreos-metadata`; [boot.md](boot.md)
describes the arguments of Container Linux and Flatcar. The agent checks the kernel command line and `user.ign` first. A config
that does not need a network is fetched before the network is up. An unknown id is an error that lists the known ones.
"""
CLOSING_INTRODUCTION = """<a id="after-the-first-boot"></a>
## Who can read the config after the first boot

A config may contain secrets. *Deny the address* means `coreos-metadata-deny.service`, which is off unless it is enabled
([coreos-metadata.md](coreos-metadata.md#deny-the-metadata-service)), and which runs where the table has an address.
"""
CLOSING_HEAD = ("id", "address of the metadata service", "who can read the config, and how the platform removes or closes it")
METADATA_INTRODUCTION = """<a id="what-coreos-metadata-writes"></a>
## Attributes of coreos-metadata

`{n}` is a number starting at 0. An attribute without a value on a machine is omitted. [coreos-metadata.md](coreos-metadata.md)
describes the format of the file and the units that write it.
"""
# Selections of dracut/platform_conditions.py whose units have names of another kind.
UNITS = {"network": "coreos-static-network.service", "network-each-boot": "coreos-digitalocean-network.service"}
HEAD = ("id", "platform", "source of the user config", "needs network", "removed after use", "coreos-metadata provides")


def lines() -> Iterator[str]:
    """The page."""
    yield INTRODUCTION
    yield from table(HEAD, [_overview(name) for name in platforms.ids()])
    earlier = ", ".join(f"`{old}` (`{new}`)" for old, new in sorted(platforms.ALIASES.items()))
    yield f"Former ids are accepted as well: {earlier}."
    yield "Platforms that map to `metal` have never had a config source: use the kernel command line, `user.ign` or the"
    yield "OEM partition. The user data of such a platform is intended for `coreos-cloudinit`.\n"
    yield CLOSING_INTRODUCTION
    yield from table(CLOSING_HEAD, [_closing(name) for name in platforms.ids()])
    yield METADATA_INTRODUCTION
    for name in platforms.ids():
        for metadata in platforms.module(name).metadata:
            yield from _section(name, metadata)


def with_units(page: str) -> str:
    """docs/coreos-metadata.md with the platforms of today in its tables of units: in the cell after `|`, or after "on"."""
    for selection in platform_conditions.SELECTIONS:
        names = ", ".join(platform_conditions.selected(selection))
        unit = UNITS.get(selection, f"coreos-metadata-{selection}.service")
        if selection.endswith("checkin"):
            row, cell = rf"(\| `{unit}` \| check-in \| at (?:each|the first) boot on )[^|]*( \|)", rf"\g<1>{names}\2"
        else:
            row, cell = rf"(\| `{unit}` \| )[a-z0-9, -]+?((?:, at every boot)? \| )", rf"\g<1>{names}\2"
        page = re.sub(f"^{row}", cell, page, flags=re.MULTILINE)
    return page


def _overview(name: str) -> tuple[str, ...]:
    platform = platforms.module(name)
    config = platform.config
    source, network = (config.says, "yes" if config.needs_network else "no") if config else ("–", "–")
    removed = "yes" if config and config.remove else "no"
    gives = list(dict.fromkeys(what for metadata in platform.metadata for what in _gives(metadata)))
    return f"`{name}`", platform.title, source, network, removed if config else "–", ", ".join(gives) or "–"


def _closing(name: str) -> tuple[str, ...]:
    platform = platforms.module(name)
    return f"`{name}`", ", ".join(platform.addresses) or "–", platform.closing or "not a source of configs"


def _gives(metadata: Metadata) -> Iterator[str]:
    offers = {
        "attributes": metadata.attributes,
        "host name": metadata.hostname,
        "SSH keys": metadata.ssh_keys,
        "network": metadata.network,
        "netplan": metadata.netplan,
        "initramfs network": metadata.kernel_arguments,
        "check-in": metadata.check_in,
        "first user": metadata.first_user,
    }
    return (what for what, offer in offers.items() if offer)


def _section(name: str, metadata: Metadata) -> Iterator[str]:
    yield f"### {name}: {metadata.place.says}\n"
    if metadata.hostname:
        yield f"Host name: {metadata.hostname.says}.\n"
    if metadata.attributes:
        rows = [_row(metadata, attribute) for attribute in metadata.attributes]
        yield from table(("today", "Container Linux", "value"), rows)


def _row(metadata: Metadata, attribute: Attribute) -> tuple[str, ...]:
    today = f"`{TODAY}{metadata.prefix}{attribute.name}`" if attribute.name else ""
    has_legacy = metadata.legacy_prefix and attribute.legacy
    legacy = f"`{LEGACY}{metadata.legacy_prefix}{attribute.legacy}`" if has_legacy else ""
    return today, legacy, attribute.value.says
