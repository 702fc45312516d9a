"""What an interrupted attempt left is finished by the next one, and only that."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from ignition.config.model import Resource, Storage
from ignition.config.model.ignition import Verification
from ignition.config.model.storage import Directory, File, Link
from ignition.errors import Failure
from ignition.operation import Context
from ignition.sysroot import attempt, nodes
from ignition.sysroot.attempt import Attempt

from .conftest import MakeContext
from .nodes_in_a_root import apply, data, planned, tree

EVERYTHING = Storage(
    directories=(Directory(path="/d", mode=0o700),),
    files=(
        File(path="/d/f", contents=data("x"), append=(data("y"),), mode=0o600),
        File(path="/motd", append=(data("more"),)),
        File(path="/motd2", append=(data("old"),)),
        File(path="/empty"),
        File(path="/over", overwrite=True, contents=data("new")),
    ),
    links=(Link(path="/s", target="d/f"), Link(path="/h", target="/d/f", hard=True)),
)
IMAGE = {"/motd": "old", "/motd2": "old", "/over": "old"}
WANTED = {
    "/d/": "",
    "/d/f": "xy",
    "/empty": "",
    "/h": "xy",
    "/motd": "oldmore",
    "/motd2": "oldold",
    "/over": "new",
    "/s": "-> d/f",
}


def recorded(storage: Storage, context: Context, record: Attempt) -> Attempt:
    """The record as the stage makes it before it writes."""
    found = nodes.places(storage)
    record.note_nodes(nodes.entries(found, nodes.resolve(found, context.root)), context.root)
    return record


@pytest.mark.parametrize("steps", range(9))
def test_interrupted_attempt_converges_to_the_same_root(make_context: MakeContext, steps: int) -> None:
    context = make_context(IMAGE)
    record = recorded(EVERYTHING, context, attempt.load(context.root))
    attempt.begin(context.root, record)
    for operation in planned(EVERYTHING, context, record)[:steps]:
        operation.execute(context)
    again = attempt.load(context.root)
    assert again.unfinished
    again = recorded(EVERYTHING, context, again)
    apply(EVERYTHING, context, again)
    attempt.finish(context.root, again)
    assert {path: text for path, text in tree(context).items() if not path.startswith("/var")} == WANTED


@pytest.mark.parametrize(
    "left",
    [
        pytest.param({"/d/f": ""}, id="empty, its data never reached the disk"),
        pytest.param({"/d/f": "x"}, id="cut short"),
        pytest.param({"/d/f": "another version of the config"}, id="of a config that was mended since"),
        pytest.param({"/motd": "oldmore"}, id="already appended"),
        pytest.param({"/s": "-> elsewhere"}, id="another symlink"),
    ],
)
def test_what_a_power_cut_left_is_replaced(make_context: MakeContext, left: Mapping[str, str]) -> None:
    context = make_context(IMAGE)
    attempt.begin(context.root, recorded(EVERYTHING, context, Attempt()))
    make_context(left)
    record = recorded(EVERYTHING, context, attempt.load(context.root))
    apply(EVERYTHING, context, record)
    attempt.finish(context.root, record)
    assert {path: text for path, text in tree(context).items() if not path.startswith("/var")} == WANTED


def test_second_run_after_success_changes_nothing(make_context: MakeContext) -> None:
    context = make_context(IMAGE)
    record = recorded(EVERYTHING, context, attempt.load(context.root))
    attempt.begin(context.root, record)
    apply(EVERYTHING, context, record)
    attempt.finish(context.root, record)
    before = {path: os.lstat(context.root.path + path.rstrip("/")) for path in tree(context)}
    record = recorded(EVERYTHING, context, attempt.load(context.root))
    assert not record.unfinished
    assert apply(EVERYTHING, context, record) == []
    after = {path: os.lstat(context.root.path + path.rstrip("/")) for path in tree(context)}
    assert {path: (s.st_ino, s.st_mtime_ns) for path, s in after.items()} == {
        path: (s.st_ino, s.st_mtime_ns) for path, s in before.items()
    }


@pytest.mark.parametrize("steps", range(4))
def test_second_run_that_is_interrupted_does_not_append_again(make_context: MakeContext, steps: int) -> None:
    context = make_context(IMAGE)
    record = recorded(EVERYTHING, context, attempt.load(context.root))
    attempt.begin(context.root, record)
    apply(EVERYTHING, context, record)
    attempt.finish(context.root, record)
    record = recorded(EVERYTHING, context, attempt.load(context.root))
    attempt.begin(context.root, record)
    for operation in planned(EVERYTHING, context, record)[:steps]:
        if not operation.already_there(context):
            operation.execute(context)
    record = recorded(EVERYTHING, context, attempt.load(context.root))
    assert record.unfinished
    assert apply(EVERYTHING, context, record) == []
    attempt.finish(context.root, record)
    assert {path: text for path, text in tree(context).items() if not path.startswith("/var")} == WANTED


def test_file_that_changed_since_success_is_a_conflict_again(make_context: MakeContext) -> None:
    storage = Storage(files=(File(path="/a", contents=data("x")),))
    context = make_context({})
    record = recorded(storage, context, Attempt())
    attempt.begin(context.root, record)
    apply(storage, context, record)
    attempt.finish(context.root, record)
    assert not os.path.exists(context.root.path + "/var/lib/ignition/attempt.json")
    Path(context.root.path + "/a").write_text("changed by its owner")
    with pytest.raises(Failure, match="already exists with other content"):
        apply(storage, context, recorded(storage, context, attempt.load(context.root)))


@pytest.mark.parametrize("function", ["sha256", "sha512"])
@pytest.mark.parametrize("text", ["here", "other"])
def test_remote_file_with_its_hash_is_known_without_a_download(make_context: MakeContext, function: str, text: str) -> None:
    digest = hashlib.new(function, b"here").hexdigest().upper()
    remote = Resource(source="http://127.0.0.1:1/x", verification=Verification(hash=f"{function}-{digest}"))
    context = make_context({"/a": text})  # its fetcher is offline
    (operation,) = planned(Storage(files=(File(path="/a", contents=remote),)), context)
    assert operation.already_there(context) == (text == "here")


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"made": 1}', '{"made": [], "sizes": [], "homeless": [], "unfinished": true}'], ids=repr
)
def test_damaged_record_counts_as_none(make_context: MakeContext, damage: str) -> None:
    context = make_context({"/var/lib/ignition/attempt.json": damage})
    found = attempt.load(context.root)
    assert (found.unfinished, found.made, found.sizes) == (False, frozenset(), {})


def test_leftovers_of_an_interrupted_attempt_are_cleared(make_context: MakeContext) -> None:
    context = make_context(
        {
            "/d/.ignition-12-3": "half",
            "/d/.ignition-config": "kept",
            "/d/.ignition-1-2.d/": "",
            "/etc/passwd.lock": "311",
            "/etc/passwd.4711": "half",
            "/etc/shadow+": "half",
            "/etc/passwd-": "kept",
            "/etc/passwd": "kept",
        }
    )
    attempt.clear_leftovers(context.root, {"/d", "/missing"})
    assert set(tree(context)) == {"/d/", "/d/.ignition-config", "/d/.ignition-1-2.d/", "/etc/", "/etc/passwd-", "/etc/passwd"}


def test_part_of_a_record_is_cleared_before_the_record_is_written(make_context: MakeContext) -> None:
    context = make_context({"/var/lib/ignition/.ignition-12-0": '{"made', "/var/lib/ignition/own": "kept"})
    record = Attempt(made=frozenset({"/f"}))
    attempt.begin(context.root, record)
    assert sorted(os.listdir(context.root.path + "/var/lib/ignition")) == ["attempt.json", "own"]
    assert attempt.load(context.root).made == record.made
