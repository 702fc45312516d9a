"""What others made is taken up to a limit, and a large config that is right is still read."""

import gzip
import json
import resource
import time

import pytest

from ignition.config.parse import parse
from ignition.config.report import ERROR, WARNING
from ignition.config.text import json_text, yaml_text
from ignition.config.versions import canonical, number, order
from ignition.host import limits
from ignition.transpile.butane import variants
from ignition.transpile.ct import option_table as ct_versions
from ignition.transpile.user_data import parsed

DIGITS = "1" * 5000
MANY = 30_000
HEAD = '{"ignition": {"version": "3.4.0"}, '
LATEST_S, MOST_MEMORY = 60.0, 100 << 20


def files(one: str) -> str:
    """A config with a file of that text, again and again."""
    return f'{HEAD}"storage": {{"files": [{", ".join([one] * MANY)}]}}}}'


KINDS = {
    "unknown keys": (HEAD + ", ".join(f'"k{number}": 1' for number in range(MANY)) + "}", WARNING, MANY),
    "unknown keys inside": (files('{"path": "/x", "k": 1}'), WARNING, MANY),
    "nulls": (files("null"), WARNING, MANY),
    "relative paths": (files('{"path": "x"}'), ERROR, MANY),
    "the same path": (files('{"path": "/x"}'), ERROR, MANY - 1),
    "NUL characters": (files(r'{"path": "/x", "user": {"name": "\u0000"}}'), ERROR, MANY),
}


@pytest.mark.parametrize("kind", KINDS)
def test_findings_are_bounded_and_counted(kind: str) -> None:
    text, level, count = KINDS[kind]
    begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = parse(text.encode()).report
    listed = [entry for entry in report.entries if entry.level == level]
    assert len(listed) == limits.FINDINGS + 1
    words = listed[-1].message.split()
    assert words[:1] + words[2:] == ["and", "more", f"{level}s", "not", "listed"]
    assert int(words[1]) >= count - limits.FINDINGS
    assert report.fatal == any(entry.level == ERROR for entry in report.entries)
    assert time.monotonic() - begin < LATEST_S
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MOST_MEMORY


def test_errors_are_not_hidden_by_warnings() -> None:
    unknown = ", ".join(f'"k{number}": 1' for number in range(5 * limits.FINDINGS))
    report = parse(f'{HEAD}{unknown}, "storage": {{"files": [{{"path": "x"}}]}}}}'.encode()).report
    assert report.fatal
    assert [entry.path for entry in report.entries if entry.level == ERROR] == ["$.storage.files.0.path"]


def test_one_more_than_are_listed() -> None:
    unknown = ", ".join(f'"k{number}": 1' for number in range(limits.FINDINGS + 1))
    entries = parse(f"{HEAD}{unknown}}}".encode()).report.entries
    assert [entry.message for entry in entries[limits.FINDINGS :]] == ["and 1 more warning not listed"]


def test_repeated_keys_cost_no_square() -> None:
    begin = time.monotonic()
    assert len(json_text.repeated_keys(json.dumps({"a": 1}).encode()[:-1] + b', "a": 1' * MANY + b"}")) == 1
    text = "{" + ", ".join(f'"{number}": 1, "{number}": 2' for number in range(MANY)) + "}"
    assert len(json_text.repeated_keys(text.encode())) == limits.FINDINGS + 1
    assert time.monotonic() - begin < LATEST_S


def test_large_config_that_is_right_is_read() -> None:
    one = '{{"path": "/data/{}", "contents": {{"source": "data:,' + "x" * 150 + '"}}}}'
    text = f'{HEAD}"storage": {{"files": [{", ".join(one.format(number) for number in range(50_000))}]}}}}'
    assert len(text) > 10_000_000
    done = parse(text.encode())
    assert not done.report.entries
    assert done.config is not None
    assert len(done.config.storage.files) == 50_000


@pytest.mark.parametrize(
    "version",
    [f"1.{DIGITS}.0", f"{DIGITS}.0.0", f"3.4.{DIGITS}", f"3.{'0' * 5000}4.0", f"3.4.0-{DIGITS}", f"{DIGITS}", "３.4.0", "²"],
)
def test_version_of_thousands_of_digits_is_no_traceback(version: str) -> None:
    known = version == f"3.{'0' * 5000}4.0"
    assert parse(json.dumps({"ignition": {"version": version}}).encode()).report.fatal is not known
    assert (canonical(version) == "3.4.0") is known
    assert order(version) >= (0, 0)
    assert variants.canonical(version) != "3.4.0" or known
    assert ct_versions.numbers(version) is None
    assert isinstance(ct_versions.canonical(version), str)
    for text in (
        f"variant: fcos\nversion: {version}\n",
        f'variant: "fcos"\nversion: "{version}"\n',
        f"variant: flatcar\nversion: {version}\nstorage: {{}}\n",
        f"etcd:\n  version: {version}\n",
        f"etcd:\n  version: '{version}'\n  name: x\n",
        f"storage:\n  disks: [{{device: /dev/x, partitions: [{{size: {version}, number: {version}}}]}}]\n",
        f"storage:\n  files: [{{filesystem: root, path: /x, mode: {version}}}]\n",
    ):
        done = parsed(text.encode(), "user data", "")
        assert done is None or done.report is not None


def test_ignition_version_of_thousands_of_digits_is_refused() -> None:
    assert parse(f'{{"ignitionVersion": {DIGITS}}}'.encode()).report.fatal


@pytest.mark.parametrize(("digits", "value"), [("0", 0), ("007", 7), ("", 0), (DIGITS, 111_111_111), ("0" * 5000 + "4", 4)])
def test_number_of_a_version(digits: str, value: int) -> None:
    assert number(digits) == value


def test_one_table_has_the_limits() -> None:
    assert (yaml_text.MOST_BYTES, yaml_text.MOST_NODES, yaml_text.MOST_DEPTH) == (8 << 20, 200_000, 100)
    assert limits.IN_MEMORY == 64 << 20
    assert len(gzip.compress(bytes(limits.IN_MEMORY))) < 100_000  # why what is packed is counted unpacked
