"""The YAML reader: what it gives, where it says things are, and how it ends with what is no document."""

import time

import pytest

from ignition.config.report import Entry, Report
from ignition.config.text import locate, yaml_scalars, yaml_text
from ignition.config.text.display import display
from ignition.config.text.positions import Lines
from ignition.config.text.yaml_nodes import Mapping, Scalar, Sequence, plain
from ignition.config.text.yaml_text import NotYaml, Policy, read
from ignition.host import limits

STRICT = Policy()
LENIENT = Policy(dashes_are_underscores=True)


def value(text: str, policy: Policy = STRICT) -> object:
    return plain(read(text.encode(), policy).root)


VALUES = [
    ("a: 1\nb: [x, 'y', \"z\"]\n", {"a": 1, "b": ["x", "y", "z"]}),
    ("a: 0644\nb: 0x1f\nc: 0b11\nd: 1_000\ne: -7\nf: 0o17\n", {"a": 0o644, "b": 31, "c": 3, "d": 1000, "e": -7, "f": 15}),
    ("a: 1.50\nb: .5\nc: 1e3\nd: 1.e+2\n", {"a": 1.5, "b": 0.5, "c": 1000.0, "d": 100.0}),
    ("a: on\nb: No\nc: Y\nd: 'true'\ne: oN\n", {"a": True, "b": False, "c": True, "d": "true", "e": "oN"}),
    ("a:\nb: ~\nc: null\nd: ''\n", {"a": None, "b": None, "c": None, "d": ""}),
    ("a: !!str 1\nb: !!int 5\nc: !!float 2\nd: !local x\n", {"a": "1", "b": 5, "c": 2.0, "d": "x"}),
    ("a: !!binary |\n  aGVs\n  bG8=\n", {"a": "hello"}),
    ("a: &x {k: v}\nb: *x\nc: [*x]\n", {"a": {"k": "v"}, "b": {"k": "v"}, "c": [{"k": "v"}]}),
    ("a: &x {k: 1, m: 2}\nb: {<<: *x, k: 3}\n", {"a": {"k": 1, "m": 2}, "b": {"k": 3, "m": 2}}),
    ("a: &x {k: 1, m: 2}\nb:\n  k: 3\n  <<: *x\n", {"a": {"k": 1, "m": 2}, "b": {"k": 3, "m": 2}}),
    ("a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc: {<<: [*x, *y]}\n", {"a": {"k": 1}, "b": {"k": 2, "l": 2}, "c": {"k": 1, "l": 2}}),
    ("a: |\n  x\n   y\n\nb: >-\n  p\n  q\n", {"a": "x\n y\n", "b": "p q"}),
    ("first: 1\n---\nsecond: [\n", {"first": 1}),
    ("--- {a: 1}\n...\n", {"a": 1}),
    ("", None),
    ("# only a comment\n", None),
    ("1: x\ntrue: z\n", {"1": "x", "true": "z"}),
    ("'<<': x\n", {"<<": "x"}),
    ("2026-01-01: 2026-01-02\n", {"2026-01-01": "2026-01-02"}),
]  # fmt: skip


@pytest.mark.parametrize("text, wanted", VALUES)
def test_values(text: str, wanted: object) -> None:
    assert value(text) == wanted


def test_scalars_keep_their_source_text() -> None:
    root = read(b"a: 0644\nb: off\nc: 1.50\nd: 0x1F\n", LENIENT).root
    assert isinstance(root, Mapping)
    assert [one.text for one in root.members.values() if isinstance(one, Scalar)] == ["0644", "off", "1.50", "0x1F"]
    assert [one.kind for one in root.members.values() if isinstance(one, Scalar)] == ["int", "bool", "float", "int"]


def test_binary_that_is_no_utf_8_keeps_its_bytes() -> None:
    root = read(b"a: !!binary H4sIAA==\n", STRICT).root
    scalar = root.child("a")
    assert isinstance(scalar, Scalar) and scalar.kind == yaml_scalars.BINARY
    assert scalar.text.encode("utf-8", "surrogateescape") == b"\x1f\x8b\x08\x00"


