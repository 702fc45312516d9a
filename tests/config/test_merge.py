"""Merging by tables: one list kind per row (docs/reference/ignition-config.md §4.3), and appending as 2.x does (4.7)."""

import json
from typing import Any

import pytest

from ignition.config import check_merged, merge
from ignition.config.model import NEWEST, Config
from ignition.config.parse import VALID, parse


def config(body: dict[str, Any], version: str = NEWEST) -> Config:
    about = {"version": version, **body.pop("ignition", {})}
    parsed = parse(json.dumps({"ignition": about, **body}).encode())
    assert parsed.outcome == VALID, str(parsed.report)
    assert parsed.config is not None
    return parsed.config


def nested(path: str, value: Any) -> dict[str, Any]:
    for part in reversed(path.split(".")):
        value = {part: value}
    return dict(value)


DEVICE = {"device": "/dev/a", "name": "l"}
XFS = {"device": "/dev/a", "format": "xfs"}

LISTS = [
    (
        "ignition.config.merge",
        [{"source": "http://a"}],
        [{"source": "http://b"}],
        [{"source": "http://a"}, {"source": "http://b"}],
    ),
    (
        "ignition.security.tls.certificateAuthorities",
        [{"source": "http://a"}, {"source": "http://b"}],
        [{"source": "http://a", "compression": "gzip"}],
        [{"source": "http://a", "compression": "gzip"}, {"source": "http://b"}],
    ),
    ("ignition.proxy.noProxy", ["a", "b"], ["c", "b"], ["a", "b", "c"]),
    (
        "storage.disks",
        [{"device": "/dev/a", "wipeTable": True}],
        [{"device": "/dev/b"}, {"device": "/dev/a", "wipeTable": False}],
        [{"device": "/dev/a", "wipeTable": False}, {"device": "/dev/b"}],
    ),
    (
        "storage.raid",
        [{"name": "r", "level": "1", "devices": ["/dev/a"], "options": ["x"]}],
        [{"name": "r", "level": "5", "devices": ["/dev/b", "/dev/a"], "options": ["x"]}],
        [{"name": "r", "level": "5", "devices": ["/dev/a", "/dev/b"], "options": ["x", "x"]}],
    ),
    (
        "storage.luks",
        [{**DEVICE, "options": ["x"], "openOptions": ["x"]}],
        [{**DEVICE, "options": ["x"], "openOptions": ["x"], "wipeVolume": True}],
        [{**DEVICE, "options": ["x", "x"], "openOptions": ["x"], "wipeVolume": True}],
    ),
    (
        "storage.filesystems",
        [{**XFS, "options": ["x"], "mountOptions": ["x"], "label": "p"}],
        [{**XFS, "options": ["x"], "mountOptions": ["y"], "label": ""}],
        [{**XFS, "options": ["x", "x"], "mountOptions": ["x", "y"], "label": ""}],
    ),
    (
        "storage.files",
        [{"path": "/a", "mode": 1, "append": [{"source": "data:,p"}]}, {"path": "/b"}],
        [{"path": "/c"}, {"path": "/a", "mode": 0, "append": [{"source": "data:,p"}]}],
        [{"path": "/a", "mode": 0, "append": [{"source": "data:,p"}, {"source": "data:,p"}]}, {"path": "/b"}, {"path": "/c"}],
    ),
    (
        "storage.files",
        [{"path": "/a", "contents": {"source": "http://a", "compression": "gzip"}, "user": {"id": 1}}],
        [{"path": "/a", "contents": {"source": "data:,b"}, "user": {"name": "n"}}],
        [{"path": "/a", "contents": {"source": "data:,b", "compression": "gzip"}, "user": {"id": 1, "name": "n"}}],
    ),
    (
        "systemd.units",
        [{"name": "a.path", "enabled": True, "dropins": [{"name": "d.conf", "contents": "[A]"}]}],
        [{"name": "a.path", "dropins": [{"name": "d.conf", "contents": "[B]"}, {"name": "e.conf"}]}, {"name": "b.path"}],
        [
            {"name": "a.path", "enabled": True, "dropins": [{"name": "d.conf", "contents": "[B]"}, {"name": "e.conf"}]},
            {"name": "b.path"},
        ],
    ),
    (
        "passwd.users",
        [{"name": "a", "groups": ["x"], "sshAuthorizedKeys": ["k"], "shell": "/p"}],
        [{"name": "a", "groups": ["y", "x"], "sshAuthorizedKeys": ["k", "m"], "shouldExist": False}],
        [{"name": "a", "groups": ["x", "y"], "sshAuthorizedKeys": ["k", "m"], "shell": "/p", "shouldExist": False}],
    ),
    ("passwd.groups", [{"name": "g", "gid": 1}], [{"name": "g", "gid": 2}], [{"name": "g", "gid": 2}]),
    ("kernelArguments.shouldExist", ["a", "b"], ["b", "c"], ["a", "b", "c"]),
    ("kernelArguments.shouldNotExist", ["a", "b"], ["b", "c"], ["a", "b", "c"]),
    (
        "storage.luks",
        [{**DEVICE, "clevis": {"tang": [{"url": "http://a", "thumbprint": "p"}], "tpm2": True}}],
        [{**DEVICE, "clevis": {"tang": [{"url": "http://b", "thumbprint": "b"}, {"url": "http://a", "thumbprint": "c"}]}}],
        [
            {
                **DEVICE,
                "clevis": {
                    "tang": [{"url": "http://a", "thumbprint": "c"}, {"url": "http://b", "thumbprint": "b"}],
                    "tpm2": True,
                },
            }
        ],
    ),
    (
        "storage.directories",
        [{"path": "/a", "mode": 1}, {"path": "/b"}],
        [{"path": "/c"}, {"path": "/a", "user": {"id": 0}}],
        [{"path": "/a", "mode": 1, "user": {"id": 0}}, {"path": "/b"}, {"path": "/c"}],
    ),
    (
        "storage.links",
        [{"path": "/a", "target": "x", "hard": True}],
        [{"path": "/a", "target": "y"}, {"path": "/b", "target": "z"}],
        [{"path": "/a", "target": "y", "hard": True}, {"path": "/b", "target": "z"}],
    ),
    (
        "storage.files",
        [{"path": "/a", "contents": {"source": "http://a", "httpHeaders": [{"name": "a", "value": "1"}]}}],
        [
            {
                "path": "/a",
                "contents": {"source": "http://b", "httpHeaders": [{"name": "b", "value": "2"}, {"name": "a", "value": "3"}]},
            }
        ],
        [
            {
                "path": "/a",
                "contents": {"source": "http://b", "httpHeaders": [{"name": "a", "value": "3"}, {"name": "b", "value": "2"}]},
            }
        ],
    ),
    (
        "storage.files",
        [{"path": "/a", "contents": {"source": "http://a", "verification": {"hash": f"sha512-{'a' * 128}"}}}],
        [{"path": "/a", "contents": {"source": "data:,b"}}],
        [{"path": "/a", "contents": {"source": "data:,b", "verification": {"hash": f"sha512-{'a' * 128}"}}}],
    ),
]


