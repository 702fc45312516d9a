"""/etc/crypttab and the key files of encrypted volumes in a new root: lines, modes, conflicts, second runs, interruptions."""

import os
import re
import stat
from pathlib import Path

import pytest

from ignition.config.model import Resource
from ignition.config.model.storage import Clevis, ClevisCustom, Luks, Tang
from ignition.errors import Failure
from ignition.host import devices
from ignition.operation import Context, Operation
from ignition.storage import crypt_mapping, luks_header
from ignition.storage.crypt_mapping import Mapping
from ignition.storage.luks_header import UNFINISHED, Binary
from ignition.storage.luks_keys import Keys
from ignition.sysroot import attempt, crypttab
from ignition.sysroot.attempt import Attempt
from ignition.sysroot.crypttab import Found, Line, updated

from .conftest import MakeContext
from .nodes_in_a_root import tree

UUIDS = {name: f"{digit * 8}-1111-4222-8333-bbbbbbbbbbbb" for name, digit in (("one", "a"), ("two", "b"), ("far", "c"))}
TANG = Clevis(tang=(Tang(url="http://t", thumbprint="T"),))
WANTED = (
    Luks(name="two", device="/dev/vdb2"),
    Luks(name="one", device="/dev/vdb1", key_file=Resource(source="data:,GIVEN")),
    Luks(name="far", device="/dev/vdb3", clevis=TANG),
)
LINES = [
    f"two UUID={UUIDS['two']} /etc/luks/two luks,x-initrd.attach",
    f"one UUID={UUIDS['one']} /etc/luks/one luks,x-initrd.attach",
    f"far UUID={UUIDS['far']} none luks,_netdev,x-initrd.attach",
]
ROOT = {"/etc/": "", "/etc/crypttab": "".join(f"{line}\n" for line in LINES), "/etc/luks/": ""}
ROOT |= {"/etc/luks/one": "GIVEN", "/etc/luks/two": "MADE"}
PRESET = "/etc/systemd/system-preset/20-ignition.preset"
ENABLED = "enable clevis-luks-askpass.path\nenable remote-cryptsetup.target\n"
ROOT |= {"/etc/systemd/": "", "/etc/systemd/system-preset/": "", PRESET: ENABLED}


class Machine:
    """The volumes as they are open; `unfinished` are those whose header bears the mark."""

    def __init__(self) -> None:
        self.unfinished = set(UUIDS)
        self.open = set(UUIDS)

    def named(self, name: str) -> Mapping | None:
        return Mapping(name, "dm-0", UUIDS[name], (name,)) if name in self.open else None

    def read_binary(self, node: str) -> Binary:
        name = os.path.basename(node)
        return Binary(2, "", UNFINISHED if name in self.unfinished else "", UUIDS[name])

    def cryptsetup(self, argv: list[str], **_: object) -> str:
        assert argv[:4] == ["cryptsetup", "config", "--label", ""]
        self.unfinished.remove(os.path.basename(argv[-1]))
        return ""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setattr(crypt_mapping, "mapping_named", found.named)
    monkeypatch.setattr(devices, "node_of", lambda name: f"/dev/{name}")
    monkeypatch.setattr(luks_header, "read_binary", found.read_binary)
    monkeypatch.setattr("ignition.storage.luks_operations.run", found.cryptsetup)
    return found


def keys(**known: str) -> Keys:
    """What the disks stage left in the state."""
    found = Keys()
    for name, key in (known or {"one": "GIVEN", "two": "MADE"}).items():
        found.put(name, key.encode())
    return found


def planned(context: Context, known: Keys, record: Attempt) -> tuple[list[Operation], Attempt]:
    """As the stage plans it, with the record that it puts on disk before."""
    found = crypttab.probe(WANTED, known)
    entries = crypttab.key_files(found, context.root)
    record.note_nodes(entries, context.root)
    attempt.begin(context.root, record)
    return crypttab.plan(found, entries, record), record


