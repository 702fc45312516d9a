"""A name in an open directory: what is there is never followed, never entered across a mount, and replaced in one step."""

import os
import stat
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.host import dentry
from ignition.host.dentry import TRIES, Dentry


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Dentry]:
    """The name `x` in an open directory."""
    descriptor = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    yield Dentry(descriptor, "x", "/dir/x")
    os.close(descriptor)


def listing(path: Path) -> list[str]:
    return sorted(os.listdir(path))


def test_absent_name_has_no_status(here: Dentry) -> None:
    assert here.status() is None
    here.remove()


def test_directory_made_has_its_mode_whatever_the_umask(here: Dentry, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        here.mkdir(mode=0o2755)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o2755


def test_symlink_is_neither_opened_nor_changed(here: Dentry, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("kept")
    (tmp_path / "target").chmod(0o600)
    (tmp_path / "x").symlink_to("target")
    with pytest.raises(OSError, match="Too many levels of symbolic links: '/dir/x'"):
        here.open()
    with pytest.raises(OSError, match="Too many levels of symbolic links: '/dir/x'"):
        here.set_attributes(mode=0o777, uid=-1, gid=-1)
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o600


def test_fifo_is_no_file_and_nobody_waits_for_its_writer(here: Dentry, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x")
    with pytest.raises(Failure, match="^/dir/x: /dir/x is not a regular file"):
        here.open_regular()
    with pytest.raises(Failure, match="^/dir/x: /dir/x is not a regular file"):
        here.set_attributes(mode=0o777, uid=-1, gid=-1)


def test_file_exchanged_since_it_was_looked_at_is_left_alone(here: Dentry, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("first")
    seen = here.status()
    (tmp_path / "other").write_text("second")
    (tmp_path / "other").chmod(0o600)
    os.rename(tmp_path / "other", tmp_path / "x")
    for call in (lambda: here.set_attributes(mode=0o777, uid=-1, gid=-1, seen=seen), lambda: here.open_regular(seen)):
        with pytest.raises(Failure, match="^/dir/x: /dir/x is no longer the file that was checked: it is left unchanged"):
            call()
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


def test_file_with_a_second_name_keeps_its_mode_where_it_must_be_the_only_one(here: Dentry, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    (tmp_path / "x").chmod(0o600)
    os.link(tmp_path / "x", tmp_path / "second")
    with pytest.raises(Failure, match="^/dir/x: /dir/x has another hard link"):
        here.set_attributes(mode=0o777, uid=-1, gid=-1, sole=True)
    assert stat.S_IMODE((tmp_path / "second").stat().st_mode) == 0o600
    here.set_attributes(mode=0o640, uid=-1, gid=-1)
    assert stat.S_IMODE((tmp_path / "second").stat().st_mode) == 0o640


@pytest.mark.parametrize("kind", ["fifo", "link", "directory"])
def test_temporary_name_taken_by_somebody_is_not_opened(
    here: Dentry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(dentry, "_serial", count(3))
    taken, secret = tmp_path / f".ignition-{os.getpid()}-3", tmp_path / "secret"
    secret.write_text("kept")
    {"fifo": lambda: os.mkfifo(taken), "link": lambda: taken.symlink_to("secret"), "directory": lambda: taken.mkdir()}[kind]()
    here.write(b"new", mode=0o600)
    assert (tmp_path / "x").read_bytes() == b"new"
    assert secret.read_text() == "kept"
    assert [name for name in listing(tmp_path) if name.startswith(".ignition-")] == ([taken.name] if kind == "directory" else [])


def test_every_temporary_name_taken_is_an_error(here: Dentry, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    def taken(name: str) -> int:
        tries.append(name)
        raise FileExistsError(17, "File exists", name)

    with pytest.raises(FileExistsError, match="'/dir/x'"):
        here._temporary(taken)
    assert len(set(tries)) == TRIES


def test_symlink_and_hard_link_replace_a_file_in_one_step(here: Dentry, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    here.symlink("nowhere")
    assert here.readlink() == "nowhere"
    (tmp_path / "source").write_text("source")
    here.link(Dentry(here.directory, "source", "/dir/source"))
    here.link(Dentry(here.directory, "source", "/dir/source"))
    assert (tmp_path / "x").samefile(tmp_path / "source")
    assert listing(tmp_path) == ["source", "x"]


def test_tree_is_removed_and_what_its_links_lead_to_is_not(here: Dentry, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("")
    (tmp_path / "x/a/b").mkdir(parents=True)
    (tmp_path / "x/a/link").symlink_to(outside)
    os.mkfifo(tmp_path / "x/pipe")
    here.remove()
    assert listing(tmp_path) == ["outside"]
    assert listing(outside) == ["kept"]


@pytest.mark.root
@pytest.mark.parametrize("place", ["x", "x/a", "x/a/b"])
@pytest.mark.parametrize("bind", [False, True], ids=["tmpfs", "bind"])
def test_nothing_is_removed_where_something_is_mounted(here: Dentry, tmp_path: Path, place: str, *, bind: bool) -> None:
    (tmp_path / "x/a/b").mkdir(parents=True)
    (tmp_path / "x/file").write_text("")
    data = tmp_path / "data"
    data.mkdir()
    target = tmp_path / place
    argv = ["mount", "--bind", str(data), str(target)] if bind else ["mount", "-t", "tmpfs", "tmpfs", str(target)]
    subprocess.run(argv, check=True)
    try:
        (target / "kept").write_text("")
        with pytest.raises(
            Failure, match="^/dir/x: another file system is mounted on /dir/x or below: it is not removed"
        ) as caught:
            here.remove()
        assert caught.value.fix == "name a path that neither is a mount point nor holds one"
        assert (target / "kept").exists()
        assert place == "x" or (tmp_path / "x/file").exists()
    finally:
        subprocess.run(["umount", str(target)], check=True)
    here.remove()
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("kind", ["symlink to a directory", "file", "FIFO"])
def test_only_a_directory_is_entered(here: Dentry, tmp_path: Path, kind: str) -> None:
    place = tmp_path / here.name
    if kind == "file":
        place.write_text("")
    elif kind == "FIFO":
        os.mkfifo(place)
    else:
        place.symlink_to("/")
    with pytest.raises(NotADirectoryError) as caught, here.entered():
        pass
    assert caught.value.filename == here.inside


def test_no_descriptor_is_left_open(here: Dentry, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x")
    before = len(os.listdir("/proc/self/fd"))
    for call in (here.open_regular, here.names, lambda: here.set_attributes(mode=0o600, uid=-1, gid=-1)):
        with pytest.raises((Failure, NotADirectoryError)):
            call()
    here.remove()
    here.mkdir()
    here.names()
    here.set_attributes(mode=0o700, uid=-1, gid=-1)
    with here.below("y") as below:
        below.write(b"x", mode=0o644)
        below.open_regular().close()
        below.link(below)
        below.symlink("z")
    with here.entered() as entries:
        assert [one.inside for one in entries] == ["/dir/x/y"]
    here.remove()
    assert len(os.listdir("/proc/self/fd")) == before
