"""Our verdicts and places beside those of Debian's ignition-validate, over the whole corpus (see corpus.py for its form)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ignition.config.parse import VALID, parse
from ignition.config.report import Entry
from ignition.config.text.positions import Lines
from tests.config.differential.corpus import Case, cases
from tests.config.differential.debian import Judged, Place, validate

CONFIGS_MD = Path(__file__).parents[3] / "docs" / "configs.md"
SUBJECTS = sorted({case.subject for case in cases()})
# What the program prints instead of places for a text whose version it does not know.
WITHOUT_PLACES = "couldn't parse config: "


@cache
def judged(subject: str) -> list[tuple[Case, Judged, Judged]]:
    """Case, Debian's verdict, ours."""
    some = [case for case in cases() if case.subject == subject]
    return [(case, theirs, ours(case.text)) for case, theirs in zip(some, validate([case.text for case in some]), strict=True)]


def ours(text: bytes) -> Judged:
    parsed = parse(text)
    undecodable = [entry for entry in parsed.report.entries if entry.rule == "J1"]
    if undecodable:
        return Judged(parsed.outcome == VALID, [as_decoder(undecodable[0], text)], str(parsed.report))
    places = [Place(entry.level, entry.path, entry.line or 0, entry.column or 0) for entry in parsed.report.entries]
    return Judged(parsed.outcome == VALID, places, str(parsed.report))


def as_decoder(entry: Entry, text: bytes) -> Place:
    """Ignition's decoder ends at the first fault, without a path, and says how far it has read; ours says where the fault is."""
    lines = Lines(text)
    if entry.extent is None:
        offset = lines.start(entry.line or 1) + (entry.column or 1) - 1
        return Place(entry.level, entry.path, *lines.at(offset + 1))
    start, end = entry.extent
    return Place(entry.level, "", *lines.at(start + 1 if text[start : start + 1] in (b"{", b"[") else end))


def misplaced(theirs: Judged, mine: Judged) -> Iterator[str]:
    """Places that only one of both has, or has more often. Ours may have further warnings."""
    if WITHOUT_PLACES in theirs.output:
        return
    counted, own = Counter(theirs.places), Counter(mine.places)
    yield from (f"only Debian's: {place}" for place in counted - own)
    yield from (f"only ours: {place}" for place in own - counted if place.level == "error")


def shown(case: Case, theirs: Judged, mine: Judged) -> str:
    return f"\n{case.name}: {case.text[:400]!r}\n Debian's: {theirs.output.strip()[:800]}\n ours: {mine.output[:800]}"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_verdicts_agree_with_debians_program_but_for_the_listed_differences(subject: str) -> None:
    wrong = []
    for case, theirs, mine in judged(subject):
        if (theirs.valid != mine.valid) != bool(case.verdict):
            what = "listed as a difference, but the verdicts agree" if case.verdict else "the verdicts differ"
            wrong.append(f"{what}: ours is {'valid' if mine.valid else 'invalid'}{shown(case, theirs, mine)}")
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_places_of_errors_and_unused_keys_are_those_of_debians_program(subject: str) -> None:
    wrong = []
    for case, theirs, mine in judged(subject):
        differences = [] if case.verdict else list(misplaced(theirs, mine))
        if bool(differences) != bool(case.places):
            what = "; ".join(differences) or "listed as a difference, but the places agree"
            wrong.append(f"{what}{shown(case, theirs, mine)}")
    assert not wrong, "\n\n".join(wrong)


def test_corpus_has_hundreds_of_configs_of_every_version_and_verdict() -> None:
    """So that the tests above cannot pass for want of rows."""
    assert len({case.text for case in cases()}) >= 1000
    for version in ("3.0", "3.1", "3.2", "3.3"):
        verdicts = [ours(case.text).valid for case in cases() if case.version == version]
        assert min(verdicts.count(True), verdicts.count(False)) >= 40, version


def test_docs_list_the_verdicts_that_differ() -> None:
    reasons: dict[str, list[str]] = {}
    for case in cases():
        if case.verdict:
            rows = reasons.setdefault(case.verdict, [])
            rows += [name] if (name := case.name.partition("@")[0]) not in rows else []
    table = "\n".join(f"| {reason} | {', '.join(f'`{row}`' for row in rows)} |" for reason, rows in reasons.items())
    assert table in CONFIGS_MD.read_text(), f"the table in docs/configs.md must be\n{table}"