def test_booleans_of_another_schema_are_texts() -> None:
    assert value("a: yes\nb: true\n", Policy(truths=yaml_scalars.CORE_TRUTHS)) == {"a": "yes", "b": True}


def test_dashes_in_keys_become_underscores_if_the_policy_says_so() -> None:
    assert value("write-files:\n- a-b: c-d\n", LENIENT) == {"write_files": [{"a_b": "c-d"}]}
    assert value("write-files: x\n") == {"write-files": "x"}


def test_last_repeated_key_counts_and_is_told() -> None:
    text = b"a-b: 1\nc: 2\na_b: 3\n"
    document = read(text, LENIENT)
    assert plain(document.root) == {"c": 2, "a_b": 3}
    assert [(one.key, text[slice(*one.span)], text[slice(*one.first)]) for one in document.repeated] == [("a_b", b"a_b", b"a-b")]
    assert document.positions().key(("a_b",)) == 12


def test_all_repeated_keys_are_told_with_the_line_of_the_first() -> None:
    text = "é: 1\nb: {x: 1, x: 2}\né: 2\né: 3\nc: &c {k: 1}\nd:\n  <<: *c\n  <<: *c\n  '<<': 1\n".encode()
    entries = locate.locate_findings(text, locate.of_repeated_keys(text, read(text, STRICT).repeated, "error"))
    assert [str(entry) for entry in entries] == [
        'error at line 2 col 11: mapping key "x" already defined at line 2',
        'error at line 3 col 1: mapping key "é" already defined at line 1',
        'error at line 4 col 1: mapping key "é" already defined at line 1',
        'error at line 8 col 3: mapping key "<<" already defined at line 7',
    ]
    assert {entry.fix for entry in entries} == {"remove one of the two"}


def test_repeated_keys_beyond_the_limit_are_counted() -> None:
    text = b"a: 1\n" * (limits.FINDINGS + 3)
    found = locate.of_repeated_keys(text, read(text, STRICT).repeated, "warning", ": the last one counts")
    assert len(found) == limits.FINDINGS + 1
    assert found[0].message == 'mapping key "a" already defined at line 1: the last one counts'
    assert found[-1].message == "and 2 more warnings not listed"


NULL_ELEMENTS = b"a:\n  -\n  - x\n  - ~\n  - &n\nb: [null, {c: [z, ~]}]\n"


def test_null_elements_are_left_out_if_the_policy_says_so() -> None:
    assert plain(read(NULL_ELEMENTS, STRICT).root) == {"a": [None, "x", None, None], "b": [None, {"c": ["z", None]}]}
    root = read(NULL_ELEMENTS, Policy(null_elements_count=False)).root
    assert plain(root) == {"a": ["x"], "b": [{"c": ["z"]}]}
    found = [node.nulls for name in ("a", "b") if isinstance(node := root.child(name), Sequence)]
    assert [[(index, NULL_ELEMENTS[slice(*span)]) for index, span in nulls] for nulls in found] == [
        [(0, b"-"), (1, b"~"), (1, b"&n")],
        [(0, b"null")],
    ]
    at_the_top = read(b"-\n- x\n", Policy(null_elements_count=False)).root
    assert isinstance(at_the_top, Sequence)
    assert at_the_top.nulls == [(0, (0, 1))]


