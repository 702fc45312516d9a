"""Damaged documents: each one either becomes a config or has an error; nothing is raised."""

import re

import pytest

from ignition.config.report import ERROR
from ignition.transpile.butane import translate
from ignition.transpile.butane.result import pretty
from tests.transpile.butane.test_corpus import CORPUS, DOCUMENTS

VALUES = (
    *("~", "[]", "{}", '""', "-1", "99999999999999999999", "1.5", "yes", "[~]", "[{}]", "{a: 1}", "*x", "&x y", '"\\0"', ".inf"),
    *("!!binary /w==", "!!float x", "..", "/a/../b", "'@.container'", "s390x-eckd", "swap", "\u2028", "{", "'", "? a", "<<: 1"),
)
_VALUE = re.compile(r"(?<=: )[^,\[\]{}\n]+(?=[,\]}]|$)")


def judged(text: str) -> None:
    done = translate(text.encode(), name="x", files_dir="/nonexistent")
    has_error = any(entry.level == ERROR for entry in done.report.entries)
    assert (done.text is None, bool(done.failure)) == (has_error, has_error), text
    assert pretty(done.report, text.encode(), colour=False) or not has_error


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_without_one_of_its_lines(name: str) -> None:
    lines = (CORPUS / f"{name}.yaml").read_text().split("\n")
    for index in range(len(lines)):
        judged("\n".join([*lines[:index], *lines[index + 1 :]]))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_with_another_value(name: str) -> None:
    text = (CORPUS / f"{name}.yaml").read_text()
    for number, found in enumerate(_VALUE.finditer(text)):
        value = VALUES[(number + len(name)) % len(VALUES)]
        judged(text[: found.start()] + value + text[found.end() :])
