"""`ignition reset`: the plan for every kind of machine, its preview, what is refused, its operations."""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ignition.boot_loader import partitions
from ignition.cli import ignition
from ignition.cli import reset as command
from ignition.errors import Failure
from ignition.host import atomic, first_boot_flag, log, mounts, paths
from ignition.host import command as programs
from ignition.host.mounts import Mount
from ignition.host.root import Root
from ignition.operation import Operation
from ignition.provisioned import reset
from tests.schemas import valid

NODE = "/dev/vda1"
ID = "0123456789abcdef0123456789abcdef\n"
UNIT = "[Service]\nExecStart=/usr/bin/ssh-keygen -A\n"
PROVISIONED = {
    "etc/machine-id": ID,
    "var/lib/dbus/machine-id": ID,
    "etc/ssh/ssh_host_ed25519_key": "secret",
    "etc/ssh/ssh_host_ed25519_key.pub": "public",
    "etc/ssh/sshd_config": "",
    "usr/lib/systemd/system/make-keys.service": UNIT,
    "etc/.ignition-result.json": '{"provisioningBootID": "1"}',
    "var/lib/ignition/report.json": '{"runs": 1}',
    "var/lib/ignition/attempt.json": '{"unfinished": false, "sizes": {"/etc/motd": 3}}',
    "var/lib/ignition/grown": "vda 100\n",
    "var/lib/ignition/verify.json": '{"result": "same"}',
    "etc/.ignition-keep-size": "guid\n",
    "etc/netplan/50-afterburn.yaml": "network: {}\n",
    "home/ann/letter": "dear\n",
}
GONE = {
    "var/lib/dbus/machine-id",
    "etc/ssh/ssh_host_ed25519_key",
    "etc/ssh/ssh_host_ed25519_key.pub",
    "var/lib/ignition/grown",
    "var/lib/ignition/verify.json",
    "etc/.ignition-keep-size",
    "etc/netplan/50-afterburn.yaml",
}