SECOND, ENDED, DIRECTIVE, SHALLOW = "a second one begins", "ends with the ...", "begins with %", "ends before this"
UNREAD = [
    (b"a: 1\n%YAML 1.1\nb: 2\n", DIRECTIVE, 2, b"%YAML 1.1"),
    (b"a: 1\r\n%YAML 1.1\r\nb: 2\r\n", DIRECTIVE, 2, b"%YAML 1.1"),
    (b"a: |\n  x\n%TAG ! !x\n", DIRECTIVE, 3, b"%TAG ! !x"),
    (b"a: 1\n...\nb: 2\n", ENDED, 3, b"b: 2"),
    (b"a: 1\n... # c\n# c\n\n  b: 2 # d\r\n", ENDED, 5, b"b: 2 # d"),
    (b"\xef\xbb\xbfa: 1\n...\n\xef\xbb\xbf# c\n\xef\xbb\xbfb: 2\n", ENDED, 4, b"b: 2"),
    (b"&a a: 1\n...\n*a : b\n", ENDED, 3, b"*a : b"),
    (b"a: 1\n---\nb: 1\n", SECOND, 2, b"---"),
    (b"a: 1\r\n---\r\nb: 1\r\n", SECOND, 2, b"---"),
    (b"a: 1\n--- b\n", SECOND, 2, b"---"),
    (b"a: 1\n--- # c\n\n  b: 1\n", SECOND, 2, b"---"),
    (b"a: 1\n---\n---\nb: 1\n", SECOND, 2, b"---"),
    (b"a: 1\n---\n%YAML\n", SECOND, 2, b"---"),
    (b"a: |\n  x\n---\ny\n", SECOND, 3, b"---"),
    (b"---\n---\na: 1\n", SECOND, 2, b"---"),
    (b"---\na: 1\n...\n%YAML 1.2\n---\nb: 1\n", SECOND, 5, b"---"),
    (b"first: 1\n---\nsecond: [\n", SECOND, 2, b"---"),
    (b"  a: 1\nb: 2\n", SHALLOW, 2, b"b: 2"),
    (b"\xef\xbb\xbf  a: 1\r\nb: 2\r\n", SHALLOW, 2, b"b: 2"),
    ("\n   # c\n  é: é\n\nb: 2\n---\nc: 1\n".encode(), SHALLOW, 5, b"b: 2"),
    (b"    - a\n- b\n", SHALLOW, 2, b"- b"),
    (b"{a: 1}\nb: 2\n", SHALLOW, 2, b"b: 2"),
    (b"{a: 1} b\n", SHALLOW, 1, b"b"),
]


@pytest.mark.parametrize("text, message, line, place", UNREAD, ids=[repr(row[0]) for row in UNREAD])
def test_what_stands_behind_the_document_is_told(text: bytes, message: str, line: int, place: bytes) -> None:
    unread = read(text, STRICT).unread
    assert unread and message in unread.message and unread.fix
    assert (Lines(text).at(unread.span[0])[0], text[slice(*unread.span)]) == (line, place)
    if message == SHALLOW:
        is_indented = text.removeprefix(b"\xef\xbb\xbf").startswith((b"  ", b"\n"))
        assert unread.fix.startswith("indent it" if is_indented else "remove it")
    (finding,) = locate.of_unread(unread)
    assert (finding.level, finding.span) == ("warning", unread.span)


ALL_READ = [
    b"a: 1\n---\n",
    b"a: 1\n---\n# c\n...\n",
    b"a: 1\n...\n...\n \t\n",
    b"a: 1 # c\n# d\n",
    b"%YAML 1.2\n%TAG !x! !y\n---\na: 1\n...\n",
    b"\xef\xbb\xbf---\r\na:\t1\r\n...\r\n",
    b"a: 1\n ---\nb: 'x\n%y'\n",
    b"x\n---x\n",
    b"",
    b"# c\n",
]


@pytest.mark.parametrize("text", ALL_READ, ids=map(repr, ALL_READ))
def test_marks_and_comments_behind_the_document_are_nothing(text: bytes) -> None:
    document = read(text, STRICT)
    assert (document.unread, locate.of_unread(document.unread), document.repeated) == (None, [], ())


PLACES = [
    (("a",), "1", "a"),
    (("b",), "- x\n  - c: 'q'\n    d: é", "b"),
    (("b", 1), "c: 'q'\n    d: é", None),
    (("b", 1, "c"), "'q'", "c"),
    (("b", 1, "d"), "é", "d"),
    (("e", "f"), "|\n    t\n", "f"),
    (("g",), "&x y", "g"),
    (("h",), "&x y", "h"),
    (("i",), "[ 1 ]", "i"),
]


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("path, of_value, of_key", PLACES)
def test_places(path: tuple[str | int, ...], of_value: str, of_key: str | None, start: bytes) -> None:
    text = start + "a: 1\nb:\n  - x\n  - c: 'q'\n    d: é\ne:\n  f: |\n    t\ng: &x y\nh: *x\n\n\ni: [ 1 ]\n".encode()
    positions = read(text, STRICT).positions()
    extent = positions.extent(path, of_key=False)
    assert extent and text[slice(*extent)].decode() == of_value
    key = positions.extent(path, of_key=True)
    assert (text[slice(*key)].decode() if key else None) == of_key
    begin = "t\n" if path == ("e", "f") else of_value  # of a block scalar, its content
    assert text[positions.value(path) :].decode().startswith(begin)


