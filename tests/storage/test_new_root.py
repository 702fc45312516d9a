"""Which file system later boots will find as ROOT: by every spelling of `root=`, or refused before anything changes."""

from typing import Any

import pytest

from ignition.config.model.extensions import FilesystemExtension, Subvolume
from ignition.config.model.storage import Filesystem, Luks, Raid, Storage
from ignition.errors import Failure
from ignition.host.root_device import GPT_AUTO, RootDevice
from ignition.storage import gpt, guid, new_root
from ignition.storage.capacity import Planned
from ignition.storage.root_contents import RootFacts
from ignition.storage.root_contents import plan as plan_root

NODE, LOST, WHERE = "/dev/vda9", "$.storage.filesystems.0", "$.storage.filesystems.0"
UUID = "01234567-89ab-cdef-0123-456789abcdef"
GUID = "11111111-2222-4333-8444-555555555555"
ROOT_TYPE = "3884dd41-8582-4404-b9a8-e9b84f2df50e"
ANEW = Filesystem(device=NODE, format="xfs", wipe_filesystem=True)
KARGS = "or change the kernel arguments first (kernelArguments)"
FACTS = RootFacts(NODE, used=1, memory=(1 << 33, 1 << 33), lost_by=LOST)
KEPT = RootFacts(NODE, names=frozenset({NODE}))


def table(name: str = "ROOT", unique: str = GUID, number: int = 9) -> gpt.Table:
    entry = gpt.new_entry(1 << 20, 1 << 21, type_guid=ROOT_TYPE, unique=guid.to_bytes(unique), name=name)
    return gpt.empty(512, 1 << 22).with_entries({number: entry})


def planned(tables: dict[str, gpt.Table | None] | None = None, made: tuple[str, ...] = ()) -> Planned:
    return Planned(tables or {}, lambda _: 1 << 40, frozenset(made))


def find(
    root: RootDevice | str, *filesystems: Filesystem, on: Planned | None = None, facts: RootFacts = FACTS, **others: Any
) -> Any:
    device = RootDevice(root) if isinstance(root, str) else root
    found = new_root.find(Storage(filesystems=filesystems, **others), device, facts, on or planned())
    return found[0] if found else None


