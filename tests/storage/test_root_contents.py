"""ROOT made anew: what is planned, and what is refused before anything changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ignition.config.model import Resource
from ignition.config.model.storage import Clevis, ClevisCustom, Filesystem, Luks, Storage, Tang
from ignition.errors import Failure
from ignition.host import devices, first_boot_mark, temporary_mount
from ignition.host.root_device import RootDevice
from ignition.operation import Context
from ignition.storage import root_contents
from ignition.storage.capacity import Planned
from ignition.storage.root_contents import (
    RESERVE,
    HoldRoot,
    MemoryDisk,
    ReturnRoot,
    RootFacts,
    TellBootLoader,
    available_memory,
    copy,
    needs_network,
    plan,
    stale_arguments,
)

MIB = 1 << 20
ROOT = RootDevice("LABEL=ROOT")
LOST = "$.storage.filesystems.0"
PLENTY = Planned({}, lambda _: 1 << 40)
BTRFS = Filesystem(device="/dev/vda9", format="btrfs", label="ROOT", wipe_filesystem=True)
TANG = Clevis(tang=(Tang(url="http://tang", thumbprint="x"),))


def facts(**members: Any) -> RootFacts:
    return RootFacts("/dev/vda9", **{"used": 800 * MIB, "memory": (2000 * MIB, 1600 * MIB), "lost_by": LOST, **members})


def steps(storage: Storage, found: RootFacts | None = None, device: RootDevice = ROOT) -> list[str]:
    made = plan(storage, device, found or facts(), PLENTY)
    return [operation.describe() for operation in [*made.before, *made.after]]


HOLD = "hold ROOT's contents (800 MiB of files on /dev/vda9) in memory"


def put_back(device: str, where: str = LOST) -> str:
    return f"put ROOT's contents (800 MiB of files) back, onto {device} ({where})"


def test_root_that_is_formatted_is_held_and_put_back() -> None:
    assert steps(Storage(filesystems=(BTRFS,))) == [HOLD, put_back("/dev/vda9")]


@pytest.mark.parametrize(
    ("device", "filesystem"),
    [
        pytest.param("UUID=aa", Filesystem(device="/dev/x", format="xfs", uuid="AA"), id="uuid"),
        pytest.param("PARTLABEL=R", Filesystem(device="/dev/disk/by-partlabel/R", format="xfs"), id="partition label"),
        pytest.param("/dev/vda9", Filesystem(device="/dev/vda9", format="xfs"), id="path"),
    ],
)
def test_new_root_is_what_the_command_line_asks_for(device: str, filesystem: Filesystem) -> None:
    assert steps(Storage(filesystems=(filesystem,)), device=RootDevice(device))[1] == put_back(filesystem.device)


def test_root_that_stays_is_left_alone() -> None:
    other = Filesystem(device="/dev/vdb1", format="ext4", label="data")
    assert steps(Storage(filesystems=(other,)), facts(lost_by="")) == []


@pytest.mark.parametrize("clevis", [TANG, Clevis(tpm2=True), Clevis(custom=ClevisCustom(pin="tpm2", config="{}"))])
def test_root_in_a_volume_is_told_to_the_boot_loader(clevis: Clevis) -> None:
    volume = Luks(name="root", device="/dev/vda9", clevis=clevis, wipe_volume=True)
    storage = Storage(luks=(volume,), filesystems=(Filesystem(device="/dev/mapper/root", format="ext4", label="ROOT"),))
    assert (
        steps(storage, facts(memory=(4000 * MIB, 3000 * MIB)))[-1]
        == "tell the boot loader to open root for ROOT ($.storage.luks.0)"
    )
    assert plan(storage, ROOT, facts(memory=(4000 * MIB, 3000 * MIB)), PLENTY).volume == "root"


def test_root_that_is_in_no_volume_names_none() -> None:
    storage = Storage(luks=(Luks(name="data", device="/dev/vdb1"),), filesystems=(BTRFS,))
    assert plan(storage, ROOT, facts(), PLENTY).volume == ""
    assert plan(Storage(), ROOT, facts(lost_by=""), PLENTY).volume == ""


def refused(storage: Storage, found: RootFacts, planned: Planned = PLENTY) -> Failure:
    with pytest.raises(Failure) as caught:
        plan(storage, ROOT, found, planned)
    return caught.value


def test_root_that_does_not_fit_into_memory_is_refused_with_the_figures() -> None:
    failure = refused(Storage(filesystems=(BTRFS,)), facts(memory=(0, 800 * MIB + RESERVE - MIB)))
    assert failure.what == (
        "ROOT's contents do not fit into memory: 800 MiB of files and 256 MiB of working memory, and 1055 MiB are available"
    )
    assert (failure.where, failure.fix) == (
        LOST,
        "add memory to the machine for its first boot, or keep ROOT",
    )


@pytest.mark.parametrize(("total", "takes"), [(1200, 600), (9000, 1024)], ids=["half-of-a-small-memory", "1-GiB"])
def test_deriving_a_given_key_takes_memory_too(total: int, takes: int) -> None:
    volume = Luks(name="root", device="/dev/vda9", clevis=TANG, key_file=Resource(source="data:,mine"), wipe_volume=True)
    storage = Storage(luks=(volume,), filesystems=(Filesystem(device="/dev/mapper/root", format="ext4", label="ROOT"),))
    needed = 800 * MIB + RESERVE + takes * MIB
    failure = refused(storage, facts(memory=(total * MIB, needed - 1)))
    assert f"800 MiB of files and {256 + takes} MiB of working memory" in failure.what
    assert len(steps(storage, facts(memory=(total * MIB, needed)))) == 3


def test_root_that_does_not_fit_into_the_new_one_is_refused_with_the_figures() -> None:
    failure = refused(Storage(filesystems=(BTRFS,)), facts(), Planned({}, lambda _: 900 * MIB))
    assert failure.what == (
        "ROOT's contents do not fit into the new ROOT: 800 MiB of files need 920 MiB, and it will have 900 MiB"
    )
    assert (failure.where, failure.fix) == (LOST, "use a larger device")


def test_config_that_takes_root_and_makes_none_is_refused() -> None:
    failure = refused(Storage(filesystems=(BTRFS.evolve(label="root"),)), facts())
    assert failure.what == "this overwrites ROOT (/dev/vda9), and the config does not create a file system LABEL=ROOT"
    assert (failure.where, failure.fix) == (LOST, "keep ROOT, or make another one: set the label ROOT on a file system")


def test_root_without_an_old_one_is_refused() -> None:
    failure = refused(Storage(filesystems=(BTRFS,)), RootFacts(""))
    assert "there is no ROOT to copy its contents from" in failure.what
    assert (failure.where, failure.fix) == (LOST, "write the machine image to the disk again")


def test_second_root_beside_one_that_stays_is_refused() -> None:
    failure = refused(Storage(filesystems=(BTRFS.evolve(device="/dev/vdb1"),)), facts(lost_by=""))
    assert failure.what == "there would be two file systems LABEL=ROOT: this one, and /dev/vda9, which the config keeps"
    assert (failure.where, failure.fix) == (LOST, "wipe the old one as well (wipeFilesystem), or use it for another purpose")


def test_root_whose_key_would_lie_on_itself_is_refused() -> None:
    storage = Storage(
        luks=(Luks(name="root", device="/dev/vda9"),),
        filesystems=(Filesystem(device="/dev/disk/by-id/dm-name-root", format="ext4", label="ROOT"),),
    )
    failure = refused(storage, facts())
    assert failure.what == "ROOT would be inside root, with its key on ROOT itself: the next boot could not open it"
    assert (failure.where, failure.fix) == ("$.storage.luks.0", "add clevis (a tang server, or tpm2)")


@pytest.mark.parametrize(
    ("clevis", "needed"),
    [
        (TANG, True),
        (Clevis(tpm2=True), False),
        (Clevis(custom=ClevisCustom(pin="x", config="{}", needs_network=True)), True),
    ],
)
def test_network_is_needed_for_servers(clevis: Clevis, needed: bool) -> None:
    assert needs_network(Luks(name="root", clevis=clevis)) is needed


def test_arguments_of_an_earlier_attempt_are_stale() -> None:
    line = "root=LABEL=ROOT rd.luks.name=1=root rd.luks.name=2=root rd.luks.name=3=data"
    assert stale_arguments(line, "rd.luks.name=2=root", "root") == ["rd.luks.name=1=root"]


@pytest.mark.root
def test_copy_keeps_what_a_root_has(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir(mode=0o751)
    target.mkdir()
    program = source / "program"
    program.write_bytes(b"x" * 100)
    program.chmod(0o4755)
    (source / "hard").hardlink_to(program)
    (source / "link").symlink_to("/nowhere")
    with (source / "sparse").open("wb") as file:
        file.truncate(10 * MIB)
    copy(str(source), str(target))
    assert (target / "program").stat().st_mode & 0o7777 == 0o4755
    assert (target / "hard").stat().st_ino == (target / "program").stat().st_ino
    assert (target / "link").readlink() == Path("/nowhere")
    assert (target / "sparse").stat().st_blocks == 0
    assert target.stat().st_mode & 0o777 == 0o751


def test_memory_that_is_left_is_what_the_kernel_says(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 2000 kB\nMemFree: 10 kB\nMemAvailable:    1500 kB\n")
    assert available_memory(str(tmp_path / "meminfo")) == (2000 * 1024, 1500 * 1024)


class Machine:
    """The programs that ran, and what was mounted when; sysfs with a memory disk 7."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        self.did: list[str] = []
        self.memory, self.target = directory / "memory", directory / "mounted"
        self._sysfs = directory / "sys"
        (self._sysfs / "class/zram-control").mkdir(parents=True)
        (self._sysfs / "class/zram-control/hot_add").write_text("7\n")
        (self._sysfs / "block/zram7").mkdir(parents=True)
        self.target.mkdir()
        monkeypatch.setattr(devices, "SYSFS", str(self._sysfs))
        monkeypatch.setattr(devices, "wait_for", lambda nodes: self.did.append(f"wait for {' '.join(nodes)}"))
        monkeypatch.setattr(devices, "resolve", lambda path: f"{path}-node")
        monkeypatch.setattr(root_contents, "run", self._run)
        monkeypatch.setattr(temporary_mount, "mounted", self._mounted)
        monkeypatch.setattr(first_boot_mark, "note", lambda word: self.did.append(f"note {word}"))

    def _run(self, argv: list[str], **_: Any) -> str:
        self.did.append(" ".join(argv))
        return "0123-abcd\n" if "luksUUID" in argv else ""

    @contextmanager
    def _mounted(self, node: str, formats: tuple[str, ...], options: tuple[str, ...]) -> Iterator[str]:
        self.did.append(f"mount {node} as {formats} with {options}")
        yield str(self.target)
        self.did.append(f"unmount {node}")

    def written(self, path: str) -> str:
        return (self._sysfs / path).read_text()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


