"""A config of spec 1 provisions: its text through the disks and files stages, onto a loop device and into a directory."""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ignition.config import cache
from ignition.config.model import Config
from ignition.config.parse import VALID, parse
from ignition.host import log
from ignition.host.root import Root
from ignition.operation import Context, Runner
from ignition.stages import disks
from ignition.stages.arguments import Arguments, Paths
from tests.stages.conftest import Boot
from tests.stages.test_files import make_root, run

SECTORS = 16 << 11  # 16 MiB


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[str]:
    """A blank device of 64 MiB."""
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    device = command("losetup", "--find", "--show", str(image)).strip()
    yield device
    command("partx", "--delete", device, check=False)
    command("losetup", "--detach", device)


def command(*argv: str, check: bool = True) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=check, timeout=120).stdout


def config_of(sections: dict[str, Any]) -> Config:
    parsed = parse(json.dumps({"ignitionVersion": 1, **sections}).encode())
    assert parsed.outcome == VALID, str(parsed.report)
    assert parsed.config is not None
    return cache.load(cache.dump(parsed.config))  # as the stages get it


def run_disks(tmp_path: Path, config: Config) -> None:
    paths = Paths(config_cache="", neednet="", state_file=str(tmp_path / "state"))
    with Runner("disks", str(tmp_path / "disks.jsonl")) as runner:
        arguments = Arguments(stage="disks", platform="file", root="/sysroot", runner=runner, paths=paths, fetch_timeout_s=1)
        arguments.config = config
        arguments.context = Context(Root("/sysroot"), None)  # type: ignore[arg-type]  # the disks stage fetches nothing here
        disks.run(arguments)


def everything(device: str) -> dict[str, Any]:
    return {
        "storage": {
            "disks": [
                {
                    "device": device,
                    "wipeTable": True,
                    "partitions": [
                        {"label": "data", "number": 1, "size": SECTORS, "start": 4096},
                        {"label": "more", "number": 2, "size": 0, "start": 0},
                    ],
                }
            ],
            "filesystems": [
                {
                    "device": f"{device}p1",
                    "format": "ext4",
                    "create": {"force": True, "options": ["-L", "DATA"]},
                    "files": [
                        {"path": "/d/x", "contents": "hé%41llo\n", "mode": 0o640, "uid": 3, "gid": 4},
                        {"path": "/zero"},
                    ],
                },
                {"device": f"{device}p2", "format": "ext4", "create": {}, "files": [{"path": "/y", "contents": "y"}]},
            ],
        },
        "systemd": {"units": [{"name": "a.service", "enable": True, "contents": "[Service]\n", "dropins": [{"name": "e.conf"}]}]},
        "networkd": {"units": [{"name": "n.network", "contents": "[Match]\n"}]},
        "passwd": {"users": [{"name": "ann", "passwordHash": "", "sshAuthorizedKeys": ["k"], "create": {"uid": 2001}}]},
    }


@pytest.mark.root
def test_everything_of_a_spec_1_config_is_there(tmp_path: Path, loop: str) -> None:
    root = make_root(tmp_path)
    config = config_of(everything(loop))
    run_disks(tmp_path, config)
    run(tmp_path, config)
    table = json.loads(command("sfdisk", "--json", loop))["partitiontable"]["partitions"]
    assert [(one["name"], one["start"], one["size"]) for one in table][0] == ("data", 4096, SECTORS)
    assert command("blkid", "-p", "-s", "LABEL", "-o", "value", f"{loop}p1") == "DATA\n"
    assert debugfs(f"{loop}p1", "cat /d/x") == "hé%41llo\n"
    assert "Mode:  0640" in debugfs(f"{loop}p1", "stat /d/x") and owner(f"{loop}p1", "/d/x") == (3, 4)
    assert "Mode:  0000" in debugfs(f"{loop}p1", "stat /zero") and owner(f"{loop}p1", "/zero") == (0, 0)
    assert debugfs(f"{loop}p2", "cat /y") == "y"
    assert loop not in Path("/proc/self/mounts").read_text()
    assert (root / "etc/systemd/system/a.service").read_text() == "[Service]\n"
    assert (root / "etc/systemd/system-preset/20-ignition.preset").read_text() == "enable a.service\n"
    assert not (root / "etc/systemd/system/a.service.d").exists()
    assert (root / "etc/systemd/network/n.network").read_text() == "[Match]\n"
    assert "ann:x:2001:" in (root / "etc/passwd").read_text()


def debugfs(device: str, request: str) -> str:
    return command("debugfs", "-R", request, device)


def owner(device: str, path: str) -> tuple[int, int]:
    words = debugfs(device, f"stat {path}").replace(":", ": ").split()
    return int(words[words.index("User:") + 1]), int(words[words.index("Group:") + 1])


def test_files_of_a_spec_1_config_keep_to_their_file_system() -> None:
    """Two of one path are no clash, and none lands on the new root."""
    from ignition.sysroot.named_filesystems import find

    files = [{"path": "/x", "contents": "x"}]
    filesystems = [{"device": f"/dev/{name}", "format": "xfs", "files": files} for name in ("a", "b")]
    config = config_of({"storage": {"filesystems": filesystems}})
    assert [(file.path, file.filesystem) for file in config.storage.files] == [
        ("/x", "_translate-filesystem-0"),
        ("/x", "_translate-filesystem-1"),
    ]
    assert [named.filesystem.device for named in find(config.storage)] == ["/dev/a", "/dev/b"]


def test_spec_1_config_of_the_platform_is_cached_with_a_warning(boot: Boot, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(stage="fetch-offline", to_stdout=True)
    unit = {"name": "a.service", "contents": "spec 1 looks into no unit"}
    boot.config(json.dumps({"ignitionVersion": 1, "systemd": {"units": [unit]}}))
    boot.execute("fetch-offline")
    cached = cache.load((boot.run / "cache.json").read_bytes())
    assert [(one.name, one.contents) for one in cached.systemd.units] == [("a.service", "spec 1 looks into no unit")]
    assert "warning at $.ignitionVersion, line 1 col 21: spec 1 is deprecated" in capsys.readouterr().out


def test_spec_1_config_is_appended_by_a_2x_config(boot: Boot) -> None:
    child = json.dumps({"ignitionVersion": 1, "passwd": {"groups": [{"name": "g"}]}})
    reference = {"source": f"data:;base64,{base64.b64encode(child.encode()).decode()}"}
    boot.config(json.dumps({"ignition": {"version": "2.2.0", "config": {"append": [reference]}}}))
    boot.execute("fetch-offline")
    cached = cache.load((boot.run / "cache.json").read_bytes())
    assert [group.name for group in cached.passwd.groups] == ["g"]