def apply(context: Context, known: Keys) -> list[str]:
    """A whole run; gives what was not there already."""
    operations, record = planned(context, known, attempt.load(context.root))
    done = []
    for operation in operations:
        if not operation.already_there(context):
            operation.execute(context)
            done.append(operation.describe())
    attempt.finish(context.root, record)
    return done


def seen(context: Context) -> dict[str, str]:
    return {path: text for path, text in tree(context).items() if path.startswith("/etc")}


def mode(context: Context, path: str) -> int:
    return stat.S_IMODE(os.lstat(context.root.path + path).st_mode)


def test_keys_then_lines_then_the_marks_in_the_configs_order(make_context: MakeContext, machine: Machine) -> None:
    context = make_context({})
    assert apply(context, keys()) == [
        "write key file /etc/luks/two",
        "write key file /etc/luks/one",
        "write two, one, far into /etc/crypttab",
        "write presets to /etc/systemd/system-preset/20-ignition.preset",
        "note in its header that two is complete ($.storage.luks.0)",
        "note in its header that one is complete ($.storage.luks.1)",
        "note in its header that far is complete ($.storage.luks.2)",
    ]
    assert seen(context) == ROOT
    modes = {path: mode(context, path) for path in ("/etc/crypttab", "/etc/luks", "/etc/luks/one", "/etc/luks/two")}
    assert modes == {"/etc/crypttab": 0o600, "/etc/luks": 0o700, "/etc/luks/one": 0o600, "/etc/luks/two": 0o600}
    assert machine.unfinished == set()


def test_no_umask_opens_keys_to_others(make_context: MakeContext, machine: Machine) -> None:
    context = make_context({})
    before = os.umask(0)
    try:
        apply(context, keys())
    finally:
        os.umask(before)
    assert (mode(context, "/etc/luks"), mode(context, "/etc/luks/one"), mode(context, "/etc/crypttab")) == (0o700, 0o600, 0o600)
    assert mode(context, "/etc") == 0o755


def test_volume_without_key_file_makes_no_directory_of_keys(make_context: MakeContext, machine: Machine) -> None:
    context = make_context({})
    found = crypttab.probe(WANTED[2:], keys())
    assert crypttab.written(found) == ["/etc/crypttab"]
    for operation in crypttab.plan(found, [], Attempt()):
        operation.execute(context)
    assert {path: text for path, text in seen(context).items() if "systemd" not in path} == {
        "/etc/": "",
        "/etc/crypttab": f"{LINES[2]}\n",
    }


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param({}, "/etc/luks/one luks,x-initrd.attach", id="generated key"),
        pytest.param({"key_file": Resource(source="http://h/k")}, "/etc/luks/one luks,x-initrd.attach", id="key file from afar"),
        pytest.param(
            {"discard": True, "open_options": ("--x",)}, "/etc/luks/one luks,x-initrd.attach", id="flags are in the header"
        ),
        pytest.param({"clevis": Clevis(tpm2=True)}, "none luks,x-initrd.attach", id="TPM"),
        pytest.param({"clevis": TANG}, "none luks,_netdev,x-initrd.attach", id="tang"),
        pytest.param({"clevis": TANG.evolve(tpm2=True, threshold=1)}, "none luks,_netdev,x-initrd.attach", id="tang or TPM"),
        pytest.param(
            {"clevis": TANG, "key_file": Resource(source="data:,k")},
            "none luks,_netdev,x-initrd.attach",
            id="tang beside a key file",
        ),
        pytest.param(
            {"clevis": Clevis(custom=ClevisCustom(pin="p", config="{}"))}, "none luks,x-initrd.attach", id="pin of one's own"
        ),
        pytest.param(
            {"clevis": Clevis(custom=ClevisCustom(pin="p", config="{}", needs_network=True))},
            "none luks,_netdev,x-initrd.attach",
            id="pin that needs the network",
        ),
    ],
)
def test_line_of_a_volume(machine: Machine, members: dict[str, object], expected: str) -> None:
    [found] = crypttab.probe((Luks(name="one", device="/dev/vdb1").evolve(**members),), keys(one="k"))
    assert str(found.line) == f"one UUID={UUIDS['one']} {expected}"
    assert found.has_key_file == (" none " not in f" {expected}")