SCALARS = {
    "literal": "|\n    [Unit]\n    X=1\n    [Bad\n",
    "literal, indented by an indicator": "|2-\n      deeper\n    [Unit]\n\n    [Bad\n",
    "literal, with carriage returns": "|\r\n    [Unit]\r\n    [Bad\r\n",
    "literal, with tag, comment and an empty line": "!!str |  # c\n\n    [Unit]\n    [Bad\n",
    "literal, with an anchor": "&x |\n    [Unit]\n    [Bad\n",
    "folded": ">\n    [Unit]\n    é=1 more\n\n    [Bad\n      more\n    end\n",
    "double quotes": '"[Unit]\\nX=\\u00e9\\t\\x41 \\\n     1\\n[Bad"\n',
    "double quotes, folded": '"é \\n\\\n    \\L  b\\\n    \\ \\Lc\n\n\n   \\\\d\n    \\ e\\\n\n  f"\n',
    "single quotes": "'[Unit] it''s\n\n    [Bad'\n",
    "plain": "Unit x\n    y\n\n    Bad é z\n",
    "plain, with a tag": "!!str é [Bad\n",
}
ESCAPES = {"\\n": "\n", "\\t": "\t", "\\u00e9": "é", "\\x41": "A", "''": "'", "\\L": "\u2028", "\\ ": " ", "\\\\": "\\"}


@pytest.mark.parametrize("source", SCALARS.values(), ids=SCALARS)
def test_every_character_of_a_scalar_has_its_place(source: str) -> None:
    text = f"a:\n  c: {source}".encode()
    document = read(text, STRICT)
    node = document.root.child("a")
    scalar = node.child("c") if node else None
    assert isinstance(scalar, Scalar)
    positions = document.positions()
    starts = [place[0] for index in range(len(scalar.text)) if (place := positions.within(("a", "c"), (index, index + 1)))]
    assert (starts, len(starts)) == (sorted(starts), len(scalar.text))
    for start, said in zip(starts, scalar.text, strict=True):
        written = text[start:].decode().replace("\r", "")
        is_fold = said == " " and written.startswith("\n")
        assert is_fold or written.startswith((said, *(escape for escape, meant in ESCAPES.items() if meant == said)))


def test_a_missing_member_is_placed_at_its_nearest_ancestor() -> None:
    positions = read(b"a:\n  b: c\n", STRICT).positions()
    assert positions.find(("a", "x")) is None
    assert positions.value(("a", "x")) == positions.value(("a",)) == 5
    assert positions.extent(("a", "x"), of_key=True) is None


FAULTS = [
    (b"a: b: c\n", "mapping values are not allowed in this context", 1, 5, "quote"),
    (b"a:\n\t- b\n", "found character that cannot start any token", 2, 1, "not tabs"),
    (b"a: [1, 2\nb: 3\n", "did not find expected ',' or ']'", 2, 2, "close every"),
    (b"a:\n  - b\n c: d\n", "did not find expected key", 3, 2, "equally"),
    (b"a: 'x\n", "found unexpected end of stream", 2, 1, "close every"),
    (b"a: *x\n", "unknown anchor referenced", 1, 4, "quote a value that begins with *"),
    (b"a: &x\n  b: *x\n", "anchor 'x' value contains itself", 2, 6, "write the value out"),
    (b"a: 1\n? {b: c}\n: d\n", "a key is a mapping, not a word", 2, 3, "name"),
    (b"a: &x 1\n<<: *x\n", "map merge requires map or sequence of maps as the value", 2, 1, "<<: *name"),
    (b"a: !!binary '*'\n", "!!binary value contains invalid base64 data", 1, 4, "base64"),
    (b"a: !!int x\n", "cannot decode this as a !!int", 1, 4, "tag"),
    (b"a: x\xff\n", "not UTF-8 text", 1, 5, "UTF-8"),
    ("é: x\x00\n".encode(), "control characters are not allowed", 1, 6, "escape"),
    (b"\x7fELF\x02\x01\x01\x00", "control characters are not allowed", 1, 1, "escape"),
    (b"[" * 200, "nested more than 100 levels deep", 1, 101, "nesting"),
    (b"- " * 200 + b"x", "nested more than 100 levels deep", 1, 201, "nesting"),
]  # fmt: skip


