"""From the bytes of a config to the model; what the report says goes to the journal, errors go into the exception."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ignition.errors import Failure, InvalidConfig
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config
    from ignition.config.parse import Parsed
    from ignition.config.report import Report

    Read = Callable[[bytes, str], Config | None]  # parse_config, or what stands in for it: content, source


def parse_config(content: bytes, source: str, platform: str = "") -> Config | None:
    """The config; None if there is none: no bytes at all, or user data for coreos-cloudinit (a cloud-config, a script).

    gzip and zstd are unpacked, YAML is translated (read_text), warnings are logged; the text itself never is. Raises
    InvalidConfig, whose text lists every error with its source, path, line and column, and Failure for data that cannot be
    unpacked.
    """
    from ignition.host.atomic import sha512

    digest = sha512(content)
    log.info(f"config from {source}: {len(content)} bytes, SHA-512 {digest}")
    _, parsed = read_text(content, source, platform)
    _log_warnings(parsed.report, source)
    if parsed.report.fatal:
        raise invalid(parsed.report, source, digest)
    return parsed.config


def read_text(content: bytes, source: str, platform: str = "") -> tuple[bytes, Parsed]:
    """The unpacked text and what became of it. Raises Failure for data that cannot be unpacked.

    Container Linux Config and Butane are translated first; what is said is said of their text. `platform`: whose dynamic data
    a Container Linux Config may ask for.
    """
    from ignition.config.parse import parse
    from ignition.config.text import packed

    try:
        text = packed.unpack(content)
    except Failure as failure:
        failure.where = failure.where or source
        raise
    if not text.lstrip()[:1].startswith(b"{"):  # nothing of the following costs a JSON config any time
        from ignition.transpile import user_data

        if parsed := user_data.parsed(text, source, platform):
            return text, parsed
    return text, parse(text, source=source)


def invalid(report: Report, source: str, digest: str = "", names: Sequence[str] = ()) -> InvalidConfig:
    """The exception with all errors of a report, one a line. `digest`: SHA-512 of the text, for who counts how often it came.

    `names`: the source of each entry, if they are of several.
    """
    pairs = zip(names or [source] * len(report.entries), report.entries, strict=True)
    lines = [
        f"{name}: {entry}" + (f" (fix: {entry.fix})" if entry.fix else "") for name, entry in pairs if entry.level == "error"
    ]
    count = "1 error" if len(lines) == 1 else f"{len(lines)} errors"
    what = "the merged config" if names else "the config"
    return InvalidConfig("\n".join([f"{what} is invalid, {count}:", *lines]), report=report, digest=digest)


def _log_warnings(report: Report, source: str) -> None:
    levels = {"warning": log.warning, "info": log.info}  # errors are in the exception
    for entry in report.entries:
        if entry.level in levels:
            levels[entry.level](f"{source}: {entry}")
