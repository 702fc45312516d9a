"""What is kept, refused or made, and with which command (7.4, 7.11)."""

from typing import Any

import pytest

from ignition.config.model.storage import Filesystem
from ignition.errors import Failure
from ignition.host import devices
from ignition.operation import Context
from ignition.storage import filesystems as module
from ignition.storage.filesystems import FilesystemFacts, further_devices, mkfs, plan, to_make
from ignition.storage.signatures import Signature

UUID = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
EXT4 = Signature("ext4", "data", UUID)
VFAT = Signature("vfat", "EFI", "1234-ABCD")
NOTHING = Signature()
WHERE = "$.storage.filesystems.0"
WIPE_FIX = "set wipeFilesystem to lose its content, or correct the config"
FORCE_FIX = "set force to lose its content"


def filesystem(format: str = "ext4", **members: Any) -> Filesystem:
    return Filesystem(device="/dev/vdb1", format=format, **members)


def is_kept(wanted: Filesystem, found: Signature, context: Context) -> bool:
    operation, *settle = plan((wanted,), {"/dev/vdb1": FilesystemFacts("/dev/vdb1", found)})
    kept = operation.already_there(context)
    assert operation.concurrent
    assert [one.describe() for one in settle] == ([] if kept else ["wait for udev to see /dev/vdb1"])
    return kept


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param(filesystem(), EXT4, id="same type"),
        pytest.param(filesystem(label="data", uuid=UUID.upper()), EXT4, id="same type, label, UUID in another case"),
        pytest.param(filesystem(label="", uuid=""), EXT4, id="empty label and UUID say nothing"),
        pytest.param(filesystem("vfat", uuid="1234abcd"), VFAT, id="vfat UUID without its dash"),
        pytest.param(filesystem("none"), NOTHING, id="none, and nothing there"),
        pytest.param(filesystem("btrfs", name="oem"), Signature("ext4", "OEM"), id="2.x: label OEM, other type"),
        pytest.param(filesystem("swap"), Signature("swap"), id="swap"),
    ],
)
def test_filesystem_that_is_as_wanted_is_kept(wanted: Filesystem, found: Signature, context: Context) -> None:
    assert is_kept(wanted, found, context)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param(filesystem(), NOTHING, id="nothing there"),
        pytest.param(filesystem(must_be_blank=True), NOTHING, id="2.x create on a blank device"),
        pytest.param(filesystem(wipe_filesystem=True), EXT4, id="same, to be wiped"),
        pytest.param(filesystem("none", wipe_filesystem=True), EXT4, id="none, to be wiped"),
        pytest.param(filesystem("xfs", wipe_filesystem=True), Signature(table="gpt"), id="partition table, to be wiped"),
        pytest.param(filesystem(wipe_filesystem=True, name="oem"), Signature("ext4", "OEM"), id="2.x: label OEM, to be wiped"),
    ],
)
def test_filesystem_is_made(wanted: Filesystem, found: Signature, context: Context) -> None:
    assert not is_kept(wanted, found, context)


@pytest.mark.parametrize(
    ("wanted", "found", "what", "fix"),
    [
        pytest.param(filesystem("xfs"), EXT4, f"holds ext4 labelled 'data' with UUID {UUID}, not xfs", WIPE_FIX, id="other type"),
        pytest.param(
            filesystem(label="other"),
            EXT4,
            f"holds ext4 labelled 'data' with UUID {UUID}, not ext4 labelled 'other'",
            WIPE_FIX,
            id="other label",
        ),
        pytest.param(
            filesystem(uuid=UUID.replace("a", "F")),
            Signature("ext4", "", UUID),
            f"holds ext4 with UUID {UUID}, not ext4 with UUID {UUID.replace('a', 'f')}",
            WIPE_FIX,
            id="other UUID",
        ),
        pytest.param(filesystem("none"), Signature("ext4"), "holds ext4, not nothing", WIPE_FIX, id="none, but something there"),
        pytest.param(filesystem(), Signature("LVM2_member"), "holds LVM2_member, not ext4", WIPE_FIX, id="no file system at all"),
        pytest.param(
            filesystem(), Signature(table="gpt"), "holds a gpt partition table, not ext4", WIPE_FIX, id="partition table"
        ),
        pytest.param(
            filesystem("btrfs"),
            Signature("ext4", "OEM"),
            "holds ext4 labelled 'OEM', not btrfs",
            WIPE_FIX,
            id="3.x: OEM is no exception",
        ),
        pytest.param(
            filesystem(must_be_blank=True),
            Signature("ext4"),
            "holds ext4, and `create` without `force` wants it blank",
            FORCE_FIX,
            id="2.x create without force",
        ),
    ],
)
def test_other_content_is_refused(wanted: Filesystem, found: Signature, what: str, fix: str, context: Context) -> None:
    with pytest.raises(Failure) as caught:
        is_kept(wanted, found, context)
    assert caught.value.what == f"/dev/vdb1 {what}"
    assert (caught.value.where, caught.value.fix) == (WHERE, fix)


