"""Values that know where they come from: marking, merging as if unmarked, positions in texts of all versions."""

import json
from typing import Any

import pytest

from ignition.config import merge, origins
from ignition.config.model import Config
from ignition.config.parse import VALID, parse
from tests.config.test_merge import LISTS, nested

FILES = b"""{"ignition": {"version": "3.5.0"}, "storage": {"files": [
  {"path": "/a", "mode": 420, "overwrite": true,
   "contents": {"source": "data:,a"}},
  {"path": "/b", "mode": 0, "overwrite": false}]}}"""
OVER = b"""{"ignition": {"version": "3.6.0"}, "storage": {"files": [
  {"path": "/b", "mode": 384}]},
  "passwd": {"users": [{"name": "core", "groups": ["a", "b"]}]}}"""
OLD = b"""{"ignition": {"version": "2.2.0"},
 "networkd": {"units": [{"name": "a.network", "contents": "[Match]"}]},
 "storage": {"filesystems": [{"name": "data", "mount": {"device": "/dev/b", "format": "ext4", "create": {"force": true}}}],
  "files": [
   {"filesystem": "root", "path": "/a",
    "append": true, "contents": {"source": "data:,a"}},
   {"filesystem": "data", "path": "/b"}]},
 "systemd": {"units": [{"name": "a.service", "enable": true}]}}"""


def marked(text: bytes, name: str = "a.ign") -> Config:
    parsed = parse(text)
    assert parsed.config is not None, str(parsed.report)
    return origins.mark(parsed.config, origins.Source(name, text), parsed.renamed_paths())


def places(config: Config) -> dict[str, str]:
    """Path of each value → where it comes from."""
    return {".".join(map(str, path)): str(origins.of(value)) for path, value in origins.values(config)}


def test_marked_config_is_the_config() -> None:
    plain = parse(FILES).config
    assert plain is not None
    config = marked(FILES)
    assert config == plain
    assert hash(config.storage.files[0].path) == hash("/a")
    assert config.storage.files[0].overwrite and not config.storage.files[1].overwrite
    assert config.storage.files[1].mode == 0


def test_each_value_has_line_and_column() -> None:
    assert places(marked(FILES)) == {
        "storage.files.0.path": "a.ign:2:12",
        "storage.files.0.overwrite": "a.ign:2:44",
        "storage.files.0.contents.source": "a.ign:3:27",
        "storage.files.0.mode": "a.ign:2:26",
        "storage.files.1.path": "a.ign:4:12",
        "storage.files.1.overwrite": "a.ign:4:42",
        "storage.files.1.mode": "a.ign:4:26",
    }


def test_merged_values_come_from_the_side_that_won() -> None:
    merged = merge.merge(marked(FILES, "parent"), marked(OVER, "child"))
    found = places(merged)
    assert found["storage.files.0.mode"] == "parent:2:26"
    assert found["storage.files.1.path"] == "child:2:12"
    assert found["storage.files.1.mode"] == "child:2:26"
    assert found["storage.files.1.overwrite"] == "parent:4:42"


def test_elements_of_a_list_of_scalars_have_their_own_places() -> None:
    more = OVER.replace(b'"a", "b"', b'"b", "c"')
    found = places(merge.merge(marked(OVER, "parent"), marked(more, "child")))
    assert [found[f"passwd.users.0.groups.{n}"] for n in range(3)] == ["parent:3:52", "child:3:52", "child:3:57"]


def test_values_of_a_2x_text_lie_where_it_says_them() -> None:
    found = places(marked(OLD))
    assert found["storage.filesystems.0.device"] == "a.ign:3:67"
    assert found["storage.filesystems.0.wipeFilesystem"] == "a.ign:3:115"
    assert found["storage.files.0.append.0.source"] == "a.ign:6:44"
    assert found["systemd.units.0.enabled"] == "a.ign:8:56"
    assert found["storage.files.2.path"] == "a.ign:2:34"  # what the translation makes of the networkd unit's name
    assert found["storage.files.1.user.id"] == "a.ign:7:4"  # made up: the file itself
    paths = {path: origins.of(value) for path, value in origins.values(marked(OLD))}
    enabled = paths["systemd", "units", 0, "enabled"]
    assert enabled is not None and enabled.path == ("systemd", "units", 0, "enable")


def test_plain_config_has_no_marks() -> None:
    plain = origins.plain(marked(FILES))
    assert all(origins.of(value) is None for _, value in origins.values(plain))
    assert plain.storage.files[0].overwrite is True
    assert {type(value) for _, value in origins.values(plain)} == {str, int, bool}


@pytest.mark.parametrize("path, parent, child, _", LISTS, ids=[f"{row[0]}-{i}" for i, row in enumerate(LISTS)])
def test_marks_do_not_change_a_merge(path: str, parent: list[Any], child: list[Any], _: list[Any]) -> None:
    texts = []
    for value in (parent, child):
        body = nested(path, value)
        about = {"version": "3.6.0", **body.pop("ignition", {})}
        texts.append(json.dumps({"ignition": about, **body}).encode())
    plain = [parse(text) for text in texts]
    assert [each.outcome for each in plain] == [VALID, VALID]
    first, second = (each.config for each in plain)
    assert first is not None and second is not None
    assert merge.merge(*(marked(text) for text in texts)) == merge.merge(first, second)


def test_value_made_of_another_has_its_origin() -> None:
    path = marked(FILES).storage.files[0].path
    assert str(origins.of(origins.like(f"/data{path}", path))) == "a.ign:2:12"
    assert origins.of(origins.like("/x", "/y")) is None
    assert origins.like(None, path) is None


@pytest.mark.parametrize(
    ("path", "place"),
    [
        pytest.param(("storage", "files", 1, "mode"), "a.ign:4:26", id="value"),
        pytest.param(("storage", "files", 1), "a.ign:4:12", id="element: its key"),
        pytest.param(("storage", "files", 1, "user", "name"), "a.ign:4:12", id="absent: the element around it"),
        pytest.param(("storage", "files", 7), "None", id="no such element"),
        pytest.param(("systemd", "units"), "None", id="absent section"),
    ],
)
def test_origin_near_a_path(path: tuple[str | int, ...], place: str) -> None:
    assert str(origins.near(marked(FILES), path)) == place
