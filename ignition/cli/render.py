"""`ignition render [URL|FILE|-]...`: the config that a machine would get, references followed, and where each value is from.

The boot's own pipeline (docs/reference/ignition-config.md §4), without its journal, files and root. The result is JSON of the
newest stable spec that our own parser takes. Exit statuses: 0 fine, 1 invalid, not to be had or not to be said, 2 usage.
"""

from __future__ import annotations

import sys

from ignition.cli.flags import FILES, GO_ANYWHERE, Flag, duration_s
from ignition.cli.merged_config import (
    BASE_DIR,
    FETCH_TIMEOUT,
    PATIENCE,
    PLATFORM,
    merged,
    parts,
    show,
    tell_people,
    without_garbage_collection,
)
from ignition.cli.program import IGNITION, Program
from ignition.config import origins
from ignition.config.report import ERROR, Entry, dotted
from ignition.host import progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values
    from ignition.config.model import Config
    from ignition.config.report import Path

FINE, WRONG, USAGE = 0, 1, 2
_ABOUT = "version"


def _named_place(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not name or not equals or not path.startswith("/"):
        raise ValueError(f"{text!r} is not NAME=PATH with an absolute path")
    return name, path


FLAGS = (
    BASE_DIR,
    FETCH_TIMEOUT,
    Flag(
        "filesystem",
        (),
        "mount point of a file system that a 2.x config refers to by name; may be repeated",
        value="NAME=PATH",
        parse=_named_place,
    ),
    Flag("origin", False, "print one line per value instead of JSON, with the source, line and column that it comes from"),
    PLATFORM,
)
PROGRAM = Program(
    "ignition render",
    "print the config that a machine would get",
    FLAGS,
    manual="ignition-render(1)",
    usage=("[URL|FILE|-]... [options]",),
    dialect=GO_ANYWHERE,
    operands=FILES,
    original=IGNITION,
    statuses={
        FINE: "the config is valid, perhaps with warnings",
        WRONG: "a config is invalid, cannot be fetched, or cannot be expressed in spec 3.x",
        USAGE: "invalid usage",
    },
)


@PROGRAM
def main(values: Values, words: list[str]) -> int:
    """Render the configs."""
    timeout_s = float(int(duration_s(values["fetch-timeout"] or PATIENCE)))
    tell_people(PROGRAM.name)
    progress.for_people(PROGRAM.name)
    with without_garbage_collection():
        is_limit = bool(values["fetch-timeout"])
        config = merged(words, values["base-dir"], values["platform"], timeout_s, is_limit=is_limit)
        return _print(config, dict(values["filesystem"]), with_origins=values["origin"])


def _print(found: Config, mounts: dict[str, str], *, with_origins: bool) -> int:
    import json

    from ignition.config.cache import plain
    from ignition.config.parse import parse
    from ignition.config.to_spec3 import express

    config, remarks = express(found, mounts)
    sections = plain(origins.plain(config))
    about = {_ABOUT: config.ignition.version, **sections.pop("ignition", {})}
    text = json.dumps({"ignition": about, **sections}, ensure_ascii=False, indent=2)
    if with_origins:
        print("\n".join(_lines(config)))
    else:
        sys.stdout.buffer.write(f"{text}\n".encode("utf-8", "backslashreplace"))  # JSON is UTF-8, whatever the locale
    for remark in remarks:
        show(Entry(level=remark.level, message=remark.message, path=dotted(remark.path), fix=remark.fix), remark.origin)
    errors = [entry for entry in parse(text.encode("utf-8", "replace")).report.entries if entry.level == ERROR]
    for entry in errors:
        show(entry, origins.near(config, parts(entry.path)))
    return WRONG if errors or any(remark.level == ERROR for remark in remarks) else FINE


def _lines(config: Config) -> list[str]:
    """One per value: path, value, source."""
    import json

    version: Path = ("ignition", _ABOUT)
    found = [(version, config.ignition.version), *(pair for pair in origins.values(config) if pair[0] != version)]
    return [
        f"{dotted(path)} = {json.dumps(origins.bare(value), ensure_ascii=False)}  # {origins.of(value) or 'ignition render'}"
        for path, value in found
    ]
