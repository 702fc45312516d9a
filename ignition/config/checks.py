"""Checks on a single member. The model lists them with each field; rules, JSON Schemas and the tables of fields read them there.

A check carries the id of its rule (docs/reference/ignition-config.md §3.2 and §3.6), so that specs share the classes and keep
their ids. Every stage imports this file with the model: modules that only the parser needs are imported when they are used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ignition.config import url
from ignition.config.known_values import HASH_DIGITS, NAME_BYTES, PATH_BYTES, dated, known_in
from ignition.config.versions import ALIASES, SPEC_1, canonical, holds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.model.ignition import Resource

    Problem = tuple[str, str, str]  # message, fix, rule
    Constraint = dict[str, Any]  # members of a JSON Schema


_SURELY_SHORT = NAME_BYTES // 4  # characters, of at most four bytes each
_SPECIAL_BITS, _ALL_BITS = 0o7000, 0o7777
_GUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_GUID_FIX = "write it as 8-4-4-4-12 hex digits: 4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
_PART = r"(?:[^/.]|\.[^/.]|\.\.[^/])[^/]*"  # of a path in its simplest form: neither empty nor . nor ..
_HTTP_FIX = "begin it with http:// or https://"


class Check:
    """Base: a rule about one member, in the versions from `since` to `until`."""

    demands = False  # whether the member is required: only then is an absent one checked
    warns = False  # whether its finding is a warning, not an error

    def __init__(self, *rules: str, since: str = "", until: str = "") -> None:
        self.rules, self.since, self.until = rules, since, until

    def holds_in(self, version: str) -> bool:
        """Whether that spec version has it."""
        return holds(version, self.since, self.until)

    def problem(self, value: Any, version: str) -> Problem | None:
        """The problem with a value; None for a valid one. The value is null only if the check `demands` it."""
        raise NotImplementedError

    def constraint(self, version: str) -> Constraint:
        """The same in JSON Schema, with patterns valid in both ECMA 262 and Python. Never stricter than `problem`."""
        return {}

    def says(self, version: str) -> str:
        """A few words for the table of fields."""
        raise NotImplementedError


class Given(Check):
    """A member that is required and not empty."""

    demands = True

    def __init__(self, rule: str, message: str, fix: str, *, since: str = "") -> None:
        super().__init__(rule, since=since)
        self.message, self.fix = message, fix

    def problem(self, value: Any, version: str) -> Problem | None:
        return None if value else (self.message, self.fix, self.rules[0])

    def says(self, version: str) -> str:
        return "not empty"


class NotEmpty(Check):
    """A string that may be absent but not empty."""

    def __init__(self, rule: str, message: str, fix: str) -> None:
        super().__init__(rule)
        self.message, self.fix = message, fix

    def problem(self, value: str, version: str) -> Problem | None:
        return None if value else (self.message, self.fix, self.rules[0])

    def constraint(self, version: str) -> Constraint:
        return {"minLength": 1}

    def says(self, version: str) -> str:
        return "not empty"


class OneOf(Check):
    """A name out of a list; "" is equivalent to absent. `message` may hold {version}."""

    def __init__(self, rule: str, message: str, values: Mapping[str, str], *, since: str = "", until: str = "") -> None:
        super().__init__(rule, since=since, until=until)
        self.message, self.values = message, values

    def problem(self, value: str, version: str) -> Problem | None:
        if not value or (value in self.values and value in known_in(version, self.values)):
            return None
        return self._unknown(value, version)

    def _unknown(self, value: str, version: str) -> Problem:
        from ignition.config.suggest import one_of

        return self.message.format(version=version), one_of(value, known_in(version, self.values)), self.rules[0]

    def constraint(self, version: str) -> Constraint:
        return {"enum": [*known_in(version, self.values), ""]}

    def says(self, version: str) -> str:
        return f"one of {', '.join(dated(version, self.values))}"


class MustBeOneOf(OneOf):
    """The same for a required member."""

    demands = True

    def problem(self, value: str | None, version: str) -> Problem | None:
        return super().problem(value, version) if value else self._unknown("", version)

    def constraint(self, version: str) -> Constraint:
        return {"enum": known_in(version, self.values)}


class Timestamp(Check):
    """A time of RFC 3339, with its zone; "" is equivalent to absent."""

    PATTERN = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"

    def problem(self, value: str, version: str) -> Problem | None:
        import re
        from datetime import datetime

        if not value:
            return None
        if re.fullmatch(self.PATTERN, value):
            try:
                datetime.fromisoformat(value.upper().replace("Z", "+00:00"))
                return None
            except ValueError:
                pass  # a thirteenth month
        return "not a time of RFC 3339", "write it as 2030-12-31T23:59:59Z", self.rules[0]

    def constraint(self, version: str) -> Constraint:
        return {"pattern": f"^(?:{self.PATTERN})?$"}

    def says(self, version: str) -> str:
        return "time as in 2030-12-31T23:59:59Z"


class AtMostBytes(Check):
    """A text of limited length, in bytes of UTF-8."""

    def __init__(self, rule: str, what: str, limit: int) -> None:
        super().__init__(rule)
        self.what, self.limit = what, limit

    def problem(self, value: str, version: str) -> Problem | None:
        length = len(value.encode("utf-8", "replace"))
        if length <= self.limit:
            return None
        return f"{self.what} is longer than {self.limit} bytes", f"shorten it by {length - self.limit} bytes", self.rules[0]

    def constraint(self, version: str) -> Constraint:
        return {"maxLength": self.limit}  # in characters, of which each has a byte at least

    def says(self, version: str) -> str:
        return f"at most {self.limit} bytes"


class Without(Check):
    """A text in which a character is not allowed."""

    def __init__(self, rule: str, character: str, message: str, fix: str, *, warns: bool = False) -> None:
        super().__init__(rule)
        self.warns = warns
        self.character, self.message, self.fix = character, message, fix

    def problem(self, value: str, version: str) -> Problem | None:
        return (self.message, self.fix, self.rules[0]) if self.character in value else None

    def constraint(self, version: str) -> Constraint:
        return {"pattern": f"^[^{self.character}]*$"}

    def says(self, version: str) -> str:
        return f"no `{self.character}`"


# Device names as lsblk prints them, often written where a path is expected.
_DEVICE = r"(?:dev/)?((?:(?:s|v|h|xv)d[a-z]+[0-9]*|(?:nvme[0-9]+n|mmcblk)[0-9]+(?:p[0-9]+)?|(?:disk/by-|mapper/|md/).+|md[0-9]+))"


class AbsolutePath(Check):
    """An absolute path; with `simplest`, without `//`, `.`, `..` and trailing `/`. Another check covers the empty one."""

    def __init__(self, rule: str, *, simplest: str = "", until: str = "") -> None:
        super().__init__(rule, *([simplest] if simplest not in ("", rule) else []), until=until)
        self.simplest = simplest

    def problem(self, value: str, version: str) -> Problem | None:
        if not value:
            return None
        if value[0] != "/":
            return "path is not absolute", self._fix(value), self.rules[0]
        # Only paths with one of these can have another form: no module is imported for the rest.
        if self.simplest and ("/." in value or "//" in value or value[-1] == "/"):
            from ignition.config.rules.paths import problem

            if problem(value):
                return "path is not in its simplest form", self._fix(value), self.simplest
        return None

    def _fix(self, value: str) -> str:
        import re

        from ignition.config.rules.paths import fix

        if device := re.fullmatch(_DEVICE, value):
            return f"write /dev/{device[1]}"
        return fix(value) if self.simplest else f"write /{value}"

    def constraint(self, version: str) -> Constraint:
        return {"pattern": f"^(?:/(?:{_PART}(?:/{_PART})*)?)?$" if self.simplest else "^(?:$|/)"}

    def says(self, version: str) -> str:
        return "absolute path in its simplest form" if self.simplest else "absolute path"


class FitsKernel(Check):
    """A path within the limits of the kernel: its own length, and that of each name in it."""

    def problem(self, value: str, version: str) -> Problem | None:
        # Almost all paths are short: nothing is encoded for them.
        if len(value) <= _SURELY_SHORT:
            return None
        if len(value.encode("utf-8", "replace")) > PATH_BYTES:
            return f"path is longer than {PATH_BYTES} bytes", "shorten it: paths cannot be longer", self.rules[0]
        if any(len(name.encode("utf-8", "replace")) > NAME_BYTES for name in value.split("/")):
            return f"path has a name of more than {NAME_BYTES} bytes", "shorten it: names cannot be longer", self.rules[0]
        return None

    def constraint(self, version: str) -> Constraint:
        return {"maxLength": PATH_BYTES}

    def says(self, version: str) -> str:
        return f"at most {PATH_BYTES} bytes, and {NAME_BYTES} in each name"


class Guid(Check):
    """A GUID, or empty."""

    def problem(self, value: str, version: str) -> Problem | None:
        import re

        return None if not value or re.fullmatch(_GUID, value, re.ASCII) else ("not a GUID", _GUID_FIX, self.rules[0])

    def constraint(self, version: str) -> Constraint:
        return {"pattern": f"^(?:{_GUID})?$"}

    def says(self, version: str) -> str:
        return "GUID"


class Mode(Check):
    """Permission bits with setuid, setgid and sticky."""

    def problem(self, value: int, version: str) -> Problem | None:
        if 0 <= value <= _ALL_BITS:
            return None
        from ignition.config.suggest import mode

        return "mode is not between 0 and 4095 (octal 07777)", mode(value), self.rules[0]

    def constraint(self, version: str) -> Constraint:
        return {"minimum": 0, "maximum": _ALL_BITS}

    def says(self, version: str) -> str:
        return "0 to 4095 (octal 07777)"


class NoSpecialBits(Check):
    """A warning where setuid, setgid and sticky have no effect."""

    warns = True

    def problem(self, value: int, version: str) -> Problem | None:
        if not value & _SPECIAL_BITS:
            return None
        from ignition.config.suggest import mode

        message = f"mode is {value:#o}: setuid, setgid and sticky have no effect in spec {version}"
        return message, f"use spec 3.6.0 for them; {mode(value)}", self.rules[0]

    def says(self, version: str) -> str:
        return "setuid, setgid and sticky have no effect"


class NotNegative(Check):
    """A number of at least 0."""

    def __init__(self, rule: str, what: str, *, since: str = "", until: str = "") -> None:
        super().__init__(rule, since=since, until=until)
        self.what = what

    def problem(self, value: int, version: str) -> Problem | None:
        return (f"{self.what} is negative", "use a number of at least 0", self.rules[0]) if value < 0 else None

    def constraint(self, version: str) -> Constraint:
        return {"minimum": 0}

    def says(self, version: str) -> str:
        return "not negative"


class Url(Check):
    """The source of content; "" is empty content. Without an id of its own it stands for R6 to R10."""

    def problem(self, value: str, version: str) -> Problem | None:
        rule, wrong = url.problem(value, version)
        return (wrong, url.fix(rule, value, version), "".join(self.rules) or rule) if wrong else None

    def constraint(self, version: str) -> Constraint:
        return {"pattern": f"^(?:$|(?:{'|'.join(map(_any_case, url.schemes_of(version)))}):)"}

    def says(self, version: str) -> str:
        return f"URL: {', '.join(dated(version, url.first_versions(version)))}"


class WithSource(Check):
    """A resource that requires content. Ids: absent source, unusable source (which is also reported at the source itself)."""

    def __init__(self, absent: str, unusable: str, *, since: str) -> None:
        super().__init__(*dict.fromkeys((absent, unusable)), since=since)

    def problem(self, value: Resource, version: str) -> Problem | None:
        if not value.source:
            return "source is not given", "specify the URL", self.rules[0]
        rule, wrong = url.problem(value.source, version)
        return (wrong, url.fix(rule, value.source, version), self.rules[-1]) if wrong else None

    def constraint(self, version: str) -> Constraint:
        return {"required": ["source"], "properties": {"source": {"type": "string", "minLength": 1}}}

    def says(self, version: str) -> str:
        return "with a usable source"


class HttpUrl(Check):
    """The URL of a web server. Ids: malformed URL, other scheme."""

    def __init__(self, syntax: str, scheme: str, whose: str, *, demands: bool = False) -> None:
        super().__init__(*dict.fromkeys((syntax, scheme)))
        self.whose, self.demands = whose, demands

    def problem(self, value: str, version: str) -> Problem | None:
        if wrong := url.malformed(value):
            return f"URL {wrong}", url.fix("R6", value, version), self.rules[0]
        if not url.is_http(value):
            return f"{self.whose} URL must begin with http:// or https://", _HTTP_FIX, self.rules[-1]
        return None

    def constraint(self, version: str) -> Constraint:
        return {"pattern": f"^{_any_case('http')}[sS]?:"}

    def says(self, version: str) -> str:
        return "URL: http, https"


class NotPlainHttp(Check):
    """A warning about a proxy reached over an unencrypted connection."""

    warns = True

    def problem(self, value: str, version: str) -> Problem | None:
        if url.scheme(value) != "http" or url.syntax_problem(value):
            return None
        message = "the proxy for https is reached over plain http"
        return message, "use an https:// proxy URL if the proxy has one", self.rules[0]

    def says(self, version: str) -> str:
        return "better https"


class Digest(Check):
    """`function-digest`. Ids: missing function, unknown function, wrong length; the digits themselves are not checked."""

    def __init__(self, *rules: str, functions: Mapping[str, str]) -> None:
        super().__init__(*rules)
        self.functions = functions

    def problem(self, value: str, version: str) -> Problem | None:
        function, dash, digest = value.partition("-")
        known = known_in(version, self.functions)
        length = len(digest.encode("utf-8", "replace"))
        if not dash:
            place, wrong = 0, "hash has no function: the - is missing"
        elif function not in known:
            place, wrong = 1, f"hash function is not {' or '.join(known)}"
        elif length != HASH_DIGITS[function]:
            place, wrong = -1, f"digest has {length} characters instead of {HASH_DIGITS[function]} for {function}"
        else:
            return None
        from ignition.config import suggest

        fix = suggest.digest(function, length, [(name, HASH_DIGITS[name]) for name in known])
        return wrong, fix, self.rules[min(place, len(self.rules) - 1)]

    def constraint(self, version: str) -> Constraint:
        # Lengths count bytes: a digest with non-ASCII characters, although invalid, has fewer of them.
        forms = (f"{name}-(?:[ -~]{{{HASH_DIGITS[name]}}}|[^]*[^ -~][^]*)" for name in known_in(version, self.functions))
        return {"pattern": f"^(?:{'|'.join(forms)})$".replace("[^]", r"[\s\S]")}

    def says(self, version: str) -> str:
        known = zip(known_in(version, self.functions), dated(version, self.functions), strict=True)
        return " or ".join(f"{name}-DIGEST of {HASH_DIGITS[name]} digits{text.removeprefix(name)}" for name, text in known)


class IsJson(Check):
    """A text that is itself JSON, or empty."""

    def __init__(self, rule: str, what: str, fix: str) -> None:
        super().__init__(rule)
        self.what, self.fix = what, fix

    def problem(self, value: str, version: str) -> Problem | None:
        import json

        try:
            json.loads(value or "null")
        except (ValueError, RecursionError):
            return f"{self.what} is not JSON", self.fix, self.rules[0]
        return None

    def says(self, version: str) -> str:
        return "JSON"


class UnitName(Check):
    """A file name with the suffix of a unit type."""

    def __init__(self, rule: str, message: str, types: Sequence[str]) -> None:
        super().__init__(rule)
        self.message, self.types = message, types

    def problem(self, value: str, version: str) -> Problem | None:
        if extension(value) in self.types:
            return None
        from ignition.config.suggest import unit_name

        return self.message, unit_name(value, self.types), self.rules[0]

    def constraint(self, version: str) -> Constraint:
        return {"pattern": rf"\.(?:{'|'.join(self.types)})$"}

    def says(self, version: str) -> str:
        return f"ends in {', '.join('.' + name for name in self.types)}"


class DropinName(Check):
    """A file name that systemd reads as a drop-in."""

    def problem(self, value: str, version: str) -> Problem | None:
        if extension(value) == "conf":
            return None
        from ignition.config.suggest import dropin_name

        return "name does not end in .conf: systemd would not read it", dropin_name(value), self.rules[0]

    def constraint(self, version: str) -> Constraint:
        return {"pattern": r"\.conf$"}

    def says(self, version: str) -> str:
        return "ends in .conf"


class UnitText(Check):
    """The syntax of unit files; names of sections and options are not checked."""

    def problem(self, value: str, version: str) -> Problem | None:
        from ignition.config.unit_syntax import fault

        wrong = fault(value) if value else None
        return (str(wrong), wrong.fix, self.rules[0]) if wrong else None

    def says(self, version: str) -> str:
        return "unit syntax"


class SpecVersion(Check):
    """The spec version that the text is parsed as; the number 1, or a string."""

    def problem(self, value: str | int, version: str) -> Problem | None:
        said = canonical(value) if isinstance(value, str) else str(value)
        return None if said == version else (f"version is not {version}", f"write {version}", self.rules[0])

    def constraint(self, version: str) -> Constraint:
        if version in SPEC_1:
            return {"const": int(version)}
        names = [version, *(alias for alias, proper in ALIASES.items() if proper == version)]
        return {"const": version} if len(names) == 1 else {"enum": names}

    def says(self, version: str) -> str:
        return "the spec version"


def extension(name: str) -> str:
    """The part after the last dot of the file name; "" if there is none."""
    base = name.rpartition("/")[2]
    return base.rpartition(".")[2] if "." in base else ""


def _any_case(word: str) -> str:
    """A pattern for the word in upper and lower case: patterns of JSON Schema have no flags."""
    return "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in word)


# Checks on one member of our extensions (model/extensions.py). Rules: E1 and following.

# sfdisk's names for the bits that all types of partitions share (UEFI 2.10, table 5.8); 48 to 63 are each type's own.
BIT_NAMES = {"RequiredPartition": 0, "NoBlockIOProtocol": 1, "LegacyBIOSBootable": 2}
_OF_THE_TYPE = "GUID:"
_BITS = (0, 1, 2, *range(48, 64))
_BIT_FIX = f"one of {', '.join(BIT_NAMES)}, or the bit's number as a string, with or without GUID: before it"


def attribute_bit(name: str) -> int | None:
    """The number of a GPT attribute bit: `LegacyBIOSBootable`, `GUID:59` or `59`; None for anything else."""
    if name in BIT_NAMES:
        return BIT_NAMES[name]
    digits = name.removeprefix(_OF_THE_TYPE)
    lowest = 48 if digits != name else 0
    if not (digits.isascii() and digits.isdigit()) or str(int(digits[:4])) != digits:
        return None
    return int(digits) if int(digits) in _BITS and int(digits) >= lowest else None


class AttributeBit(Check):
    """A GPT attribute bit, by sfdisk's name or by number. Bits 3 to 47 are reserved and must be 0."""

    def problem(self, value: str, version: str) -> Problem | None:
        return None if attribute_bit(value) is not None else ("not a GPT attribute bit", _BIT_FIX, self.rules[0])

    def constraint(self, version: str) -> Constraint:
        return {"pattern": f"^(?:{'|'.join(BIT_NAMES)}|[0-2]|(?:{_OF_THE_TYPE})?(?:4[89]|5[0-9]|6[0-3]))$"}

    def says(self, version: str) -> str:
        return f"{', '.join(BIT_NAMES)}, 0 to 2, 48 to 63 or GUID:48 to GUID:63"


