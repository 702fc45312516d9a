"""What the tests of outcomes share."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.outcome import failure as failures
from tests.fetch.conftest import certificates

__all__ = ["certificates", "machine"]
UUID = "4C4C4544-0031-4A10-8050-B7C04F4E3532"
MAC = "52:54:00:12:34:56"
DIGEST = "a" * 128


class Machine:
    """The files that a first boot leaves in /run and /sys."""

    def __init__(self, directory: Path) -> None:
        self.run, self.sys = directory / "run/ignition", directory / "sys"
        self.state = str(self.run / "state")
        self.put(self.run.parent / "ignition.env", "PLATFORM_ID=hetzner\n")
        self.put(self.run / "config.sha512", f"{DIGEST}\n")
        self.put(self.sys / "class/dmi/id/product_uuid", f"{UUID}\n")
        self.put(self.sys / "class/dmi/id/product_serial", "4711\n")
        self.put(self.sys / "class/net/eth0/address", f"{MAC}\n")
        self.put(self.sys / "class/net/eth0/device", "")
        self.put(self.sys / "class/net/lo/address", "00:00:00:00:00:00\n")
        records = [("fetch", 10.0, 1.5), ("disks", 12.0, 2.0), ("disks", 14.5, 0.5)]
        lines = [
            {"stage": stage, "result": "done", "what": "write /etc/secret-name", "at": at, "seconds": seconds}
            for stage, at, seconds in records
        ]
        self.put(self.run / "operations.jsonl", "".join(json.dumps(line) + "\n" for line in lines))

    @staticmethod
    def put(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def fail(self, failure: Failure | None = None, stage: str = "disks") -> None:
        """The stage failed, or something outside of the stages."""
        if failure:
            failures.keep(stage, failure, self.state)
        self.put(self.run / "failure.txt", "=====\nThe first boot failed outside the stages.\n\nsysroot.mount failed.\n")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """After a first boot that succeeded."""
    return Machine(tmp_path)


Named = Callable[..., None]
