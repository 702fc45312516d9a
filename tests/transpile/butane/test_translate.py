"""What a corpus of documents cannot show well: encodings near their break-even, JSON text, limits, documents on a machine."""

import binascii
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ignition.config import dataurl
from ignition.config.parse import parse
from ignition.transpile.butane import Translation, translate
from ignition.transpile.butane.result import in_document, raw
from ignition.transpile.generated import Generated

NOISE = bytes(range(256)) * 4
NO_FILES = "local file paths are relative to a files directory that must be specified with -d/--files-dir"


def transpiled(body: str, version: str = "1.1.0", *, pretty: bool = False) -> Translation:
    return translate(f"variant: flatcar\nversion: {version}\n{body}".encode(), name="x", files_dir=None, pretty=pretty)


def contents(text: str, more: str = "") -> dict[str, Any]:
    """What becomes of a file with that inline text."""
    body = f"storage:\n  files:\n    - path: /a\n      contents:\n        inline: {json.dumps(text, ensure_ascii=True)}\n{more}"
    done = transpiled(body)
    assert done.text, done
    made: dict[str, Any] = json.loads(done.text)["storage"]["files"][0]["contents"]
    return made


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("", "data:,"),
        ("a-b_c.d!e~f*g'h(i)j", "data:,a-b_c.d!e~f*g'h(i)j"),
        ("a/b", "data:,a%2Fb"),
        ("ü", "data:,%C3%BC"),
        # base64 adds 7 for its name and a third: it is taken only where it is shorter.
        ("  " * 2 + "a", "data:,%20%20%20%20a"),  # 14 against 16
        ("//////", "data:;base64,Ly8vLy8v"),  # 19 against 16
        ("////", "data:,%2F%2F%2F%2F"),  # 13 against 16
        ("/////", "data:,%2F%2F%2F%2F%2F"),  # 16 against 16: not shorter
    ],
)
def test_encoding_of_short_texts(text: str, source: str) -> None:
    assert contents(text) == {"source": source, "compression": ""}


def test_gzip_is_taken_where_it_is_shorter_by_more_than_its_name() -> None:
    chosen = {length: contents("a" * length)["compression"] for length in range(20, 80)}
    packed = {length: len(dataurl.encode(gzip.compress(b"a" * length, mtime=0))) for length in chosen}
    # Headers are equally long, so Python's own gzip tells the length.
    assert chosen == {length: "gzip" if packed[length] + 4 < len("data:,") + length else "" for length in chosen}
    assert set(chosen.values()) == {"", "gzip"}


def test_gzip_header_is_go_s() -> None:
    packed = dataurl.decode(contents("a" * 200)["source"])
    assert packed[:10] == b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"
    assert gzip.decompress(packed) == b"a" * 200
    assert packed == dataurl.decode(contents("a" * 200)["source"])


def test_what_the_user_packed_is_not_packed_again() -> None:
    packed = binascii.b2a_base64(gzip.compress(b"a" * 200)).decode().strip()
    body = f"storage: {{files: [{{path: /a, contents: {{compression: gzip, inline: !!binary {packed}}}}}]}}"
    made = json.loads(transpiled(body).text or "")["storage"]["files"][0]["contents"]
    assert made == {"source": f"data:;base64,{packed}", "compression": "gzip"}
    assert contents("a" * 200, '        compression: ""\n')["compression"] == "gzip"


def test_binary_contents() -> None:
    packed = zlib.compress(NOISE)
    body = f"storage:\n  files:\n    - path: /a\n      contents:\n        inline: !!binary {binascii.b2a_base64(packed).decode()}"
    done = transpiled(body)
    assert done.text
    assert dataurl.decode(json.loads(done.text)["storage"]["files"][0]["contents"]["source"]) == packed


def test_key_order_is_that_of_the_schema() -> None:
    body = (
        "systemd: {units: [{name: a.service, mask: true}]}\n"
        "storage: {files: [{mode: 0644, contents: {inline: a}, user: {id: 1}, path: /a, overwrite: true}]}\n"
        "passwd: {users: [{system: true, shell: /bin/sh, ssh_authorized_keys: [a], should_exist: true, name: a, uid: 1}]}\n"
    )
    assert transpiled(body).text == (
        '{"ignition":{"version":"3.4.0"},"passwd":{"users":[{"name":"a","sshAuthorizedKeys":["a"],"shell":"/bin/sh",'
        '"shouldExist":true,"system":true,"uid":1}]},"storage":{"files":[{"overwrite":true,"path":"/a","user":{"id":1},'
        '"contents":{"compression":"","source":"data:,a"},"mode":420}]},"systemd":{"units":[{"mask":true,"name":"a.service"}]}}'
    )


def test_pretty_text_and_escapes() -> None:
    done = transpiled('passwd: {users: [{name: a, gecos: "<ü&>\\u2028"}]}\n', pretty=True)
    assert done.text == (
        '{\n  "ignition": {\n    "version": "3.4.0"\n  },\n  "passwd": {\n    "users": [\n      {\n'
        '        "gecos": "\\u003cü\\u0026\\u003e\\u2028",\n        "name": "a"\n      }\n    ]\n  }\n}'
    )


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("storage: {files: [{path: /a, contents: {local: a}}]}", "$.storage.files.0.contents.local"),
        ("storage: {trees: [{local: a}]}", "$.storage.trees.0"),
        ("systemd: {units: [{name: a.service, contents_local: a}]}", "$.systemd.units.0.contents_local"),
        ("passwd: {users: [{name: a, ssh_authorized_keys_local: [a, b]}]}", "$.passwd.users.0.ssh_authorized_keys_local"),
        ("ignition: {config: {replace: {local: a}}}", "$.ignition.config.replace.local"),
    ],
)
def test_a_machine_has_no_local_files(body: str, path: str) -> None:
    done = transpiled(body)
    assert [(one.path, one.message) for one in done.report.entries] == [(path, NO_FILES)]
    assert "on the machine itself" in done.report.entries[0].fix


