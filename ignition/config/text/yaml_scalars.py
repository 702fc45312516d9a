"""The kind of a plain YAML scalar. Source: go-yaml's resolve.go, YAML 1.1 where the two agree; coreos-cloudinit.md section 10.

A scalar also keeps its source text: `0644` in a string member stays `0644`, although its kind is a number.
"""

from __future__ import annotations

from collections.abc import Mapping

from ignition.patterns import lazy_pattern

STRING, BOOL, INT, FLOAT, NULL, BINARY = "string", "bool", "int", "float", "null", "binary"
KINDS = {"str": STRING, "bool": BOOL, "int": INT, "float": FLOAT, "null": NULL, "binary": BINARY}  # by the tag's last part

_INT = lazy_pattern(r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]*|[1-9][0-9_]*)")
_FLOAT = lazy_pattern(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BASES = {"0x": 16, "0b": 2, "0o": 8}


def _cases(word: str) -> tuple[str, ...]:
    return (word, word.capitalize(), word.upper())


CORE_TRUTHS: Mapping[str, bool] = {case: word == "true" for word in ("true", "false") for case in _cases(word)}
YAML_1_1_TRUTHS: Mapping[str, bool] = {
    **CORE_TRUTHS,
    **{case: word in ("y", "yes", "on") for word in ("y", "yes", "on", "n", "no", "off") for case in _cases(word)},
}


def kind(text: str, truths: Mapping[str, bool]) -> str:
    """The kind of an unquoted scalar without a tag."""
    if text in _NULLS:
        return NULL
    if text in truths:
        return BOOL
    if text[0] not in "+-.0123456789":
        return STRING
    if _INT.fullmatch(text):
        return INT
    return FLOAT if _FLOAT.fullmatch(text) else STRING


def integer(text: str) -> int:
    """The value of a scalar of kind INT. The first 99 digits suffice to see that it is too large."""
    digits = text.replace("_", "").lower()[:99]
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    base = _BASES.get(digits[:2])
    if base:
        return sign * int(digits[2:] or "0", base)
    return sign * int(digits, 8 if digits.startswith("0") else 10)


def number(text: str) -> float:
    """The value of a scalar of kind FLOAT or INT."""
    if _INT.fullmatch(text):
        return float(integer(text))
    return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
