"""The first-boot flag and the in-progress mark: `esp begin`, `note` and `quench`, on a directory that stands for EFI-SYSTEM."""

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from ignition.host import first_boot_attempts
from ignition.host.root import Root

SCRIPT = Path(__file__).parent.parent.parent / "dracut/35coreos-ignition/esp"
DIGEST = "a" * 128


class Esp:
    """EFI-SYSTEM as the script sees it; what would touch a device is a stand-in that notes its call."""

    def __init__(self, tmp_path: Path) -> None:
        self.run_dir = tmp_path / "run/ignition"
        self.at = self.run_dir / "esp"
        self.calls = tmp_path / "calls"
        self.programs = tmp_path / "programs"
        self.cmdline = tmp_path / "cmdline"
        self.cmdline.write_text("root=LABEL=ROOT coreos.first_boot=detected\n")
        self.at.mkdir(parents=True)
        self.programs.mkdir()
        (self.run_dir / "config.sha512").write_text(f"{DIGEST}\n")
        (self.run_dir / "flagged").touch()  # by the generator
        for name in ("udevadm", "mount", "umount", "sync"):
            self.program(name, "true")
        # What is on the partition when it happens.
        self.program("rm", '/bin/rm "$@"')
        self.program("kargs-helper", "true")
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

    def earlier(self) -> list[str]:
        """The notes that the stages of this attempt can read."""
        path = self.run_dir / "earlier"
        return path.read_text().split() if path.exists() else []

    def leave(self, *lines: str) -> None:
        """The mark as an earlier attempt left it."""
        self.mark.parent.mkdir(exist_ok=True)
        self.mark.write_text("".join(f"{line}\n" for line in lines))

    def left(self) -> list[str]:
        """The mark, without empty lines."""
        return self.mark.read_text().split()

    def run(self, *verb: str) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        environment = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "IGNITION_RUN_DIR": str(self.run_dir.parent),
            "IGNITION_KARGS_HELPER": "kargs-helper",
            "IGNITION_KERNEL_CMDLINE_PATH": str(self.cmdline),
        }
        return subprocess.run(["sh", str(SCRIPT), *verb], env=environment, capture_output=True, text=True, check=False)

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
    assert esp.mark.read_text() == "unknown\nbegun\n"


@pytest.mark.parametrize("folder", ["coreos", "flatcar"])
def test_begin_leaves_the_digest_and_the_flag(esp: Esp, folder: str) -> None:
    flag = esp.flag(folder)
    done = esp.run("begin")
    assert (done.returncode, done.stderr) == (0, "")
    assert esp.mark.read_text() == f"{DIGEST}\nbegun\n"
    assert flag.exists()
    # For root-can-grow: nothing can be half grown.
    assert (esp.run_dir / "first-try").exists()
    assert esp.earlier() == []
    assert esp.called()[-2:] == ["sync ESP/coreos/first_boot.in-progress ESP/coreos", "umount ESP"]


SAME = "<5>an earlier first boot with this same config was interrupted or failed"
ANOTHER = "<4>an earlier first boot was interrupted or failed, and with another config"
REBOOTED = "<5>the machine was rebooted for its kernel arguments"
INTERRUPTED = "<5>an earlier first boot was interrupted: trying again"
B = "b" * 128