@pytest.mark.parametrize("path, parent, child, expected", LISTS, ids=[f"{row[0]}-{i}" for i, row in enumerate(LISTS)])
def test_list_is_merged(path: str, parent: list[Any], child: list[Any], expected: list[Any]) -> None:
    merged = merge.merge(config(nested(path, parent)), config(nested(path, child)))
    wanted = nested(path, expected)
    about = wanted.pop("ignition", {})
    # The expected result need not be valid: what two valid configs give may break a rule.
    assert merged == decoded({"ignition": {"version": NEWEST, **about}, **wanted})


def decoded(data: dict[str, Any]) -> Config:
    from ignition.config.decode import Notes, decode

    result: Config = decode(Config, NEWEST, data, Notes())
    return result


PARTITIONS = [
    ([{"number": 1, "sizeMiB": 5}], [{"number": 1, "label": "a"}], [{"number": 1, "sizeMiB": 5, "label": "a"}]),
    ([{"label": "a", "sizeMiB": 5}], [{"label": "a", "sizeMiB": 6}], [{"label": "a", "sizeMiB": 6}]),
    ([{"label": "a", "sizeMiB": 5}], [{"number": 1, "label": "a"}], [{"label": "a", "sizeMiB": 5}, {"number": 1, "label": "a"}]),
    ([{"label": "1"}], [{"number": 1}], [{"label": "1"}, {"number": 1}]),
]


