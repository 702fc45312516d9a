"""2.x and 1 in the words of 3.x: what is said otherwise, what is remarked on, and that the result says the same."""

import json
from typing import Any

import pytest

from ignition.config import cache, check_merged, origins
from ignition.config.model import NEWEST, Config
from ignition.config.model.ignition import INTERNAL, References
from ignition.config.parse import VALID, parse
from ignition.config.record import Record
from ignition.config.report import dotted
from ignition.config.to_spec3 import STABLE, express, version_for
from tests.config import rule_table
from tests.config.differential.corpus import cases
from tests.config.v2 import rule_table as v2_table

OLD = "2.3.0"


def config(body: dict[str, Any], version: str = OLD) -> Config:
    """Marked."""
    text = json.dumps({"ignition": {"version": version}, **body}).encode()
    parsed = parse(text)
    assert parsed.config is not None, str(parsed.report)
    return origins.mark(parsed.config, origins.Source("a.ign", text), parsed.renamed_paths())


def expressed(body: dict[str, Any], mounts: dict[str, str] | None = None, version: str = OLD) -> tuple[dict[str, Any], list[str]]:
    """The result as JSON without `ignition`, and the remarks by the text's paths; the result is valid."""
    result, remarks = express(config(body, version), mounts or {})
    plain = json.loads(cache.dump(origins.plain(result)))
    plain["ignition"]["version"] = STABLE
    parsed = parse(json.dumps(plain).encode())
    assert parsed.outcome == VALID, str(parsed.report)
    del plain["ignition"]
    said = [f"{each.level} at {dotted(each.origin.path) if each.origin else None}: {each.message}" for each in remarks]
    return plain, said


def partition(**members: Any) -> dict[str, Any]:
    return {"storage": {"disks": [{"device": "/dev/a", "partitions": [{"number": 1, "label": "a", **members}]}]}}


@pytest.mark.parametrize(
    ("members", "result", "remarks"),
    [
        pytest.param({"sizeMiB": 5, "startMiB": 1}, {"sizeMiB": 5, "startMiB": 1}, [], id="MiB"),
        pytest.param({"size": 0, "start": 0}, {"sizeMiB": 0, "startMiB": 0}, [], id="0 sectors"),
        pytest.param(
            {"size": 4096},
            {"sizeMiB": 2},
            ["warning at $.storage.disks.0.partitions.0.size: the size is read as sectors of 512 bytes"],
            id="whole MiB",
        ),
        pytest.param(
            {"size": 2049},
            {},
            ["error at $.storage.disks.0.partitions.0.size: spec 3.x cannot express a size that is not a whole number of MiB"],
            id="no whole MiB",
        ),
    ],
)
def test_sectors_become_mib(members: dict[str, int], result: dict[str, int], remarks: list[str]) -> None:
    plain, said = expressed(partition(**members))
    assert plain == partition(**result)
    assert said == remarks


EMPTY_LABEL = "spec 3.x cannot request several partitions without a label: it accepts an existing one regardless of its label"


def test_several_empty_labels_are_left_out_with_a_remark() -> None:
    partitions = [{"number": 1}, {"number": 2, "label": "b"}, {"number": 3}]
    plain, said = expressed({"storage": {"disks": [{"device": "/dev//a", "partitions": partitions}]}}, version="2.0.0")
    (disk,) = plain["storage"]["disks"]
    assert disk["device"] == "/dev/a"
    assert [(each["number"], each.get("label")) for each in disk["partitions"]] == [(1, None), (2, "b"), (3, None)]
    assert said == [f"warning at $.storage.disks.0.partitions.{n}.label: {EMPTY_LABEL}" for n in (0, 2)]


def test_one_empty_label_stays() -> None:
    plain, said = expressed({"storage": {"disks": [{"device": "/dev/a", "partitions": [{"number": 1}]}]}}, version="2.0.0")
    wanted = {"number": 1, "label": "", "sizeMiB": 0, "startMiB": 0}
    assert (plain["storage"]["disks"][0]["partitions"], said) == ([wanted], [])


def test_partition_that_must_not_exist_is_not_described() -> None:
    body = {"storage": {"disks": [{"device": "/dev/a", "partitions": [{"number": 1, "shouldExist": False, "sizeMiB": 0}]}]}}
    plain, said = expressed(body)
    assert (plain["storage"]["disks"][0]["partitions"], said) == ([{"number": 1, "shouldExist": False}], [])


def on(filesystem: str, path: str, **members: Any) -> dict[str, Any]:
    return {"filesystem": filesystem, "path": path, "mode": 420, **members}


def mount(name: str, **members: Any) -> dict[str, Any]:
    return {"name": name, "mount": {"device": f"/dev/{name}", "format": "ext4", **members}}


