"""The files stage on roots of five distributions: accounts, owners, keys, units, presets, labels, links that lead nowhere."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ignition.config.parse import parse
from ignition.errors import Failure
from ignition.sysroot import labels
from tests.stages import distributions
from tests.stages.test_files import Cut, cut_after, run, snapshot

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP8w1Fj2H0L1tE7mYVv2jNnnu7q3o8k0v1c5d2s4y6zA a@b"
UNIT = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
WANTS = "etc/systemd/system/multi-user.target.wants"


class Expected(NamedTuple):
    """What is right on one of them."""

    name: str
    admins: str  # the group that may become root
    etcd: tuple[int, int]
    dialout: str  # the line that ann's membership makes in /etc/group
    home: str
    home_mode: int
    keys: str
    core: int  # uid
    sshd: str  # its unit
    mark: str  # what has SELinux relabel
    gid: str = "1000"  # of ann's first group


ROWS = [
    Expected(
        name="fedora-coreos",
        admins="sudo",
        etcd=(993, 990),
        dialout="dialout:x:18:modem,ann",
        home="var/home/ann",
        home_mode=0o700,
        keys=".ssh/authorized_keys.d/ignition",
        core=1001,
        sshd="sshd.service",
        mark=".autorelabel",
    ),
    Expected(
        name="flatcar",
        admins="sudo",
        etcd=(232, 232),
        dialout="dialout:x:20:root,ann",
        home="home/ann",
        home_mode=0o700,
        keys=".ssh/authorized_keys",
        core=500,
        sshd="sshd.service",
        mark="",
    ),
    Expected(
        name="ubuntu-core",
        admins="sudo",
        etcd=(700, 701),
        dialout="dialout:x:720:ann",
        home="home/ann",
        home_mode=0o750,
        keys=".ssh/authorized_keys",
        core=1001,
        sshd="ssh.service",
        mark="",
    ),
    Expected(
        name="opensuse-microos",
        admins="wheel",
        etcd=(466, 465),
        dialout="dialout:x:491:ann",
        home="home/ann",
        home_mode=0o755,
        keys=".ssh/authorized_keys",
        core=1001,
        sshd="sshd.service",
        mark="etc/selinux/.autorelabel",
        gid="100",  # users, which only /usr/etc/group has
    ),
    Expected(
        name="debian",
        admins="sudo",
        etcd=(103, 110),
        dialout="dialout:x:20:ann",
        home="home/ann",
        home_mode=0o755,
        keys=".ssh/authorized_keys",
        core=1001,
        sshd="ssh.service",
        mark="",
    ),
]


def document(admins: str) -> dict[str, Any]:
    """One config for all of them."""
    return {
        "ignition": {"version": "3.4.0"},
        "passwd": {
            "groups": [{"name": "ops", "gid": 1500}],
            "users": [
                {"name": "ann", "groups": [f"{admins},dialout", "", "ops", "nowhere"], "sshAuthorizedKeys": [KEY]},
                {"name": "core", "sshAuthorizedKeys": [KEY]},
                {"name": "root", "sshAuthorizedKeys": [KEY]},
            ],
        },
        "storage": {
            "directories": [{"path": "/var/lib/etcd", "mode": 448, "user": {"name": "etcd"}, "group": {"name": "etcd"}}],
            "files": [
                {"path": "/etc/hostname", "overwrite": True, "mode": 420, "contents": {"source": "data:,node1"}},
                {
                    "path": "/home/ann/note",
                    "user": {"name": "ann"},
                    "group": {"name": "dialout"},
                    "contents": {"source": "data:,x"},
                },
                {"path": "/opt/bin/tool", "mode": 493, "contents": {"source": "data:,tool"}},
            ],
            "links": [{"path": "/etc/localtime", "target": "../usr/share/zoneinfo/Europe/Berlin", "overwrite": True}],
        },
        "systemd": {
            "units": [
                {"name": "a.service", "enabled": True, "contents": UNIT},
                {"name": "off.service", "enabled": False, "contents": UNIT},
                {"name": "old.service", "enabled": False},
                {"name": "backup@one.service", "enabled": True},
                {"name": "nowhere.service", "enabled": True},
                {"name": "quiet.service", "mask": True},
                {"name": "sshd.service", "dropins": [{"name": "a.conf", "contents": "[Service]\nNice=1\n"}]},
                {"name": "nobody.service", "dropins": [{"name": "a.conf", "contents": "[Service]\nNice=1\n"}]},
                {"name": "data.mount", "enabled": True},
            ]
        },
    }


def provision(tmp_path: Path, wanted: dict[str, Any]) -> None:
    """The files stage with this config."""
    config = parse(json.dumps(wanted).encode()).config
    assert config is not None
    run(tmp_path, config)


def records(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "operations.jsonl").read_text().splitlines()]


def lines_of(root: Path, file: str) -> dict[str, list[str]]:
    return {line.split(":")[0]: line.split(":") for line in (root / "etc" / file).read_text().splitlines()}


@pytest.fixture(autouse=True)
def initramfs_without_setfiles(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever this machine has. And a umask that must not matter."""
    monkeypatch.setattr(labels.Initramfs, "has_setfiles", lambda _: False)
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.root
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_files_stage_on(tmp_path: Path, row: Expected, capsys: pytest.CaptureFixture[str]) -> None:
    root = distributions.make(tmp_path, row.name)
    (root / "etc/group.lock").write_text("1")  # of a program that was cut short while the image was made
    provision(tmp_path, document(row.admins))

    passwd, group = lines_of(root, "passwd"), lines_of(root, "group")
    assert int(passwd["core"][2]) == row.core
    assert (passwd["ann"][2], passwd["ann"][3], group["ops"][2]) == ("1000", row.gid, "1500")
    assert ":".join(group["dialout"]) == row.dialout
    assert ["ann" in group[name][3].split(",") for name in (row.admins, "ops")] == [True, True]
    assert "etcd" not in passwd or row.name == "debian", "nobody changes it"

    home = root / row.home
    assert stat.S_IMODE(home.stat().st_mode) == row.home_mode
    assert (home / ".bashrc").read_text() == "# of the image\n"
    note = (home / "note").stat()
    assert (note.st_uid, note.st_gid, stat.S_IMODE(note.st_mode)) == (1000, int(group["dialout"][2]), 0o644)
    for name, base in (("ann", "ann"), ("core", "core")):
        keys = home.parent / base / row.keys
        assert keys.read_text() == f"{KEY}\n"
        assert (keys.stat().st_uid, stat.S_IMODE(keys.stat().st_mode)) == (int(passwd[name][2]), 0o600)
    roothome = "var/roothome" if row.name == "fedora-coreos" else "root"
    assert (root / roothome / row.keys).read_text() == f"{KEY}\n"

    etcd = (root / "var/lib/etcd").stat()
    assert (etcd.st_uid, etcd.st_gid, stat.S_IMODE(etcd.st_mode)) == (*row.etcd, 0o700)
    assert (root / "etc/hostname").read_text() == "node1"
    assert os.readlink(root / "etc/localtime") == "../usr/share/zoneinfo/Europe/Berlin"
    tool = root / ("var/opt" if row.name == "fedora-coreos" else "opt") / "bin/tool"
    assert (tool.read_text(), stat.S_IMODE(tool.stat().st_mode), stat.S_IMODE(tool.parent.stat().st_mode)) == (
        "tool",
        0o755,
        0o755,
    )

    assert (root / "etc/systemd/system-preset/20-ignition.preset").read_text().splitlines() == [
        "enable a.service",
        "enable backup@.service one",
        "enable data.mount",
        "enable nowhere.service",
        "disable off.service",
        "disable old.service",
    ]
    assert sorted(os.listdir(root / WANTS)) == ["a.service", "backup@one.service"]
    assert os.readlink(root / WANTS / "backup@one.service") == "/usr/lib/systemd/system/backup@.service"
    assert os.readlink(root / "etc/systemd/system/quiet.service") == "/dev/null"

    warnings = {record["path"]: record["cause"] for record in records(tmp_path) if record["result"] == "warning"}
    assert set(warnings) == {"ann", "nowhere.service", "nobody.service"}
    assert warnings["ann"].startswith("$.passwd.users.0: group 'nowhere' does not exist in the new root: ann is not a member")
    assert warnings["nowhere.service"].startswith("the new root has no unit nowhere.service: nothing starts it, unless")
    assert warnings["nobody.service"].startswith("the new root has no unit nobody.service: its drop-ins have no effect, unless")
    assert capsys.readouterr().out.count("[warning]") == 3
    report = json.loads((root / "var/lib/ignition/report.json").read_text())
    assert [one["result"] for one in report["stages"][0]["operations"]].count("warning") == 3

    marks = [path for path in (".autorelabel", "etc/selinux/.autorelabel") if (root / path).exists()]
    assert marks == ([row.mark] if row.mark else [])

    before = snapshot(root)
    for name in ("operations.jsonl", "warnings.jsonl"):  # another boot
        (tmp_path / name).unlink(missing_ok=True)
    provision(tmp_path, document(row.admins))
    assert snapshot(root) == before
    assert {one["result"] for one in records(tmp_path) if one["operation"] != "inspect"} == {"already", "warning"}


