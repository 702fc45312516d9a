"""The state of a machine as `ignition status` shows it: read from the files, partitions and the journal that a first boot leaves.

Nothing is changed. Anything that cannot be read, such as files of root, is listed with the reason, and the rest is shown.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ignition.errors import Failure, missing_module
from ignition.host import cmdline, first_boot_flag, limits, netlink, paths
from ignition.host.first_boot_attempts import FailedAttempt
from ignition.host.first_boot_flag import FirstBootFlag
from ignition.host.log import IDENTIFIER, WARNING
from ignition.host.reading import read_text
from ignition.host.root import Root
from ignition.stages import result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The words for `Status.state`.
PROVISIONED, UNPROVISIONED, INTERRUPTED = "provisioned", "not provisioned", "interrupted"
UNKNOWN = "unknown"  # the result cannot be read, not even whether it exists
VERIFIED = "/var/lib/ignition/verify.json"  # by ignition-verify.service
ENVIRONMENT = "/run/ignition.env"  # by the generator, during the boot that provisioned the machine
_MOST_EARLIER = 100  # results in a chain of previousReport
_MOST_WARNINGS = 1000
_LATEST = 1e12  # seconds since 1970; larger values, and JSON's NaN, are not times


class Status:
    """The findings about a machine. A member that is not known has its empty value, and `unread` says why.

    `result`, `report`, `attempt` and `verified` are the documents of these names, {} if they do not exist. `failed`: earlier
    attempts of the next first boot, otherwise those before the last one, the oldest first. `flag`: None for a
    machine without EFI-SYSTEM, and for a root that is not this machine's. `warnings`: seconds since 1970 and a message.
    """

    def __init__(self, root: str) -> None:
        self.root, self.state, self.boot_id, self.platform = root, UNKNOWN, "", ""
        self.result: dict[str, Any] = {}
        self.report: dict[str, Any] = {}
        self.attempt: dict[str, Any] = {}
        self.verified: dict[str, Any] = {}
        self.failed: list[FailedAttempt] = []
        self.since = 0.0  # when the result was written, in seconds since 1970: known even if it cannot be read
        self.flag: FirstBootFlag | None = None
        self.failure = ""  # the failure screen of this boot
        self.warnings: list[tuple[float, str]] = []
        self.links: list[netlink.Link] = []
        self.unread: list[tuple[str, str]] = []

    @property
    def runs(self) -> int:
        """How often the machine has been provisioned; 0 if it is not known."""
        return _number(self.report.get("runs"))

    @property
    def is_this_boot(self) -> bool:
        """Whether the machine was provisioned in its present boot."""
        return bool(self.boot_id) and self.result.get("provisioningBootID") == self.boot_id

    @property
    def sha512(self) -> str:
        """The digest of the rendered config; "" if it is not known."""
        return _text(_object(self.report.get("config")).get("sha512"))

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The configs that were fetched: `kind`, `source`, `referenced`."""
        found = _object(self.report.get("config")).get("sources")
        return [
            {"kind": _text(one.get("kind")), "source": _text(one.get("source")), "referenced": one.get("referenced") is True}
            for one in (found if isinstance(found, list) else ())
            if isinstance(one, dict)
        ]

    @property
    def earlier(self) -> list[dict[str, Any]]:
        """The results of earlier first boots, the latest first."""
        found: list[dict[str, Any]] = []
        one = _object(self.result.get("previousReport"))
        while one and len(found) < _MOST_EARLIER:
            found.append(one)
            one = _object(one.get("previousReport"))
        return found

    def plain(self) -> dict[str, Any]:
        """For JSON; docs/after-the-boot.md describes it."""
        flag = self.flag
        return {
            "state": self.state,
            "root": self.root,
            "provisioned": _result(self.result) | {"thisBoot": self.is_this_boot, "runs": self.runs},
            "config": {"sha512": self.sha512, "platform": self.platform, "sources": self.sources},
            "earlier": [_result(one) for one in self.earlier],
            "nextBoot": {
                "isFirst": None if flag is None else bool(flag.flag),
                "flag": "" if flag is None else flag.flag.lstrip("/"),
            },
            "attempt": {
                "unfinished": bool(self.attempt.get("unfinished")) or bool(flag and flag.has_begun),
                "notes": list(flag.notes) if flag else [],
                "failures": flag.failures if flag else 0,
                "failure": self.failure,
            },
            "failedAttempts": [one.plain() for one in self.failed],
            "verify": self.verified or None,
            "warnings": [{"at": at, "message": message} for at, message in self.warnings],
            "links": [{"name": one.name, "state": one.state, "mac": one.mac, "addresses": one.addresses} for one in self.links],
            "unread": [{"what": what, "why": why} for what, why in self.unread],
        }


def read(root: str = "/") -> Status:
    """All that can be read. With another root than `/` only its files: flag, journal and links are this machine's."""
    status = Status(root)
    top = Root(root)
    status.result = _document(status, top, paths.RESULT)
    status.report = _document(status, top, paths.REPORT)
    status.attempt = _document(status, top, paths.ATTEMPT)
    status.verified = _document(status, top, VERIFIED)
    status.platform = _text(status.report.get("platform"))
    status.failed = _failed_attempts(status.report)
    with _noting(status, paths.RESULT):
        found = top.status(paths.RESULT)
        status.since = found.st_mtime if found else 0.0
        status.state = PROVISIONED if found else UNPROVISIONED
    if not top.path:
        _read_machine(status, top)
    # With a result the failure is that of something later, such as the growth of ROOT.
    failed = bool(status.failure) and status.state == UNPROVISIONED
    if failed or status.attempt.get("unfinished") is True or (status.flag and status.flag.has_begun):
        status.state = INTERRUPTED
    if not status.warnings:  # the journal has them as well, and more
        status.warnings = _recorded(status.report)
    return status