MAKE = "mkfs.ext4 -q -F -O ^has_journal -m 0 -i 4096 /dev/zram7"


def test_disk_in_memory_is_made_and_freed(machine: Machine) -> None:
    disk = MemoryDisk(str(machine.memory))
    disk.open(12345)
    assert machine.did == [
        "modprobe zram num_devices=0",
        "wait for /dev/zram7",
        MAKE,
        f"mount -t ext4 /dev/zram7 {machine.memory}",
    ]
    assert machine.written("block/zram7/disksize") == "12345"
    assert machine.memory.stat().st_mode & 0o777 == 0o700
    machine.did.clear()
    disk.close()
    assert machine.did == [f"umount {machine.memory}"]
    assert not machine.memory.exists()
    assert (machine.written("block/zram7/reset"), machine.written("class/zram-control/hot_remove")) == ("1", "7")


def test_kernel_without_memory_disks_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(devices, "SYSFS", str(tmp_path / "none"))
    with pytest.raises(Failure) as caught:
        MemoryDisk(str(machine.memory)).open(1)
    assert (caught.value.what, caught.value.fix) == ("no disk in memory: No such file or directory", "use a kernel with zram")


@pytest.mark.parametrize("format", ["ext4", "xfs"])
def test_contents_go_into_memory_and_come_back(machine: Machine, context: Context, format: str) -> None:
    disk = MemoryDisk(str(machine.memory))
    hold = HoldRoot(facts(), disk)
    assert hold.path == "/dev/vda9"
    hold.execute(context)
    assert int(machine.written("block/zram7/disksize")) == pytest.approx(984 * MIB, abs=1)
    assert machine.did[4:] == [
        "mount /dev/vda9 as ('auto',) with ('ro',)",
        f"cp --archive --one-file-system {machine.target}/. {machine.memory}/",
        "unmount /dev/vda9",
        "note root-in-memory",
    ]
    machine.did.clear()
    (machine.target / "lost+found").mkdir()
    filesystem = Filesystem(device="/dev/x", format=format, mount_options=("noatime",))
    back = ReturnRoot(filesystem, facts(), disk, LOST)
    assert (back.path, back.place) == ("/dev/x", LOST)
    back.execute(context)
    assert machine.did == [
        f"mount /dev/x-node as ('{format}',) with ('noatime',)",
        f"cp --archive --one-file-system {machine.memory}/. {machine.target}/",
        "unmount /dev/x-node",
        f"umount {machine.memory}",
    ]
    assert (machine.target / "lost+found").exists() == (format == "ext4")


