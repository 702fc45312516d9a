"""The steps of `ignition arm` and `disarm`, on a root in a directory; the programs that they start are stand-ins."""

import os
import stat
from pathlib import Path

import pytest

from ignition.arming import initramfs, plan
from ignition.arming import machine as machines
from ignition.cli import ignition
from ignition.errors import CommandFailed, Failure
from ignition.host import devices, log, paths
from ignition.host.programs import PROGRAMS
from ignition.host.root import Root
from ignition.provisioned import reset
from tests.arming.test_checks import GRUB_CFG

TOP = Path(__file__).parent.parent.parent
SKELETON = TOP / "dracut/arm"
VERSION = "6.1.0-57-cloud-amd64"
STOCK = {
    f"boot/vmlinuz-{VERSION}": "kernel",
    f"boot/initrd.img-{VERSION}": "stock",
    "boot/grub/grub.cfg": "stock\n",
    f"usr/lib/modules/{VERSION}/modules.dep": "",
    "usr/lib/dracut/modules.d/35coreos-ignition/module-setup.sh": "",
    **{f"usr/bin/{name}": "" for name, required in PROGRAMS.items() if required},
    "usr/sbin/grub-mkconfig": "",
    "usr/sbin/update-initramfs": "exec dracut\n",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "etc/ssh/sshd_config": "",
    "etc/ssh/ssh_host_ed25519_key": "secret",
    "etc/ssh/ssh_host_ed25519_key.pub": "public",
    "etc/passwd": "systemd-network:x:998:998::/:/bin/false\nsystemd-resolve:x:997:997::/:/bin/false\n",
    "etc/ssl/certs/ca-certificates.crt": "certificates",
    "usr/sbin/sshd": "",
    "var/lib/systemd/random-seed": "seed",
    "home/ann/letter": "dear\n",
}
ENABLED = "ssh.service enabled enabled\nsystemd-networkd.service enabled enabled\ngetty@.service enabled enabled\n"


