"""The failure that the screen shows, for programs: one line of JSON beside the state file, which begins with the stage.

A failing stage writes it. The script that shows the screen (dracut/35coreos-ignition/emergency) reads the stage from it.
"""

from __future__ import annotations

import json

from ignition.errors import Failure
from ignition.host import atomic, paths
from ignition.host.printable import message, printable
from ignition.host.reading import regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MOST = 2000  # characters of a cause; an invalid config may have thousands of errors
_ERRORS = 5
_NAMES = ("stage", "place", "cause", "fix")


def keep(stage: str, failure: Failure, state_file: str) -> None:
    """Write it. Raises OSError."""
    head, *errors = failure.what.split("\n")
    if not errors:  # an InvalidConfig that no place was found for
        entries = getattr(getattr(failure, "report", None), "entries", ())
        errors = [str(entry) for entry in entries if getattr(entry, "level", "") == "error"]
    causes = [head, *errors[:_ERRORS]]
    if len(errors) > _ERRORS:
        causes.append(f"… and {len(errors) - _ERRORS} more")
    content = {
        "stage": stage,
        "place": _shown(failure.where),
        "cause": _shown("\n".join(causes)),
        "fix": _shown(failure.fix),
        "ofConfig": failure.lasting,
    }
    atomic.write(paths.mark(state_file, paths.FAILURE_RECORD), f"{json.dumps(content)}\n".encode(), mode=0o600)


def read(state_file: str) -> dict[str, Any]:
    """The kept failure; without one, what the screen of a failure outside the stages says."""
    try:
        found = json.loads(regular(paths.mark(state_file, paths.FAILURE_RECORD)))
        return {name: str(found[name]) for name in _NAMES} | {"ofConfig": found["ofConfig"] is True}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass
    from ignition.host.first_boot_attempts import FailedAttempt

    screen = regular(paths.mark(state_file, paths.FAILURE)).decode("utf-8", "replace")
    return dict.fromkeys(_NAMES, "") | {"cause": _shown(FailedAttempt(0, "", "", screen).cause), "ofConfig": False}


def _shown(text: str) -> str:
    """Without secrets; the lines stay."""
    return "\n".join(printable(line, _MOST) for line in message(text).split("\n"))[:_MOST]
