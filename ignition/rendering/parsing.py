"""From the bytes of a config to the model: findings are logged, errors are raised together."""

from __future__ import annotations

from collections.abc import Sequence

from ignition.errors import Failure, InvalidConfig
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config
    from ignition.config.parse import Parsed
    from ignition.config.report import Report
    from ignition.rendering.sources import Sources


class Reader:
    """Reads the texts of configs, as a boot does. `platform`: whose dynamic data a Container Linux Config may use.

    `sources`: keeps the texts that are configs; None keeps none.
    """

    def __init__(self, platform: str = "", sources: Sources | None = None) -> None:
        self.platform, self._sources = platform, sources

    def read(self, content: bytes, source: str, *, sealed: bool = False) -> Config | None:
        """The config; None without one: no bytes at all, or user data for coreos-cloudinit (a cloud-config, a script).

        gzip and zstd are unpacked, YAML is translated (read_text), warnings are logged; the text itself never is. Raises
        InvalidConfig, whose text lists every error with its source, path, line and column, and Failure for data that cannot be
        unpacked. `sealed`: it was a sealed text, and its digest, by which guesses could be tested, is not logged.
        """
        from ignition.host.atomic import sha512

        digest = sha512(content)
        log.info(f"config from {source}: {len(content)} bytes, {'opened' if sealed else f'SHA-512 {digest}'}")
        text, parsed = read_text(content, source, self.platform)
        levels = {"warning": log.warning, "info": log.info}  # errors are in the exception
        for entry in parsed.report.entries:
            if entry.level in levels:
                levels[entry.level](f"{source}: {entry}")
        if parsed.report.fatal:
            raise invalid(parsed.report, source, digest, texts=[text] * len(parsed.report.entries))
        if parsed.config is not None and self._sources is not None:
            self._sources.keep(source, content, text, parsed)
        return parsed.config


def read_text(content: bytes, source: str, platform: str = "") -> tuple[bytes, Parsed]:
    """The unpacked text and the result of parsing it. Raises Failure for data that cannot be unpacked.

    Container Linux Config and Butane are translated first; findings are about their text. `platform`: as for Reader.
    """
    from ignition.config.parse import parse
    from ignition.config.text import packed

    try:
        text = packed.unpack(content)
    except Failure as failure:
        failure.where = failure.where or source
        raise
    if not text.lstrip()[:1].startswith(b"{"):  # a JSON config does not pay for these imports
        from ignition.transpile import user_data

        if parsed := user_data.parsed(text, source, platform):
            return text, parsed
    return text, parse(text, source=source)


def invalid(
    report: Report, source: str, digest: str = "", names: Sequence[str] = (), texts: Sequence[bytes] = ()
) -> InvalidConfig:
    """The exception with all errors of a report, one per line.

    `digest`: SHA-512 of the text, by which attempts with the same config are counted. `names`: the source of each entry, if there
    are several. `texts`: the text of each entry.
    """
    pairs = list(zip(names or [source] * len(report.entries), report.entries, strict=True))
    lines = [
        f"{name}: {entry}" + (f" (fix: {entry.fix})" if entry.fix else "") for name, entry in pairs if entry.level == "error"
    ]
    count = "1 error" if len(lines) == 1 else f"{len(lines)} errors"
    what = "the merged config" if names else "the config"
    failure = InvalidConfig("\n".join([f"{what} is invalid, {count}:", *lines]), report=report, digest=digest)
    failure.found = tuple(
        (name, entry, text) for (name, entry), text in zip(pairs, texts, strict=False) if entry.level == "error"
    )
    return failure
