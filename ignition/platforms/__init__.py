"""Platforms: one small module per platform, named by its id (`-` becomes `_`).

A module has `PLATFORM`, made of the parts in ignition/metadata. The ids are the file names: platforms are not registered anywhere
else. Ids of earlier times (Container Linux, Ignition 2.x) are accepted, too. The agent uses `config`, the companion `metadata`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher
    from ignition.metadata.config_source import ConfigSource
    from ignition.metadata.table import Metadata

    Report = Callable[[Fetcher, str, str], None]

ALIASES = {
    "ec2": "aws",
    "gce": "gcp",
    "pxe": "metal",
    "vagrant": "vagrant-virtualbox",
    "oracle-oci": "oraclecloud",
    # Container Linux had images for these, but its Ignition never read a config from them: their user data is coreos-cloudinit's.
    **dict.fromkeys(("cloudsigma", "interoute", "niftycloud", "rackspace", "rackspace-onmetal", "xendom0"), "metal"),
}  # docs/reference/platforms.md §1: renames, and noop


class Platform:
    """`title` is its name for people. `config`: the source of the user config, None if only the companion supports the id.

    `metadata`: tables for the companion, which uses the first one whose place the machine has. `report(fetcher, stage, problem)`
    tells the platform how a stage ended; `problem` is "" for success. It may raise anything.

    The conditions of units are generated from the tables (dracut/platform_conditions.py). `without_unit`: members of the metadata
    that are not applied by any unit → the reason. `each_boot`: members that a unit applies at each boot, not only at the first.

    `addresses`: of the metadata service, IPv4 and IPv6; empty without one, and where only DHCP or DNS knows them. `closing`: for
    docs/platforms.md, who can read the config after the first boot, and how the platform removes or closes it.
    """

    def __init__(
        self,
        title: str,
        *,
        config: ConfigSource | None = None,
        metadata: tuple[Metadata, ...] = (),
        report: Report | None = None,
        without_unit: Mapping[str, str] | None = None,
        each_boot: tuple[str, ...] = (),
        addresses: tuple[str, ...] = (),
        closing: str = "",
    ) -> None:
        self.title, self.config, self.metadata, self.report = title, config, metadata, report
        self.without_unit, self.each_boot = without_unit or {}, each_boot
        self.addresses, self.closing = addresses, closing


def ids() -> list[str]:
    """All ids of today, sorted."""
    try:
        names = os.listdir(os.path.dirname(__file__))
    except NotADirectoryError:
        from ignition.host import zipped

        names = zipped.modules(__path__)
    stems = {name.partition(".")[0] for name in names if name.endswith((".py", ".pyc"))}
    return sorted(stem.replace("_", "-") for stem in stems if not stem.startswith("_"))


def module(name: str) -> Platform:
    """The platform of an id as it is spelled in `ids()`."""
    from importlib import import_module

    platform: Platform = import_module(f"{__name__}.{name.replace('-', '_')}").PLATFORM
    return platform


def known(half: str) -> list[str]:
    """All accepted ids that have `half`, which is `config` or `metadata`, sorted. Slow, since it loads every module."""
    found = [name for name in ids() if getattr(module(name), half)]
    return sorted([*found, *(old for old, new in ALIASES.items() if new in found)])


def config_source(name: str) -> ConfigSource:
    """The source of the user config on that platform. Raises Failure with the known ids."""
    source = found.config if (found := _find(name)) else None
    if source is None:
        raise Failure(f"unknown platform {name!r}", fix=_one_of(name, known("config")))
    return source


def metadata(name: str) -> tuple[Metadata, ...]:
    """The metadata tables of that platform. Raises Failure with the known ids."""
    tables = found.metadata if (found := _find(name)) else ()
    if not tables:
        raise Failure(f"platform {name!r} does not provide metadata", fix=_one_of(name, known("metadata")))
    return tables


def addresses(name: str) -> tuple[str, ...]:
    """The addresses of that platform's metadata service. Raises Failure if it has none of its own."""
    found = platform.addresses if (platform := _find(name)) else ()
    if not found:
        having = [one for one in ids() if module(one).addresses]
        raise Failure(f"no address of a metadata service is known for platform {name!r}", fix=_one_of(name, having))
    return found


def report(name: str) -> Report | None:
    """The function that reports to that platform how each stage ended; None if it does not accept reports."""
    return found.report if (found := _find(name)) else None


def current_id(name: str) -> str:
    """Today's id for one of earlier times; any other id unchanged."""
    return ALIASES.get(name, name)


def _one_of(name: str, accepted: list[str]) -> str:
    from ignition.config.suggest import closest

    near = "" if name in ids() else closest(name, accepted, alike=0.65)
    return f"{f'did you mean {near}? ' if near else ''}use one of: {', '.join(accepted)}"


def _find(name: str) -> Platform | None:
    new = current_id(name)
    return module(new) if new in ids() else None
