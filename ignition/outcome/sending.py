"""Sends an outcome: as a CloudEvent, or as entries of the journal for systemd-journal-remote.

Sources: CloudEvents 1.0.2, formats/json-format.md and bindings/http-protocol-binding.md (structured and binary content mode);
systemd 252, systemd-journal-remote.service(8) and src/journal-remote/journal-upload.c: entries in the Journal Export Format
(https://systemd.io/JOURNAL_EXPORT_FORMATS) are posted to /upload as application/vnd.fdo.journal.
"""

from __future__ import annotations

import json
from contextlib import suppress

from ignition.errors import CommandFailed, Failure
from ignition.fetch.engine import Fetcher
from ignition.fetch.retry import Clock
from ignition.host import log
from ignition.host.command import output_and_errors, run
from ignition.outcome.document import SUCCESS
from ignition.outcome.receiver import JOURNAL, TOTAL_S, Receiver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.fetch.request import Response

SPREAD_S = 4.0  # machines that boot together do not send together
_TYPE = "com.coreos.ignition.firstboot"
_STRUCTURED = "application/cloudevents+json; charset=UTF-8"
_JOURNAL_TYPE = "application/vnd.fdo.journal"
_UPLOAD = "/upload"
_NOT_STRUCTURED = frozenset({400, 415})
_MOST = 2000  # entries; a first boot leaves some hundreds
_MESSAGE_ID = "10a5598689b14fc1bb2488d8f690ab7e"


class _Refused(Exception):
    """The receiver does not take the structured content mode."""


def send(receiver: Receiver, outcome: dict[str, Any], *, clock: Clock | None = None) -> None:
    """Send it, with three tries and within TOTAL_S, after a random part of SPREAD_S. Raises Failure."""
    clock = clock or Clock()
    begin = clock.now()
    clock.sleep(SPREAD_S * clock.random())
    settings = receiver.settings.evolve(total_s=round(TOTAL_S - (clock.now() - begin), 1))
    with Fetcher(settings, offline=False, clock=clock) as fetcher:
        if receiver.format == JOURNAL:
            fetcher.request("POST", _upload(receiver.url), {"Content-Type": _JOURNAL_TYPE}, body=entries(outcome))
            return
        event = cloud_event(outcome)
        try:
            body = json.dumps(event).encode()
            fetcher.request("POST", receiver.url, {"Content-Type": _STRUCTURED}, body=body, judge=_judge)
        except _Refused:
            # Fluent Bit, for one, takes the media type application/json only: that of the data, in the binary content mode.
            left_s = max(0.1, round(TOTAL_S - (clock.now() - begin), 1))
            fetcher.apply(settings.evolve(total_s=left_s, attempts=2))
            data = json.dumps(event.pop("data")).encode()
            headers = {f"ce-{name}": value for name, value in event.items() if name != "datacontenttype"}
            fetcher.request("POST", receiver.url, {"Content-Type": "application/json", **headers}, body=data)


def cloud_event(outcome: dict[str, Any]) -> dict[str, Any]:
    """The event, with the outcome as its data. The machine is the source, and id and source together are unique."""
    machine = outcome["machine"]
    identity = machine["uuid"] and f"urn:uuid:{machine['uuid']}"
    return {
        "specversion": "1.0",
        "id": f"{outcome['bootId']}-{outcome['at']}",
        "source": identity or (f"/mac/{machine['macs'][0]}" if machine["macs"] else f"/boot/{outcome['bootId']}"),
        "type": f"{_TYPE}.{outcome['result']}",
        "time": outcome["at"],
        "datacontenttype": "application/json",
        "data": outcome,
    }


def entries(outcome: dict[str, Any]) -> bytes:
    """The agent's entries of this boot in the Journal Export Format, the last of them with the outcome. Raises Failure.

    They are in the journal already; journalctl(1) writes the format.
    """
    _log(outcome)
    with suppress(CommandFailed):  # then the last entries may be missing
        run(["journalctl", "--sync"], why="waiting for the journal", timeout_s=5)
    argv = ["journalctl", "--boot", f"--identifier={log.IDENTIFIER}", "--all", "--quiet", "--output=export", f"--lines={_MOST}"]
    found, said = output_and_errors(argv, why="reading the journal", timeout_s=10)
    if not found:
        raise Failure("the journal has no entries of this boot", where="journalctl", fix=said.strip())
    return found


def _log(outcome: dict[str, Any]) -> None:
    machine, failure = outcome["machine"], outcome["failure"] or {}
    times = ", ".join(f"{one['stage']} {one['seconds']:.1f} s" for one in outcome["stages"])
    has_failed = outcome["result"] != SUCCESS
    said = f"failed in the stage {failure['stage']}: {failure['cause']}" if has_failed else "succeeded"
    log.send(
        log.ERROR if has_failed else log.NOTICE,
        f"attempt {outcome['attempt']} of the first boot {said}",
        MESSAGE_ID=_MESSAGE_ID,
        IGNITION_RESULT=outcome["result"],
        IGNITION_ATTEMPT=outcome["attempt"],
        IGNITION_MACHINE_UUID=machine["uuid"],
        IGNITION_MACHINE_MACS=" ".join(machine["macs"]),
        IGNITION_PLATFORM=machine["platform"],
        IGNITION_INSTANCE_ID=machine["instanceId"],
        IGNITION_CONFIG_SHA512=outcome["config"]["sha512"],
        IGNITION_FAILED_STAGE=failure.get("stage", ""),
        IGNITION_PLACE=failure.get("place", ""),
        IGNITION_CAUSE=failure.get("cause", ""),
        IGNITION_STAGE_TIMES=times,
    )


def _upload(url: str) -> str:
    """As systemd-journal-upload makes it of its URL."""
    base = url.rstrip("/")
    return base if base.endswith(_UPLOAD) else base + _UPLOAD


def _judge(response: Response, text: str) -> Exception | None:
    return _Refused() if response.status_code in _NOT_STRUCTURED else None