@pytest.mark.parametrize(
    ("earlier", "said", "notes"),
    [
        pytest.param(f"{DIGEST}\nbegun\n", SAME, ["begun"], id="same"),
        pytest.param(f"{DIGEST}\nbegun", SAME, ["begun"], id="without-line-end"),
        pytest.param(f"{DIGEST}\nbegun\ndisks-done\n", SAME, ["begun", "disks-done"], id="same-with-notes"),
        pytest.param(f"{DIGEST}\nkargs-rebooted\nbegun\n", SAME, ["kargs-rebooted", "begun"], id="same-after-reboot"),
        pytest.param(f"{DIGEST}\n", INTERRUPTED, [], id="same-without-notes"),
        pytest.param(f"{B}\nbegun\ndisks-done\n", ANOTHER, ["another-config"], id="another"),
        pytest.param("b\n", ANOTHER, ["another-config"], id="another-shorter"),
        pytest.param(f"{B}\nbegun\nroot-in-memory\ndisks-done\n", ANOTHER, ["another-config"], id="another-that-moved-root"),
        pytest.param(
            f"{DIGEST}\nbegun\nroot-in-memory\ndisks-done\n",
            SAME,
            ["begun", "root-in-memory", "disks-done"],
            id="same-that-moved-root",
        ),
        # kargs made the mark this config's before.
        pytest.param(
            f"{DIGEST}\nanother-config\nkargs-rebooted\n",
            ANOTHER,
            ["another-config", "kargs-rebooted"],
            id="another-noted-before",
        ),
        # FAT had the name on disk and not yet the contents when the power failed.
        pytest.param("", INTERRUPTED, [], id="empty"),
    ],
)
def test_begin_recognises_a_repeat(esp: Esp, earlier: str, said: str, notes: list[str]) -> None:
    esp.flag("coreos")
    esp.mark.write_text(earlier)
    done = esp.run("begin")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(said)
    assert esp.earlier() == notes
    assert esp.left() == [DIGEST, *notes, *([] if "begun" in notes else ["begun"])]
    assert not (esp.run_dir / "first-try").exists()


def test_reboot_for_kernel_arguments_is_no_repeat(esp: Esp) -> None:
    esp.flag("coreos")
    esp.leave(DIGEST, "kargs-rebooted")
    assert esp.run("begin").stdout.startswith(REBOOTED)
    assert (esp.run_dir / "first-try").exists()
    assert (esp.left(), esp.earlier()) == ([DIGEST, "kargs-rebooted", "begun"], ["kargs-rebooted"])


def test_mark_of_another_config_is_written_over_in_place(esp: Esp) -> None:
    # One sector that is written once: neither truncated nor renamed (FAT would need several writes for that).
    esp.flag("coreos")
    esp.leave(B, "begun", "word", "root-in-memory")
    before = esp.mark.stat()
    esp.program("mv", "exit 1")
    assert esp.run("note", "kargs-rebooted").returncode == 0
    assert esp.left() == [DIGEST, "root-in-memory", "another-config", "kargs-rebooted"]
    assert esp.mark.stat().st_ino == before.st_ino and before.st_size <= esp.mark.stat().st_size < 512


@pytest.mark.parametrize("digest", [DIGEST, B], ids=["same-config", "another-config"])
@pytest.mark.parametrize("noted", [False, True], ids=["", "after-kargs"])
def test_root_that_was_in_memory_only_is_lost_and_that_is_said(esp: Esp, digest: str, noted: bool) -> None:
    esp.flag("coreos")
    esp.leave(digest, "begun", "root-in-memory")
    if noted:
        esp.run("note", "kargs-rebooted")
    done = esp.run("begin")
    assert done.returncode == 1
    screen = (esp.run_dir / "failure.txt").read_text()
    assert "what:  an earlier attempt was interrupted while ROOT's contents were in memory only: they are lost" in screen
    assert "do:    write the machine image to the disk again" in screen
    assert "root-in-memory" in esp.left()


def test_note_before_begin_makes_the_mark(esp: Esp) -> None:
    esp.flag("coreos")
    done = esp.run("note", "kargs-rebooted")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert esp.left() == [DIGEST, "kargs-rebooted"]
    assert esp.called()[-2:] == ["sync ESP/coreos/first_boot.in-progress ESP/coreos", "umount ESP"]


def test_note_is_left_once(esp: Esp) -> None:
    esp.flag("coreos")
    esp.run("begin")
    for _ in range(2):
        assert esp.run("note", "disks-done").returncode == 0
    assert esp.left() == [DIGEST, "begun", "disks-done"]


def test_note_into_an_empty_mark_has_the_digest_before_it(esp: Esp) -> None:
    esp.flag("coreos")
    esp.leave()
    assert esp.run("note", "disks-done").returncode == 0
    assert esp.left() == [DIGEST, "disks-done"]


def test_first_boot_without_a_flag_notes_nothing_and_waits_for_no_partition(esp: Esp) -> None:
    (esp.run_dir / "flagged").unlink()
    assert esp.run("note", "disks-done").returncode == 0
    assert not esp.calls.exists() and not esp.mark.exists()


