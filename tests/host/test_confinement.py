"""Programs that run the image's code get the image alone: a hostile NSS module achieves nothing, and the accounts are as ever."""

import errno
import fcntl
import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ignition.errors import CommandFailed
from ignition.host import command, confinement, log, mounts
from ignition.host.programs import PROGRAMS, RUN_CODE_OF_THE_ROOT
from tests.host.time_limits import time_runs_once_there_is

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() == 0 and not confinement.is_possible(), reason="needs CAP_SYS_ADMIN"),
]

FILES = {
    "passwd": "root:x:0:0:root:/root:/bin/bash\n",
    "group": "root:x:0:\nwheel:x:10:\n",
    "shadow": "root:*:19000:0:99999:7:::\n",
    "gshadow": "root:*::\nwheel:*::\n",
    "subuid": "",
    "subgid": "",
    "login.defs": "UID_MIN 1000\nUID_MAX 60000\nSUB_UID_COUNT 65536\nHOME_MODE 0700\nUSERGROUPS_ENAB yes\n",
    "nsswitch.conf": "passwd: files\ngroup: files\n",
}


def root_in(top: Path) -> Path:
    """A root with accounts and a skeleton of homes."""
    for name in ("etc/skel/.config", "home", "mnt", "var/mail"):
        (top / name).mkdir(parents=True)
    for name, content in FILES.items():
        (top / "etc" / name).write_text(content)
    (top / "etc/skel/.bashrc").write_text("# for everybody\n")
    (top / "etc/root-of-the-test").touch()
    return top


