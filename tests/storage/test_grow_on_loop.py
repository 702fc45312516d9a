"""Growth of mounted file systems on loop devices whose files are enlarged. QEMU's cases do the same with a real root."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.errors import CommandFailed, Failure
from ignition.operation import Runner
from ignition.stages import grow
from ignition.stages.arguments import Arguments, Paths

pytestmark = pytest.mark.root
ROOT_TYPE = "3884dd41-8582-4404-b9a8-e9b84f2df50e"
FIX = "(fix: to let it grow, move that partition before it, or to another disk)"
CAP_SYS_RESOURCE = 24
MIB = 2048
MakeLoop = Callable[..., str]
RunCommand = Callable[..., str]


def may_resize_ext4() -> bool:
    """ext4 wants CAP_SYS_RESOURCE for growing while mounted; containers often lack it."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff")]
    return bool(int(line.split()[1], 16) >> CAP_SYS_RESOURCE & 1)


class Machine:
    """A disk of 450 MiB with a boot partition, ROOT as number 9 with 320 MiB, mounted; `grow` runs the stage on it."""

    def __init__(self, tmp_path: Path, make_loop: MakeLoop, run_command: RunCommand) -> None:
        self._tmp, self._make, self._run = tmp_path, make_loop, run_command
        self.target = str(tmp_path / "sysroot")
        self.node = ""

    def build(self, format: str, *, sector_size: int = 512, behind: str = "") -> None:
        self.node = self._make(450, sector_size=sector_size)
        extra = [f"-n10:0:+{behind}", "-c10:data"] if behind else []
        self._run("sgdisk", "-n1:0:+64M", "-n9:0:+320M", f"-t9:{ROOT_TYPE}", "-c9:ROOT", "-A9:set:59", *extra, self.node)
        # A loop device that another process has just given back may still have partitions.
        subprocess.run(["partx", "--delete", self.node], capture_output=True, check=False)
        self._run("partx", "--add", self.node)
        self._run(f"mkfs.{format}", "-q", f"{self.node}p9")
        os.mkdir(self.target)
        self._run("mount", f"{self.node}p9", self.target)
        Path(self.target, "precious").write_text("kept")

    def enlarge(self, mib: int = 900) -> None:
        os.truncate(self._tmp / "disk0.img", mib << 20)
        self._run("losetup", "--set-capacity", self.node)

    def grow(self) -> list[str]:
        """What the stage reported, without the time."""
        record = self._tmp / "operations.jsonl"
        record.unlink(missing_ok=True)
        paths = Paths(config_cache=str(self._tmp / "no-config"), neednet="", state_file=str(self._tmp / "state"))
        with Runner("grow", str(record)) as runner:
            grow.run(Arguments(stage="grow", platform="", root=self.target, runner=runner, paths=paths, fetch_timeout_s=1))
        records = [json.loads(line) for line in record.read_text().splitlines()]
        return [
            f"{entry['result']}: {entry['what']}"
            for entry in records
            if self.target in entry["what"] or self.node in entry["what"]
        ]

    @property
    def size_mib(self) -> float:
        """Of the file system, as statfs sees it."""
        found = os.statvfs(self.target)
        return found.f_frsize * found.f_blocks / (1 << 20)

    def table(self) -> dict[str, dict[str, object]]:
        listed = json.loads(self._run("sfdisk", "--json", self.node))["partitiontable"]["partitions"]
        return {str(entry["node"]).removeprefix(self.node): entry for entry in listed}


@pytest.fixture
def machine(tmp_path: Path, make_loop: MakeLoop, run_command: RunCommand) -> Machine:
    return Machine(tmp_path, make_loop, run_command)


ext4 = pytest.param("ext4", marks=pytest.mark.skipif(not may_resize_ext4(), reason="no CAP_SYS_RESOURCE here"))


