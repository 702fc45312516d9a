"""Generated configs made valid: what a report complains about is taken out until it complains no more. Rich ones stay rich."""

import json
from typing import Any

from ignition.config.parse import Parsed, parse
from ignition.config.report import ERROR

MOST_ROUNDS = 200


def repaired(config: Any) -> Parsed:
    """The verdict on the rest of a config, which is changed in place."""
    for _ in range(MOST_ROUNDS):
        parsed = parse(json.dumps(config).encode(), source="x")
        wrong = [entry.path for entry in parsed.report.entries if entry.level == ERROR]
        if not wrong:
            return parsed
        _take_out(config, wrong[-1].split(".")[1:])  # one a round: what else was wrong may have gone with it
    raise AssertionError(f"still invalid: {parsed.report}")


def _take_out(value: Any, path: list[str]) -> None:
    """Remove the member at the path; if it is missing, the container that should have it."""
    way = [value]
    for part in path:
        here = way[-1]
        inner = here.get(part) if isinstance(here, dict) else here[int(part)] if int(part) < len(here) else None
        if inner is None:
            break
        way.append(inner)
    if len(way) > 1:
        container, part = way[-2], path[len(way) - 2]
        del container[int(part) if isinstance(container, list) else part]