class Machine:
    """A root and an EFI-SYSTEM in directories. `happened`: changes in order, as far as they matter for a power cut."""

    def __init__(self, top: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.top, self.esp, self.run_dir, self.capsys = top / "root", top / "esp", top / "run", capsys
        self.happened: list[str] = []
        self.programs = {"systemd-detect-virt": (1, "none\n"), "systemctl": (0, "running\n")}
        self.esp.mkdir()
        self.has_partition = True
        for name, text in PROVISIONED.items():
            self.put(self.top, name, text)
        monkeypatch.setattr(Root, "live", classmethod(lambda cls, path="/": Root(str(self.top))))
        monkeypatch.setattr(first_boot_flag, "partition", lambda: NODE if self.has_partition else "")
        monkeypatch.setattr(first_boot_flag, "opened", self._opened)
        monkeypatch.setattr(reset, "mounted", self._mounted)
        monkeypatch.setattr(partitions, "find", lambda: (NODE, ""))
        monkeypatch.setattr(programs, "_finished", self._finished)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(os, "sync", lambda: self.happened.append(f"sync: {sorted(GONE & self.files())}"))
        monkeypatch.setattr(atomic, "sync_file_system", lambda path: self.happened.append(f"sync {sorted(self.esp_files())}"))
        monkeypatch.setattr(paths, "RUN", str(self.run_dir))
        monkeypatch.setattr(paths, "INITRD_RELEASE", str(top / "initrd-release"))
        monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(self.put(top, "cmdline", "ignition.platform.id=qemu\n")))
        monkeypatch.setattr(log, "send", lambda *_, **__: None)

    def _finished(self, argv: list[str], stdin: bytes, timeout_s: float) -> tuple[int, bytes, bytes]:
        status, output = self.programs[argv[0]]
        return status, output.encode(), b""

    @contextmanager
    def _opened(self, node: str) -> Iterator[str]:
        assert node == NODE
        yield str(self.esp)

    @contextmanager
    def _mounted(self, node: str, formats: tuple[str, ...], options: tuple[str, ...] = ()) -> Iterator[str]:
        assert (node, formats, options) == (NODE, ("vfat",), ("umask=0077", "dirsync"))
        yield str(self.esp)

    def put(self, top: Path, name: str, text: str) -> Path:
        """A file."""
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def files(self) -> set[str]:
        """All files of the root."""
        return {str(path.relative_to(self.top)) for path in self.top.rglob("*") if path.is_file()}

    def esp_files(self) -> set[str]:
        """All files of the partition."""
        return {str(path.relative_to(self.esp)) for path in self.esp.rglob("*") if path.is_file()}

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, standard output and standard error."""
        status = ignition.main(["reset", *arguments])
        output = self.capsys.readouterr()
        return status, output.out, output.err

    def records(self) -> list[tuple[str, str]]:
        """The recorded operations with their results."""
        lines = (self.run_dir / paths.OPERATIONS).read_text().splitlines()
        return [(one["operation"], one["result"]) for one in map(json.loads, lines)]

    def plan(self, *keep: str) -> list[Operation]:
        """The plan."""
        return reset.plan(reset.probe(Root(str(self.top))), keep)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Machine:
    """A provisioned one that GRUB starts."""
    return Machine(tmp_path, monkeypatch, capsys)


def test_preview_is_the_list_that_runs(machine: Machine) -> None:
    machine.put(machine.esp, "coreos/first_boot.in-progress", "abc\nbegun\n")  # a leftover of the last first boot
    machine.put(machine.esp, "coreos/failed-boots", "abc 2\n")
    machine.put(machine.esp, "coreos/failed-attempt.3", "attempt 3")
    before = machine.files()
    status, out, err = machine.run("-yes")
    assert (status, err) == (0, "")
    keys = "/etc/ssh/ssh_host_ed25519_key"
    assert out == (
        f"{os.uname().nodename} will be provisioned again at its next boot.\n"
        "\n"
        "Done now:\n"
        f"  remove the SSH host keys: {keys}, {keys}.pub\n"
        "  remove the network configuration of coreos-metadata: /etc/netplan/50-afterburn.yaml\n"
        "  remove the last verification: /var/lib/ignition/verify.json\n"
        "  remove the sizes of grown disks: /var/lib/ignition/grown\n"
        "  remove the machine ID of D-Bus: /var/lib/dbus/machine-id\n"
        "  make the machine ID in /etc/machine-id uninitialized\n"
        "  remove the notes of the last first boot from EFI-SYSTEM: coreos/first_boot.in-progress, coreos/failed-boots, "
        "coreos/failed-attempt.*\n"
        "  set the first-boot flag on EFI-SYSTEM (/dev/vda1): coreos/first_boot\n"
        "  remove the notes of partition sizes that the last config set: /etc/.ignition-keep-size\n"
        "\n"
        "Lost:\n"
        "  the machine ID, and with it DHCP leases and anything else that is bound to it\n"
        "  the choice of enabled units, where it differs from the presets: the next boot applies them\n"
        "  the SSH host keys: make-keys.service makes new ones, and clients will warn of a changed host key\n"
        "  new logins by SSH until the machine is rebooted\n"
        "\n"
        "Kept:\n"
        "  users, groups, files, units and data, until the config of the next boot changes them: as at any first boot, it\n"
        "  may overwrite files, and wipe partitions and file systems\n"
        "  the history: /etc/.ignition-result.json, /var/lib/ignition/report.json\n"
        "\n"
        "Done. Reboot soon: until then programs may miss the machine ID.\n"
    )
    assert machine.files() == before - GONE
    assert (machine.top / "etc/machine-id").read_text() == "uninitialized\n"
    assert machine.esp_files() == {"coreos/first_boot"}
    assert machine.records() == [
        ("remove-file", "done"),
        ("remove-file", "done"),
        ("remove-file", "done"),
        ("remove-file", "done"),
        ("remove-file", "done"),
        ("reset-machine-id", "done"),
        ("clear-first-boot-notes", "done"),
        ("set-first-boot-flag", "done"),
        ("remove-file", "done"),
    ]


def test_flag_is_set_when_all_else_but_the_sizes_is_on_the_disk(machine: Machine) -> None:
    machine.put(machine.esp, "coreos/first_boot.in-progress", "abc\n")
    assert machine.run("-yes")[0] == 0
    assert machine.happened == ["sync []", "sync: ['etc/.ignition-keep-size']", "sync ['coreos/first_boot']"]


def test_repeated_reset_finds_everything_done(machine: Machine) -> None:
    machine.run("-yes")
    (machine.run_dir / paths.OPERATIONS).unlink()
    status, out, _ = machine.run("-yes")
    assert status == 0
    assert "remove the SSH" not in out
    assert machine.records() == [
        ("reset-machine-id", "already"),
        ("clear-first-boot-notes", "already"),
        ("set-first-boot-flag", "already"),
    ]


def test_dry_run_changes_nothing(machine: Machine) -> None:
    before = machine.files()
    status, out, _ = machine.run("--dry-run")
    assert (status, "set the first-boot flag" in out, "Done. " in out) == (0, True, False)
    assert (machine.files(), machine.esp_files(), machine.run_dir.exists()) == (before, set(), False)
    assert (machine.top / "etc/machine-id").read_text() == ID


KEPT = [
    ("machine-id", {"etc/machine-id", "var/lib/dbus/machine-id"}),
    ("network", {"etc/netplan/50-afterburn.yaml"}),
    ("sizes", {"etc/.ignition-keep-size"}),
    ("ssh-host-keys", {"etc/ssh/ssh_host_ed25519_key", "etc/ssh/ssh_host_ed25519_key.pub"}),
]


@pytest.mark.parametrize(("word", "files"), KEPT)
def test_one_thing_is_kept(word: str, files: set[str], machine: Machine) -> None:
    status, out, _ = machine.run("-yes", "-keep", word)
    assert (status, f"  {word}, as -keep says\n" in out) == (0, True)
    assert files <= machine.files()
    assert all((machine.top / name).read_text() == PROVISIONED[name] for name in files)
    assert GONE - machine.files() == GONE - files
    assert "coreos/first_boot" in machine.esp_files()


def test_everything_is_kept(machine: Machine) -> None:
    status, out, _ = machine.run("-dry-run", *(f"-keep={word}" for word in reset.KEEPABLE))
    assert (status, "Lost:\n  nothing\n" in out) == (0, True)


def test_unknown_thing_to_keep_is_refused(machine: Machine) -> None:
    status, _, err = machine.run("-keep", "users")
    assert status == 2
    assert "flag -keep: 'users' is not one of machine-id, network, sizes, ssh-host-keys" in err


def test_host_keys_that_no_unit_makes_are_kept(machine: Machine) -> None:
    (machine.top / "usr/lib/systemd/system/make-keys.service").unlink()
    machine.put(machine.top, "usr/lib/systemd/system/ssh.service", "# not by ssh-keygen\n[Service]\nExecStart=/usr/sbin/sshd\n")
    status, out, _ = machine.run("-yes")
    assert (status, "the SSH host keys, because no unit of this machine would make new ones" in out) == (0, True)
    assert (machine.top / "etc/ssh/ssh_host_ed25519_key").read_text() == "secret"


@pytest.mark.parametrize(
    "unit",
    ["etc/systemd/system/ssh.service.d/keys.conf", "usr/lib/systemd/system/sshd-keygen@.service", "lib/systemd/system/k.service"],
)
def test_units_that_make_host_keys(unit: str, machine: Machine) -> None:
    (machine.top / "usr/lib/systemd/system/make-keys.service").unlink()
    (machine.top / "usr/lib/systemd/system/masked.service").symlink_to("/dev/null")
    machine.put(machine.top, unit, "[Service]\nExecStartPre=/usr/libexec/openssh/sshd-keygen %i\n")
    assert reset.probe(Root(str(machine.top))).key_maker == unit.partition("systemd/system/")[2]


@pytest.mark.parametrize(
    ("text", "goes"),
    [
        ('{"unfinished": true, "made": ["/etc/x"], "sizes": {}, "homeless": []}', True),
        ('{"unfinished": false, "sizes": {"/etc/motd": 3}}', False),
        ("{", True),
        ("[]", False),
    ],
)
def test_record_of_an_attempt(text: str, goes: bool, machine: Machine) -> None:
    """With that of a finished one, the next first boot does not append again."""
    attempt = machine.put(machine.top, "var/lib/ignition/attempt.json", text)
    machine.run("-yes")
    assert attempt.exists() != goes


@pytest.mark.parametrize(("directory", "flag"), [("flatcar", "flatcar/first_boot"), ("coreos", "coreos/first_boot")])
def test_flag_is_the_one_that_the_boot_loader_looks_for(directory: str, flag: str, machine: Machine) -> None:
    (machine.esp / directory).mkdir()
    assert machine.run("-yes")[0] == 0
    assert machine.esp_files() == {flag}


ENTRY = "title Debian\nlinux /vmlinuz\noptions root=LABEL=ROOT rw\n"


def test_entries_of_systemd_boot_get_the_argument_after_the_flag(machine: Machine) -> None:
    entry = machine.put(machine.esp, "loader/entries/debian.conf", ENTRY)
    machine.put(machine.esp, "grub/grub.cfg", "set kargs='rw'\nsource ($root)/coreos/kargs.cfg\n")
    kargs = machine.put(machine.esp, "coreos/kargs.cfg", "set kargs='rw'\n")
    kinds = [one.kind for one in machine.plan()]
    assert kinds[-3:] == ["set-first-boot-flag", "set-kernel-arguments", "remove-file"]
    status, out, _ = machine.run("-yes")
    assert (status, "  add coreos.first_boot=detected to the entries of the boot loader: loader/entries/*.conf\n" in out) == (
        0,
        True,
    )
    assert entry.read_text() == ENTRY.replace(" rw", " rw coreos.first_boot=detected")
    assert kargs.read_text() == "set kargs='rw'\n"
    machine.run("-yes")
    assert entry.read_text().count("first_boot") == 1


def test_systemd_boot_without_entries(machine: Machine) -> None:
    (machine.esp / "loader").mkdir()
    status, _, err = machine.run("-yes")
    assert (status, "/loader/entries: the boot loader does not have entries" in err) == (1, True)


def test_machine_without_the_partition_is_told_the_argument(machine: Machine) -> None:
    machine.has_partition = False
    status, out, _ = machine.run("-yes")
    assert status == 0
    assert "start it once with the kernel argument\ncoreos.first_boot=1" in out
    assert "Done. Reboot with that argument soon" in out
    assert [kind for kind, _ in machine.records()] == ["remove-file"] * 5 + ["reset-machine-id", "remove-file"]


def test_config_that_the_hypervisor_lost_is_mentioned(machine: Machine, tmp_path: Path) -> None:
    assert "ignition-delete-config.service" not in machine.run("-dry-run")[1]
    (tmp_path / "cmdline").write_text("ignition.platform.id=vmware\n")
    assert "ignition-delete-config.service removed the config from its platform" in machine.run("-dry-run")[1]


def test_failed_operation_is_reported_and_the_flag_is_not_set(machine: Machine) -> None:
    (machine.top / "etc/machine-id").unlink()
    (machine.top / "etc/machine-id").mkdir()
    status, _, err = machine.run("-yes")
    assert status == 1
    assert "/etc/machine-id" in err
    assert machine.esp_files() == set()


@pytest.mark.parametrize("arguments", [("-dry-run",), ("-yes",)])
def test_json_has_the_operations_and_the_losses(arguments: tuple[str, ...], machine: Machine) -> None:
    status, out, err = machine.run("-json", "-keep=network", *arguments)
    found = valid("reset", out)
    assert (status, err, found["machine"], found["dryRun"]) == (0, "", os.uname().nodename, arguments == ("-dry-run",))
    assert [one["operation"] for one in found["operations"]] == [
        *["remove-file"] * 4,
        *["reset-machine-id", "clear-first-boot-notes", "set-first-boot-flag", "remove-file"],
    ]
    assert {one["result"] for one in found["operations"]} == {"planned" if found["dryRun"] else "done"}
    assert found["lost"][0] == "the machine ID, and with it DHCP leases and anything else that is bound to it"
    assert found["kept"][-1] == "network, as -keep says"
    assert (found["notes"], found["failure"]) == ([], None)
    assert (machine.esp_files() == set()) is found["dryRun"]


def test_json_says_which_operation_failed(machine: Machine) -> None:
    (machine.top / "etc/machine-id").unlink()
    (machine.top / "etc/machine-id").mkdir()
    status, out, err = machine.run("-yes", "-json")
    found = valid("reset", out)
    results = {one["path"]: one["result"] for one in found["operations"]}
    assert (status, results["/etc/machine-id"], results["/etc/.ignition-keep-size"]) == (1, "failed", "planned")
    assert results["/etc/ssh/ssh_host_ed25519_key"] == "done"
    assert found["failure"]["what"] in err and "/etc/machine-id" in found["failure"]["where"]


def test_json_without_the_partition_has_the_argument(machine: Machine) -> None:
    machine.has_partition = False
    [note] = valid("reset", machine.run("-dry-run", "-json")[1])["notes"]
    assert "start it once with the kernel argument coreos.first_boot=1" in note


def test_json_is_not_for_people_who_are_asked(machine: Machine) -> None:
    status, out, err = machine.run("-json")
    assert (status, out) == (2, "")
    assert err.startswith("ignition reset: -json needs -yes or -dry-run: a person who is asked reads the preview\n")


# Refused.


def refused(machine: Machine, what: str, *arguments: str) -> None:
    before = machine.files(), machine.esp_files()
    status, _, err = machine.run(*(arguments or ("-yes",)))
    assert (status, err) == (1, f"ignition reset: {what}\n")
    assert (machine.files(), machine.esp_files()) == before
    assert (machine.top / "etc/machine-id").read_text() == ID


def test_refused_without_root(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    refused(machine, "only root can reset a machine (fix: run it as root)")


def test_refused_in_an_initramfs(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "initrd-release").touch()
    refused(machine, "this is an initramfs (fix: run it on the running system)")


def test_refused_in_a_container(machine: Machine) -> None:
    machine.programs["systemd-detect-virt"] = (0, "podman\n")
    refused(machine, "this is a container (podman): it does not have a first boot (fix: run it on the machine itself)")


def test_refused_after_an_interrupted_first_boot(machine: Machine) -> None:
    machine.put(machine.esp, "coreos/first_boot", "")
    machine.put(machine.esp, "coreos/first_boot.in-progress", "abc\nbegun\n")
    refused(machine, "a first boot has begun and is not complete (fix: let it complete: see ignition status)")


@pytest.mark.parametrize("state", ["initializing\n", "starting\n"])
def test_refused_while_a_first_boot_starts_units(state: str, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.programs["systemctl"] = (1, state)
    assert machine.run("-dry-run")[0] == 0  # an ordinary boot
    environment = machine.put(machine.top, "run/ignition.env", "PLATFORM_ID=qemu\n")
    monkeypatch.setattr(command, "ENVIRONMENT", str(environment))
    refused(machine, "the first boot is not complete (fix: wait for it: systemctl is-system-running --wait)")
    machine.programs["systemctl"] = (1, "degraded\n")
    assert machine.run("-dry-run")[0] == 0


def test_refused_without_a_terminal(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(os.uname().nodename))
    refused(machine, "a person must confirm this on a terminal (fix: pass -yes)", "-keep=sizes")


class Terminal(io.StringIO):
    """A person at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("typed", ["", "\n", "yes\n", "another\n"])