def listing(top: Path) -> dict[str, tuple[str, int, int, int, bytes]]:
    """What is in a tree, with modes, owners and contents; the dates of changes of passwords are today's in both."""
    found = {}
    for path in sorted(top.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found[str(path.relative_to(top))] = (oct(status.st_mode), status.st_uid, status.st_gid, status.st_nlink, content)
    return found


STEPS: list[tuple[list[str], str]] = [
    (["groupadd", "--gid", "2000", "--", "team"], ""),
    (["groupadd", "--system", "--", "machines"], ""),
    (["groupmod", "--gid", "2001", "--", "team"], ""),
    (["useradd", "--create-home", "--password", "*", "--groups", "team,wheel", "--comment", "A. B.", "--", "ann"], ""),
    (["useradd", "--no-create-home", "--system", "--password", "*", "--", "daemon1"], ""),
    (["usermod", "--shell", "/bin/sh", "--home", "/home/other", "--move-home", "--", "ann"], ""),
    (["chpasswd", "--encrypted"], "ann:$6$x$y\n"),
    (["chgpasswd", "--encrypted"], "team:$6$x$z\n"),
    (["useradd", "--create-home", "--password", "*", "--", "bob"], ""),
    (["userdel", "--remove", "--", "bob"], ""),
    (["groupdel", "--", "machines"], ""),
]


def with_root(argv: list[str], top: Path) -> list[str]:
    return [argv[0], "--root", str(top), *argv[1:]]


def test_accounts_are_byte_for_byte_those_of_the_caller_s_own_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, plain = root_in(tmp_path / "ours"), root_in(tmp_path / "plain")
    for argv, stdin in STEPS:
        command.run(with_root(argv, ours), why="try", stdin=stdin)
    monkeypatch.setattr(confinement, "is_possible", lambda: False)
    for argv, stdin in STEPS:
        command.run(with_root(argv, plain), why="try", stdin=stdin)
    assert listing(ours) == listing(plain)
    assert {argv[0] for argv, _ in STEPS} == RUN_CODE_OF_THE_ROOT
    assert "ann:$6$x$y" in (ours / "etc/shadow").read_text()


def test_status_and_words_are_the_program_s(tmp_path: Path) -> None:
    top = root_in(tmp_path / "root")
    with pytest.raises(CommandFailed) as caught:
        command.run(["useradd", "--root", str(top), "--", "root"], why="create root")
    assert caught.value.status == 9
    assert "already exists" in caught.value.stderr


@pytest.mark.parametrize("body", ["kill -9 $$", "kill -15 $$"], ids=["SIGKILL", "SIGTERM"])
def test_signal_that_ended_the_program_is_told(tmp_path: Path, body: str) -> None:
    program = visible_program(tmp_path, body)
    with pytest.raises(CommandFailed) as caught:
        command.run([program, "--root", str(tmp_path)], why="try")
    assert caught.value.status == -int(body.split("-")[1].split()[0])


def test_program_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held, begun = tmp_path / "held", tmp_path / "begun"
    os.mkfifo(held)
    # Not a background job of the shell: that opens /dev/null, which is hidden.
    daemon = f"exec 9<>{held}; touch {begun}; exec sleep 600"
    program = visible_program(tmp_path, f"setsid --fork sh -c '{daemon}'; exec sleep 600")
    time_runs_once_there_is(begun, monkeypatch)
    with pytest.raises(CommandFailed, match="0.2 s"):
        command.run([program, "--root", str(tmp_path)], why="try", timeout_s=0.2)
    deadline = time.monotonic() + 60
    while is_open_for_reading(held):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_open_for_reading(fifo: Path) -> bool:
    """Whether a process has it open; see fifo(7)."""
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        assert error.errno == errno.ENXIO
        return False
    return True


def visible_program(top: Path, body: str) -> str:
    """A stand-in for useradd, in the root itself: everything else below /tmp is hidden from it."""
    program = top / "useradd"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return str(program)


def test_lock_of_an_interrupted_run_is_not_for_ever(tmp_path: Path) -> None:
    # shadow-utils take a lock for stale whose process does not exist; the number must not be one that always does.
    top = root_in(tmp_path / "root")
    command.run([visible_program(top, f"echo $$ >{top}/number"), "--root", str(top)], why="try")
    assert int((top / "number").read_text()) > 2
    (top / "etc/group.lock").write_text(f"{os.getpid()}\0")  # it lives, and has nothing to do with this root
    command.run(["groupadd", "--root", str(top), "--", "team"], why="try")
    assert "team:" in (top / "etc/group").read_text()


@pytest.mark.parametrize("status", [1, 9, 127, 130])
def test_status_of_the_program_is_kept(tmp_path: Path, status: int) -> None:
    """Also one above 128, by which the first process of the namespace reports a signal."""
    with pytest.raises(CommandFailed) as caught:
        command.run([visible_program(tmp_path, f"exit {status}"), "--root", str(tmp_path)], why="try")
    assert caught.value.status == (status if status <= 128 else -(status - 128))


@pytest.fixture
def root_in_tmp() -> Iterator[Path]:
    """A root below none of the directories that a program finds empty."""
    with TemporaryDirectory(dir="/tmp") as directory:
        yield Path(directory)


def test_program_sees_nothing_of_the_machine(root_in_tmp: Path) -> None:
    """The mounts, processes, links and capabilities of the program, as it reads them itself."""
    (root_in_tmp / "proc").mkdir()
    body = f"""
    mount -t proc proc {root_in_tmp}/proc 2>&- && echo mounted
    for place in /bin /usr /lib /tmp /etc /etc/ld.so.cache; do touch $place/x 2>&- && echo wrote $place; done
    ls /root /home /var /run /sys /proc /dev /etc
    ls {root_in_tmp.parent}
    touch {root_in_tmp}/written
    true
    """
    out = command.run([visible_program(root_in_tmp, body), "--root", str(root_in_tmp)], why="try")
    shown = {line for line in out.split("\n") if line and not line.endswith(":")}
    assert shown == ({"ld.so.cache"} if os.path.exists("/etc/ld.so.cache") else set()) | {root_in_tmp.name}
    assert (root_in_tmp / "written").exists()


def test_mounts_of_the_root_are_restricted(tmp_path: Path) -> None:
    """The kernel's own are not shown, device nodes do not work, and what is read-only stays so."""
    for name in ("proc", "data", "fixed"):
        (tmp_path / name).mkdir()
    mounted = (("proc", "proc", "rw"), ("tmpfs", "data", "rw"), ("tmpfs", "fixed", "ro"))
    body = f"""
    ls {tmp_path}/proc
    head -c1 {tmp_path}/data/zero 2>&- && echo device
    touch {tmp_path}/fixed/x 2>&- && echo wrote
    touch {tmp_path}/data/x && echo data
    """
    program = visible_program(tmp_path, body + "true")
    try:
        for kind, name, option in mounted:
            subprocess.run(["mount", "-t", kind, "-o", option, kind, str(tmp_path / name)], check=True)
        os.mknod(tmp_path / "data/zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        assert command.run([program, "--root", str(tmp_path)], why="try") == "data\n"
    finally:
        for _, name, _ in mounted:
            subprocess.run(["umount", str(tmp_path / name)], check=False)


@pytest.mark.parametrize(
    ("effective", "target", "missing", "possible"),
    [
        ("000001ffffffffff", "/", "", True),
        ("0000000000200000", "/", "", True),
        ("000001ffffdfffff", "/", "", False),
        ("000001ffffffffff", "/", "pid", False),
        ("000001ffffffffff", "/chroot", "", False),
        ("", "/", "", False),
    ],
    ids=["all", "CAP_SYS_ADMIN", "others", "no namespace", "chroot", "no line"],
)
def test_namespaces_need_a_capability_and_a_root_that_is_a_mount(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, effective: str, target: str, missing: str, possible: bool
) -> None:
    status = tmp_path / "status"
    status.write_text(f"Name:\tx\nCapPrm:\tffffffffffffffff\n{f'CapEff:{chr(9)}{effective}' if effective else ''}\n")
    monkeypatch.setattr(confinement, "open", lambda path, **named: status.open(**named), raising=False)
    monkeypatch.setattr(mounts, "current", lambda: mounts.parse(f"1 0 8:1 / {target} rw - ext4 /dev/a rw\n"))
    if missing:
        monkeypatch.setattr(os.path, "exists", lambda path: not path.endswith(f"/{missing}"))
    assert confinement.is_possible() is possible
    status.unlink()
    assert confinement.is_possible() is False


def test_numbers_are_skipped_where_the_kernel_does_not_let_us_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    forks: list[int] = []

    def fork() -> int:
        forks.append(1)
        return len(forks)

    monkeypatch.setattr(os, "fork", fork)
    monkeypatch.setattr(os, "waitpid", lambda child, flags: (child, 0))
    confinement._skip_numbers(None, 4711)
    assert len(forks) == confinement._THROWN_AWAY


def test_refused_namespaces_are_a_warning_and_not_a_machine_without_accounts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(root: str) -> Callable[[], None]:
        def enter() -> None:
            raise PermissionError

        return enter

    log.configure(stage="test", to_stdout=True)
    monkeypatch.setattr(confinement, "enter", refused)
    top = root_in(tmp_path / "root")
    command.run(["groupadd", "--root", str(top), "--", "team"], why="try")
    assert "team:" in (top / "etc/group").read_text()
    assert "groupadd runs without namespaces of its own: they were refused" in capsys.readouterr().out


def test_running_system_is_not_confined() -> None:
    assert command._confined(["useradd", "--root", "/", "core"]) == (["useradd", "--root", "/", "core"], None)
    assert command._confined(["mkfs.ext4", "--root", "/x"])[1] is None


def test_list_has_all_programs_that_change_their_root() -> None:
    accounts = {name for name in PROGRAMS if name.startswith(("user", "group", "chpasswd", "chgpasswd"))}
    assert accounts == RUN_CODE_OF_THE_ROOT


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A root whose nsswitch.conf names a module of its own, which attacks."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler")
    top = root_in(tmp_path / "root")
    (top / "etc/nsswitch.conf").write_text("passwd: files evil\ngroup: files\n")
    os.mknod(top / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (top / "usr/lib").mkdir(parents=True)
    (top / "lib").symlink_to("usr/lib")
    (tmp_path / "host").mkdir()
    (tmp_path / "host/secret").write_text("secret")
    return top


def attack(hostile: Path) -> tuple[set[str], bool]:
    """Create a user in the hostile root; (what the module achieved, whether the process that it was to kill lives)."""
    secret = hostile.parent / "host/secret"
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        subprocess.Popen(["sleep", "60"]) as victim,
        secret.open() as file,
    ):
        os.set_inheritable(file.fileno(), True)
        definitions = {"HOST_DIR": f'"{secret.parent}"', "HOST_INODE": secret.stat().st_ino}
        definitions |= {"HOST_PID": victim.pid, "HOST_PORT": server.getsockname()[1]}
        argv = ["cc", "-shared", "-fPIC", "-o", str(hostile / "usr/lib/libnss_evil.so.2"), str(Path(__file__).parent / "evil.c")]
        subprocess.run([*argv, *(f"-D{name}={value}" for name, value in definitions.items())], check=True)
        command.run(["useradd", "--root", str(hostile), "--create-home", "--password", "*", "--", "ann"], why="try")
        with (hostile / "evil").open() as report:
            fcntl.flock(report, fcntl.LOCK_EX)  # the module's daemon holds it until its end
        lives = victim.poll() is None
        victim.kill()
    return set((hostile / "evil").read_text().split()), lives


def test_hostile_module_achieves_nothing(hostile: Path) -> None:
    achieved, lives = attack(hostile)
    assert achieved == {"ran"}
    assert lives
    assert sorted(os.listdir(hostile.parent / "host")) == ["secret"]
    # And the accounts are right.
    assert (hostile / "etc/passwd").read_text().startswith(FILES["passwd"] + "ann:x:1000:1000::/home/ann:/bin/")
    assert (hostile / "home/ann/.bashrc").read_text() == "# for everybody\n"


def test_module_attacks_in_earnest(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The test above would pass with a module that does nothing: without namespaces of its own this one gets all of it.
    monkeypatch.setattr(confinement, "is_possible", lambda: False)
    achieved, lives = attack(hostile)
    wanted = {"ran", "mounted", "made-device", "opened-device", "killed", "killed-parent", "connected", "outlived"}
    assert achieved >= wanted | {
        "wrote-outside",
        "read-outside",
        "read-etc",
        "wrote-usr",
        "wrote-loader-cache",
        "wrote-top",
        "saw-processes",
        "may-gain-privileges",
    }
    assert not lives
