"""Nothing that can stand in a document ends in an exception, and what `ct` makes without an error is a valid config."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignition.config.parse import VALID, parse
from ignition.config.record import Field, Record
from ignition.config.text.display import display
from ignition.config.text.yaml_nodes import Unsigned
from ignition.errors import Failure
from ignition.transpile.ct import dynamic
from ignition.transpile.ct.model import ContainerLinuxConfig
from ignition.transpile.ct.run import Result, Source

CORPUS = sorted((Path(__file__).parent.parent / "corpus/ct").glob("*.yaml"))
WORDS = st.sampled_from(
    ["", "a", "/a", "/dev/sda", "root", "1GiB", "a.service", "3.3.1", "{HOSTNAME}", "}{", "ext4", "~", "raid1"]
)


PIECES = [b"", b":", b"- ", b"\n", b"~", b"[", b"*a", b"\xff", b"'", b"0", b"!!binary /w=="]


def transpiled(text: bytes, platform: str = "") -> Result | None:
    """None if the first stage has errors."""

    def read_local(name: str) -> bytes:
        raise Failure(f"no {name}")

    source = Source("there", text)
    assert source.config is not None or source.report.fatal
    result = source.translated(dynamic.named(platform), read_local) if source.config else None
    for report in (source.report, result.report if result else source.report):
        display(report, text)
        assert all(entry.line is None or entry.line >= 0 for entry in report.entries)
    return result


def judge(text: bytes, platform: str = "") -> None:
    result = transpiled(text, platform)
    if result and (made := result.text()) is not None:
        assert parse(made.encode()).outcome == VALID


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_damaged_documents(path: Path) -> None:
    chance = random.Random(path.stem)
    text = path.read_bytes()
    for _ in range(20):
        damaged = bytearray(text)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(damaged) + 1)
            damaged[place : place + chance.randint(0, 3)] = chance.choice(
                [b"", b":", b"- ", b"\n", b"~", b"[", b"*a", b"\xff", b"'", b"0"]
            )
        judge(bytes(damaged), "ec2")


def values(field: Field) -> st.SearchStrategy[object]:
    """What may stand at a member, and a little of what may not."""
    kinds: dict[object, st.SearchStrategy[object]] = {
        str: WORDS,
        int: st.sampled_from([0, 1, 0o644, -1]),
        Unsigned: st.sampled_from([0, 1000]),
        bool: st.booleans(),
    }
    one = kinds.get(field.element)
    if one is None:
        one = st.deferred(lambda: documents(field.element))
    return st.lists(one, max_size=3) if field.many else one


def documents(cls: type[Record]) -> st.SearchStrategy[object]:
    """Mappings with some of the members of a record."""
    chosen = getattr(cls, "chosen", None)
    if chosen:
        cls = chosen(_Nothing())
    return st.fixed_dictionaries({}, optional={name: values(field) for name, field in cls.FIELDS.items()})


class _Nothing:
    """A mapping without members."""

    def child(self, name: str) -> None:
        return None


@given(document=documents(ContainerLinuxConfig), platform=st.sampled_from(["", *dynamic.PLATFORMS]))
def test_generated_documents(document: object, platform: str) -> None:
    import json

    judge(json.dumps(document).encode(), platform)


def test_thousands_of_fields() -> None:
    value = dynamic.expanded("name", "{HOSTNAME}" * 20_000, dynamic.named("ec2"))
    assert value == "${COREOS_EC2_HOSTNAME}" * 20_000
