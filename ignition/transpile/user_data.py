"""User data that people wrote in YAML, taken as it is: Butane by its `variant`, Container Linux Config by its keys.

A cloud-config stays coreos-cloudinit's. There are no local files on a machine: contents are inline or remote. What is found is
said of the YAML, at its places.
"""

from ignition.config.parse import INVALID, VALID, Parsed, parse
from ignition.config.report import Report
from ignition.config.text import odd_input
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_FIX = "write it inline or let the machine fetch it; or embed it with ct or butane beforehand"


def parsed(text: bytes, source: str, platform: str = "") -> Parsed | None:
    """As config.parse.parse gives it; None if the text is neither. `source`: what messages call it. `platform`: the machine's."""
    match odd_input.transpilable(text):
        case odd_input.A_CONTAINER_LINUX_CONFIG:
            return _container_linux(text, source, platform)
        case odd_input.A_BUTANE_CONFIG:
            return _butane(text, source)
    return None


def _container_linux(text: bytes, name: str, platform: str) -> Parsed:
    from ignition.transpile.ct import dynamic
    from ignition.transpile.ct.run import Source

    source = Source(name, text)
    if source.config is None:
        return Parsed(outcome=INVALID, report=source.report)
    result = source.translated(dynamic.OLD_NAMES.get(platform, platform), _refuse)
    report = Report(entries=source.report.entries + result.report.entries, source=name)
    return _as_parsed(result.text(), report)


def _butane(text: bytes, name: str) -> Parsed:
    from ignition.transpile.butane import translate

    made = translate(text, name=name, files_dir=None)
    return _as_parsed(made.text, made.report)


def _as_parsed(text: str | None, report: Report) -> Parsed:
    if text is None:
        return Parsed(outcome=INVALID, report=report)
    written = text.encode("utf-8")
    made = parse(written, source=report.source)
    return Parsed(outcome=VALID, config=made.config, report=report, version=made.version, json=written, places=made.places)


def _refuse(name: str) -> "NoReturn":
    raise Failure("there are no local files on a machine", fix=_FIX)
