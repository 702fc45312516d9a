"""What each step of growth starts, with which key, and what it leaves when a program fails. No program is started."""

from pathlib import Path

import pytest

from ignition.errors import CommandFailed, Failure
from ignition.host import devices
from ignition.host.mounts import Mount
from ignition.host.root import Root
from ignition.operation import Context, Operation
from ignition.storage import luks_header
from ignition.storage.grow import GrowFacts, keys, lvm, operations
from ignition.storage.grow.facts import Array, Crypt, Disk, Logical, Part
from ignition.storage.luks_header import Header, Token
from ignition.storage.luks_keys import Keys


class Programs:
    """Records what is started, and the standard input; `answers` by the beginning of a command line."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.answers: dict[str, str] = {}
        self.wrong_keys: set[bytes] = set()

    def run(self, argv: list[str], *, why: str, stdin: bytes = b"", timeout_s: float = 0) -> str:
        line = " ".join(argv) + (f" <{stdin.decode()}" if stdin else "")
        self.started.append(line)
        if stdin in self.wrong_keys:
            raise CommandFailed(f"{why}: no key", status=2)
        return next((answer for begin, answer in self.answers.items() if line.startswith(begin)), "")


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    found = Programs()
    for module in (operations, keys, lvm):
        monkeypatch.setattr(module, "run", found.run)
    return found


class Known(keys.Known):
    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self.what = key.decode()


def volume(*ways: keys.Way, needs_key: bool = True) -> Crypt:
    made = Crypt("/dev/dm-0", 1, "root", "LUKS2")
    made.ways = ways if needs_key else None
    return made


def test_first_key_that_fits_grows_an_encrypted_volume(programs: Programs, context: Context) -> None:
    programs.wrong_keys = {b"one"}
    operations.GrowCrypt(volume(Known(b"one"), Known(b"two"), Known(b"three"))).execute(context)
    assert programs.started == [f"cryptsetup resize --key-file=- -- root <{key}" for key in ("one", "two")]


def test_volume_that_no_key_opens_says_what_was_tried(programs: Programs, context: Context) -> None:
    programs.wrong_keys = {b"one", b"two"}
    with pytest.raises(Failure, match="no key opens root: one: growing root: no key; two: growing root: no key") as caught:
        operations.GrowCrypt(volume(Known(b"one"), Known(b"two"))).execute(context)
    assert caught.value.where == "root"
    assert caught.value.fix == "`cryptsetup resize root` asks for the passphrase; then `ignition grow`"


def test_volume_whose_key_the_kernel_shows_needs_none(programs: Programs, context: Context) -> None:
    operations.GrowCrypt(volume(needs_key=False)).execute(context)
    assert programs.started == ["cryptsetup resize -- root"]


def test_ways_to_a_key_in_their_order(programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = Header(uuid="1", tokens=(Token((3,), {}), Token((), {})))
    monkeypatch.setattr(luks_header, "read", lambda node: header)
    (tmp_path / "etc/luks").mkdir(parents=True)
    (tmp_path / "etc/crypttab").write_text("root UUID=1 /etc/luks/root luks\n")
    (tmp_path / "etc/luks/root").write_bytes(b"file")
    programs.answers["clevis"] = "pass\n"
    known = Keys()
    known.put("root", b"known")
    finder = keys.KeyFinder(known, Root(str(tmp_path)))
    ways = finder.ways("root", "/dev/vda9")
    assert [way.what for way in ways] == ["the key of this first boot", "/etc/luks/root", "clevis (slot 3)"]
    assert [way.key() for way in ways] == [b"known", b"file", b"pass"]
    assert programs.started == ["clevis luks pass -d /dev/vda9 -s 3"]
    assert [way.what for way in finder.ways("other", "/dev/vda9")] == ["clevis (slot 3)"]


def test_clevis_is_asked_until_its_network_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PAUSE_S", 0.0)
    answers: list[str | CommandFailed] = [CommandFailed("no route", status=1), CommandFailed("no route", status=1), "pass"]

    def run(*_: object, **__: object) -> str:
        answer = answers.pop(0)
        if isinstance(answer, CommandFailed):
            raise answer
        return answer

    monkeypatch.setattr(keys, "run", run)
    assert keys.Clevis("/dev/vda9", 1).key() == b"pass"
    assert answers == []
    monkeypatch.setattr(keys, "NETWORK_WAIT_S", -1.0)
    answers.append(CommandFailed("still none", status=1))
    with pytest.raises(CommandFailed, match="still none"):
        keys.Clevis("/dev/vda9", 1).key()


def test_nothing_opens_a_volume_of_a_machine_without_crypttab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(luks_header, "read", lambda node: None)
    assert keys.KeyFinder(Keys(), Root(str(tmp_path))).ways("root", "/dev/vda9") == ()


@pytest.fixture
def sync_action(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """sysfs of an array; the name of its node is taken without a look at /dev."""
    monkeypatch.setattr(devices, "SYSFS", str(tmp_path))
    monkeypatch.setattr(devices, "name_of", lambda node: node.rpartition("/")[2])
    (tmp_path / "class/block/md127/md").mkdir(parents=True)
    return tmp_path / "class/block/md127/md/sync_action"


@pytest.mark.parametrize(("before", "during"), [("idle\n", "idle\n"), ("resync\n", "frozen"), ("check\n", "frozen")])
def test_synchronisation_is_held_while_an_array_grows(
    programs: Programs, context: Context, sync_action: Path, before: str, during: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def run(argv: list[str], **_: object) -> str:
        seen.append((argv, sync_action.read_text()))
        raise CommandFailed("no", status=1)

    monkeypatch.setattr(operations, "run", run)
    sync_action.write_text(before)
    with pytest.raises(CommandFailed):
        operations.GrowArray(Array("/dev/md127", 1, "raid1")).execute(context)
    assert seen == [(["mdadm", "--grow", "/dev/md127", "--size=max"], during)]
    assert sync_action.read_text().strip() == "idle"  # the kernel then goes on by itself


def logical(free: int) -> Logical:
    made = Logical("/dev/dm-1", 1, "vg/root")
    made.free = free
    return made


@pytest.mark.parametrize(
    ("free", "extended"),
    [pytest.param(105, ["lvm lvextend -l +100 -- vg/root"], id="won"), pytest.param(5, [], id="extended before the power cut")],
)
def test_logical_volume_takes_what_its_group_has_won(
    programs: Programs, context: Context, free: int, extended: list[str]
) -> None:
    programs.answers["lvm lvs"] = f'{{"report": [{{"lv": [{{"vg_free_count": "{free}"}}]}}]}}'
    lvm.NoteFree(logical(5)).execute(context)
    lvm.GrowPhysical("/dev/vda1").execute(context)
    lvm.GrowLogical(logical(5), 5).execute(context)
    assert [line for line in programs.started if "lvs" not in line] == [
        "lvm lvchange --addtag ignition.free=5 -- vg/root",
        "lvm pvresize -- /dev/vda1",
        *extended,
        "lvm lvchange --deltag ignition.free=5 -- vg/root",
    ]


@pytest.mark.parametrize(
    ("format", "command"),
    [
        ("ext4", "resize2fs /dev/dm-1"),
        ("xfs", "xfs_growfs /sysroot"),
        ("btrfs", "btrfs filesystem resize 2:max /sysroot"),
    ],
)
def test_file_system_grows_while_mounted(programs: Programs, context: Context, format: str, command: str) -> None:
    facts = GrowFacts(Mount((254, 1), "/sysroot", "/dev/dm-1", format, read_only=False), is_root=True)
    step: Operation = operations.GrowFilesystem(facts, Part(Disk("/dev/dm-1", 1), 1, 2))
    step.execute(context)
    assert programs.started == [command]