@pytest.mark.parametrize(
    ("members", "decided", "names"),
    [
        pytest.param({}, set(), [], id="key file"),
        pytest.param({"clevis": Clevis(tpm2=True)}, set(), [crypttab.UNLOCKER], id="TPM"),
        pytest.param({"clevis": TANG}, set(), [crypttab.UNLOCKER, crypttab.REMOTE], id="tang"),
        pytest.param({"clevis": TANG}, {crypttab.UNLOCKER}, [crypttab.REMOTE], id="the config decides itself"),
    ],
)
def test_units_that_open_it_are_enabled(
    machine: Machine, members: dict[str, object], decided: set[str], names: list[str]
) -> None:
    found = crypttab.probe((Luks(name="one", device="/dev/vdb1").evolve(**members),), keys(one="k"))
    assert [(unit.name, unit.enabled) for unit in crypttab.units(found, frozenset(decided))] == [(name, True) for name in names]


def test_closed_volume_is_asked_for_its_uuid_itself(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.open.clear()
    (tmp_path / "one").touch()
    [found] = crypttab.probe((Luks(name="one", device=str(tmp_path / "one")),), keys())
    assert (found.line.uuid, found.volume.node) == (UUIDS["one"], str(tmp_path / "one"))


def test_volume_that_is_not_there_is_named(machine: Machine) -> None:
    machine.open.clear()
    with pytest.raises(Failure) as caught:
        crypttab.probe((Luks(name="one", device="/dev/missing"),), keys())
    assert caught.value.what == "volume one is not open, and /dev/missing does not hold one"
    assert (caught.value.where, caught.value.fix) == ("$.storage.luks.0", "run the disks stage first")


def test_second_run_changes_nothing(make_context: MakeContext, machine: Machine) -> None:
    context = make_context({})
    apply(context, keys())
    before = {path: os.lstat(context.root.path + path.rstrip("/")) for path in seen(context)}
    assert apply(context, keys()) == []
    after = {path: os.lstat(context.root.path + path.rstrip("/")) for path in seen(context)}
    assert [(s.st_ino, s.st_mtime_ns) for s in after.values()] == [(s.st_ino, s.st_mtime_ns) for s in before.values()]


def test_key_that_only_the_root_has_stays(make_context: MakeContext, machine: Machine) -> None:
    context = make_context({})
    apply(context, keys())
    assert apply(context, Keys()) == []
    os.chmod(f"{context.root.path}/etc/luks/two", 0o644)
    os.chmod(f"{context.root.path}/etc/luks", 0o755)
    assert "write key file /etc/luks/two" in apply(context, Keys())
    assert seen(context) == ROOT
    assert (mode(context, "/etc/luks"), mode(context, "/etc/luks/two")) == (0o700, 0o600)


def test_lost_key_is_a_failure(make_context: MakeContext, machine: Machine) -> None:
    context = make_context({})
    with pytest.raises(Failure) as caught:
        apply(context, keys(one="GIVEN"))
    assert (caught.value.what, caught.value.fix) == ("the key for /etc/luks/two is lost", "run the disks stage first")
    assert caught.value.where == "$.storage.luks.0"
    assert machine.unfinished == set(UUIDS)


@pytest.mark.parametrize(
    "there",
    [{"/etc/luks/one": "OTHER"}, {"/etc/luks/one": ""}, {"/etc/luks/one": "-> /etc/passwd"}],
    ids=["other", "empty", "link"],
)
def test_key_file_of_the_image_is_not_replaced(make_context: MakeContext, machine: Machine, there: dict[str, str]) -> None:
    context = make_context({"/etc/passwd": "", **there})
    with pytest.raises(Failure) as caught:
        apply(context, keys())
    assert caught.value.what == "/etc/luks/one already exists with other content"
    assert (caught.value.where, caught.value.fix) == ("$.storage.luks.1", "remove it, or rename the volume")
    assert seen(context)["/etc/luks/one"] == there["/etc/luks/one"]
    assert "/etc/crypttab" not in seen(context)
    assert machine.unfinished == set(UUIDS)


def test_key_file_that_is_right_only_gets_its_mode(make_context: MakeContext, machine: Machine) -> None:
    context = make_context({"/etc/luks/one": "GIVEN"})
    apply(context, keys())
    assert (seen(context), mode(context, "/etc/luks/one")) == (ROOT, 0o600)


def test_links_of_the_image_do_not_lead_out_of_the_root(make_context: MakeContext, machine: Machine) -> None:
    context = make_context({"/state/": "", "/etc/luks": "-> /state/luks", "/state/luks/": "", "/etc/crypttab": "-> ../state/tab"})
    apply(context, keys())
    found = tree(context)
    assert (found["/state/luks/one"], found["/state/luks/two"]) == ("GIVEN", "MADE")
    assert found["/state/tab"] == ROOT["/etc/crypttab"]
    assert (found["/etc/luks"], found["/etc/crypttab"]) == ("-> /state/luks", "-> ../state/tab")


def test_crypttab_that_is_no_file_is_refused(make_context: MakeContext, machine: Machine) -> None:
    context = make_context({"/etc/crypttab/": ""})
    with pytest.raises(Failure) as caught:
        apply(context, keys())
    assert (caught.value.what, caught.value.where) == ("it is a directory", "/etc/crypttab")
    assert caught.value.fix == "remove it: encrypted volumes are listed in this file"


def test_owner_of_crypttab_stays(make_context: MakeContext, machine: Machine) -> None:
    context = make_context({"/etc/crypttab": "# by hand\n"})
    path = f"{context.root.path}/etc/crypttab"
    if os.geteuid() == 0:
        os.chown(path, 0, 7)
    owner = os.lstat(path).st_gid
    apply(context, keys())
    assert os.lstat(path).st_gid == owner
    assert seen(context)["/etc/crypttab"] == "# by hand\n" + ROOT["/etc/crypttab"]


ONE = Line("one", UUIDS["one"], "/etc/luks/one", "luks,x-initrd.attach")
OLD = "one UUID=dddddddd-1111-4222-8333-bbbbbbbbbbbb none luks"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", f"{ONE}\n", id="nothing there"),
        pytest.param("# c\n\nx y z\n", f"# c\n\nx y z\n{ONE}\n", id="other lines stay"),
        pytest.param("x y z", f"x y z\n{ONE}\n", id="last line without an end"),
        pytest.param(f"{ONE}\nx y z\n", f"{ONE}\nx y z\n", id="there already"),
        pytest.param(f"one UUID={UUIDS['one']}\t/etc/luks/one  luks,discard\n", None, id="options changed since"),
        pytest.param(f"a\n{OLD}\nb\n", f"a\n{ONE}\nb\n", id="an earlier volume of that name: replaced in its place"),
        pytest.param(f"{OLD}\n{ONE}\n", f"{ONE}\n", id="an earlier one before the right one"),
        pytest.param(f"{ONE}\n{OLD}\n{ONE}\n", f"{ONE}\n", id="several of ours"),
        pytest.param("one /dev/sda1 none luks\n", f"one /dev/sda1 none luks\n{ONE}\n", id="a line by hand stays, with a warning"),
        pytest.param(
            "one UUID=x /etc/keys/one luks\n", f"one UUID=x /etc/keys/one luks\n{ONE}\n", id="a key elsewhere is by hand"
        ),
        pytest.param(
            "# one UUID=x none\nones UUID=x none\n", f"# one UUID=x none\nones UUID=x none\n{ONE}\n", id="similar lines"
        ),
    ],
)
def test_line_goes_into_what_is_there(before: str, after: str | None) -> None:
    expected = before if after is None else after
    assert updated(before, [ONE]) == expected
    assert updated(expected, [ONE]) == expected


