"""The schemas of Butane and Container Linux Config take what the programs take, and refuse what has the wrong shape for them."""

import json
import random
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ignition.cli.ct import read_local
from ignition.config.report import ERROR
from ignition.config.text import yaml_text
from ignition.config.text.yaml_nodes import plain
from ignition.errors import Failure
from ignition.transpile import butane, reading
from ignition.transpile import schema as schemas
from ignition.transpile.butane.variants import VARIANTS
from ignition.transpile.ct import dynamic
from ignition.transpile.ct import run as ct
from ignition.transpile.ct.model import VERSION, ContainerLinuxConfig
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
from tests.transpile.butane.test_corpus import files as butane_files

__all__ = ["butane_files"]
CORPUS = Path(__file__).parent / "corpus"
FILES = str(CORPUS / "files")
BUTANE = sorted((CORPUS / "butane").glob("*.yaml"))
CT = sorted((CORPUS / "ct").glob("*.yaml"))
SCHEMAS = {pair: schemas.butane(*pair) for pair in VARIANTS}
VALIDATORS = {pair: jsonschema.Draft7Validator(made) for pair, made in SCHEMAS.items()}
CT_SCHEMA = schemas.container_linux_config()
CT_VALIDATOR = jsonschema.Draft7Validator(CT_SCHEMA)
TAKEN, SHAPE, RULE = "taken", "shape", "rule"


def butane_verdict(text: bytes, files: str) -> str:
    """What the program makes of a document of a known variant: SHAPE is an unknown key or a wrong type."""
    document = yaml_text.read(text, butane.POLICY)
    data: Any = plain(document.root)
    variant = VARIANTS[data["variant"], data["version"]]
    read = reading.read(variant.document, document.root, variant.spec)
    if read.wrong or read.unknown:
        return SHAPE
    return TAKEN if butane.translate(text, name="x", files_dir=files).text is not None else RULE


def ct_verdict(text: bytes) -> str:
    read = reading.read(ContainerLinuxConfig, yaml_text.read(text, ct.POLICY).root, VERSION, tilde_is_zero=True)
    if read.wrong or read.unknown:
        return SHAPE
    source = ct.Source("x", text)
    if any(entry.level == ERROR for entry in source.report.entries):
        return RULE
    made = source.translated(dynamic.named("custom"), lambda name: read_local(FILES, name))
    return RULE if made.generated is None else TAKEN


def tree(path: Path, policy: yaml_text.Policy) -> yaml_text.Document | None:
    try:
        return yaml_text.read(path.read_bytes(), policy)
    except yaml_text.NotYaml:
        return None


def pair_of(data: Any) -> Any:
    """Variant and version, if they are ours."""
    pair = (data.get("variant"), data.get("version")) if isinstance(data, dict) else None
    return pair if pair and all(isinstance(part, str) for part in pair) and pair in VARIANTS else None


def agree(validator: jsonschema.Draft7Validator, verdict: str, *readings: Any) -> None:
    for data in readings:
        errors = [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(data)]
        if verdict == TAKEN:
            assert errors == []
        elif verdict == SHAPE:
            assert errors != []


@pytest.mark.parametrize("path", BUTANE, ids=lambda path: path.stem)
def test_butane_document_of_the_corpus(path: Path, butane_files: Path) -> None:
    document = tree(path, butane.POLICY)
    data = plain(document.root) if document else None
    pair = pair_of(data)
    if document and pair:
        verdict = butane_verdict(path.read_bytes(), str(butane_files))
        agree(VALIDATORS[pair], verdict, data, read_as_1_2(document.root))


@pytest.mark.parametrize("path", CT, ids=lambda path: path.stem)
def test_ct_document_of_the_corpus(path: Path) -> None:
    document = tree(path, ct.POLICY)
    if document:
        agree(CT_VALIDATOR, ct_verdict(path.read_bytes()), plain(document.root), read_as_1_2(document.root))


def test_butane_document_that_went_wrong(butane_files: Path) -> None:
    chance, seen = random.Random(12), {TAKEN: 0, SHAPE: 0, RULE: 0}
    for path in BUTANE:
        document = tree(path, butane.POLICY)
        data = plain(document.root) if document else None
        pair = pair_of(data)
        for place, what, mutant in mutants(data, chance, 12) if pair else ():
            if pair_of(mutant) != pair:
                assert not VALIDATORS[pair].is_valid(mutant)
                continue
            verdict = butane_verdict(json.dumps(mutant, ensure_ascii=False).encode(errors="replace"), str(butane_files))
            compare(VALIDATORS[pair], SCHEMAS[pair], verdict, (path.stem, place, what), mutant)
            seen[verdict] += 1
    assert min(seen.values()) > 100, seen


