"""ignition-kargs-helper: from its command line to the boot loader's files, with directories for partitions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ignition.boot_loader import partitions, reboot
from ignition.cli import kargs_helper
from ignition.errors import Failure
from ignition.host import atomic, log, paths

GRUB_CFG = "set kargs='root=LABEL=ROOT rw'\n" + 'if [ -e x ]; then source "($root)/coreos/kargs.cfg"; fi\n'
KARGS_CFG = "# Mine.\nset linux_console='console=tty0'\nset kargs='root=LABEL=ROOT rw'\n"
ENTRY = "title Debian\nlinux /vmlinuz\noptions root=LABEL=ROOT rw coreos.first_boot=detected\n"
OTHER_ENTRY = "title Debian, old\nlinux /vmlinuz.old\noptions root=LABEL=ROOT rw quiet\n"
SHELL_ENTRY = "title Shell\nefi /shell.efi\noptions quiet\n"
DIGEST = "a" * 128


class Rebooted(BaseException):
    """The machine has rebooted: nothing comes after it."""


class Machine:
    """Its partitions, its running kernel, and what the helper did to it."""

    def __init__(self, top: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.esp, self.extended, self.cmdline = top / "esp", top / "extended", top / "cmdline"
        self.initrd_release, self.capsys = top / "initrd-release", capsys
        self.said: list[tuple[int, str]] = []
        self.synced: list[str] = []
        self.mounted: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
        for directory in (self.esp, self.extended, top / "run"):
            directory.mkdir()
        self.cmdline.write_text("root=LABEL=ROOT rw\n")
        (top / "run" / paths.CONFIG_DIGEST).write_text(DIGEST)
        monkeypatch.setattr(
            partitions, "find", lambda: (str(self.esp), str(self.extended) if any(self.extended.iterdir()) else "")
        )
        monkeypatch.setattr(partitions, "ESP_LABEL", str(top / "EFI-SYSTEM"))
        monkeypatch.setattr("ignition.cli.kargs_helper.mounted", self._mounted)
        monkeypatch.setattr(atomic, "sync_file_system", self.synced.append)
        monkeypatch.setattr(reboot, "reboot", self._reboot)
        monkeypatch.setattr(paths, "INITRD_RELEASE", str(self.initrd_release))
        monkeypatch.setattr(paths, "RUN", str(top / "run"))
        monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(self.cmdline))
        log.divert(lambda priority, message: self.said.append((priority, message)))

    @contextmanager
    def _mounted(self, device: str, formats: tuple[str, ...], options: tuple[str, ...]) -> Iterator[str]:
        self.mounted.append((device, formats, options))
        yield device

    def _reboot(self) -> None:
        raise Rebooted

    def put(self, path: str, text: str, *, extended: bool = False) -> Path:
        """A file of the boot loader."""
        file = (self.extended if extended else self.esp) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        return file

    def grub(self, kargs_cfg: str = KARGS_CFG) -> Path:
        """GRUB of our image."""
        self.put("grub/grub.cfg", GRUB_CFG)
        return self.put("coreos/kargs.cfg", kargs_cfg)

    def starts(self, cmdline: str) -> None:
        """The initramfs of a first boot, with this kernel command line."""
        self.initrd_release.touch()
        self.cmdline.write_text(f"{cmdline}\n")

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, standard output and standard error."""
        status = kargs_helper.main(arguments)
        output = self.capsys.readouterr()
        return status, output.out, output.err

    def messages(self, priority: int) -> list[str]:
        """What the journal got."""
        return [message for level, message in self.said if level == priority]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Machine:
    """One with empty partitions; not in the initramfs."""
    return Machine(tmp_path, monkeypatch, capsys)