class Stock:
    """A stock machine: its root, and the programs that were started on it."""

    def __init__(self, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.top, self.device, self.was_armed = top / "root", "/dev/vda3", False
        self.started: list[list[str]] = []
        self.simulated = "Remv initramfs-tools [0.142]\nInst dracut (059)\nConf dracut (059)\n"
        for name, text in STOCK.items():
            self.put(name, text)
        for source in SKELETON.rglob("*"):
            if source.is_file():
                path = self.put(f"usr/share/coreos-ignition/arm/{source.relative_to(SKELETON)}", source.read_text())
                path.chmod(stat.S_IMODE(source.stat().st_mode))
        self.sysfs = top / "sys"
        (self.sysfs / "class/block/vda3").mkdir(parents=True)
        monkeypatch.setattr(Root, "live", classmethod(lambda cls, path="/": Root(str(self.top))))
        monkeypatch.setattr(devices, "SYSFS", str(self.sysfs))
        monkeypatch.setattr(devices, "name_of", lambda node: node.removeprefix("/dev/"))
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(paths, "RUN", str(top / "run"))
        monkeypatch.setattr(paths, "INITRD_RELEASE", str(top / "initrd-release"))
        for module in ("machine", "operations"):
            monkeypatch.setattr(f"ignition.arming.{module}.run", self._run)
        self.state = "offline"
        monkeypatch.setattr(machines, "status_and_output", self._asked)
        monkeypatch.setattr(initramfs, "read", lambda image, path: "xfs\n")
        log.divert(lambda priority, text: None)

    def put(self, name: str, text: str) -> Path:
        """A file."""
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def files(self) -> dict[str, str]:
        """Path → text, or the target of a symlink; without the skeleton."""
        return {
            str(path.relative_to(self.top)): f"-> {path.readlink()}" if path.is_symlink() else path.read_text()
            for path in sorted(self.top.rglob("*"))
            if (path.is_symlink() or path.is_file()) and "share/coreos-ignition" not in str(path)
        }

    def _asked(self, argv: list[str], **_: object) -> tuple[int, str]:
        return (1, f"{self.state}\n") if "is-system-running" in argv else (0, ENABLED)

    def _run(self, argv: list[str], **_: object) -> str:
        if argv[0] == "grub-probe":
            return f"{self.device}\n"
        self.started.append(argv)
        if "apt-get" in argv:
            if self.simulated.startswith("E:"):
                raise CommandFailed(self.simulated, status=100)
            if "--simulate" in argv:
                return self.simulated
            assert not (self.top / "etc/dracut.conf.d").exists()
            (self.top / "usr/sbin/update-initramfs").unlink()
        if argv[0] == "grub-mkconfig" and not self.was_armed:  # at this point neither identifiers nor flag have changed
            assert not (self.top / "boot/coreos/first_boot").exists() and (self.top / "etc/ssh/ssh_host_ed25519_key").exists()
            self.was_armed = True
            self.put("boot/grub/grub.cfg", GRUB_CFG)
        if argv[0] == "systemd-machine-id-setup":  # systemd 257 leaves the word "uninitialized"
            assert not (self.top / "etc/machine-id").exists()
            self.put("etc/machine-id", "f" * 32 + "\n")
        return ""


@pytest.fixture
def stock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stock:
    """A stock machine."""
    return Stock(tmp_path, monkeypatch)


ARMED = """\
  install /etc/default/grub.d/zz-coreos-ignition.cfg
  install /etc/dracut.conf.d/50-coreos-ignition.conf
  install /etc/grub.d/07_coreos_ignition
  install /etc/systemd/system/ignition-sshd-keygen.service
  install /etc/systemd/system-preset/50-coreos-ignition.preset
  mask systemd-firstboot.service, which would ask for a root password at the console
  build /boot/initrd.img-6.1.0-57-cloud-amd64
  update /boot/grub/grub.cfg
  remove the SSH host keys: /etc/ssh/ssh_host_ed25519_key, /etc/ssh/ssh_host_ed25519_key.pub
  make the machine ID in /etc/machine-id uninitialized
  remove the random seed: /var/lib/systemd/random-seed
  set the first-boot flag: /boot/coreos/first_boot
"""


def test_dry_run_changes_nothing(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    before = stock.files()
    assert ignition.main(["arm", "-dry-run"]) == 0
    assert (capsys.readouterr().out, stock.files(), stock.started) == (ARMED, before, [])


def test_arming(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    assert ignition.main(["arm"]) == 0
    assert capsys.readouterr().out.startswith(ARMED)
    files = stock.files()
    assert files["boot/coreos/first_boot"] == ""
    assert files["etc/machine-id"] == "uninitialized\n"
    assert files["etc/systemd/system/systemd-firstboot.service"] == "-> /dev/null"
    assert files["home/ann/letter"] == "dear\n"
    assert not {"etc/ssh/ssh_host_ed25519_key", "var/lib/systemd/random-seed"} & set(files)
    assert os.access(stock.top / "etc/grub.d/07_coreos_ignition", os.X_OK)
    assert stock.started == [
        ["dracut", "--quiet", "--force", "--kver", VERSION, f"/boot/initrd.img-{VERSION}"],
        ["grub-mkconfig", "-o", "/boot/grub/grub.cfg"],
    ]


def test_kernel_without_modules_is_left_alone_and_named(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    stock.put("boot/vmlinuz-5.10", "of a removed package")
    assert ignition.main(["arm"]) == 3
    out = capsys.readouterr().out
    assert out.startswith(ARMED) and "missing: the modules of the kernel 5.10\n    where: /usr/lib/modules/5.10\n" in out
    assert out.endswith("missing: this does not provision itself\n")
    assert stock.files()["boot/coreos/first_boot"] == ""


def test_presets_keep_the_choice_of_units(stock: Stock) -> None:
    ignition.main(["arm"])
    lines = stock.files()["etc/systemd/system-preset/50-coreos-ignition.preset"].splitlines()
    words = [line for line in lines if not line.startswith("#")]
    assert words == sorted(words[:-1]) + ["disable *"]
    wanted = {"ssh.service", "systemd-networkd.service", "getty@.service", "ignition-sshd-keygen.service", "user-config.target"}
    assert {f"enable {unit}" for unit in wanted} <= set(words)


def test_arming_again_changes_nothing_more(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    ignition.main(["arm"])
    files = stock.files()
    capsys.readouterr()
    assert ignition.main(["arm"]) == 0
    assert stock.files() == files
    assert capsys.readouterr().out.startswith(
        "  install /etc/default/grub.d/zz-coreos-ignition.cfg (already done)\n"
        "  install /etc/dracut.conf.d/50-coreos-ignition.conf (already done)\n"
    )


def test_growth_is_asked_for_on_the_kernel_command_line(stock: Stock) -> None:
    ignition.main(["arm", "-grow"])
    assert 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX ignition.grow=root"\n' in stock.files()[plan.GRUB_DEFAULTS.lstrip("/")]


@pytest.mark.parametrize("maker", ["etc/systemd/system/own.service", "usr/lib/systemd/system/ssh.service.d/keys.conf"])
def test_unit_for_host_keys_is_not_installed_beside_another_one(stock: Stock, maker: str) -> None:
    stock.put(maker, "[Service]\nExecStartPre=/usr/bin/ssh-keygen -A\n")
    ignition.main(["arm"])
    files = stock.files()
    assert "etc/systemd/system/ignition-sshd-keygen.service" not in files
    assert "ignition-sshd-keygen" not in files["etc/systemd/system-preset/50-coreos-ignition.preset"]
    assert "etc/ssh/ssh_host_ed25519_key" not in files


def test_machine_without_sshd(stock: Stock) -> None:
    stock.was_armed = True
    for name in ("sshd_config", "ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"):
        (stock.top / "etc/ssh" / name).unlink()
    ignition.main(["arm"])
    assert "etc/systemd/system/ignition-sshd-keygen.service" not in stock.files()
    ignition.main(["disarm"])
    assert ["ssh-keygen", "-A"] not in stock.started


def test_disarming_takes_everything_back(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    before = stock.files()
    ignition.main(["arm", "-grow"])
    stock.put("boot/coreos/first_boot.in-progress", "digest\n")
    stock.put("boot/coreos/failed-boots", "key 1\n")
    stock.started.clear()
    capsys.readouterr()
    assert ignition.main(["disarm"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("  remove /boot/coreos/first_boot\n") and out.endswith("\nThe next boot is an ordinary one.\n")
    after = stock.files()
    lost = {"etc/ssh/ssh_host_ed25519_key", "etc/ssh/ssh_host_ed25519_key.pub", "var/lib/systemd/random-seed"}
    before["boot/grub/grub.cfg"] = GRUB_CFG  # of the stand-in
    assert {**before, "etc/machine-id": "f" * 32 + "\n"} == {**after, **{name: before[name] for name in lost}}
    assert [argv[0] for argv in stock.started] == ["dracut", "grub-mkconfig", "systemd-machine-id-setup", "ssh-keygen"]


def test_running_machine_does_not_save_its_random_seed_again(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    drop_in = "run/systemd/system/systemd-random-seed.service.d/50-coreos-ignition.conf"
    stock.state = "degraded"
    assert ignition.main(["arm"]) == 0
    seed = "  remove the random seed: /var/lib/systemd/random-seed, which is not saved at the shutdown"
    assert f"{seed}\n" in capsys.readouterr().out
    files = stock.files()
    assert (files[drop_in], "var/lib/systemd/random-seed" in files) == ("[Service]\nExecStop=\n", False)
    assert stock.started[-1] == ["systemctl", "daemon-reload"]
    assert ignition.main(["arm"]) == 0
    assert f"{seed} (already done)\n" in capsys.readouterr().out
    stock.started.clear()
    assert ignition.main(["disarm"]) == 0
    assert drop_in not in stock.files()
    assert stock.started[-1] == ["systemctl", "daemon-reload"]


def test_flag_goes_first_and_comes_last(stock: Stock) -> None:
    machine = machines.probe(Root(str(stock.top)))
    assert plan.arm(machine)[-1].kind == "set-first-boot-flag"
    ignition.main(["arm"])
    assert plan.disarm(machines.probe(Root(str(stock.top))))[0].path == machines.FLAG


def test_armed_machine_lacks_nothing_but_what_programs_make(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    """The doctor, after the steps whose programs are stand-ins here."""
    machine = machines.probe(Root(str(stock.top)))
    assert not machine.is_armed
    ignition.main(["arm"])
    assert machines.probe(Root(str(stock.top))).is_armed
    facts = reset.identity_of(Root(str(stock.top)))
    assert (list(facts.host_keys), facts.key_maker) == ([], "ignition-sshd-keygen.service")


REFUSED = [
    pytest.param("usr/lib/dracut/modules.d/35coreos-ignition/module-setup.sh", "the dracut module is missing", id="no-module"),
    pytest.param("usr/sbin/grub-mkconfig", "/boot/grub/grub.cfg: GRUB is not set up", id="no-grub"),
    pytest.param("boot/grub/grub.cfg", "/boot/grub/grub.cfg: GRUB is not set up", id="no-grub.cfg"),
    pytest.param(f"boot/vmlinuz-{VERSION}", "/boot: /boot does not have a kernel", id="no-kernel"),
]


@pytest.mark.parametrize(("missing", "what"), REFUSED)
def test_machine_that_cannot_be_armed(stock: Stock, missing: str, what: str) -> None:
    path = stock.top / missing
    path.unlink()
    if "modules.d" in missing:
        path.parent.rmdir()
    before = stock.files()
    with pytest.raises(Failure) as caught:
        machines.probe(Root(str(stock.top)))
    assert what in str(caught.value) and caught.value.fix
    assert stock.files() == before


INITRAMFS_TOOLS = "#!/bin/sh\nmkinitramfs -o x\n"
APT = ["env", "INITRD=No", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet=2", "--yes", "--no-install-recommends"]
APT += ["install", "dracut"]


def test_dracut_takes_the_place_of_initramfs_tools_first(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    stock.put("usr/sbin/update-initramfs", INITRAMFS_TOOLS)
    before = stock.files()
    replaced = f"  install the package dracut, which removes initramfs-tools\n{ARMED}"
    assert ignition.main(["arm", "-dry-run"]) == 0
    assert (capsys.readouterr().out, stock.files(), stock.started) == (replaced, before, [[*APT, "--simulate"]])
    assert ignition.main(["arm"]) == 0
    assert capsys.readouterr().out.startswith(replaced)
    assert [argv[0] for argv in stock.started[1:]] == ["env", "env", "dracut", "grub-mkconfig"]
    assert stock.started[1:3] == [[*APT, "--simulate"], APT]
    assert ignition.main(["arm"]) == 0
    assert capsys.readouterr().out.startswith(ARMED.split("\n")[0])


def test_packages_that_need_initramfs_tools_are_not_removed(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    stock.put("usr/sbin/update-initramfs", INITRAMFS_TOOLS)
    stock.simulated = "Remv zfs-initramfs [2.1]\nRemv initramfs-tools [0.142]\nRemv clevis-initramfs [19]\nInst dracut (059)\n"
    before = stock.files()
    assert ignition.main(["arm"]) == 1
    assert capsys.readouterr().err == (
        "ignition arm: /usr/sbin/update-initramfs: to install dracut, apt would also remove clevis-initramfs, zfs-initramfs"
        " (fix: replace it by dracut: apt install dracut)\n"
    )
    assert (stock.files(), stock.started) == (before, [[*APT, "--simulate"]])


def test_dracut_that_apt_does_not_know(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    stock.put("usr/sbin/update-initramfs", INITRAMFS_TOOLS)
    stock.simulated = "E: Unable to locate package dracut"
    before = stock.files()
    assert ignition.main(["arm", "-dry-run"]) == 1
    assert capsys.readouterr().err == (
        "ignition arm: /usr/sbin/update-initramfs: dracut cannot be installed in place of initramfs-tools: E: Unable to locate"
        " package dracut (fix: apt update, and ignition arm again)\n"
    )
    assert stock.files() == before


def test_disarming_refuses_initramfs_tools(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    stock.put("usr/sbin/update-initramfs", INITRAMFS_TOOLS)
    assert ignition.main(["disarm"]) == 1
    assert capsys.readouterr().err == (
        "ignition disarm: /usr/sbin/update-initramfs: initramfs-tools would overwrite the initramfs of dracut"
        " (fix: replace it by dracut: apt install dracut)\n"
    )
    assert stock.started == []


@pytest.mark.parametrize("kind", ["dm", "md"])
def test_boot_on_an_array_or_a_volume_is_refused(stock: Stock, kind: str) -> None:
    (stock.sysfs / "class/block/vda3" / kind).mkdir()
    with pytest.raises(Failure) as caught:
        machines.probe(Root(str(stock.top)))
    assert "a first boot reads its flag before arrays and volumes are assembled" in str(caught.value)
    assert caught.value.fix == "put /boot on a partition of its own"


def test_skeleton_that_is_missing_is_named(stock: Stock) -> None:
    for path in sorted((stock.top / "usr/share/coreos-ignition").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(Failure) as caught:
        machines.probe(Root(str(stock.top)))
    assert str(caught.value) == (
        "/usr/share/coreos-ignition/arm: the files to install are missing (fix: install coreos-ignition-dracut)"
    )


def test_only_root_may_arm(stock: Stock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert ignition.main(["arm"]) == 1
    assert "only root can change the boot of a machine" in capsys.readouterr().err


def test_not_in_an_initramfs(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    Path(paths.INITRD_RELEASE).touch()
    assert ignition.main(["disarm", "-dry-run"]) == 1
    assert "this is an initramfs" in capsys.readouterr().err
