"""Opening files inside a root, and on a device that is mounted only for that."""

import os
from pathlib import Path

import pytest

from ignition.errors import Failure, NotFound
from ignition.host import temporary_mount
from ignition.host.command import ENVIRONMENT
from ignition.host.reading import lines, open_inside, open_on_device, read_inside, read_text
from ignition.host.root import Root
from tests.loop_devices import MakeLoop, command, make_ext4, mounts_of

HERE = "the file"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Files, a directory, links inside and out."""
    top = tmp_path / "tree"
    (top / "dir").mkdir(parents=True)
    (top / "file").write_text("content")
    (top / "dir/inside").symlink_to("../file")
    (top / "out").symlink_to("../../../etc/hostname")
    (top / "absolute").symlink_to("/file")
    (top / "dangling").symlink_to("nowhere")
    (top / "loop").symlink_to("loop")
    os.mkfifo(top / "pipe")
    return top


@pytest.mark.parametrize("path", ["/file", "file", "/dir/../file", "/../../file", "/dir/inside", "/absolute"])
def test_file_of_a_root_is_opened(tree: Path, path: str) -> None:
    with open_inside(Root(str(tree)), path, where=HERE) as file:
        assert file.read() == b"content"


@pytest.mark.parametrize(
    ("path", "kind", "what"),
    [
        pytest.param("/none", NotFound, "there is no file /none", id="missing"),
        pytest.param("/file/x", NotFound, "there is no file /file/x", id="below a file"),
        pytest.param("/dangling", NotFound, "there is no file /dangling", id="dangling link"),
        pytest.param("/dir", Failure, "/dir is a directory", id="directory"),
        pytest.param("/", Failure, "/ is a directory", id="top"),
        pytest.param("/pipe", Failure, "/pipe is not a regular file", id="pipe"),
        pytest.param("/loop", Failure, "too many symlinks on the way to /loop", id="loop"),
        pytest.param("/a\0b", Failure, "/a\0b cannot be read: its path contains a NUL byte", id="NUL"),
        pytest.param(f"/{'x' * 300}", Failure, f"/{'x' * 300} cannot be read: File name too long", id="long name"),
    ],
)
def test_what_is_no_readable_file_is_named(tree: Path, path: str, kind: type[Failure], what: str) -> None:
    with pytest.raises(Failure) as caught:
        open_inside(Root(str(tree)), path, where=HERE)
    assert type(caught.value) is kind
    assert (caught.value.what, caught.value.where) == (what, HERE)


@pytest.mark.parametrize("path", ["/out", "/absolute"])
def test_link_out_of_a_strict_root_is_an_error(tree: Path, path: str) -> None:
    with pytest.raises(Failure) as caught:
        open_inside(Root(str(tree), leaving_is_an_error=True), path, where=HERE)
    assert (caught.value.what, caught.value.where) == ("a symlink on the way leads out of the file system", HERE)


@pytest.mark.root
def test_file_on_a_device_is_readable_after_unmounting(tree: Path, make_loop: MakeLoop) -> None:
    node = make_ext4(make_loop, tree, "READ")
    with open_on_device(node, "/file", where=HERE, timeout_s=20) as file:
        assert mounts_of(node) == []
        assert file.read() == b"content"


@pytest.mark.root
@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/none", "there is no file /none"),
        ("/dir", "/dir is a directory"),
        ("/out", "a symlink on the way leads out of the file system"),
    ],
)
def test_device_is_unmounted_after_a_failure(tree: Path, make_loop: MakeLoop, path: str, what: str) -> None:
    node = make_ext4(make_loop, tree, "READ")
    with pytest.raises(Failure) as caught:
        open_on_device(node, path, where=HERE, timeout_s=20)
    assert (caught.value.what, caught.value.where) == (what, HERE)
    assert mounts_of(node) == []


@pytest.mark.root
def test_device_without_a_file_system_is_named(make_loop: MakeLoop) -> None:
    node = make_loop(1)
    with pytest.raises(Failure, match=f"^{HERE}: {node} cannot be mounted: mounting {node} on .*: exit status 32") as caught:
        open_on_device(node, "/file", where=HERE, timeout_s=20)
    assert caught.value.fix == "use a file system that this kernel supports"


def test_missing_device_is_waited_for_and_named(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        open_on_device(f"{tmp_path}/none", "/file", where=HERE, timeout_s=0.05)
    assert (caught.value.what, caught.value.where) == (f"no such device after 0.05 s: {tmp_path}/none", HERE)


@pytest.mark.root
def test_device_that_is_mounted_writable_is_read_too(tree: Path, make_loop: MakeLoop, tmp_path: Path) -> None:
    node = make_ext4(make_loop, tree, "READ")
    with temporary_mount.mounted(node, ("ext4",), base=str(tmp_path)) as busy:
        with temporary_mount.mounted_to_read(node, base=str(tmp_path)) as directory, pytest.raises(OSError, match="Read-only"):
            Path(directory, "new").write_text("x")
        with open_on_device(node, "/file", where=HERE, timeout_s=20) as file:
            assert file.read() == b"content"
        Path(busy, "new").write_text("the first mount stays writable")
        assert mounts_of(node) == [busy]
    assert list(tmp_path.glob("mount-*")) == []


@pytest.mark.root
def test_mount_that_takes_too_long_leaves_nothing(tmp_path: Path, make_loop: MakeLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    slow = programs / "mount"
    slow.write_text('#!/bin/sh\n/bin/mount "$@"\nexec sleep 10\n')
    slow.chmod(0o755)
    monkeypatch.setitem(ENVIRONMENT, "PATH", f"{programs}:{ENVIRONMENT['PATH']}")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    (tmp_path / "empty").mkdir()
    node = make_ext4(make_loop, tmp_path / "empty", "SLOW")
    with (
        pytest.raises(Failure, match=f"mounting {node} on .*: timed out after 0.5 s"),
        temporary_mount.mounted_to_read(node, timeout_s=0.5, base=str(tmp_path)),
    ):
        pass
    assert mounts_of(node) == []
    assert list(tmp_path.glob("mount-*")) == []


@pytest.mark.root
def test_only_reading_is_possible_and_nothing_foreign_runs(tree: Path, make_loop: MakeLoop, tmp_path: Path) -> None:
    node = make_ext4(make_loop, tree, "READ")
    with temporary_mount.mounted_to_read(node, base=str(tmp_path)) as directory:
        options = command("findmnt", "-n", "-o", "OPTIONS", directory).strip().split(",")
    assert {"ro", "nodev", "nosuid", "noexec"} <= set(options)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/dir", "it is a directory"),
        ("/pipe", "it is not a regular file"),
        ("/socket", "it is not a regular file"),
        ("/large", "it is larger than 1 KiB"),
        ("/loop", "too many symlinks on the way to /loop"),
    ],
)
def test_file_of_an_image_is_read_within_bounds(tree: Path, path: str, what: str) -> None:
    (tree / "large").touch()
    os.truncate(tree / "large", 4 << 30)  # a hole
    os.mknod(tree / "socket", 0o140600)
    with pytest.raises(Failure) as caught:
        read_text(Root(str(tree)), path, limit=1024)
    assert (caught.value.what, caught.value.where) == (what, path)


def test_absent_file_has_no_text_and_other_bytes_are_kept(tree: Path) -> None:
    (tree / "file").write_bytes(b"a\xffb\r\n")
    assert read_text(Root(str(tree)), "/none") is None
    assert read_text(Root(str(tree)), "/dangling") is None
    assert read_text(Root(str(tree)), "/file", limit=5) == "a\udcffb\r\n"


@pytest.mark.root
@pytest.mark.parametrize("number", [(1, 5), (1, 3), (7, 0)], ids=["zero", "null", "loop"])
def test_device_of_an_image_is_not_opened(tree: Path, number: tuple[int, int]) -> None:
    os.mknod(tree / "device", 0o600 | (0o060000 if number[0] == 7 else 0o020000), os.makedev(*number))
    with pytest.raises(Failure, match="^/device: it is not a regular file"):
        read_inside(Root(str(tree)), "/device")


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\v", "\f", "\x1c", "\x1d", "\x1e", "\r"])
def test_line_ends_at_a_newline_alone(character: str) -> None:
    assert lines(f"core:x:1:1:a{character}b::\nroot:x\n\nlast") == [f"core:x:1:1:a{character}b::", "root:x", "", "last"]
    assert lines("") == []
    assert lines("\n") == [""]


@pytest.mark.root
def test_file_that_cannot_be_read_says_why() -> None:
    with pytest.raises(Failure) as caught:
        read_inside(Root("/proc/self"), "/mem")
    assert (caught.value.what, caught.value.where) == ("it cannot be read: Input/output error", "/mem")
