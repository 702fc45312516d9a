"""Which array is kept, made or refused, and with which command (7.2)."""

from pathlib import Path
from typing import Any

import pytest

from ignition.config.model.storage import Filesystem, Luks, Raid, Storage
from ignition.errors import CommandFailed, Failure
from ignition.host import devices, log
from ignition.operation import Context
from ignition.storage import raid as raid_module
from ignition.storage import signatures
from ignition.storage.raid import (
    BROKEN_FIX,
    CONTENT_FIX,
    Member,
    Superblock,
    create_command,
    flagged,
    member,
    parse,
    path_of,
    plan,
    waves,
)

WHERE = "$.storage.raid.0"
DEVICES = ("/dev/disk/by-partlabel/a", "/dev/disk/by-partlabel/b")
# mdadm 4.2, of a member of `mdadm --create /dev/md/data --homehost any --level raid1 --raid-devices 2`.
EXAMINED = """MD_LEVEL=raid1
MD_DEVICES=2
MD_NAME=any:data
MD_ARRAY_SIZE=1022.00MiB
MD_UUID=a2b1c3d4:1f6e6d3c:11111111:22222222
MD_UPDATE_TIME=1763974800
MD_DEV_UUID=e0f1a2b3:44445555:66667777:88889999
MD_EVENTS=17
"""


def array(**members: Any) -> Raid:
    return Raid(**{"name": "data", "level": "raid1", "devices": DEVICES, **members})


def block(uuid: str = "u", name: str = "data", level: str = "raid1", devices: int = 2, events: int = 17) -> Superblock:
    return Superblock(uuid, name, level, devices, events)


def members(*found: Superblock | None, **of_each: str) -> list[Member]:
    return [Member(f"/dev/vdb{number}", one, **of_each) for number, one in enumerate(found, 1)]


def decide(raid: Raid, found: list[Member], *may_lose: str) -> str:
    (operation,) = plan((raid,), {raid.name: found}, lambda _, node: node in may_lose)
    return operation.kind


def test_examination_of_a_member_is_understood() -> None:
    found = parse(EXAMINED)
    assert found is not None
    seen = (found.uuid, found.name, found.level, found.devices, found.events)
    assert seen == ("a2b1c3d4:1f6e6d3c:11111111:22222222", "data", "raid1", 2, 17)


def test_examination_of_what_is_no_member_gives_none() -> None:
    assert parse("MD_LEVEL=container\nMD_METADATA=imsm\n") is None


@pytest.mark.parametrize(
    ("raid", "found"),
    [
        pytest.param(array(), members(block(), block()), id="right"),
        pytest.param(array(level="mirror"), members(block(), block()), id="level in other words"),
        pytest.param(array(name="/dev/md/data"), members(block(), block()), id="name as a path"),
        pytest.param(array(spares=1), members(block(devices=1), block(devices=1)), id="a spare"),
        pytest.param(array(), members(block(), block(), array="md127"), id="running"),
    ],
)
def test_array_that_is_right_is_used(raid: Raid, found: list[Member]) -> None:
    assert decide(raid, found) == "assemble-array"


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(members(None, None), id="nothing"),
        pytest.param(members(block(events=0), None), id="creation was interrupted"),
        pytest.param(members(block("u", events=0), block("v", events=0)), id="two interrupted creations"),
        pytest.param(
            members(block(level="raid0", events=0), block(level="raid0", events=0)), id="interrupted with another level"
        ),
    ],
)
def test_other_devices_become_the_array(found: list[Member]) -> None:
    assert decide(array(), found) == "create-array"