def test_refused_without_the_name(typed: str, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    refused(machine, "that is not the name of this machine: nothing was changed", "-keep=sizes")


def test_person_types_the_name(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    name = os.uname().nodename
    monkeypatch.setattr(sys, "stdin", Terminal(f"{name}\n"))
    status, out, _ = machine.run()
    assert (status, f"Type the name of this machine to go on ({name}): " in out) == (0, True)
    assert machine.esp_files() == {"coreos/first_boot"}


# Where the partition is read.


def test_mounted_partition_is_read_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a bind mount of one of its directories, which has the same device."""
    (tmp_path / "inner").mkdir()
    present = [
        Mount((1, 3), str(tmp_path / name), "/dev/null", "vfat", read_only=False, inside=inside)
        for name, inside in (("inner", "/coreos"), (".", "/"))
    ]
    monkeypatch.setattr(mounts, "current", lambda: present)
    with first_boot_flag.opened("/dev/null") as directory:
        assert os.path.samefile(directory, tmp_path)
    present.pop()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Failure) as caught, first_boot_flag.opened("/dev/null"):
        pass
    assert str(caught.value) == "/dev/null: it is not mounted, and only root can mount it"


@contextmanager
def read_only(node: str) -> Iterator[str]:
    """In place of a mount."""
    yield f"mounted {node}"


def test_partition_that_is_not_mounted_is_mounted_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "current", list)
    monkeypatch.setattr(first_boot_flag, "mounted_to_read", read_only)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with first_boot_flag.opened("/dev/null") as directory:
        assert directory == "mounted /dev/null"
