"""Files, directories and links: what is refused before anything changes, in which order, and what stands there after."""

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from ignition.config.model import Resource, Storage
from ignition.config.model.ignition import Verification
from ignition.config.model.storage import Directory, File, Link, Owner
from ignition.errors import Failure
from ignition.operation import Context

from .conftest import MakeContext
from .nodes_in_a_root import PASSWD, Tree, apply, data, planned, tree


def mode(context: Context, path: str) -> int:
    return stat.S_IMODE(os.lstat(context.root.path + path).st_mode)


# What stands there → what the config says → what stands there after.
ACCEPTED = [
    pytest.param({}, Storage(files=(File(path="/a/b", contents=data("x")),)), {"/a/": "", "/a/b": "x"}, id="file and parents"),
    pytest.param({}, Storage(files=(File(path="/a"),)), {"/a": ""}, id="file without contents is empty"),
    pytest.param({}, Storage(files=(File(path="/a", contents=Resource(source="")),)), {"/a": ""}, id="file with empty source"),
    pytest.param({"/a": "old"}, Storage(files=(File(path="/a"),)), {"/a": "old"}, id="existing file without contents stays"),
    pytest.param(
        {"/a": "old"}, Storage(files=(File(path="/a", overwrite=True, contents=data("x")),)), {"/a": "x"}, id="overwritten"
    ),
    pytest.param({"/a": "x"}, Storage(files=(File(path="/a", contents=data("x")),)), {"/a": "x"}, id="same content is fine"),
    pytest.param(
        {"/a/b/c": "old"},
        Storage(files=(File(path="/a", overwrite=True, contents=data("x")),)),
        {"/a": "x"},
        id="file in place of a directory",
    ),
    pytest.param(
        {"/a": "-> b", "/b": "kept"},
        Storage(files=(File(path="/a", overwrite=True, contents=data("x")),)),
        {"/a": "x", "/b": "kept"},
        id="file in place of a symlink",
    ),
    pytest.param(
        {"/a": "old"},
        Storage(files=(File(path="/a", append=(data("1"), Resource(source=""), data("2"))),)),
        {"/a": "old12"},
        id="append in order",
    ),
    pytest.param({}, Storage(files=(File(path="/a", append=(data("1"),)),)), {"/a": "1"}, id="append to nothing"),
    pytest.param(
        {}, Storage(files=(File(path="/a", contents=data("x"), append=(data("1"),)),)), {"/a": "x1"}, id="contents and append"
    ),
    pytest.param({"/a/b": "kept"}, Storage(directories=(Directory(path="/a"),)), {"/a/": "", "/a/b": "kept"}, id="dir is kept"),
    pytest.param(
        {"/a/b": "old"}, Storage(directories=(Directory(path="/a", overwrite=True),)), {"/a/": ""}, id="directory emptied"
    ),
    pytest.param(
        {"/a": "old"}, Storage(directories=(Directory(path="/a", overwrite=True),)), {"/a/": ""}, id="directory for a file"
    ),
    pytest.param(
        {"/a/b": "old"},
        Storage(directories=(Directory(path="/a", overwrite=True),), files=(File(path="/a/b", contents=data("x")),)),
        {"/a/": "", "/a/b": "x"},
        id="emptied directory, then its file",
    ),
    pytest.param({}, Storage(links=(Link(path="/a/b", target="../c"),)), {"/a/": "", "/a/b": "-> ../c"}, id="symlink"),
    pytest.param(
        {"/a": "-> /x//y/"},
        Storage(links=(Link(path="/a", target="/x/y"),)),
        {"/a": "-> /x//y/"},
        id="same symlink stays",
    ),
    pytest.param(
        {"/a/b": "old"},
        Storage(links=(Link(path="/a", target="c", overwrite=True),)),
        {"/a": "-> c"},
        id="symlink for a dir",
    ),
    pytest.param(
        {"/x": "1"},
        Storage(links=(Link(path="/a/b", target="/x", hard=True),)),
        {"/a/": "", "/a/b": "1", "/x": "1"},
        id="hard",
    ),
    pytest.param(
        {"/x/y": "1", "/l": "-> /x"},
        Storage(links=(Link(path="/b", target="l/y", hard=True),)),
        {"/b": "1", "/l": "-> /x", "/x/": "", "/x/y": "1"},
        id="hard link to a relative target counts from the root",
    ),
    pytest.param(
        {"/b": "old", "/x": "1"},
        Storage(links=(Link(path="/b", target="/x", hard=True, overwrite=True),)),
        {"/b": "1", "/x": "1"},
        id="hard link in place of a file",
    ),
    pytest.param(
        {"/l": "-> /x"},
        Storage(files=(File(path="/l/a", contents=data("1")),)),
        {"/l": "-> /x", "/x/": "", "/x/a": "1"},
        id="parents are made where a dangling link leads",
    ),
    pytest.param(
        {},
        Storage(
            files=(File(path="/a", contents=data("1")), File(path="/a", contents=data("2")), File(path="/a", append=(data("3"),)))
        ),
        {"/a": "23"},
        id="2.x: later entries of one path replace and append",
    ),
]


