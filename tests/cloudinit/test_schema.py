"""The schema of cloud-configs takes what coreos-cloudinit has nothing to say about, and refuses what has the wrong shape."""

import ast
import json
import random
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ignition.cloudinit.reading import POLICY
from ignition.cloudinit.schema import cloud_config
from ignition.cloudinit.validate import validate
from ignition.config import service_options
from ignition.config.text import yaml_text
from ignition.config.text.yaml_nodes import plain
from ignition.transpile.schema import container_linux_config
from tests.editors import (
    KEYWORDS,
    form_at,
    has_words,
    is_portable,
    keywords,
    members,
    mutants,
    patterns,
    read_as_1_2,
    without_message,
)

TOP = Path(__file__).parent.parent.parent
SCHEMA = cloud_config()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
HEAD = "#cloud-config\n"
# What the validator says of the shape; a null is one of its wrong types, and absence to all others.
SHAPE = re.compile("unrecognized key|incorrect type for|invalid value")
QUOTED = "system: 'yes'"  # a text to the validator; in YAML 1.2 `yes` is one as well, and the schema cannot refuse it
TAKEN_ALL_THE_SAME = re.compile("deprecated key|discovery URL|repeated key")


def documents() -> list[str]:
    """Those in the tests of this folder, in the manual, and of virtual machines."""
    found = []
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        parts = {
            id(part) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.JoinedStr) for part in node.values
        }
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
                found.append(node.value)
    found += re.findall(r"^```yaml\n(.*?)^```$", (TOP / "docs/coreos-cloudinit.md").read_text(), re.DOTALL | re.MULTILINE)
    found += [path.read_text() for path in sorted((TOP / "vm-tests/cases").rglob("*.yml"))]
    return sorted({text for text in found if text.startswith(HEAD)})


def tree(text: str) -> yaml_text.Document | None:
    try:
        return yaml_text.read(text.encode(errors="replace"), POLICY)
    except yaml_text.NotYaml:
        return None


def verdict(text: str) -> tuple[bool, bool]:
    """Whether there is nothing to say of the document, and whether its shape is wrong."""
    said = [entry.message for entry in validate("x", text.encode(errors="replace")).entries]
    return all(TAKEN_ALL_THE_SAME.match(one) for one in said), any(SHAPE.match(one) for one in said)


def has_null(data: Any) -> bool:
    if isinstance(data, dict | list):
        return any(has_null(value) for value in (data.values() if isinstance(data, dict) else data))
    return data is None


def test_documents_of_the_repository() -> None:
    seen = {"taken": 0, "refused": 0}
    for text in documents():
        document = tree(text)
        if document is None:
            continue
        is_taken, is_misshapen = verdict(text)
        for data in (plain(document.root), read_as_1_2(document.root)):
            errors = [error.message for error in VALIDATOR.iter_errors(data)]
            assert not is_taken or errors == [], text
            assert not is_misshapen or errors or has_null(data) or QUOTED in text, text
        seen["taken"] += is_taken
        seen["refused"] += is_misshapen
    assert min(seen.values()) >= 10, seen


def test_documents_that_went_wrong() -> None:
    chance, seen = random.Random(12), {"taken": 0, "refused": 0}
    for text in documents():
        document = tree(text)
        for place, what, mutant in mutants(read_as_1_2(document.root), chance, 40) if document else ():
            is_taken, is_misshapen = verdict(HEAD + json.dumps(mutant, ensure_ascii=False))
            is_valid, about = VALIDATOR.is_valid(mutant), (text, place, what)
            assert is_valid or not is_taken or place == ("manage_etc_hosts",), about  # refused only when it is applied
            # A number may be how YAML 1.2 reads a mode, or an old reader 10:30.
            assert not is_valid or not is_misshapen or has_null(mutant) or what == "number", about
            assert not is_valid or what != "word" or is_taken or not has_words(form_at(SCHEMA, place)), about
            seen["taken"] += is_taken
            seen["refused"] += is_misshapen
    assert min(seen.values()) > 100, seen


def test_every_key_may_be_written_with_dashes() -> None:
    text = """
ssh-authorized-keys: [ssh-ed25519 A]
write-files: [{path: /a, permissions: 0644, encoding: gzip+base64}]
coreos:
  update: {reboot-strategy: off}
  etcd2: {advertise-client_urls: http://a, heartbeat-interval: 0x10}
  units: [{name: a.service, drop-ins: [{name: b.conf, content: c}]}]
users: [{name: a, no_user-group: yes, primary-group: 0}]
"""
    data = read_as_1_2(yaml_text.read(text.encode(), yaml_text.Policy()).root)
    assert "reboot-strategy" in data["coreos"]["update"]
    assert [error.message for error in VALIDATOR.iter_errors(data)] == []
    data["coreos"]["update"]["reboot-strategy"] = "never"
    data["coreos"]["units"][0]["drop-ins"][0]["label"] = "x"
    assert len(list(VALIDATOR.iter_errors(data))) == 2


def test_every_key_has_a_description() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    all_members = list(members(SCHEMA))
    assert len(all_members) > 150
    assert [path for path, form in all_members if len(form["description"]) < 3] == []
    assert [pattern for pattern in patterns(SCHEMA) if not is_portable(pattern)] == []
    assert keywords(SCHEMA) - KEYWORDS == set()
    assert without_message(SCHEMA) == []


def test_every_option_of_a_service_that_is_described_exists() -> None:
    of_ct = [
        *members(container_linux_config()["properties"]["etcd"]),
        *members(container_linux_config()["properties"]["flannel"]),
    ]
    names = {path.rpartition(".")[2] for path, _ in [*of_ct, *members(SCHEMA["properties"]["coreos"])]}
    for table in (service_options.ETCD, service_options.FLANNEL, service_options.FLEET, service_options.LOCKSMITH):
        assert {one.name for one in table} - names == set()


KEYS = [
    ("coreos.units.command", {"enum": ["start", "stop", "restart", "reload", "try-restart", "reload-or-restart",
        "reload-or-try-restart", "", None]}),
    ("coreos.etcd2.ca_file", {"deprecated": True,
        "deprecationMessage": "ca_file obsoleted by trusted_ca_file and client_cert_auth"}),
    ("coreos.update.reboot_strategy", {"type": ["string", "boolean", "null"], "examples": ["etcd-lock", "reboot", "off"]}),
    ("coreos.etcd2.max_wals", {"type": ["integer", "string", "null"]}),
    ("write_files.permissions", {"pattern": "^(?:0?[0-7]{3,4})?$"}),
    ("manage_etc_hosts", {"enum": ["localhost", "", None]}),
]  # fmt: skip


@pytest.mark.parametrize("place, part", KEYS, ids=[place for place, _ in KEYS])
def test_key(place: str, part: dict[str, Any]) -> None:
    form: dict[str, Any] = SCHEMA
    for name in place.split("."):
        form = form.get("items", form)["properties"][name]
    assert {key: form.get(key) for key in part} == part


@pytest.mark.parametrize(
    "said, is_one", [("Thu 04:00", True), ("sUN 23:59", True), ("4:0", True), ("Day 4:00", False), ("25:00", False)]
)
def test_window_start(said: str, is_one: bool) -> None:
    assert VALIDATOR.is_valid({"coreos": {"locksmith": {"window_start": said}}}) == is_one