@pytest.mark.parametrize(
    ("wanted", "command"),
    [
        pytest.param(filesystem(), "mkfs.ext4 -F N", id="ext4"),
        pytest.param(
            filesystem(label="data", uuid=UUID.upper(), options=("-b", "1024")),
            f"mkfs.ext4 -b 1024 -F -U {UUID} -L data N",
            id="ext4 with everything",
        ),
        pytest.param(filesystem("xfs", label="x", uuid=UUID), f"mkfs.xfs -f -m uuid={UUID} -L x N", id="xfs"),
        pytest.param(filesystem("btrfs", label="b", uuid=UUID), f"mkfs.btrfs --force -U {UUID} -L b N", id="btrfs"),
        pytest.param(
            filesystem("vfat", label="EFI", uuid="12AB-34CD", options=("-F32",)), "mkfs.fat -F32 -i 12ab34cd -n EFI N", id="vfat"
        ),
        pytest.param(filesystem("swap", label="s", uuid=UUID), f"mkswap -f -U {UUID} -L s N", id="swap"),
        pytest.param(filesystem(label="", uuid=""), "mkfs.ext4 -F N", id="empty label and UUID are left out"),
    ],
)
def test_command(wanted: Filesystem, command: str) -> None:
    assert mkfs(wanted, "N") == command.split()


def test_unknown_format_is_an_error() -> None:
    with pytest.raises(Failure) as caught:
        mkfs(filesystem("ntfs"), "N")
    assert caught.value.what == "cannot make a file system of format 'ntfs'"
    assert caught.value.fix == "use one of ext4, xfs, btrfs, vfat, swap"


def test_entries_without_format_virtiofs_and_in_place_are_left_alone() -> None:
    entries = (
        Filesystem(device="/dev/a"),
        Filesystem(device="tag", format="virtiofs"),
        Filesystem(device="", format="ext4", in_place="/sysroot"),
        Filesystem(device="/dev/b", format="xfs"),
    )
    assert [(index, entry.device) for index, entry in to_make(entries)] == [(3, "/dev/b")]


def aliases(*entries: Filesystem) -> int:
    """How many operations two names of one device give."""
    facts = {entry.device: FilesystemFacts("/dev/vdb1", NOTHING) for entry in entries}
    return [operation.kind for operation in plan(entries, facts)].count("format")


def test_two_names_of_one_device_are_made_once() -> None:
    assert aliases(filesystem(), Filesystem(device="/dev/disk/by-partlabel/x", format="ext4")) == 1


def test_two_names_of_one_device_that_differ_are_an_error() -> None:
    with pytest.raises(Failure) as caught:
        aliases(filesystem(), Filesystem(device="/dev/disk/by-partlabel/x", format="xfs"))
    assert caught.value.what == (
        "/dev/disk/by-partlabel/x and /dev/vdb1 ($.storage.filesystems.0) are one device with different file systems"
    )
    assert (caught.value.where, caught.value.fix) == ("$.storage.filesystems.1.device", "describe each device once")


def test_device_in_use_is_refused_with_who_uses_it() -> None:
    fact = FilesystemFacts("/dev/vdb1", EXT4, "mounted on /srv")
    with pytest.raises(Failure) as caught:
        plan((filesystem(wipe_filesystem=True),), {"/dev/vdb1": fact})
    assert caught.value.what == "/dev/vdb1 is in use (mounted on /srv)"
    assert (caught.value.where, caught.value.fix) == (WHERE, "stop using it first, or name another device")


def test_device_in_use_that_is_kept_is_fine(context: Context) -> None:
    (operation,) = plan((filesystem(),), {"/dev/vdb1": FilesystemFacts("/dev/vdb1", EXT4, "mounted on /srv")})
    assert operation.already_there(context)


FURTHER = [
    pytest.param("btrfs", ("-d", "raid1", "/dev/vdz"), id="btrfs"),
    pytest.param("xfs", ("-l", "logdev=/dev/vdz,size=64m"), id="xfs log"),
    pytest.param("xfs", ("-rrtdev=/dev/vdz",), id="xfs real time"),
]