def test_note_without_a_word_is_refused(esp: Esp) -> None:
    esp.flag("coreos")
    done = esp.run("note")
    assert done.returncode != 0 and "usage: esp note WORD" in done.stderr
    assert esp.called()[-1] == "umount ESP"


def test_partition_is_released_when_something_fails(esp: Esp) -> None:
    esp.flag("coreos")
    esp.program("sync", "exit 1")
    assert esp.run("begin").returncode != 0
    assert esp.called()[-1] == "umount ESP"


def test_names_reach_the_disk_in_order(esp: Esp) -> None:
    esp.flag("coreos")
    esp.run("begin")
    assert "mount -t vfat -o umask=0077,dirsync /dev/disk/by-label/EFI-SYSTEM ESP" in esp.called()


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


@pytest.mark.parametrize("kept", [None, "7                   \n", "9\n"])
def test_quench_keeps_the_serial_of_the_config(esp: Esp, kept: str | None) -> None:
    esp.flag("coreos")
    path = esp.at / "coreos/config-serial"
    if kept:
        path.write_text(kept)
    (esp.run_dir / "config-serial").write_text("41\n")
    assert esp.run("quench").returncode == 0
    assert path.read_text().split() == ["41"]
    called = esp.called()
    assert called.index("sync ESP/coreos/config-serial ESP/coreos") < called.index("rm ESP/coreos/first_boot")


def test_quench_without_a_serial_leaves_the_last_one(esp: Esp) -> None:
    esp.flag("coreos")
    (esp.at / "coreos/config-serial").write_text("40\n")
    assert esp.run("quench").returncode == 0
    assert (esp.at / "coreos/config-serial").read_text() == "40\n"


@pytest.mark.parametrize("text", ["", "x\n", "-1\n"])
def test_quench_does_not_keep_what_is_not_a_serial(esp: Esp, text: str) -> None:
    esp.flag("coreos")
    (esp.run_dir / "config-serial").write_text(text)
    assert esp.run("quench").returncode == 0
    assert not (esp.at / "coreos/config-serial").exists()


def test_quench_takes_the_argument_out_of_systemd_boots_entries_before_the_flag_goes(esp: Esp) -> None:
    flag = esp.flag("coreos")
    (esp.at / "loader").mkdir()
    assert esp.run("quench").returncode == 0
    assert not flag.exists()
    assert esp.called()[2:5] == ["sync ", "kargs-helper --first-boot-done", "rm ESP/coreos/first_boot"]


def test_quench_keeps_the_flag_while_an_entry_still_says_first_boot(esp: Esp) -> None:
    flag = esp.flag("coreos")
    (esp.at / "loader").mkdir()
    esp.program("kargs-helper", "exit 1")
    done = esp.run("quench")
    assert (done.returncode, done.stderr) == (1, "<3>the first-boot argument is still in the entries of the boot loader\n")
    assert flag.exists()


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
            "the partition EFI-SYSTEM did not come up in 30 s",
            "check that the disk that GRUB was loaded from is attached, and that the config does not remove its partition",
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
    assert "two disks seem to have the partition EFI-SYSTEM" in (esp.run_dir / "failure.txt").read_text()
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


def test_mark_that_is_a_directory_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    esp = Esp(tmp_path)
    esp.flag("coreos")
    esp.mark.mkdir(parents=True)
    (esp.mark / "x").touch()
    assert esp.run("begin").returncode == 1
    assert "cannot be read" in (esp.run_dir / "failure.txt").read_text()


def test_mark_of_any_size_is_read_in_bounded_time_and_memory(tmp_path: Path) -> None:
    esp = Esp(tmp_path)
    esp.flag("coreos")
    esp.mark.parent.mkdir(exist_ok=True)
    with esp.mark.open("wb") as file:
        file.write(b"x" * 5000)
        file.truncate(4 << 30)  # the largest file that FAT can hold
    assert esp.run("begin").returncode == 0
    assert esp.earlier() == ["another-config"]


KEY, OTHER_KEY = "0123456789abcdef" * 2, "f" * 32


