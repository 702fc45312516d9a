"""The files stage as a whole, into a directory: order, convergence, secrets, 2.x file systems, reports."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ignition.config.model import Config, Passwd, Resource, Storage, Systemd
from ignition.config.model.extensions import StorageExtension, SwapFile
from ignition.config.model.passwd import User
from ignition.config.model.storage import Directory, File, Filesystem, Link, Luks, Owner
from ignition.config.model.systemd import Dropin, Unit
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import log
from ignition.host.root import Root
from ignition.operation import Context, Operation, Runner
from ignition.stages import files
from ignition.stages import state as states
from ignition.stages.arguments import Arguments, Paths
from ignition.storage.luks_keys import Keys
from ignition.storage.luks_operations import Volume
from ignition.sysroot import attempt, crypttab, labels

HASH = "$6$salt$SECRETHASH"
CONTENT = "SECRETCONTENT"
ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/bash\n",
    "shadow": "root:*:19000:0:99999:7:::\n",
    "group": "root:x:0:\nsudo:x:27:\n",
    "gshadow": "root:*::\nsudo:*::\n",
    "login.defs": "UID_MIN 1000\nGID_MIN 1000\nUSERGROUPS_ENAB yes\n",
    "skel/.profile": "skeleton\n",
    "motd": "welcome\n",
}


def make_root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name, text in ETC.items():
        path = root / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "home").mkdir()
    for directory in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        directory.chmod(0o755)  # users must be able to reach their homes
    return root


def run(tmp_path: Path, config: Config, runs: type[Runner] = Runner, *, offline: bool = True) -> list[str]:
    """One run of the stage. Returns what it planned, as its operations describe themselves."""
    log.configure(stage="files", to_stdout=True)
    state_file = str(tmp_path / "state")
    with runs("files", str(tmp_path / "operations.jsonl")) as runner:
        arguments = Arguments(
            stage="files",
            platform="file",
            root=str(tmp_path / "root"),
            runner=runner,
            paths=Paths(config_cache=str(tmp_path / "cache"), neednet=str(tmp_path / "neednet"), state_file=state_file),
            fetch_timeout_s=10,
        )
        arguments.config = config
        arguments.context = Context(Root(arguments.root), Fetcher(Settings.from_config(config), offline=offline))
        planned = [operation.describe() for operation in files.operations(arguments)]
        files.run(arguments)
    return planned


def snapshot(root: Path) -> dict[str, tuple[int, int, int, str]]:
    """Mode, owner and content of everything, without what differs from run to run."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if name.endswith(("report.json", "attempt.json", ".pwd.lock", "-")):
            continue
        status = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_text() if path.is_file() else ""
        if name == "etc/.ignition-result.json":
            content = ""
        if name == "var/lib/ignition/applied.json":
            content = re.sub(r'"written":"[^"]*"', "", content)
        found[name] = (status.st_mode, status.st_uid, status.st_gid, content)
    return found


def data(text: str) -> Resource:
    return Resource(source=f"data:,{text}")


EVERYTHING = Config(
    passwd=Passwd(
        users=(
            User(name="ann", password_hash=HASH, groups=("sudo",), ssh_authorized_keys=("ssh-ed25519 KEY ann",)),
            User(name="bob"),
        )
    ),
    storage=Storage(
        files=(
            File(path="/home/ann/note", contents=data(CONTENT), user=Owner(name="ann"), group=Owner(name="ann"), mode=0o600),
            File(path="/etc/motd", append=(data("more"),)),
            File(path="/etc/hostname", contents=data("host")),
        ),
        links=(Link(path="/etc/hostname2", target="/etc/hostname", hard=True), Link(path="/etc/localtime", target="/usr/x")),
    ),
    systemd=Systemd(
        units=(Unit(name="a.service", enabled=True, contents="[Unit]\n", dropins=(Dropin(name="a.conf", contents=""),)),)
    ),
)