@pytest.mark.parametrize("parent, child, expected", PARTITIONS, ids=["number", "label", "one by label, one by number", "label 1"])
def test_partitions_meet_by_number_or_label(parent: list[Any], child: list[Any], expected: list[Any]) -> None:
    def disk(partitions: list[Any]) -> dict[str, Any]:
        return {"storage": {"disks": [{"device": "/dev/a", "partitions": partitions}]}}

    merged = merge.merge(config(disk(parent)), config(disk(child)))
    assert merged == decoded({"ignition": {"version": NEWEST}, **disk(expected)})


SCALARS = [
    ("storage.directories.0.overwrite", True, False),
    ("storage.files.0.mode", 420, 0),
    ("storage.files.0.contents.source", "data:,a", ""),
    ("storage.files.0.user.id", 5, 0),
    ("systemd.units.0.contents", "[Unit]", ""),
    ("systemd.units.0.mask", True, False),
    ("passwd.users.0.passwordHash", "x", ""),
    ("ignition.timeouts.httpTotal", 5, 0),
]
KEYS = {"directories": {"path": "/a"}, "files": {"path": "/a"}, "units": {"name": "a.service"}, "users": {"name": "a"}}


def holding(path: str, value: object) -> Config:
    """A config with that value, and with the keys that its lists need."""
    built = value
    parts = path.split(".")
    for part, before in zip(reversed(parts), reversed(["", *parts[:-1]]), strict=True):
        built = [{**KEYS[before], **built}] if part == "0" and isinstance(built, dict) else {part: built}
    assert isinstance(built, dict)
    return config(built)


@pytest.mark.parametrize(("path", "parent", "child"), SCALARS, ids=[row[0] for row in SCALARS])
@pytest.mark.parametrize("given", ["both", "child null"])
def test_scalar_of_the_child_wins_unless_null(path: str, parent: object, child: object, given: str) -> None:
    """Also if it is false, 0 or "". No child can take a value away."""
    both = given == "both"
    assert merge.merge(holding(path, parent), holding(path, child if both else None)) == holding(path, child if both else parent)


def test_object_that_only_one_side_has_is_taken_whole() -> None:
    some = config({"storage": {"luks": [{**DEVICE, "clevis": {"custom": {"pin": "a", "config": "b", "needsNetwork": True}}}]}})
    none = config({"storage": {"luks": [{**DEVICE, "wipeVolume": True}]}})
    wanted = some.storage.luks[0].evolve(wipe_volume=True)
    assert merge.merge(some, none).storage.luks == merge.merge(none, some).storage.luks == (wanted,)


def test_child_takes_path_over_into_another_list() -> None:
    parent = config({"storage": {"files": [{"path": "/a"}, {"path": "/b"}], "directories": [{"path": "/c"}]}})
    child = config({"storage": {"directories": [{"path": "/a"}], "links": [{"path": "/c", "target": "x"}]}})
    storage = merge.merge(parent, child).storage
    assert [[node.path for node in nodes] for nodes in (storage.directories, storage.files, storage.links)] == [
        ["/a"],
        ["/b"],
        ["/c"],
    ]


def test_child_moves_kernel_argument_to_the_other_list() -> None:
    parent, child = (
        config({"kernelArguments": {"shouldExist": ["a", "b"]}}),
        config({"kernelArguments": {"shouldNotExist": ["a"]}}),
    )
    arguments = merge.merge(parent, child).kernel_arguments
    assert (arguments.should_exist, arguments.should_not_exist) == (("b",), ("a",))


