"""Assertion files: what is compared, how failures and errors are shown, and that contents stay secret."""

import hashlib
import json
from typing import Any

import jsonschema
import pytest

from ignition.simulation.assertions import SCHEMA
from tests.schemas import valid

from .conftest import TOP, Place, file, ignition

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkQNnbgEtx9zG1NSv5hGzqhbMJrL0oXJgqHPVZHc3nQ core@x"
UNIT = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
SECRET = "hunter2"
CONFIG = ignition(
    passwd={
        "groups": [{"name": "web", "gid": 900}],
        "users": [
            {
                "name": "core",
                "groups": ["web"],
                "sshAuthorizedKeys": [KEY, KEY.replace("core@x", "core@y")],
                "passwordHash": "$6$a$" + "x" * 86,
            },
            {"name": "svc", "uid": 700, "shell": "/usr/sbin/nologin", "homeDir": "/srv/svc"},
        ],
    },
    storage={
        "directories": [{"path": "/srv/d", "mode": 0o750, "user": {"name": "core"}, "group": {"id": 900}}],
        "files": [
            file("/srv/d/a", f"one%0A{SECRET}%0Athree%0A", mode=0o600, user={"id": 4711}),
            file("/srv/d/raw", "%ff%00"),
        ],
        "links": [{"path": "/srv/l", "target": "../x"}],
    },
    systemd={
        "units": [
            {"name": "a.service", "enabled": True, "contents": UNIT},
            {"name": "b.service", "enabled": False, "contents": UNIT},
            {"name": "m.service", "mask": True},
            {"name": "image.service", "enabled": True, "dropins": [{"name": "10-x.conf", "contents": "[Service]\nNice=5\n"}]},
            {"name": "i@.service", "contents": UNIT},
            {"name": "i@two.service", "enabled": True},
        ]
    },
)


def brief(text: str) -> str:
    """As messages describe contents."""
    return f"{len(text)} bytes, SHA-512 {hashlib.sha512(text.encode()).hexdigest()[:16]}…"