@pytest.mark.parametrize("text, message, line, column, fix", FAULTS, ids=[row[1] for row in FAULTS])
def test_faults_have_message_place_and_remedy(text: bytes, message: str, line: int, column: int, fix: str) -> None:
    with pytest.raises(NotYaml) as caught:
        read(text, STRICT)
    error = caught.value
    assert error.message == message
    assert fix in error.fix
    assert error.span
    at = error.span[0]
    place = Lines(text).at(min(at, len(text) - 1))
    assert place == (line, column) or (at >= len(text) and line == text.count(b"\n") + 1)


BOMBS = {
    "values": b"a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 10)) for n in range(ord("b"), ord("k"))),
    "bytes": b"a: &a " + b"x" * 100_000 + b"\nb: [" + b",".join([b"*a"] * 10_000) + b"]\n",
    "merges": b"a: &a {" + b",".join(b"k%d: 1" % n for n in range(1000)) + b"}\nb:\n" + b"- {<<: *a}\n" * 1000,
    "many values": b"- a\n" * 300_000,
    "ten megabytes": b"a: " + b"x" * (10 << 20),
    "ten megabytes of brackets": b"[" * (10 << 20),
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_bombs_end_soon(text: bytes) -> None:
    begin = time.process_time()
    with pytest.raises(NotYaml) as caught:
        read(text, STRICT)
    assert time.process_time() - begin < 30
    assert "more than" in caught.value.message and caught.value.fix


def test_two_thousand_files_are_read_soon() -> None:
    one = "    - path: /etc/f\n      mode: 0644\n      contents: {inline: a}\n"
    text = "é: x\nstorage:\n  files:\n" + one * 2000
    begin = time.process_time()
    read(text.encode(), STRICT)
    assert time.process_time() - begin < 20


def test_carriage_returns_end_lines() -> None:
    assert value("#cloud-config\r\na: b\r\nc:\r\n- d\r\n") == {"a": "b", "c": ["d"]}


def test_a_fault_is_shown_with_a_caret() -> None:
    text = b"#cloud-config\nhostname: a: b\n"
    with pytest.raises(NotYaml) as caught:
        read(text, LENIENT)
    span = caught.value.span
    assert span
    line, column = Lines(text).at(span[0])
    entry = Entry(level="error", message=caught.value.message, line=line, column=column, extent=span)
    assert display(Report(entries=(entry,), source="user-data"), text).splitlines() == [
        "user-data:2:12: error: mapping values are not allowed in this context",
        "    2 | hostname: a: b",
        "      |            ^",
    ]


def test_pure_python_events_give_the_same_places(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    text = "é: 1\nb:\n  - x\n  - c: 'q'\n    d: é\ne:\n  f: |\n    t\n\ng: &x y\nh: *x\ni: [ 1, {j: k} ]\n".encode()
    paths: list[tuple[str | int, ...]] = [("é",), ("b",), ("b", 1), ("b", 1, "d"), ("e", "f"), ("g",), ("h",), ("i", 1, "j")]
    first = read(text, STRICT).positions()
    monkeypatch.delattr(yaml, "CSafeLoader")
    second = read(text, STRICT).positions()
    for path in paths:
        assert first.extent(path, of_key=False) == second.extent(path, of_key=False)
        assert first.extent(path, of_key=True) == second.extent(path, of_key=True)


def test_limits_are_those_that_the_messages_name() -> None:
    assert (yaml_text.MOST_DEPTH, yaml_text.MOST_NODES, yaml_text.MOST_BYTES) == (100, 200_000, 8 << 20)