def storage(filesystems: list[dict[str, Any]], *files: dict[str, Any]) -> dict[str, Any]:
    return {"storage": {"filesystems": filesystems, "files": list(files)}}


def paths(plain: dict[str, Any]) -> tuple[list[str | None], list[str]]:
    """Those of the file systems and of the files."""
    found = plain.get("storage", {})
    return [each.get("path") for each in found.get("filesystems", [])], [each["path"] for each in found.get("files", [])]


UNPLACED = "spec 3.x cannot express that /a is on the file system 'data'{}, only its path in the new root"


@pytest.mark.parametrize(
    ("body", "mounts", "result", "remarks"),
    [
        pytest.param(storage([], on("root", "/a")), {}, ([], ["/a"]), [], id="root"),
        pytest.param(storage([mount("root")], on("root", "/a")), {}, ([None], ["/a"]), [], id="root of its own"),
        pytest.param(storage([mount("data")], on("data", "/a")), {"data": "/d/"}, (["/d"], ["/d/a"]), [], id="place is given"),
        pytest.param(storage([mount("data")]), {"data": "/d"}, (["/d"], []), [], id="place is given, no file there"),
        pytest.param(storage([mount("data")]), {}, ([None], []), [], id="nothing is on it"),
        pytest.param(
            storage([mount("data")], on("data", "/a")),
            {},
            ([None], []),
            [f"error at $.storage.files.0.filesystem: {UNPLACED.format(' (/dev/data)')}"],
            id="place is not known",
        ),
        pytest.param(
            storage([mount("oem", wipeFilesystem=True)], on("oem", "/a")),
            {},
            (["/usr/share/oem"], ["/usr/share/oem/a"]),
            [],
            id="oem",
        ),
        pytest.param(
            storage([mount("oem")], on("oem", "/a")),
            {},
            (["/usr/share/oem"], ["/usr/share/oem/a"]),
            [
                "warning at $.storage.filesystems.0.mount.format: "
                "spec 3.x refuses an OEM file system of another format; 2.x accepts any"
            ],
            id="oem that is not made anew",
        ),
        pytest.param(
            storage([{"name": "data", "path": "/sysroot/d"}], on("data", "/a")), {}, ([], ["/d/a"]), [], id="in the new root"
        ),
        pytest.param(storage([{"name": "root", "path": "/sysroot"}], on("root", "/a")), {}, ([], ["/a"]), [], id="the new root"),
        pytest.param(
            storage([{"name": "data", "path": "/mnt"}], on("data", "/a")),
            {},
            ([], []),
            [f"error at $.storage.files.0.filesystem: {UNPLACED.format('')}"],
            id="outside the new root",
        ),
        pytest.param(
            storage([mount("data"), {**mount("data"), "mount": {"device": "/dev/b", "format": "xfs"}}], on("data", "/a")),
            {"data": "/d"},
            ([None, "/d"], ["/d/a"]),
            [],
            id="last definition counts",
        ),
        pytest.param(
            storage([mount("data", create={})]),
            {},
            ([None], []),
            [
                "error at $.storage.filesystems.0.mount.create: spec 3.x cannot express create without force: "
                "it keeps a matching file system instead of refusing any"
            ],
            id="must be blank",
        ),
    ],
)
def test_named_file_systems_become_paths(
    body: dict[str, Any], mounts: dict[str, str], result: tuple[list[str | None], list[str]], remarks: list[str]
) -> None:
    plain, said = expressed(body, mounts)
    assert paths(plain) == result
    assert said == remarks


def test_create_with_force_wipes_and_keeps_its_options() -> None:
    plain, said = expressed(storage([mount("data", create={"force": True, "options": ["-m", "0"]})]))
    wanted = {"device": "/dev/data", "format": "ext4", "options": ["-m", "0"], "wipeFilesystem": True}
    assert (plain["storage"]["filesystems"], said) == ([wanted], [])


def test_target_of_a_hard_link_is_on_its_file_system() -> None:
    links = [
        {"filesystem": "data", "path": "/a", "target": "/b", "hard": True},
        {"filesystem": "data", "path": "/c", "target": "/b"},
    ]
    plain, _ = expressed({"storage": {"filesystems": [mount("data")], "links": links}}, {"data": "/d"})
    assert [(link["path"], link["target"]) for link in plain["storage"]["links"]] == [("/d/a", "/d/b"), ("/d/c", "/b")]


OWNED = {"user": {"id": 0}, "group": {"id": 0}}