def test_line_by_hand_is_warned_about(capsys: pytest.CaptureFixture[str], make_context: MakeContext) -> None:
    make_context({})  # the journal goes to standard output
    updated("one /dev/sda1 none luks\n", [ONE])
    assert "/etc/crypttab has another line for one, which may take precedence" in capsys.readouterr().out


def cut_at(number: int, context: Context) -> None:
    """The stage runs so many operations, and then the power fails."""
    operations, _ = planned(context, keys(), attempt.load(context.root))
    for operation in operations[:number]:
        operation.execute(context)


@pytest.mark.parametrize("number", range(8))
def test_interrupted_run_is_finished_by_the_next(make_context: MakeContext, machine: Machine, number: int) -> None:
    context = make_context({"/etc/crypttab": "x y z\n"})
    cut_at(number, context)
    assert attempt.load(context.root).unfinished
    apply(context, keys())
    assert seen(context) == ROOT | {"/etc/crypttab": "x y z\n" + ROOT["/etc/crypttab"]}
    assert (machine.unfinished, apply(context, keys())) == (set(), [])


@pytest.mark.parametrize("left", ["", "MA", "KEY-OF-THE-ATTEMPT-BEFORE"], ids=["no data", "half", "other key"])
def test_key_file_of_an_interrupted_attempt_is_replaced(make_context: MakeContext, machine: Machine, left: str) -> None:
    context = make_context({})
    cut_at(1, context)
    make_context({"/etc/luks/two": left, "/etc/luks/.ignition-12-3": "half"})
    attempt.clear_leftovers(context.root, {crypttab.KEYS})
    apply(context, keys())
    assert seen(context) == ROOT


