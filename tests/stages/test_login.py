"""Whether somebody can log in, and what the login prompt says if not."""

import os
import stat
from pathlib import Path

import pytest

from ignition.config.model import Config, Passwd, Resource, Storage
from ignition.config.model.passwd import User
from ignition.config.model.storage import File
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import log
from ignition.host.root import Root
from ignition.operation import Context, Runner
from ignition.reporting.report import read
from ignition.stages import files, login
from ignition.stages import state as states
from ignition.stages.arguments import Arguments, Paths
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.ssh_keys import KeyPlaces

KEY = "ssh-ed25519 AAAA a@b"
SHADOW = "root:*:19000:0:99999:7:::\ndaemon:!:19000::::::\n"
TREE = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/usr/sbin/nologin\nann:x:1000:1000::/home/ann:\n",
    "/etc/shadow": SHADOW,
    "/etc/group": "root:x:0:\nann:x:1000:\n",
    "/etc/machine-id": "0123456789abcdef0123456789abcdef\n",
}
NOBODY = "No user of this machine has an SSH key or a password: nobody can log in"


class Machine:
    """A root behind the files stage, and what the stage says about it."""

    def __init__(self, top: Path) -> None:
        self.root, self.issue, self.state = top / "root", top / "issue.d", states.State()
        self.top = top
        self.put(TREE)
        self.cmdline("quiet")
        self.state.fetched_configs = [{"kind": "user", "source": "qemu", "referenced": False}]

    def put(self, tree: dict[str, str]) -> None:
        """Files by path; `/` at the end makes a directory."""
        for inside, text in tree.items():
            path = self.root / inside.strip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            if inside.endswith("/"):
                path.mkdir(exist_ok=True)
            else:
                path.write_text(text)

    def cmdline(self, text: str) -> None:
        """The kernel command line."""
        (self.top / "cmdline").write_text(f"{text}\n")

    def arguments(self, config: Config) -> Arguments:
        """Of the files stage."""
        states.save(self.state, str(self.top / "state"))
        log.configure(stage="files", to_stdout=True)
        found = Arguments(
            stage="files",
            platform="qemu",
            root=str(self.root),
            runner=Runner("files", str(self.top / "operations.jsonl")),
            paths=Paths(config_cache="", neednet="", state_file=str(self.top / "state")),
            fetch_timeout_s=1,
        )
        found.config, found.context = config, Context(Root(str(self.root)), Fetcher(Settings.from_config(config), offline=True))
        return found

    def said(self, config: Config | None = None) -> str:
        """The notices, a line each."""
        arguments = self.arguments(config or Config())
        accounts = AccountDatabase(arguments.context.root)
        places = KeyPlaces(arguments.context.root, accounts)
        return "\n".join(login.notices(arguments.config, arguments.platform, self.state, accounts, places))

    def notice(self) -> str | None:
        """What agetty will show."""
        path = self.issue / "50-ignition.issue"
        return path.read_text() if path.exists() else None


