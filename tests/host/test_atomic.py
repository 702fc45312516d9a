"""Files appear complete or not at all."""

import os
import stat
from itertools import count
from pathlib import Path

import pytest

from ignition.host import atomic, dentry


def test_content_and_mode_are_exact_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        atomic.write(str(tmp_path / "f"), b"content", mode=0o4755)
    finally:
        os.umask(before)
    assert (tmp_path / "f").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o4755


@pytest.mark.root
@pytest.mark.parametrize(
    ("given", "owner"), [({"uid": 1234, "gid": 4321}, (1234, 4321)), ({"uid": 1234}, (1234, 0)), ({"gid": 4321}, (0, 4321))]
)
def test_set_id_bits_survive_a_change_of_owner(tmp_path: Path, given: dict[str, int], owner: tuple[int, int]) -> None:
    atomic.write(str(tmp_path / "f"), b"", mode=0o6755, **given)  # type: ignore[arg-type]  # not `sync`
    found = (tmp_path / "f").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (*owner, 0o6755)


@pytest.mark.parametrize(("given", "waits"), [({}, 0), ({"sync": True}, 1)], ids=["not", "if asked to"])
def test_disk_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, bool], waits: int) -> None:
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.pread(descriptor, 9, 0)))
    with atomic.replacing(str(tmp_path / "f"), mode=0o644, **given) as file:
        file.write(b"content")
    assert synced == [b"content"] * waits


def test_failing_block_leaves_the_old_content_and_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("old")
    with pytest.raises(RuntimeError, match="half way"), atomic.replacing(str(tmp_path / "f"), mode=0o644) as file:
        file.write(b"new")
        raise RuntimeError("half way")
    assert (tmp_path / "f").read_text() == "old"
    assert os.listdir(tmp_path) == ["f"]


def test_nothing_is_at_the_path_before_the_block_ends(tmp_path: Path) -> None:
    with atomic.replacing(str(tmp_path / "f"), mode=0o644) as file:
        file.write(b"x" * 100_000)
        file.flush()
        assert not (tmp_path / "f").exists()
    assert (tmp_path / "f").stat().st_size == 100_000


def test_symlink_at_the_path_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("kept")
    (tmp_path / "f").symlink_to("target")
    atomic.write(str(tmp_path / "f"), b"new", mode=0o600)
    assert not (tmp_path / "f").is_symlink()
    assert (tmp_path / "target").read_text() == "kept"


def test_directory_at_the_path_is_an_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    with pytest.raises(IsADirectoryError):
        atomic.write(str(tmp_path / "d"), b"", mode=0o600)
    assert os.listdir(tmp_path) == ["d"]


def test_leftover_of_a_process_with_our_number_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dentry, "_serial", count(7))
    (tmp_path / "secret").write_text("kept")
    (tmp_path / f".ignition-{os.getpid()}-7").symlink_to("secret")
    atomic.write(str(tmp_path / "f"), b"new", mode=0o600, sync=True)
    assert (tmp_path / "f").read_bytes() == b"new"
    assert (tmp_path / "secret").read_text() == "kept"
    assert sorted(os.listdir(tmp_path)) == ["f", "secret"]


def test_what_was_written_can_be_read_back_before_it_appears(tmp_path: Path) -> None:
    with atomic.replacing(str(tmp_path / "f"), mode=0o644) as file:
        file.write(b"abc")
        file.flush()
        assert os.pread(file.fileno(), 10, 1) == b"bc"


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    atomic.write(str(tmp_path / "f"), b"x", mode=0o644)
    with pytest.raises(RuntimeError), atomic.replacing(str(tmp_path / "f"), mode=0o644):
        raise RuntimeError
    atomic.sync_file_system(str(tmp_path))
    with pytest.raises(NotADirectoryError):
        atomic.sync_file_system(str(tmp_path / "f"))
    assert len(os.listdir("/proc/self/fd")) == before