@pytest.mark.parametrize(("format", "options"), FURTHER)
def test_devices_in_the_options_are_looked_at(format: str, options: tuple[str, ...]) -> None:
    """mkfs would take them, whatever they hold."""
    wanted = filesystem(format, options=options)
    blank, held = Signature(), Signature("ext4", "data")

    def made(wish: Filesystem, further: FilesystemFacts) -> int:
        return len(plan((wish,), {wish.device: FilesystemFacts("/dev/vda1", blank), "/dev/vdz": further}))

    assert further_devices(wanted) == ["/dev/vdz"]
    assert made(wanted, FilesystemFacts("/dev/vdz", blank)) == 2
    assert made(wanted.evolve(wipe_filesystem=True), FilesystemFacts("/dev/vdz", held)) == 2
    with pytest.raises(Failure) as caught:
        made(wanted, FilesystemFacts("/dev/vdz", held))
    assert caught.value.what == "/dev/vdz holds ext4 labelled 'data'"
    assert (caught.value.where, caught.value.fix) == ("$.storage.filesystems.0.options", WIPE_FIX)
    with pytest.raises(Failure, match=r"/dev/vdz is in use \(mounted on /srv\)"):
        made(wanted.evolve(wipe_filesystem=True), FilesystemFacts("/dev/vdz", blank, "mounted on /srv"))


def test_options_of_other_formats_name_no_further_devices() -> None:
    assert further_devices(filesystem("ext4", options=("-J", "device=/dev/vdz"))) == []  # it must hold a journal already
    assert further_devices(filesystem("xfs", options=("-d", "name=x", "-l", "size=64m"))) == []


@pytest.mark.parametrize(
    ("wanted", "said", "ran"),
    [
        pytest.param(
            filesystem("none", wipe_filesystem=True),
            f"erase the signatures of /dev/vdb1 ({WHERE})",
            ["wipefs -a /dev/node"],
            id="only erased",
        ),
        pytest.param(
            filesystem("xfs", wipe_filesystem=True, label="x", uuid=UUID.upper(), options=("-K",)),
            f"format /dev/vdb1 as xfs ({WHERE})",
            ["wipefs -a /dev/node", f"mkfs.xfs -K -f -m uuid={UUID} -L x /dev/node"],
            id="made",
        ),
    ],
)
def test_signatures_are_erased_before_a_file_system_is_made(
    monkeypatch: pytest.MonkeyPatch, context: Context, wanted: Filesystem, said: str, ran: list[str]
) -> None:
    did: list[str] = []

    def run(argv: list[str], **_: Any) -> None:
        did.append(" ".join(argv))
        if "/dev/bad" in argv:
            raise Failure("no")

    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(devices, "settle", lambda nodes: did.append(f"settle {' '.join(nodes)}"))
    make, settle = plan((wanted,), {"/dev/vdb1": FilesystemFacts("/dev/node", EXT4)})
    assert (make.describe(), make.path, make.place) == (said, "/dev/vdb1", WHERE)
    assert settle.describe() == "wait for udev to see /dev/node"
    for one in (make, settle):
        one.execute(context)
    assert did == [*ran, "settle /dev/node"]
    [bad, _] = plan((wanted,), {"/dev/vdb1": FilesystemFacts("/dev/bad", EXT4)})
    with pytest.raises(Failure) as caught:
        bad.execute(context)
    assert caught.value.where == WHERE


def test_unknown_format_is_refused_before_anything_is_erased(monkeypatch: pytest.MonkeyPatch, context: Context) -> None:
    did: list[str] = []
    monkeypatch.setattr(module, "run", lambda argv, **_: did.append(argv))
    [make, _] = plan((filesystem("zfs"),), {"/dev/vdb1": FilesystemFacts("/dev/node", NOTHING)})
    with pytest.raises(Failure) as caught:
        make.execute(context)
    assert caught.value.what == "cannot make a file system of format 'zfs'"
    assert (caught.value.where, caught.value.fix) == (WHERE, "use one of ext4, xfs, btrfs, vfat, swap")
    assert did == []


@pytest.mark.parametrize(
    ("wanted", "content"),
    [
        (filesystem("xfs", wipe_filesystem=True, label="x"), "xfs 'x'"),
        (filesystem("ext4"), "ext4"),
        (filesystem("none", wipe_filesystem=True), ""),
    ],
)
def test_record_has_what_the_device_holds(wanted: Filesystem, content: str) -> None:
    make = plan((wanted,), {"/dev/vdb1": FilesystemFacts("/dev/node", EXT4)})[0]
    assert make.facts() == {"holds": [{"node": "/dev/node", "content": content}]}