def test_header_without_value_removes_the_parents() -> None:
    def headers(*values: dict[str, str]) -> Config:
        return config({"storage": {"files": [{"path": "/a", "contents": {"source": "http://a", "httpHeaders": list(values)}}]}})

    parent = headers({"name": "a", "value": "1"}, {"name": "b", "value": "2"})
    merged = merge.merge(parent, headers({"name": "a"}, {"name": "b", "value": "3"}, {"name": "c"}))
    kept = merged.storage.files[0].contents.http_headers
    assert [(header.name, header.value) for header in kept] == [("b", "3"), ("c", None)]


@pytest.mark.parametrize("body", [{"passwd": {"users": [{"name": "a"}]}}, {"ignition": {"timeouts": {"httpTotal": 3}}}])
def test_merging_with_an_empty_config_changes_nothing(body: dict[str, Any]) -> None:
    some = config(body)
    assert merge.merge(Config(), some) == some == merge.merge(some, Config())


def test_scalars_of_the_child_win_unless_absent() -> None:
    parent = config({"ignition": {"timeouts": {"httpTotal": 3, "httpResponseHeaders": 4}, "proxy": {"httpProxy": "http://a"}}})
    child = config({"ignition": {"timeouts": {"httpTotal": 0}}})
    ignition = merge.merge(parent, child).ignition
    assert (ignition.timeouts.http_total, ignition.timeouts.http_response_headers, ignition.proxy.http_proxy) == (
        0,
        4,
        "http://a",
    )


def old(body: dict[str, Any]) -> Config:
    return config(body, "2.2.0")


def old_file(path: str, mode: int, filesystem: str = "root") -> dict[str, Any]:
    return {"path": path, "mode": mode, "filesystem": filesystem}


def test_appended_lists_keep_repeated_keys() -> None:
    parent, child = old({"storage": {"files": [old_file("/a", 1)]}}), old({"storage": {"files": [old_file("/a", 2)]}})
    appended = merge.merge(parent, child)
    assert [(file.path, file.mode) for file in appended.storage.files] == [("/a", 1), ("/a", 2)]
    once_more = merge.merge(appended, child)
    assert [file.mode for file in once_more.storage.files] == [1, 2, 2]


def test_appended_config_brings_its_references_and_timeouts() -> None:
    parent = old({"ignition": {"config": {"append": [{"source": "http://a"}]}, "timeouts": {"httpTotal": 3}}})
    child = old({"ignition": {"config": {"append": [{"source": "http://b"}]}, "timeouts": {"httpTotal": 0}}})
    ignition = merge.merge(parent, child).ignition
    assert [resource.source for resource in ignition.config.merge] == ["http://b"]
    assert (ignition.timeouts.http_total, ignition.config.append) == (0, True)


def test_appended_config_leaves_the_proxies() -> None:
    """Unlike in Ignition (2.4), which takes both away from a config that appends one without any."""
    parent = old({"ignition": {"version": "2.4.0", "proxy": {"httpProxy": "http://p", "noProxy": ["a"]}}})
    child = old({"ignition": {"version": "2.4.0", "proxy": {"httpsProxy": "http://q", "noProxy": ["a"]}}})
    proxy = merge.merge(parent, child).ignition.proxy
    assert (proxy.http_proxy, proxy.https_proxy, proxy.no_proxy) == ("http://p", "http://q", ("a", "a"))


def test_translated_config_over_a_base_config_is_merged_by_key() -> None:
    base = config({"storage": {"files": [{"path": "/a", "mode": 1}]}})
    child = old({"storage": {"files": [old_file("/a", 2), old_file("/a", 3), old_file("/a", 4, "data")]}})
    merged = merge.merge(base, child)
    assert [(file.filesystem, file.mode) for file in merged.storage.files] == [(None, 2), (None, 3), ("data", 4)]
    assert (merged.ignition.translated, merged.ignition.config.append) == (True, None)


