"""The script `esp` of the initramfs on any file system, named in any way, with the power failing before each of its steps.

Runs in a guest (`python3 - [DEVICE FORMAT CUTS SPELLINGS]…`) and in tests (tests/dracut/test_flag_cuts.py). A first boot is gone
through that is interrupted once: its verbs are those of VERBS. A power cut is a copy of the device that bypasses the page cache:
what had not reached the device by then is lost. The device has a new file system, and may be named differently for each verb.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ESP = "/usr/lib/dracut/modules.d/35coreos-ignition/esp"
VERBS = (("begin",), ("note", "disks-done"), ("failed", "key"), ("begin",), ("quench",))
DIGEST = "a" * 128
STEPS = ("sync", "rm", "umount")  # programs of the script, before each of which the power fails
BEGUN = f"{DIGEST}\nbegun\n"
AGAIN = "<5>an earlier first boot with this same config was interrupted or failed: trying again\n"
# The output of each verb.
SAID = ("", "", "1\n", AGAIN, "")
# The flag's presence and the mark after each verb.
LEFT = ((True, BEGUN), *((True, f"{BEGUN}disks-done\n"),) * 3, (False, None))
_PAST_THE_CACHE = ("bs=1M", "iflag=direct", "conv=sparse", "status=none")

Left = tuple[bool, str | None]  # whether the flag exists, the text of the mark


def go_through(device: str, format: str, spellings: Sequence[str], *, cuts: bool, esp: str = ESP,
               programs: Mapping[str, str] | None = None) -> list[dict[str, Any]]:  # fmt: skip
    """One record for each verb: spelling, status, output, and `left`, as [flag, mark] after each power cut and at the end.

    `spellings` of the device are used in turn. `programs`: shell scripts in place of programs of the system.
    """
    records = []
    with tempfile.TemporaryDirectory(dir="/run") as scratch:
        work = _Work(Path(scratch), device, format)
        work.prepare(programs or {}, cuts=cuts)
        for number, verb in enumerate(VERBS):
            spelling = spellings[number % len(spellings)]
            (work.top / "cmdline").write_text(f"quiet ignition.boot={spelling}:/boot coreos.first_boot=detected\n")
            done = subprocess.run(["sh", esp, *verb], env=work.environment(), capture_output=True, text=True, check=False)
            copies = sorted(work.copies.iterdir(), key=lambda path: int(path.name))
            left = [work.look(str(copy), "loop") for copy in copies]
            for copy in copies:
                copy.unlink()
            left.append(work.look(str(work.copy()), "loop") if cuts else work.look(device))
            record = {"verb": " ".join(verb), "spelling": spelling, "status": done.returncode, "said": done.stdout + done.stderr}
            records.append({**record, "left": left})
    return records


def problems(records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The sentences about everything that is not as it has to be."""
    before: Left = (True, None)
    for record, said, after in zip(records, SAID, LEFT, strict=True):
        which = f"{record['verb']} on {record['spelling']}"
        if (record["status"], record["said"]) != (0, said):
            yield f"{which}: status {record['status']}: {record['said']!r}"
        *cut, end = [(flag, mark) for flag, mark in record["left"]]
        if end != after:
            yield f"{which}: left {end} instead of {after}"
        # Beside its flag the mark is as before or as after; a new one may be empty. Without the flag it does not matter.
        allowed = {before[1], after[1] if after[0] else before[1], "" if before[1] is None else before[1]}
        for number, (flag, mark) in enumerate(cut):
            if flag and mark not in allowed:
                yield f"{which}: cut {number} left the mark {mark!r}"
            if not flag and after[0]:
                yield f"{which}: cut {number} left no flag"
        before = after


class _Work:
    """The directory of a run, and the device."""

    def __init__(self, top: Path, device: str, format: str) -> None:
        self.top, self.device, self.format = top, device, format
        self.copies, self.programs, self.at = top / "copies", top / "programs", top / "at"

    def environment(self) -> dict[str, str]:
        """That of the script."""
        return {
            "PATH": f"{self.programs}:/usr/sbin:/usr/bin:/sbin:/bin",
            "IGNITION_RUN_DIR": str(self.top / "run"),
            "IGNITION_KERNEL_CMDLINE_PATH": str(self.top / "cmdline"),
        }

    def prepare(self, programs: Mapping[str, str], *, cuts: bool) -> None:
        """The flag in /boot of the device, and stand-ins for programs."""
        for directory in (self.copies, self.programs, self.at, self.top / "run/ignition"):
            directory.mkdir(parents=True)
        (self.top / "run/ignition/config.sha512").write_text(f"{DIGEST}\n")
        (self.top / "run/ignition/flagged").touch()
        with self._mounted(self.device):
            (self.at / "boot/coreos").mkdir(parents=True)
            (self.at / "boot/coreos/first_boot").touch()
        os.sync()
        stand_ins = dict(programs)
        if cuts:
            read, again = f"dd if={self.device} {' '.join(_PAST_THE_CACHE)}", self.top / "again"
            # Until two copies are equal: the kernel may write meanwhile, and a copy with half of that never was the device.
            copy = (
                f"PATH=${{PATH#*:}}\nto={self.copies}/$(ls {self.copies} | wc -l)\n{read} of=$to\n"
                f"while {read} of={again}; ! cmp -s {again} $to; do mv {again} $to; done\nrm {again}"
            )
            stand_ins |= {name: f'{copy}\nexec {name} "$@"' for name in STEPS}
        for name, text in stand_ins.items():
            (self.programs / name).write_text(f"#!/bin/sh\n{text}\n")
            (self.programs / name).chmod(0o755)

    def copy(self) -> Path:
        """The device as it is now."""
        copy = self.top / "copy"
        subprocess.run(["dd", f"if={self.device}", f"of={copy}", *_PAST_THE_CACHE], check=True)
        return copy

    def look(self, source: str, *options: str) -> Left:
        """Flag and mark on a copy, or on the device."""
        with self._mounted(source, *options):
            mark = self.at / "boot/coreos/first_boot.in-progress"
            text = mark.read_text(errors="replace") if mark.exists() else None
            return (self.at / "boot/coreos/first_boot").exists(), text

    @contextmanager
    def _mounted(self, source: str, *options: str) -> Iterator[None]:
        if self.format == "btrfs":  # which otherwise refuses a copy that is older than the one it has seen
            subprocess.run(["btrfs", "device", "scan", "--forget"], check=False, capture_output=True)
        argv = ["mount", "-t", self.format, *(["-o", ",".join(options)] if options else []), source, str(self.at)]
        subprocess.run(argv, check=True, capture_output=True)
        try:
            yield
        finally:
            subprocess.run(["umount", str(self.at)], check=True)


def main() -> None:
    """Print the records of each device. CUTS is "cuts" or ""; SPELLINGS are separated by commas."""
    arguments = [sys.argv[at : at + 4] for at in range(1, len(sys.argv), 4)]
    found = [go_through(node, format, names.split(","), cuts=cuts == "cuts") for node, format, cuts, names in arguments]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