TEXT, OTHER = f"one\n{SECRET}\nthree\n", "one\ntwo\nthree\n"
# Assertions that hold, each with one that fails and the failure, without its place.
PAIRS: list[Any] = [
    ({"files": {"/srv/d/a": {}}}, {"files": {"/srv/d/b": {}}}, "/srv/d/b: does not exist"),
    ({"files": {"/x": {"exists": False}}}, {"files": {"/srv/d/a": {"exists": False}}}, "/srv/d/a: exists, which it must not"),
    ({"files": {"/srv/d/a": {"exists": True}}}, {"files": {"/srv/d": {}}}, "/srv/d: kind: expected file, found directory"),
    (
        {"files": {"/srv/d/a": {"mode": 0o600}}},
        {"files": {"/srv/d/a": {"mode": "0644"}}},
        "/srv/d/a: mode: expected 0644, found 0600",
    ),
    (
        {"files": {"/srv/d/a": {"owner": 4711}}},
        {"files": {"/srv/d/a": {"owner": "core"}}},
        "/srv/d/a: owner: expected core, found 4711",
    ),
    ({"files": {"/srv/d/a": {"group": "root"}}}, {"files": {"/srv/d/a": {"group": 5}}}, "/srv/d/a: group: expected 5, found 0"),
    (
        {"files": {"/srv/d/a": {"contents": {"size": 18}}}},
        {"files": {"/srv/d/a": {"contents": {"size": 5}}}},
        "/srv/d/a: size: expected 5, found 18",
    ),
    (
        {"files": {"/srv/d/a": {"contents": {"equals": TEXT}}}},
        {"files": {"/srv/d/a": {"contents": {"equals": OTHER}}}},
        f"/srv/d/a: contents from line 2 on: expected {brief(OTHER)}, found {brief(TEXT)}",
    ),
    (
        {"files": {"/srv/d/a": {"contents": {"contains": ["one", "three\n"]}}}},
        {"files": {"/srv/d/a": {"contents": {"contains": ["four"]}}}},
        f"/srv/d/a: does not contain this text ({brief(TEXT)})",
    ),
    (
        {"files": {"/srv/d/a": {"contents": {"matches": ["^h.*2$", "o"]}}}},
        {"files": {"/srv/d/a": {"contents": {"matches": ["^four"]}}}},
        f"/srv/d/a: does not match this pattern ({brief(TEXT)})",
    ),
    (
        {"files": {"/srv/d/raw": {"contents": {"size": 2}}}},
        {"files": {"/srv/l": {}}},
        "/srv/l: kind: expected file, found symlink",
    ),
    (
        {"directories": {"/srv/d": {"mode": 0o750, "owner": "core", "group": "web", "entries": ["a"]}}},
        {"directories": {"/srv/d": {"entries": ["a", "b"]}}},
        "/srv/d: entries: expected b among them, found a, raw",
    ),
    (
        {"links": {"/srv/l": {"target": "../x", "owner": "root"}}},
        {"links": {"/srv/l": {"target": "/x"}}},
        "/srv/l: target: expected /x, found ../x",
    ),
    (
        {"units": {"a.service": {"enabled": True, "masked": False, "contents": {"equals": UNIT}}}},
        {"units": {"b.service": {"enabled": True}}},
        "b.service: enabled: expected True, found False",
    ),
    (
        {"units": {"m.service": {"masked": True, "enabled": False}}},
        {"units": {"a.service": {"masked": True}}},
        "a.service: masked: expected True, found False",
    ),
    (
        {"units": {"image.service": {"enabled": True, "dropins": {"10-x.conf": {"contains": ["Nice=5"]}}}}},
        {"units": {"image.service": {"dropins": {"20-y.conf": {}}}}},
        "/etc/systemd/system/image.service.d/20-y.conf: does not exist",
    ),
    (
        {"units": {"i@two.service": {"enabled": True}, "i@three.service": {"enabled": False}}},
        {"units": {"i@three.service": {"enabled": True}}},
        "i@three.service: enabled: expected True, found False",
    ),
    ({"units": {"none.service": {"exists": False}}}, {"units": {"none.service": {}}}, "none.service: does not exist"),
    (
        {"users": {"core": {"uid": 1000, "groups": ["web", "core"], "keys": 2, "password": True, "home": "/home/core"}}},
        {"users": {"core": {"keys": 3}}},
        "user core: number of SSH keys: expected 3, found 2",
    ),
    (
        {"users": {"svc": {"shell": "/usr/sbin/nologin", "keys": 0, "password": False, "primaryGroup": "svc"}}},
        {"users": {"svc": {"password": True}}},
        "user svc: password: expected True, found False",
    ),
    (
        {"users": {"ann": {"exists": False}}},
        {"users": {"core": {"groups": ["sudo"]}}},
        "user core: groups: expected sudo among them, found core, web",
    ),
    ({"users": {"core": {}}}, {"users": {"ann": {"uid": 5}}}, "user ann: does not exist"),
    (
        {"groups": {"web": {"gid": 900, "members": ["core"]}}},
        {"groups": {"web": {"gid": 7}}},
        "group web: gid: expected 7, found 900",
    ),
    ({"groups": {"x": {"exists": False}}}, {"groups": {"web": {"exists": False}}}, "group web: exists, which it must not"),
    (
        {"files": {"/etc/../srv/d/a": {}}},
        {"files": {"/../../../../../../../../etc/fstab": {}}},
        "/../../../../../../../../etc/fstab: does not exist",
    ),
]


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All assertions of the table in two files, checked against one simulation."""
    from ignition.cli.merged_config import merged
    from ignition.simulation import assertions
    from ignition.simulation.run import Simulation

    top = tmp_path_factory.mktemp("assertions")
    (top / "config.ign").write_text(json.dumps(CONFIG))
    (top / "out").mkdir()
    simulation = Simulation(merged((str(top / "config.ign"),), (), "", 5.0, is_limit=False), str(top / "out"))
    simulation.run()
    return {"check": lambda wanted: assertions.read("a.json", json.dumps(wanted).encode()).check(simulation.root)}


@pytest.mark.parametrize(("holds", "fails", "message"), PAIRS, ids=[message[:50] for _, _, message in PAIRS])
def test_assertion(together: dict[str, Any], holds: object, fails: object, message: str) -> None:
    count, failed = together["check"](holds)
    assert ([str(one) for one in failed], count > 0) == ([], True)
    count, failed = together["check"](fails)
    assert ([str(one) for one in failed], count > 0) == ([message], True)


YAML = """\
files:
  /srv/d/a:
    mode: 0644
    contents:
      equals: |
        one
        two
        three
      matches: [one, "^nine"]
users:
  core:
    uid: 1001