def test_failures_of_one_config_are_counted(esp: Esp) -> None:
    esp.flag("coreos")
    answers = [esp.run("failed", key).stdout for key in (KEY, KEY, KEY, OTHER_KEY, KEY)]
    assert answers == ["1\n", "2\n", "3\n", "1\n", "1\n"]
    assert (esp.at / "coreos/failed-boots").read_text() == f"{KEY} 1\n"
    assert not esp.mark.exists()
    assert esp.called()[-2:] == ["sync ESP/coreos/failed-boots ESP/coreos", "umount ESP"]


def test_count_leaves_the_mark_of_an_earlier_attempt_alone(esp: Esp) -> None:
    esp.flag("flatcar")
    esp.leave("b" * 128, "begun", "disks-done")
    assert esp.run("failed", KEY).stdout == "1\n"
    assert esp.left() == ["b" * 128, "begun", "disks-done"]


def test_count_has_an_end(esp: Esp) -> None:
    esp.flag("coreos")
    (esp.at / "coreos/failed-boots").write_text(f"{KEY} 9\n")
    assert esp.run("failed", KEY).stdout == "9\n"


@pytest.mark.parametrize("text", ["", "\n", KEY, f"{KEY} x\n", f"{KEY} 2 3\n", "\0\0\0", f"{KEY} 99\n", "x" * 5000])
def test_damaged_count_begins_anew(esp: Esp, text: str) -> None:
    esp.flag("coreos")
    (esp.at / "coreos/failed-boots").write_text(text)
    done = esp.run("failed", KEY)
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert esp.run("failed", KEY).stdout == "2\n"


def test_nothing_is_counted_without_a_flag(esp: Esp) -> None:
    (esp.run_dir / "flagged").unlink()
    done = esp.run("failed", KEY)
    assert (done.returncode, done.stdout) == (0, "")
    assert not esp.calls.exists()


def test_count_that_cannot_be_kept_is_no_answer(esp: Esp) -> None:
    esp.flag("coreos")
    esp.program("mount", "false")
    done = esp.run("failed", KEY)
    assert (done.returncode, done.stdout) == (1, "")


def test_quench_forgets_the_count(esp: Esp) -> None:
    esp.flag("coreos")
    esp.run("failed", KEY)
    assert esp.run("quench").returncode == 0
    assert list((esp.at / "coreos").iterdir()) == []


def test_begin_passes_the_count_to_the_report(esp: Esp) -> None:
    esp.flag("coreos")
    assert esp.run("begin").returncode == 0
    assert not (esp.run_dir / "earlier-failures").exists()
    (esp.at / "coreos/failed-boots").write_text(f"{KEY} 2\n" + "x" * 5000)
    assert esp.run("begin").returncode == 0
    passed = esp.run_dir / "earlier-failures"
    assert passed.read_text().splitlines()[0] == f"{KEY} 2" and passed.stat().st_size == 64


# The boot directory of a stock distribution: ignition.boot=


def stock(esp: Esp, value: str, format: str = "ext4") -> Path:
    """The boot directory that the command line names, with its flag."""
    esp.cmdline.write_text(f"root=UUID=12-ab ignition.boot=UUID=gone:/x ignition.boot={value} coreos.first_boot=detected\n")
    esp.program("blkid", f"echo {format}")
    inside = value.rpartition(":")[2] if ":/" in value else "/"
    directory = esp.at / inside.strip("/")
    (directory / "coreos").mkdir(parents=True)
    (directory / "coreos/first_boot").touch()
    return directory


