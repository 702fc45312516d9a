"""The stand-in for shadow-utils beside the programs: the same files, owners and modes, and the same exit statuses."""

import os
import stat
from pathlib import Path

import pytest

from ignition.errors import CommandFailed
from ignition.host import command
from ignition.host.root import Root
from ignition.simulation.ownership import Owners, SimulatedRoot
from ignition.simulation.shadow_utils import ShadowUtils
from ignition.sysroot.new_accounts import ORDER

TREE = {
    "passwd": "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000:Ann:/home/ann:/bin/sh\nbob:x:1001:100::/home/bob:/bin/sh\n",
    "shadow": "root:*:19000:0:99999:7:::\nann:$6$a$b:19000:0:99999:7:::\nbob:*:19000:0:99999:7:::\n",
    "group": "root:x:0:\nsudo:x:27:ann,bob\nusers:x:100:\nann:x:1000:\nweb:x:900:bob\n",
    "gshadow": "root:*::\nsudo:*::ann,bob\nusers:*::\nann:!::\nweb:!::bob\n",
    "subuid": "ann:100000:65536\nbob:165536:65536\n",
    "subgid": "ann:100000:65536\nbob:165536:65536\n",
    "login.defs": "UMASK 022\nHOME_MODE 0750\nUSERGROUPS_ENAB yes\nPASS_MAX_DAYS 99999\nPASS_MIN_DAYS 0\nPASS_WARN_AGE 7\n",
    "default/useradd": "SHELL=/bin/sh\nGROUP=100\nHOME=/home\nINACTIVE=-1\nEXPIRE=\nSKEL=/etc/skel\nCREATE_MAIL_SPOOL=no\n",
    "skel/.profile": "export A=1\n",
}
HASH = "$6$abc$" + "x" * 86
NEW = ["--create-home", "--password", "*"]
CALLS = [
    ["useradd", *NEW, "--", "carl"],
    ["useradd", *NEW, "--uid", "1500", "--comment", "Carl", "--shell", "/bin/bash", "--groups", "sudo,web", "--", "carl"],
    ["useradd", *NEW, "--gid", "users", "--home-dir", "/srv/carl", "--", "carl"],
    ["useradd", *NEW, "--gid", "900", "--no-log-init", "--", "carl"],
    ["useradd", "--no-create-home", "--no-user-group", "--system", "--password", "*", "--", "carl"],
    ["useradd", *NEW, "--", "john.doe"],
    ["useradd", *NEW, "--", "ann"],
    ["useradd", *NEW, "--uid", "1000", "--", "carl"],
    ["useradd", *NEW, "--groups", "none", "--", "carl"],
    ["useradd", *NEW, "--gid", "none", "--", "carl"],
    ["useradd", *NEW, "--", "web"],
    ["usermod", "--comment", "Anna", "--shell", "/bin/bash", "--", "ann"],
    ["usermod", "--home", "/srv/ann", "--move-home", "--", "ann"],
    ["usermod", "--uid", "1700", "--", "ann"],
    ["usermod", "--gid", "web", "--", "ann"],
    ["usermod", "--gid", "100", "--uid", "1700", "--home", "/home/anna", "--move-home", "--", "ann"],
    ["usermod", "--groups", "web,users", "--", "ann"],
    ["usermod", "--groups", "none", "--", "ann"],
    ["usermod", "--uid", "1001", "--", "ann"],
    ["usermod", "--gid", "none", "--", "ann"],
    ["usermod", "--comment", "x", "--", "nobody"],
    ["userdel", "--remove", "--", "ann"],
    ["userdel", "--", "bob"],
    ["userdel", "--", "none"],
    ["groupadd", "--", "new"],
    ["groupadd", "--gid", "950", "--", "new"],
    ["groupadd", "--system", "--", "new"],
    ["groupadd", "--", "web"],
    ["groupadd", "--gid", "900", "--", "new"],
    ["groupmod", "--gid", "901", "--", "web"],
    ["groupmod", "--gid", "1002", "--", "ann"],
    ["groupmod", "--gid", "27", "--", "web"],
    ["groupmod", "--gid", "5", "--", "none"],
    ["groupdel", "--", "web"],
    ["groupdel", "--", "ann"],
    ["groupdel", "--", "none"],
    ["chpasswd", "--encrypted"],
    ["chgpasswd", "--encrypted"],
]
INPUT = {"chpasswd": f"ann:{HASH}\nbob:*\n", "chgpasswd": f"web:{HASH}\n"}


