"""YAML → records of a source: what is coerced, what is wrong, what is unknown, and where."""

import pytest

from ignition.config.record import Record, spec
from ignition.config.text import yaml_text
from ignition.config.text.yaml_nodes import Mapping, Scalar, Unsigned
from ignition.transpile.reading import Read, read


class Part(Record):
    SINCE = "1.0.0"
    name: str = spec("a text", default="")
    size: int | None = spec("a number", default=None)
    later_on: bool | None = spec("came later", default=None, since="1.2.0")


class Choice(Record):
    """Its members depend on its kind."""

    @classmethod
    def chosen(cls, node: Mapping) -> type[Record]:
        kind = node.child("kind")
        return Big if isinstance(kind, Scalar) and kind.text == "big" else Small


class Small(Choice):
    SINCE = "1.0.0"
    kind: str = spec("which", default="")


class Big(Small):
    weight: int | None = spec("only of big ones", default=None)


class Document(Record):
    SINCE = "1.0.0"
    path: str = spec("must be given")
    mode: int | None = spec("a number", default=None)
    gid: Unsigned | None = spec("never negative", default=None)
    wipe_table: bool = spec("yes or no", default=False)
    options: tuple[str, ...] = spec("texts", default=())
    parts: tuple[Part, ...] = spec("records", default=(), inner_since={"size": "1.1.0"})
    about: Part = spec("a record", default=Part())
    choice: Choice | None = spec("depends", default=None)


def of(text: str, version: str = "1.2.0", *, tilde_is_zero: bool = False) -> Read:
    root = yaml_text.read(text.encode(), yaml_text.Policy()).root
    return read(Document, root, version, tilde_is_zero=tilde_is_zero)


VALUES = [
    ("", Document(path="")),
    ("path: off", Document(path="off")),
    ("path: 007", Document(path="007")),
    ("path: '~'", Document(path="~")),
    ("mode: 0644", Document(path="", mode=0o644)),
    ("mode: 0o644", Document(path="", mode=0o644)),
    ("mode: 0x1f", Document(path="", mode=31)),
    ("mode: 0b101", Document(path="", mode=5)),
    ("mode: 12.9", Document(path="", mode=12)),
    ("mode: 0", Document(path="", mode=0)),
    ("mode: ~", Document(path="")),
    ("mode:", Document(path="")),
    ("gid: 7", Document(path="", gid=Unsigned(7))),
    ("wipe_table: Yes", Document(path="", wipe_table=True)),
    ("wipe_table: off", Document(path="")),
    ("options: [a, 1, yes, ~]", Document(path="", options=("a", "1", "yes", ""))),
    ("options:", Document(path="")),
    ("parts: [{name: a}, ~]", Document(path="", parts=(Part(name="a"), Part()))),
    ("about: {name: a, later_on: n}", Document(path="", about=Part(name="a", later_on=False))),
    ("about: ~", Document(path="")),
    ("choice: {kind: big, weight: 3}", Document(path="", choice=Big(kind="big", weight=3))),
    ("choice: {}", Document(path="", choice=Small())),
    ("mode: 1\nmode: 2", Document(path="", mode=2)),
    (
        "about: &a {name: x}\nparts: [*a, {<<: *a, size: 2}]",
        Document(path="", about=Part(name="x"), parts=(Part(name="x"), Part(name="x", size=2))),
    ),
]  # fmt: skip


@pytest.mark.parametrize("text, wanted", VALUES, ids=[text for text, _ in VALUES])
def test_value(text: str, wanted: Document) -> None:
    found = of(text)
    assert found.value == wanted
    assert (found.wrong, found.unknown) == ([], [])


TILDES = [
    ("mode: ~", Document(path="", mode=0)),
    ("mode: null", Document(path="")),
    ("path: ~", Document(path="")),
    ("choice: ~", Document(path="", choice=Small())),
    ("choice:", Document(path="")),
    ("choice: null", Document(path="")),
]


@pytest.mark.parametrize("text, wanted", TILDES, ids=[text for text, _ in TILDES])
def test_tilde_as_zero(text: str, wanted: Document) -> None:
    assert of(text, tilde_is_zero=True).value == wanted


WRONG = [
    ("mode: '0644'", ("mode",), "mode must be a whole number, not a text", "write it without quotes"),
    ("mode: many", ("mode",), "mode must be a whole number, not a text", ""),
    ("mode: yes", ("mode",), "mode must be a whole number, not true or false", ""),
    ("mode: .inf", ("mode",), "mode must be a whole number, not a number", ""),
    ("mode: 99999999999999999999", ("mode",), "mode must be a whole number, not a number", ""),
    ("gid: -1", ("gid",), "gid must be a whole number that is not negative, not a number", ""),
    ('wipe_table: "true"', ("wipe_table",), "wipe_table must be true or false, not a text", "write it without quotes"),
    ("wipe_table: 1", ("wipe_table",), "wipe_table must be true or false, not a number", ""),
    ("path: [a]", ("path",), "path must be a text, not a list", ""),
    ("options: a", ("options",), "options must be a list, not a text", "begin each element with a dash"),
    ("options: [{}]", ("options", 0), "options[0] must be a text, not a mapping", ""),
    ("parts: [{size: x}]", ("parts", 0, "size"), "size must be a whole number, not a text", ""),
    ("parts: [a]", ("parts", 0), "parts[0] must be a mapping, not a text", "write keys with values below it"),
    ("about: a", ("about",), "about must be a mapping, not a text", "write keys with values below it"),
    ("- a", (), "the config must be a mapping, not a list", "write keys with values below it"),
]


@pytest.mark.parametrize("text, path, message, fix", WRONG, ids=[row[0] for row in WRONG])
def test_wrong_type(text: str, path: tuple[str | int, ...], message: str, fix: str) -> None:
    (one,) = of(text).wrong
    assert (one.path, one.message, one.fix, one.level) == (path, message, fix, "error")


def test_all_wrong_types_are_listed_and_the_rest_is_read() -> None:
    found = of("mode: x\nwipe_table: 1\npath: a\nparts: [1, {name: b}]")
    assert [one.path for one in found.wrong] == [("mode",), ("wipe_table",), ("parts", 0)]
    assert found.value == Document(path="a", parts=(Part(), Part(name="b")))


def test_unknown_keys_with_what_was_meant() -> None:
    found = of("Path: a\nabout: {naem: x, <<: {}}\nparts: [{later_on: y, size: 1}]", version="1.0.0")
    assert [(one.path, one.proper, one.since) for one in found.unknown] == [
        (("Path",), "path", ""),
        (("about", "naem"), "", ""),
        (("parts", 0, "later_on"), "", "1.2.0"),
        (("parts", 0, "size"), "", "1.1.0"),
    ]
    assert list(found.unknown[1].known) == ["name", "size"]
    assert found.merges == [(("about", "<<"), (25, 27))]


def test_nulls_and_aliases_of_mappings_and_lists() -> None:
    found = of("about: &a {name: &n x}\nchoice:\noptions: ~\npath: *n\nparts: [*a, {}, *a]")
    assert found.nulls == [("choice",), ("options",)]
    assert found.aliases == [("parts", 0), ("parts", 2)]


def test_alias_of_a_neighbour_in_a_list() -> None:
    assert of("parts: [&a {name: x}, *a]").aliases == [("parts", 1)]