def refused(*arguments: Any, **others: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        find(*arguments, **others)
    return caught.value


@pytest.mark.parametrize(
    ("root", "given"),
    [
        pytest.param("LABEL=ROOT", {"label": "ROOT"}, id="label"),
        pytest.param('LABEL="the root"', {"label": "the root"}, id="label in quotes"),
        pytest.param("LABEL=the\\x20root", {"label": "the root"}, id="label as udev encodes it"),
        pytest.param("/dev/disk/by-label/ROOT", {"label": "ROOT"}, id="path by label"),
        pytest.param("/dev/disk/by-label/the\\x20root", {"label": "the root"}, id="path by encoded label"),
        pytest.param("block:LABEL=ROOT", {"label": "ROOT"}, id="dracut's prefix"),
        pytest.param(f"UUID={UUID}", {"uuid": UUID}, id="uuid"),
        pytest.param(f"UUID={UUID.upper()}", {"uuid": UUID}, id="uuid in capitals"),
        pytest.param(f"/dev/disk/by-uuid/{UUID}", {"uuid": UUID}, id="path by uuid"),
        pytest.param(NODE, {}, id="device"),
        pytest.param("PARTLABEL=ROOT", {}, id="partition label"),
        pytest.param(f"PARTUUID={GUID}", {}, id="partition guid"),
        pytest.param(f"PARTUUID={GUID.upper()}", {}, id="partition guid in capitals"),
        pytest.param("/dev/disk/by-partlabel/ROOT", {}, id="path by partition label"),
        pytest.param(f"/dev/disk/by-partuuid/{GUID}", {}, id="path by partition guid"),
    ],
)
@pytest.mark.parametrize("spelled", [{}, {"path": "/"}, {"label": "", "uuid": ""}], ids=["bare", "path-of-root", "empty"])
@pytest.mark.parametrize("tables", [{}, {"/dev/vda": table()}, {"/dev/vdb": None}], ids=["no-table", "same-table", "other-disk"])
def test_root_that_is_made_anew_is_found_however_it_is_named(
    root: str, given: dict[str, str], spelled: dict[str, str], tables: dict[str, gpt.Table | None]
) -> None:
    wanted = ANEW.evolve(**spelled)
    facts = RootFacts(NODE, used=1, memory=(1 << 33, 1 << 33), lost_by=LOST)
    if not tables.get("/dev/vda") and "by-part" in root:
        wanted = wanted.evolve(device=root)  # nothing but the link leads there without a table
    assert find(root, wanted, on=planned(tables), facts=facts) == (0, wanted.evolve(**given))


@pytest.mark.parametrize(
    ("root", "members"),
    [
        pytest.param("LABEL=ROOT", {"label": "root"}, id="another label"),
        pytest.param("LABEL=ROOT", {"label": "ROOT "}, id="a blank"),
        pytest.param("LABEL=ROOT", {"options": ("-L", "root")}, id="another label in the options"),
        pytest.param("LABEL=ROOT", {"options": ("-Lroot",)}, id="another label in one word"),
        pytest.param("LABEL=ROOT", {"format": "btrfs", "options": ("--label=root",)}, id="long option with a sign"),
        pytest.param("LABEL=ROOT", {"format": "btrfs", "options": ("--label", "root")}, id="long option"),
        pytest.param("LABEL=ROOT", {"format": "swap"}, id="swap"),
        pytest.param("LABEL=ROOT", {"format": "none"}, id="erased"),
        pytest.param("LABEL=ROOT", {"path": "/var"}, id="for another purpose"),
        pytest.param("LABEL=ROOT", {"device": "/dev/vdb1"}, id="another device"),
        pytest.param(f"UUID={UUID}", {"uuid": GUID}, id="another uuid"),
        pytest.param(f"UUID={UUID}", {"options": ("-m", f"crc=1,uuid={GUID}")}, id="another uuid in the options of xfs"),
        pytest.param(f"UUID={UUID}", {"format": "ext4", "options": ("-U", "random")}, id="random uuid in the options of ext4"),
        pytest.param("PARTLABEL=ROOT", {"device": "/dev/vdb1"}, id="another device for a partition label"),
        pytest.param("/dev/vda9", {"device": "/dev/vdb1"}, id="another device for a device"),
        pytest.param("/dev/vda9", {"format": "swap"}, id="swap on a device"),
    ],
)
def test_config_that_makes_no_file_system_for_root_is_refused(root: str, members: dict[str, Any]) -> None:
    storage = Storage(filesystems=(ANEW.evolve(**members),))
    assert new_root.find(storage, RootDevice(root), FACTS, planned()) == []
    with pytest.raises(Failure) as caught:
        plan_root(storage, RootDevice(root), FACTS, planned())
    assert caught.value.what == f"this overwrites ROOT (/dev/vda9), and the config does not create a file system {root}"
    assert caught.value.where == LOST
    assert caught.value.fix.startswith("keep ROOT, or make another one: ")


@pytest.mark.parametrize(
    "options", [("-L", "ROOT"), ("-LROOT",), ("-m", "crc=1", "-L", "ROOT"), ("-L", "x", "-L", "ROOT")], ids=str
)
def test_label_in_the_options_counts(options: tuple[str, ...]) -> None:
    wanted = ANEW.evolve(options=options)
    assert find("LABEL=ROOT", wanted) == (0, wanted)


def test_uuid_in_the_options_counts() -> None:
    for wanted in (ANEW.evolve(options=("-m", f"crc=1,uuid={UUID}")), ANEW.evolve(format="ext4", options=(f"-U{UUID}",))):
        assert find(f"UUID={UUID.upper()}", wanted) == (0, wanted)


@pytest.mark.parametrize(
    ("root", "new"),
    [
        pytest.param("PARTLABEL=ROOT", table(name="root"), id="label changed"),
        pytest.param("PARTLABEL=ROOT", table(name=""), id="label dropped"),
        pytest.param(f"PARTUUID={GUID}", table(unique=UUID), id="guid changed"),
        pytest.param("/dev/vda9", table(number=10), id="number changed"),
        pytest.param("/dev/vda9", gpt.empty(512, 1 << 22), id="partition deleted"),
        pytest.param("PARTLABEL=ROOT", None, id="table wiped"),
        pytest.param("/dev/vda9", None, id="table wiped, by number"),
        pytest.param(f"PARTUUID={GUID}", None, id="table wiped, by guid"),
    ],
)
def test_partition_that_root_names_and_the_new_table_lacks_is_refused(root: str, new: gpt.Table | None) -> None:
    """The link may still be there: what counts is what it will lead to."""
    for device in (NODE, RootDevice(root).link):
        storage = Storage(filesystems=(ANEW.evolve(device=device),))
        with pytest.raises(Failure) as caught:
            plan_root(storage, RootDevice(root), FACTS, planned({"/dev/vda": new}))
        assert caught.value.what == f"this overwrites ROOT (/dev/vda9), and the config does not create a file system {root}"
        assert caught.value.fix == f"keep ROOT, or make another one: create a file system on {RootDevice(root).link}"


@pytest.mark.parametrize("device", ["/dev/vda10", "/dev/disk/by-partlabel/ROOT", f"/dev/disk/by-partuuid/{GUID}"])
def test_root_by_the_name_of_its_partition_may_move(device: str) -> None:
    new = planned({"/dev/vda": table(number=10)}, made=("/dev/vda10",))
    for root in ("PARTLABEL=ROOT", f"PARTUUID={GUID}"):
        assert find(root, ANEW.evolve(device=device), on=new) == (0, ANEW.evolve(device=device))


def test_second_partition_of_the_name_of_root_is_refused() -> None:
    failure = refused("PARTLABEL=ROOT", on=planned({"/dev/vdb": table(number=1)}, made=("/dev/vdb1",)), facts=KEPT)
    assert failure.what == (
        "there would be 2 partitions PARTLABEL=ROOT, and the kernel command line requires one: /dev/vdb1, /dev/vda9"
    )
    assert (failure.where, failure.fix) == ("$.storage.disks", "choose another label for the new partition")


def test_second_partition_of_the_name_that_was_there_before_is_none_of_ours() -> None:
    assert find("PARTLABEL=ROOT", on=planned({"/dev/vdb": table(number=1)}), facts=KEPT) is None


def test_two_file_systems_of_the_name_of_root_are_refused() -> None:
    two = (ANEW.evolve(label="ROOT"), ANEW.evolve(device="/dev/vdb1", label="ROOT"))
    failure = refused("LABEL=ROOT", *two)
    assert failure.what == f"the config makes two file systems LABEL=ROOT: this one, and the one at {WHERE}"
    assert (failure.where, failure.fix) == ("$.storage.filesystems.1", "change the label or UUID of one of them")


def test_labelled_one_elsewhere_is_root_and_the_old_device_keeps_no_name() -> None:
    """ROOT moves to another disk, and its old partition serves something else."""
    old, new = ANEW, ANEW.evolve(device="/dev/vdb1", label="ROOT")
    assert find("LABEL=ROOT", old, new) == (1, new)


def test_root_that_stays_gets_no_name() -> None:
    assert find("LABEL=ROOT", ANEW.evolve(wipe_filesystem=None), facts=KEPT) is None


def test_label_is_given_where_the_partition_is_made_anew() -> None:
    new = planned({"/dev/vda": table(name="data", unique=UUID)}, made=(NODE,))
    assert find("LABEL=ROOT", ANEW, on=new) == (0, ANEW.evolve(label="ROOT"))


@pytest.mark.parametrize(
    ("root", "others"),
    [
        ("/dev/mapper/root", {"luks": (Luks(name="root", device=NODE),)}),
        ("/dev/md/root", {"raid": (Raid(name="root", level="raid1", devices=(NODE, "/dev/vdb1")),)}),
    ],
    ids=["volume", "array"],
)
def test_root_on_a_volume_or_an_array_is_found_by_its_path(root: str, others: dict[str, Any]) -> None:
    wanted = ANEW.evolve(device=root)
    assert find(root, wanted, **others) == (0, wanted)
    assert find(root, ANEW, **others) is None


def test_volume_has_two_paths() -> None:
    wanted = ANEW.evolve(device="/dev/disk/by-id/dm-name-root")
    assert find("/dev/mapper/root", wanted, luks=(Luks(name="root", device=NODE),)) == (0, wanted)


@pytest.mark.parametrize("label", ["a" * 13, "größegröß"])
def test_label_that_the_format_has_no_room_for_is_refused(label: str) -> None:
    failure = refused(f"LABEL={label}", ANEW)
    assert failure.what == f"root=LABEL={label} on the kernel command line must find it, and xfs has labels of at most 12 bytes"
    assert (failure.where, failure.fix) == (WHERE, f"use a format with longer labels (btrfs), {KARGS}")
    assert find(f"LABEL={label}", ANEW.evolve(format="ext4"))[1].label == label


@pytest.mark.parametrize("uuid", ["ABCD-1234", "abc", UUID[:-1]])
def test_uuid_that_the_format_cannot_have_is_refused(uuid: str) -> None:
    failure = refused(f"UUID={uuid}", ANEW)
    assert failure.what == f"root=UUID={uuid} on the kernel command line must find it, and xfs cannot have this UUID"
    assert (failure.where, failure.fix) == (WHERE, f"keep ROOT, {KARGS}")


def test_vfat_is_refused_as_root() -> None:
    failure = refused("LABEL=ROOT", ANEW.evolve(format="vfat"))
    assert failure.what == "this would be ROOT, and vfat has neither owners nor modes nor links"
    assert (failure.where, failure.fix) == (f"{WHERE}.format", "use ext4, xfs or btrfs")


def test_format_that_the_command_line_does_not_mount_is_refused() -> None:
    failure = refused(RootDevice("LABEL=ROOT", format="ext4"), ANEW)
    assert failure.what == "this would be ROOT, and rootfstype=ext4 on the kernel command line does not mount xfs"
    assert (failure.where, failure.fix) == (f"{WHERE}.format", f"use ext4, {KARGS}")


@pytest.mark.parametrize("format", ["", "xfs", "auto", "ext4,xfs"])
def test_format_that_the_command_line_mounts_is_taken(format: str) -> None:
    assert find(RootDevice("LABEL=ROOT", format=format), ANEW)[1].label == "ROOT"


def btrfs(*subvolumes: Subvolume) -> Filesystem:
    return ANEW.evolve(format="btrfs", extension=FilesystemExtension(subvolumes=subvolumes))


@pytest.mark.parametrize(
    ("flags", "wanted", "wrong"),
    [
        ("data=ordered", ANEW, "data=ordered"),
        ("noatime,subvol=@", ANEW, "subvol=@"),
        ("compress=zstd", ANEW.evolve(format="ext4"), "compress=zstd"),
        ("inode64", btrfs(), "inode64"),
        ("subvol=@", btrfs(), "subvol=@"),
        ("subvol=@", btrfs(Subvolume(path="/@")), "subvol=@"),
        ("subvol=@", btrfs(Subvolume(path="/@root", default=True)), "subvol=@"),
        ("subvolid=256", btrfs(), "subvolid=256"),
        ("subvolid=5", btrfs(Subvolume(path="/@", default=True)), "subvolid=5"),
    ],
)
def test_flags_with_which_it_cannot_be_mounted_are_refused(flags: str, wanted: Filesystem, wrong: str) -> None:
    failure = refused(RootDevice("LABEL=ROOT", flags=flags), wanted)
    assert failure.what == f"this would be ROOT, and could not be mounted with rootflags={wrong} of the kernel command line"
    assert (failure.where, failure.fix) == (WHERE, f"keep its format and subvolumes, {KARGS}")


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ("noatime,ro,discard,nodev,x-initrd.mount,usrquota,commit=5", ANEW),
        ("inode64,logbufs=8", ANEW),
        ("data=journal,errors=remount-ro", ANEW.evolve(format="ext4")),
        ("subvol=@", btrfs(Subvolume(path="/@", default=True))),
        ("subvol=/@", btrfs(Subvolume(path="/@", default=True))),
        ("subvolid=5,compress=zstd", btrfs()),
        ("subvol=/", btrfs(Subvolume(path="/@"))),
    ],
)
def test_flags_with_which_it_can_be_mounted_are_taken(flags: str, wanted: Filesystem) -> None:
    assert find(RootDevice("LABEL=ROOT", flags=flags), wanted)[0] == 0