def grow(top: Path, owners: Owners | None) -> None:
    for name, text in TREE.items():
        path = top / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o640 if "shadow" in name else 0o644)
    for home, uid, gid in (
        ("home/ann", 1000, 1000),
        ("home/ann/x", 1000, 1000),
        ("home/ann/y", 1000, 5),
        ("home/bob", 1001, 100),
    ):
        (top / home).mkdir(parents=True)
        if owners:
            owners.changed((top / home).lstat(), 0o755, uid, gid)
        else:
            os.chown(top / home, uid, gid)
    (top / "srv").mkdir()


def seen(root: Root) -> dict[str, object]:
    """The account files' texts, and mode and owner of all homes."""
    top = Path(root.path)
    found: dict[str, object] = {name: (top / "etc" / name).read_text() for name in ORDER}
    for directory in ("home", "srv"):
        for path in sorted((top / directory).rglob("*")):
            inside = f"/{path.relative_to(top)}"
            status = root.status(inside)
            assert status is not None
            found[inside] = (oct(stat.S_IMODE(status.st_mode)), status.st_uid, status.st_gid)
    return found


@pytest.mark.root
@pytest.mark.parametrize("argv", CALLS, ids=" ".join)
def test_same_as_the_program(tmp_path: Path, argv: list[str]) -> None:
    owners = Owners()
    real, simulated = Root(str(tmp_path / "real")), SimulatedRoot(str(tmp_path / "simulated"), owners)
    grow(tmp_path / "real", None)
    grow(tmp_path / "simulated", owners)
    outcomes: list[object] = []
    for root, run in ((real, command.run), (simulated, ShadowUtils(simulated).run)):
        whole = [argv[0], "--root", root.path, *argv[1:]]
        try:
            run(whole, why="try it", stdin=INPUT.get(argv[0], ""))
            outcomes.append(seen(root))
        except CommandFailed as failure:
            outcomes.append((failure.status, seen(root)))
    assert outcomes[1] == outcomes[0]


def test_names_that_no_version_accepts_are_refused(tmp_path: Path) -> None:
    root = SimulatedRoot(str(tmp_path), Owners())
    grow(tmp_path, root.owners)
    for argv in (["useradd", *NEW, "--", "a b"], ["useradd", *NEW, "--", "4711"], ["groupadd", "--", "a:b"]):
        with pytest.raises(CommandFailed) as caught:
            ShadowUtils(root).run(argv, why="create it")
        assert caught.value.status == 3


def test_files_that_it_does_not_understand_are_refused(tmp_path: Path) -> None:
    root = SimulatedRoot(str(tmp_path), Owners())
    grow(tmp_path, root.owners)
    with (tmp_path / "etc/passwd").open("a") as passwd:
        passwd.write("+::::::\n")
    with pytest.raises(CommandFailed, match="/etc/passwd has lines that the simulation does not understand"):
        ShadowUtils(root).run(["useradd", *NEW, "--", "carl"], why="create it")
    (tmp_path / "etc/passwd").write_text(TREE["passwd"])
    (tmp_path / "etc/login.defs").write_text("UID_MIN many\n")
    with pytest.raises(CommandFailed, match="a number in login.defs"):
        ShadowUtils(root).run(["useradd", *NEW, "--", "carl"], why="create it")