def test_ct_document_that_went_wrong() -> None:
    chance, seen = random.Random(12), {TAKEN: 0, SHAPE: 0, RULE: 0}
    for path in CT:
        document = tree(path, ct.POLICY)
        for place, what, mutant in mutants(plain(document.root), chance, 12) if document else ():
            verdict = ct_verdict(json.dumps(mutant, ensure_ascii=False).encode(errors="replace"))
            compare(CT_VALIDATOR, CT_SCHEMA, verdict, (path.stem, place, what), mutant)
            seen[verdict] += 1
    assert min(seen.values()) > 100, seen


def compare(validator: jsonschema.Draft7Validator, schema: Any, verdict: str, about: tuple[str, Any, str], mutant: Any) -> None:
    refused = not validator.is_valid(mutant)
    is_out_of_words = verdict == RULE and about[2] == "word" and has_words(form_at(schema, about[1]))
    assert not (verdict == TAKEN and refused), about
    assert not ((verdict == SHAPE or is_out_of_words) and not refused), about


@pytest.mark.parametrize("made", [*SCHEMAS.values(), CT_SCHEMA], ids=[*(" ".join(pair) for pair in VARIANTS), "ct"])
def test_schema_is_one_and_describes_every_member(made: dict[str, Any]) -> None:
    jsonschema.Draft7Validator.check_schema(made)
    assert made["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert made["title"]
    assert "$id" not in made
    all_members = list(members(made))
    assert len(all_members) > 100
    assert [path for path, form in all_members if len(form.get("description", "")) < 3] == []
    assert [pattern for pattern in patterns(made) if not is_portable(pattern)] == []
    assert keywords(made) - KEYWORDS == set()


@pytest.mark.parametrize(
    "made", [SCHEMAS["fcos", "1.6.0"], SCHEMAS["flatcar", "1.1.0"], CT_SCHEMA], ids=["fcos", "flatcar", "ct"]
)
def test_each_pattern_has_a_message(made: dict[str, Any]) -> None:
    of_versions = ("^(?:0*", "^[0-9]+[.]")  # conditions
    assert [one for one in without_message(made) if not one.startswith(of_versions)] == []


MEMBERS = [
    ("storage.files.mode", {"description": "in octal, as 0644; default 0644, or kept", "maximum": 7777, "minimum": 0}),
    ("storage.raid.level", {"enum": ["linear", "raid0", "0", "stripe", "raid1", "1", "mirror", "raid4", "4", "raid5", "5",
        "raid6", "6", "raid10", "10", "", 0, 1, 4, 5, 6, 10, None]}),
    ("storage.disks.wipe_table", {"type": ["boolean", "string", "null"], "default": False}),
    ("storage.luks.cex.enabled", {"description": "use a CEX secure key"}),
    ("boot_device.layout", {"enum": ["aarch64", "ppc64le", "s390x-eckd", "s390x-virt", "s390x-zfcp", "x86_64", None]}),
    ("systemd.units.name", {"type": ["string"]}),
    ("passwd.users.gecos", {"type": ["string", "number", "boolean", "null"]}),
]  # fmt: skip


@pytest.mark.parametrize("place, part", MEMBERS, ids=[place for place, _ in MEMBERS])
def test_member_of_butane(place: str, part: dict[str, Any]) -> None:
    form: dict[str, Any] = SCHEMAS["fcos", "1.6.0"]
    for name in place.split("."):
        form = form.get("items", form)["properties"][name]
    assert {key: form.get(key) for key in part} == part


def test_member_is_as_the_older_version_has_it() -> None:
    older, newest = (form_at(SCHEMAS["fcos", version], ("storage", "raid", 0, "level")) for version in ("1.0.0", "1.6.0"))
    assert set(newest["enum"]) - set(older["enum"]) == {""}
    assert form_at(SCHEMAS["fcos", "1.0.0"], ("storage", "links", 0, "target"))["maxLength"] == 4095


OF_CT = [
    ("storage:\n  disks: [{device: /dev/sda, partitions: [{size: 20}]}]", ["20 is greater than the maximum of 0"]),
    ("storage:\n  disks: [{device: /dev/sda, partitions: [{size: 20GiB, start: 0, type_guid: swap_partition}]}]", []),
    ("storage:\n  disks: [{device: /dev/sda, partitions: [{type_guid: swap}]}]", ["'swap' does not match"]),
    ("locksmith: {reboot_strategy: Off}", []),
    ("locksmith: {reboot_strategy: never}", ["'never' does not match"]),
    ("locksmith: {window_start: 24:00, window_length: 1x}", ["'1x' does not match", "'24:00' does not match"]),
    ("locksmith: {window_start: thu 4:00, window_length: 1h30m}", []),
    ("etcd: {version: 3.1.0, metrics: basic, enable_v2: true}", ["('enable_v2' was unexpected)"]),
    ("etcd: {version: 3.2.0, enable_v2: true}", []),
    ("etcd: {version: 03.02.7, enable_v2: true, no_such_option: 1}", ["('no_such_option' was unexpected)"]),
    ("etcd: {version: 2.3.7, wal_dir: /x, auto_tls: true}", ["('auto_tls' was unexpected)"]),
    ("etcd: {version: 3, wal_dir: /x}", ["3 is not of type 'string', 'null'", "('wal_dir' was unexpected)"]),
    ("ignition: {config: {replace: {verification: {hash: {function: md5, sum: a}}}}}", ["'md5' is not one of"]),
    ("ignition: {config: {replace: {verification: {hash: {function: md5}}}}}", []),
    ("flannel: {version: 0.7.1, kube_subnet_mgr: true}", []),
    ("flannel: {version: 0.12.0, kube_subnet_mgr: true}", []),
    ("flannel: {kube_subnet_mgr: true, etcd_username: x}", ["('kube_subnet_mgr' was unexpected)"]),
    ("systemd: {units: [{name: a.servis}]}", ["'a.servis' does not match"]),
    ("passwd: {groups: [{name: a, gid: -1}]}", ["-1 is less than the minimum of 0"]),
]  # fmt: skip


@pytest.mark.parametrize("text, wanted", OF_CT, ids=[text for text, _ in OF_CT])
def test_errors_of_ct(text: str, wanted: list[str]) -> None:
    data = read_as_1_2(yaml_text.read(text.encode(), ct.POLICY).root)
    said = sorted(error.message for error in CT_VALIDATOR.iter_errors(data))
    assert len(said) == len(wanted), said
    assert all(any(part in message for message in said) for part in wanted), said


def test_deprecated_members_of_ct_say_what_to_use() -> None:
    unit = CT_SCHEMA["properties"]["systemd"]["properties"]["units"]["items"]["properties"]["enable"]
    assert (unit["deprecated"], unit["deprecationMessage"]) == (True, "use enabled")
    mount = CT_SCHEMA["properties"]["storage"]["properties"]["filesystems"]["items"]["properties"]["mount"]["properties"]
    assert mount["create"]["deprecationMessage"] == "use wipe_filesystem, label, uuid and options"


def test_messages_do_not_speak_of_ignitions_versions() -> None:
    source = form_at(SCHEMAS["fcos", "1.6.0"], ("storage", "files", 0, "contents", "source"))
    assert source["patternErrorMessage"] == "URL: http, https, data, tftp, s3, gs, arn"


def test_variant_that_refuses_a_member_takes_it_empty() -> None:
    document = {"variant": "flatcar", "version": "1.1.0", "storage": {"luks": [{"name": "a", "clevis": {"tang": []}}]}}
    validator = VALIDATORS["flatcar", "1.1.0"]
    assert validator.is_valid(document)
    document["storage"]["luks"][0]["clevis"]["tpm2"] = True  # type: ignore[index]  # plain data
    assert [error.message for error in validator.iter_errors(document)] == ["True is not one of [None]"]


@pytest.mark.parametrize(
    "pair, message",
    [
        (("fcos", "1.6"), "no schema for version 1.6 of Butane's variant fcos (fix: did you mean 1.6.0? one of 1.0.0, "),
        (("fcos", "9.9.9"), "no schema for version 9.9.9 of Butane's variant fcos (fix: one of 1.0.0, "),
        (("fcos", ""), "name a version of Butane's variant fcos (fix: one of 1.0.0, "),
        (("flatcr", "1.0.0"), "no schema for Butane's variant flatcr (fix: did you mean flatcar? one of flatcar, fcos)"),
        (
            ("openshift", "4.20.0"),
            "no schema for Butane's variant openshift (fix: openshift is a variant of Butane that this program does not",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_unknown_variant_or_version(pair: tuple[str, str], message: str) -> None:
    with pytest.raises(Failure) as caught:
        schemas.butane(*pair)
    assert str(caught.value).startswith(message)
