"""JSON text → plain data, with the strictness of a config decoder, and a name for what is no JSON config at all.

Source: ignition-config.md 1.3 and 1.4 of the reference; RFC 8259.
"""

import json
import re

from ignition.config.report import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_GZIP, _ZSTD, _UTF_8_BOM, _UTF_16_BOMS = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
_BLANK = b" \t\r\n"  # what RFC 8259 calls white space
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_YAML_KEY = re.compile(rb"(?:---\s*\n|#[^\n]*\n|\s)*[A-Za-z_]+:(?:\s|$)")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]{16,}={0,2}\s*")


class NotJson(Exception):
    """The text is no JSON value. `offset` is the offending byte, len(text) for what ends too early."""

    def __init__(self, message: str, offset: int, fix: str = "") -> None:
        super().__init__(message)
        self.message, self.offset, self.fix = message, offset, fix


class Text:
    """A decoded text: its value, and the paths' last parts that a repeated key would hide."""

    def __init__(self, value: "Any", has_repeated_keys: bool) -> None:
        self.value, self.has_repeated_keys = value, has_repeated_keys


def decode(text: bytes) -> Text:
    """The value of a JSON text. Of a repeated key the later value counts, laid over the earlier one. Raises NotJson."""
    repeated: list[bool] = []

    def members(pairs: list[tuple[str, "Any"]]) -> "dict[str, Any]":
        plain = dict(pairs)
        if len(plain) != len(pairs):
            repeated.append(True)
            plain = {}
            for key, value in pairs:
                plain[key] = _laid_over(plain[key], value) if key in plain else value
        return plain

    try:
        value = _loads(text.decode("utf-8", "replace"), members)
        return Text(_without_surrogates(value) if _SURROGATE.search(text) else value, bool(repeated))
    except json.JSONDecodeError as error:
        raise _explained(text, error.msg) from None
    except _Constant as error:
        raise NotJson(f"{error} is no JSON value", _constant_offset(text, str(error))) from None
    except RecursionError:
        raise NotJson("nested too deeply for a config", 0) from None


def folded(key: str) -> str:
    """A member's name as it is compared regardless of case: Go counts ſ as an s, and the Kelvin sign as a k."""
    return key.lower().replace("ſ", "s")


