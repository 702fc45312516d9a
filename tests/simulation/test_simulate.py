"""`ignition simulate`: what is written, recorded, refused and left out; hostile configs; ordinary users."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ignition.stages import files
from tests.fetch.server import Reply, serving
from tests.schemas import valid

from .conftest import NOBODY, TOP, Place, file, ignition

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkQNnbgEtx9zG1NSv5hGzqhbMJrL0oXJgqHPVZHc3nQ core@x"
HASH = "$6$abc$" + "x" * 86
WEB = f"""
variant: fcos
version: 1.7.0
passwd:
  groups:
    - name: web
      gid: 900
  users:
    - name: core
      groups: [sudo, web]
      ssh_authorized_keys: ["{KEY}"]
      password_hash: {HASH}
storage:
  directories:
    - path: /opt/app
      mode: 0500
  files:
    - path: /opt/app/tool
      mode: 06711
      contents: {{inline: "tool"}}
      user: {{name: core}}
      group: {{name: web}}
    - path: /opt/app/sealed
      mode: 0000
      contents: {{inline: "sealed"}}
      user: {{id: 4711}}
  links:
    - path: /etc/localtime
      target: ../usr/share/zoneinfo/UTC
    - path: /opt/tool
      target: /opt/app/tool
      hard: true
systemd:
  units:
    - name: web.service
      enabled: true
      contents: |
        [Service]
        ExecStart=/opt/app/tool
        [Install]
        WantedBy=multi-user.target
    - name: bad.service
      mask: true
