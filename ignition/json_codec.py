"""JSON by the functions in C of CPython's `json`, without loading that package.

Its regular expressions, and `re` and `enum` for them, take a seventh of the start of a stage. Results are those of `json`: texts
that it refuses, and interpreters without these functions, are left to it. Every package may import this module.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    make_scanner: Any
    make_encoder: Any
    encode_basestring: Callable[[str], str]
    encode_basestring_ascii: Callable[[str], str]
else:
    try:
        from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner
    except ImportError:  # an interpreter other than CPython
        make_scanner = None

_SPACE = " \t\n\r"  # RFC 8259 §2
_OTHER_ENCODINGS = (b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")  # as their byte order marks tell: json.detect_encoding


class _Parameters:
    """Those of a JSONDecoder, as the scanner asks for them."""

    strict, object_hook = True, None
    parse_float: type = float
    parse_int: type = int

    def __init__(
        self, object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None, parse_constant: Callable[[str], Any]
    ) -> None:
        self.object_pairs_hook, self.parse_constant = object_pairs_hook, parse_constant


class _Skipped(_Parameters):
    """Numbers stay texts: Python does not convert thousands of digits."""

    parse_float = parse_int = str


class _Refused(Exception):
    """NaN or an infinity, which `json` decides about."""


def _refuse(name: str) -> None:
    raise _Refused(name)


def loads(
    text: str | bytes,
    *,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
    parse_constant: Callable[[str], Any] | None = None,
) -> Any:
    """As `json.loads`. The hooks may be called again for a text that is malformed: `json` then reads it once more.

    Raises json.JSONDecodeError, ValueError, RecursionError, and what the hooks raise.
    """
    if make_scanner is not None and not (isinstance(text, bytes) and (b"\0" in text[:4] or text.startswith(_OTHER_ENCODINGS))):
        plain = text.decode("utf-8", "surrogatepass") if isinstance(text, bytes) else text
        stripped = plain.strip(_SPACE)
        scan = make_scanner(_Parameters(object_pairs_hook, parse_constant or _refuse))
        try:
            value, end = scan(stripped, 0)
            if end == len(stripped):
                return value
        # Up to Python 3.11 the scanner has an exception for details only if `json` is loaded; otherwise this is a SystemError.
        except (StopIteration, SystemError, ValueError, _Refused):
            pass
    import json

    return json.loads(text, object_pairs_hook=object_pairs_hook, parse_constant=parse_constant)


def skipper() -> Callable[[str, int], int]:
    """A function from a JSON text and the offset of a value in it to the end of that value.

    It raises RecursionError, and ValueError if there is no value.
    """
    if make_scanner is None:
        import json

        return lambda text, at: json.JSONDecoder(parse_int=str, parse_float=str).raw_decode(text, at)[1]
    scan = make_scanner(_Skipped(None, str))

    def end(text: str, at: int) -> int:
        try:
            found: int = scan(text, at)[1]
            return found
        except (StopIteration, SystemError):
            raise ValueError(f"no JSON value at {at}") from None

    return end


def dumps(value: Any, *, ensure_ascii: bool = True, separators: tuple[str, str] = (", ", ": "), allow_nan: bool = True) -> str:
    """As `json.dumps`, for values without cycles. Raises TypeError for a value that JSON does not have, ValueError."""
    if make_scanner is None:
        import json

        return json.dumps(value, ensure_ascii=ensure_ascii, separators=separators, allow_nan=allow_nan)
    return encoder(ensure_ascii=ensure_ascii, separators=separators, allow_nan=allow_nan)(value)


def encoder(
    *, ensure_ascii: bool = True, separators: tuple[str, str] = (", ", ": "), allow_nan: bool = True
) -> Callable[[Any], str]:
    """`dumps` with these parameters, for many values."""
    if make_scanner is None:
        return lambda value: dumps(value, ensure_ascii=ensure_ascii, separators=separators, allow_nan=allow_nan)
    item, key = separators
    string = encode_basestring_ascii if ensure_ascii else encode_basestring
    # No table of containers for cycles, no indentation, no sorting, no skipping of keys.
    encode = make_encoder(None, _unknown, string, None, key, item, False, False, allow_nan)
    return lambda value: "".join(encode(value, 0))


def indented(members: dict[str, Any]) -> str:
    """As `json.dumps` with `indent=2`, of an object whose members are scalars."""
    encode = encoder()
    return "{\n" + ",\n".join(f"  {encode(name)}: {encode(value)}" for name, value in members.items()) + "\n}"


def _unknown(value: object) -> None:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