def repeated_keys(text: bytes) -> list[Path]:
    """The paths of members whose key occurs again in the same object. Slow: only for texts that are known to have some."""
    found: list[Path] = []

    def walk(value: "Any", path: Path) -> None:
        if isinstance(value, _Pairs):
            seen: set[str] = set()
            for key, inner in value.pairs:
                if key in seen and (*path, key) not in found:
                    found.append((*path, key))
                seen.add(key)
                walk(inner, (*path, key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                walk(inner, (*path, index))

    try:
        walk(_loads(text.decode("utf-8", "replace"), _Pairs), ())
    except RecursionError:
        pass  # in a part that no config has: the rest was found
    return found


class _Pairs:
    """An object with its members as written."""

    def __init__(self, pairs: list[tuple[str, "Any"]]) -> None:
        self.pairs = pairs


class _Constant(Exception):
    """NaN or an infinity, which Python's decoder would take."""


def _loads(text: str, members: "Callable[[list[tuple[str, Any]]], Any]") -> "Any":
    try:
        return json.loads(text, object_pairs_hook=members, parse_constant=_refuse_constant)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return json.loads(text, object_pairs_hook=members, parse_constant=_refuse_constant, parse_int=_integer)


def _integer(digits: str) -> int:
    """Python refuses to read more than 4300 digits, Go skips them; the first ones tell that the number has more than 64 bits."""
    return int(digits[:99])


def _refuse_constant(name: str) -> None:
    raise _Constant(name)


def _laid_over(old: "Any", new: "Any") -> "Any":
    if isinstance(old, dict):
        if new is None:
            return old
        if isinstance(new, dict):
            return {**old, **{key: _laid_over(old[key], value) if key in old else value for key, value in new.items()}}
    if isinstance(old, list) and isinstance(new, list):
        return [_laid_over(old[index], value) if index < len(old) else value for index, value in enumerate(new)]
    return new


def _without_surrogates(value: "Any") -> "Any":
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(inner) for key, inner in value.items()}
    return [_without_surrogates(inner) for inner in value] if isinstance(value, list) else value


def _constant_offset(text: bytes, name: str) -> int:
    strings = re.compile(rb'"(?:[^"\\]|\\.)*"|' + re.escape(name.encode()), re.DOTALL)
    return next((match.start() for match in strings.finditer(text) if match[0] == name.encode()), 0)


def _explained(text: bytes, reason: str) -> NotJson:
    if named := _named(text):
        return NotJson(*named)
    offset = _error_offset(text)
    if not text[offset:].strip(_BLANK) or reason.startswith("Unterminated string"):
        ends = "empty but for white space" if not text.strip() else "cut off: it ends in the middle of the JSON"
        return NotJson(f"the text is {ends}", len(text), "fetch or copy it again, whole")
    if reason == "Extra data":
        return NotJson("there is text after the end of the config", offset, "a config is one JSON object and nothing else")
    return _syntax(text, offset, reason)


def _error_offset(text: bytes) -> int:
    """In bytes: read as Latin-1, a text has the same structure and one character per byte."""
    try:
        json.loads(text.decode("latin-1"), parse_int=_integer)
    except json.JSONDecodeError as error:
        rest = text[error.pos :]
        return error.pos + (len(rest) - len(rest.lstrip(_BLANK)) if error.msg.startswith("Expecting") else 0)
    return 0


def _syntax(text: bytes, offset: int, reason: str) -> NotJson:
    character = text[offset:].decode("utf-8", "replace")[0]
    what = f"invalid character {character!r}"
    before = text[:offset].rstrip(_BLANK)
    if character in "}]" and before.endswith(b","):
        return NotJson(f"{what} after a comma", offset, "remove the comma")
    if text.startswith((b"//", b"/*"), offset):
        return NotJson(f"{what}: a comment", offset, "JSON has no comments; write Butane if you need them")
    if reason.startswith("Expecting property name"):
        return NotJson(f"{what} where a member's name in double quotes must be", offset)
    if reason.startswith("Illegal trailing comma"):  # Python 3.13 says so at the comma itself
        return NotJson(f"{what} after the last member", offset, "remove the comma")
    expected = {
        "Expecting value": "where a value must be",
        "Expecting ':' delimiter": "where a colon must be",
        "Expecting ',' delimiter": "where a comma or the end of the object or list must be",
        "Invalid control character at": "in a string: it must be written as an escape such as \\n",
    }
    if reason.startswith(("Invalid \\escape", "Invalid \\uXXXX")):
        return NotJson(f"{what} begins no escape that JSON knows", offset, "a backslash itself is written as \\\\")
    return NotJson(f"{what} {expected.get(reason, 'here')}", offset)


def _named(text: bytes) -> tuple[str, int, str] | None:
    """What the text is, if not JSON: message, offset, remedy."""
    start = text.lstrip(_BLANK)[:4096]
    if text.startswith(_UTF_8_BOM):
        return "the text begins with a byte order mark", 0, "save it as UTF-8 without a byte order mark"
    if text.startswith(_UTF_16_BOMS):
        return "the text is UTF-16", 0, "save it as UTF-8 without a byte order mark"
    if text.startswith(_GZIP) or text.startswith(_ZSTD):
        name = "gzip" if text.startswith(_GZIP) else "zstd"
        return f"the text is {name} data, not a config", 0, "store the config unpacked"
    if start[:1] == b"<":
        return (
            "invalid character '<': the text is HTML or XML, not a config",
            len(text) - len(text.lstrip(_BLANK)),
            "the URL answers with a web page: look at it in a browser",
        )
    if b"\n" in start and _YAML_KEY.match(start):
        return "the text is YAML, not a config", 0, "translate it first: butane < FILE > config.ign (or ct for old CLC files)"
    if len(start) >= 32 and _BASE64.fullmatch(text):
        return "the text is base64 data, not a config", 0, "decode it first: base64 -d"
    return None