def test_root_that_can_neither_be_labelled_nor_label_itself_is_refused_before_anything_changes(tmp_path: Path) -> None:
    gone = {"/usr/lib/systemd/system-generators/selinux-autorelabel-generator.sh": "gone"}
    root = distributions.make(tmp_path, "fedora-coreos", gone)
    before = snapshot(root)
    with pytest.raises(Failure) as caught:
        provision(tmp_path, document("sudo"))
    assert (caught.value.what, caught.value.where) == (
        "the initramfs has no setfiles to set the SELinux labels of the written files, and the new root enforces its policy"
        " without being able to relabel itself",
        "/etc/selinux/config",
    )
    assert caught.value.lasting
    assert snapshot(root) == before
    provision(tmp_path, {"ignition": {"version": "3.4.0"}})  # the result alone fails no boot


@pytest.mark.root
@pytest.mark.parametrize("operations", [2, 6])
def test_stage_that_was_cut_short_converges_with_accounts_of_the_image(tmp_path: Path, operations: int) -> None:
    """After a group was copied to /etc, and after the users were made, before their homes are complete."""
    config = parse(json.dumps(document("sudo")).encode()).config
    assert config is not None
    (tmp_path / "whole").mkdir()
    whole = distributions.make(tmp_path / "whole", "fedora-coreos")
    run(tmp_path / "whole", config)
    root = distributions.make(tmp_path, "fedora-coreos")
    with pytest.raises(Cut):
        run(tmp_path, config, cut_after(operations))
    run(tmp_path, config)
    assert snapshot(root) == snapshot(whole)