@pytest.mark.parametrize(
    ("value", "device"),
    [
        pytest.param("UUID=12-ab:/boot", "/dev/disk/by-uuid/12-ab", id="in-root"),
        pytest.param("UUID=12-ab:/@rootfs/boot/", "/dev/disk/by-uuid/12-ab", id="in-a-subvolume"),
        pytest.param("UUID=12-ab", "/dev/disk/by-uuid/12-ab", id="own-partition"),
        pytest.param("UUID=12-ab:/", "/dev/disk/by-uuid/12-ab", id="own-partition-with-its-top"),
        pytest.param("LABEL=boot:/boot", "/dev/disk/by-label/boot", id="label"),
        pytest.param("PARTUUID=ab:/boot", "/dev/disk/by-partuuid/ab", id="partuuid"),
        pytest.param("PARTLABEL=boot:/boot", "/dev/disk/by-partlabel/boot", id="partlabel"),
        pytest.param("/dev/vda2:/boot", "/dev/vda2", id="node"),
        pytest.param("/dev/disk/by-path/pci-0000:00:04.0:/boot", "/dev/disk/by-path/pci-0000:00:04.0", id="node-with-colons"),
        pytest.param("/dev/disk/by-path/pci-0000:00:04.0", "/dev/disk/by-path/pci-0000:00:04.0", id="colons-alone"),
    ],
)
def test_first_boot_with_a_boot_directory(esp: Esp, value: str, device: str) -> None:
    directory = stock(esp, value)
    assert esp.run("begin").stderr == ""
    assert (directory / "coreos/first_boot.in-progress").read_text() == f"{DIGEST}\nbegun\n"
    assert f"udevadm wait --timeout=30 {device}" in esp.called()
    assert f"mount -t ext4 -o dirsync {device} ESP" in esp.called()
    assert esp.run("failed", KEY).stdout == "1\n"
    assert esp.run("quench").returncode == 0
    assert list((directory / "coreos").iterdir()) == []
    assert esp.called()[-1] == "umount ESP"


@pytest.mark.parametrize("word", ['"ignition.boot=UUID=1:/boot"', 'ignition.boot="UUID=1:/boot"'])
def test_quotes_on_the_command_line_are_the_kernels(esp: Esp, word: str) -> None:
    directory = stock(esp, "UUID=1:/boot")
    esp.cmdline.write_text(f"root=UUID=1 {word}\n")
    assert esp.run("begin").returncode == 0
    assert (directory / "coreos/first_boot.in-progress").exists()


@pytest.mark.parametrize(
    ("format", "options"),
    [("ext4", "dirsync"), ("xfs", "dirsync"), ("btrfs", "subvolid=5,dirsync"), ("vfat", "umask=0077,dirsync")],
)
def test_boot_directory_is_mounted_as_its_file_system_needs(esp: Esp, format: str, options: str) -> None:
    stock(esp, "UUID=1:/boot", format)
    assert esp.run("begin").returncode == 0
    assert f"mount -t {format} -o {options} /dev/disk/by-uuid/1 ESP" in esp.called()


@pytest.mark.parametrize("linked", ["boot", "boot/coreos"])
def test_symlink_on_the_way_to_the_flag_is_refused(esp: Esp, tmp_path: Path, linked: str) -> None:
    stock(esp, "UUID=1:/boot")
    (esp.at / linked).rename(tmp_path / "elsewhere")
    (esp.at / linked).symlink_to(tmp_path / "elsewhere")
    done = esp.run("begin")
    assert (done.returncode, done.stderr) == (1, f"<3>/{linked} on UUID=1 is a symlink\n")
    assert "do:    make it a directory" in (esp.run_dir / "failure.txt").read_text()
    assert sorted(path.name for path in tmp_path.glob("elsewhere/**/*") if path.is_file()) == ["first_boot"]
    assert esp.called()[-1] == "umount ESP"


def test_boot_directory_without_a_device_is_refused(esp: Esp) -> None:
    esp.cmdline.write_text("ignition.boot=/boot\n")
    done = esp.run("begin")
    assert (done.returncode, done.stderr) == (1, "<3>ignition.boot=/boot does not name a device and a directory\n")
    assert "The first boot failed while handling its flag on /boot." in (esp.run_dir / "failure.txt").read_text()


def test_systemd_boots_entries_are_not_looked_for_in_a_boot_directory(esp: Esp) -> None:
    directory = stock(esp, "UUID=1:/boot")
    (directory / "loader").mkdir()
    assert esp.run("quench").returncode == 0
    assert not any(call.startswith("kargs-helper") for call in esp.called())


# The records of failed attempts.