@pytest.mark.parametrize(
    ("found", "number", "held"),
    [
        pytest.param(members(block(name="other"), block(name="other")), 0, "the array other", id="another name"),
        pytest.param(members(block(level="raid0"), block(level="raid0")), 0, "the array data", id="another level"),
        pytest.param(members(block(devices=3), block(devices=3)), 0, "the array data", id="another size"),
        pytest.param(members(None, None, content="ext4 labelled 'x'"), 0, "ext4 labelled 'x'", id="a file system"),
        pytest.param(members(None, block(name="other")), 1, "the array other", id="the second one"),
        pytest.param(
            [*members(block(events=0)), Member("/dev/vdb2", None, content="swap")], 1, "swap", id="beside a creation cut short"
        ),
    ],
)
def test_what_a_device_holds_goes_only_if_it_was_given_up(found: list[Member], number: int, held: str) -> None:
    with pytest.raises(Failure) as caught:
        decide(array(), found)
    assert caught.value.what == f"{DEVICES[number]} holds {held}, and would become part of /dev/md/data"
    assert (caught.value.where, caught.value.fix) == (f"{WHERE}.devices.{number}", CONTENT_FIX)
    assert decide(array(), found, *(one.node for one in found)) == "create-array"


def test_content_of_one_device_given_up_is_not_that_of_the_other() -> None:
    found = members(None, None, content="ext4")
    with pytest.raises(Failure, match="/b holds ext4"):
        decide(array(), found, found[0].node)


@pytest.mark.parametrize(
    ("made", "arrays"),
    [
        pytest.param({"filesystems": (Filesystem(device="/dev/md/data", format="xfs", wipe_filesystem=True),)}, ["/dev/md/data"]),
        pytest.param({"luks": (Luks(name="v", device="/dev/md/data", wipe_volume=True),)}, ["/dev/md/data"]),
        pytest.param({"filesystems": (Filesystem(device="/dev/md/data", format="xfs"),)}, []),
        pytest.param({"filesystems": (Filesystem(device="/dev/mapper/v", format="xfs", wipe_filesystem=True),)}, []),
        pytest.param(
            {"filesystems": (Filesystem(device="/dev/md/outer", format="xfs", wipe_filesystem=True),)},
            ["/dev/md/data", "/dev/md/outer"],
        ),
    ],
    ids=["file-system", "volume", "unflagged", "on-something-else", "on-an-array-of-arrays"],
)
def test_wipe_flag_of_what_is_made_on_an_array_counts_for_its_devices(made: dict[str, Any], arrays: list[str]) -> None:
    outer = Raid(name="outer", level="raid0", devices=("/dev/md/data", "/dev/md/more"))
    storage = Storage(raid=(array(), outer), **made)
    assert [path for path in ("/dev/md/data", "/dev/md/outer") if path in flagged(storage)] == arrays


@pytest.mark.parametrize(
    ("found", "where", "what", "fix"),
    [
        pytest.param(
            members(block(), None), WHERE, f"{DEVICES[0]} belongs to the array data, unlike {DEVICES[1]}", BROKEN_FIX,
            id="a member is missing",
        ),
        pytest.param(
            members(block("u"), block("v")), WHERE, "the devices belong to 2 arrays named data", BROKEN_FIX, id="two halves"
        ),
        pytest.param(
            members(None, None, user="mounted on /srv"),
            f"{WHERE}.devices.0",
            f"{DEVICES[0]} is in use (mounted on /srv)",
            "stop using it first, or name another device",
            id="mounted",
        ),
        pytest.param(
            members(block(name="x"), block(name="x"), array="md5", user="member of the array /dev/md/x"),
            f"{WHERE}.devices.0",
            f"{DEVICES[0]} is in use (member of the array /dev/md/x)",
            "stop using it first, or name another device",
            id="part of another array that runs",
        ),
    ],
)  # fmt: skip
def test_what_must_not_be_overwritten_is_refused(found: list[Member], where: str, what: str, fix: str) -> None:
    with pytest.raises(Failure) as caught:
        decide(array(), found)
    assert (caught.value.where, caught.value.what, caught.value.fix) == (where, what, fix)


def test_device_of_two_arrays_is_refused() -> None:
    one, other = array(devices=DEVICES[:1]), array(name="other", devices=DEVICES[1:])
    same = members(None)
    with pytest.raises(Failure) as caught:
        plan((one, other), {"data": same, "other": same})
    assert caught.value.what == f"{DEVICES[1]} is also the device at {WHERE}.devices.0"
    assert caught.value.where == "$.storage.raid.1.devices.0"


def test_array_that_runs_under_another_name_is_not_there_yet(context: Context) -> None:
    (operation,) = plan((array(),), {"data": members(block(), block(), array="md127")})
    assert operation.describe() == f"use the array /dev/md/data as it is ({WHERE})"
    assert not operation.already_there(context)  # there is no /dev/md/data here


