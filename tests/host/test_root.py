"""Paths of hostile images stay inside the root."""

import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.host import changes, openat2
from ignition.host.root import Parents, Root, around


def build(top: Path, links: dict[str, str]) -> Root:
    """A root of symlinks (path → text); parents are made, a path that ends in a slash is a directory."""
    for path, target in links.items():
        place = top / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("/"):
            place.mkdir(exist_ok=True)
        else:
            place.symlink_to(target)
    return Root(str(top))


@pytest.mark.parametrize(
    ("links", "path", "expected"),
    [
        pytest.param({}, "/a/b", "/a/b", id="nothing is there"),
        pytest.param({"/a/": ""}, "/a/b", "/a/b", id="plain directory"),
        pytest.param({"/a": "/etc"}, "/a/b", "/etc/b", id="absolute link"),
        pytest.param({"/a": "etc"}, "/a/b", "/etc/b", id="relative link"),
        pytest.param({"/x/a": "../../../../etc"}, "/x/a/b", "/etc/b", id="relative link climbs above the top"),
        pytest.param({"/a": "/../../etc"}, "/a/b", "/etc/b", id="absolute link climbs above the top"),
        pytest.param({"/a": "/b/../.."}, "/a/c", "/c", id="dots after a component that is not there"),
        pytest.param({"/a": "/b", "/b": "/c"}, "/a/d", "/c/d", id="link to a link"),
        pytest.param({"/a": "/b/x", "/b": "/c", "/c/x": "/d"}, "/a/e", "/d/e", id="link in the target of a link"),
        pytest.param({"/x/up": "..", "/a": "/x/up"}, "/a/b", "/b", id="dots in the target of a link"),
        pytest.param({"/a": "/x/l/..", "/x/l": "/y/z"}, "/a/b", "/y/b", id="dots after a link count from its target"),
        pytest.param({"/a": "/etc"}, "/a", "/a", id="last component is not followed"),
        pytest.param({"/a": "./././etc/."}, "/a/b", "/etc/b", id="single dots"),
        pytest.param({"/a": "//etc//"}, "/a/b", "/etc/b", id="double slashes"),
        pytest.param({}, "/..", "/", id="dots only"),
        pytest.param({}, "../../etc/shadow", "/etc/shadow", id="relative path counts from the root"),
        pytest.param({}, "..", "/", id="relative dots"),
        pytest.param({}, "//etc", "/etc", id="two slashes"),
        pytest.param({}, "/", "/", id="root itself"),
    ],
)
def test_path_resolves_inside_the_root(tmp_path: Path, links: dict[str, str], path: str, expected: str) -> None:
    root = build(tmp_path, links)
    assert root.resolve(path) == expected
    assert root.locate(path) == str(tmp_path) + expected


@pytest.mark.parametrize(
    ("links", "path"),
    [
        pytest.param({"/a": "/a"}, "/a/b", id="link to itself"),
        pytest.param({"/a": "/b", "/b": "/a"}, "/a/c", id="two links to each other"),
        pytest.param({"/a": "a/a"}, "/a/c", id="link that grows"),
    ],
)
def test_loop_of_symlinks_is_a_failure_with_its_place(tmp_path: Path, links: dict[str, str], path: str) -> None:
    with pytest.raises(Failure) as caught:
        build(tmp_path, links).resolve(path)
    assert caught.value.where == "/a"
    assert caught.value.what == "too many symlinks on the way to /a"


def test_forty_links_are_followed_as_by_the_kernel_and_one_more_is_not(tmp_path: Path) -> None:
    root = build(tmp_path, {f"/l{number}": f"/l{number - 1}" for number in range(1, 42)} | {"/l0/": ""})
    assert root.resolve("/l40/x") == "/l0/x"
    with pytest.raises(Failure, match="too many symlinks"):
        root.resolve("/l41/x")


def test_follow_also_follows_the_last_component(tmp_path: Path) -> None:
    assert build(tmp_path, {"/home": "/var/home", "/var/home/core": "../../../../data"}).follow("/home/core") == "/data"


def test_resolved_path_equals_the_kernels_of_a_chroot(tmp_path: Path) -> None:
    # A link that leads outside for the host must lead inside for us: the directory of that name exists in both.
    (tmp_path / "outside").mkdir()
    (tmp_path / "root" / str(tmp_path).lstrip("/") / "outside").mkdir(parents=True)
    (tmp_path / "root" / "a").symlink_to(tmp_path / "outside")
    root = Root(str(tmp_path / "root"))
    Path(root.locate("/a/f")).write_text("x")
    assert os.listdir(tmp_path / "outside") == []


