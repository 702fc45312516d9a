"""The table of keys has those of cloud-init's schema, and nothing in a document is dropped without notice.

schema_keys.txt has the names below `properties` of cloudinit/config/schemas/schema-cloud-config-v1.json (commit 01a3bf28).
"""

from pathlib import Path

import pytest

from ignition.from_cloud_config import translate
from ignition.from_cloud_config.keys import KEYS, NOT, TRANSLATED
from ignition.from_cloud_config.work import Options

SCHEMA = (Path(__file__).parent / "schema_keys.txt").read_text(encoding="utf-8").split()
EMPTY = translate(b"#cloud-config\n", name="", options=Options()).text
# Members below a key whose names are the user's own.
NAMES_ARE_FREE = {"device_aliases", "disk_setup", "groups", "ssh_keys", "users"}
# They say something about other keys, and nothing alone.
ONLY_WITH_OTHERS = {"locale_configfile"}
ODD = {"number": "7", "text": "odd value", "list": "[odd, 7, [a, [b]], {c: d}, ~]", "true": "true", "false": "false", "null": "~"}
ODD |= {"mapping": "{surely-unknown: {a: 1}}", "rows": "[{surely-unknown: 1, name: 2, path: /etc/x, device: /dev/x}]"}


def paths(text: str) -> tuple[str | None, list[str]]:
    done = translate(f"#cloud-config\n{text}\n".encode(), name="", options=Options())
    assert done.text is not None, str(done.report)
    return done.text, [entry.path for entry in done.report.entries]


def test_table_has_the_keys_of_the_schema() -> None:
    assert sorted(KEYS) == sorted(SCHEMA)


@pytest.mark.parametrize("key", [key for key, row in KEYS.items() if row.outcome == NOT])
def test_key_that_is_not_translated_is_listed_with_a_way_out(key: str) -> None:
    text, listed = paths(f"{key}: {{enabled: 1}}")
    assert (text, listed, bool(KEYS[key].fix)) == (EMPTY, [f"$.{key}"], True)


@pytest.mark.parametrize("key", sorted({*KEYS} - NAMES_ARE_FREE))
def test_unknown_member_is_listed(key: str) -> None:
    text, listed = paths(f"{key}: {{surely-unknown: 1}}")
    if KEYS[key].outcome != TRANSLATED or text == EMPTY:
        assert any(path.startswith(f"$.{key}") for path in listed), listed


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
@pytest.mark.parametrize("key", [*KEYS, "unheard-of"])
def test_odd_value_is_translated_or_listed(key: str, value: str) -> None:
    text, listed = paths(f"{key}: {value}")
    if value not in ("true", "false", "~") and not (key in ONLY_WITH_OTHERS and value in ("odd value", "7")):
        assert text != EMPTY or any(path.startswith(f"$.{key}") for path in listed)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("users: [{name: a, frobnicate: 1}]", "$.users.0.frobnicate"),
        ("write_files: [{path: /etc/a, frobnicate: 1}]", "$.write_files.0.frobnicate"),
        ("disk_setup: {/dev/sdb: {layout: true, frobnicate: 1}}", "$.disk_setup./dev/sdb.frobnicate"),
        ("fs_setup: [{device: /dev/sdb1, filesystem: ext4, frobnicate: 1}]", "$.fs_setup.0.frobnicate"),
        ("chpasswd: {users: [{name: a, password: $6$a$b, frobnicate: 1}]}", "$.chpasswd.users.0.frobnicate"),
        (
            "wireguard: {interfaces: [{name: wg0, config_path: /etc/a, content: b, frobnicate: 1}]}",
            "$.wireguard.interfaces.0.frobnicate",
        ),
        ("power_state: {mode: reboot, frobnicate: 1}", "$.power_state.frobnicate"),
        ("keyboard: {layout: de, frobnicate: 1}", "$.keyboard.frobnicate"),
    ],
)
def test_inner_member_is_listed(text: str, path: str) -> None:
    made, listed = paths(text)
    assert path in listed
    assert made != EMPTY
