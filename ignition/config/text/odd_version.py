"""A spec version that is none of ours, or none at all: outcome, message and what to write instead. Only loaded to refuse.

Source: docs/reference/ignition-config.md §1.1 to §1.3.
"""

import re

from ignition.config import suggest
from ignition.config.versions import NEWEST, SPEC_2, SPEC_3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Path

_ACCEPTED = (*SPEC_2, *SPEC_3)
_STABLES = _ACCEPTED[:-1]
_STABLE = SPEC_3[-2]
_LIST = f"accepted are {SPEC_2[0]} to {SPEC_2[-1]}, {SPEC_3[0]} to {_STABLE} and {NEWEST}"
_VERSION: "Path" = ("ignition", "version")
_NUMBER = "ignitionVersion"  # of spec 1
_SHOWN = 40  # characters of a version
_BEGIN = 'begin the config with {"ignition": {"version": "3.5.0"}}'  # engines of some years ago take it, too


def refused(data: object, said: str, version: str, number: int | None) -> "tuple[Path, str, str]":
    """Path, message, remedy. `said` is what the text gives, `version` that as a semantic version, `number` the one of spec 1."""
    if number is not None:
        return (_NUMBER,), f"{_NUMBER} can only be 1", f"write 1, or for a later spec ignition.version: {_LIST}"
    if not said:
        return _absent(data)
    if version:
        return _VERSION, f"spec version {version[:_SHOWN]} is not supported", _unknown(version)
    meant = suggest.version(said)
    fix = f"write {meant}" if meant else f"write all three numbers, without v or blanks: {_LIST}"
    return _VERSION, f"{said[:_SHOWN]!r} is not a version", fix


def _absent(data: object) -> "tuple[Path, str, str]":
    keys = set(data) if isinstance(data, dict) else set()
    if "variant" in keys and "ignition" not in keys:
        return ("variant",), "this is a Butane config written as JSON", "translate it first: butane --strict FILE > config.ign"
    if {"apiVersion", "kind"} <= keys:
        return ("kind",), "this is a Kubernetes manifest, not an Ignition config", _BEGIN
    return _VERSION, "the config does not say its spec version", _BEGIN


def _unknown(version: str) -> str:
    """What to write instead."""
    bare = re.split("[-+]", version)[0]
    major, minor, _ = bare.split(".")
    if bare in _ACCEPTED:
        return f"write {bare}"
    if bare == NEWEST.partition("-")[0]:
        return f"it is not final here: write {NEWEST}, or {_STABLE}"
    if any(known.startswith(f"{major}.{minor}.") for known in _STABLES):
        return f"specs have no patch releases: write {major}.{minor}.0"
    if major == "1":
        return f'spec 1 is chosen by "{_NUMBER}": 1; {_LIST}'
    if len(major) > 1 or major >= _STABLE[0]:
        return f"nothing newer than {NEWEST} is known here: write {_STABLE} if its fields are enough"
    return _LIST