@pytest.mark.parametrize(
    ("links", "path", "leaves"),
    [
        pytest.param({"/a": "/etc"}, "/a/b", True, id="absolute link"),
        pytest.param({"/a": "../etc"}, "/a/b", True, id="link above the top"),
        pytest.param({"/x/a": "../etc"}, "/x/a/b", False, id="link to a sibling"),
    ],
)
def test_link_out_of_a_named_file_system(tmp_path: Path, links: dict[str, str], path: str, leaves: bool) -> None:
    build(tmp_path, links)
    strict = Root(str(tmp_path), leaving_is_an_error=True)
    if not leaves:
        assert strict.resolve(path) == "/etc/b"
        return
    with pytest.raises(Failure) as caught:
        strict.resolve(path)
    assert (caught.value.where, caught.value.what) == ("/a", "a symlink on the way leads out of the file system")


def test_directories_are_remembered_until_forgotten(tmp_path: Path) -> None:
    root = build(tmp_path, {"/a/": ""})
    assert root.resolve("/a/b") == "/a/b"
    (tmp_path / "a").rmdir()
    (tmp_path / "a").symlink_to("/c")
    assert root.resolve("/a/b") == "/a/b"
    root.forget()
    assert root.resolve("/a/b") == "/c/b"


def test_root_of_the_running_machine_has_no_prefix() -> None:
    root = Root("/")
    assert (root.path, root.outside("/etc"), root.locate("/..")) == ("", "/etc", "/")


