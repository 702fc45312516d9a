"""`make bench-boot`: how long a first boot takes with nothing to do, with our agent, with Debian's ignition, with cloud-init.

    bench_boot.py                  each is booted 5 times, by turns, two machines at a time; the table, and build/first-boots.json
    bench_boot.py --check          status 1 if we add more than Ignition adds, or more than a third of cloud-init's addition
    bench_boot.py --document       also write the table of docs/performance.md and its pictures
    bench_boot.py --keep DIR       keep each boot's folder there: journal.jsonl, systemd's plot.svg, the agent's report.json

By default a guest's clock counts its instructions, one nanosecond each, and runs on while it waits: the figures do not depend on
the host's load, and tell how much work a boot is. --clock emulator takes the emulator's own speed instead.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from boots import picture, table, timeline
from boots.measure import ARGUMENTS, Boot, first_boot
from harness.errors import Failed, HarnessError
from harness.image import open_image

TOP = Path(__file__).resolve().parent.parent
BUILDER = TOP / "vm-tests/image/variants.py"
RESULT = TOP / "build/first-boots.json"
PICTURES, PAGE = TOP / "docs/images", TOP / "docs/performance.md"

Boots = dict[str, list[Boot]]


def measure(names: list[str], runs: int, jobs: int, work: Path, *, counted: bool) -> Boots:
    """Boots of each, by turns, in folders NAME-NUMBER below `work`."""
    done = subprocess.run([sys.executable, str(BUILDER), *names], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise HarnessError(f"{BUILDER.name} ended with status {done.returncode}")
    built = json.loads(done.stdout)
    boots: Boots = {name: [] for name in names}
    with ThreadPoolExecutor(jobs) as pool:

        def one(number: int, name: str) -> tuple[str, Boot]:
            image, folder = open_image(Path(built["images"][name])), work / f"{name}-{number}"
            return name, first_boot(name, image, Path(built["key"]), folder, counted=counted)

        turns = [pool.submit(one, number, name) for number in range(runs) for name in names]
        for turn in turns:
            name, boot = turn.result()
            boots[name].append(boot)
            print(f"{name}: {', '.join(f'{key} {value:.2f}' for key, value in asdict(boot).items())}", flush=True)
    return boots


def main() -> int:
    """The exit status: 1 with --check and a missed bar, 2 if it cannot be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="boots of each (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="machines at a time (default: %(default)s)")
    parser.add_argument("--only", choices=list(ARGUMENTS), action="append", help="only this one (may be repeated)")
    parser.add_argument("--clock", choices=("instructions", "emulator"), default="instructions")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the folders of all boots")
    parser.add_argument("--check", action="store_true", help="fail if a bar is missed")
    parser.add_argument("--document", action="store_true", help="write the picture and the table of the documentation")
    arguments = parser.parse_args()
    names = arguments.only or list(ARGUMENTS)
    with ExitStack() as stack:
        work = arguments.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-boot-")))
        try:
            boots = measure(names, arguments.runs, arguments.jobs, work, counted=arguments.clock == "instructions")
        except (Failed, HarnessError) as error:
            print(f"bench-boot: {error}", file=sys.stderr)
            return 2
        critical_path = timeline.draw(work / "ours-0") if "ours" in names else ""
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({name: [asdict(boot) for boot in some] for name, some in boots.items()}, indent=1) + "\n")
    print("\n".join(table.lines(boots)))
    if arguments.document:
        (PICTURES / "first-boots.svg").write_text(picture.draw(boots), encoding="utf-8")
        (PICTURES / "critical-path.svg").write_text(critical_path, encoding="utf-8")
        PAGE.write_text(table.inserted(PAGE.read_text(encoding="utf-8"), table.lines(boots)), encoding="utf-8")
    missed = table.missed(boots) if len(names) == len(ARGUMENTS) else []
    for line in missed:
        print(f"missed: {line}")
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