def test_first_boot_changes_grubs_file_and_reboots(machine: Machine) -> None:
    file = machine.grub()
    machine.starts("root=LABEL=ROOT rw console=tty0")
    with pytest.raises(Rebooted):
        machine.run("--should-exist", "quiet", "--should-exist", "a=1", "--should-not-exist", "console=tty0")
    assert file.read_text() == "# Mine.\nset linux_console=''\nset kargs='root=LABEL=ROOT rw quiet a=1'\n"
    assert machine.synced == [str(machine.esp)]
    assert machine.mounted == [(str(machine.esp), ("vfat",), ("umask=0077", "dirsync"))]


def test_after_the_reboot_nothing_is_left_to_do(machine: Machine) -> None:
    file = machine.grub("set kargs='root=LABEL=ROOT rw quiet'\n")
    inode = file.stat().st_ino
    machine.starts("BOOT_IMAGE=/vmlinuz root=LABEL=ROOT rw quiet coreos.first_boot=detected")
    machine.put(reboot.MARK, f"{DIGEST}\nkargs-rebooted\n")
    assert machine.run("--should-exist", "quiet", "--should-not-exist", "a") == (
        0,
        "nothing to change in /coreos/kargs.cfg\n",
        "",
    )
    assert file.stat().st_ino == inode


@pytest.mark.parametrize("rebooted", [True, False], ids=["after-the-reboot", "before-any"])
def test_first_boot_of_a_kernel_that_something_else_started_fails(machine: Machine, rebooted: bool) -> None:
    machine.grub("set kargs='root=LABEL=ROOT rw quiet'\n")
    machine.starts("root=LABEL=ROOT rw debug coreos.first_boot=1")
    if rebooted:
        machine.put(reboot.MARK, f"{DIGEST}\nkargs-rebooted\n")
    status, _, stderr = machine.run("--should-exist", "quiet", "--should-not-exist", "debug")
    assert status == 1
    assert stderr.startswith(
        "ignition-kargs-helper: /proc/cmdline: the kernel was started without 'quiet', with 'debug',"
        " although it is right in /coreos/kargs.cfg (fix: something other than this boot loader starts the kernel"
    )


def test_files_that_do_not_stay_as_they_are_end_the_first_boot(machine: Machine) -> None:
    file = machine.grub()
    machine.starts("root=LABEL=ROOT rw")
    machine.put(reboot.MARK, f"{DIGEST}\nkargs-rebooted\n")
    status, _, stderr = machine.run("--should-exist", "quiet")
    assert status == 1
    assert "already rebooted for these kernel arguments, and they are missing again in /coreos/kargs.cfg" in stderr
    assert file.read_text() == KARGS_CFG


def test_notes_are_read_where_the_flag_is_whatever_partition_the_boot_loader_names(machine: Machine) -> None:
    machine.grub()
    machine.starts("root=LABEL=ROOT rw")
    flagged = machine.esp.parent / "EFI-SYSTEM"
    (flagged / "coreos").mkdir(parents=True)
    (flagged / reboot.MARK).write_text(f"{DIGEST}\nkargs-rebooted\n")
    status, _, stderr = machine.run("--should-exist", "quiet")
    assert (status, "already rebooted for these kernel arguments" in stderr) == (1, True)
    assert [device for device, _, _ in machine.mounted] == [str(machine.esp), str(flagged)]


def test_running_system_reboots_and_does_not_ask_what_its_kernel_has(machine: Machine) -> None:
    file = machine.grub()
    machine.cmdline.write_text("root=LABEL=ROOT rw\n")
    with pytest.raises(Rebooted):
        machine.run("--should-exist=quiet")
    assert "rw quiet'" in file.read_text()
    machine.capsys.readouterr()
    # The file is for the next boot.
    assert machine.run("--should-exist=quiet") == (0, "nothing to change in /coreos/kargs.cfg\n", "")


def test_later_changes_the_file_and_does_not_reboot(machine: Machine) -> None:
    file = machine.grub()
    assert machine.run("--later", "--should-exist", "quiet") == (0, "changed /coreos/kargs.cfg\n", "")
    assert file.read_text() == KARGS_CFG.replace("rw", "rw quiet")


