"""Damaged documents of the corpus are translated or refused; the program does not fail, and butane accepts every result."""

import random
import re

import pytest

from ignition.from_cloud_config import translate
from ignition.from_cloud_config.work import Options
from ignition.transpile.butane import translate as butane
from tests.from_cloud_config.corpus import DOCUMENTS

EACH = 20
WORDS = (
    "~",
    "true",
    "7",
    "[]",
    "{}",
    "[a, b]",
    "{a: b}",
    "'%n'",
    '"\\x01"',
    "/dev/sdb",
    "default",
    "é",
    "-1",
    "''",
    "'a b'",
    "1e3",
)
MEMBER = re.compile(r"(\s*(?:- )?[\w./-]+: )(.*)")


def damaged(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    for _ in range(chance.randint(1, 3)):
        index = chance.randrange(len(lines))
        match chance.randrange(4):
            case 0 if found := MEMBER.match(lines[index]):
                lines[index] = found[1] + chance.choice(WORDS)
            case 1:
                lines[index] = re.sub(r"[\w./@-]+", lambda word: chance.choice((*WORDS, word[0], word[0])), lines[index])
            case 2 if len(lines) > 1:
                del lines[index]
            case _:
                lines.insert(index, chance.choice(lines))
    return "\n".join(lines)


@pytest.mark.parametrize("part", range(4))
def test_damaged_document(part: int) -> None:
    chance = random.Random(part)  # noqa: S311  not for secrets
    accepted = 0
    options = Options("core", packages=True, disk_sizes={"/dev/sdb": 1000})
    for document in DOCUMENTS[part::4]:
        text = document.read_text(encoding="utf-8")
        for _ in range(EACH):
            made = damaged(text, chance)
            done = translate(made.encode(), name="damaged", options=options)
            assert not any(entry.message.startswith("butane") for entry in done.report.entries), made
            if done.text is not None:
                accepted += 1
                assert str(butane(done.text.encode(), name="", files_dir=None).report) == "", made
    assert accepted > EACH
