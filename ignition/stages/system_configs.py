"""Configs that the image brings: base.d, base.platform.d/<platform> and user.ign below the three system directories.

Source: ignition-config reference 4.4. References, time-outs, authorities and proxies inside base fragments are never acted upon.
Unlike Ignition a dangling symlink in base.d is an error and does not empty the base config.
"""

from __future__ import annotations

import os

from ignition.config.model import Config
from ignition.config.model.ignition import Proxy, References, Security, Timeouts
from ignition.errors import Failure
from ignition.host import log, paths
from ignition.stages.parsing import parse_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ignition.stages.parsing import Read

_FIX = "mend or remove it in the image"


def base(platform: str, directories: Sequence[str] | None = None, read: Read = parse_config) -> Config:
    """All base fragments merged, those of the platform last, without what they say about references and fetching.

    `directories`: instead of the machine's own, highest priority first; `platform` may be "" for none. A broken one of base.d
    raises Failure; when one of the platform's is broken, all of these are left out with a warning.
    """
    directories = paths.system_config_dirs() if directories is None else directories
    config = _merged(Config(), fragments(directories, "base.d"), read)
    try:
        if platform:
            config = _merged(config, fragments(directories, f"base.platform.d/{platform}"), read)
    except Failure as failure:
        log.warning(f"the base configs of platform {platform} are ignored: {failure}")
    about = config.ignition
    references = References(append=about.config.append)  # how lists are combined is no reference
    return config.evolve(ignition=about.evolve(config=references, timeouts=Timeouts(), security=Security(), proxy=Proxy()))


def user(directories: Sequence[str] | None = None) -> tuple[str, bytes] | None:
    """Path and content of the first user.ign; None if there is none. `directories`: instead of the machine's own."""
    for directory in paths.system_config_dirs() if directories is None else directories:
        path = f"{directory}/user.ign"
        try:
            with open(path, "rb") as file:
                return path, file.read()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise Failure(f"the config cannot be read: {error.strerror}", where=path, fix=_FIX) from error
    return None


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


def _merged(config: Config, fragment_paths: Iterable[str], read: Read) -> Config:
    from ignition.config.merge import merge

    for path in fragment_paths:
        config = merge(config, _fragment(path, read))
    return config


def _fragment(path: str, read: Read) -> Config:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise Failure(f"the base config cannot be read: {error.strerror}", where=path, fix=_FIX) from error
    config = read(content, path)
    if config is None:
        raise Failure("the base config is empty", where=path, fix=_FIX)
    return config
