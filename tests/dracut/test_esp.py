"""The first-boot flag and the in-progress mark: `esp begin` and `esp quench`, on a directory that stands for EFI-SYSTEM."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "dracut/35coreos-ignition/esp"
DIGEST = "a" * 128


class Esp:
    """EFI-SYSTEM as the script sees it; what would touch a device is a stand-in that notes its call."""

    def __init__(self, tmp_path: Path) -> None:
        self.run_dir = tmp_path / "run/ignition"
        self.at = self.run_dir / "esp"
        self.calls = tmp_path / "calls"
        self.programs = tmp_path / "programs"
        self.at.mkdir(parents=True)
        self.programs.mkdir()
        (self.run_dir / "config.sha512").write_text(f"{DIGEST}\n")
        for name in ("udevadm", "mount", "umount", "sync"):
            self.program(name, "true")
        # What is on the partition when it happens.
        self.program("rm", '/bin/rm "$@"')
        self.mark = self.at / "coreos/first_boot.in-progress"

    def program(self, name: str, does: str) -> None:
        """A program that notes its call and does this."""
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.calls}\n{does}\n')
        path.chmod(0o755)

    def flag(self, folder: str) -> Path:
        """Make the flag."""
        path = self.at / folder / "first_boot"
        path.parent.mkdir(exist_ok=True)
        path.touch()
        return path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        environment = {"PATH": f"{self.programs}:/usr/bin:/bin", "IGNITION_RUN_DIR": str(self.run_dir.parent)}
        return subprocess.run(["sh", str(SCRIPT), *words], env=environment, capture_output=True, text=True, check=False)

    def called(self) -> list[str]:
        """The calls, without the directories of the test."""
        return self.calls.read_text().replace(str(self.at), "ESP").splitlines()


@pytest.fixture
def esp(tmp_path: Path) -> Esp:
    """A partition without a flag."""
    return Esp(tmp_path)


@pytest.mark.parametrize("digest", [None, ""], ids=["absent", "empty"])
def test_begin_without_a_digest_still_leaves_its_mark(esp: Esp, digest: str | None) -> None:
    esp.flag("coreos")
    (esp.run_dir / "config.sha512").unlink()
    if digest is not None:
        (esp.run_dir / "config.sha512").write_text(digest)
    done = esp.run("begin")
    assert (done.returncode, done.stderr) == (0, "")
    assert esp.mark.read_text() == "unknown\n"


@pytest.mark.parametrize("folder", ["coreos", "flatcar"])
def test_begin_leaves_the_digest_and_the_flag(esp: Esp, folder: str) -> None:
    flag = esp.flag(folder)
    done = esp.run("begin")
    assert (done.returncode, done.stderr) == (0, "")
    assert esp.mark.read_text() == f"{DIGEST}\n"
    assert flag.exists()
    # For root-can-grow: nothing can be half grown.
    assert (esp.run_dir / "first-try").exists()
    assert esp.called()[-2:] == ["sync ESP/coreos/first_boot.in-progress ESP/coreos", "umount ESP"]


@pytest.mark.parametrize(
    ("earlier", "said"),
    [
        pytest.param(f"{DIGEST}\n", "<5>an earlier first boot with this same config was interrupted or failed", id="same"),
        pytest.param("b\n", "<4>an earlier first boot was interrupted or failed, and with another config", id="another"),
        # FAT had the name on disk and not yet the contents when the power failed.
        pytest.param("", "<5>an earlier first boot was interrupted: trying again", id="empty"),
        pytest.param(DIGEST, "<5>an earlier first boot with this same config was interrupted or failed", id="without-line-end"),
    ],
)
def test_begin_recognises_a_repeat(esp: Esp, earlier: str, said: str) -> None:
    esp.flag("coreos")
    esp.mark.write_text(earlier)
    done = esp.run("begin")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(said)
    assert esp.mark.read_text() == f"{DIGEST}\n"
    assert not (esp.run_dir / "first-try").exists()


def test_quench_removes_flag_and_mark_when_everything_is_on_disk(esp: Esp) -> None:
    flag = esp.flag("flatcar")
    esp.mark.parent.mkdir()
    esp.mark.write_text(f"{DIGEST}\n")
    assert esp.run("quench").returncode == 0
    assert not flag.exists() and not esp.mark.exists()
    assert esp.called()[2:] == [
        "sync ",
        "rm ESP/flatcar/first_boot",
        "sync ESP/flatcar",
        "rm -f ESP/coreos/first_boot.in-progress",
        "umount ESP",
    ]


def test_quench_keeps_the_flag_while_something_is_not_on_disk(esp: Esp) -> None:
    flag = esp.flag("coreos")
    esp.program("sync", "exit 1")
    assert esp.run("quench").returncode != 0
    assert flag.exists()


@pytest.mark.parametrize(
    ("program", "what", "fix"),
    [
        pytest.param(
            "udevadm",
            "no file system labelled EFI-SYSTEM came up in 30 s",
            "check that the disk that GRUB was loaded from is attached, and that the config does not remove its first partition",
            id="no-partition",
        ),
        pytest.param(
            "mount",
            "cannot mount /dev/disk/by-label/EFI-SYSTEM",
            "check the file system: fsck.vfat /dev/disk/by-label/EFI-SYSTEM",
            id="damaged",
        ),
    ],
)
def test_partition_that_does_not_come_is_said(esp: Esp, program: str, what: str, fix: str) -> None:
    flag = esp.flag("coreos")
    esp.program(program, "exit 1")
    done = esp.run("quench")
    assert (done.returncode, done.stderr) == (1, f"<3>{what}\n")
    screen = (esp.run_dir / "failure.txt").read_text().splitlines()
    assert f"what:  {what}" in screen and f"do:    {fix}" in screen
    assert flag.exists()


@pytest.mark.parametrize("verb", ["begin", "quench"])
def test_partition_without_a_flag_is_the_wrong_one(esp: Esp, verb: str) -> None:
    done = esp.run(verb)
    assert done.returncode == 1
    assert done.stderr.startswith("<3>neither coreos/first_boot nor flatcar/first_boot is on ")
    assert "two disks seem to have a partition labelled EFI-SYSTEM" in (esp.run_dir / "failure.txt").read_text()
    assert not esp.mark.exists()


def test_reason_of_a_stage_is_not_replaced(esp: Esp) -> None:
    (esp.run_dir / "failure.txt").write_text("the stage's own\n")
    assert esp.run("quench").returncode == 1
    assert (esp.run_dir / "failure.txt").read_text() == "the stage's own\n"


def test_verb_that_is_none_is_refused(esp: Esp) -> None:
    flag = esp.flag("coreos")
    done = esp.run("finish")
    assert (done.returncode, done.stderr) == (1, "<3>unknown verb 'finish'\n")
    assert flag.exists()


def note(esp: Esp, *words: str) -> None:
    """Notes of a boot with a flag."""
    esp.flag("coreos")
    (esp.run_dir / "flagged").touch()
    for word in words:
        done = esp.run("note", word)
        assert (done.returncode, done.stderr) == (0, "")


def test_notes_stand_below_the_digest_once_each_and_are_on_disk(esp: Esp) -> None:
    note(esp, "disks-done", "another", "disks-done")
    assert esp.mark.read_text() == f"{DIGEST}\ndisks-done\nanother\n"
    assert esp.called()[-2:] == ["sync ESP/coreos/first_boot.in-progress ESP/coreos", "umount ESP"]


def test_boot_without_a_flag_notes_nothing_and_touches_no_partition(esp: Esp) -> None:
    done = esp.run("note", "disks-done")
    assert (done.returncode, done.stderr) == (0, "")
    assert not esp.mark.exists() and not esp.calls.exists()


def test_notes_of_the_same_config_count_for_the_next_attempt(esp: Esp) -> None:
    note(esp, "root-in-memory", "disks-done")
    assert esp.run("begin").returncode == 0
    assert (esp.run_dir / "earlier").read_text() == "root-in-memory\ndisks-done\n"
    assert esp.mark.read_text() == f"{DIGEST}\nroot-in-memory\ndisks-done\n"


def test_notes_of_another_config_do_not_count(esp: Esp) -> None:
    note(esp, "disks-done")
    (esp.run_dir / "config.sha512").write_text("b\n")
    assert esp.run("begin").returncode == 0
    assert (esp.run_dir / "earlier").read_text() == "\n"
    assert esp.mark.read_text() == "b\n"


@pytest.mark.parametrize("digest", [DIGEST, "b"], ids=["same-config", "another-config"])
def test_root_that_was_in_memory_only_is_lost_and_that_is_said(esp: Esp, digest: str) -> None:
    note(esp, "root-in-memory")
    (esp.run_dir / "config.sha512").write_text(f"{digest}\n")
    done = esp.run("begin")
    assert done.returncode == 1
    screen = (esp.run_dir / "failure.txt").read_text()
    assert "what:  an earlier attempt was interrupted while ROOT's contents were in memory only: they are lost" in screen
    assert "do:    write the machine image to the disk again" in screen
