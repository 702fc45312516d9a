"""Whether `ignition grow` is worth starting: decided by a shell script from sysfs and udev's records, here both made up."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "dracut/system/root-can-grow"
ROOT_TYPE = "3884dd41-8582-4404-b9a8-e9b84f2df50e"
OTHER_TYPE = "0fc63daf-8483-4772-8e79-3d69d8477de4"
MIB = 2048  # sectors
BACKUP_GPT = 33  # sectors

pytestmark = pytest.mark.skipif(Path("/etc/initrd-release").exists(), reason="only the real root has the mark that is tested")


class Machine:
    """Disks as sysfs and udev show them."""

    def __init__(self, tmp_path: Path) -> None:
        self.sys, self.udev, self.run = tmp_path / "sys", tmp_path / "udev", tmp_path / "run"
        self.mark = tmp_path / "var/lib/ignition/growing"
        (self.sys / "dev/block").mkdir(parents=True)
        self.udev.mkdir()

    def disk(self, name: str, major: int, size: int) -> None:
        """A disk of `size` sectors."""
        self._node(name, f"{major}:0", {"size": size}, "E:ID_PART_TABLE_TYPE=gpt\n")

    def partition(self, disk: str, number: int, start: int, size: int, kind: str = OTHER_TYPE) -> None:
        """A partition, in sectors."""
        major = (self.sys / "devices" / disk / "dev").read_text().split(":")[0]
        facts = {"partition": number, "start": start, "size": size}
        self._node(f"{disk}/{disk}{number}", f"{major}:{number}", facts, f"E:ID_PART_ENTRY_TYPE={kind}\n")

    def _node(self, path: str, number: str, facts: dict[str, int], record: str) -> None:
        node = self.sys / "devices" / path
        node.mkdir(parents=True)
        (node / "dev").write_text(f"{number}\n")
        for name, value in facts.items():
            (node / name).write_text(f"{value}\n")
        (self.sys / "dev/block" / number).symlink_to(f"../../devices/{path}")
        (self.udev / f"b{number}").write_text(f"S:disk/by-something\nI:1234\n{record}G:systemd\n")

    def ask(self) -> tuple[int, str]:
        """Exit status and what is said."""
        environment = {
            "PATH": "/usr/bin:/bin",
            "IGNITION_SYS_DIR": str(self.sys),
            "IGNITION_UDEV_DIR": str(self.udev),
            "IGNITION_RUN_DIR": str(self.run),
            "IGNITION_GROWING_MARK": str(self.mark),
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
        pytest.param(2 * MIB + 32, 1, "vda9 does not grow: 4128 sectors are free behind it, less than 2 MiB", id="just-less"),
        pytest.param(2 * MIB + 33, 0, "vda9 may grow by 2 MiB", id="just-enough"),
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