@pytest.mark.parametrize("link", ["/dev/disk/by-label/ROOT", f"/dev/disk/by-uuid/{UUID}"])
def test_link_that_goes_away_with_its_partition_is_refused(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stage would wait for it while ROOT is in memory only."""
    monkeypatch.setattr("os.path.realpath", lambda path: NODE if path == link else path)
    failure = refused("LABEL=ROOT", ANEW.evolve(device=link), on=planned({"/dev/vda": table()}, made=(NODE,)))
    assert failure.what == f"its partition is recreated, which removes {link}"
    assert failure.where == f"{WHERE}.device"
    assert find("LABEL=ROOT", ANEW.evolve(device=link), on=planned({"/dev/vda": table()}))[1].label == "ROOT"


def test_name_that_root_gets_is_in_the_plan_and_in_the_journal(capfd: pytest.CaptureFixture[str]) -> None:
    other = Filesystem(device="/dev/vdb1", format="ext4", label="data")
    made = plan_root(Storage(filesystems=(other, ANEW)), RootDevice("LABEL=ROOT"), FACTS, planned())
    assert made.storage == Storage(filesystems=(other, ANEW.evolve(label="ROOT")))
    said = "/dev/vda9 gets the label 'ROOT', so that root=LABEL=ROOT on the kernel command line finds the new ROOT"
    assert said in capfd.readouterr().out
    plan_root(Storage(filesystems=(ANEW.evolve(label="ROOT"),)), RootDevice("LABEL=ROOT"), FACTS, planned())
    assert "gets the label" not in capfd.readouterr().out


def test_two_names_of_one_device_get_one_label() -> None:
    """Of a 2.x config: entries that do not agree are refused later, when ROOT is in memory only."""
    one, two = ANEW.evolve(name="a"), ANEW.evolve(device=f"/dev/disk/by-partuuid/{GUID}", name="b")
    made = plan_root(Storage(filesystems=(one, two)), RootDevice("LABEL=ROOT"), FACTS, planned({"/dev/vda": table()}))
    assert [entry.label for entry in made.storage.filesystems] == ["ROOT", "ROOT"]


def test_root_that_is_found_by_its_type_stays_in_its_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.realpath", lambda path: NODE if path == GPT_AUTO else path)
    assert find(GPT_AUTO, ANEW, on=planned({"/dev/vda": table()})) == (0, ANEW)
    assert find(GPT_AUTO, ANEW, on=planned({"/dev/vda": table()}, made=(NODE,))) is None
    assert find(GPT_AUTO, ANEW.evolve(device="/dev/vdb1")) is None


@pytest.mark.parametrize(
    ("format", "options", "label"),
    [
        pytest.param("ext4", ("-L", "a"), "a", id="word behind"),
        pytest.param("ext4", ("-La",), "a", id="one word"),
        pytest.param("ext4", ("-L=a",), "=a", id="one word with a sign"),
        pytest.param("ext4", ("-L",), "", id="no word behind"),
        pytest.param("btrfs", ("--label=a",), "a", id="long option with a sign"),
        pytest.param("btrfs", ("--label", "a"), "a", id="long option"),
        pytest.param("btrfs", ("--label=a", "-L", "b"), "b", id="the last counts"),
        pytest.param("ext4", ("-m", "1"), "", id="no label"),
    ],
)
def test_label_in_options(format: str, options: tuple[str, ...], label: str) -> None:
    assert new_root.label_of(Filesystem(device="/dev/vda9", format=format, options=options)) == label