@pytest.mark.parametrize(
    ("entries", "result"),
    [
        pytest.param(
            [on("root", "/a", contents={"source": "data:,x"}), on("root", "/a", contents={"source": "data:,y"})],
            {"overwrite": True, "contents": {"source": "data:,y"}, "mode": 420, **OWNED},
            id="replaced",
        ),
        pytest.param(
            [
                on("root", "/a", contents={"source": "data:,x"}),
                {"filesystem": "root", "path": "/a", "append": True, "contents": {"source": "data:,y"}},
            ],
            {"overwrite": True, "contents": {"source": "data:,x"}, "append": [{"source": "data:,y"}], "mode": 420, **OWNED},
            id="written, then appended to",
        ),
        pytest.param(
            [{"filesystem": "root", "path": "/a", "append": True, "contents": {"source": f"data:,{n}"}} for n in "xy"],
            {"append": [{"source": "data:,x"}, {"source": "data:,y"}]},
            id="appended to twice",
        ),
    ],
)
def test_entries_of_one_file_become_one(entries: list[dict[str, Any]], result: dict[str, Any]) -> None:
    plain, said = expressed(storage([], *entries))
    assert (plain["storage"]["files"], said) == ([{"path": "/a", **result}], [])


def test_second_directory_gives_mode_and_owner() -> None:
    entries = [{"filesystem": "root", "path": "/opt/a", "mode": mode} for mode in (448, 493)]
    entries[0]["overwrite"] = True
    plain, said = expressed({"storage": {"directories": entries}})
    assert (plain["storage"]["directories"], said) == ([{"path": "/opt/a", "overwrite": True, "mode": 493, **OWNED}], [])


@pytest.mark.parametrize(
    ("path", "members", "remarked"),
    [
        pytest.param("/opt/a", {"mode": 448}, False, id="parent is always there"),
        pytest.param("/x/y", {"mode": 493}, False, id="as 3.x makes parents"),
        pytest.param("/home/core/a", {"mode": 448}, False, id="in a home"),
        pytest.param("/there/a", {"mode": 448}, False, id="parent is in the config"),
        pytest.param("/x/y", {"mode": 448}, True, id="another mode"),
        pytest.param("/x/y", {"mode": 493, "user": {"id": 5}}, True, id="another owner"),
        pytest.param("/x/y", {"mode": 493, "group": {"name": "g"}}, True, id="another group"),
    ],
)
def test_parents_like_their_directory_are_remarked_on(path: str, members: dict[str, Any], remarked: bool) -> None:
    there = {"filesystem": "root", "path": "/there", "mode": 493}
    body = {"storage": {"directories": [{"filesystem": "root", "path": path, **members}, there]}}
    _, said = expressed({**body, "passwd": {"users": [{"name": "core"}]}})
    message = f"spec 3.x cannot express that missing parents of {path} get its mode and owner: they get 0755 and root"
    assert said == ([f"error at $.storage.directories.0.path: {message}"] if remarked else [])


def test_entries_of_one_unit_become_one() -> None:
    units = [
        {"name": "a.service", "enabled": True, "contents": "[A]", "dropins": [{"name": "d.conf", "contents": "[C]"}]},
        {"name": "b.service", "mask": True},
        {"name": "a.service", "enabled": False, "contents": "[B]", "dropins": [{"name": "d.conf", "contents": "[D]"}]},
    ]
    merged = config({"systemd": {"units": units[:2]}}, "2.0.0")
    once_more = config({"systemd": {"units": units[2:]}}, "2.1.0")
    from ignition.config.merge import merge

    result, remarks = express(merge(merged, once_more), {})
    assert json.loads(cache.dump(origins.plain(result)))["systemd"]["units"] == [
        {"name": "a.service", "enabled": False, "contents": "[B]", "dropins": [{"name": "d.conf", "contents": "[D]"}]},
        {"name": "b.service", "mask": True},
    ]
    assert remarks == []


def test_networkd_and_enable_are_said_otherwise() -> None:
    body = {
        "networkd": {"units": [{"name": "a.network", "contents": "[Match]"}]},
        "systemd": {"units": [{"name": "a.service", "enable": True}]},
    }
    plain, said = expressed(body)
    assert plain["storage"]["files"][0]["path"] == "/etc/systemd/network/a.network"
    assert plain["systemd"]["units"] == [{"name": "a.service", "enabled": True}]
    assert said == []


def test_spec_1_files_need_the_place_of_their_file_system() -> None:
    text = json.dumps(
        {
            "ignitionVersion": 1,
            "storage": {"filesystems": [{"device": "/dev/a", "format": "ext4", "files": [{"path": "/a", "contents": "x"}]}]},
        }
    ).encode()
    parsed = parse(text)
    assert parsed.config is not None, str(parsed.report)
    marked = origins.mark(parsed.config, origins.Source("a.ign", text), parsed.renamed_paths())
    result, remarks = express(marked, {"_translate-filesystem-0": "/d"})
    assert [(entry.path, remarks) for entry in result.storage.files] == [("/d/a", [])]
    assert [remark.level for remark in express(marked, {})[1]] == ["error"]


