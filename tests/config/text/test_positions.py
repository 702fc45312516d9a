"""Places of values: each is where the value is written, whatever is around it."""

import json
import random
from typing import Any

from ignition.config.text.positions import Positions


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], Any]:
    """All paths of a document with their values."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = {path: value}
    for part, one in inner:
        found |= paths_of(one, (*path, part))
    return found


def made(draw: random.Random, depth: int = 0) -> Any:
    """Some document, with keys and texts that look like parts of JSON."""
    texts = ["", "a", "A", "é", '"', "\\", "{", "]", ",:", "ſ", "\U0001f600", "x\n"]
    kind = draw.randrange(7 if depth < 4 else 5)
    if kind < 5:
        return [draw.choice(texts), draw.randrange(-9, 10**30), 1.5e-9, None, True][kind]
    inner = [made(draw, depth + 1) for _ in range(draw.randrange(4))]
    return inner if kind == 5 else dict(zip(draw.sample(["k", "é", "\\", '"', "k2", "x y", "1"], len(inner)), inner, strict=True))


def test_every_value_is_at_its_place() -> None:
    draw = random.Random(1)  # noqa: S311  not a secret
    for _ in range(400):
        document = {"top": made(draw), "list": [made(draw) for _ in range(3)]}
        text = json.dumps(
            document,
            ensure_ascii=draw.random() < 0.5,
            indent=draw.choice([None, 2, "\t"]),
            separators=draw.choice([(",", ":"), (", ", ": "), (" ,\n", "\r : ")]),
        ).encode()
        known = paths_of(document)
        asked = draw.sample(sorted(known, key=repr), draw.randrange(1, len(known) + 1))
        positions = Positions(text, asked)
        for path in asked:
            place = positions.find(path)
            assert place is not None, (path, text)
            assert json.loads(text[place.start : place.end]) == known[path]
            if path and isinstance(path[-1], str):
                assert place.key is not None
                assert json.JSONDecoder().raw_decode(text[place.key :].decode())[0] == path[-1]
            else:
                assert place.key is None


def test_value_behind_one_that_is_nested_deeper_than_python_may_call() -> None:
    text = b'{"deep": ' + b"[" * 3000 + b'"]"' + b"]" * 3000 + b', "x": [1, 2]}'
    place = Positions(text, [("x", 1)]).find(("x", 1))
    assert place is not None and text[place.start : place.end] == b"2"


def test_text_that_is_not_json_has_no_places() -> None:
    for text in (b"", b" ", b"a: 1", b'{"a"', b'{"a" 1}', b"[1", b"}", b'{"b": '):
        assert Positions(text, [("a",), ("a", 0)]).find(("a", 0)) is None
