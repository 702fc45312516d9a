"""Whether `ignition grow` is worth starting: decided by a shell script from sysfs and udev's records, here both made up."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "dracut/system/root-can-grow"
ROOT_TYPE = "3884dd41-8582-4404-b9a8-e9b84f2df50e"
OTHER_TYPE = "0fc63daf-8483-4772-8e79-3d69d8477de4"
MIB = 2048  # sectors
BACKUP_GPT = 33  # sectors


class Machine:
    """Disks as sysfs and udev show them."""

    def __init__(self, tmp_path: Path) -> None:
        self.sys, self.udev, self.run = tmp_path / "sys", tmp_path / "udev", tmp_path / "run"
        self.mark = tmp_path / "var/lib/ignition/growing"
        self.grown, self.keep, self.mounts = tmp_path / "var/lib/ignition/grown", tmp_path / "keep-size", tmp_path / "mountinfo"
        self.initrd = tmp_path / "initrd-release"
        self.dev, self.cmdline = tmp_path / "dev", tmp_path / "cmdline"
        self.cmdline.write_text("root=LABEL=ROOT rw\n")
        for directory in (self.sys / "dev/block", self.sys / "class/block", self.dev):
            directory.mkdir(parents=True)
        self.mounts.write_text("21 1 0:20 / /proc rw shared:1 - proc proc rw\n")
        self.udev.mkdir()

    def disk(self, name: str, major: int, size: int) -> None:
        """A disk of `size` sectors."""
        self._node(name, f"{major}:0", {"size": size}, "E:ID_PART_TABLE_TYPE=gpt\n")

    def partition(self, disk: str, number: int, start: int, size: int, kind: str = OTHER_TYPE) -> None:
        """A partition, in sectors."""
        major = (self.sys / "devices" / disk / "dev").read_text().split(":")[0]
        facts = {"partition": number, "start": start, "size": size}
        record = f"E:ID_PART_ENTRY_TYPE={kind}\nE:ID_PART_ENTRY_UUID=0000000{number}-aaaa-4444-8888-000000000000\n"
        self._node(f"{disk}/{disk}{number}", f"{major}:{number}", facts, record)

    def stacked(self, name: str, number: str, *below: str, level: str = "") -> None:
        """An array of a level, or a mapping, on partitions (`vda/vda9`), disks or other stacked devices."""
        self._node(name, number, {"size": 1}, "")
        device = self.sys / "devices" / name
        (device / ("md" if level else "dm")).mkdir()
        (device / "slaves").mkdir()
        for one in below:
            (device / "slaves" / Path(one).name).symlink_to(f"../../{one}")
        if level:
            (device / "md/level").write_text(f"{level}\n")

    def mount(self, number: str, source: str = "", target: str = "/") -> None:
        """What is mounted on `target`; `source` is a name below the test's /dev."""
        line = f"30 1 {number} / {target} rw,relatime shared:1 - ext4 {self.dev / source} rw\n"
        self.mounts.write_text(self.mounts.read_text() + line)

    def _node(self, path: str, number: str, facts: dict[str, int], record: str) -> None:
        node = self.sys / "devices" / path
        node.mkdir(parents=True)
        (node / "dev").write_text(f"{number}\n")
        for name, value in facts.items():
            (node / name).write_text(f"{value}\n")
        (self.sys / "dev/block" / number).symlink_to(f"../../devices/{path}")
        (self.sys / "class/block" / node.name).symlink_to(f"../../devices/{path}")
        (self.dev / node.name).touch()
        (self.udev / f"b{number}").write_text(f"S:disk/by-something\nI:1234\n{record}G:systemd\n")

    def ask(self) -> tuple[int, str]:
        """Exit status and what is said."""
        environment = {
            "PATH": "/usr/bin:/bin",
            "IGNITION_SYS_DIR": str(self.sys),
            "IGNITION_UDEV_DIR": str(self.udev),
            "IGNITION_RUN_DIR": str(self.run),
            "IGNITION_GROWING_MARK": str(self.mark),
            "IGNITION_KEEP_SIZE": str(self.keep),
            "IGNITION_MOUNTINFO": str(self.mounts),
            "IGNITION_INITRD_RELEASE": str(self.initrd),
            "IGNITION_KERNEL_CMDLINE_PATH": str(self.cmdline),
        }
        done = subprocess.run(["sh", str(SCRIPT)], env=environment, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.returncode, done.stdout.strip()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """No disk yet."""
    return Machine(tmp_path)


def with_root(machine: Machine, free: int) -> None:
    """A disk whose last partition is ROOT, `free` sectors before the end."""
    machine.disk("vda", 252, 3000 * MIB + free)
    machine.partition("vda", 1, MIB, 999 * MIB)
    machine.partition("vda", 9, 1000 * MIB, 2000 * MIB, ROOT_TYPE)


@pytest.mark.parametrize(
    ("free", "status", "said"),
    [
        pytest.param(0, 1, "vda9 does not grow: 0 sectors are free behind it, less than 2 MiB", id="fills"),
        pytest.param(BACKUP_GPT, 1, "vda9 does not grow: 33 sectors are free behind it, less than 2 MiB", id="backup-gpt"),
        pytest.param(2 * MIB + 39, 1, "vda9 does not grow: 4135 sectors are free behind it, less than 2 MiB", id="just-less"),
        pytest.param(2 * MIB + 40, 0, "vda9 may grow by 2 MiB", id="just-enough"),
        pytest.param(5120 * MIB, 0, "vda9 may grow by 5120 MiB", id="much"),
    ],
)
def test_room_behind_root_decides(machine: Machine, free: int, status: int, said: str) -> None:
    with_root(machine, free)
    assert machine.ask() == (status, said)
    # Left for the boot after an interruption: only where something begins.
    assert machine.mark.exists() is (status == 0)


@pytest.mark.parametrize(
    ("gap", "status", "said"),
    [
        pytest.param(0, 1, "vda9 does not grow: 0 sectors are free behind it, less than 2 MiB", id="at-once"),
        pytest.param(100 * MIB, 0, "vda9 may grow by 100 MiB", id="after-a-gap"),
    ],
)
def test_neighbour_is_where_root_ends(machine: Machine, gap: int, status: int, said: str) -> None:
    with_root(machine, 5000 * MIB)
    # The nearest one counts, whatever the order of the numbers.
    machine.partition("vda", 10, 3000 * MIB + gap, 100 * MIB)
    machine.partition("vda", 3, 3000 * MIB + gap + 500 * MIB, 100 * MIB)
    assert machine.ask() == (status, said)


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        pytest.param("ignition.grow=root", 0, "vda2 may grow by 1999 MiB", id="asked"),
        pytest.param("ignition.grow=no ignition.grow=root quiet", 0, "vda2 may grow by 1999 MiB", id="last-counts"),
        pytest.param('"ignition.grow=root"', 0, "vda2 may grow by 1999 MiB", id="quoted"),
        pytest.param('ignition.grow="root"', 0, "vda2 may grow by 1999 MiB", id="quoted-value"),
        pytest.param("ignition.grow=root ignition.grow=no", 1, "nothing grows: no partition has the type " + ROOT_TYPE, id="no"),
        pytest.param("xignition.grow=root", 1, "nothing grows: no partition has the type " + ROOT_TYPE, id="another-word"),
    ],
)
def test_kernel_command_line_lets_root_of_any_type_grow(machine: Machine, line: str, status: int, said: str) -> None:
    machine.disk("vda", 252, 5000 * MIB)
    machine.partition("vda", 1, MIB, 999 * MIB)
    machine.partition("vda", 2, 1000 * MIB, 2000 * MIB)
    machine.partition("vda", 3, 4999 * MIB, MIB // 2)
    machine.mount("252:2", "vda2")
    machine.cmdline.write_text(f"root=UUID=1 {line}\n")
    assert machine.ask() == (status, said)


def test_nothing_grows_without_a_partition_of_the_type(machine: Machine) -> None:
    machine.disk("vda", 252, 5000 * MIB)
    machine.partition("vda", 1, MIB, 999 * MIB)
    assert machine.ask() == (1, f"nothing grows: no partition has the type {ROOT_TYPE}")


def test_type_is_compared_as_a_whole(machine: Machine) -> None:
    machine.disk("vda", 252, 5000 * MIB)
    machine.partition("vda", 1, MIB, 999 * MIB, f"{ROOT_TYPE}0")
    assert machine.ask() == (1, f"nothing grows: no partition has the type {ROOT_TYPE}")


def test_every_disk_is_looked_at(machine: Machine) -> None:
    with_root(machine, 0)
    machine.disk("vdb", 253, 900 * MIB)
    machine.partition("vdb", 1, MIB, 99 * MIB, ROOT_TYPE)
    status, said = machine.ask()
    assert status == 0
    assert said.splitlines() == [
        "vda9 does not grow: 0 sectors are free behind it, less than 2 MiB",
        "vdb1 may grow by 800 MiB",
    ]


def test_partitions_of_another_disk_are_no_neighbours(machine: Machine) -> None:
    with_root(machine, 700 * MIB)
    machine.disk("vdb", 253, 9000 * MIB)
    machine.partition("vdb", 1, 3000 * MIB, 99 * MIB)
    assert machine.ask() == (0, "vda9 may grow by 700 MiB")


def test_record_of_a_partition_that_is_gone_is_passed_over(machine: Machine) -> None:
    with_root(machine, 0)
    (machine.udev / "b254:1").write_text(f"E:ID_PART_ENTRY_TYPE={ROOT_TYPE}\n")
    assert machine.ask() == (1, "vda9 does not grow: 0 sectors are free behind it, less than 2 MiB")


def test_whole_disk_with_the_type_in_its_record_is_no_partition(machine: Machine) -> None:
    machine.disk("vda", 252, 5000 * MIB)
    (machine.udev / "b252:0").write_text(f"E:ID_PART_ENTRY_TYPE={ROOT_TYPE}\n")
    assert machine.ask() == (1, f"nothing grows: no partition has the type {ROOT_TYPE}")


def test_interrupted_growth_is_looked_at_again_though_the_partition_fills_its_disk(machine: Machine) -> None:
    with_root(machine, 0)
    machine.mark.parent.mkdir(parents=True)
    machine.mark.touch()
    assert machine.ask() == (0, "an earlier growth of ROOT was interrupted: trying again")


RAID = "be9067b9-ea49-4f15-b4f6-f36f8c9e1818"
LUKS, LVM = "ca7d7ccb-63ed-4c53-861c-1742536059cc", "e6d6d379-f507-44c2-a23c-238f2a3df928"


def with_member(machine: Machine, disk: str, major: int, free: int, kind: str = RAID) -> str:
    """A disk with one partition, `free` sectors before its end; its path."""
    machine.disk(disk, major, 1000 * MIB + free)
    machine.partition(disk, 1, MIB, 999 * MIB, kind)
    return f"{disk}/{disk}1"


def test_room_behind_the_second_half_of_a_mirror_is_seen(machine: Machine) -> None:
    halves = [with_member(machine, "vda", 252, 0), with_member(machine, "vdb", 253, 500 * MIB)]
    machine.stacked("md127", "9:127", *halves, level="raid1")
    machine.mount("9:127")
    assert machine.ask() == (0, "vda1 does not grow: 0 sectors are free behind it, less than 2 MiB\nvdb1 may grow by 500 MiB")


@pytest.mark.parametrize("kind", [pytest.param(LVM, id="LVM"), pytest.param(LUKS, id="LUKS"), pytest.param(ROOT_TYPE, id="ROOT")])
@pytest.mark.parametrize("free", [pytest.param(0, id="fills"), pytest.param(700 * MIB, id="room")])
def test_all_layers_are_passed(machine: Machine, kind: str, free: int) -> None:
    machine.stacked("dm-0", "254:0", with_member(machine, "vda", 252, free, kind))
    machine.stacked("dm-1", "254:1", "dm-0")
    machine.mount("254:1")
    said = "vda1 may grow by 700 MiB" if free else "vda1 does not grow: 0 sectors are free behind it, less than 2 MiB"
    assert machine.ask() == (0 if free else 1, said)


def test_device_of_a_btrfs_is_found_by_its_name(machine: Machine) -> None:
    machine.stacked("dm-0", "254:0", with_member(machine, "vda", 252, 700 * MIB, LUKS))
    machine.mount("0:33", "dm-0")
    assert machine.ask() == (0, "vda1 may grow by 700 MiB")


def test_second_device_of_a_btrfs_is_looked_at(machine: Machine) -> None:
    for number, free in ((0, 0), (1, 300 * MIB)):
        disk = f"vd{'ab'[number]}"
        machine.stacked(f"dm-{number}", f"254:{number}", with_member(machine, disk, 250 + number, free, LUKS))
        devices = machine.sys / "fs/btrfs/uuid/devices"
        devices.mkdir(parents=True, exist_ok=True)
        (devices / f"dm-{number}").symlink_to(f"../../../../devices/dm-{number}")
    machine.mount("0:33", "dm-0")
    status, said = machine.ask()
    assert (status, said.splitlines()[-1]) == (0, "vdb1 may grow by 300 MiB")


@pytest.mark.parametrize("kind", [pytest.param(OTHER_TYPE, id="another type")])
def test_member_of_another_type_does_not_grow(machine: Machine, kind: str) -> None:
    machine.stacked("dm-0", "254:0", with_member(machine, "vda", 252, 700 * MIB, kind))
    machine.mount("254:0")
    assert machine.ask() == (1, f"nothing grows: no partition has the type {ROOT_TYPE}")


def test_member_below_something_else_than_root_does_not_grow(machine: Machine) -> None:
    machine.stacked("dm-0", "254:0", with_member(machine, "vda", 252, 700 * MIB, LUKS))
    machine.mount("254:0", target="/data")
    assert machine.ask() == (1, f"nothing grows: no partition has the type {ROOT_TYPE}")


def test_other_array_than_a_mirror_does_not_grow(machine: Machine) -> None:
    machine.stacked("md0", "9:0", with_member(machine, "vda", 252, 700 * MIB), level="raid5")
    machine.mount("9:0")
    assert machine.ask() == (1, "md0 does not grow: it is a raid5 array")


def test_disk_without_partitions_is_looked_at_when_its_size_changes(machine: Machine) -> None:
    machine.disk("vdc", 250, 1000 * MIB)
    machine.stacked("dm-0", "254:0", "vdc")
    machine.mount("254:0")
    asked = machine.ask()
    assert asked == (0, "vdc, which is below ROOT, has 1000 MiB and may not have had that before")
    machine.mark.rename(machine.grown)  # as the unit does after success
    assert machine.ask() == (1, "vdc does not grow: its size has not changed")
    (machine.sys / "devices/vdc/size").write_text(f"{1100 * MIB}\n")
    assert machine.ask()[0] == 0


def test_partition_whose_size_the_config_gave_stays(machine: Machine) -> None:
    with_root(machine, 700 * MIB)
    machine.keep.write_text("00000009-AAAA-4444-8888-000000000000\n")
    assert machine.ask() == (1, "vda9 does not grow: the config of the first boot gave its size")


def test_initramfs_looks_at_sysroot_and_leaves_no_mark(machine: Machine) -> None:
    machine.initrd.touch()
    (machine.run / "ignition").mkdir(parents=True)
    (machine.run / "ignition/first-try").touch()
    machine.stacked("md127", "9:127", with_member(machine, "vda", 252, 700 * MIB), level="raid1")
    machine.mount("9:127", target="/sysroot")
    assert machine.ask() == (0, "vda1 may grow by 700 MiB")
    assert not machine.mark.exists()


def test_initramfs_looks_anyway_after_an_earlier_attempt(machine: Machine) -> None:
    machine.initrd.touch()
    (machine.run / "ignition").mkdir(parents=True)
    (machine.run / "ignition/flagged").touch()
    assert machine.ask() == (0, "an earlier first boot may have been interrupted while ROOT grew: looking")


def test_initramfs_without_a_flag_looks_and_suspects_nothing(machine: Machine) -> None:
    """PXE: no mark could tell of an interruption, and each boot is as the first one."""
    machine.initrd.touch()
    assert machine.ask() == (0, "")
