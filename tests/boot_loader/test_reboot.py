"""The one reboot for kernel arguments, and what keeps it from becoming a loop."""

import os
import time
from pathlib import Path

import pytest

from ignition.boot_loader import reboot
from ignition.errors import Failure
from ignition.host import first_boot_mark, paths

DIGEST = "a" * 128


@pytest.fixture(autouse=True)
def run_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the fetch stages have left."""
    directory = tmp_path / "run"
    directory.mkdir()
    (directory / paths.CONFIG_DIGEST).write_text(f"{DIGEST}\n")
    monkeypatch.setattr(paths, "RUN", str(directory))
    return directory


@pytest.fixture
def esp(tmp_path: Path) -> Path:
    """A mounted EFI system partition."""
    (tmp_path / "esp/coreos").mkdir(parents=True)
    return tmp_path / "esp"


@pytest.mark.parametrize(
    ("mark", "done"),
    [
        pytest.param(None, False, id="no-mark"),
        pytest.param("", False, id="empty"),
        pytest.param(f"{DIGEST}\n", False, id="no-notes"),
        pytest.param(f"{DIGEST}\nbegun\n", False, id="other-note"),
        pytest.param(f"{'b' * 128}\nkargs-rebooted\n", False, id="other-config"),
        pytest.param(f"{DIGEST}\nkargs-rebooted\n", True, id="done"),
        pytest.param(f"{DIGEST}\nbegun\n\n\nkargs-rebooted\n", True, id="done-among-others"),
        pytest.param("\xff\n", False, id="no-text"),
    ],
)
def test_mark_says_whether_this_config_had_its_reboot(esp: Path, mark: str | None, done: bool) -> None:
    if mark is not None:
        (esp / reboot.MARK).write_bytes(mark.encode("latin-1"))
    assert reboot.was_done(str(esp), DIGEST) is done


def test_second_reboot_for_the_same_config_is_refused(esp: Path) -> None:
    (esp / reboot.MARK).write_text(f"{DIGEST}\nkargs-rebooted\n")
    with pytest.raises(Failure) as caught:
        reboot.refuse_second(str(esp), ["/coreos/kargs.cfg", "/loader/entries/a.conf"])
    assert caught.value.what == (
        "already rebooted for these kernel arguments, and they are missing again in /coreos/kargs.cfg, /loader/entries/a.conf"
    )
    assert "then remove coreos/first_boot.in-progress" in caught.value.fix


def test_first_reboot_is_not_refused(esp: Path, run_directory: Path) -> None:
    reboot.refuse_second(str(esp), ["/coreos/kargs.cfg"])
    # Another config is another matter, and so is a mark whose config is not known.
    (esp / reboot.MARK).write_text(f"{'b' * 128}\nkargs-rebooted\n")
    reboot.refuse_second(str(esp), ["/coreos/kargs.cfg"])
    (run_directory / paths.CONFIG_DIGEST).unlink()
    reboot.refuse_second(str(esp), ["/coreos/kargs.cfg"])


def test_kernel_that_something_else_has_started_is_refused() -> None:
    reboot.refuse_vain([], ["/coreos/kargs.cfg"])
    with pytest.raises(Failure) as caught:
        reboot.refuse_vain(["without 'a=1'", "with 'quiet'"], ["/coreos/kargs.cfg", "/loader/entries/a.conf"])
    assert caught.value.where == "/proc/cmdline"
    assert caught.value.what == (
        "the kernel was started without 'a=1', with 'quiet', although it is right in /coreos/kargs.cfg and /loader/entries/a.conf"
    )
    assert caught.value.fix.startswith("something other than this boot loader starts the kernel or extends its arguments (PXE,")
    assert caught.value.fix.endswith("another reboot would not help; set the arguments there")


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What reboot() does to the machine, instead of doing it."""
    done: list[list[str]] = []
    monkeypatch.setattr(os, "sync", lambda: done.append(["sync"]))
    monkeypatch.setattr(reboot, "run", lambda argv, why: done.append(argv))
    monkeypatch.setattr(time, "sleep", lambda seconds: done.append(["sleep", f"{seconds:g}"]))
    monkeypatch.setattr(reboot, "_tell_the_console", lambda: None)
    monkeypatch.setattr(first_boot_mark, "note", lambda word: done.append(["note", word]))
    monkeypatch.setattr(paths, "INITRD_RELEASE", str(tmp_path / "initrd-release"))
    return done


def test_reboot_of_the_initramfs_is_noted_first(tmp_path: Path, calls: list[list[str]]) -> None:
    (tmp_path / "initrd-release").touch()
    with pytest.raises(Failure, match="still running 180 s after its reboot was requested"):
        reboot.reboot()
    assert calls == [["note", "kargs-rebooted"], ["sync"], ["systemctl", "--force", "reboot"], ["sleep", "180"]]


def test_reboot_of_a_running_system_is_an_orderly_one(calls: list[list[str]]) -> None:
    with pytest.raises(Failure):
        reboot.reboot()
    assert calls == [["sync"], ["systemctl", "reboot"], ["sleep", "180"]]


def test_reboot_that_cannot_be_noted_does_not_happen(
    tmp_path: Path, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(word: str) -> None:
        raise Failure("the partition is full")

    (tmp_path / "initrd-release").touch()
    monkeypatch.setattr(first_boot_mark, "note", fail)
    with pytest.raises(Failure, match="the partition is full"):
        reboot.reboot()
    assert calls == []