@pytest.mark.parametrize("sector_size", [512, 4096])
@pytest.mark.parametrize("format", [ext4, "xfs", "btrfs"])
def test_mounted_root_grows_with_its_disk_and_again_later(
    machine: Machine, run_command: RunCommand, format: str, sector_size: int
) -> None:
    machine.build(format, sector_size=sector_size)
    before, small = machine.table(), machine.size_mib
    machine.enlarge()
    first, second = machine.grow(), machine.grow()
    assert [line.split()[:2] for line in first] == [["done:", "grow"], ["done:", "grow"]]
    assert first[1] == f"done: grow {format} on {machine.target} to the end of {machine.node}p9"
    assert second == [f"already: {machine.target} does not grow: it already fills its disk"]
    after = machine.table()
    assert after["p1"] == before["p1"]
    assert {**after["p9"], "size": 0} == {**before["p9"], "size": 0}
    assert after["p9"]["size"] == 900 * (1 << 20) // sector_size - (5 if sector_size == 4096 else 33) - int(
        str(after["p9"]["start"])
    )
    assert machine.size_mib - small > 400
    assert "No problems found" in run_command("sgdisk", "--verify", machine.node)
    assert Path(machine.target, "precious").read_text() == "kept"
    machine.enlarge(1200)
    assert machine.grow()[1:] == first[1:]
    assert machine.size_mib - small > 700


def test_root_followed_by_another_partition_grows_up_to_it_or_says_why(machine: Machine, run_command: RunCommand) -> None:
    machine.build("btrfs", behind="16M")
    machine.enlarge()
    assert machine.grow() == [
        f"done: repair the partition table of {machine.node}",
        f"already: {machine.target} does not grow: partition 10 (data) follows it on the disk {FIX}",
    ]
    assert machine.grow() == [f"already: {machine.target} does not grow: partition 10 (data) follows it on the disk {FIX}"]
    run_command("sgdisk", "-d10", "-n10:500M:+16M", machine.node)
    with pytest.raises(Failure, match="the kernel refused the new length of partition 9 of") as caught:
        machine.grow()
    assert caught.value.fix == "stop the program that uses it, or reboot"
    run_command("partx", "--update", machine.node)
    assert machine.grow()[0] == f"done: grow {machine.node}p9 from 320 to 435 MiB"
    assert machine.table()["p9"]["size"] == 435 * MIB


def test_growth_is_finished_when_the_file_system_could_not_grow(machine: Machine, run_command: RunCommand) -> None:
    """A run that ends between the two steps: the partition is long, the file system is not."""
    machine.build("xfs")
    machine.enlarge()
    run_command("sgdisk", "--move-second-header", "-d9", "-n9:65M:0", f"-t9:{ROOT_TYPE}", machine.node)
    assert [line.split()[2] for line in machine.grow()] == [f"{machine.node}p9", "xfs"]
    assert machine.size_mib > 700


@pytest.mark.skipif(may_resize_ext4(), reason="growth does not fail here")
def test_failure_of_the_file_system_step_is_reported_and_tried_again(machine: Machine) -> None:
    machine.build("ext4")
    machine.enlarge()
    for _ in range(2):
        with pytest.raises(CommandFailed, match=f"growing {machine.target}: resize2fs {machine.node}p9: exit status 1"):
            machine.grow()
    assert machine.table()["p9"]["size"] == 900 * MIB - 33 - 65 * MIB


def test_damaged_backup_is_mended_beside_growth(machine: Machine, run_command: RunCommand) -> None:
    machine.build("btrfs")
    with open(machine.node, "r+b") as disk:
        disk.seek(-512, os.SEEK_END)
        disk.write(b"\xff" * 512)
    assert machine.grow()[0].startswith(f"done: grow {machine.node}p9 from 320 to ")
    assert "No problems found" in run_command("sgdisk", "--verify", machine.node)


def test_root_of_another_type_stays(machine: Machine, run_command: RunCommand) -> None:
    machine.build("btrfs")
    run_command("sgdisk", "-t9:8300", machine.node)
    linux = "0fc63daf-8483-4772-8e79-3d69d8477de4"
    assert machine.grow() == [
        f"already: {machine.target} does not grow: the type of its partition is {linux}, and only {ROOT_TYPE} grows "
        f"(fix: `sfdisk --part-type {machine.node} 9 {ROOT_TYPE}` sets the type)"
    ]
