"""`ignition outcome`: the outcome of the attempt of this boot, printed or sent.

Units send it: ignition-report-failure.service in the initramfs, after the failure screen, and ignition-report.service in the real
root. Exit statuses: 0 printed or sent, 1 there is none, or it could not be sent, 2 usage.
"""

from __future__ import annotations

import os

from ignition.cli.flags import FILES, GO_ANYWHERE, Flag, UsageError
from ignition.cli.program import FAILED, IGNITION, USAGE, Program
from ignition.config.known_values import REPORT_FORMATS
from ignition.errors import Failure
from ignition.host import log, paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values


def _format(text: str) -> str:
    if text not in REPORT_FORMATS:
        raise ValueError(f"{text!r} is not one of {', '.join(REPORT_FORMATS)}")
    return text


PROGRAM = Program(
    "ignition outcome",
    "print or send the outcome of the first boot that this boot is",
    (
        Flag("format", "", "send in this format", value="FORMAT", parse=_format, offers=tuple(REPORT_FORMATS)),
        Flag("send", False, "send it to the receiver that the kernel command line or the config names"),
        Flag("state-file", paths.STATE, "state shared between stages", value="FILE", offers=FILES),
        Flag("url", "", "send it to this receiver", value="URL"),
    ),
    manual="ignition-outcome(8)",
    usage=("[-send] [-url URL] [-format FORMAT]",),
    dialect=GO_ANYWHERE,
    operands=None,
    original=IGNITION,
    statuses={FAILED: "there is no outcome, or it could not be sent", USAGE: "invalid usage"},
)


@PROGRAM
def main(values: Values, words: list[str]) -> int:
    """Print the document, or send it."""
    from ignition.outcome import document

    if values["format"] and not (values["send"] or values["url"]):
        raise UsageError("-format needs -send or -url")
    outcome = document.build(values["state-file"])
    if not (values["send"] or values["url"]):
        import json

        print(json.dumps(outcome, indent=2))
        return 0
    from ignition.fetch.urls import shown
    from ignition.outcome import receiver, sending

    log.configure(stage="", to_stdout=False)
    found = receiver.find(values["state-file"], url=values["url"], format=values["format"])
    if found is None:
        raise Failure("no receiver is named", fix=f"specify -url, or {receiver.URL}= on the kernel command line")
    try:
        sending.send(found, outcome)
    except Failure as failure:
        log.warning(f"the outcome of the first boot was not sent: {failure}")
        raise
    log.info(f"the outcome of the first boot was sent to {shown(found.url)}")
    if not os.path.exists(paths.initrd_release()):
        receiver.forget(values["state-file"])
    return 0
