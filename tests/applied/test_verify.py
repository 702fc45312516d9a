"""`ignition verify`: the record that the files stage leaves, what is drift and what is not, and the comparison with a config."""

import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.cli.ignition import main
from tests.applied.machines import CONFIG, KEY, OTHER_KEY, SECRET, provisioned, verify
from tests.schemas import valid

TOP = Path(__file__).parents[2]
RECORD = "var/lib/ignition/applied.json"

Tamper = Callable[[Path], object]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return provisioned(tmp_path)


def passwd(root: Path, old: str, new: str, file: str = "passwd") -> None:
    path = root / "etc" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def replace(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


# What is done to the machine, and what verify says of it.
TAMPERING: dict[str, tuple[Tamper, str]] = {
    "content": (lambda root: (root / "etc/app.conf").write_text("password=other"), "~ file  /etc/app.conf  content differs"),
    "content with a hash of the config": (
        lambda root: (root / "etc/hashed").write_text("other\n"),
        "~ file  /etc/hashed  content differs",
    ),
    "content that was appended to": (
        lambda root: (root / "etc/motd").write_text("welcome\n"),
        "~ file  /etc/motd  content differs",
    ),
    "mode": (lambda root: (root / "etc/app.conf").chmod(0o644), "~ file  /etc/app.conf  mode 0600 → 0644"),
    "owner": (
        lambda root: os.chown(root / "etc/app.conf", 0, -1),
        "~ file  /etc/app.conf  uid 1500 → 0, user core → root",
    ),
    "missing file": (lambda root: (root / "etc/hashed").unlink(), "- file  /etc/hashed"),
    "file that is a link": (lambda root: replace(root / "etc/hashed", "motd"), "~ file  /etc/hashed  is a symlink now"),
    "mode of a directory": (lambda root: (root / "srv/data").chmod(0o777), "~ directory  /srv/data  mode 0750 → 0777"),
    "target of a link": (lambda root: replace(root / "etc/alias", "motd"), "~ link  /etc/alias  target app.conf → motd"),
    "hard link": (
        lambda root: (shutil.copy(root / "etc/hard", root / "etc/h"), (root / "etc/h").rename(root / "etc/hard")),
        "~ hard link  /etc/hard  target /etc/app.conf → another file",
    ),
    "unit file": (
        lambda root: (root / "etc/systemd/system/app.service").write_text("[Service]\nExecStart=/bin/sh\n"),
        "~ file  /etc/systemd/system/app.service  content differs",
    ),
    "drop-in": (
        lambda root: (root / "etc/systemd/system/app.service.d/a.conf").unlink(),
        "- file  /etc/systemd/system/app.service.d/a.conf",
    ),
    "unmasked": (
        lambda root: (root / "etc/systemd/system/masked.service").unlink(),
        "~ unit  masked.service  state masked → not-found",
    ),
    "enabled": (
        lambda root: (root / "etc/systemd/system/multi-user.target.wants/old.service").symlink_to(
            "/usr/lib/systemd/system/old.service"
        ),
        "~ unit  old.service  state disabled → enabled",
    ),
    "shell": (
        lambda root: passwd(root, ":/home/core:/bin/sh", ":/home/core:/bin/false"),
        "~ user  core  shell /bin/sh → /bin/false",
    ),
    "added group": (lambda root: passwd(root, "root:x:0:", "root:x:0:core", "group"), "~ user  core  groups with root"),
    "lost group": (lambda root: passwd(root, "sudo:x:27:core", "sudo:x:27:", "group"), "~ user  core  groups without sudo"),
    "removed user": (
        lambda root: passwd(root, "root:x:0:0", "games:x:5:60:::\nroot:x:0:0"),
        "+ user  games  must not exist",
    ),
    "group number": (lambda root: passwd(root, "web:x:900:", "web:x:901:", "group"), "~ group  web  gid 900 → 901"),
    "added key": (
        lambda root: (root / "home/core/.ssh/authorized_keys").write_text(f"{KEY}\n{OTHER_KEY}\n"),
        "~ SSH keys  /home/core/.ssh/authorized_keys  key added: ssh-ed25519 … mallory",
    ),
    "removed key": (
        lambda root: (root / "home/core/.ssh/authorized_keys").write_text("# none\n"),
        "~ SSH keys  /home/core/.ssh/authorized_keys  1 key removed",
    ),
}


def words(lines: list[str]) -> list[str]:
    """Without the columns and the places in the config."""
    return [re.sub(r"   +", "  ", re.sub(r"  \(\S+\)$", "", line)).rstrip() for line in lines]


def test_machine_is_the_same_after_the_stage(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines = verify(capsys, root)
    assert (status, len(lines)) == (0, 1)
    assert re.fullmatch(r"same: all 17 as applied at \S+ \(1 ignored, 2 not compared\)", lines[0])


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_is_named(name: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tamper, expected = TAMPERING[name]
    tamper(root)
    status, lines = verify(capsys, root)
    assert status == 2
    assert expected in words(lines)
    assert lines[-1].startswith("drift: ")


def test_all_tampering_is_named_at_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: tuple[str, ...] = (
        "mode",
        "missing file",
        "mode of a directory",
        "target of a link",
        "unit file",
        "unmasked",
        "enabled",
        "shell",
    )
    names = (*names, "added key", "removed user")
    for name in names:
        TAMPERING[name][0](root)
    status, lines = verify(capsys, root)
    assert status == 2
    assert {TAMPERING[name][1] for name in names} <= set(words(lines))


def test_record_is_private_and_holds_no_secret(root: Path) -> None:
    record = root / RECORD
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    text = record.read_text()
    assert SECRET not in text
    assert KEY.split()[1] not in text
    assert "$6$" not in text


def test_record_and_result_are_as_their_schemas_say(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    valid("applied", (root / RECORD).read_text())
    (root / "etc/hashed").unlink()
    (root / "etc/app.conf").chmod(0o644)
    status, lines = verify(capsys, root, "-json")
    result = valid("verify", "\n".join(lines))
    assert status == 2
    assert (result["result"], result["compared"], result["ignored"], result["notCompared"]) == ("drift", 17, 1, 2)
    app, hashed = result["changes"]
    assert (app["change"], app["name"], app["applied"], app["found"]) == (
        "change",
        "/etc/app.conf",
        {"mode": "0600"},
        {"mode": "0644"},
    )
    assert (hashed["change"], hashed["name"]) == ("remove", "/etc/hashed")


def test_unit_that_the_operator_disabled_is_not_drift(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "etc/systemd/system/multi-user.target.wants/app.service").unlink()
    status, lines = verify(capsys, root)
    assert (status, words(lines)[0]) == (0, "= unit  app.service  state enabled → disabled")
    status, lines = verify(capsys, root, "-strict")
    assert (status, words(lines)[-2]) == (2, "~ unit  app.service  state enabled → disabled")


def test_emptied_directories_of_a_boot_are_ignored_unless_strict(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(root / "run")
    assert verify(capsys, root)[0] == 0
    status, lines = verify(capsys, root, "-strict")
    assert (status, words(lines)[0]) == (2, "- file  /run/gone")


@pytest.mark.parametrize("pattern", ["/etc/app.conf", "/etc", "/etc/*.conf", "file:/etc/*"])
def test_ignored_path_is_not_compared(pattern: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "etc/app.conf").chmod(0o644)
    assert verify(capsys, root)[0] == 2
    assert verify(capsys, root, "--ignore", pattern)[0] == 0
    machine = root / "etc/ignition/verify.ignore"
    machine.parent.mkdir()
    machine.write_text(f"# ours\n\n{pattern}\n")
    assert verify(capsys, root)[0] == 0
    assert verify(capsys, root, "-strict")[0] == 2


def test_entry_without_a_path_is_ignored_by_its_kind(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    TAMPERING["shell"][0](root)
    assert verify(capsys, root, "-ignore=user:root")[0] == 2
    assert verify(capsys, root, "-ignore=user:core")[0] == 0


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the record is damaged"),
        ("{}", "the record is damaged"),
        ('{"version": 1, "written": "", "config": {"sha512": ""}, "entries": [{"kind": 1, "name": "x"}]}', "is damaged"),
        ('{"version": 2}', "version 2 of the record is unknown"),
        (None, "there is no record of a first boot"),
    ],
)
def test_unusable_record_is_an_error(text: str | None, what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if text is not None:
        (tmp_path / RECORD).parent.mkdir(parents=True)
        (tmp_path / RECORD).write_text(text)
    assert main(["verify", f"-root={tmp_path}"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("ignition verify: /var/lib/ignition/applied.json")
    assert what in printed.err


def test_usage_error_is_not_drift(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "-unknown"]) == 1
    assert main(["verify", "word"]) == 1
    assert "unexpected argument 'word'" in capsys.readouterr().err


def test_kinds_of_a_newer_version_are_not_compared(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads((root / RECORD).read_text())
    record["entries"].append({"kind": "teapot", "name": "short", "stout": True})
    (root / RECORD).write_text(json.dumps(record))
    status, lines = verify(capsys, root)
    assert (status, "3 not compared" in lines[-1]) == (0, True)


def config_file(tmp_path: Path, config: object = CONFIG) -> str:
    path = tmp_path / "config.ign"
    path.write_text(json.dumps(config, indent=1))
    return f"-config={path}"


def test_machine_is_what_its_config_says(tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines = verify(capsys, root, config_file(tmp_path))
    assert (status, len(lines)) == (0, 1)
    assert lines[0] == f"same: all 18 as {tmp_path}/config.ign says (1 ignored, 2 not compared)"


@pytest.mark.parametrize("name", [name for name in TAMPERING if name != "added key"])
def test_difference_from_a_config_is_named_with_its_place(
    name: str, tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper, expected = TAMPERING[name]
    tamper(root)
    status, lines = verify(capsys, root, config_file(tmp_path))
    assert status == 2
    what = " ".join(expected.split()[1:3]) if not expected.startswith("~ hard link") else "hard link"
    mine = [line for line in lines if what in " ".join(line.split())]
    assert mine, lines
    if not what.startswith("unit"):
        assert re.search(rf"\({re.escape(str(tmp_path))}/config.ign:\d+:\d+\)$", mine[0]), mine


def test_password_of_a_config_is_compared_and_not_shown(tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    passwd(root, f"$6$salt${SECRET}", "$6$salt$other", "shadow")
    assert verify(capsys, root)[0] == 0  # the record does not have it
    status, lines = verify(capsys, root, config_file(tmp_path))
    assert status == 2
    assert words(lines)[0] == "~ set-passwords  accounts  the config would set the passwords of users core"
    assert SECRET not in "\n".join(lines)


def test_machine_without_the_config_differs_in_all_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.stages.test_files import make_root

    made = make_root(tmp_path)
    before = sorted(path for path in made.rglob("*"))
    status, lines = verify(capsys, made, config_file(tmp_path))
    found = words(lines)
    assert status == 2
    assert "~ write-file  /etc/app.conf  the config would write file /etc/app.conf" in found  # its owner does not exist
    assert any(line.startswith("- user  core") for line in found)
    assert any(line.startswith("- directory  /srv/data") for line in found)
    assert "~ set-passwords  accounts  the config would set the passwords of users core" in found
    assert sorted(path for path in made.rglob("*")) == before


def test_invalid_config_is_an_error(tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.ign"
    path.write_text('{"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": "relative"}]}}')
    assert main(["verify", f"-root={root}", f"-config={path}"]) == 1
    assert f"ignition verify: {path}: the config is invalid" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_nothing_is_opened_for_writing(tmp_path: Path, root: Path) -> None:
    trace = tmp_path / "trace"
    code = "import sys; from ignition.cli.ignition import main; sys.exit(main())"
    argv = ["strace", "-f", "-o", str(trace), "-e", "trace=%file,ftruncate,fchmod,fchown"]
    argv += ["python3", "-B", "-c", code, "verify", f"-root={root}", config_file(tmp_path)]
    done = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    calls = trace.read_text()
    assert str(root) in calls
    changing = re.compile(
        r"^\d+ +(unlink|rename|mkdir|rmdir|symlink|link|f?chmod|f?chown|f?truncate|utime)|O_WRONLY|O_RDWR|O_CREAT"
    )
    written = [line for line in calls.splitlines() if changing.search(line) and not re.search("/dev/(null|tty)", line)]
    assert written == [], "\n".join(written)
