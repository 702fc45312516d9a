"""JSON text → plain data, as strict as a config decoder. json_errors explains malformed texts.

Source: docs/reference/ignition-config.md §1.3 and §1.4; RFC 8259.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ignition import json_codec
from ignition.config.record import folded
from ignition.host import limits
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.report import Path

_BOM, _INFINITIES = b"\xef\xbb\xbf", (float("inf"), float("-inf"))
_SURROGATE = lazy_pattern(rb"\\u[dD][89a-fA-F]")


class NotJson(Exception):
    """The text is not a JSON value. `offset` is the offending byte, or len(text) if the text ends too early."""

    def __init__(self, message: str, offset: int, fix: str = "") -> None:
        super().__init__(message)
        self.message, self.offset, self.fix = message, offset, fix


class Text:
    """A decoded text: its value, and whether a key is repeated in an object."""

    def __init__(self, value: Any, has_repeated_keys: bool) -> None:
        self.value, self.has_repeated_keys = value, has_repeated_keys


def decode(text: bytes) -> Text:
    """The value of a JSON text. Of a repeated key the later value counts, laid over the earlier one. Raises NotJson."""
    repeated: list[bool] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # This hook runs for every object: the common case, unique keys, is one call.
        plain = dict(pairs)
        if len(plain) != len(pairs):
            repeated.append(True)
            plain = {}
            for key, value in pairs:
                plain[key] = _laid_over(plain[key], value) if key in plain else value
        return plain

    try:
        # Go also replaces invalid UTF-8 by U+FFFD instead of failing.
        value = _loads(text.decode("utf-8", "replace"), members)
        return Text(_without_surrogates(value) if b"\\u" in text and _SURROGATE.search(text) else value, bool(repeated))
    except _Constant as error:
        import re

        name = str(error).encode()
        strings = re.finditer(rb'"(?:[^"\\]|\\.)*"|' + re.escape(name), text, re.DOTALL)
        offset = next((match.start() for match in strings if match[0] == name), 0)
        raise NotJson(f"{error} is not a JSON value", offset) from None
    except RecursionError:
        raise NotJson("nested too deeply for a config", 0) from None
    except _Malformed as error:
        from ignition.config.text.json_errors import explained

        raise NotJson(*explained(text, str(error))) from None


def plain(text: str | bytes) -> Any:
    """The value of a JSON document of a service: dictionaries, lists, texts, numbers, booleans and None.

    Lenient about the output of services (a byte order mark, repeated keys), strict for the callers: numbers are finite,
    surrogates paired, size and depth bounded. Raises ValueError.
    """
    if len(text) > limits.METADATA_TEXT:
        raise ValueError("the document is too large")
    raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
    try:
        value = decode(raw.removeprefix(_BOM)).value
    except NotJson as error:
        raise ValueError(error.message) from None
    # Level by level: recursion would be limited by the very depth that is checked.
    nodes, level, depth = 0, [value], 0
    while level:
        nodes, depth = nodes + len(level), depth + 1
        if depth > limits.NESTED or nodes > limits.METADATA_NODES:
            raise ValueError("the document has too many values, or too many inside each other")
        if any(one in _INFINITIES for one in level if isinstance(one, float)):
            raise ValueError("a number is too large")
        level = [
            inner for one in level for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
        ]
    return value


def repeated_keys(text: bytes) -> list[Path]:
    """The paths of members whose key occurs again in the same object, up to a limit.

    Slow: only for texts with a repeated key.
    """
    found: dict[Path, None] = {}

    def walk(value: Any, path: Path) -> None:
        if isinstance(value, _Pairs):
            seen: set[str] = set()
            for key, inner in value.pairs:
                if key in seen and len(found) <= limits.FINDINGS:
                    found[(*path, key)] = None
                seen.add(key)
                walk(inner, (*path, key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                walk(inner, (*path, index))

    try:
        walk(_loads(text.decode("utf-8", "replace"), _Pairs), ())
    except RecursionError:
        pass  # in a part that is not a config: the others were found
    return list(found)


class _Pairs:
    """An object with its members as written."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


class _Malformed(Exception):
    """The text is not JSON; the message is that of Python's decoder."""


class _Constant(Exception):
    """NaN or an infinity, which Python's decoder would accept."""


def member(value: dict[str, Any], name: str) -> Any:
    """A member of an object, by its exact name or else by one that differs in case; None if there is none."""
    if name in value:
        return value[name]
    return next((inner for key, inner in value.items() if folded(key) == folded(name)), None)


def _loads(text: str, members: Callable[[list[tuple[str, Any]]], Any]) -> Any:
    try:
        return json_codec.loads(text, object_pairs_hook=members, parse_constant=_refuse_constant)
    except ValueError:
        import json  # has been loaded for the error

        try:
            # A number of thousands of digits; a hook for every integer would slow down all other texts.
            return json.loads(text, object_pairs_hook=members, parse_constant=_refuse_constant, parse_int=_integer)
        except json.JSONDecodeError as error:
            raise _Malformed(error.msg) from None


def _integer(digits: str) -> int:
    """Python refuses to read more than 4300 digits, Go skips them; the first ones suffice to see that it exceeds 64 bits."""
    return int(digits[:99])


def _refuse_constant(name: str) -> None:
    raise _Constant(name)


def _laid_over(old: Any, new: Any) -> Any:
    # Go decodes the value of a repeated key into the earlier one: objects are merged, null changes nothing.
    if isinstance(old, dict):
        if new is None:
            return old
        if isinstance(new, dict):
            return {**old, **{key: _laid_over(old[key], value) if key in old else value for key, value in new.items()}}
    if isinstance(old, list) and isinstance(new, list):
        return [_laid_over(old[index], value) if index < len(old) else value for index, value in enumerate(new)]
    return new


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        # Joins pairs that were written as two escapes; a lone one becomes U+FFFD, as in Go.
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(inner) for key, inner in value.items()}
    return [_without_surrogates(inner) for inner in value] if isinstance(value, list) else value


# Rule O6: NUL characters. They terminate paths, names, arguments and keys. Contents of units and files may have them.

_CONTENTS = "contents"
NUL_ESCAPE = b"\\u0000"  # the only way to write it in JSON


def strings_with_nul(value: object, path: Path = ()) -> Iterator[Path]:
    """The paths of all strings with a NUL character, except contents."""
    if isinstance(value, str):
        if "\0" in value:
            yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == _CONTENTS and isinstance(inner, str):
                continue
            yield from strings_with_nul(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from strings_with_nul(inner, (*path, index))