def test_directory_with_recovered_files_is_kept(machine: Machine, context: Context) -> None:
    disk = MemoryDisk(str(machine.memory))
    disk.open(1)
    (machine.target / "lost+found").mkdir()
    (machine.target / "lost+found/1").touch()
    ReturnRoot(Filesystem(device="/dev/x"), facts(), disk, LOST).execute(context)
    assert "mount /dev/x-node as ('auto',) with ()" in machine.did
    assert (machine.target / "lost+found/1").exists()


@pytest.mark.parametrize(
    ("clevis", "network"), [(TANG, " --should-exist rd.neednet=1"), (Clevis(tpm2=True), "")], ids=["tang", "tpm2"]
)
def test_boot_loader_is_told_how_to_open_the_volume_of_root(
    machine: Machine, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clevis: Clevis, network: str
) -> None:
    (tmp_path / "cmdline").write_text("quiet rd.luks.name=9999=root rd.luks.name=1=data\n")
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    operation = TellBootLoader(Luks(name="root", device="/dev/vda9", clevis=clevis), "$.storage.luks.0")
    assert (operation.path, operation.place) == ("/dev/vda9", "$.storage.luks.0")
    operation.execute(context)
    told = f"--later --should-exist rd.luks.name=0123-abcd=root{network} --should-not-exist rd.luks.name=9999=root"
    assert machine.did == ["cryptsetup luksUUID /dev/vda9", f"ignition-kargs-helper {told}"]


