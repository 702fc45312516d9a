"""`ignition plan` for machines in images: the statuses, what it says, and that it touches nothing."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ignition.cli.ignition import main
from ignition.host import progress
from tests.host.test_progress import Terminal
from tests.planning.conftest import NODES, ROOT_AT, SYSTEM, MakeImage
from tests.schemas import valid

TOP = Path(__file__).resolve().parents[2]
SPEC = {"ignition": {"version": "3.4.0"}}
DATA = {"device": "/dev/vdb", "partitions": [{"label": "data", "number": 1, "sizeMiB": 16}, {"label": "rest", "number": 2}]}
ON_DATA = {"device": "/dev/disk/by-partlabel/data", "format": "ext4", "label": "data", "path": "/srv"}


class Plan:
    """One run: status, output, messages."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def json(self) -> Any:
        """The output, with `--json`."""
        return valid("plan", self.out)


@pytest.fixture
def plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Plan a config for images."""

    def run(config: Mapping[str, Any] | str, images: Sequence[Path], *arguments: str) -> Plan:
        path = tmp_path / "config.ign"
        path.write_text(config if isinstance(config, str) else json.dumps({**SPEC, **config}, indent=1))
        named = [f"--image={','.join(map(str, images))}"] if images else []
        status = main(["plan", str(path), *named, *arguments])
        said = capsys.readouterr()
        return Plan(status, said.out, said.err)

    return run


def test_empty_config_has_nothing_to_do(plan: Any, system: Path) -> None:
    found = plan({}, [system])
    # ROOT grows whatever the config says: the only change, by which nothing is lost.
    assert found.status == 2
    assert "~ 2  ROOT        64 MiB → 222.98 MiB  ext4 'ROOT'  grown" in found.out
    assert found.out.endswith("nothing is lost.\n")


def test_grown_root_is_left_alone(plan: Any, make_image: MakeImage) -> None:
    assert plan({}, [make_image("blank")]).status == 0


def test_partitions_and_file_systems_of_a_blank_disk(plan: Any, system: Path, make_image: MakeImage) -> None:
    found = plan({"storage": {"disks": [DATA], "filesystems": [ON_DATA]}}, [system, make_image("data")], "--json")
    assert found.status == 2
    disk = next(one for one in found.json["disks"] if one["device"] == "/dev/vdb")
    assert [(one["number"], one["label"], one["size"] >> 20, one["content"], one["fate"]) for one in disk["after"]] == [
        (1, "data", 16, "ext4 'data'", "made"),
        (2, "rest", 46, "", "made"),
    ]
    assert disk["before"] == []
    assert found.json["lost"] == []
    assert [(one["stage"], one["operation"]) for one in found.json["operations"]][:6] == [
        ("disks", "partition"),
        ("disks", "inspect"),
        ("disks", "format"),
        ("disks", "settle"),
        ("grow", "grow-partition"),
        ("grow", "grow-filesystem"),
    ]


def test_what_a_wiped_disk_held_is_named_in_red_words(plan: Any, system: Path, make_image: MakeImage, tmp_path: Path) -> None:
    held = make_image("data", 64, "", {0: (("-L", "photos", tmp_path / "data.raw"), {})})
    config = {"storage": {"disks": [{**DATA, "wipeTable": True}]}}
    found = plan(config, [system, held])
    assert found.status == 3
    assert "- /dev/vdb: ext4 'photos' (64 MiB)\n" in found.out
    assert found.out.rstrip().endswith("1 with data to LOSE.")


def test_partition_that_is_deleted_is_lost_by_number_label_kind_and_size(
    plan: Any, make_image: MakeImage, tmp_path: Path
) -> None:
    script = "label: gpt\nstart=2048, size=32768, name=photos\n"
    held = make_image("vda", 64, script, {1 << 20: (("-L", "album", tmp_path / "vda.raw", "16M"), {})})
    gone = {"device": "/dev/vda", "partitions": [{"number": 1, "shouldExist": False, "wipePartitionEntry": True}]}
    found = plan({"storage": {"disks": [gone]}}, [held], "--json")
    assert (found.status, found.json["lost"]) == (3, ["/dev/vda partition 1 'photos': ext4 'album' (16 MiB)"])


def test_table_that_is_made_anew_in_the_same_place_keeps_the_file_system(
    plan: Any, make_image: MakeImage, tmp_path: Path
) -> None:
    """A table does not erase what lies in its partitions, and the stage finds it there: as in the boot, nothing is formatted."""
    script = "label: gpt\nstart=2048, size=32768, name=data\n"
    held = make_image("vda", 64, script, {1 << 20: (("-L", "data", tmp_path / "vda.raw", "16M"), {})})
    disk = {"device": "/dev/vda", "wipeTable": True, "partitions": [{"number": 1, "label": "data", "sizeMiB": 16}]}
    found = plan({"storage": {"disks": [disk], "filesystems": [{**ON_DATA, "path": None}]}}, [held], "--json")
    [made] = [one for one in found.json["operations"] if one["operation"] == "format"]
    assert made["already"] is True


def test_boot_that_would_fail_shows_the_line_of_the_author(plan: Any, system: Path, make_image: MakeImage) -> None:
    disk = {"device": "/dev/vdb", "partitions": [{"label": "data", "number": 1, "sizeMiB": 4096}]}
    found = plan({"storage": {"disks": [disk]}}, [system, make_image("data")])
    assert found.status == 1
    assert "the boot would fail in stage disks: partition 1 of /dev/vdb does not fit" in found.err
    assert re.search(r"^ +\d+ \| .*\"(label|number|sizeMiB)\"", found.err, re.MULTILINE)
    assert "fix: make it smaller (at most 62 MiB, or 0 for all of it), or use a larger disk" in found.err
    assert "Plan: incomplete, since the boot would fail in stage disks." in found.out


def test_several_configs_are_planned_as_one_with_the_place_of_each(plan: Any, system: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.ign"
    storage = {"files": [{"path": "/etc/more", "contents": {"source": "data:,more"}}], "links": [{"path": "/bin", "target": "x"}]}
    more.write_text(json.dumps({**SPEC, "storage": storage}))
    found = plan({"storage": {"files": [{"path": "/etc/new"}]}}, [system], str(more))
    assert re.search(r"\+ file +/etc/new .*\(.*config\.ign:\d+:\d+\)", found.out)
    assert re.search(rf"\+ file +/etc/more .*\({more}:1:\d+\)", found.out)
    more.write_text(json.dumps({**SPEC, "storage": {"disks": [{"device": "/dev/none", "wipeTable": True}]}}))
    found = plan({}, [system], str(more))
    assert found.status == 1
    assert re.match(rf"{more}:1:\d+: error: the boot would fail in stage disks: no such device .*: /dev/none", found.err)


def test_missing_disk_names_those_that_there_are(plan: Any, system: Path) -> None:
    found = plan({"storage": {"disks": [{"device": "/dev/nvme0n1", "wipeTable": True}]}}, [system])
    assert found.status == 1
    assert "no such device after 90 s: /dev/nvme0n1" in found.err
    assert "there is /dev/vda (256 MiB)" in found.err


@pytest.mark.parametrize(
    ("path", "mode", "shown"),
    [("/etc/motd", 0o644, True), ("/etc/new", 0o644, True), ("/etc/token", 0o600, False)],
)
def test_contents_that_everyone_may_read_are_shown(plan: Any, system: Path, path: str, mode: int, shown: bool) -> None:
    file = {"path": path, "mode": mode, "overwrite": True, "contents": {"source": "data:,planted-secret%0A"}}
    config = {"storage": {"files": [file]}}
    assert ("+planted-secret" in plan(config, [system]).out) is shown
    assert "+planted-secret" in plan(config, [system], "--show-contents").out


def test_secret_of_the_image_is_not_shown_when_it_is_replaced(plan: Any, system: Path) -> None:
    """The new content may be public; that of the file it replaces is not."""
    subprocess.run(["debugfs", "-w", "-R", "sif /etc/motd mode 0100600", f"{system}?offset=34603008"], check=True)
    file = {"path": "/etc/motd", "mode": 0o644, "overwrite": True, "contents": {"source": "data:,public%0A"}}
    found = plan({"storage": {"files": [file]}}, [system])
    assert "-Welcome" not in found.out
    assert "content not shown (--show-contents)" in found.out


def test_file_in_the_way_fails_as_in_the_boot(plan: Any, system: Path) -> None:
    file = {"path": "/etc/motd", "contents": {"source": "data:,other"}}
    found = plan({"storage": {"files": [file]}}, [system])
    assert found.status == 1
    assert "the boot would fail in stage files: /etc/motd already exists with other content" in found.err
    assert "fix: set overwrite, or choose another path" in found.err
    same = {"path": "/etc/motd", "contents": {"source": "data:,Welcome%0A"}}
    assert plan({"storage": {"files": [same]}}, [system]).status == 2


@pytest.mark.parametrize(
    ("storage", "failure"),
    [
        ({"directories": [{"path": "/etc/motd"}]}, "/etc/motd exists and is not a directory"),
        ({"links": [{"path": "/etc/motd", "target": "/etc/issue"}]}, "/etc/motd already exists"),
        ({"links": [{"path": "/etc/hard", "target": "/etc/none", "hard": True}]}, "/etc/none, the target of /etc/hard, does not"),
        ({"files": [{"path": "/etc", "contents": {"source": "data:,x"}}]}, "/etc exists and is not a regular file"),
    ],
)
def test_obstacles_in_the_root(plan: Any, system: Path, storage: Mapping[str, Any], failure: str) -> None:
    found = plan({"storage": storage}, [system])
    assert (found.status, failure in found.err) == (1, True), found.err


def test_hard_link_to_another_file_fails_as_in_the_boot(plan: Any, system: Path) -> None:
    links = [
        {"path": "/etc/issue", "target": "/etc/motd", "hard": True},
        {"path": "/etc/motd2", "target": "/etc/motd", "hard": True},
    ]
    offset = f"{system}?offset={ROOT_AT}"
    subprocess.run(["debugfs", "-w", "-R", "ln /etc/motd /etc/motd2", offset], check=True, capture_output=True)
    assert plan({"storage": {"links": links[1:]}}, [system], "--json").json["failure"] is None
    subprocess.run(["debugfs", "-w", "-R", f"write {__file__} /etc/issue", offset], check=True, capture_output=True)
    failure = plan({"storage": {"links": links}}, [system], "--json").json["failure"]
    assert "/etc/issue already exists" in failure["what"]


def test_new_user_owns_files_that_come_later(plan: Any, system: Path) -> None:
    config = {
        "passwd": {"users": [{"name": "core", "groups": ["sudo"], "sshAuthorizedKeys": ["ssh-ed25519 AAAA"]}]},
        "storage": {"files": [{"path": "/home/core/note", "user": {"name": "core"}, "group": {"name": "core"}, "mode": 0o640}]},
    }
    changes = {(one["kind"], one["name"]): one for one in plan(config, [system], "--json").json["changes"]}
    assert changes["file", "/home/core/note"]["uid"] == 1000
    assert changes["user", "core"]["change"] == "add"
    assert changes["SSH keys", "/home/core/.ssh/authorized_keys"]["change"] == "add"


def test_unknown_owner_fails(plan: Any, system: Path) -> None:
    found = plan({"storage": {"files": [{"path": "/etc/x", "user": {"name": "nobody-here"}}]}}, [system])
    assert found.status == 1
    assert "the new root has no user 'nobody-here'" in found.err


def test_nothing_is_written_and_no_byte_changes(tmp_path: Path, system: Path, make_image: MakeImage) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is missing")
    data = make_image("data", 64, "label: gpt\nsize=32768, name=photos\n")
    config = tmp_path / "config.ign"
    storage = {"disks": [{**DATA, "wipeTable": True}], "filesystems": [ON_DATA], "files": [{"path": "/etc/x"}]}
    config.write_text(json.dumps({**SPEC, "storage": storage, "passwd": {"users": [{"name": "core"}]}}))
    digests = [hashlib.sha512(path.read_bytes()).digest() for path in (system, data)]
    log = tmp_path / "strace"
    argv = [
        "strace",
        "-f",
        "-o",
        str(log),
        "-e",
        "trace=open,openat,openat2,creat",
        sys.executable,
        "-B",
        "-m",
        "ignition.cli.ignition",
    ]
    done = subprocess.run(
        [*argv, "plan", str(config), f"--image={system},{data}"], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    written = [line for line in log.read_text().splitlines() if re.search(r"O_WRONLY|O_RDWR|O_CREAT|creat\(", line)]
    assert [line for line in written if "/dev/null" not in line and "ENOENT" not in line] == []
    assert [hashlib.sha512(path.read_bytes()).digest() for path in (system, data)] == digests


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_person_at_a_terminal_sees_what_takes_long_but_not_with_json(
    arguments: list[str], system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.ign"
    config.write_text(json.dumps(SPEC))
    monkeypatch.setattr(progress, "ON_TERMINAL_S", 0.001)
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    progress.to(None)
    assert main(["plan", str(config), f"--image={system}", *arguments]) == 2
    progress.to(None)
    told = stream.getvalue().splitlines()
    # Which of its parts lasts for a millisecond depends on the machine's load.
    assert all(re.fullmatch(r"ignition plan: working: .+, [0-9]+ s so far(, at most .+)?(; .+)?", line) for line in told), told
    assert bool(told) is (arguments == [])


def test_page_has_everything_in_it(plan: Any, system: Path, tmp_path: Path) -> None:
    page = tmp_path / "plan.html"
    found = plan(
        {"storage": {"files": [{"path": "/etc/motd", "overwrite": True, "contents": {"source": "data:,%3Cb%3E"}}]}},
        [system],
        f"--html={page}",
    )
    assert page.exists(), found.err
    text = page.read_text()
    assert "/etc/motd" in text
    assert "&lt;b&gt;" in text
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "-", "-"], "standard input (-) can be given only once"),
        (["plan", "--host", "--facts=x", "a"], "-host, -image and -facts exclude each other: a plan is for one machine"),
    ],
)
def test_usage_has_a_status_of_its_own(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 64
    assert message in capsys.readouterr().err


def test_image_that_cannot_be_read_is_one_line(plan: Any, tmp_path: Path) -> None:
    image = tmp_path / "disk.ova"
    image.write_bytes(bytes(257) + b"ustar" + bytes(1 << 20))
    found = plan({}, [image])
    assert (found.status, found.out) == (1, "")
    assert found.err == (
        f"ignition plan: {image}: the image is compressed or packed: tar (an OVA is one) (fix: unpack it: tar -xf {image})\n"
    )


def test_encrypted_volume_is_opened_and_kept(plan: Any, system: Path, make_image: MakeImage) -> None:
    """Its content is closed until the boot, and assumed to be as the config wants it."""
    data = make_image("data")
    fast = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000")
    argv = ["cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", *fast, str(data), "-"]
    subprocess.run(argv, input=b"secret", check=True)
    volume = {"name": "given", "device": "/dev/vdb", "keyFile": {"source": "data:,secret"}}
    config = {"storage": {"luks": [volume], "filesystems": [{"device": "/dev/mapper/given", "format": "ext4"}]}}
    found = plan(config, [system, data], "--json").json
    assert found["failure"] is None
    changes = {(one["kind"], one["name"]): one["change"] for one in found["changes"]}
    assert changes["encrypted volume", "given"] == changes["file system", "/dev/mapper/given"] == "same"
    assert [one["already"] for one in found["operations"] if one["operation"] == "luks-finish"] == [True]
    assert "/dev/mapper/given is closed: it is assumed to be as the config wants it" in found["notes"]


def test_encrypted_volume_that_is_new(plan: Any, system: Path, make_image: MakeImage) -> None:
    volume = {"name": "made", "device": "/dev/vdb"}
    config = {"storage": {"luks": [volume], "filesystems": [{"device": "/dev/mapper/made", "format": "ext4"}]}}
    found = plan(config, [system, make_image("data")], "--json").json
    assert found["failure"] is None
    done = [(one["operation"], one["already"]) for one in found["operations"] if one["stage"] == "disks"]
    assert done == [
        ("inspect", False),
        ("luks-format", False),
        ("luks-open", False),
        ("inspect", False),
        ("format", False),
        ("settle", False),
    ]
    assert [one["already"] for one in found["operations"] if one["operation"] == "luks-finish"] == [False]
    assert [one["operation"] for one in found["operations"] if one["operation"].startswith("write-")] == [
        "write-key",
        "write-crypttab",
        "write-result",
    ]


def test_sealed_values_are_planned_without_being_opened(plan: Any, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Headers of {"clevis":{"pin":"tpm2"}} and {"clevis":{"pin":"tang","tang":{"url":"http://u:p@tang.example/"}}}.
    tpm = "eyJjbGV2aXMiOnsicGluIjoidHBtMiJ9fQ..aXY.dGV4dA.dGFn"
    tang = "eyJjbGV2aXMiOnsicGluIjoidGFuZyIsInRhbmciOnsidXJsIjoiaHR0cDovL3U6cEB0YW5nLmV4YW1wbGUvIn19fQ..aXY.dGV4dA.dGFn"
    file = {"path": "/etc/key", "contents": {"source": f"data:,{tang}", "x-coreos": {"sealed": True}}}
    user = {"name": "core", "x-coreos": {"sealedPasswordHash": tpm}}
    volume = {"name": "v", "device": "/dev/vdb", "keyFile": {"source": f"data:,{tpm}", "x-coreos": {"sealed": True}}}
    blank = system.parent / "blank.raw"
    blank.touch()
    os.truncate(blank, 64 << 20)
    config = {"passwd": {"users": [user]}, "storage": {"files": [file], "luks": [volume]}}

    def never(*_: object, **__: object) -> bytes:
        raise AssertionError("a plan starts clevis")

    monkeypatch.setattr("ignition.host.command.output", never)
    found = plan(config, [system, blank])
    assert found.status == 2, found.out + found.err
    assert "content sealed (tang http://tang.example/)" in found.out
    assert "set the sealed password of user core (tpm2)" in found.out
    assert "key sealed (tpm2)" in found.out
    assert "u:p" not in found.out + found.err


@pytest.mark.parametrize(("in_image", "line", "says"), [
    (True, "ignition.config.verify=off", ["/usr/lib/ignition/config-verify of the image requires signatures, which"]),
    (False, "ignition.config.verify=required", ["ignition.config.verify=required requires signatures, which"]),
    (False, "ignition.config.digest=sha256-12", ["ignition.config.digest=sha256-12 accepts one first config only, which"]),
    (False, "quiet", []),
])  # fmt: skip
def test_demands_on_the_first_config_are_noted(
    plan: Any, make_image: MakeImage, tmp_path: Path, in_image: bool, line: str, says: list[str]
) -> None:
    nodes = {**NODES, **({"usr/lib/ignition/config-verify": "required\n"} if in_image else {})}
    raw = make_image("demands", 256, SYSTEM, {ROOT_AT: (("-L", "ROOT", tmp_path / "demands.raw", "64M"), nodes)})
    found = plan({}, [raw], "--kernel-arguments", line, "--json").json
    notes = [note for note in found["notes"] if "the plan does not" in note]
    assert [note[: len(wanted)] for note, wanted in zip(notes, says, strict=True)] == says