"""


def test_failures_have_places_in_both_files_and_status_3(place: Place) -> None:
    config, wanted = place.put("web.ign", CONFIG), place.put("a.yaml", YAML)
    status, out, _ = place.run(config, "-assert", wanted)
    assert status == 3
    shown = [line for line in out.splitlines() if line.startswith(wanted)]
    origin = f" (written by {config}:1:{json.dumps(CONFIG).index('/srv/d/a')})"
    assert [line.removeprefix(wanted).partition(": ")[0] for line in shown] == [":3:5", ":5:7", ":9:22", ":12:5"]
    assert [line.endswith(origin) for line in shown] == [True, True, True, False]
    assert out.endswith("\n4 of 5 assertions failed\n")


def test_contents_are_secret_unless_they_are_asked_for(place: Place) -> None:
    config, wanted = place.put("web.ign", CONFIG), place.put("a.yaml", YAML)
    for words in ((), ("-json",)):
        _, out, err = place.run(config, "-assert", wanted, *words)
        assert (SECRET in out + err, "two" in out + err, "nine" in out + err) == (False, False, False)
    _, out, _ = place.run(config, "-assert", wanted, "-show-contents")
    assert f"  -two\n  +{SECRET}\n" in out and "  -^nine\n" in out
    _, out, _ = place.run(config, "-assert", wanted, "-show-contents", "-json")
    assert f"+{SECRET}" in valid("simulate", out)["assertions"]["failed"][1]["diff"]


def test_json(place: Place) -> None:
    wanted = place.put("a.yaml", YAML)
    status, out, _ = place.run(CONFIG, "-assert", wanted, "-json")
    found = valid("simulate", out)
    assert (status, found["result"], found["root"], found["manifest"]) == (
        3,
        "complete",
        str(place.out / "root"),
        str(place.out / "manifest.json"),
    )
    assert (found["assertions"]["file"], found["assertions"]["count"], len(found["assertions"]["failed"])) == (wanted, 5, 4)
    assert found["assertions"]["failed"][3] == {
        "line": 12,
        "column": 5,
        "of": "user core",
        "what": "uid",
        "expected": 1001,
        "actual": 1000,
    }


def test_all_hold(place: Place) -> None:
    status, out, _ = place.run(CONFIG, "-assert", place.put("a.yaml", "users: {core: {uid: 1000}}\nfiles: {}\n"))
    assert (status, out.splitlines()[-1]) == (0, "all 1 assertions hold")


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        pytest.param("file: {}\n", ["1:1: error: unknown key 'file'", "did you mean files?"], id="section"),
        pytest.param("files:\n  /a: {mod: 5}\n", ["2:8: error: unknown key 'mod'", "did you mean mode?"], id="member"),
        pytest.param("files:\n  /a: {mode: 644}\n", ["2:14: error: 644 is 1204 in octal", "with a leading zero"], id="decimal"),
        pytest.param("files:\n  /a: absent\n", ["2:7: error: this must be a mapping"], id="word"),
        pytest.param("users: {a: {uid: -1}}\n", ["1:18: error: this must not be less than 0"], id="negative"),
        pytest.param("files: {/a: {contents: {equals: 5}}}\n", ["1:33: error: this must be a string"], id="number"),
        pytest.param(
            "files: {/a: {contents: {matches: ['a(']}}}\n", ["1:35: error: the regular expression is malformed"], id="pattern"
        ),
        pytest.param("files: {/a: {}, /a: {}}\n", ['1:17: error: mapping key "/a" already defined at line 1'], id="repeated"),
        pytest.param("files: [\n", ["1:9: error: did not find expected node content"], id="not YAML"),
        pytest.param('{"files": {"/a": {"mode": true}}}', ["1:27: error: this must be an integer or a string"], id="JSON"),
        pytest.param('{"files": }', ["1:11: error: "], id="not JSON"),
        pytest.param("- files\n", ["1:1: error: this must be a mapping"], id="list"),
        pytest.param(
            "files: {/a: {contents: {sha512: abc}}}\n", ["1:33: error: this must be 128 hexadecimal digits"], id="digest"
        ),
    ],
)
def test_invalid_file(place: Place, text: str, entries: list[str]) -> None:
    status, out, err = place.run(CONFIG, "-assert", place.put("a.yaml", text))
    assert (status, out) == (1, "")
    assert f"a.yaml:{entries[0]}" in err and all(entry in err for entry in entries[1:]), err
    assert not place.out.exists()


def test_missing_file(place: Place) -> None:
    status, _, err = place.run(CONFIG, "-assert", str(place.top / "none.yaml"))
    assert (status, err.strip()) == (
        1,
        f"ignition simulate: {place.top}/none.yaml: the assertions cannot be read: No such file or directory",
    )


def test_schema_is_valid_and_accepts_the_table() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    for holds, fails, _ in PAIRS:
        jsonschema.validate(holds, SCHEMA)
        jsonschema.validate(fails, SCHEMA)


def members(schema: Any) -> set[str]:
    found = set(schema.get("properties", {}))
    for inner in [*schema.get("properties", {}).values(), schema.get("additionalProperties")]:
        found |= members(inner) if isinstance(inner, dict) else set()
    return found


def test_every_member_is_documented_and_used_in_the_table() -> None:
    page = (TOP / "docs/simulating.md").read_text()
    assert {name for name in members(SCHEMA) if f"`{name}`" not in page and f"`{name}:" not in page} == set()
    assert {name for name in members(SCHEMA) - {"sha512"} if f'"{name}"' not in json.dumps([pair[:2] for pair in PAIRS])} == set()
