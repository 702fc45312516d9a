"""The script `esp` on real file systems: the power fails before each of its steps, and the next boot still knows where it is.

FAT, and every way to name the device, are in the case filesystems of the virtual machines, where there is udevd.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.loop_devices import MakeLoop, make_loop

__all__ = ["make_loop"]
TOP = Path(__file__).parent.parent.parent
sys.path.append(str(TOP / "vm-tests"))

from harness import flag_cuts  # noqa: E402

MKFS = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"], "btrfs": ["mkfs.btrfs", "-q", "-f"]}
LEAST_MIB = {"ext4": 8, "xfs": 300, "btrfs": 120}


@pytest.mark.root
@pytest.mark.parametrize("format", MKFS)
def test_power_cuts(make_loop: MakeLoop, format: str) -> None:
    device = make_loop(LEAST_MIB[format])
    subprocess.run([*MKFS[format], device], check=True)
    esp = TOP / "dracut/35coreos-ignition/esp"
    records = flag_cuts.go_through(device, format, [device], cuts=True, esp=str(esp), programs={"udevadm": "true"})
    assert list(flag_cuts.problems(records)) == []
    # sync and umount of the first four; sync, rm, sync, rm, rm and umount of the last one
    assert [len(record["left"]) - 1 for record in records] == [2, 2, 2, 2, 6]


@pytest.mark.root
def test_power_cuts_are_noticed(make_loop: MakeLoop, tmp_path: Path) -> None:
    """A script that removes the mark before the flag, and one that removes the flag too early."""
    device = make_loop(LEAST_MIB["ext4"])
    text = (TOP / "dracut/35coreos-ignition/esp").read_text()
    for right, wrong in {
        '        rm "$flag"\n': '        rm -f "$mark"; sync; rm "$flag"\n',
        "note begun": 'rm "$flag"; note begun',
    }.items():
        assert right in text
        (tmp_path / "esp").write_text(text.replace(right, wrong))
        subprocess.run([*MKFS["ext4"], device], check=True)
        records = flag_cuts.go_through(
            device, "ext4", [device], cuts=True, esp=str(tmp_path / "esp"), programs={"udevadm": "true"}
        )
        assert [one for one in flag_cuts.problems(records) if ": cut " in one]