def test_command_has_every_member_of_the_config() -> None:
    raid = array(level="raid5", spares=1, devices=("/a", "/b", "/c", "/d"), options=("--chunk=64", "--bitmap=internal"))
    assert create_command(raid, ["/dev/1", "/dev/2", "/dev/3", "/dev/4"]) == [
        *("mdadm", "--create", "/dev/md/data", "--force", "--run", "--homehost", "any", "--level", "raid5"),
        *("--raid-devices", "3", "--spare-devices", "1", "--chunk=64", "--bitmap=internal"),
        *("/dev/1", "/dev/2", "/dev/3", "/dev/4"),
    ]


@pytest.mark.parametrize(("name", "path"), [("data", "/dev/md/data"), ("/dev/md7", "/dev/md7"), ("/dev/md/x", "/dev/md/x")])
def test_path_of_an_array(name: str, path: str) -> None:
    assert path_of(array(name=name)) == path


@pytest.fixture
def did(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The programs that ran, and the devices that udev was waited for."""
    found: list[str] = []

    def run(argv: list[str], **_: Any) -> str:
        found.append(" ".join(argv))
        if "missing" in argv[-1]:
            raise CommandFailed("exit status 1", status=1)
        return ""

    log.configure(stage="test", to_stdout=True)
    monkeypatch.setattr(raid_module, "run", run)
    monkeypatch.setattr(devices, "resolve", lambda path: f"{path}-node")
    monkeypatch.setattr(devices, "settle", lambda nodes: found.append(f"settle {' '.join(nodes)}"))
    return found


def test_new_array_is_created_and_what_appears_in_it_is_erased(
    did: list[str], context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    held = [Member("/dev/vdb1", None, content="ext4"), Member("/dev/vdb2", block(name="old"))]
    (operation,) = plan((array(),), {"data": held}, lambda *_: True)
    assert operation.describe() == f"create the raid1 array /dev/md/data of {', '.join(DEVICES)} ({WHERE})"
    assert (operation.path, operation.place, operation.kind) == ("/dev/md/data", WHERE, "create-array")
    operation.execute(context)
    create = "mdadm --create /dev/md/data --force --run --homehost any --level raid1 --raid-devices 2 /dev/vdb1 /dev/vdb2"
    assert did == [create, "wipefs -a /dev/md/data-node", "settle /dev/md/data-node /dev/vdb1 /dev/vdb2"]
    assert capsys.readouterr().out.splitlines() == [
        "WARNING  : test: /dev/vdb1 held ext4: it is overwritten by /dev/md/data",
        "WARNING  : test: /dev/vdb2 held the array old: it is overwritten by /dev/md/data",
    ]


@pytest.mark.parametrize(
    ("running", "stopped"),
    [(("", ""), []), (("md127", "md127"), ["mdadm --stop /dev/md127"]), (("md127", ""), ["mdadm --stop /dev/md127"])],
)
def test_array_is_assembled_from_its_members(
    did: list[str], context: Context, running: tuple[str, str], stopped: list[str]
) -> None:
    held = [Member(f"/dev/vdb{number}", block(), array=name) for number, name in enumerate(running, 1)]
    (operation,) = plan((array(),), {"data": held})
    assert (operation.path, operation.place) == ("/dev/md/data", WHERE)
    operation.execute(context)
    assemble = "mdadm --assemble --run --homehost any /dev/md/data /dev/vdb1 /dev/vdb2"
    assert did == [*stopped, assemble, "settle /dev/md/data-node"]


@pytest.mark.parametrize("kind", [None, block()])
def test_failure_of_mdadm_has_the_place_of_the_array(did: list[str], context: Context, kind: Superblock | None) -> None:
    (operation,) = plan((array(),), {"data": [Member("/dev/vdb1", kind), Member("/dev/missing", kind)]})
    with pytest.raises(CommandFailed) as caught:
        operation.execute(context)
    assert caught.value.where == WHERE
    assert len(did) == 1


@pytest.mark.parametrize(
    ("running", "has_link", "is_there"),
    [(("md1", "md1"), True, True), (("md1", "md1"), False, False), (("md1", "md2"), True, False), (("md1", ""), True, False)],
)
def test_array_is_there_when_all_members_run_in_it_under_its_name(
    tmp_path: Path, context: Context, running: tuple[str, str], has_link: bool, is_there: bool
) -> None:
    (operation,) = plan(
        (array(),), {"data": [Member("/dev/a", block(), array=running[0]), Member("/dev/b", block(), array=running[1])]}
    )
    operation.path = str(tmp_path / "data")
    if has_link:
        (tmp_path / "data").touch()
    assert operation.already_there(context) is is_there


@pytest.mark.parametrize(
    ("answer", "holders", "superblock", "array_name", "content"),
    [
        pytest.param((0, EXAMINED), ["dm-0", "md127"], "data", "md127", "", id="member of a running array"),
        pytest.param((0, EXAMINED), ["dm-0"], "data", "", "", id="member of an array that is not assembled"),
        pytest.param((1, ""), [], None, "", "ext4 labelled 'x'", id="something else"),
        pytest.param((0, "MD_LEVEL=container\n"), [], None, "", "ext4 labelled 'x'", id="container"),
    ],
)
def test_device_is_examined(
    monkeypatch: pytest.MonkeyPatch,
    answer: tuple[int, str],
    holders: list[str],
    superblock: str | None,
    array_name: str,
    content: str,
) -> None:
    class Users(devices.Users):
        def __init__(self) -> None:
            pass

        def of_any_part(self, name: str) -> str:
            return f"user of {name}"

    def examine(argv: list[str], *, ok: tuple[int, ...], **_: Any) -> tuple[int, str]:
        assert argv == ["mdadm", "--examine", "--export", "/dev/vdb1"]
        assert answer[0] in ok
        return answer

    monkeypatch.setattr(raid_module, "status_and_output", examine)
    monkeypatch.setattr(devices, "name_of", lambda node: node.removeprefix("/dev/"))
    monkeypatch.setattr(devices, "holders", lambda name: holders if name == "vdb1" else [])
    monkeypatch.setattr(signatures, "all_of", lambda node: [signatures.Signature("ext4", "x")])
    found = member("/dev/vdb1", Users())
    assert (found.superblock.name if found.superblock else None) == superblock
    assert (found.node, found.array, found.content, found.user) == ("/dev/vdb1", array_name, content, "user of vdb1")


@pytest.mark.parametrize(
    ("text", "events", "size"),
    [
        ("MD_UUID=u\nMD_LEVEL=raid1\n", 0, 0),
        ("MD_UUID=u\nMD_LEVEL=raid1\nMD_EVENTS=0\nMD_DEVICES=3\n", 0, 3),
        ("MD_UUID=u\nMD_LEVEL=raid1\nMD_EVENTS=0.23\n", 1, 0),  # the format of version 0.90: not a number, so it has run
        ("MD_UUID=u\nMD_LEVEL=raid1\nMD_EVENTS=\u0663\n", 1, 0),
    ],
)
def test_array_has_run_if_it_has_events(text: str, events: int, size: int) -> None:
    found = parse(text)
    assert found is not None
    assert (found.events, found.devices, found.name) == (events, size, "")
    assert parse(text.replace("MD_UUID", "X")) is None


def test_arrays_of_arrays_come_after_them() -> None:
    outer = array(name="outer", devices=("/dev/md/data", "/dev/x"))
    assert waves((outer, array())) == [[array()], [outer]]


def test_only_the_arrays_of_a_wave_are_planned() -> None:
    outer = array(name="outer", devices=("/dev/md/data", "/dev/x"))
    (operation,) = plan((outer, array()), {"data": members(None, None)})
    assert (operation.path, operation.place) == ("/dev/md/data", "$.storage.raid.1")


@pytest.mark.parametrize("found", [members(block(), block()), members(None, None)], ids=["assembled", "created"])
def test_record_has_what_the_members_hold(found: list[Member]) -> None:
    (operation,) = plan((array(),), {"data": found}, lambda *_: True)
    content = "member of /dev/md/data"
    assert operation.facts() == {"holds": [{"node": f"/dev/vdb{number}", "content": content} for number in (1, 2)]}
