"""Container Linux configs of 2.x provision: their text through the files stage into a directory.

Source: docs/reference/ignition-config.md §7.11.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from ignition.config import cache
from ignition.config.model import Config
from ignition.config.parse import VALID, parse
from ignition.errors import Failure
from tests.stages.test_files import make_root, run


def config_of(version: str, sections: dict[str, Any]) -> Config:
    parsed = parse(json.dumps({"ignition": {"version": version}, **sections}).encode())
    assert parsed.outcome == VALID, str(parsed.report)
    assert parsed.config is not None
    return cache.load(cache.dump(parsed.config))  # as the stages get it


def node(path: str, **members: Any) -> dict[str, Any]:
    return {"filesystem": "root", "path": path, **members}


def contents(text: str) -> dict[str, str]:
    return {"source": f"data:,{text}"}


def state(path: Path) -> tuple[int, int, int]:
    status = path.lstat()
    return status.st_mode & 0o7777, status.st_uid, status.st_gid


OF_2017: dict[str, Any] = {
    "storage": {
        "files": [
            node("/etc/hostname", contents=contents("coreos1"), mode=0o644),
            node("/etc/motd", contents=contents("new")),
            node("/opt/bin//tool", contents=contents("x"), mode=0o4755, user={"id": 500}, group={"name": "sudo"}),
        ],
        "directories": [node("/var/lib/etcd/data", mode=0o700, user={"id": 232})],
        "links": [node("/etc/localtime", target="/usr/share/zoneinfo/UTC")],
    },
    "systemd": {
        "units": [
            {"name": "etcd-member.service", "enable": True, "dropins": [{"name": "20-clct.conf", "contents": "[Service]\n"}]},
            {"name": "locksmithd.service", "enabled": False},
            {"name": "update-engine.service", "mask": True},
        ]
    },
    "networkd": {"units": [{"name": "00-eth0.network", "contents": "[Match]\nName=eth0\n"}]},
    "passwd": {
        "users": [{"name": "core", "create": {"uid": 500, "groups": ["sudo"], "shell": "/bin/sh"}, "sshAuthorizedKeys": ["k"]}],
        "groups": [{"name": "etcd", "gid": 232}],
    },
}


@pytest.mark.root
def test_config_of_2017_provisions(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    (root / "var/lib").mkdir(parents=True)
    run(tmp_path, config_of("2.1.0", OF_2017))
    assert ((root / "etc/hostname").read_text(), state(root / "etc/hostname")) == ("coreos1", (0o644, 0, 0))
    assert ((root / "etc/motd").read_text(), state(root / "etc/motd")) == ("new", (0, 0, 0))
    assert state(root / "opt/bin/tool") == (0o755, 500, 27)
    assert state(root / "opt/bin") == (0o755, 0, 0)
    assert state(root / "var/lib/etcd") == state(root / "var/lib/etcd/data") == (0o700, 232, 0)
    assert (root / "etc/localtime").readlink() == Path("/usr/share/zoneinfo/UTC")
    units = root / "etc/systemd/system"
    assert (units / "etcd-member.service.d/20-clct.conf").read_text() == "[Service]\n"
    assert (units / "update-engine.service").readlink() == Path("/dev/null")
    presets = (root / "etc/systemd/system-preset/20-ignition.preset").read_text().splitlines()
    assert presets[0] == "enable etcd-member.service"
    assert (root / "etc/systemd/network/00-eth0.network").read_text() == "[Match]\nName=eth0\n"
    assert "core:x:500:" in (root / "etc/passwd").read_text() and "etcd:x:232:" in (root / "etc/group").read_text()


def put(tmp_path: Path, version: str, **storage: Any) -> None:
    run(tmp_path, config_of(version, {"storage": storage}))


def test_file_takes_the_place_of_whatever_is_there(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    (root / "srv/x/y").mkdir(parents=True)
    put(tmp_path, "2.0.0", files=[node("/srv/x", contents=contents("file"), mode=0o600)])
    assert (root / "srv/x").read_text() == "file"


def test_file_that_may_not_overwrite_is_a_failure(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    with pytest.raises(Failure, match="/etc/motd already exists with other content"):
        put(tmp_path, "2.2.0", files=[node("/etc/motd", contents=contents("x"), mode=0o600, overwrite=False)])
    assert (root / "etc/motd").read_text() == "welcome\n"


def test_appending_keeps_mode_and_owner_unless_given(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    (root / "etc/motd").chmod(0o640)
    put(tmp_path, "2.2.0", files=[node("/etc/motd", contents=contents("more"), append=True)])
    assert ((root / "etc/motd").read_text(), state(root / "etc/motd")[0]) == ("welcome\nmore", 0o640)
    put(tmp_path, "2.2.0", files=[node("/etc/motd", contents=contents("!"), append=True, mode=0o600)])
    assert ((root / "etc/motd").read_text(), state(root / "etc/motd")[0]) == ("welcome\nmore!", 0o600)


@pytest.mark.root
def test_existing_directory_gets_mode_and_owner(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    (root / "srv").mkdir()
    (root / "srv/kept").write_text("")
    put(tmp_path, "2.2.0", directories=[node("/srv", user={"id": 7}), node("/other", mode=0o750)])
    assert (state(root / "srv"), state(root / "other")) == ((0, 7, 0), (0o750, 0, 0))
    assert (root / "srv/kept").exists()


def test_link_over_something_else_needs_overwrite(tmp_path: Path) -> None:
    root = make_root(tmp_path)
    with pytest.raises(Failure) as caught:
        put(tmp_path, "2.2.0", links=[node("/etc/motd", target="x")])
    assert caught.value.where == "$.storage.links.0"
    put(tmp_path, "2.2.0", links=[node("/etc/motd", target="x", overwrite=True)])
    assert (root / "etc/motd").readlink() == Path("x")


def named(name: str, path: Path) -> dict[str, Any]:
    return {"name": name, "path": str(path)}


def test_last_definition_of_a_name_counts(tmp_path: Path) -> None:
    make_root(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    file = {"filesystem": "data", "path": "/f", "contents": contents("x"), "mode": 0o600}
    put(tmp_path, "2.0.0", filesystems=[named("data", tmp_path / "one"), named("data", tmp_path / "two")], files=[file])
    assert (list((tmp_path / "one").iterdir()), [each.name for each in (tmp_path / "two").iterdir()]) == ([], ["f"])


def test_only_within_root_an_absolute_symlink_is_followed(tmp_path: Path) -> None:
    make_root(tmp_path)
    own = tmp_path / "own"
    (own / "run").mkdir(parents=True)
    (own / "var").mkdir()
    (own / "var/run").symlink_to("/run")
    file = {"path": "/var/run/f", "contents": contents("x"), "mode": 0o600}
    put(tmp_path, "2.0.0", filesystems=[named("root", own)], files=[{**file, "filesystem": "root"}])
    assert (own / "run/f").read_text() == "x"
    with pytest.raises(Failure, match="a symlink on the way leads out of the file system"):
        put(tmp_path, "2.0.0", filesystems=[named("data", own)], files=[{**file, "filesystem": "data"}])