# A config about accounts that only the second source knows → what becomes of them.
@pytest.mark.root
@pytest.mark.parametrize(
    ("users", "groups", "passwd", "shadow", "group"),
    [
        pytest.param(
            [{"name": "etcd", "shell": "/bin/sh"}],
            [],
            "etcd:x:993:990:etcd user:/var/lib/etcd:/bin/sh",
            "etcd:!*:::::::",
            None,
            id="what is changed is copied first",
        ),
        pytest.param(
            [{"name": "etcd", "passwordHash": "$6$a$b"}],
            [],
            "etcd:x:993:990:etcd user:/var/lib/etcd:/sbin/nologin",
            "etcd:$6$a$b:",
            None,
            id="a password",
        ),
        pytest.param([{"name": "etcd"}], [], None, None, None, id="nothing to change"),
        pytest.param(
            [{"name": "etcd", "uid": 993, "primaryGroup": "etcd", "homeDir": "/var/lib/etcd"}],
            [{"name": "etcd", "gid": 990}],
            None,
            None,
            None,
            id="all is so already",
        ),
        pytest.param([], [{"name": "etcd", "gid": 777}], None, None, "etcd:x:777:", id="another id of a group"),
        pytest.param(
            [{"name": "etcd", "groups": ["dialout"]}],
            [],
            "etcd:x:993:990:etcd user:/var/lib/etcd:/sbin/nologin",
            "etcd:!*:::::::",
            "dialout:x:18:modem,etcd",
            id="both are the image's",
        ),
    ],
)
def test_account_of_the_image(
    tmp_path: Path,
    users: list[dict[str, Any]],
    groups: list[dict[str, Any]],
    passwd: str | None,
    shadow: str | None,
    group: str | None,
) -> None:
    root = distributions.make(tmp_path, "fedora-coreos")
    provision(tmp_path, {"ignition": {"version": "3.4.0"}, "passwd": {"users": users, "groups": groups}})
    found = {name: (root / "etc" / name).read_text().splitlines() for name in ("passwd", "shadow", "group", "gshadow")}
    assert [line for line in found["passwd"] if line.startswith("etcd:")] == ([passwd] if passwd else [])
    assert [line.startswith(shadow or "?") for line in found["shadow"] if line.startswith("etcd:")] == ([True] if shadow else [])
    assert [line for line in found["group"] if line.startswith(("etcd:", "dialout:"))] == ([group] if group else [])
    assert stat.S_IMODE((root / "etc/shadow").stat().st_mode) == 0o640
    assert {record["result"] for record in records(tmp_path)} <= {"done", "already"}