@pytest.mark.parametrize(("before", "storage", "after"), ACCEPTED)
def test_nodes_stand_as_wanted(
    make_context: MakeContext, before: dict[str, str], storage: Storage, after: dict[str, str]
) -> None:
    context = make_context(before)
    apply(storage, context)
    assert tree(context) == after


@pytest.mark.parametrize(
    ("before", "storage", "place", "what"),
    [
        pytest.param(
            {"/a": "old"},
            Storage(files=(File(path="/x"), File(path="/a", contents=data("x")))),
            "$.storage.files.1",
            "/a already exists with other content",
            id="other content without overwrite",
        ),
        pytest.param(
            {"/a": "old"},
            Storage(files=(File(path="/a", contents=Resource(source="")),)),
            "$.storage.files.0",
            "/a already exists with other content",
            id="empty source without overwrite",
        ),
        pytest.param(
            {"/a/": ""},
            Storage(files=(File(path="/a"),)),
            "$.storage.files.0",
            "/a exists and is not a regular file",
            id="file over a directory",
        ),
        pytest.param(
            {"/a": "-> /b"},
            Storage(files=(File(path="/a", append=(data("x"),)),)),
            "$.storage.files.0",
            "/a exists and is not a regular file",
            id="append through a symlink",
        ),
        pytest.param(
            {"/a": ""},
            Storage(directories=(Directory(path="/a"),)),
            "$.storage.directories.0",
            "/a exists and is not a directory",
            id="directory over a file",
        ),
        pytest.param(
            {"/a": "-> /b", "/b/": ""},
            Storage(directories=(Directory(path="/a"),)),
            "$.storage.directories.0",
            "/a exists and is not a directory",
            id="directory over a symlink to one",
        ),
        pytest.param(
            {"/a": "-> b"},
            Storage(links=(Link(path="/a", target="c"),)),
            "$.storage.links.0",
            "/a already exists",
            id="other link",
        ),
        pytest.param(
            {"/a": "", "/x": ""},
            Storage(links=(Link(path="/a", target="/x", hard=True),)),
            "$.storage.links.0",
            "/a already exists",
            id="hard link over another file",
        ),
        pytest.param(
            {},
            Storage(links=(Link(path="/a", target="/../../x", hard=True),)),
            "$.storage.links.0.target",
            "/../../x, the target of /a, does not exist",
            id="hard link to nothing",
        ),
        pytest.param(
            PASSWD,
            Storage(files=(File(path="/a", user=Owner(name="nobody-here")),)),
            "$.storage.files.0.user",
            "the new root has no user 'nobody-here'",
            id="unknown user",
        ),
        pytest.param(
            PASSWD,
            Storage(directories=(Directory(path="/a", group=Owner(name="nobody-here")),)),
            "$.storage.directories.0.group",
            "the new root has no group 'nobody-here'",
            id="unknown group",
        ),
        pytest.param(
            {},
            Storage(files=(File(path="/a", contents=data("x").evolve(verification=Verification(hash="sha256-" + "0" * 64))),)),
            "$.storage.files.0.contents (data:…)",
            f"the content's sha256 is {hashlib.sha256(b'x').hexdigest()}, the config expects {'0' * 64}",
            id="content that is not what its hash says",
        ),
    ],
)
def test_conflict_is_a_failure_and_leaves_what_was_there(
    make_context: MakeContext, before: Tree, storage: Storage, place: str, what: str
) -> None:
    context = make_context(before)
    there = tree(context)
    with pytest.raises(Failure) as caught:
        apply(storage, context)
    assert (caught.value.where, caught.value.what) == (place, what)
    assert there.items() <= tree(context).items()