def test_file_of_grub_that_is_not_there_is_made(machine: Machine) -> None:
    machine.grub().unlink()
    assert machine.run("--later", "--should-exist", "rw")[0] == 0
    assert not (machine.esp / "coreos/kargs.cfg").exists()  # GRUB's own values have it
    assert machine.run("--later", "--should-exist", "quiet")[0] == 0
    assert (machine.esp / "coreos/kargs.cfg").read_text().endswith("set kargs='root=LABEL=ROOT rw quiet'\n")


def test_all_entries_that_start_linux_are_changed_on_both_partitions(machine: Machine) -> None:
    first = machine.put("loader/entries/debian.conf", ENTRY)
    counted = machine.put("loader/entries/old+3-0.CONF", OTHER_ENTRY, extended=True)
    shell = machine.put("loader/entries/shell.conf", SHELL_ENTRY)
    machine.put("loader/entries/debian.conf.new", ENTRY)
    (machine.esp / "loader/entries/folder.conf").mkdir()
    status, output, _ = machine.run("--later", "--should-exist=a=1", "--should-not-exist=quiet")
    assert (status, output) == (0, "changed /loader/entries/debian.conf\nchanged /loader/entries/old+3-0.CONF\n")
    assert first.read_text() == ENTRY.replace("\n", " a=1\n").replace("Debian a=1", "Debian").replace("vmlinuz a=1", "vmlinuz")
    assert counted.read_text() == OTHER_ENTRY.replace("quiet", "a=1")
    assert shell.read_text() == SHELL_ENTRY
    assert (machine.esp / "loader/entries/debian.conf.new").read_text() == ENTRY
    assert machine.synced == [str(machine.esp), str(machine.extended)]
    assert machine.mounted[1] == (str(machine.extended), ("auto",), ("dirsync",))


def test_both_boot_loaders_on_one_partition_are_changed(machine: Machine) -> None:
    machine.grub()
    machine.put("loader/entries/debian.conf", ENTRY)
    assert machine.run("--later", "--should-exist=a")[1] == "changed /coreos/kargs.cfg\nchanged /loader/entries/debian.conf\n"


def test_first_boot_done_takes_the_argument_out_of_each_entry(machine: Machine) -> None:
    grub = machine.grub()
    first = machine.put("loader/entries/debian.conf", ENTRY)
    old = machine.put("loader/entries/old.conf", "linux /a\noptions coreos.first_boot=1 flatcar.first_boot=detected rw\n")
    machine.starts("coreos.first_boot=detected")
    assert machine.run("--first-boot-done")[0] == 0
    assert first.read_text() == ENTRY.replace(" coreos.first_boot=detected", "")
    assert old.read_text() == "linux /a\noptions coreos.first_boot=1 rw\n"  # 1 is a person's, who takes it away again
    assert grub.read_text() == KARGS_CFG
    # What is done stays done, and a power cut between the two calls is no matter.
    assert machine.run("--first-boot-done")[:1] == (0,)


def test_boot_loaders_own_arguments_are_left_alone(machine: Machine) -> None:
    file = machine.put("loader/entries/debian.conf", ENTRY)
    wishes = ("--should-exist=ignition.firstboot", "--should-not-exist=coreos.first_boot=detected")
    assert machine.run("--later", *wishes) == (0, "nothing to change in /loader/entries/debian.conf\n", "")
    assert file.read_text() == ENTRY
    warnings = machine.messages(log.WARNING)
    why = "ignored: the boot loader marks a first boot with this argument"
    assert warnings == [f"'ignition.firstboot' {why}", f"'coreos.first_boot=detected' {why}"]


@pytest.mark.parametrize("grub_cfg", [None, "linux /vmlinuz\n"], ids=["no-files", "another-grub"])
def test_unknown_boot_loader_is_refused(machine: Machine, grub_cfg: str | None) -> None:
    if grub_cfg:
        machine.put("grub/grub.cfg", grub_cfg)
    status, output, stderr = machine.run("--should-exist=a")
    assert (status, output) == (1, "")
    assert stderr == (
        f"ignition-kargs-helper: unknown boot loader on {machine.esp}: neither a /grub/grub.cfg that reads"
        " coreos/kargs.cfg nor /loader/entries/*.conf"
        " (fix: add a program ignition-kargs-helper for this boot loader to the image)\n"
    )