class Between(Check):
    """A number in a range, both ends included."""

    def __init__(self, rule: str, what: str, least: int, most: int, *, demands: bool = False) -> None:
        super().__init__(rule)
        self.what, self.least, self.most, self.demands = what, least, most, demands

    def problem(self, value: int | None, version: str) -> Problem | None:
        fix = f"use a number from {self.least} to {self.most}"
        if value is None:
            return f"{self.what} is not given", fix, self.rules[0]
        is_right = self.least <= value <= self.most
        return None if is_right else (f"{self.what} is not between {self.least} and {self.most}", fix, self.rules[0])

    def constraint(self, version: str) -> Constraint:
        return {"minimum": self.least, "maximum": self.most}

    def says(self, version: str) -> str:
        return f"{self.least} to {self.most}"


class SealedText(Check):
    """A JWE in compact serialization that clevis made (ignition/config/sealed.py)."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(rule)
        self.what = what

    def problem(self, value: str, version: str) -> Problem | None:
        from ignition.config.sealed import pins
        from ignition.errors import Failure

        try:
            pins(value)
        except Failure as failure:
            return f"{self.what}: {failure.what}", failure.fix, self.rules[0]
        return None

    def constraint(self, version: str) -> Constraint:
        return {"pattern": r"^\s*[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}\s*$"}

    def says(self, version: str) -> str:
        return "a JWE of `clevis encrypt`"