FREE = "set overwrite, or choose another path"
IN_THE_WAY: list[tuple[Tree, Storage, str]] = [
    (
        {"/home": "-> var/home"},
        Storage(directories=(Directory(path="/home"),)),
        "name /var/home, which the symlink /home leads to;",
    ),
    (
        {"/etc/l": "-> ../x"},
        Storage(files=(File(path="/etc/l", append=(data("x"),)),)),
        "name /x, which the symlink /etc/l leads to;",
    ),
    ({"/a": ""}, Storage(directories=(Directory(path="/a"),)), FREE),
    ({"/a/": ""}, Storage(files=(File(path="/a"),)), FREE),
    ({"/a/b": ""}, Storage(files=(File(path="/a"),)), "choose another path; overwrite would remove the directory with all"),
    ({"/a/b": ""}, Storage(links=(Link(path="/a", target="c"),)), "choose another path; overwrite would remove the directory"),
    ({"/a": "-> b"}, Storage(links=(Link(path="/a", target="c"),)), FREE),
]


@pytest.mark.parametrize(("before", "storage", "fix"), IN_THE_WAY)
def test_remedy_for_what_is_in_the_way_makes_nothing_worse(
    make_context: MakeContext, before: Tree, storage: Storage, fix: str
) -> None:
    with pytest.raises(Failure) as caught:
        apply(storage, make_context(before))
    assert caught.value.fix.startswith(fix)


@pytest.mark.parametrize(
    ("before", "storage", "place", "what"),
    [
        pytest.param(
            {"/x/": "", "/l": "-> /x"},
            Storage(files=(File(path="/x/a"), File(path="/l/a"))),
            "$.storage.files.1",
            "/l/a is the same place as /x/a of $.storage.files.0: both are /x/a",
            id="two files in one place",
        ),
        pytest.param(
            {"/l": "-> /x"},
            Storage(directories=(Directory(path="/x/a"),), links=(Link(path="/l/a", target="b"),)),
            "$.storage.links.0",
            "/l/a is the same place as /x/a of $.storage.directories.0: both are /x/a",
            id="link in the place of a directory that is not there yet",
        ),
        pytest.param(
            {"/a/b/c": "kept"},
            Storage(files=(File(path="/a", overwrite=True, contents=data("x")), File(path="/a/b/d"))),
            "$.storage.files.1",
            "/a/b/d is below /a of $.storage.files.0, which is not a directory",
            id="file below a file",
        ),
        pytest.param(
            {"/x": "-> /y", "/y/": ""},
            Storage(files=(File(path="/x/l/f"),), links=(Link(path="/y/l", target="/etc"),)),
            "$.storage.files.0",
            "/x/l/f is below /y/l of $.storage.links.0, which is not a directory",
            id="file below a link of the config, by another name",
        ),
        pytest.param(
            {"/a": "-> /a"},
            Storage(files=(File(path="/a/f"),)),
            "$.storage.files.0./a",
            "too many symlinks on the way to /a",
            id="loop of symlinks",
        ),
    ],
)
def test_plan_is_refused_before_anything_changes(
    make_context: MakeContext, before: Tree, storage: Storage, place: str, what: str
) -> None:
    context = make_context(before)
    with pytest.raises(Failure) as caught:
        planned(storage, context)
    assert (caught.value.where, caught.value.what) == (place, what)
    assert tree(context) == tree(make_context({}))


