"""Paths of hostile images stay inside the root."""

import os
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.host.root import Root


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