"""
VOLATILE = {"/etc/.ignition-result.json", "/var/lib/ignition/report.json", "/var/lib/ignition/applied.json", "/etc/shadow"}


def test_nodes_have_owner_mode_and_place(place: Place) -> None:
    assert place.run(WEB)[0] == 0
    nodes, config = place.nodes(), str(place.top / "config")

    def about(path: str) -> tuple[object, ...]:
        node = nodes[path]
        where = node.get("place", {})
        assert where.get("source", config) == config
        return node["kind"], node["mode"], node["uid"], node["gid"], node.get("user"), node.get("operation"), where.get("line")

    tops = ("/opt/", "/home/", "/etc/localtime/", "/etc/systemd/system/")
    assert {path: about(path) for path in nodes if f"{path}/".startswith(tops)} == {
        "/opt": ("directory", "0755", 0, 0, "root", "make-directory", 15),
        "/opt/app": ("directory", "0500", 0, 0, "root", "make-directory", 15),
        "/opt/app/tool": ("file", "6711", 1000, 900, "core", "write-file", 18),
        "/opt/app/sealed": ("file", "0000", 4711, 0, None, "write-file", 23),
        "/opt/tool": ("file", "6711", 1000, 900, "core", "write-file", 18),
        "/etc/localtime": ("link", "0777", 0, 0, "root", "make-symlink", 28),
        "/home": ("directory", "0755", 0, 0, "root", "put-user", 9),
        "/home/core": ("directory", "0700", 1000, 1000, "core", "put-user", 9),
        "/home/core/.ssh": ("directory", "0700", 1000, 1000, "core", "write-ssh-keys", 9),
        "/home/core/.ssh/authorized_keys": ("file", "0600", 1000, 1000, "core", "write-ssh-keys", 9),
        "/etc/systemd/system": ("directory", "0755", 0, 0, "root", "write-unit", 35),
        "/etc/systemd/system/web.service": ("file", "0644", 0, 0, "root", "write-unit", 35),
        "/etc/systemd/system/bad.service": ("link", "0777", 0, 0, "root", "mask-unit", 42),
        "/etc/systemd/system/multi-user.target.wants": ("directory", "0755", 0, 0, "root", "enable-unit", 35),
        "/etc/systemd/system/multi-user.target.wants/web.service": ("link", "0777", 0, 0, "root", "enable-unit", 35),
    }
    assert nodes["/opt/tool"]["links"] == 2
    assert nodes["/etc/localtime"]["target"] == "../usr/share/zoneinfo/UTC"
    assert place.text("/home/core/.ssh/authorized_keys") == f"{KEY}\n"
    assert "core:x:1000:1000::/home/core:/bin/bash\n" in place.text("/etc/passwd")
    assert "web:x:900:core\n" in place.text("/etc/group") and "sudo:x:27:core\n" in place.text("/etc/group")
    assert f"core:{HASH}:" in place.text("/etc/shadow")
    assert place.manifest()["result"] == "complete"


@pytest.mark.root
def test_ordinary_user_gets_what_root_gets(place: Place) -> None:
    """All but dates and durations; on disk the nodes belong to the user, who can read and remove them."""
    assert place.run(WEB)[0] == 0
    by_root = place.manifest()
    assert place.run_as_nobody(WEB)[0] == 0
    by_nobody = place.manifest()
    for found in (by_root, by_nobody):
        for node in found["nodes"]:
            if node["path"] in VOLATILE:
                del node["size"], node["sha512"]
    assert by_nobody == by_root
    nodes = [path.lstat() for path in (place.out / "root").rglob("*")]
    assert {found.st_uid for found in nodes} == {NOBODY}
    assert [oct(found.st_mode) for found in nodes if found.st_mode & 0o7000] == []
    assert (place.out / "root/opt/app/sealed").stat().st_mode & 0o777 == 0o600
    assert (place.out / "root/opt/app").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({"ignitionVersion": 1, "systemd": {"units": [{"name": "a.service", "contents": "[Service]\n"}]}}, id="1"),
        pytest.param(ignition("2.3.0", systemd={"units": [{"name": "a.service", "contents": "[Service]\n"}]}), id="2.3"),
        pytest.param(ignition("3.0.0", systemd={"units": [{"name": "a.service", "contents": "[Service]\n"}]}), id="3.0"),
        pytest.param("\nsystemd:\n  units:\n    - name: a.service\n      contents: |\n        [Service]\n", id="Container Linux"),
    ],
)
def test_every_kind_of_config(place: Place, config: object) -> None:
    assert place.run(config)[0] == 0
    assert place.text("/etc/systemd/system/a.service") == "[Service]\n"


def test_directory_that_is_not_empty_is_refused(place: Place) -> None:
    (place.top / "out1").mkdir()
    (place.top / "out1/x").write_text("mine")
    status, out, err = place.run(ignition(storage={"files": [file("/a")]}))
    assert (status, out) == (1, "")
    assert err == f"ignition simulate: {place.out}: the directory is not empty (fix: name another one, or empty it)\n"
    assert [path.name for path in place.out.iterdir()] == ["x"]


def test_directory_that_is_a_file_is_refused(place: Place) -> None:
    (place.top / "out1").write_text("mine")
    status, _, err = place.run(ignition(storage={"files": [file("/a")]}))
    assert (status, err) == (1, f"ignition simulate: {place.out}: not a directory\n")


def test_invalid_config_leaves_no_directory(place: Place) -> None:
    status, _, err = place.run(ignition(storage={"files": [file("relative")]}))
    assert status == 1 and "config:1:" in err
    assert not place.out.exists()


FAILING = ignition(storage={"files": [file("/etc/first"), file("/opt/x", user={"name": "nobody-knows"})]})


def test_failure_names_the_place_and_what_is_left_behind(place: Place) -> None:
    status, out, err = place.run(FAILING)
    assert (status, out) == (1, "")
    said, failure = err.splitlines()
    assert said == f"ignition simulate: {place.out} holds what was written before the failure"
    column = json.dumps(FAILING).index('"nobody-knows"') + 1
    where = f"{place.top}/config:1:{column} ($.storage.files.1.user)"
    fix = "create it in passwd.users, or use its id"
    assert failure == f"ignition simulate: {where}: the new root has no user 'nobody-knows' (fix: {fix})"
    manifest = place.manifest()
    assert manifest["result"] == "failed"
    assert manifest["failure"] == {"what": "the new root has no user 'nobody-knows'", "where": where, "fix": fix}
    assert "/etc/first" in place.nodes() and "/opt/x" not in place.nodes()
    assert sorted(os.listdir(place.out / "run")) == ["operations.jsonl"]


def test_failure_as_json(place: Place) -> None:
    status, out, _ = place.run(FAILING, "-json")
    result = valid("simulate", out)
    assert (status, result["result"], result["failure"]["fix"]) == (1, "failed", "create it in passwd.users, or use its id")


def test_killed_simulation_is_marked(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(files, "run", lambda *_: seen.append(place.manifest()["result"]))
    assert place.run(ignition(storage={"files": [file("/a")]}))[0] == 0
    assert seen == ["incomplete"]


def test_interrupted_simulation_says_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "run", interrupted)
    try:
        place.run(ignition(storage={"files": [file("/a")]}))
    except KeyboardInterrupt:
        pass
    assert (place.manifest()["result"], place.manifest()["failure"]) == ("failed", {"what": "KeyboardInterrupt"})


def test_parts_that_a_directory_cannot_show_are_listed(place: Place) -> None:
    config = ignition(
        "3.5.0",
        kernelArguments={"shouldExist": ["quiet"], "shouldNotExist": ["debug"]},
        storage={
            "disks": [{"device": "/dev/vda", "partitions": [{"label": "d", "number": 1}]}],
            "raid": [{"name": "data", "level": "raid1", "devices": ["/dev/vdb", "/dev/vdc"]}],
            "luks": [{"name": "keys", "device": "/dev/vdd"}],
            "filesystems": [{"device": "/dev/md/data", "format": "ext4", "path": "/data"}],
            "files": [file("/data/x", "x")],
            "x-coreos": {"swapFiles": [{"path": "/swap", "sizeMiB": 64}]},
        },
    )
    status, out, _ = place.run(config)
    assert status == 0
    assert out.split("\n")[:7] == [
        "not simulated: kernel arguments: add quiet",
        "not simulated: kernel arguments: remove debug",
        "not simulated: partitions of /dev/vda",
        "not simulated: array data",
        "not simulated: encrypted volume keys on /dev/vdd, its key file and its line in /etc/crypttab",
        "not simulated: file system ext4 on /dev/md/data, mounted at /data",
        "not simulated: create swap file /swap of 64 MiB ($.storage.x-coreos.swapFiles.0)",
    ]
    left_out = place.manifest()["notSimulated"]
    assert [one["place"]["path"] for one in left_out][:3] == [
        "$.kernelArguments.shouldExist",
        "$.kernelArguments.shouldNotExist",
        "$.storage.disks.0",
    ]
    assert place.text("/data/x") == "x"
    assert "What=/swap\n" in place.text("/etc/systemd/system/swap.swap")
    assert "/swap" not in place.nodes()


def test_unit_that_storage_needs_has_no_place_of_another_unit(place: Place) -> None:
    config = ignition(
        storage={
            "filesystems": [{"device": "/dev/vdb", "format": "swap", "wipeFilesystem": True, "x-coreos": {"activate": True}}]
        },
        systemd={"units": [{"name": "a.service", "contents": "[Service]\n"}]},
    )
    assert place.run(config)[0] == 0
    swap = [node for path, node in place.nodes().items() if path.endswith(".swap") and node["kind"] == "file"]
    assert len(swap) == 1 and "place" not in swap[0]
    assert place.nodes()["/etc/systemd/system/a.service"]["place"]["path"] == "$.systemd.units.0"


def test_warnings_of_the_stage(place: Place) -> None:
    config = ignition(
        passwd={"users": [{"name": "core", "groups": ["docker"]}]},
        systemd={"units": [{"name": "docker.service", "enabled": True}]},
    )
    status, out, err = place.run(config)
    assert status == 0
    first, second, *_ = out.split("\n")
    assert first.startswith(f"warning: {place.top}/config:1:") and "group 'docker' does not exist in the new root" in first
    assert second.startswith("warning: the new root has no unit docker.service: nothing starts it")
    assert [one["operation"] for one in place.manifest()["warnings"]] == ["need-groups", "find-unit"]
    assert "op(" not in err


OLD = {
    "filesystems": [
        {"name": "oem2", "mount": {"device": "/dev/vdb", "format": "ext4"}},
        {"name": "inner", "path": "/sysroot/srv/inner"},
        {"name": "../../victim", "path": "/tmp/victim"},
    ],
    "files": [
        {"filesystem": "root", "path": "/a", "contents": {"source": "data:,a"}},
        {"filesystem": "oem2", "path": "/grub.cfg", "contents": {"source": "data:,b"}, "mode": 384, "user": {"id": 7}},
        {"filesystem": "inner", "path": "/c", "contents": {"source": "data:,c"}},
        {"filesystem": "../../victim", "path": "/d", "contents": {"source": "data:,d"}},
    ],
}


def test_named_filesystems_are_directories(place: Place) -> None:
    assert place.run(ignition("2.3.0", storage=OLD))[0] == 0
    assert (place.text("/a"), place.text("/srv/inner/c")) == ("a", "c")
    assert sorted(str(path.relative_to(place.out)) for path in place.out.rglob("*") if path.name in ("grub.cfg", "d")) == [
        "filesystems/2/d",
        "filesystems/oem2/grub.cfg",
    ]
    manifest = place.manifest()
    assert [(one["name"], one["directory"]) for one in manifest["filesystems"]] == [
        ("oem2", "filesystems/oem2"),
        ("inner", "root/srv/inner"),
        ("../../victim", "filesystems/2"),
    ]
    node = next(node for node in manifest["nodes"] if node["path"] == "/grub.cfg")
    assert (node["filesystem"], node["mode"], node["uid"]) == ("oem2", "0600", 7)
    assert place.nodes()["/srv/inner/c"]["uid"] == 0
    assert not Path("/tmp/victim").exists()


def test_remote_contents(place: Place) -> None:
    with serving({"/x": Reply(body=b"from afar")}) as server:
        config = ignition(storage={"files": [{"path": "/x", "contents": {"source": f"{server.url}/x"}}, file("/y", "here")]})
        assert place.run(config)[0] == 0
        assert place.text("/x") == "from afar"
        asked = len(server.requests)
        status, out, _ = place.run(config, "-offline")
        assert (status, len(server.requests)) == (0, asked)
    assert (place.text("/x"), place.text("/y")) == ("", "here")
    assert f"not simulated: the content of {server.url}/x\n" in out


def test_offline_config_elsewhere_is_an_error(place: Place) -> None:
    config = {"ignition": {"version": "3.4.0", "config": {"merge": [{"source": "https://config.example/x"}]}}}
    status, _, err = place.run(config, "-offline")
    assert status == 1 and "needs the network" in err


def test_content_of_the_oem_partition_is_not_looked_for_on_this_machine(place: Place) -> None:
    storage = {"files": [{"filesystem": "root", "path": "/x", "contents": {"source": "oem:///secret"}}]}
    status, out, _ = place.run(ignition("2.3.0", storage=storage))
    assert (status, place.text("/x")) == (0, "")
    assert "not simulated: the content of oem:///secret\n" in out


HOSTILE: list[Any] = [
    pytest.param(
        {"/srv": "-> VICTIM"}, ignition(storage={"files": [file("/srv/x", "x")]}), "VICTIM/x", id="absolute link of the base"
    ),
    pytest.param(
        {"/srv": "-> ../../../../../../../../../../VICTIM"},
        ignition(storage={"directories": [{"path": "/srv/x"}], "files": [file("/srv/x/y", "x")]}),
        "VICTIM/x/y",
        id="relative link of the base",
    ),
    pytest.param(
        {"/home": "-> VICTIM", "/etc/passwd": "root:x:0:0::/root:/bin/sh\n", "/etc/group": "root:x:0:\n"},
        ignition(passwd={"users": [{"name": "ann", "sshAuthorizedKeys": [KEY]}]}),
        "VICTIM/ann/.ssh/authorized_keys",
        id="home behind a link",
    ),
    pytest.param(
        {"/etc/skel/out": "-> VICTIM", "/etc/passwd": "root:x:0:0::/root:/bin/sh\n", "/etc/group": "root:x:0:\n"},
        ignition(passwd={"users": [{"name": "ann"}]}, storage={"files": [file("/home/ann/out/x", "x")]}),
        "VICTIM/x",
        id="link in the skeleton",
    ),
    pytest.param(
        {"/etc/systemd/system": "-> VICTIM"},
        ignition(systemd={"units": [{"name": "a.service", "enabled": True, "contents": "[Install]\nWantedBy=b.target\n"}]}),
        "VICTIM/a.service",
        id="directory of units",
    ),
    pytest.param(
        {},
        ignition(passwd={"users": [{"name": "ann", "homeDir": "/../../../../VICTIM/ann"}]}),
        "VICTIM/ann",
        id="home that climbs",
    ),
    pytest.param(
        {"/etc/passwd": "-> VICTIM/passwd", "/etc/group": "root:x:0:\n"},
        ignition(passwd={"users": [{"name": "ann"}]}),
        "VICTIM/passwd",
        id="passwd elsewhere",
    ),
]


@pytest.mark.parametrize(("base", "config", "inside"), HOSTILE)
def test_nothing_is_written_elsewhere(place: Place, base: dict[str, str], config: object, inside: str) -> None:
    victim = Path(place.tree("victim", {"/passwd": "mine", "/skel/": ""}))
    text = json.dumps(config).replace("VICTIM", str(victim))
    image = place.tree("image", {path: content.replace("VICTIM", str(victim)) for path, content in base.items()})
    before = snapshot(place.top)
    status, _, err = place.run(place.put("hostile.ign", text), *(["-base", image] if base else []))
    assert status == 0, err
    after = {path: found for path, found in snapshot(place.top).items() if not path.startswith(("out1", "hostile.ign"))}
    assert after == before
    assert inside.replace("VICTIM", str(victim)) in place.nodes()


CHANGING = re.compile(
    r"\b(creat|mkdir|mkdirat|rename\w*|unlink|unlinkat|rmdir|symlink|symlinkat|link|linkat|fchmod\w*|chmod|truncate|ftruncate"
    r"|utimensat)\("
)
NEVER = re.compile(r"\b(l?chown|fchown|fchownat|execve|connect|mount|setresuid|setreuid)\(")


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_system_calls_change_the_directory_only(place: Place) -> None:
    """Each call that changes something names a descriptor or a path inside; owners are not set, programs not started."""
    config, out, log = place.put("web.bu", WEB), place.top / "out", place.top / "log"
    argv = ["strace", "-f", "-y", "-o", str(log), "-e", "trace=%file,%desc,%network,%process,%creds"]
    run = [sys.executable, "-B", "-m", "ignition.cli.ignition", "simulate", config, "-into", str(out)]
    subprocess.run([*argv, *run], cwd=TOP, check=True, capture_output=True)
    calls = [line for line in log.read_text().splitlines() if " = -1 " not in line]
    changing = [line for line in calls if CHANGING.search(line.split("(", 1)[0] + "(") or "O_WRONLY" in line or "O_RDWR" in line]
    assert len(changing) > 50
    assert [line for line in changing if str(out) not in line] == []
    assert [line for line in calls if NEVER.search(line)][1:] == []  # the first is Python's own start


def snapshot(top: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a directory: kind, mode, time of its last change, content."""
    found: dict[str, tuple[object, ...]] = {}
    for path in top.rglob("*"):
        seen = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path.relative_to(top))] = (seen.st_mode, seen.st_ctime_ns, content)
    return found