def test_result_is_the_model_too() -> None:
    done = transpiled("kernel_arguments: {should_exist: [quiet]}")
    assert done.config and done.text
    assert done.config == parse(done.text.encode()).config


def test_origins_name_where_each_part_comes_from() -> None:
    done = transpiled("storage: {filesystems: [{device: /dev/vdb, path: /srv, format: xfs, with_mount_unit: true}]}")
    made = ("systemd", "units", 0)
    assert done.origins[(*made, "contents")] == done.origins[made] == ("storage", "filesystems", 0, "with_mount_unit")
    assert done.origins["storage", "filesystems", 0] == ("storage", "filesystems", 0)
    assert done.origins["ignition", "version"] == ("version",)


def test_alias_bomb_ends() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    done = transpiled(bomb)
    assert done.failure.startswith("Error unmarshaling yaml: the document expands")
    assert done.report.entries[0].line


def test_aliases_that_are_cut_off() -> None:
    done = transpiled("storage: *nothing")
    assert raw(done.report) == "error at line 3 col 10: unknown anchor referenced\n"


_CHARACTERS = st.one_of(st.characters(categories=["L", "N", "P", "S", "Zs"]), st.just("\n"))
_NAME = st.text("abc", min_size=1, max_size=3)
_FILE = st.fixed_dictionaries(
    {"path": _NAME.map("/etc/{}".format)},
    optional={
        "mode": st.integers(0, 0o777),
        "contents": st.fixed_dictionaries({"inline": st.text(_CHARACTERS, max_size=50)}),
        "append": st.lists(st.fixed_dictionaries({"inline": st.text("abc")}), max_size=2),
        "user": st.fixed_dictionaries({"id": st.integers(0, 9)}),
    },
)
_UNIT = st.fixed_dictionaries(
    {"name": _NAME.map("{}.mount".format)},
    optional={"enabled": st.booleans(), "mask": st.booleans(), "contents": st.just("[Unit]\n")},
)
_FILESYSTEM = st.fixed_dictionaries(
    {"device": _NAME.map("/dev/{}".format), "format": st.sampled_from(["xfs", "ext4"]), "path": _NAME.map("/{}".format)},
    optional={"with_mount_unit": st.booleans(), "mount_options": st.lists(_NAME, max_size=2)},
)


def _unique(element: st.SearchStrategy[dict[str, Any]], key: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(element, max_size=4, unique_by=lambda one: str(one[key]))


@given(_unique(_FILE, "path"), _unique(_UNIT, "name"), _unique(_FILESYSTEM, "path"))
@settings(max_examples=100, deadline=None)
def test_generated_documents_become_valid_configs(
    files: list[dict[str, Any]], units: list[dict[str, Any]], filesystems: list[dict[str, Any]]
) -> None:
    by_device = {str(one["device"]): one for one in filesystems}
    document = {
        "variant": "flatcar",
        "version": "1.1.0",
        "storage": {"files": files, "filesystems": list(by_device.values())},
        "systemd": {"units": units},
    }
    done = translate(json.dumps(document, ensure_ascii=False).encode(), name="x", files_dir=None)  # JSON is YAML
    assert done.text, raw(done.report)
    assert not done.failure
    data = json.loads(done.text)
    texts = [
        gzip.decompress(content) if one["contents"]["compression"] else content
        for one in data.get("storage", {}).get("files", ())
        if "contents" in one
        for content in [dataurl.decode(one["contents"]["source"])]
    ]
    assert texts == [one["contents"]["inline"].encode() for one in files if "contents" in one]
    wanted = {unit["name"] for unit in units} | {
        f"{one['path'][1:]}.mount" for one in by_device.values() if one.get("with_mount_unit")
    }
    assert {unit["name"] for unit in data.get("systemd", {}).get("units", ())} == wanted


@pytest.mark.parametrize(
    ("inline", "message"),
    [
        ("", "not an Ignition config: the config is empty"),
        ("#cloud-config\\n", "not an Ignition config: this is a cloud-config, not an Ignition config"),
        ("#!/bin/sh\\n", "not an Ignition config: this is a script, not an Ignition config"),
        ("{", "in this config: the text is cut off after line 1 column 1: 1 bracket is open"),
    ],
)
def test_embedded_text_must_be_a_config(inline: str, message: str) -> None:
    done = transpiled(f'ignition: {{config: {{replace: {{inline: "{inline}"}}}}}}')
    assert [(one.level, one.path, one.message) for one in done.report.entries] == [
        ("error", "$.ignition.config.replace.inline", message)
    ]


def test_name_of_a_local_file_with_nul(tmp_path: Path) -> None:
    text = b'variant: flatcar\nversion: 1.1.0\nstorage: {files: [{path: /a, contents: {local: "a\\0b"}}]}\n'
    done = translate(text, name="x", files_dir=str(tmp_path))
    assert raw(done.report) == (
        "error at $.storage.files.0.contents.local, line 3 col 48: the name of a local file contains a NUL character\n"
    )


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("duplicate: files.1 has it", "duplicate: files.0 has it"),
        ("like files.0", "like grub.users"),
        ("version.1 and files.7 stay", "version.1 and files.7 stay"),
    ],
)
def test_entries_are_called_as_in_the_document(message: str, words: str) -> None:
    made = Generated(origins={("storage", "files", 0): ("grub", "users"), ("storage", "files", 1): ("storage", "files", 0)})
    assert in_document(message, ("storage", "links", 0), made) == words