@pytest.mark.root
def test_everything_of_a_config_is_there_after_one_run(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    planned = run(tmp_path, EVERYTHING)
    assert not any("SELinux" in one for one in planned)
    account = next(line for line in (root / "etc/passwd").read_text().splitlines() if line.startswith("ann:")).split(":")
    note = (root / "home/ann/note").stat()
    assert (note.st_uid, note.st_gid) == (int(account[2]), int(account[3]))
    assert (root / "home/ann/.ssh/authorized_keys").read_text() == "ssh-ed25519 KEY ann\n"
    assert f"ann:{HASH}:" in (root / "etc/shadow").read_text()
    assert (root / "etc/motd").read_text() == "welcome\nmore"
    assert (root / "etc/hostname2").read_text() == "host"
    assert (root / "etc/systemd/system-preset/20-ignition.preset").read_text() == "enable a.service\n"
    assert json.loads((root / "etc/.ignition-result.json").read_text())["userConfigProvided"] is False
    report = json.loads((root / "var/lib/ignition/report.json").read_text())
    paths = [operation["path"] for operation in report["stages"][0]["operations"]]
    assert "/home/ann/note" in paths and "/etc/.ignition-result.json" in paths
    left = [path.name for path in root.rglob(".ignition-*")]
    assert left == [".ignition-result.json"]


def recorded(tmp_path: Path) -> list[str]:
    """What operations.jsonl says was run."""
    return [json.loads(line)["what"] for line in (tmp_path / "operations.jsonl").read_text().splitlines()]


@pytest.mark.root
def test_plan_is_what_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_loop: Callable[..., str]) -> None:
    """Swap files, key files of encrypted volumes, SELinux labels and both kinds of named file systems included."""
    monkeypatch.setattr("ignition.sysroot.swap_files.format_of", lambda _: "ext4")
    monkeypatch.setattr(labels, "policy", lambda *_: "targeted")
    monkeypatch.setattr(labels, "relabel", lambda *_: None)
    wanted, keys = Luks(name="vault", device=str(tmp_path / "volume")), Keys()
    keys.put("vault", b"SECRETKEY")
    (tmp_path / "volume").write_bytes(bytes(8192))
    volume = Volume(wanted, wanted.device or "", "$.storage.luks.0", keys)
    found = crypttab.Found(volume, crypttab.Line("vault", "0-1", "/etc/luks/vault", "luks"), b"SECRETKEY")
    monkeypatch.setattr(crypttab, "probe", lambda *_: [found])
    root, oem, device = make_root(tmp_path), tmp_path / "oem", make_loop(8)
    subprocess.run(["mkfs.ext4", "-q", device], check=True)
    oem.mkdir()
    storage = EVERYTHING.storage.evolve(
        filesystems=(Filesystem(device="", name="oem", in_place=str(oem)), Filesystem(device=device, name="data", format="ext4")),
        files=(
            *EVERYTHING.storage.files,
            File(path="/x", contents=data("1"), filesystem="oem"),
            File(path="/x", contents=data("2"), filesystem="data"),
        ),
        luks=(wanted,),
        extension=StorageExtension(swap_files=(SwapFile(path="/swap", size_mib=1),)),
    )
    planned = run(tmp_path, EVERYTHING.evolve(storage=storage))
    assert recorded(tmp_path) == planned
    for one in ("write key file /etc/luks/vault", "write vault into /etc/crypttab", "write file /x on file system oem"):
        assert one in planned
    at = planned.index("write file /x on file system data")
    assert planned[at - 2 : at + 2] == [
        f"mount file system data ({device}) while it is written to",
        "record what exists at /x of the config on file system data",
        "write file /x on file system data",
        f"unmount file system data ({device})",
    ]
    assert (root / "etc/luks/vault").read_bytes() == b"SECRETKEY" and (root / "swap").stat().st_size == 1 << 20
    assert (oem / "x").read_text() == "1"


@pytest.mark.root
def test_nothing_is_noted_for_labels_where_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "policy", lambda *_: "targeted")
    monkeypatch.setattr(labels, "relabel", lambda *_: None)
    make_root(tmp_path)
    planned = run(tmp_path, Config(storage=Storage(files=(File(path="/a", contents=data("x")),))))
    assert [one for one in planned if one.startswith("note ")] == []