def test_wish_that_one_file_cannot_fulfil_changes_none(machine: Machine) -> None:
    grub = machine.grub()
    entry = machine.put("loader/entries/debian.conf", ENTRY.replace("rw", "x" * 2020))
    status, _, stderr = machine.run("--should-exist=a=" + "y" * 50)
    assert status == 1
    assert "/loader/entries/debian.conf: the kernel command line would have 21" in stderr
    assert (grub.read_text(), "yyy" in entry.read_text()) == (KARGS_CFG, False)


def test_file_that_cannot_be_written_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: str, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    machine.grub()
    monkeypatch.setattr("ignition.boot_loader.files.replace", full)
    assert machine.run("--should-exist=a") == (
        1,
        "",
        "ignition-kargs-helper: /coreos/kargs.cfg: cannot be written: No space left on device"
        " (fix: is its file system full, damaged or read-only?)\n",
    )


def test_file_that_is_none_of_a_boot_loader_is_refused(machine: Machine) -> None:
    machine.put("loader/entries/big.conf", "x" * ((1 << 20) + 1))
    assert "/loader/entries/big.conf: it is larger than 1024 KiB" in machine.run("--should-exist=a")[2]
    (machine.esp / "grub/grub.cfg").mkdir(parents=True)
    assert "/grub/grub.cfg: it is a directory" in machine.run("--should-exist=a")[2]


def test_bytes_that_are_no_text_stay(machine: Machine) -> None:
    file = machine.put("loader/entries/latin.conf", "")
    file.write_bytes(b"title Gr\xfc\xdfe\nlinux /a\noptions rw\n")
    assert machine.run("--later", "--should-exist=a")[0] == 0
    assert file.read_bytes() == b"title Gr\xfc\xdfe\nlinux /a\noptions rw a\n"


def test_missing_partition_is_status_1(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> tuple[str, str]:
        raise Failure("no EFI system partition found", fix="add one")

    monkeypatch.setattr(partitions, "find", none)
    assert machine.run("--should-exist=a") == (1, "", "ignition-kargs-helper: no EFI system partition found (fix: add one)\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(("--should-exist",), "ignition-kargs-helper: ", id="no-value"),
        pytest.param(("--nonsense",), "ignition-kargs-helper: ", id="unknown-flag"),
        pytest.param(("--later", "quiet"), "ignition-kargs-helper: unexpected argument 'quiet'\n", id="argument"),
    ],
)
def test_usage_is_status_2_and_changes_nothing(machine: Machine, arguments: tuple[str, ...], says: str) -> None:
    file = machine.grub()
    status, output, stderr = machine.run(*arguments)
    assert (status, output, stderr.startswith(says)) == (2, "", True)
    assert stderr.endswith("Try 'ignition-kargs-helper --help' for more information.\n")
    assert (file.read_text(), machine.mounted) == (KARGS_CFG, [])


@pytest.mark.parametrize(
    ("flag", "says"), [("--help", "Usage: ignition-kargs-helper"), ("-h", "Usage: "), ("-version", "ignition-kargs-helper ")]
)
def test_help_and_version(machine: Machine, flag: str, says: str) -> None:
    status, output, stderr = machine.run(flag)
    assert (status, stderr, output.startswith(says)) == (0, "", True)


@pytest.mark.parametrize("argument", ['a="b', "a\x07b"], ids=["open-quote", "control-character"])
def test_argument_that_is_none_is_status_1(machine: Machine, argument: str) -> None:
    file = machine.grub()
    status, _, stderr = machine.run("--should-exist", argument)
    assert (status, file.read_text()) == (1, KARGS_CFG)
    assert stderr.startswith(f"ignition-kargs-helper: {argument!r} has a ")