def _read_machine(status: Status, top: Root) -> None:
    status.boot_id = result.boot_id()
    status.platform = status.platform or platform_of(top)
    with _noting(status, "failure screen"):
        status.failure = (read_text(top, f"{paths.RUN}/{paths.FAILURE}") or "").strip()
    with _noting(status, "first-boot flag"):
        node = first_boot_flag.partition()
        if node:
            with first_boot_flag.opened(node) as directory:
                status.flag = first_boot_flag.read(directory)
            status.failed = list(status.flag.attempts) if status.flag.flag else status.failed
    with _noting(status, "links"):
        status.links = netlink.links()
    with _noting(status, "journal"):
        boots = dict.fromkeys((_text(status.result.get("provisioningBootID")), status.boot_id))
        status.warnings = list(_journal([boot for boot in boots if boot]))


@contextmanager
def _noting(status: Status, what: str) -> Iterator[None]:
    """Around reading one thing: a failure is listed, and reading goes on."""
    try:
        yield
    except Failure as failure:
        why = f"{failure.what} (fix: {failure.fix})" if failure.fix else failure.what
        status.unread.append((what, why))
    except OSError as error:
        status.unread.append((what, error.strerror or type(error).__name__))


def _document(status: Status, root: Root, inside: str) -> dict[str, Any]:
    """A JSON object of a root; {} if it is missing, and if it cannot be read, which is listed."""
    found: object = {}
    with _noting(status, inside):
        text = read_text(root, inside, limit=limits.IN_MEMORY)
        if text == "":  # a verification that failed or still runs, or a power cut
            raise Failure("it is empty")
        try:
            found = {} if text is None else json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Failure("it is not JSON") from error
        if not isinstance(found, dict):
            raise Failure("it is not a JSON object")
    return _object(found)


def _failed_attempts(report: dict[str, Any]) -> list[FailedAttempt]:
    """Those that the report of the first boot has."""
    found = _object(report.get("earlier")).get("attempts")
    return [
        FailedAttempt(_number(one.get("attempt")), *(_text(one.get(name)) for name in ("at", "stage", "screen")))
        for one in map(_object, found if isinstance(found, list) else ())
        if _number(one.get("attempt"))
    ]


def _recorded(report: dict[str, Any]) -> list[tuple[float, str]]:
    """The warnings of a report, in the order of their time: those of operations, and the others that stages logged."""
    stages, others = report.get("stages"), report.get("warnings")
    found = [
        (_seconds(one.get("at")), f"{_text(one.get('stage'))}: {_text(one.get('what'))}")
        for one in map(_object, others if isinstance(others, list) else ())
    ]
    for stage in stages if isinstance(stages, list) else ():
        operations = _object(stage).get("operations")
        for one in map(_object, operations if isinstance(operations, list) else ()):
            if one.get("result") == "warning":
                text = f"{_text(_object(stage).get('stage'))}: {_text(one.get('what'))}: {_text(one.get('cause'))}"
                found.append((_seconds(one.get("at")), text))
    return sorted(found, key=lambda pair: pair[0])[:_MOST_WARNINGS]


def _journal(boots: list[str]) -> Iterator[tuple[float, str]]:
    """Warnings and errors of the agent in these boots, oldest first. Raises Failure."""
    try:
        from systemd import journal
    except ImportError as error:
        raise missing_module(error) from error
    with journal.Reader() as reader:
        reader.log_level(WARNING)
        reader.add_match(SYSLOG_IDENTIFIER=IDENTIFIER)
        for boot in boots:
            reader.add_match(_BOOT_ID=boot.replace("-", ""))
        count = 0
        for entry in reader:
            count += 1
            if count <= _MOST_WARNINGS:
                yield entry["__REALTIME_TIMESTAMP"].timestamp(), str(entry.get("MESSAGE", ""))
        # Entries of others are skipped without an error (sd_journal_open(3)): an empty journal may be an unreadable one.
        if not count and not _may_read_journal():
            raise Failure("it shows no messages of the system", fix="run as root, or as a member of systemd-journal")


def _may_read_journal() -> bool:
    """Whether the journals of the system are readable, as far as there are any."""
    for directory in ("/var/log/journal", "/run/log/journal"):
        for name in os.listdir(directory) if os.path.isdir(directory) else ():
            file = f"{directory}/{name}/system.journal"
            if os.path.exists(file) and not os.access(file, os.R_OK):
                return False
    return True


def platform_of(top: Root) -> str:
    """The platform of this boot if it provisioned the machine, otherwise the one on the kernel command line; "" without one."""
    for line in (read_text(top, ENVIRONMENT) or "").split("\n"):
        if line.startswith("PLATFORM_ID="):
            return line.partition("=")[2]
    try:
        text = cmdline.read()
    except OSError:
        return ""
    return cmdline.last(text, "ignition.platform.id") or cmdline.last(text, "flatcar.oem.id", "coreos.oem.id")


def _result(one: dict[str, Any]) -> dict[str, Any]:
    """One result for JSON, without the earlier ones in it."""
    return {
        "at": _text(one.get("provisioningDate")),
        "bootId": _text(one.get("provisioningBootID")),
        "userConfig": one.get("userConfigProvided") is True,
    }


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and abs(value) < _LATEST else 0.0


def _number(value: object) -> int:
    return value if type(value) is int and value >= 0 else 0
