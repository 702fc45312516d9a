"""Reports the outcome of a stage to platforms that accept it. Source: docs/reference/platforms.md §3.8.

Never changes the outcome: one attempt within seconds, whose failure is logged. Nothing is attempted without a network, so that a
machine without need for one does not wait.
"""

from __future__ import annotations

import os

from ignition.errors import Failure
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.platforms import Report

LIMIT_S = 5.0  # for everything: a resolver without a server has no limit of its own


def send(report: Report, stage: str, problem: str, *, neednet: str, state_file: str) -> None:
    """Report `problem`, or success if it is ""."""
    if not _is_online(stage, neednet, state_file):
        log.debug("no network was requested: the outcome of the stage is not reported to the platform")
        return
    from threading import Thread

    attempt = Thread(target=_send, args=(report, stage, problem), daemon=True)
    attempt.start()
    attempt.join(LIMIT_S)
    if attempt.is_alive():
        log.warning(f"reporting the outcome of stage {stage} to the platform timed out after {LIMIT_S:g} s")


def _send(report: Report, stage: str, problem: str) -> None:
    from ignition.fetch.engine import Fetcher, Settings

    try:
        with Fetcher(Settings(total_s=LIMIT_S, header_s=LIMIT_S, attempts=1), offline=False) as fetcher:
            report(fetcher, stage, problem)
    except Exception as error:  # noqa: BLE001  the outcome of the stage does not depend on the platform
        reason = str(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}"
        log.warning(f"reporting the outcome of stage {stage} to the platform failed: {reason}")


def _is_online(stage: str, neednet: str, state_file: str) -> bool:
    """The offline stage never is; after it, the network is up if it was requested."""
    from ignition.stages import state

    if stage == "fetch-offline":
        return False
    if stage == "fetch" or os.path.exists(neednet):
        return True
    try:
        return state.load(state_file).reports
    except Failure:
        return False
