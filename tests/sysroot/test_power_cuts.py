"""What must be on disk before the next step, and paths that change while the stage runs."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ignition.config.model.passwd import User
from ignition.config.model.storage import Directory, Link, Luks
from ignition.host import atomic
from ignition.host.root import Root
from ignition.operation import Context, Operation
from ignition.storage.grow.operations import KeepSize
from ignition.storage.luks_keys import Keys
from ignition.storage.luks_operations import FinishVolume, Volume
from ignition.sysroot import attempt, crypttab, users
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.attempt import Attempt, Entry
from ignition.sysroot.crypttab import FinishAfterSync, Line, PutKeyFile, WriteCrypttab
from ignition.sysroot.directories import PutDirectory
from ignition.sysroot.groups import AdoptAccount, run_for
from ignition.sysroot.links import PutSymlink

from .conftest import MakeContext

TREE = {"/usr/lib/passwd": "etcd:x:1:1::/:/bin/sh\n", "/etc/nsswitch.conf": "passwd: altfiles\n", "/etc/passwd": ""}


def key_file(context: Context) -> Operation:
    from ignition.config.model.storage import File

    return PutKeyFile(b"KEY", Entry("$", File(path="/etc/luks/data"), "/etc/luks/data"), Attempt())


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        pytest.param(lambda context: WriteCrypttab([Line("data", "1-2", "none", "luks")]), "/etc/crypttab", id="crypttab"),
        pytest.param(key_file, "/etc/luks/data", id="key"),
        pytest.param(lambda context: KeepSize(["a"]), "/etc/.ignition-keep-size", id="sizes to keep"),
        pytest.param(
            lambda context: AdoptAccount("etcd", AccountDatabase(context.root), of_groups=False), "/etc/passwd", id="account"
        ),
    ],
)
def test_file_is_on_disk_before_it_has_its_name(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch, operation: Callable[[Context], Operation], path: str
) -> None:
    context = make_context(TREE)
    place = Path(context.root.path + path)
    before = place.read_bytes() if place.exists() else None
    synced: list[bytes] = []

    def fsync(descriptor: int) -> None:
        assert (place.read_bytes() if place.exists() else None) == before
        synced.append(os.pread(descriptor, 1000, 0))

    monkeypatch.setattr(os, "fsync", fsync)
    operation(context).execute(context)
    assert synced == [place.read_bytes()] and synced != [b""]


def test_record_of_an_attempt_is_on_disk_before_any_change(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    context = make_context({})
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.pread(descriptor, 1000, 0)))
    attempt.begin(context.root, Attempt(made=frozenset({"/a"})))
    record = Path(context.root.path) / "var/lib/ignition/attempt.json"
    assert synced == [record.read_bytes()]
    assert record.stat().st_mode & 0o7777 == 0o600
    attempt.finish(context.root, Attempt(sizes={"/a": 3}))
    assert synced[1:] == [record.read_bytes()]


def test_volume_is_finished_once_its_line_and_its_key_are_on_disk(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_context({"/etc": "-> usr/etc", "/usr/etc/luks/": ""})
    did: list[str] = []
    monkeypatch.setattr(atomic, "sync_file_system", lambda path: did.append(path.removeprefix(context.root.path)))
    monkeypatch.setattr(FinishVolume, "act", lambda self, context: did.append("finish"))
    volume = Volume(Luks(name="data", device="/dev/x"), "/dev/x", "$.storage.luks.0", Keys())
    FinishAfterSync(volume, [crypttab.KEYS]).execute(context)
    assert did == ["/usr/etc", "/usr/etc/luks", "finish"]
    did.clear()
    FinishAfterSync(volume, []).execute(context)
    assert did == ["/usr/etc", "finish"]


def test_record_is_kept_when_users_or_homes_are_added() -> None:
    before = Attempt(
        made=frozenset({"/a"}), sizes={"/b": 1}, homeless=frozenset({"ann"}), unfinished=True, appended_before=frozenset({"/c"})
    )

    def members(one: Attempt) -> tuple[Any, ...]:
        return set(one.made), one.sizes, set(one.homeless), one.unfinished, set(one.appended_before)

    assert members(before.with_users(frozenset({"bob"}))) == ({"/a"}, {"/b": 1}, {"ann", "bob"}, True, {"/c"})
    assert members(before.with_homes(frozenset({"/h"}))) == ({"/a", "/h"}, {"/b": 1}, {"ann"}, True, {"/c"})


@pytest.mark.parametrize(
    ("kept", "worth"),
    [({}, False), ({"made": frozenset("a")}, True), ({"sizes": {"a": 1}}, True), ({"homeless": frozenset("a")}, True)],
)
def test_record_is_written_if_the_next_attempt_needs_it(make_context: MakeContext, kept: dict[str, Any], worth: bool) -> None:
    context = make_context({})
    attempt.begin(context.root, Attempt(**kept))
    assert (Path(context.root.path) / "var/lib/ignition/attempt.json").exists() is worth


def symlink(context: Context) -> Operation:
    return PutSymlink(Entry("$", node := Link(path="/a", target="/b"), "/a"), node, AccountDatabase(context.root), Attempt())


def directory(context: Context) -> Operation:
    node = Directory(path="/l", overwrite=True)
    return PutDirectory(Entry("$", node, "/l"), node, AccountDatabase(context.root))


@pytest.mark.parametrize(
    ("operation", "tree", "path", "before", "after"),
    [
        pytest.param(symlink, {}, "/a/x", "/a/x", "/b/x", id="a new symlink"),
        pytest.param(directory, {"/l": "-> /b"}, "/l/x", "/b/x", "/l/x", id="a directory in place of a symlink"),
    ],
)
def test_later_paths_lead_where_the_new_nodes_lead(
    make_context: MakeContext,
    operation: Callable[[Context], Operation],
    tree: dict[str, str],
    path: str,
    before: str,
    after: str,
) -> None:
    context = make_context({**tree, "/b/": ""})
    assert context.root.resolve(path) == before
    operation(context).execute(context)
    assert context.root.resolve(path) == after


@pytest.mark.parametrize(
    "make",
    [
        lambda database: users.PutUser("$", User(name="ann"), database),
        lambda database: users.RemoveUser("$", "core", database),
    ],
)
def test_programs_may_change_paths(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch, make: Callable[[AccountDatabase], Operation]
) -> None:
    """useradd copies symlinks of /etc/skel, userdel removes those of a home."""
    context = make_context({"/etc/passwd": "core:x:1:1::/home/core:/bin/sh\n", "/home/": ""})
    assert context.root.resolve("/home/ann/x/y") == "/home/ann/x/y"

    def ran(_: Context, place: str, argv: list[str], why: str) -> None:
        (Path(context.root.path) / "home/ann").mkdir()
        (Path(context.root.path) / "home/ann/x").symlink_to("/srv")
        (Path(context.root.path) / "etc/passwd").write_text("")

    assert run_for.__module__ == "ignition.sysroot.groups"
    monkeypatch.setattr(users, "run_for", ran)
    make(AccountDatabase(context.root)).execute(context)
    assert context.root.resolve("/home/ann/x/y") == "/srv/y"


def test_leftovers_of_shadow_utils_and_of_ours_go_and_other_files_stay(make_context: MakeContext) -> None:
    names = ("passwd.lock", "group.4711", "shadow+", "subuid.lock", "other.lock", "passwd-", "group", ".ignition-1-2", "x.4711")
    context = make_context({f"/etc/{name}": "" for name in names} | {"/etc/gshadow.lock/": ""})
    attempt.clear_leftovers(context.root, {"/etc", "/none", "/etc/group"})
    etc = Path(context.root.path) / "etc"
    assert sorted(os.listdir(etc)) == ["group", "gshadow.lock", "other.lock", "passwd-", "x.4711"]


def test_locks_of_an_image_go_and_those_of_the_running_system_stay(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_context({"/etc/passwd.lock": "1", "/etc/passwd+": "", "/etc/group.lock": "-> /x"})
    etc = Path(context.root.path) / "etc"
    monkeypatch.setattr(context.root, "path", "")  # as of the running system
    attempt.clear_locks(context.root)
    assert len(os.listdir(etc)) == 3
    attempt.clear_locks(Root(str(etc.parent)))
    assert os.listdir(etc) == ["passwd+"]


@pytest.mark.parametrize(("system", "half_made"), [(True, False), (False, True)])
def test_system_account_needs_no_subordinate_ids(make_context: MakeContext, system: bool, half_made: bool) -> None:
    tree = {"/etc/passwd": "ann:x:1:1::/home/ann:/bin/sh\n", "/etc/group": "ann:x:1:\n", "/etc/subuid": ""}
    context = make_context(tree)
    operation = users.PutUser("$", User(name="ann", system=system), AccountDatabase(context.root), interrupted=True)
    assert operation.already_there(context) is not half_made