@pytest.mark.root
@pytest.mark.parametrize("primary", ["users", "100", None])
def test_primary_group_of_the_image_and_a_home_elsewhere(tmp_path: Path, primary: str | None) -> None:
    root = distributions.make(tmp_path, "fedora-coreos")
    user = {"name": "ann", "primaryGroup": primary, "noUserGroup": True, "homeDir": "/srv/people/ann", "sshAuthorizedKeys": [KEY]}
    provision(tmp_path, {"ignition": {"version": "3.4.0"}, "passwd": {"users": [user]}})
    assert lines_of(root, "passwd")["ann"][3] == "100"
    keys = root / "var/srv/people/ann" / ROWS[0].keys
    assert (keys.stat().st_gid, stat.S_IMODE((root / "var/srv/people").stat().st_mode)) == (100, 0o755)


@pytest.mark.root
def test_keys_of_an_existing_user_whose_home_does_not_exist_yet(tmp_path: Path) -> None:
    """Flatcar's core, and what an image of ostree has in /etc/passwd: systemd-tmpfiles makes the homes later."""
    passwd = distributions.TREES["fedora-coreos"]["/etc/passwd"] + "core:x:1000:100:Core:/home/core:/bin/bash\n"
    root = distributions.make(tmp_path, "fedora-coreos", {"/etc/passwd": passwd})
    document = {"ignition": {"version": "3.4.0"}, "passwd": {"users": [{"name": "core", "sshAuthorizedKeys": [KEY]}]}}
    provision(tmp_path, document)
    home = root / "var/home/core"
    assert (home / ROWS[0].keys).read_text() == f"{KEY}\n"
    assert (home.stat().st_uid, home.stat().st_gid, stat.S_IMODE(home.stat().st_mode)) == (1000, 100, 0o700)
    assert (home / ".bashrc").stat().st_uid == 1000
    before = snapshot(root)
    provision(tmp_path, document)
    assert snapshot(root) == before


@pytest.mark.root
def test_account_of_the_image_cannot_be_deleted_and_that_is_said(tmp_path: Path) -> None:
    root = distributions.make(tmp_path, "flatcar")
    wanted = [{"name": "core", "shouldExist": False}, {"name": "etcd", "shouldExist": False}]
    groups = [{"name": "kvm", "shouldExist": False}, {"name": "no", "shouldExist": False}]
    provision(tmp_path, {"ignition": {"version": "3.4.0"}, "passwd": {"users": wanted, "groups": groups}})
    assert "core" not in lines_of(root, "passwd")
    assert [(record["path"], record["cause"].partition(" (fix")[0]) for record in records(tmp_path) if "cause" in record] == [
        ("kvm", "$.passwd.groups.0: group kvm remains: it is in /usr/share/baselayout/group, which belongs to the image"),
        ("core", "$.passwd.users.0: user core remains: it is in /usr/share/baselayout/passwd, which belongs to the image"),
        ("etcd", "$.passwd.users.1: user etcd remains: it is in /usr/share/baselayout/passwd, which belongs to the image"),
    ]


@pytest.mark.root
@pytest.mark.parametrize("machine_id", ["", "uninitialized\n", "0123456789abcdef0123456789abcdef\n", "gone"], ids=repr)
def test_units_are_enabled_and_disabled_whatever_machine_id_says(tmp_path: Path, machine_id: str) -> None:
    root = distributions.make(tmp_path, "debian", {"/etc/machine-id": machine_id})
    units: list[dict[str, Any]] = [{"name": "a.service", "enabled": True, "contents": UNIT}]
    units += [{"name": "old.service", "enabled": False}, {"name": "ssh.service", "enabled": True}]
    provision(tmp_path, {"ignition": {"version": "3.4.0"}, "systemd": {"units": units}})
    assert sorted(os.listdir(root / WANTS)) == ["a.service", "ssh.service"]
    assert os.readlink(root / "etc/systemd/system/sshd.service") == "/usr/lib/systemd/system/ssh.service"
    preset = (root / "etc/systemd/system-preset/20-ignition.preset").read_text()
    assert preset == "enable a.service\ndisable old.service\nenable ssh.service\n"


def test_spec_2_has_both_preset_lines(tmp_path: Path) -> None:
    root = distributions.make(tmp_path, "debian")
    units = [{"name": "a.service", "enabled": False, "contents": UNIT}, {"name": "b.service", "enabled": True, "contents": UNIT}]
    provision(tmp_path, {"ignition": {"version": "2.2.0"}, "systemd": {"units": units}})
    assert (root / "etc/systemd/system-preset/20-ignition.preset").read_text() == "disable a.service\nenable b.service\n"