@pytest.mark.root
def test_keys_that_follow_sshd_are_planned_after_the_files(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    sshd = File(path="/etc/ssh/sshd_config", contents=data("AuthorizedKeysFile%20.ssh/mine%0A"))
    planned = run(tmp_path, Config(passwd=EVERYTHING.passwd, storage=Storage(files=(sshd,))))
    at = planned.index("inspect where sshd reads SSH keys now that all files are written, then add the keys there")
    assert recorded(tmp_path) == [*planned[: at + 1], "add SSH keys for user ann", *planned[at + 1 :]]
    assert (root / "home/ann/.ssh/mine").read_text() == "ssh-ed25519 KEY ann\n"


def test_directory_that_would_be_emptied_too_late_is_refused(tmp_path: Path) -> None:
    """The order of directories is planned before a 2.x file system is mounted, whose symlinks may lead elsewhere."""
    make_root(tmp_path)
    oem = tmp_path / "oem"
    (oem / "a/b/c/d").mkdir(parents=True)
    (oem / "way").symlink_to("a/b/c/d")
    named = Filesystem(device="", name="oem", in_place=str(oem))
    inner, emptied = Directory(path="/way/x", filesystem="oem"), Directory(path="/a/b/c", filesystem="oem", overwrite=True)
    with pytest.raises(Failure) as caught:
        run(tmp_path, Config(storage=Storage(filesystems=(named,), directories=(inner, emptied))))
    assert caught.value.what == "/a/b/c would be emptied after /way/x of $.storage.directories.0 was put into it"
    assert (caught.value.where, caught.value.fix) == ("$.storage.directories.1", "name /a/b/c/d/x instead of /way/x")
    assert (oem / "a/b/c/d").is_dir() and not (oem / "a/b/c/d/x").exists()


@pytest.mark.root
def test_second_run_changes_nothing(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    run(tmp_path, EVERYTHING)
    before = snapshot(root)
    (tmp_path / "operations.jsonl").unlink()
    run(tmp_path, EVERYTHING)
    assert snapshot(root) == before
    records = [json.loads(line) for line in (tmp_path / "operations.jsonl").read_text().splitlines()]
    assert {record["result"] for record in records if record["operation"] != "inspect"} == {"already"}


class Cut(BaseException):
    """The power goes away."""


def cut_after(number: int) -> type[Runner]:
    """A runner that loses power after so many operations."""
    left = number

    class CutRunner(Runner):
        def _one(self, operation: Operation, context: Context) -> None:
            nonlocal left
            if left == 0:
                raise Cut
            left -= 1
            super()._one(operation, context)

    return CutRunner


@pytest.mark.root
@pytest.mark.parametrize("operations", range(17))
def test_stage_that_was_cut_short_converges(tmp_path: Path, operations: int) -> None:
    (tmp_path / "whole").mkdir()
    whole = make_root(tmp_path / "whole")
    run(tmp_path / "whole", EVERYTHING)
    root = make_root(tmp_path)
    with pytest.raises(Cut):
        run(tmp_path, EVERYTHING, cut_after(operations))
    (root / "etc/passwd.lock").write_text("1")  # of a useradd that was interrupted: process 1 is always there
    (root / "etc/.ignition-99-9").write_text("half a file")
    run(tmp_path, EVERYTHING)
    assert snapshot(root) == snapshot(whole)
    assert not attempt.load(Root(str(root))).unfinished


@pytest.mark.root
def test_no_secret_is_in_log_record_or_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_root(tmp_path)
    run(tmp_path, EVERYTHING)
    texts = [capsys.readouterr().out, (tmp_path / "operations.jsonl").read_text()]
    texts += [path.read_text() for path in (root / "var/lib/ignition").iterdir()]
    for text in texts:
        assert "SECRET" not in text


def test_plan_that_is_wrong_changes_nothing(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    (root / "l").symlink_to("etc")
    before = snapshot(root)
    config = Config(
        passwd=Passwd(users=(User(name="ann"),)),
        storage=Storage(files=(File(path="/etc/x", contents=data("1")), File(path="/l/x", contents=data("2")))),
    )
    with pytest.raises(Failure) as caught:
        run(tmp_path, config)
    assert caught.value.where == "$.storage.files.1"
    assert caught.value.what == "/l/x is the same place as /etc/x of $.storage.files.0: both are /etc/x"
    assert snapshot(root) == before


def test_minimal_config_writes_result_and_report_only(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    before = set(snapshot(root))
    states_with_user = states.State()
    states_with_user.fetched_configs.append({"kind": "user", "source": "file", "referenced": False})
    states.save(states_with_user, str(tmp_path / "state"))
    run(tmp_path, Config())
    assert set(snapshot(root)) - before == {
        "etc/.ignition-result.json",
        "var",
        "var/lib",
        "var/lib/ignition",
        "var/lib/ignition/applied.json",
    }
    assert json.loads((root / "etc/.ignition-result.json").read_text())["userConfigProvided"] is True
    assert not (root / "var/lib/ignition/attempt.json").exists()


def test_damaged_record_of_an_attempt_is_removed(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    (root / "var/lib/ignition").mkdir(parents=True)
    (root / "var/lib/ignition/attempt.json").write_text('{"made": ["/etc/')
    run(tmp_path, Config())
    assert not (root / "var/lib/ignition/attempt.json").exists()


def test_nodes_of_a_2x_file_system_in_place_stay_in_it(tmp_path: Path) -> None:
    make_root(tmp_path)
    oem = tmp_path / "oem"
    oem.mkdir()
    (oem / "grub.cfg").write_text("old\n")
    (oem / "out").symlink_to("/etc")
    named = Filesystem(device="/dev/oem", name="oem", in_place=str(oem))
    good = Storage(filesystems=(named,), files=(File(path="/grub.cfg", append=(data("new"),), filesystem="oem"),))
    run(tmp_path, Config(storage=good))
    run(tmp_path, Config(storage=good))
    assert (oem / "grub.cfg").read_text() == "old\nnew"
    bad = Storage(filesystems=(named,), files=(File(path="/out/x", contents=data("x"), filesystem="oem"),))
    with pytest.raises(Failure, match="a symlink on the way leads out of the file system") as caught:
        run(tmp_path, Config(storage=bad))
    assert caught.value.where == "$.storage.files.0./out"


def test_unknown_2x_file_system_is_a_failure(tmp_path: Path) -> None:
    make_root(tmp_path)
    with pytest.raises(Failure, match="no file system is named 'data'"):
        run(tmp_path, Config(storage=Storage(files=(File(path="/x", filesystem="data"),))))


@pytest.mark.root
def test_nodes_of_a_2x_device_are_written_while_it_is_mounted(tmp_path: Path) -> None:
    make_root(tmp_path)
    image = tmp_path / "image"
    with open(image, "wb") as file:
        file.truncate(8 << 20)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    device = subprocess.run(
        ["losetup", "--find", "--show", str(image)], capture_output=True, text=True, check=True
    ).stdout.strip()
    try:
        named = Filesystem(device=device, name="data", format="ext4")
        config = Config(storage=Storage(filesystems=(named,), files=(File(path="/d/x", contents=data("x"), filesystem="data"),)))
        run(tmp_path, config)
        assert device not in Path("/proc/self/mounts").read_text()
        shown = subprocess.run(["debugfs", "-R", "cat /d/x", device], capture_output=True, text=True, check=True)
        assert shown.stdout == "x"
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


@contextmanager
def serving(together: int) -> Iterator[str]:
    """A file server that answers only when so many requests wait at once."""
    barrier = threading.Barrier(together, timeout=60)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            barrier.wait()
            body = f"remote {self.path}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_remote_files_are_fetched_side_by_side(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    with serving(together=16) as url:
        wanted = tuple(
            File(path=f"/opt/{number % 3}/{number}", contents=Resource(source=f"{url}/{number}")) for number in range(32)
        )
        run(tmp_path, Config(storage=Storage(files=wanted)), offline=False)
    assert all((root / f"opt/{number % 3}/{number}").read_text() == f"remote /{number}" for number in range(32))


LAUNCH = (
    "import sys; sys.path[:0] = [sys.argv.pop(1)]; sys.path.append('/usr/lib/python3/dist-packages'); "
    "from ignition.cli.ignition import main; sys.exit(main())"
)


def start(tmp_path: Path, stage: str) -> "subprocess.Popen[bytes]":
    """A stage in a process namespace of its own: killing its first process takes every program that it started along."""
    files = {"config-cache": "cache.json", "state-file": "state", "neednet": "neednet"}
    flags = ["-stage", stage, "-platform", "file", "-root", str(tmp_path / "root"), "-log-to-stdout"]
    for flag, name in files.items():
        flags += [f"-{flag}", str(tmp_path / name)]
    argv = ["unshare", "--pid", "--fork", sys.executable, "-I", "-S", "-c", LAUNCH, str(Path(__file__).parents[2]), *flags]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "IGNITION_CONFIG_FILE": str(tmp_path / "config.ign")}
    with (tmp_path / f"{stage}.log").open("wb") as log:
        return subprocess.Popen(argv, env=environment, stdout=log, stderr=log)


def kill_all(process: "subprocess.Popen[bytes]") -> None:
    """The power goes."""
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        with suppress(ProcessLookupError):  # the stage has just ended
            os.kill(int(child), signal.SIGKILL)
    process.wait()


@pytest.mark.root
@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_stage_that_was_killed_with_its_programs_converges(tmp_path: Path, part: float) -> None:
    users = [{"name": f"u{number}", "passwordHash": HASH, "sshAuthorizedKeys": ["ssh-ed25519 KEY"]} for number in range(4)]
    wanted: list[dict[str, object]] = [
        {"path": f"/home/u{number % 4}/{number}", "contents": {"source": f"data:,{number}"}} for number in range(200)
    ]
    wanted.append({"path": "/etc/motd", "append": [{"source": "data:,more"}]})
    config = {"ignition": {"version": "3.5.0"}, "passwd": {"users": users}, "storage": {"files": wanted}}
    roots, seconds = [], 1.0
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.ign").write_text(json.dumps(config))
        roots.append(make_root(tmp_path / name))
        assert start(tmp_path / name, "fetch").wait() == 0
        begin = time.monotonic()
        process = start(tmp_path / name, "files")
        if name == "whole":
            assert process.wait() == 0
            seconds = time.monotonic() - begin
            continue
        time.sleep(seconds * part)
        kill_all(process)
    assert start(tmp_path / "cut", "files").wait() == 0, (tmp_path / "cut/files.log").read_text()
    assert snapshot(roots[1]) == snapshot(roots[0])


@pytest.mark.root
def test_labels_fail_the_stage_only_for_what_the_config_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is lost if the result has no label; a service that may not read its configuration is another matter."""

    def broken(*_: object) -> None:
        raise Failure("setfiles: no such policy")

    make_root(tmp_path)
    monkeypatch.setattr(labels, "policy", lambda *_: "targeted")
    monkeypatch.setattr(labels, "relabel", broken)
    run(tmp_path, Config())
    warned = "[warning]  set the SELinux labels of the written paths, by policy targeted: setfiles: no such policy"
    assert warned in capsys.readouterr().out
    with pytest.raises(Failure, match="setfiles: no such policy"):
        run(tmp_path, Config(storage=Storage(files=(File(path="/etc/x", contents=Resource(source="data:,x")),))))


@pytest.mark.parametrize(
    ("user", "homeless"),
    [
        pytest.param(User(name="ann"), {"ann"}, id="new"),
        pytest.param(User(name="ann", no_create_home=True), set(), id="without a home"),
        pytest.param(User(name="ann", should_exist=False), set(), id="to be removed"),
        pytest.param(User(name="root"), set(), id="existing"),
        pytest.param(User(name="bob"), set(), id="new, with a home"),
    ],
)
def test_new_users_without_a_home_are_recorded(tmp_path: Path, user: User, homeless: set[str]) -> None:
    root = make_root(tmp_path)
    (root / "home/bob").mkdir()
    facts = files.probe(Config(passwd=Passwd(users=(user,))), Root(str(root)), str(tmp_path / "state"), "qemu")
    assert facts.accounts.attempt.homeless == homeless


@pytest.mark.parametrize(("skeleton", "nested"), [({}, False), ({"a": "x"}, False), ({"a/b": "x"}, True), (None, False)])
def test_skeleton_with_directories_is_seen(tmp_path: Path, skeleton: dict[str, str] | None, nested: bool) -> None:
    root = make_root(tmp_path)
    (root / "etc/skel/.profile").unlink()
    if skeleton is None:
        (root / "etc/skel").rmdir()
    for path, text in (skeleton or {}).items():
        (root / "etc/skel" / path).parent.mkdir(exist_ok=True)
        (root / "etc/skel" / path).write_text(text)
    facts = files.probe(Config(), Root(str(root)), str(tmp_path / "state"), "qemu")
    assert facts.accounts.nested is nested


@pytest.mark.parametrize("passwd", [Passwd(), Passwd(users=(User(name="ann"),))], ids=["no accounts", "a user"])
def test_file_that_would_block_shadow_utils_matters_where_they_run(tmp_path: Path, passwd: Passwd) -> None:
    root = make_root(tmp_path)
    os.mkfifo(root / "etc/subuid")
    config = Config(passwd=passwd)
    if passwd == Passwd():
        files.probe(config, Root(str(root)), str(tmp_path / "state"), "qemu")
        return
    with pytest.raises(Failure) as caught:
        files.probe(config, Root(str(root)), str(tmp_path / "state"), "qemu")
    assert caught.value.where == "/etc/subuid"
