"""Tells the platform how a stage ended, where it wants to know. Source: docs/reference/platforms.md §3.8.

Never changes the outcome: one attempt within seconds, and what goes wrong with it is logged. Without a network nothing is tried,
so a machine that needs none does not wait for one.
"""

from __future__ import annotations

import os

from ignition.errors import Failure
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.platforms import Report

LIMIT_S = 5.0  # for everything: a resolver without a server knows no other


def send(report: Report, stage: str, problem: str, *, neednet: str, state_file: str) -> None:
    """Report `problem`, or success if it is ""."""
    if not _is_online(stage, neednet, state_file):
        log.debug("no network was asked for: the platform is not told how the stage ended")
        return
    from threading import Thread

    attempt = Thread(target=_send, args=(report, stage, problem), daemon=True)
    attempt.start()
    attempt.join(LIMIT_S)
    if attempt.is_alive():
        log.warning(f"the platform was not told how stage {stage} ended: no answer within {LIMIT_S:g} s")


def _send(report: Report, stage: str, problem: str) -> None:
    from ignition.fetch.engine import Fetcher, Settings

    try:
        with Fetcher(Settings(total_s=LIMIT_S, header_s=LIMIT_S, attempts=1), offline=False) as fetcher:
            report(fetcher, stage, problem)
    except Exception as error:  # noqa: BLE001  whatever the platform answers, the machine is what it is
        reason = str(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}"
        log.warning(f"the platform was not told how stage {stage} ended: {reason}")


def _is_online(stage: str, neednet: str, state_file: str) -> bool:
    """The offline stage never is; after it, the network is up if somebody asked for it."""
    from ignition.stages import state

    if stage == "fetch-offline":
        return False
    if stage == "fetch" or os.path.exists(neednet):
        return True
    try:
        return state.load(state_file).reports
    except Failure:
        return False