def test_marks_stay_until_keys_and_lines_are_there(make_context: MakeContext, machine: Machine) -> None:
    context = make_context({})
    operations, _ = planned(context, keys(), Attempt())
    kinds = [operation.kind for operation in operations]
    assert kinds == ["write-key", "write-key", "write-crypttab", "write-presets", "luks-finish", "luks-finish", "luks-finish"]
    for operation in operations[:4]:
        operation.execute(context)
        assert machine.unfinished == set(UUIDS)


def test_no_description_has_a_key(make_context: MakeContext, machine: Machine) -> None:
    found: list[Found] = crypttab.probe(WANTED, keys())
    entries = crypttab.key_files(found, make_context({}).root)
    said = [operation.describe() for operation in crypttab.plan(found, entries, Attempt())]
    assert not re.search("GIVEN|MADE", repr(said) + repr(found) + repr(entries))


def test_volume_in_one_that_needs_the_network_needs_it_too() -> None:
    """Else the boot waits for it before there is a network."""
    tang = Clevis(tang=(Tang(url="http://tang.example", thumbprint="x"),))
    volumes = (
        Luks(name="outer", device="/dev/mapper/inner"),
        Luks(name="inner", device="/dev/vdb", clevis=tang),
        Luks(name="beside", device="/dev/vdc"),
    )
    assert [crypttab._options(index, volumes) for index in range(3)] == [
        "luks,_netdev,x-initrd.attach",
        "luks,_netdev,x-initrd.attach",
        "luks,x-initrd.attach",
    ]


def test_broken_text_of_the_image_stays(make_context: MakeContext, machine: Machine) -> None:
    context = make_context({"/etc/crypttab": ""})
    path = Path(f"{context.root.path}/etc/crypttab")
    path.write_bytes(b"# \xff\r\n")
    apply(context, keys())
    assert path.read_bytes().startswith(b"# \xff\r\ntwo ")