def fail(esp: Esp, stage: str, screen: str) -> str:
    """Record a failed attempt; the printed line."""
    environment = {"PATH": f"{esp.programs}:/usr/bin:/bin", "IGNITION_RUN_DIR": str(esp.run_dir.parent)}
    environment["IGNITION_KERNEL_CMDLINE_PATH"] = str(esp.cmdline)
    argv = ["sh", str(SCRIPT), "attempt", stage]
    done = subprocess.run(argv, env=environment, capture_output=True, check=False, input=screen.encode())
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().strip()


def attempts(esp: Esp) -> list[tuple[int, str, str]]:
    """Number, stage and screen of each record, as the stages read them."""
    return [(one.number, one.stage, one.screen) for one in first_boot_attempts.read(Root(str(esp.at)))]


def test_attempts_are_recorded_and_numbered(esp: Esp) -> None:
    esp.flag("flatcar")
    esp.program("date", "echo 2026-11-30T03:12:07Z")
    assert fail(esp, "disks", "====\nThe first boot failed in the stage 'disks'.\n\nwhat:  é\n       more\n") == "attempt 1"
    assert fail(esp, "-", "====\nThe first boot failed outside.\n\nsysroot.mount failed. Its journal:\n") == (
        "attempt 2; attempt 1 failed at 2026-11-30 03:12 UTC in the stage disks: é"
    )
    assert fail(esp, "fetch", "what:  x\n") == (
        "attempt 3; attempt 2 failed at 2026-11-30 03:12 UTC outside the stages: sysroot.mount failed. Its journal:"
    )
    assert [(number, stage) for number, stage, _ in attempts(esp)] == [(1, "disks"), (2, ""), (3, "fetch")]
    first, second, third = first_boot_attempts.read(Root(str(esp.at)))
    assert (first.at, first.cause, second.cause, third.screen) == (
        "2026-11-30T03:12:07Z",
        "é",
        "sysroot.mount failed. Its journal:",
        "what:  x",
    )
    assert not esp.mark.exists() and esp.called()[-1] == "umount ESP"
    # For the outcome that is sent, and for the real root if an operator mends this boot.
    assert [one.number for one in first_boot_attempts.of_boot(str(esp.run_dir))] == [1, 2, 3]


def test_last_five_attempts_are_kept(esp: Esp) -> None:
    esp.flag("coreos")
    for number in range(1, 13):
        fail(esp, "disks", f"what:  {'x' * (1000 // number)}{number}")
    assert [number for number, _, _ in attempts(esp)] == [8, 9, 10, 11, 12]
    assert attempts(esp)[-1] == (12, "disks", f"what:  {'x' * 83}12")


def test_screen_is_bounded_and_without_secrets_of_urls(esp: Esp) -> None:
    esp.flag("coreos")
    fail(esp, "-", "see https://user:Sekret@host/a?token=Sekret#Sekret, or tftp://h/x?y=Sekret\n" + "é" * 5000)
    file = esp.at / "coreos/failed-attempt.1"
    assert b"Sekret" not in file.read_bytes() and 4096 < file.stat().st_size < 4200
    assert attempts(esp)[0][2].startswith("see https://host/a")


def test_power_cut_leaves_a_whole_record_or_none(esp: Esp) -> None:
    """The state of the partition at each sync, with any of the writes after it: none of them is a mixture of two records."""
    esp.flag("coreos")
    for number in range(1, 6):
        fail(esp, "disks", f"what:  old{number}\n" + f"o{number}\n" * 900)
    whole = {number: screen for number, _, screen in attempts(esp)}
    states = esp.at.parent / "states"
    states.mkdir()
    esp.program("sync", f'cp "{esp.at}/coreos/failed-attempt.1" {states}/$(ls {states} | wc -l)')
    before = (esp.at / "coreos/failed-attempt.1").read_bytes()
    fail(esp, "files", "what:  new\n" + "n6\n" * 500)
    whole[6] = attempts(esp)[-1][2]
    reached = [before, *(path.read_bytes() for path in sorted(states.iterdir()))]
    assert len(reached) == 4
    for earlier, later in pairwise(reached):
        length = max(len(earlier), len(later))
        sectors = range(0, length, 512)
        for kept in range(len(sectors) + 1):
            # Sectors are written in any order: here from either end.
            for first, second in ((earlier, later), (later, earlier)):
                disk = b"".join((first if number < kept else second)[at : at + 512] for number, at in enumerate(sectors))
                one = first_boot_attempts.parse(disk.decode("utf-8", "surrogateescape"))
                assert one is None or whole[one.number] == one.screen