@pytest.fixture(params=["openat2", "by hand"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the kernel's call, and as on a kernel without it."""
    monkeypatch.setattr(openat2, "FEW", 0)
    if request.param == "by hand":
        monkeypatch.setattr(openat2, "_NR_OPENAT2", 4_000)  # no such system call
        with pytest.raises(OSError, match="Function not implemented"):
            openat2.directory("/", "/etc")
    return str(request.param)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("links", "path", "place"),
    [
        pytest.param({"/etc/": ""}, "/etc/f", "etc", id="plain directory"),
        pytest.param({"/etc/": "", "/a": "/etc"}, "/a/f", "etc", id="absolute link"),
        pytest.param({"/etc/": "", "/x/a": "../../../../etc"}, "/x/a/f", "etc", id="link climbs above the top"),
        pytest.param({"/etc/": "", "/a": "/proc/self/root/etc"}, "/a/f", None, id="magic link"),
        pytest.param({"/a": "/b"}, "/a/f", None, id="dangling link"),
        pytest.param({}, "/f", "", id="top"),
        pytest.param({}, "/../../f", "", id="above the top"),
    ],
)
def test_place_of_a_path_is_inside_the_root(tmp_path: Path, links: dict[str, str], path: str, place: str | None) -> None:
    top = tmp_path / "root"
    top.mkdir()
    root = build(top, links)
    if place is None:
        with pytest.raises(FileNotFoundError, match=f"'{path}'"), root.at(path):
            pass
        return
    root.write(path, b"content", mode=0o640)
    assert (top / place / "f").read_bytes() == b"content"
    with root.at(path) as here:
        assert os.path.samestat(os.fstat(here.directory), os.stat(top / place))
    with open(root.open(path), "rb") as file:
        assert file.read() == b"content"
    assert root.status(path) is not None
    assert root.names(os.path.dirname(path)) == sorted(os.listdir(top / place))
    assert os.listdir(tmp_path) == ["root"]


@pytest.mark.usefixtures("way")
def test_missing_directories_are_made_inside_also_behind_dangling_links(tmp_path: Path) -> None:
    top = tmp_path / "root"
    top.mkdir()
    root = build(top, {"/home": "var/home", "/out": "../../../elsewhere"})
    before = os.umask(0o077)
    try:
        root.write("/home/core/.ssh/keys", b"x", mode=0o600)
        root.write("/out/f", b"x", mode=0o644)
    finally:
        os.umask(before)
    assert (top / "var/home/core/.ssh/keys").read_bytes() == b"x"
    assert (top / "elsewhere/f").exists()
    assert [(top / path).stat().st_mode & 0o7777 for path in ("var", "var/home", "var/home/core/.ssh", "elsewhere")] == [
        0o755
    ] * 4
    assert os.listdir(tmp_path) == ["root"]


@pytest.mark.usefixtures("way")
def test_missing_top_is_made_when_something_is_written(tmp_path: Path) -> None:
    root = Root(str(tmp_path / "new/root"))
    assert root.status("/etc") is None
    assert root.names("/") == []
    root.write("/etc/f", b"x", mode=0o644)
    assert (tmp_path / "new/root/etc/f").read_bytes() == b"x"


@pytest.mark.usefixtures("way")
def test_file_on_the_way_is_not_a_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    root = Root(str(tmp_path))
    for path in ("/file/x", "/file/x/y"):
        assert root.status(path) is None
        with pytest.raises(NotADirectoryError, match="'/file'"):
            root.write(path, b"", mode=0o644)
    assert root.names("/file") == []
    assert not root.is_directory("/file")


@pytest.mark.usefixtures("way")
def test_strict_root_is_not_left_by_a_write(tmp_path: Path) -> None:
    build(tmp_path, {"/a": "/etc", "/etc/": ""})
    with pytest.raises(Failure, match="^/a: a symlink on the way leads out of the file system"):
        Root(str(tmp_path), leaving_is_an_error=True).write("/a/f", b"", mode=0o644)
    assert os.listdir(tmp_path / "etc") == []


@pytest.mark.usefixtures("way")
def test_nul_in_a_path_is_an_error_and_not_the_end_of_the_path(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match="embedded null byte"):
        Root(str(tmp_path)).write("/a\0/b", b"", mode=0o644)


USER, OTHER = 1234, 1235


def tree_of_users(top: Path) -> Root:
    """A running system: /home/core of USER, /home/bob of OTHER, /etc of root."""
    for path, owner in (("etc/profile.d", 0), ("home", 0), ("home/core", USER), ("home/core/own", USER), ("home/bob", OTHER)):
        (top / path).mkdir(parents=True)
        os.chown(top / path, owner, owner)
    return Root.live(str(top))


@pytest.mark.root
@pytest.mark.parametrize(
    ("owner", "target", "allowed"),
    [
        pytest.param(USER, "/etc/profile.d", False, id="a user's link to root's directory"),
        pytest.param(USER, "../../etc/profile.d", False, id="a relative one"),
        pytest.param(USER, "/home/bob", False, id="a user's link to another user's directory"),
        pytest.param(USER, "/etc/new", False, id="a user's link to what would be made in root's directory"),
        pytest.param(USER, "hop", False, id="by way of a second link"),
        pytest.param(USER, "own", True, id="a user's link to an own directory"),
        pytest.param(USER, "new", False, id="a user's link to what would be made in an own directory, by root"),
        pytest.param(0, "/etc/profile.d", True, id="root's link"),
        pytest.param(0, "/home/bob", True, id="root's link to a user's directory"),
        pytest.param(OTHER, "own", False, id="another user's link"),
    ],
)
def test_link_of_a_user_leads_only_to_what_is_the_users(tmp_path: Path, owner: int, target: str, *, allowed: bool) -> None:
    root = tree_of_users(tmp_path)
    link, hop = tmp_path / "home/core/.config", tmp_path / "home/core/hop"
    link.symlink_to(target)
    hop.symlink_to("/etc/profile.d")
    for one in (link, hop):
        os.chown(one, owner, owner, follow_symlinks=False)
    before = {path: sorted(os.listdir(tmp_path / path)) for path in ("etc", "etc/profile.d", "home/bob")}
    if allowed:
        root.write("/home/core/.config/app.sh", b"x", mode=0o644)
        assert root.resolve("/home/core/.config/app.sh").endswith("/app.sh")
        return
    what = f"a symlink on the way belongs to uid {owner}, and leads to a file of another user"
    calls: list[Callable[[], object]] = [lambda: root.write("/home/core/.config/app.sh", b"x", mode=0o644)]
    if target != "new":
        calls += [lambda: root.resolve("/home/core/.config/app.sh"), lambda: root.follow("/home/core/.config")]
    for call in calls:
        with pytest.raises(Failure) as caught:
            call()
        assert caught.value.what == what
        assert caught.value.where.startswith("/home/core/.config")
    assert {path: sorted(os.listdir(tmp_path / path)) for path in before} == before


@pytest.mark.root
def test_link_of_a_user_to_roots_file_is_not_opened(tmp_path: Path) -> None:
    root = tree_of_users(tmp_path)
    (tmp_path / "etc/shadow").write_text("secret")
    link = tmp_path / "home/core/file"
    link.symlink_to("/etc/shadow")
    os.chown(link, USER, USER, follow_symlinks=False)
    with pytest.raises(Failure, match="^/home/core/file: a symlink on the way belongs to uid 1234"):
        root.open("/home/core/file")


def test_path_below_sysroot_belongs_to_it_and_any_other_to_the_running_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IGNITION_SYSROOT", str(tmp_path))
    root, inside = around(f"{tmp_path}/etc/hostname")
    assert (root.path, inside, root.is_live) == (str(tmp_path), "/etc/hostname", False)
    root, inside = around(f"{tmp_path}-other/f")
    assert (root.path, inside, root.is_live) == ("", f"{tmp_path}-other/f", True)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    root, live = build(tmp_path, {"/a/b/": "", "/l": "/a/b", "/loop": "/loop"}), Root.live(str(tmp_path))
    before = len(os.listdir("/proc/self/fd"))
    for one in (root, live):
        one.write("/l/f", b"", mode=0o644)
        one.write("/new/f", b"", mode=0o644)
        os.close(one.open("/l/f"))
        one.status("/l/none")
        one.names("/l")
        for path in ("/loop/x", "/none/x", "/l/none"):
            with pytest.raises((Failure, OSError)):
                one.open(path)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("live", [False, True])
def test_statuses_are_those_of_each_path(tmp_path: Path, live: bool) -> None:
    (tmp_path / "d").mkdir()
    for name in ("d/a", "d/b", "f"):
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("d")
    root = Root(str(tmp_path), live=live)
    insides = ["/d/a", "/d/b", "/d/none", "/link/a", "/link", "/none/a", "/none/b", "/f/a", "/f", "/", "/d"]
    found = list(root.statuses(insides))
    assert [one and one.st_ino for one in found] == [one and one.st_ino for one in map(root.status, insides)]
    assert [one is not None for one in found] == [True, True, False, True, True, False, False, False, True, True, True]


def test_openat2_opens_the_top_itself(tmp_path: Path) -> None:
    descriptor = openat2.directory(str(tmp_path), "/")
    try:
        assert os.path.samestat(os.fstat(descriptor), tmp_path.stat())
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(("path", "error"), [("/none", FileNotFoundError), ("/file", NotADirectoryError), ("/loop/x", OSError)])
def test_openat2_says_what_the_kernel_says(tmp_path: Path, path: str, error: type[OSError]) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(error) as caught:
        openat2.directory(str(tmp_path), path)
    assert caught.value.filename == path
    assert caught.value.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


@pytest.mark.parametrize(
    ("path", "found"), [("/a", True), ("/l", True), ("/f", False), ("/f/x", False), ("/none", False), ("/", True)]
)
@pytest.mark.usefixtures("way")
def test_directory_is_told_from_other_nodes(tmp_path: Path, path: str, found: bool) -> None:
    (tmp_path / "f").touch()
    assert build(tmp_path, {"/a/": "", "/l": "a"}).is_directory(path) is found


@pytest.mark.root
def test_missing_directories_get_the_wanted_owner_and_mode(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with Root(str(tmp_path)).at("/a/b/c/d", parents=Parents(0o2750, 7, 8)) as here:
        assert here.inside == "/a/b/c/d"
    for name, expected in (("a", (0, 0, 0o755)), ("a/b", (7, 8, 0o2750)), ("a/b/c", (7, 8, 0o2750))):
        found = (tmp_path / name).stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == expected, name
    assert not (tmp_path / "a/b/c/d").exists()


@pytest.mark.parametrize("change", ["removal", "symlink", "program", "user"])
def test_kept_directory_is_looked_up_again_after_what_may_lead_elsewhere(tmp_path: Path, change: str) -> None:
    root = build(tmp_path, {"/a/": "", "/b/": ""})
    with root.keeping():
        root.write("/a/x", b"", mode=0o600)
        if change == "removal":
            with root.at("/a") as here:
                here.remove()
        else:
            (tmp_path / "a").rename(tmp_path / "gone")
        if change == "symlink":
            with root.at("/a") as here:
                here.symlink("b")
        if change == "program":
            changes.note()
        with root.acting_as(os.geteuid(), os.getegid()) if change == "user" else nullcontext():
            root.write("/a/y", b"", mode=0o600)
    assert (tmp_path / ("b" if change == "symlink" else "a") / "y").exists()
    assert not (tmp_path / "gone/y").exists()


@pytest.mark.parametrize("live", [False, True])
def test_directory_is_kept_unless_others_may_change_the_root(tmp_path: Path, live: bool) -> None:
    (tmp_path / "a").mkdir()
    root = Root(str(tmp_path), live=live)
    with root.keeping():
        root.write("/a/x", b"", mode=0o600)
        (tmp_path / "a").rename(tmp_path / "moved")
        (tmp_path / "a").mkdir()
        with ThreadPoolExecutor(1) as executor:  # another thread does not use it
            executor.submit(root.write, "/a/of-thread", b"", mode=0o600).result()
        root.write("/a/y", b"", mode=0o600)
    root.write("/a/z", b"", mode=0o600)
    assert (tmp_path / ("a" if live else "moved") / "y").exists()
    assert {"of-thread", "z"} <= set(os.listdir(tmp_path / "a"))


def test_no_kept_descriptor_is_left_open(tmp_path: Path) -> None:
    opened = len(os.listdir("/proc/self/fd"))
    root = build(tmp_path, {"/a/": "", "/b/": ""})
    with pytest.raises(FileNotFoundError), root.keeping():
        for path in ("/a/x", "/a/y", "/b/x", "/new/x"):
            root.write(path, b"", mode=0o600)
        root.open("/missing/x")
    assert len(os.listdir("/proc/self/fd")) == opened