def test_merged_config_that_breaks_a_rule_is_reported_by_path() -> None:
    parent = config({"storage": {"links": [{"path": "/a", "target": "b"}]}})
    merged = merge.merge(parent, config({"storage": {"files": [{"path": "/a/c"}]}}))
    assert str(check_merged(merged)) == "error at $.storage.files.0: its path lies below a link of this config"
    assert check_merged(merged).fatal


def test_merged_config_with_duplicates_is_not_reported() -> None:
    body = {"passwd": {"users": [{"name": "a"}]}}
    merged = config(body).evolve(passwd=config(body).passwd.evolve(users=config(body).passwd.users * 2))
    assert str(check_merged(merged)) == ""


def test_translated_config_is_not_held_to_rules_that_2_lacks() -> None:
    storage = {
        "files": [old_file("/a/b", 1)],
        "links": [{"path": "/a/c", "target": "", "filesystem": "root"}],
        "disks": [{"device": "/dev/a", "partitions": [{"size": 2048}]}],
        "filesystems": [{"name": "d", "path": "/d"}],
    }
    about = {"config": {"append": [{"source": ""}, {"source": "oem:///x"}]}}
    assert str(check_merged(old({"ignition": about, "storage": storage}))) == ""


LINK, FOLDER = {"path": "/a", "target": "b", "filesystem": "root"}, {"path": "/a", "mode": 493, "filesystem": "root"}
BELOW = "error at $.storage.files.0: its path lies below that of {}, which is not a directory: it cannot be written"


@pytest.mark.parametrize(
    "parent, child, said",
    [
        pytest.param({"files": [old_file("/a/b", 1)]}, {"links": [LINK]}, BELOW.format("links.0"), id="O1, a link"),
        pytest.param({"files": [old_file("/a/b", 1)]}, {"files": [old_file("/a", 1)]}, BELOW.format("files.1"), id="O1, a file"),
        pytest.param({"files": [old_file("/a/b", 1)]}, {"directories": [FOLDER]}, "", id="O1 kept"),
        pytest.param(
            {"files": [old_file("/a", 1)]},
            {"directories": [FOLDER]},
            "error at $.storage.files.0: directories.0 has the same path but is of another kind",
            id="O2",
        ),
        pytest.param({"files": [old_file("/a", 1)]}, {"files": [old_file("/a", 2)]}, "", id="O2 kept"),
        pytest.param(
            {"files": [old_file("/a", 1, "data")]},
            {"filesystems": [{"name": "other", "path": "/o"}]},
            "error at $.storage.files.0: no file system is named 'data'",
            id="O3",
        ),
        pytest.param({"files": [old_file("/a", 1, "data")]}, {"filesystems": [{"name": "data", "path": "/d"}]}, "", id="O3 kept"),
        pytest.param(
            {"filesystems": [{"name": "data", "path": "/sysroot/a/b"}]},
            {"files": [old_file("/a", 1)]},
            "error at $.storage.files.0.path: filesystems.0 is mounted on /a/b: this would delete its files",
            id="O8",
        ),
    ],
)
def test_appended_parts_that_cannot_be_carried_out_together_are_refused(
    parent: dict[str, Any], child: dict[str, Any], said: str
) -> None:
    assert str(check_merged(merge.merge(old({"storage": parent}), old({"storage": child})))) == said


def test_3_x_directory_that_empties_the_mount_point_of_a_merged_part_is_refused() -> None:
    data = {"device": "/dev/vdb", "format": "ext4", "path": "/srv/data"}
    parent = config({"storage": {"filesystems": [data]}})
    child = config({"storage": {"directories": [{"path": "/srv", "overwrite": True}]}})
    said = "error at $.storage.directories.0.overwrite: filesystems.0 is mounted on /srv/data: this would delete its files"
    assert str(check_merged(merge.merge(parent, child))) == said
    assert str(check_merged(merge.merge(child, parent))) == said


def test_3_x_file_that_lands_below_a_merged_one_is_refused() -> None:
    parent, child = config({"storage": {"files": [{"path": "/a/b"}]}}), config({"storage": {"files": [{"path": "/a"}]}})
    assert str(check_merged(merge.merge(parent, child))) == BELOW.format("files.1")