@pytest.mark.parametrize(
    "content",
    ["", "\n", "attempt", "attempt x 2026-11-30T03:12:07Z disks 3\nabc", "writing 7 2026-11-30T03:12:07Z disks 3\nabc",
     "attempt 7 * disks 3 4\nabc", "attempt 99999999999999999999 2026-11-30T03:12:07Z disks 3\nabc",
     pytest.param("x" * 9000, id="long"), "\0\0\0"],
)  # fmt: skip
def test_damaged_record_is_skipped(esp: Esp, content: str) -> None:
    esp.flag("coreos")
    for slot in range(5):
        (esp.at / f"coreos/failed-attempt.{slot}").write_text(content)
    assert attempts(esp) == []
    assert fail(esp, "disks", "what:  x") == "attempt 1"
    assert attempts(esp) == [(1, "disks", "what:  x")]


def test_attempts_are_announced_at_the_next_boot(esp: Esp) -> None:
    esp.flag("coreos")
    done = esp.run("attempts")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    fail(esp, "disks", "what:  no disk")
    fail(esp, "disks", "what:  still no disk")
    done = esp.run("attempts")
    assert re.fullmatch(
        r"<4>this is attempt 3 of the first boot; "
        r"attempt 2 failed at [-0-9]{10} [0-9:]{5} UTC in the stage disks: still no disk\n",
        done.stdout,
    )
    assert "mount -t vfat -o umask=0077,dirsync,ro /dev/disk/by-label/EFI-SYSTEM ESP" in esp.called()
    assert "udevadm wait --timeout=30 /dev/disk/by-label/EFI-SYSTEM" in esp.called()
    assert [one.number for one in first_boot_attempts.of_boot(str(esp.run_dir))] == [1, 2]
    assert (esp.run_dir / "failed-attempt.1").stat().st_mode & 0o777 == 0o600


def test_notice_obeys_nothing_that_another_system_wrote(esp: Esp) -> None:
    esp.flag("coreos")
    (esp.at / "coreos/failed-attempt.1").write_text("attempt 1 2026-11-30T03:12:07Z a\x1bb 20\nwhat:  \x1b[2J\x9bx\x7f")
    said = esp.run("attempts").stdout
    assert said.endswith("attempt 1 failed at 2026-11-30 03:12 UTC in the stage a?b: ?[2J?x?\n")


@pytest.mark.parametrize("program", ["udevadm", "mount"])
def test_boot_does_not_depend_on_earlier_attempts(esp: Esp, program: str) -> None:
    esp.flag("coreos")
    esp.program(program, "exit 1")
    done = esp.run("attempts")
    assert (done.returncode, done.stdout) == (0, "")
    assert not (esp.run_dir / "failure.txt").exists()


@pytest.mark.parametrize("verb", [("attempts",), ("attempt", "disks")])
def test_nothing_is_recorded_without_a_flag(esp: Esp, verb: tuple[str, ...]) -> None:
    (esp.run_dir / "flagged").unlink()
    done = esp.run(*verb)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not esp.calls.exists()


def test_quench_forgets_the_attempts(esp: Esp) -> None:
    esp.flag("coreos")
    for _ in range(7):
        fail(esp, "disks", "what:  x")
    assert esp.run("quench").returncode == 0
    assert list((esp.at / "coreos").iterdir()) == []
    assert [call for call in esp.called() if call.startswith("rm")][0] == "rm ESP/coreos/first_boot"


def test_attempts_of_a_boot_directory(esp: Esp) -> None:
    directory = stock(esp, "UUID=12-ab:/boot")
    fail(esp, "disks", "what:  x")
    assert [one.number for one in first_boot_attempts.read(Root(str(directory)))] == [1]
    assert esp.run("quench").returncode == 0
    assert list((directory / "coreos").iterdir()) == []
