"""Configs in the system directories of the image: base.ign, base.d, base.platform.d/<platform>, user.ign, default.ign.

Those on the OEM or the boot partition take precedence over the lowest directory only (vendor_configs.py).

Source: docs/reference/ignition-config.md §4.4, and §4.6 and §4.7 for base.ign and default.ign of Container Linux. References,
timeouts, authorities and proxies inside base configs are ignored. Unlike Ignition: a dangling symlink in base.d is an error and
does not empty the base config.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from ignition.config.model import Config
from ignition.config.model.ignition import Proxy, References, Security, Timeouts
from ignition.errors import Failure
from ignition.host import log, paths
from ignition.rendering.parsing import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.rendering.vendor_configs import Vendor

_FIX = "correct or remove it in the image"


def base(platform: str, directories: Sequence[str] | None = None, reader: Reader | None = None) -> Config:
    """base.ign, the fragments of base.d over it, the platform's over these; without their references and fetch settings.

    `directories`: instead of the machine's own, highest priority first; `platform` may be "" for none. `reader`: instead of a
    boot's. A broken base.ign or fragment of base.d raises Failure; if one of the platform's is broken, all of these are skipped
    with a warning, as in Ignition.
    """
    reader = reader or Reader()
    if directories is None:
        *higher, lowest = paths.system_config_dirs()
        directories = (*higher, lowest)
        first = _first("base.ign", (*higher, paths.vendor_configs(), lowest))
    else:
        first = _first("base.ign", directories)
    config = _merged(Config(), [*first, *fragments(directories, "base.d")], reader)
    try:
        if platform:
            config = _merged(config, fragments(directories, f"base.platform.d/{platform}"), reader)
    except Failure as failure:
        log.warning(f"the base configs of platform {platform} are ignored: {failure}")
    about = config.ignition
    references = References(append=about.config.append)  # `append` is not a reference: it says how lists are combined
    return config.evolve(ignition=about.evolve(config=references, timeouts=Timeouts(), security=Security(), proxy=Proxy()))


def over(lower: Config, upper: Config) -> Config:
    """One config of this machine over another; the values of the upper one win.

    2.x is appended to 2.x, as in Ignition 0.x. Everything else is merged by key: with lists joined, a 3.x config would conflict
    with its own paths.
    """
    from ignition.config.merge import merge

    about = lower.ignition
    if lower == Config():
        return upper.evolve(ignition=upper.ignition.evolve(version=about.version))
    if about.config.append and not upper.ignition.config.append:
        lower = lower.evolve(ignition=about.evolve(config=about.config.evolve(append=None)))
    return merge(lower, upper)


def user(directories: Sequence[str] | None = None, vendor: Vendor | None = None) -> tuple[str, bytes] | None:
    """Path and content of the first user.ign; None if there is none.

    `directories`: instead of the machine's own. `vendor`: configs outside the initramfs.
    """
    return _read_first("user.ign", directories, vendor)


def default(directories: Sequence[str] | None = None, vendor: Vendor | None = None) -> tuple[str, bytes] | None:
    """Path and content of the first default.ign, which takes the place of a missing user config; otherwise as `user`."""
    return _read_first("default.ign", directories, vendor)


def fragments(directories: Iterable[str], collection: str) -> list[str]:
    """Paths of all entries of a collection, in byte order of their names; a name in an earlier directory hides later ones."""
    found: dict[str, str] = {}
    for directory in directories:
        try:
            names = os.listdir(f"{directory}/{collection}")
        except FileNotFoundError:
            continue
        for name in names:
            found.setdefault(name, f"{directory}/{collection}/{name}")
    return [found[name] for name in sorted(found, key=os.fsencode)]


def _first(name: str, directories: Sequence[str]) -> list[str]:
    """The path of this name in the first directory that has it, even as a dangling symlink; empty if none has it."""
    return [path for path in (f"{directory}/{name}" for directory in directories) if os.path.lexists(path)][:1]


def _read_first(name: str, directories: Sequence[str] | None, vendor: Vendor | None) -> tuple[str, bytes] | None:
    if directories is None:
        *higher, lowest = paths.system_config_dirs()
        outside = vendor.get(name) if vendor else None
        return _read_first(name, higher, None) or outside or _read_first(name, [lowest], None)
    for directory in directories:
        path = f"{directory}/{name}"
        try:
            with open(path, "rb") as file:
                return path, file.read()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise Failure(f"the config cannot be read: {error.strerror}", where=path, fix=_FIX) from error
    return None


def _merged(config: Config, fragment_paths: Iterable[str], reader: Reader) -> Config:
    for path in fragment_paths:
        try:
            with open(path, "rb") as file:
                content = file.read()
        except OSError as error:
            raise Failure(f"the base config cannot be read: {error.strerror}", where=path, fix=_FIX) from error
        fragment = reader.read(content, path)
        if fragment is None:
            raise Failure("the base config is empty", where=path, fix=_FIX)
        config = over(config, fragment)
    return config