def test_3x_config_only_loses_its_references() -> None:
    about = {"version": "3.4.0", "config": {"merge": [{"source": "data:,x"}]}, "timeouts": {"httpTotal": 5}}
    body = {"storage": {"files": [{"path": "/a", "append": [{"source": "data:,x"}]}]}, "passwd": {"users": [{"name": "core"}]}}
    parsed = parse(json.dumps({"ignition": about, **body}).encode()).config
    assert parsed is not None
    result, remarks = express(parsed, {})
    assert json.loads(cache.dump(result)) == {"ignition": {"timeouts": {"httpTotal": 5}, "version": NEWEST}, **body}
    assert (result.ignition.version, remarks) == (STABLE, [])


def test_member_that_nothing_expresses_is_named() -> None:
    about = Config().ignition.evolve(translated=None)
    storage = Config().storage.evolve(filesystems=(config(storage_of_a_blank()).storage.filesystems[0],))
    result, remarks = express(Config(ignition=about, storage=storage), {})
    assert [dotted(remark.path) for remark in remarks] == [
        "$.storage.filesystems.0.name",
        "$.storage.filesystems.0.mustBeBlank",
    ]
    assert remarks[1].message.startswith("spec 3.x cannot express mustBeBlank: 2.x `create` without force")
    assert internal(result) == []


def storage_of_a_blank() -> dict[str, Any]:
    return storage([mount("data", create={})])


def internal(record: Record) -> list[str]:
    """INTERNAL members that are set."""
    found = []
    for name, field in record.FIELDS.items():
        value = record.__dict__[name]
        if field.since == INTERNAL and value is not None:
            found.append(name)
        for element in value if field.many else (value,):
            if isinstance(element, Record):
                found += internal(element)
    return found


@pytest.mark.parametrize(
    ("format", "version"), [pytest.param("xfs", STABLE, id="stable"), pytest.param("virtiofs", NEWEST, id="experimental")]
)
def test_version_is_the_newest_stable_unless_something_needs_more(format: str, version: str) -> None:
    filesystem = {"device": "/dev/a" if format == "xfs" else "tag", "format": format, "path": "/a"}
    assert version_for(config({"storage": {"filesystems": [filesystem]}}, NEWEST)) == version


def texts(table: str) -> dict[str, bytes]:
    """Texts by name."""
    if table == "corpus":
        return {case.name: case.text for case in cases()}
    found = {}
    for row in (rule_table if table == "3.x" else v2_table).ROWS:
        for kind, version in (("kept", row.kept_version or row.version), ("broken", row.version)):
            found[f"{row.rule} {row.version} {kind}"], _ = rule_table.unmarked(row, getattr(row, kind), version)
    return found


@pytest.mark.parametrize("table", ["corpus", "3.x", "2.x"])
def test_expressed_config_says_the_same(table: str) -> None:
    valid = {name: text for name, text in texts(table).items() if parse(text).outcome == VALID}
    assert len(valid) > 20
    assert {name: wrong for name, text in valid.items() if (wrong := what_differs(text))} == {}


def what_differs(text: bytes) -> str:
    """Between a valid text and its config expressed in 3.x; "" if nothing does."""
    config = parse(text).config
    assert config is not None
    again, result, marked = expressed_and_parsed(text)
    if marked != config or origins.plain(marked) != config:
        return "marking"
    if internal(result):
        return "internal members"
    if again is None:  # what only older versions allow: of 3.x configs a boot refuses them, too
        return "" if config.ignition.translated or check_merged(config).fatal else "not valid"
    if again != result.evolve(ignition=result.ignition.evolve(version=NEWEST)):
        return "printing"
    wanted = config.evolve(ignition=config.ignition.evolve(config=References()))
    return "" if config.ignition.translated or again == wanted else "meaning"


def expressed_and_parsed(text: bytes) -> tuple[Config | None, Config, Config]:
    """What our parser makes of the result's text, the result, and the marked config."""
    parsed = parse(text)
    assert parsed.config is not None
    marked = origins.mark(parsed.config, origins.Source("a.ign", text), parsed.renamed_paths())
    result = origins.plain(express(marked, {"data": "/data"})[0])
    sections = cache.plain(result)
    about = {"version": result.ignition.version, **sections.pop("ignition", {})}
    return parse(json.dumps({"ignition": about, **sections}).encode()).config, result, marked
