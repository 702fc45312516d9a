"""Details that the corpus does not show: options, the command line, scripts that run, secrets."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ignition.cli.from_cloud_config import main
from ignition.from_cloud_config import translate
from ignition.from_cloud_config.work import Options
from tests.secrets.laboratory import secret_of
from tests.secrets.test_cloud_config import DOCUMENTS, FAULTS, text_of

HASH = "$6$rounds=4096$saltsalt$GkzTkpx0hTkZ1H7H0sQdXfX9m6hQyX8oO2hQ5wC1y0v4mB3n2J1k0L9a8S7d6F5g4H3j2K1l0Z9x8C7v6B5n41"


def made(text: str, **options: object) -> dict[str, dict[str, list[dict[str, object]]]]:
    done = translate(f"#cloud-config\n{text}\n".encode(), name="", options=Options(**options))  # type: ignore[arg-type]
    assert done.text is not None, str(done.report)
    document = yaml.safe_load(done.text)
    assert isinstance(document, dict)
    return document


def file_of(document: dict[str, dict[str, list[dict[str, object]]]], path: str) -> str:
    contents = next(file for file in document["storage"]["files"] if file["path"] == path)["contents"]
    assert isinstance(contents, dict)
    return str(contents["inline"])


def test_script_passes_words_of_a_list_unchanged(tmp_path: Path) -> None:
    words = ["printf", "<%s>\\n", "a b", "it's", "$HOME", '"q"', "*", "", "\\"]
    script = file_of(made(f"runcmd: {json.dumps([words, 'echo $((1 + 1))'])}"), "/usr/local/libexec/cloud-config/runcmd")
    (tmp_path / "script").write_text(script, encoding="utf-8")
    done = subprocess.run(["sh", str(tmp_path / "script")], capture_output=True, text=True, check=True)
    assert done.stdout == '<a b>\n<it\'s>\n<$HOME>\n<"q">\n<*>\n<>\n<\\>\n2\n'


@pytest.mark.parametrize(
    ("condition", "runs"), [("'true'", True), ("'exit 1'", False), ("[test, -e, /nowhere]", False), ("true", True)]
)
def test_condition_decides_about_the_power_state(condition: str, runs: bool, tmp_path: Path) -> None:  # noqa: FBT001
    document = made(f"power_state: {{mode: reboot, delay: 3, message: so long, condition: {condition}}}")
    script = file_of(document, "/usr/local/libexec/cloud-config/power-state")
    (tmp_path / "shutdown").write_text('#!/bin/sh\nprintf "<%s>" "$@"\n', encoding="utf-8")
    (tmp_path / "shutdown").chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, check=False, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}
    )
    assert done.stdout == ("<-r><+3><so long>" if runs else "")


def test_default_user_gets_keys_of_the_top_level() -> None:
    document = made("ssh_authorized_keys: [ssh-ed25519 AAAA a]\ndisable_root: false", default_user="debian")
    keys = {user["name"]: user.get("ssh_authorized_keys") for user in document["passwd"]["users"]}
    assert keys == {"debian": ["ssh-ed25519 AAAA a"], "root": ["ssh-ed25519 AAAA a"]}


def test_settings_of_the_default_user_are_merged() -> None:
    document = made(f"users: [default, {{name: debian, lock_passwd: false, passwd: {HASH}}}]", default_user="debian")
    assert document["passwd"]["users"] == [{"name": "debian", "shell": "/bin/bash", "password_hash": HASH}]


def test_percentages_need_the_size_of_the_disk() -> None:
    text = "disk_setup: {sdb: {table_type: gpt, layout: [30, [70, 82]]}}"
    assert "storage" not in made(text)
    (disk,) = made(text, disk_sizes={"/dev/sdb": 1000})["storage"]["disks"]
    sizes = [partition.get("size_mib") for partition in disk["partitions"]]  # type: ignore[attr-defined]
    assert (disk["device"], sizes) == ("/dev/sdb", [300, None])


def test_later_file_replaces_an_earlier_one() -> None:
    document = made("timezone: Europe/Berlin\nwrite_files: [{path: /etc/timezone, content: mine, permissions: '0600'}]")
    assert [file["mode"] for file in document["storage"]["files"]] == [0o600]


@pytest.mark.parametrize(
    "arguments",
    [
        ["a", "b"],
        ["-disk-size", "sdb=1G", "-"],
        ["-disk-size", "/dev/sdb=1", "-"],
        ["-disk-size", "/dev/sdb", "-"],
        ["-no-such", "-"],
    ],
)
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().out == ""


def test_missing_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([str(tmp_path / "none")]) == 1
    assert "No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_standard_input(arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"#cloud-config\nhostname: a\nsnap: {}\n")))
    assert main(arguments) == 3
    printed = capsys.readouterr()
    assert "path: /etc/hostname" in printed.out
    assert printed.err.startswith("standard input:3:1: warning: snap: not translated: ")


SECRETS = DOCUMENTS | {
    name: (f"#cloud-config\n{text}\n", {})
    for name, text in {
        "plain": "users: [{name: a, plain_text_passwd: '@SECRET@', lock_passwd: false}]",
        "not-a-hash": "users: [{name: a, passwd: '@SECRET@', lock_passwd: false}]",
        "chpasswd-users": "chpasswd: {users: [{name: a, password: '@SECRET@', type: text}]}",
        "top-password": "password: '@SECRET@'",
        "host-key": "ssh_keys: {rsa_private: '@SECRET@'}",
        "wireguard": "wireguard: {interfaces: [{name: wg0, config_path: /etc/a, content: '@SECRET@'}]}",
        "source": "write_files: [{path: /etc/a, source: {uri: 'ftp://u:@SECRET@@h/x', headers: {A: '@SECRET@'}}}]",
        "source-taken": "write_files: [{path: /etc/a, source: {uri: 'https://u:@SECRET@@h:x/y'}}]",
        "landscape": "landscape: {client: {registration_key: '@SECRET@'}}",
        "mount-options": "mounts: [[//h/s, /m, cifs, 'password=@SECRET@,x-@SECRET@']]",
        "package": "packages: [['@SECRET@ ', '@SECRET@', 1]]",
    }.items()
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", SECRETS)
def test_messages_do_not_have_values(name: str, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = secret_of(f"from-cloud-config {name} {fault}")
    document = tmp_path / "document"
    document.write_bytes(text_of(SECRETS[name][0], fault, secret))
    assert main(["-packages", "-default-user", "core", str(document)]) in (0, 1, 3)
    assert secret not in capsys.readouterr().err


def test_default_user_keeps_the_rule_of_the_image() -> None:
    document = made("ssh_authorized_keys: [ssh-ed25519 AAAA a]\nuser: {name: op, shell: /bin/sh}")
    assert file_of(document, "/etc/sudoers.d/90-cloud-config") == "op ALL=(ALL) NOPASSWD:ALL\n"


@pytest.mark.parametrize("written", ["null", "false", "''"])
def test_default_user_without_a_rule(written: str) -> None:
    assert "storage" not in made(f"user: {{name: op, sudo: {written}}}")