def test_root_that_keeps_its_data_is_not_wished_elsewhere() -> None:
    made = plan(Storage(filesystems=(BTRFS,)), ROOT, facts(), PLENTY)
    assert (made.held, plan(Storage(), ROOT, facts(lost_by=""), PLENTY).held) == ("/dev/vda9", "")


@pytest.mark.parametrize(
    ("root", "fix"),
    [
        ("UUID=aa", "keep ROOT, or make another one: set the uuid aa on a file system"),
        ("PARTLABEL=R", "keep ROOT, or make another one: create a file system on /dev/disk/by-partlabel/R"),
    ],
)
def test_advice_names_what_the_command_line_asks_for(root: str, fix: str) -> None:
    with pytest.raises(Failure) as caught:
        plan(Storage(), RootDevice(root), facts(), PLENTY)
    assert caught.value.fix == fix


def test_root_in_a_volume_inside_a_volume_is_refused() -> None:
    storage = Storage(
        luks=(
            Luks(name="outer", device="/dev/vda9", clevis=TANG),
            Luks(name="root", device="/dev/mapper/outer", clevis=TANG),
        ),
        filesystems=(Filesystem(device="/dev/mapper/root", format="ext4", label="ROOT"),),
    )
    failure = refused(storage, facts())
    assert failure.what == "ROOT would be inside root, which is inside another encrypted volume: the boot opens only one"
    assert (failure.where, failure.fix) == ("$.storage.luks.1.device", "name a device that is not encrypted")