def test_hard_link_to_a_file_of_this_machine(place: Place) -> None:
    config = ignition(storage={"links": [{"path": "/a", "target": "/etc/hostname", "hard": True}]})
    status, _, err = place.run(config)
    assert status == 1 and "/etc/hostname, the target of /a, does not exist" in err


def test_deep_tree_is_an_error_and_no_trace(place: Place) -> None:
    status, _, err = place.run(ignition(storage={"files": [file("/" + "a/" * 1500 + "x")]}))
    assert status == 1
    assert "Traceback" not in err and err.startswith("ignition simulate: ")


def test_user_may_not_write_into_the_directory_of_another(place: Place) -> None:
    """As in a boot, where keys are written with the permissions of the user."""
    image = place.tree(
        "image", {"/etc/passwd": "root:x:0:0::/root:/bin/sh\nann:x:5:5::/srv/ann:/bin/sh\n", "/etc/group": "ann:x:5:\n"}
    )
    (place.top / "image/srv/ann").mkdir(parents=True)
    config = ignition(passwd={"users": [{"name": "ann", "sshAuthorizedKeys": [KEY]}]})
    status, _, err = place.run(config, "-base", image)
    assert status == 1 and "user ann may not write /srv/ann/.ssh/authorized_keys" in err


def test_usage(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    from ignition.cli.ignition import main

    assert main(["simulate", "-into", "x"]) == 2
    assert "expected a URL or FILE" in capsys.readouterr().err
    assert main(["simulate", "a"]) == 2
    assert "-into is required: an empty or new directory" in capsys.readouterr().err


def test_thousand_files_take_a_second_of_cpu(place: Place) -> None:
    config = place.put("many.ign", ignition(storage={"files": [file(f"/opt/{n % 50}/{n}", "x" * 200) for n in range(1000)]}))
    begin = time.process_time()
    assert place.run(config)[0] == 0
    assert time.process_time() - begin < 10  # 0.7 s alone on a desktop of 2020
    assert sum(node["kind"] == "file" and path.startswith("/opt") for path, node in place.nodes().items()) == 1000
