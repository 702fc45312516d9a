"""Runs the VM tests: `python3 vm-tests/run.py [--case NAME[@SUITE] ...] [--suite SUITE] [--jobs 2] [--keep] [--list] [--sync]`.

One line per case as it starts and as it ends, the place of the logs for each failure, and a summary. Status 0 when all
passed, 1 when one failed, 2 for a wrong call, 130 when it was stopped.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from harness.case import CASES, SOAK, Definition, find_cases
from harness.errors import HarnessError
from harness.image import SUITE, Image, build_image, newest_image, open_image
from harness.lab import SYNC_VARIABLE
from harness.runner import Interrupted, Outcome, Runner, report, run_here


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="run.py", description="Runs the VM tests.")
    parser.add_argument(
        "--case", action="append", metavar="NAME", help="only this case; NAME@SUITE: on that suite of Debian; may be repeated"
    )
    parser.add_argument("--suite", metavar="SUITE", help="all chosen cases on the image of this suite (bookworm, trixie)")
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time (default 2), each with one machine")
    parser.add_argument("--keep", action="store_true", help="keep the folders with disks and logs of all cases")
    parser.add_argument("--list", action="store_true", help="print the cases and what they verify")
    parser.add_argument("--soak", action="store_true", help="the cases that take hours instead")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to a file")
    parser.add_argument("--work", type=Path, metavar="DIR", help="where disks and logs go (default: a new folder in $TMPDIR)")
    parser.add_argument("--image", type=Path, metavar="DIR", help="a folder of the image cache (default: built from the sources)")
    parser.add_argument("--sync", action="store_true", help="labs run the agent of these sources, on the newest image as it is")
    parser.add_argument("--cases-dir", type=Path, default=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--run-here", metavar="NAME", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def choose(definitions: Sequence[Definition], names: Sequence[str], suite: str | None) -> list[Definition]:
    """The named cases (NAME, NAME@SUITE), all without names, on this suite, or on theirs.

    Raises HarnessError for an unknown name.
    """
    if not names:
        return [definition.on(one) for definition in definitions for one in ([suite] if suite else definition.suites)]
    wanted = [name.replace("_", "-").partition("@") for name in names]
    known = {definition.name: definition for definition in definitions}
    unknown = [name for name, _, _ in wanted if name not in known]
    if unknown:
        raise HarnessError(f"no case named {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name].on(own or suite or SUITE) for name, _, own in wanted]


def say(text: str) -> None:
    """One message of the run."""
    print(text, flush=True)


def choose_image(options: argparse.Namespace, suite: str = SUITE) -> Image:
    """The named image, or the one of a suite, built from these sources; with --sync, the newest existing image."""
    if options.sync:
        os.environ[SYNC_VARIABLE] = "1"
    if options.image:
        return open_image(options.image.resolve())
    return (newest_image(suite) if options.sync else None) or build_image(suite)


def run_all(options: argparse.Namespace, definitions: Sequence[Definition]) -> int:
    """Runs cases as processes, all of a suite with the same image; returns the exit status."""
    suites = sorted({definition.suite for definition in definitions})
    with ThreadPoolExecutor() as pool:  # a build keeps one core busy
        images = dict(zip(suites, pool.map(partial(choose_image, options), suites), strict=True))
    work = (options.work or Path(tempfile.mkdtemp(prefix="ignition-vm-"))).resolve()
    work.mkdir(parents=True, exist_ok=True)
    program = [sys.executable, str(Path(__file__).resolve()), "--cases-dir", str(options.cases_dir.resolve())]
    runner = Runner(program, images, work, max(1, options.jobs), keep=options.keep, say=say)
    started = time.monotonic()
    try:
        outcomes = runner.run(definitions)
    except Interrupted as signal_name:
        say(f"stopped by {signal_name}; logs: {work}")
        return 130
    failed = [outcome for outcome in outcomes if not outcome.passed]
    if options.json:
        options.json.write_text(json.dumps([_as_dict(outcome) for outcome in outcomes], indent=1), encoding="utf-8")
    if options.keep:
        say(f"kept: {work}")
    elif not any(work.iterdir()):
        work.rmdir()
    say(f"all together: {time.monotonic() - started:.0f} s")
    for outcome in failed if len(outcomes) > 1 else ():  # again at the end, where a long run's reader looks
        say(report(outcome))
    say(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def main() -> int:
    """The exit status."""
    options = parse()
    try:
        if options.soak:
            options.cases_dir = SOAK
        definitions = find_cases(options.cases_dir)
        if options.run_here:
            os.environ.setdefault("TMPDIR", str(options.work))
            return run_here(choose(definitions, [options.run_here], None)[0], options.work, open_image(options.image))
        chosen = choose(definitions, options.case or [], options.suite or (SUITE if options.image else None))
        if options.list:
            for definition in chosen:
                say(f"{definition.label}\n    " + "\n    ".join(definition.verifies.splitlines()))
            return 0
        return run_all(options, chosen)
    except HarnessError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2


def _as_dict(outcome: Outcome) -> dict[str, object]:
    """A result for machines."""
    return {"case": outcome.name, "passed": outcome.passed, "seconds": round(outcome.seconds, 1),
            "message": outcome.message, "logs": str(outcome.logs)}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
