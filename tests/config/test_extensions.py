"""Our extensions: the examples of the manual are valid, and only spec 3.x has them."""

import re
from pathlib import Path

import pytest

from ignition.config.cache import dump, load
from ignition.config.merge import merge
from ignition.config.model import Config
from ignition.config.parse import VALID, parse

PAGE = Path(__file__).parent.parent.parent / "docs/extensions.md"
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL))
EXAMPLES = [(title, text) for title, body in SECTIONS.items() for text in re.findall(r"```json\n(.*?)```", body, re.DOTALL)]


def config(text: str) -> Config:
    parsed = parse(text.encode())
    assert (parsed.outcome, str(parsed.report)) == (VALID, "")
    assert parsed.config is not None
    return parsed.config


@pytest.mark.parametrize("text", [text for _, text in EXAMPLES], ids=[title for title, _ in EXAMPLES])
def test_example_of_the_manual_is_valid_and_survives_the_cache(text: str) -> None:
    assert '"x-coreos"' in text
    assert "x-coreos" in dump(config(text)).decode()
    assert load(dump(config(text))) == config(text).evolve(ignition=load(dump(config(text))).ignition)


def test_every_extension_has_an_example() -> None:
    assert [title for title, _ in EXAMPLES] == [title for title in SECTIONS if title not in ("Other programs",)]


@pytest.mark.parametrize("version", ["2.2.0", "2.4.0"])
def test_older_specs_do_not_know_the_key(version: str) -> None:
    member = '"storage": {"disks": [{"device": "/dev/a", "wipeTable": true, "x-coreos": {"select": {"serial": "x"}}}]}'
    parsed = parse(f'{{"ignition": {{"version": "{version}"}}, {member}}}'.encode())
    assert parsed.outcome == VALID
    assert [entry.message for entry in parsed.report.entries if entry.rule == "X2"] == ["unknown key x-coreos: ignored"]


def test_bits_of_two_configs_are_merged() -> None:
    def with_bits(bits: str) -> Config:
        part = f'{{"number": 1, "x-coreos": {{"attributes": {{{bits}}}}}}}'
        disk = f'{{"device": "/dev/a", "partitions": [{part}]}}'
        return config(f'{{"ignition": {{"version": "3.5.0"}}, "storage": {{"disks": [{disk}]}}}}')

    merged = merge(with_bits('"set": ["59"]'), with_bits('"set": ["63"], "clear": ["60"]'))
    attributes = merged.storage.disks[0].partitions[0].extension.attributes
    assert (attributes.set, attributes.clear) == (("59", "63"), ("60",))