def finish(arguments: Arguments, places: KeyPlaces) -> None:
    """What the stage does about logging in."""
    state = states.load(arguments.state_file)
    notice = login.LeaveNotice(arguments.config, arguments.platform, state, places)
    arguments.runner.run([*login.plan(arguments.config, places), notice], arguments.context)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with a config, on which nobody has a key or a password."""
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    monkeypatch.setenv("IGNITION_ISSUE_DIR", str(tmp_path / "issue.d"))
    monkeypatch.setattr(login, "_CREDENTIALS", str(tmp_path / "credentials"))
    return Machine(tmp_path)


def test_machine_that_nobody_can_log_in_to_says_so(machine: Machine) -> None:
    assert machine.said().startswith(
        f"{NOBODY}.\nGive the machine a config with a user that has sshAuthorizedKeys or a passwordHash"
    )


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param({"/etc/shadow": "root:$6$salt$HASH:19000:0:99999:7:::\n"}, id="password of root"),
        pytest.param({"/etc/shadow": f"{SHADOW}ann:$y$j9T$salt$HASH:19000::::::\n"}, id="password of a user, yescrypt"),
        pytest.param({"/etc/shadow": f"{SHADOW}ann:abcdefghijklm:19000::::::\n"}, id="DES"),
        pytest.param({"/etc/shadow": f"{SHADOW}ann::19000::::::\n"}, id="empty password"),
        pytest.param({"/etc/shadow": "root:$6$s$H:19000:::::30000:\n"}, id="expires later"),
        pytest.param({"/etc/passwd": "root:$6$s$H:0:0::/root:/bin/sh\n", "/etc/shadow": ""}, id="hash in passwd"),
        pytest.param({"/root/.ssh/authorized_keys": f"{KEY}\n"}, id="key of root"),
        pytest.param({"/home/ann/.ssh/authorized_keys": f"# mine\n\n{KEY}"}, id="key of a user"),
        pytest.param({"/home/ann/.ssh/authorized_keys2": KEY}, id="second default file"),
        pytest.param(
            {"/etc/ssh/sshd_config": "AuthorizedKeysFile /etc/ssh/k/%u", "/etc/ssh/k/ann": KEY}, id="directory of the system"
        ),
        pytest.param(
            {"/etc/ssh/sshd_config": "AuthorizedKeysCommand /x/ssh-key-dir %u", "/home/ann/.ssh/authorized_keys.d/x": KEY},
            id="directory of fragments",
        ),
        pytest.param({"/etc/ssh/sshd_config": "AuthorizedKeysCommand /opt/keys-of %u"}, id="a program that may ask anybody"),
        pytest.param({"/etc/ssh/sshd_config": "TrustedUserCAKeys /etc/ssh/ca.pub"}, id="certificates"),
        pytest.param({"/etc/ssh/sshd_config": "HostbasedAuthentication yes"}, id="trusted hosts"),
        pytest.param({"/etc/ssh/sshd_config": 'Match "', "/root/.ssh/authorized_keys": KEY}, id="sshd_config that is broken"),
        pytest.param({"/usr/lib/passwd": "op:x:0:0::/srv/op:/bin/sh\n", "/srv/op/.ssh/authorized_keys": KEY}, id="altfiles"),
    ],
)
def test_machine_with_a_key_or_a_password_is_not_slandered(machine: Machine, tree: dict[str, str]) -> None:
    machine.put(tree)
    assert machine.said() == ""


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param({"/etc/shadow": "root:!:1::::::\nann:!!:1::::::\n"}, id="locked"),
        pytest.param({"/etc/shadow": "root:!$6$s$H:1::::::\n"}, id="locked hash"),
        pytest.param({"/etc/shadow": "root:*LK*:1::::::\nann:x:1::::::\n"}, id="words"),
        pytest.param({"/etc/shadow": "root:$6$s$H:19000:::::1:\n"}, id="expired"),
        pytest.param({"/etc/shadow": "daemon:$6$s$H:19000::::::\n"}, id="of a user without a shell"),
        pytest.param({"/root/.ssh/authorized_keys": "# none yet\n\n"}, id="comment"),
        pytest.param({"/root/.ssh/authorized_keys/": ""}, id="directory for a file"),
        pytest.param({"/root/.ssh/authorized_keys.d/ignition": KEY}, id="key where sshd does not look"),
        pytest.param({"/usr/sbin/.ssh/authorized_keys": KEY}, id="key of a user without a shell"),
        pytest.param(
            {"/etc/ssh/sshd_config": "PubkeyAuthentication no", "/root/.ssh/authorized_keys": KEY}, id="no keys accepted"
        ),
    ],
)
def test_what_lets_nobody_in_does_not_count(machine: Machine, tree: dict[str, str]) -> None:
    for inside in tree:
        (machine.root / inside.strip("/")).unlink(missing_ok=True)
    machine.put(tree)
    assert machine.said().startswith(f"{NOBODY}.")


UNITS = "/etc/systemd/system"


@pytest.mark.parametrize(
    ("tree", "unless"),
    [
        pytest.param(
            {f"{UNITS}/multi-user.target.requires/coreos-metadata-sshkeys@core.service": ""},
            "coreos-metadata-sshkeys@core.service",
            id="enabled unit",
        ),
        pytest.param(
            {"/lib/systemd/system/a.target.wants/cloud-init.service": ""}, "cloud-init.service", id="linked by the image"
        ),
        pytest.param(
            {
                "/etc/machine-id": "",
                "/usr/lib/systemd/system/coreos-metadata-sshkeys@.service": "",
                f"{UNITS}-preset/20-ignition.preset": "enable coreos-metadata-sshkeys@core.service\n",
                "/usr/lib/systemd/system-preset/99.preset": "disable *\n",
            },
            "coreos-metadata-sshkeys@.service",
            id="preset of the first boot",
        ),
        pytest.param(
            {"/etc/machine-id": "uninitialized", "/usr/lib/systemd/system/system-config.target": ""},
            "system-config.target",
            id="no preset",
        ),
        pytest.param({"/etc/nsswitch.conf": "passwd: files [!UNAVAIL=return] sss # x\n"}, "the account source sss", id="sssd"),
        pytest.param({"/home/eve.homedir/": ""}, "systemd-homed", id="homed"),
        pytest.param(
            {"/etc/fstab": "/dev/vdb /home ext4 defaults 0 2\n"}, "the file system mounted at /home", id="homes elsewhere"
        ),
        pytest.param(
            {f"{UNITS}/serial-getty@.service.d/10.conf": "[Service]\nExecStart=\nExecStart=agetty --autologin root\n"},
            "the autologin of serial-getty@.service",
            id="autologin",
        ),
    ],
)
def test_what_may_let_somebody_in_is_named(machine: Machine, tree: dict[str, str], unless: str) -> None:
    machine.put(tree)
    assert machine.said().startswith(f"{NOBODY}, unless {unless} lets somebody in.")


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param({"/etc/nsswitch.conf": "passwd: files systemd\n#passwd: sss\n"}, id="local sources"),
        pytest.param({"/etc/fstab": "/dev/vda / ext4 x 0 1\n/dev/vdb /srv ext4 x 0 2\n# /dev/vdc /home\n"}, id="other mounts"),
        pytest.param({"/usr/lib/systemd/system/cloud-init.service": ""}, id="unit that is not enabled"),
        pytest.param(
            {
                "/etc/machine-id": "",
                "/usr/lib/systemd/system/cloud-init.service": "",
                "/usr/lib/systemd/system-preset/99.preset": "disable *\n",
            },
            id="unit that presets disable",
        ),
    ],
)
def test_what_cannot_let_somebody_in_is_not_named(machine: Machine, tree: dict[str, str]) -> None:
    machine.put(tree)
    assert machine.said().startswith(f"{NOBODY}.")


def test_cloud_config_of_the_user_counts_only_without_a_config_for_ignition(machine: Machine) -> None:
    machine.put({f"{UNITS}/multi-user.target.wants/user-config.target": ""})
    assert machine.said().startswith(f"{NOBODY}.")
    machine.state.fetched_configs = []
    assert f"{NOBODY}, unless user-config.target lets somebody in." in machine.said()


def test_of_very_many_users_nothing_is_said(machine: Machine) -> None:
    machine.put({"/etc/passwd": "".join(f"u{number}:x:{number}:1::/home/u{number}:/bin/sh\n" for number in range(501))})
    assert machine.said() == ""


@pytest.mark.parametrize("word", ["coreos.autologin", "flatcar.autologin=ttyS0", "systemd.debug_shell"])
def test_kernel_command_line_may_let_somebody_in(machine: Machine, word: str) -> None:
    machine.cmdline(f"quiet {word}")
    assert machine.said().startswith(f"{NOBODY}, unless {word.partition('=')[0]} on the kernel command line lets somebody in.")


def test_credential_of_the_hypervisor_may_let_somebody_in(machine: Machine) -> None:
    (machine.top / "credentials").mkdir()
    (machine.top / "credentials/passwd.hashed-password.root").touch()
    assert machine.said().startswith(f"{NOBODY}, unless a credential of systemd lets somebody in.")


@pytest.mark.parametrize(
    ("kind", "line", "said"),
    [
        pytest.param("", "", "(platform qemu provided none: firmware config opt/com.coreos/config or ", id="platform"),
        pytest.param(
            "",
            "ignition.config.url=http://u:SECRET@h/x?SECRET",
            "(ignition.config.url= on the kernel command line provided none).",
            id="URL",
        ),
        pytest.param("default", "", "The default of the image was applied.", id="default.ign"),
    ],
)
def test_machine_without_a_config_says_where_it_looked(machine: Machine, kind: str, line: str, said: str) -> None:
    machine.state.fetched_configs = [{"kind": kind, "source": "system", "referenced": False}] if kind else []
    machine.cmdline(line)
    found = machine.said()
    assert found.startswith("No Ignition config was given to this machine (")
    assert said in found.split("\n")[0]
    assert "SECRET" not in found


CORE = User(name="ann", ssh_authorized_keys=(KEY,))


def test_keys_that_sshd_does_not_read_are_named(machine: Machine) -> None:
    machine.put({"/etc/ssh/sshd_config": "AuthorizedKeysFile none\n", "/etc/shadow": "root:$6$s$H:1::::::\n"})
    said = machine.said(Config(passwd=Passwd(users=(CORE,))))
    assert said.startswith(
        "The SSH keys of ann have no effect: they are in /home/ann/.ssh/authorized_keys, which sshd of this machine"
    )


@pytest.mark.root
def test_keys_follow_an_sshd_config_of_the_same_config(machine: Machine) -> None:
    """Keys are written before files: a file of the config may be what tells sshd where to look."""
    text = "data:,AuthorizedKeysFile%20.ssh/authorized_keys.d/ignition%0A"
    file = File(path="/etc/ssh/sshd_config", contents=Resource(source=text))
    home = machine.root / "home/ann"
    home.mkdir(parents=True)
    os.chown(home, 1000, 1000)
    for directory in (machine.top, machine.top.parent, machine.top.parent.parent):
        directory.chmod(0o755)
    files.run(machine.arguments(Config(passwd=Passwd(users=(CORE,)), storage=Storage(files=(file,)))))
    assert (home / ".ssh/authorized_keys.d/ignition").read_text() == f"{KEY}\n"
    assert machine.notice() is None


def test_notice_is_for_agetty_and_goes_away_with_its_reason(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = machine.arguments(Config())
    places = KeyPlaces(arguments.context.root, AccountDatabase(arguments.context.root))
    before = os.umask(0o077)
    finish(arguments, places)
    os.umask(before)
    text = machine.notice()
    assert text is not None and text.startswith(f"ignition: {NOBODY[:60]}")
    assert max(len(line) for line in text.splitlines()) <= 79
    path = machine.issue / "50-ignition.issue"
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o644, 0o755)
    assert f"WARNING  : files: {NOBODY}." in capsys.readouterr().out
    machine.put({"/root/.ssh/authorized_keys": KEY})
    finish(arguments, places)
    assert machine.notice() is None


@pytest.mark.parametrize("there", [None, "a file of the image", "a link of the image"])
def test_agetty_is_led_to_the_notice_where_the_image_has_an_issue(machine: Machine, there: str | None) -> None:
    """agetty of util-linux 2.38 reads /run/issue.d only where there is no /etc/issue."""
    arguments = machine.arguments(Config())
    places = KeyPlaces(arguments.context.root, AccountDatabase(arguments.context.root))
    link = machine.root / "etc/issue.d/50-ignition.issue"
    finish(arguments, places)
    assert not link.parent.exists()
    machine.put({"/etc/issue": "Debian\n", "/etc/issue.d/": ""})
    if there == "a file of the image":
        link.write_text("x")
    elif there:
        link.symlink_to("elsewhere")
    finish(arguments, places)
    assert link.is_symlink() is (there != "a file of the image")
    assert there or os.readlink(link) == "../../run/issue.d/50-ignition.issue"
    machine.put({"/root/.ssh/authorized_keys": KEY})
    finish(arguments, places)
    assert os.path.lexists(link) is bool(there)


def test_names_of_the_image_do_nothing_to_the_terminal(machine: Machine) -> None:
    machine.put({"/etc/fstab": "/dev/vdb /home\x1b[2J\\n ext4 x 0 2\n", "/etc/passwd": "a:x:1:1::/home\x1b[2J\\n/a:/bin/sh\n"})
    arguments = machine.arguments(Config())
    finish(arguments, KeyPlaces(arguments.context.root, AccountDatabase(arguments.context.root)))
    text = machine.notice()
    assert text is not None and "\x1b" not in text and r"/home\\x1b[2J\\n" in text


@pytest.mark.parametrize("broken", ["issue.d is a file", "notice is a directory", "passwd is a FIFO"])
def test_nothing_of_it_fails_a_boot(machine: Machine, capsys: pytest.CaptureFixture[str], broken: str) -> None:
    arguments = machine.arguments(Config())
    places = KeyPlaces(arguments.context.root, AccountDatabase(arguments.context.root))
    if broken == "issue.d is a file":
        machine.issue.write_text("x")
    elif broken == "notice is a directory":
        (machine.issue / "50-ignition.issue/x").mkdir(parents=True)
    else:
        (machine.root / "etc/passwd").unlink()
        os.mkfifo(machine.root / "etc/passwd")
    finish(arguments, places)
    assert "[warning]  leave a notice at the login prompt if nobody can log in: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("field", "possible"),
    [
        ("", True),
        ("$6$salt$hash", True),
        ("$6$hash", False),
        ("$", False),
        ("abcdefghijklm", True),
        ("abcdefghijkl", False),
        ("abcdefghijklmn", False),
        ("!bcdefghijklm", False),
        ("*bcdefghijklm", False),
        ("_J9..saltabcdefghijk", True),
        ("x", False),
        ("*", False),
        ("!", False),
        ("!$6$salt$hash", False),
    ],
)
def test_password_can_match_a_hash_and_an_empty_field(machine: Machine, field: str, possible: bool) -> None:
    machine.put({"/etc/shadow": f"root:{field}:19000::::::\n"})
    assert (NOBODY not in machine.said()) is possible
    machine.put({"/etc/shadow": "", "/etc/passwd": f"root:{field}:0:0::/root:/bin/sh\n"})
    assert (NOBODY not in machine.said()) is possible


@pytest.mark.parametrize(
    ("day", "possible"),
    [("", True), ("0", False), ("1", False), ("99999", True), ("x", True), ("\u0661", True), ("9" * 30, True)],
)
def test_expired_account_lets_nobody_in(machine: Machine, day: str, possible: bool) -> None:
    machine.put({"/etc/shadow": f"root:$6$salt$hash:19000:::::{day}:\n"})
    assert (NOBODY not in machine.said()) is possible


def test_account_expires_on_its_day(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.put({"/etc/shadow": "root:$6$salt$hash:19000:::::20000:\n"})
    for day, possible in ((19999, True), (20000, False)):
        monkeypatch.setattr("time.time", lambda day=day: day * 86400 + 5)
        assert (NOBODY not in machine.said()) is possible


@pytest.mark.parametrize(
    ("shell", "counts"),
    [
        *((shell, False) for shell in ("nologin", "false", "true", "sync", "shutdown", "halt")),
        *((shell, True) for shell in ("bash", "zsh", "truer")),
    ],
)
def test_user_whose_shell_refuses_logins_does_not_count(machine: Machine, shell: str, counts: bool) -> None:
    machine.put({"/etc/passwd": f"ann:x:1000:1000::/home/ann:/usr/sbin/{shell}\n", "/etc/shadow": "ann:$6$s$h:1::::::\n"})
    assert (NOBODY not in machine.said()) is counts


@pytest.mark.parametrize(
    "unit",
    [
        *("coreos-metadata-sshkeys@core.service", "afterburn-sshkeys@ann.service", "system-config.target"),
        *("oem-cloudinit.service", "cloud-init.service", "cloud-init-main.service", "google-guest-agent.service"),
        *("google-guest-agent-manager.service", "waagent.service", "walinuxagent.service", "ec2-instance-connect.service"),
        *("systemd-firstboot.service", "systemd-homed-firstboot.service"),
    ],
)
def test_unit_that_may_bring_users_is_named(machine: Machine, unit: str) -> None:
    machine.put({f"/etc/systemd/system/x.target.wants/{name}": "" for name in (unit, "other.service")})
    assert f"{NOBODY}, unless {unit} lets somebody in." in machine.said()


@pytest.mark.parametrize("directory", ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"])
@pytest.mark.parametrize(("folder", "counts"), [("wants", True), ("requires", True), ("upholds", True), ("d", False)])
def test_unit_is_linked_by_another_one(machine: Machine, directory: str, folder: str, counts: bool) -> None:
    machine.put({f"{directory}/x.target.{folder}/cloud-init.service": ""})
    assert ("unless cloud-init.service lets" in machine.said()) is counts


@pytest.mark.parametrize("provided", [True, False])
def test_user_data_brings_users_where_ignition_has_no_config(machine: Machine, provided: bool) -> None:
    machine.put({"/etc/systemd/system/x.target.wants/user-config.target": ""})
    machine.state.fetched_configs = [{"kind": "user", "source": "qemu", "referenced": False}] if provided else []
    assert ("unless user-config.target lets somebody in" in machine.said()) is not provided


@pytest.mark.parametrize("word", ["coreos.autologin", "flatcar.autologin=tty1", "systemd.debug_shell", "systemd.debug-shell=1"])
def test_kernel_argument_that_lets_people_in_is_named(machine: Machine, word: str) -> None:
    machine.cmdline(f"quiet {word}")
    assert f"{NOBODY}, unless {word.partition('=')[0]} on the kernel command line lets somebody in." in machine.said()


@pytest.mark.parametrize(
    ("presets", "machine_id", "named"),
    [
        pytest.param({}, "", True, id="no preset"),
        pytest.param({"90-x.preset": "disable cloud-init.service"}, "", False, id="disabled"),
        pytest.param({"90-x.preset": "enable cloud-*.service\ndisable *"}, "uninitialized\n", True, id="pattern"),
        pytest.param({"90-x.preset": "disable *", "10-x.preset": "enable cloud-init.service"}, "", True, id="order of names"),
        pytest.param({"90-x.preset": "ignore cloud-init.service\ndisable"}, "", True, id="other words"),
        pytest.param({"90-x.conf": "disable *"}, "", True, id="another file"),
        pytest.param({}, "0123456789abcdef0123456789abcdef\n", False, id="presets do not apply"),
    ],
)
def test_unit_that_presets_will_enable_is_named(machine: Machine, presets: dict[str, str], machine_id: str, named: bool) -> None:
    machine.put({"/usr/lib/systemd/system/cloud-init.service": "", "/etc/machine-id": machine_id})
    machine.put({f"/usr/lib/systemd/system-preset/{name}": text for name, text in presets.items()})
    assert ("unless cloud-init.service lets somebody in" in machine.said()) is named


@pytest.mark.parametrize(
    ("fstab", "named"),
    [
        ("LABEL=x /home ext4 defaults 0 0", "/home"),
        ("LABEL=x /home/ann ext4", "/home/ann"),
        ("LABEL=x /home/annabel ext4", ""),
        ("LABEL=x / ext4", ""),
        ("#LABEL=x /home ext4", ""),
        ("LABEL=x", ""),
        ("LABEL=x /srv ext4", ""),
    ],
)
def test_file_system_with_homes_is_named(machine: Machine, fstab: str, named: str) -> None:
    machine.put({"/etc/fstab": f"\n{fstab}\n"})
    unless = f", unless the file system mounted at {named} lets somebody in" if named else ""
    assert f"{NOBODY}{unless}." in machine.said()


@pytest.mark.parametrize(
    ("tree", "named"),
    [
        ({"/home/ann.homedir/": ""}, "systemd-homed"),
        ({"/home/ann.home": ""}, "systemd-homed"),
        ({"/etc/nsswitch.conf": "passwd: files sss systemd\n"}, "the account source sss"),
        (
            {"/etc/systemd/system/getty@tty1.service.d/x.conf": "ExecStart=/sbin/agetty --autologin ann"},
            "the autologin of getty@tty1.service",
        ),
        ({"/etc/systemd/system/getty@tty1.service.d/x.conf": "ExecStart=/sbin/agetty"}, ""),
        ({"/etc/systemd/system/x@tty1.service.d/x.conf": "--autologin"}, ""),
    ],
)
def test_other_way_in_is_named(machine: Machine, tree: dict[str, str], named: str) -> None:
    machine.put(tree)
    unless = f", unless {named} lets somebody in" if named else ""
    assert f"{NOBODY}{unless}." in machine.said()


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("passwd.hashed-password.root", 1),
        ("ssh.authorized_keys.root", 1),
        ("userdb.user.x", 1),
        ("firstboot.x", 1),
        ("x.passwd.", 0),
    ],
)
def test_credential_that_lets_people_in_is_named(machine: Machine, name: str, named: int) -> None:
    (machine.top / "credentials").mkdir()
    (machine.top / "credentials" / name).touch()
    assert machine.said().count(f"{NOBODY}, unless a credential of systemd lets somebody in.") == named


def test_three_ways_in_suffice(machine: Machine) -> None:
    machine.cmdline("coreos.autologin flatcar.autologin systemd.debug_shell systemd.debug-shell")
    assert (
        "unless coreos.autologin on the kernel command line or flatcar.autologin on the kernel command line or "
        "systemd.debug_shell on the kernel command line lets"
    ) in machine.said()


def test_warnings_of_the_first_boot_are_counted_at_the_prompt(machine: Machine) -> None:
    (machine.top / "operations.jsonl").write_text(
        '{"stage": "disks", "what": "a", "result": "warning", "at": 1, "seconds": 1}\n'
        '{"stage": "disks", "what": "b", "result": "done", "at": 1, "seconds": 1}\n'
    )
    (machine.top / "warnings.jsonl").write_text('{"stage": "fetch", "what": "c", "at": 1}\n')
    machine.put({"/root/.ssh/authorized_keys": KEY})
    files.run(machine.arguments(Config()))
    assert machine.notice() == "ignition: The first boot gave 2 warnings: ignition report shows them.\n\n"
    report = read(str(machine.root / "var/lib/ignition/report.json"))
    assert len(report.warnings()) == 2


def test_warnings_include_the_notices_as_the_report_does(machine: Machine) -> None:
    (machine.top / "warnings.jsonl").write_text('{"stage": "fetch", "what": "c", "at": 1}\n')
    files.run(machine.arguments(Config()))
    notice = " ".join((machine.notice() or "").split())
    assert NOBODY in notice
    count = len(read(str(machine.root / "var/lib/ignition/report.json")).warnings())
    assert notice.endswith(f"The first boot gave {count} warnings: ignition report shows them.")


def test_one_warning_is_one(machine: Machine) -> None:
    (machine.top / "warnings.jsonl").write_text('{"stage": "fetch", "what": "c", "at": 1}\n')
    machine.put({"/root/.ssh/authorized_keys": KEY})
    files.run(machine.arguments(Config()))
    assert machine.notice() == "ignition: The first boot gave 1 warning: ignition report shows it.\n\n"
