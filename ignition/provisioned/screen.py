"""A status for a person: one screen of 80 columns and 24 lines, however much there is to say."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from ignition.host.printable import message, printable
from ignition.provisioned.status import INTERRUPTED, PROVISIONED, UNKNOWN, UNPROVISIONED, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WIDTH, HEIGHT = 80, 24
_LABEL = 12
_STATES = {
    PROVISIONED: "provisioned",
    UNPROVISIONED: "not provisioned",
    INTERRUPTED: "a first boot has begun and is not complete",
    UNKNOWN: "unknown",
}
_COLOURS = {PROVISIONED: "32", UNPROVISIONED: "33", INTERRUPTED: "31", UNKNOWN: "33"}
_SOURCES, _CHANGES, _WARNINGS, _LINKS, _UNREAD = 3, 2, 3, 3, 2  # lines at most; together they fit the screen


def lines(status: Status, *, colour: bool = False) -> list[str]:
    """The screen, at most HEIGHT lines."""
    found = []
    label = ""
    for name, text in _rows(status):
        shown = printable(f"{name + ':' if name != label else '':<{_LABEL}} {text}", WIDTH)
        if colour and name == "State":
            word = _STATES[status.state]
            shown = shown.replace(word, f"\x1b[1;{_COLOURS[status.state]}m{word}\x1b[0m")
        found.append(shown)
        label = name
    return found


def _rows(status: Status) -> Iterator[tuple[str, str]]:
    """Labels and texts; lines of one label follow each other."""
    yield "State", _STATES[status.state]
    yield from _about_result(status)
    yield from (("Sources", text) for text in _few([_source(one) for one in status.sources], _SOURCES))
    if status.platform:
        yield "Platform", status.platform
    for half in (status.sha512[:64], status.sha512[64:]):
        if half:
            yield "SHA-512", half
    yield from _about_boots(status)
    yield from _about_verification(status.verified)
    yield from (("Warnings", message(text)) for text in _few([text for _, text in status.warnings], _WARNINGS))
    shown = [one for one in status.links if one.addresses] or status.links
    yield from (("Network", text) for text in _few([" ".join([one.name, one.state, *one.addresses]) for one in shown], _LINKS))
    yield from (("Not read", text) for text in _few([f"{what}: {why}" for what, why in status.unread], _UNREAD))


def _about_result(status: Status) -> Iterator[tuple[str, str]]:
    if status.state == UNPROVISIONED:
        return
    written = _date(status.result.get("provisioningDate")) or (_time(status.since) if status.since else "")
    if written:
        which = ", in this boot" if status.is_this_boot else ""
        run = f", run {status.runs}" if status.runs else ""
        without = ", without a user config" if status.result.get("userConfigProvided") is False else ""
        yield "Provisioned", f"{written}{which}{run}{without}"
    earlier = [_date(one.get("provisioningDate")) or "at an unknown time" for one in status.earlier]
    if earlier:
        yield "Earlier", ", ".join(earlier)


def _about_boots(status: Status) -> Iterator[tuple[str, str]]:
    flag = status.flag
    if status.failure:
        reason = next((line for line in status.failure.split("\n") if line.startswith("what:")), "see the failure screen")
        yield "Failed", reason.removeprefix("what:").strip()
    if status.failed:
        last = status.failed[-1]
        place = f"in the stage {last.stage}" if last.stage else "outside the stages"
        yield "Failed", f"attempt {last.number}, {_date(last.at)}, {place}"
        if not status.failure:
            yield "Failed", f"  {last.cause}"
    elif flag and flag.failures:
        yield "Failed", f"the first boot failed {flag.failures} times because of its config"
    if flag and flag.has_begun:
        yield "Next boot", f"the first boot is tried again{_because(flag.notes)}"
    elif flag and flag.flag:
        yield "Next boot", f"a first boot: the flag {flag.flag.lstrip('/')} is set"
    elif flag:
        yield "Next boot", "an ordinary boot"
    if status.attempt.get("unfinished") is True:
        yield "Interrupted", "the files stage was interrupted, and is not complete"


def _because(notes: Sequence[str]) -> str:
    return f" (notes of the last attempt: {', '.join(notes)})" if notes else ""


def _about_verification(verified: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not verified:
        return
    changes = verified.get("changes")
    differing = (
        [one for one in changes if isinstance(one, dict) and one.get("change") != "same"] if isinstance(changes, list) else []
    )
    drift = f"{len(differing)} difference{'' if len(differing) == 1 else 's'}"
    result = "as its config says" if verified.get("result") == "same" else drift
    when = _date(verified.get("checked"))
    yield "Verified", f"{result}, {when}" if when else result
    yield from (("Verified", f"  {text}") for text in _few([_change(one) for one in differing], _CHANGES))


def _change(change: dict[str, Any]) -> str:
    details = change.get("details")
    more = f": {'; '.join(map(str, details))}" if isinstance(details, list) and details else ""
    return message(" ".join(str(change.get(name, "")) for name in ("change", "kind", "name")) + more)


def _source(source: dict[str, Any]) -> str:
    note = " (referenced)" if source.get("referenced") else ""
    return message(f"{source.get('kind', '')}: {source.get('source', '')}{note}")


def _few(texts: Sequence[str], most: int) -> list[str]:
    """At most so many lines; the last one counts the rest."""
    if len(texts) <= most:
        return list(texts)
    return [*texts[: most - 1], f"… and {len(texts) - most + 1} more"]


def _date(value: object) -> str:
    """`2026-11-30 07:41:12Z` of a result's RFC 3339 date; "" if it is not one."""
    text = value if isinstance(value, str) else ""
    date, _, rest = text.partition("T")
    clock, zone = rest[:8], rest[8:].lstrip(".0123456789")
    return f"{date} {clock}{zone}" if date and clock else ""


def _time(seconds: float) -> str:
    """The same, of seconds since 1970, in the time zone of the machine."""
    zone = time.strftime("%z", time.localtime(seconds))
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) + ("Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}")