@pytest.mark.parametrize(
    "storage",
    [
        pytest.param(Storage(files=(File(path="/a/b/c"),)), id="file"),
        pytest.param(Storage(directories=(Directory(path="/a/b/c"),)), id="directory"),
        pytest.param(Storage(links=(Link(path="/a/b/c", target="x"),)), id="link"),
    ],
)
def test_file_in_the_way_of_a_parent_is_named(make_context: MakeContext, storage: Storage) -> None:
    context = make_context({"/a": "kept"})
    with pytest.raises(NotADirectoryError) as caught:
        apply(storage, context)
    assert caught.value.filename == "/a"
    assert tree(context) == {"/a": "kept"}


HOSTILE = {
    "/etc": "-> ../../outside",
    "/abs": "-> @outside@",
    "/up/up": "-> ../../../../../../../../@outside@",
    "/chain": "-> /abs/deeper",
    "/dir/": "",
}


@pytest.mark.parametrize("path", ["/etc/f", "/abs/f", "/up/up/f", "/chain/f", "/abs/../abs/f"])
def test_hostile_image_cannot_make_a_write_escape(tmp_path: Path, make_context: MakeContext, path: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    context = make_context({name: text.replace("@outside@", str(outside)) for name, text in HOSTILE.items()})
    storage = Storage(
        directories=(Directory(path=path + "d", mode=0o700),),
        files=(File(path=path, contents=data("x")),),
        links=(Link(path=path + "l", target="/"), Link(path=path + "h", target=path, hard=True)),
    )
    apply(storage, context)
    assert os.listdir(outside) == []
    assert Path(context.root.locate(path)).read_text() == "x"
    assert context.root.locate(path).startswith(context.root.path + "/")


def test_removal_for_overwrite_does_not_follow_symlinks(tmp_path: Path, make_context: MakeContext) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").write_text("kept")
    context = make_context({"/a/l": f"-> {tmp_path}/outside", "/a/b/c": "x"})
    apply(Storage(directories=(Directory(path="/a", overwrite=True),)), context)
    assert tree(context) == {"/a/": ""}
    assert (tmp_path / "outside" / "kept").read_text() == "kept"


def test_order_is_depth_then_downloads_then_local_files_then_hard_links(make_context: MakeContext) -> None:
    storage = Storage(
        directories=(Directory(path="/a/b/c"), Directory(path="/a")),
        files=(File(path="/a/f", contents=data("x")), File(path="/a/b/r", contents=Resource(source="http://127.0.0.1:1/"))),
        links=(
            Link(path="/a/h2", target="/a/f", hard=True),
            Link(path="/h1", target="/a/f", hard=True),
            Link(path="/a/s", target="f"),
        ),
    )
    operations = planned(storage, make_context({}))
    assert [operation.path for operation in operations] == ["/a", "/a/s", "/a/b/c", "/a/b/r", "/a/f", "/a/h2", "/h1"]
    assert [operation.path for operation in operations if operation.concurrent] == ["/a/b/r"]


@pytest.mark.parametrize(
    ("node", "wanted"),
    [
        pytest.param(File(path="/n"), 0o644, id="file by default"),
        pytest.param(File(path="/n", contents=data("x")), 0o644, id="file with contents by default"),
        pytest.param(File(path="/n", mode=0o4751, contents=data("x")), 0o4751, id="file with set-user-id"),
        pytest.param(File(path="/n", mode=0), 0, id="file without any right"),
        pytest.param(Directory(path="/n", mode=0o1777), 0o1777, id="sticky directory"),
        pytest.param(Directory(path="/n"), 0o755, id="directory by default"),
    ],
)
def test_mode_of_a_new_node(make_context: MakeContext, node: File | Directory, wanted: int) -> None:
    context = make_context({})
    apply(Storage(files=(node,)) if isinstance(node, File) else Storage(directories=(node,)), context)
    assert mode(context, "/n") == wanted


def test_mode_of_an_existing_file_stays_unless_given(make_context: MakeContext) -> None:
    context = make_context({"/a": "1", "/b": "1", "/c": "1"})
    for name in "abc":
        os.chmod(f"{context.root.path}/{name}", 0o600)
    storage = Storage(files=(File(path="/a", append=(data("2"),)), File(path="/b", mode=0o640), File(path="/c")))
    apply(storage, context)
    assert [mode(context, path) for path in ("/a", "/b", "/c")] == [0o600, 0o640, 0o600]


@pytest.mark.root
def test_owners_by_id_and_by_name_of_the_new_root(make_context: MakeContext) -> None:
    context = make_context({**PASSWD, "/old": "1", "/old-dir/": "", "/l": "-> kept"})
    os.chown(context.root.path + "/old", 7, 8)
    os.chown(context.root.path + "/old-dir", 7, 8)
    os.chown(context.root.path + "/l", 7, 8, follow_symlinks=False)
    core, ops = Owner(name="core"), Owner(name="ops")
    storage = Storage(
        directories=(Directory(path="/d", user=core), Directory(path="/old-dir", group=Owner(id=0))),
        files=(
            File(path="/d/sub/f", contents=data("x"), user=core, group=ops, mode=0o6711),
            File(path="/old", append=(data("2"),)),
            File(path="/e", user=Owner(id=12345)),
        ),
        links=(Link(path="/s", target="/etc", user=core, group=Owner(id=3)), Link(path="/l", target="kept", user=core)),
    )
    apply(storage, context)

    def owner(path: str) -> tuple[int, int]:
        found = os.lstat(context.root.path + path)
        return found.st_uid, found.st_gid

    assert owner("/d") == (500, 0)
    assert owner("/d/sub") == (0, 0)
    assert owner("/d/sub/f") == (500, 2000)
    assert mode(context, "/d/sub/f") == 0o6711
    assert owner("/old") == (7, 8)
    assert owner("/old-dir") == (7, 0)
    assert owner("/e") == (12345, 0)
    assert owner("/s") == (500, 3)
    assert owner("/l") == (7, 8)


@pytest.mark.root
def test_missing_parents_of_a_2x_directory_are_like_it(make_context: MakeContext) -> None:
    context = make_context({"/a/": ""})
    apply(Storage(directories=(Directory(path="/a/b/c", mode=0o711, user=Owner(id=5), parents_alike=True),)), context)
    for path in ("/a/b", "/a/b/c"):
        assert (os.stat(context.root.path + path).st_uid, mode(context, path)) == (5, 0o711)
    assert os.stat(context.root.path + "/a").st_uid == 0


@pytest.mark.parametrize(
    ("storage", "place", "removed"),
    [
        pytest.param({"directories": (Directory(path="/srv", overwrite=True),)}, "directories", "/srv", id="above it"),
        pytest.param({"directories": (Directory(path="/srv/data", overwrite=True),)}, "directories", "/srv/data", id="it"),
        pytest.param(
            {"directories": (Directory(path="/alias/data", overwrite=True),)}, "directories", "/srv/data", id="by a link"
        ),
        pytest.param({"links": (Link(path="/srv", target="/x", overwrite=True),)}, "links", "/srv", id="a link over it"),
        pytest.param({"files": (File(path="/srv", overwrite=True, contents=data("")),)}, "files", "/srv", id="a file over it"),
    ],
)
def test_entry_that_would_remove_a_mount_point_is_refused(
    make_context: MakeContext, storage: dict[str, Any], place: str, removed: str
) -> None:
    """Also one that no file system of the config is mounted on, and behind a symlink of the image."""
    context = make_context({"/srv/data/file": "kept", "/alias": "-> /srv"})
    with pytest.raises(Failure) as caught:
        planned(Storage(**storage), context, None, "/", "/srv/data")
    assert caught.value.what == f"overwrite would remove {removed}, and another file system is mounted on /srv/data"
    assert caught.value.where == f"$.storage.{place}.0"
    assert caught.value.fix == "leave overwrite out, or name a path that neither is a mount point nor holds one"


def test_entries_beside_and_below_a_mount_point_are_planned(make_context: MakeContext) -> None:
    context = make_context({"/srv/data/file": "kept", "/alias": "-> /srv"})
    storage = Storage(
        directories=(Directory(path="/srv"), Directory(path="/srv/data", mode=0o700), Directory(path="/srv/dat", overwrite=True)),
        files=(File(path="/srv/data/file", overwrite=True, contents=data("new")),),
        links=(Link(path="/alias", target="/srv", overwrite=True),),  # a link itself goes, not what it leads to
    )
    assert len(planned(storage, context, None, "/", "/srv/data")) == 5


def is_there(context: Context, storage: Storage) -> bool:
    [operation] = planned(storage, context)
    return operation.already_there(context)


@pytest.mark.parametrize(
    ("before", "storage", "there"),
    [
        pytest.param({"/a": "-> b"}, Storage(links=(Link(path="/a", target="b"),)), True, id="same link"),
        pytest.param({"/a": "-> x//b/"}, Storage(links=(Link(path="/a", target="x/b"),)), True, id="link in another spelling"),
        pytest.param(
            {"/a": "-> x//b"},
            Storage(links=(Link(path="/a", target="x/b", overwrite=True),)),
            False,
            id="spelling with overwrite",
        ),
        pytest.param(
            {"/a": "-> x/b"}, Storage(links=(Link(path="/a", target="x/b", overwrite=True),)), True, id="same with overwrite"
        ),
        pytest.param({"/a": "-> c"}, Storage(links=(Link(path="/a", target="b"),)), False, id="another link"),
        pytest.param({"/a": ""}, Storage(links=(Link(path="/a", target="b"),)), False, id="file instead of a link"),
        pytest.param({"/a": ""}, Storage(links=(Link(path="/a/b", target="b"),)), False, id="file above a link"),
        pytest.param({}, Storage(links=(Link(path="/a/b", target="b"),)), False, id="no link"),
        pytest.param({"/x": "", "/a": ""}, Storage(links=(Link(path="/a", target="/x", hard=True),)), False, id="another file"),
        pytest.param({"/x": ""}, Storage(links=(Link(path="/a", target="/x", hard=True),)), False, id="no hard link"),
        pytest.param({"/a": ""}, Storage(links=(Link(path="/a", target="/x", hard=True),)), False, id="nothing to link to"),
        pytest.param({"/a/": ""}, Storage(directories=(Directory(path="/a"),)), True, id="directory"),
        pytest.param({"/a/b": ""}, Storage(directories=(Directory(path="/a"),)), True, id="directory with files"),
        pytest.param(
            {"/a/b": ""}, Storage(directories=(Directory(path="/a", overwrite=True),)), False, id="directory to be emptied"
        ),
        pytest.param({"/a/": ""}, Storage(directories=(Directory(path="/a", overwrite=True),)), True, id="empty directory"),
        pytest.param({"/a": ""}, Storage(directories=(Directory(path="/a"),)), False, id="file instead of a directory"),
        pytest.param({"/a": ""}, Storage(directories=(Directory(path="/a/b"),)), False, id="file above a directory"),
        pytest.param({}, Storage(directories=(Directory(path="/a/b"),)), False, id="no directory"),
        pytest.param({"/a/": ""}, Storage(directories=(Directory(path="/a", mode=0o700),)), False, id="mode of a directory"),
        pytest.param({"/a": "x"}, Storage(files=(File(path="/a", contents=data("x")),)), True, id="file"),
        pytest.param({"/a": "y"}, Storage(files=(File(path="/a", contents=data("x")),)), False, id="other content"),
        pytest.param({"/a": "xy"}, Storage(files=(File(path="/a", contents=data("x")),)), False, id="longer content"),
        pytest.param({"/a": "x"}, Storage(files=(File(path="/a", contents=data("xy")),)), False, id="shorter content"),
        pytest.param({"/a": "x"}, Storage(files=(File(path="/a"),)), True, id="any content"),
        pytest.param({"/a": "x"}, Storage(files=(File(path="/a", mode=0o600),)), False, id="mode of a file"),
        pytest.param({"/a/": ""}, Storage(files=(File(path="/a"),)), False, id="directory instead of a file"),
        pytest.param({"/a": "-> b", "/b": ""}, Storage(files=(File(path="/a"),)), False, id="link instead of a file"),
        pytest.param({"/a": ""}, Storage(files=(File(path="/a/b"),)), False, id="file above a file"),
        pytest.param({}, Storage(files=(File(path="/a/b"),)), False, id="no file"),
        pytest.param(
            {"/a": "xy"},
            Storage(files=(File(path="/a", contents=data("x"), append=(data("y"),)),)),
            True,
            id="content and append",
        ),
        pytest.param({"/a": "old"}, Storage(files=(File(path="/a", append=(data("new"),)),)), False, id="append"),
        *(
            pytest.param(
                {"/a": "x"},
                Storage(files=(File(path="/a", contents=data(text).evolve(verification=Verification(hash=f"sha256-{digest}"))),)),
                there,
                id=f"by its hash: {there}",
            )
            for text, digest, there in (
                ("x", hashlib.sha256(b"x").hexdigest(), True),
                ("y", hashlib.sha256(b"y").hexdigest(), False),
            )
        ),
    ],
)
def test_node_is_there_or_is_made(make_context: MakeContext, before: Tree, storage: Storage, there: bool) -> None:
    context = make_context(before)
    assert is_there(context, storage) is there


@pytest.mark.parametrize("hard", [True, False])
def test_link_that_was_made_is_there(make_context: MakeContext, hard: bool) -> None:
    context = make_context({"/x": ""})
    storage = Storage(links=(Link(path="/a", target="/x", hard=hard),))
    apply(storage, context)
    assert is_there(context, storage)
    [operation] = planned(storage, context)
    assert operation.describe() == f"create {'hard link' if hard else 'symlink'} /a to /x"


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (File(path="/a", contents=data("x")), "write file /a"),
        (File(path="/a", append=(data("x"),)), "append to file /a"),
        (File(path="/a", contents=data("x"), append=(data("x"),)), "write file /a"),
        (File(path="/a"), "create file /a"),
    ],
)
def test_files_are_described(make_context: MakeContext, node: File, said: str) -> None:
    [operation] = planned(Storage(files=(node,)), make_context({}))
    assert operation.describe() == said


@pytest.mark.root
@pytest.mark.parametrize("attribute", ["uid", "gid"])
@pytest.mark.parametrize("kind", ["file", "directory"])
def test_node_of_another_owner_is_not_there(make_context: MakeContext, attribute: str, kind: str) -> None:
    context = make_context({"/f": "", "/d/": ""})
    owner: dict[str, Any] = {"user": Owner(id=7), "group": Owner(id=8)}
    node = {"files": (File(path="/f", **owner),)} if kind == "file" else {"directories": (Directory(path="/d", **owner),)}
    storage = Storage(**node)
    assert not is_there(context, storage)
    apply(storage, context)
    assert is_there(context, storage)
    place = f"{context.root.path}/{kind[0]}"
    os.chown(place, 9 if attribute == "uid" else -1, 9 if attribute == "gid" else -1)
    assert not is_there(context, storage)
