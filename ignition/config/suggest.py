"""Fixes: "did you mean", and the correct form of a malformed value. Imported only when there is a finding.

A fix quotes names that a config may choose from, never a value that could be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from functools import lru_cache

from ignition.config.versions import SPEC_2, SPEC_3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.decode import Mistyped
    from ignition.config.report import Path

_RESOURCES = ("append", "certificateAuthorities", "contents", "keyFile", "merge", "replace")


def closest(word: str, known: Collection[str], *, alike: float = 0.6) -> str:
    """The known word that was probably meant; "" if none is near. Case does not count. `alike`: from 0, anything, to 1, equal."""
    return _closest(word, tuple(known), alike)


@lru_cache(maxsize=1000)  # the same mistake is often made in thousands of files
def _closest(word: str, known: tuple[str, ...], alike: float) -> str:
    by_lower: dict[str, str] = {}
    for one in known:
        by_lower.setdefault(one.lower(), one)
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=alike)
    return by_lower[found[0]] if found else ""


# Members of the other family of specs, by their path without indexes → what to write in this one.
_NETWORKD_IN_3 = "write its units as storage.files below /etc/systemd/network"
_NO_FILESYSTEM = "leave it out: paths are absolute in the new root, where file systems are mounted at their `path`"
_OF_2_IN_3 = {
    "ignitionVersion": 'write "ignition": {"version": "3.5.0"}',
    "networkd": _NETWORKD_IN_3,
    "ignition.config.append": "write merge",
    "storage.files.filesystem": _NO_FILESYSTEM,
    "storage.directories.filesystem": _NO_FILESYSTEM,
    "storage.links.filesystem": _NO_FILESYSTEM,
    "storage.filesystems.mount": "move its members (device, format, …) to the file system itself",
    "storage.filesystems.name": "leave it out: files have absolute paths, file systems the `path` of their mount point",
    "storage.filesystems.create": "write wipeFilesystem and options into the file system itself",
    "storage.filesystems.files": "write them as storage.files",
    "storage.disks.partitions.size": "write sizeMiB: 2048 sectors are 1 MiB",
    "storage.disks.partitions.start": "write startMiB: 2048 sectors are 1 MiB",
    "systemd.units.enable": "write enabled",
    "passwd.users.create": "move its members (uid, groups, …) to the user itself",
}
_OF_1 = ("ignitionVersion", "storage.filesystems.files")
_IN_MOUNT = "write it into mount"
_OF_3_IN_2 = {
    "ignition.config.merge": "write append",
    "kernelArguments": "not available in 2.x",
    "storage.luks": "not available in 2.x",
    "storage.filesystems.device": _IN_MOUNT,
    "storage.filesystems.format": _IN_MOUNT,
    "storage.filesystems.label": _IN_MOUNT,
    "storage.filesystems.uuid": _IN_MOUNT,
    "storage.filesystems.options": _IN_MOUNT,
    "storage.filesystems.wipeFilesystem": _IN_MOUNT,
    "storage.filesystems.mountOptions": "not available in 2.x: set Options= in the mount unit",
    "storage.disks.partitions.resize": "not available in 2.x",
    "passwd.users.shouldExist": "not available in 2.x",
    "passwd.groups.shouldExist": "not available in 2.x",
}


def of_other_family(path: Path, version: str) -> str:
    """For a key of specs 1 and 2.x that 3.x does not have, or the reverse: its equivalent in this spec; "" for other keys."""
    name = ".".join(part for part in path if isinstance(part, str))
    is_3 = version in SPEC_3
    if is_3 and name in _OF_2_IN_3:
        return f"this belongs to spec {'1' if name in _OF_1 else '2.x'}: {_OF_2_IN_3[name]}"
    if not is_3 and name in _OF_3_IN_2:
        return f"this belongs to spec 3.x: {_OF_3_IN_2[name]}, or write the config in spec 3.x"
    return ""


def key(name: str, since: str, known: Collection[str]) -> str:
    """For a key that the version does not know. `since`: the later version that does."""
    if since:
        return f"it exists since spec {since}: write that version, or leave it out"
    if name == "$schema":
        return "only editors read it: set the schema in the editor instead"
    near = closest(name, known)
    return f"did you mean {near}?" if near else f"known here: {', '.join(known)}"


def version(said: str) -> str:
    """For an unknown spec version: the one with the same numbers, or an experimental one; "" if none matches."""
    numbers = re.findall("[0-9]+", said)[:3]
    plain = ".".join((numbers + ["0", "0"])[:3]) if numbers else ""
    known = (*SPEC_2, *SPEC_3)
    return plain if plain in known else next((one for one in known if plain and one.startswith(plain)), "")


def for_type(error: Mistyped) -> str:
    """For a value of another type than its member."""
    last = error.path[-1] if error.path else ""
    if error.wanted == "an integer":
        return _for_integer(error, is_mode=last == "mode")
    if error.wanted == "true or false":
        return "write true or false, without quotes"
    if last == "append" and error.wanted == "a list" and error.found == "true or false":
        return 'this belongs to spec 2.x: write "append": [{"source": "URL"}] in the place of contents'
    if error.wanted == "a list":
        return "put it in brackets: [{…}]" if error.found == "an object" else "put it in brackets: […]"
    if error.wanted == "an object":
        return _for_object([str(part) for part in error.path if isinstance(part, str)])
    is_text = error.found in ("a list", "an object")
    return "write one text in double quotes" if is_text else "put it in double quotes"


def _for_integer(error: Mistyped, *, is_mode: bool) -> str:
    if is_mode:
        digits = error.value if isinstance(error.value, str) else ""
        return mode(int(digits)) if re.fullmatch("0?[0-7]{1,4}", digits) else mode(0)
    if error.found == "a string":
        return "write the number without quotes"
    return "write a whole number of at most 64 bits, without fraction and exponent"


def _for_object(names: list[str]) -> str:
    last = names[-1] if names else ""
    if not last:
        return 'begin the config with {"ignition": {"version": "3.5.0"}}'
    if last in _RESOURCES:
        return 'write {"source": "URL"}; for inline text the URL is data:,TEXT'
    return 'write {"name": "…"} or {"id": …}' if last in ("user", "group") else "write an object: {…}"


def one_of(word: str, known: Sequence[str]) -> str:
    """For a value out of a short list."""
    if len(known) == 1:
        return f"the only valid value is {known[0]}"
    near = closest(word, known)
    return f"{f'did you mean {near}? ' if near else ''}one of {', '.join(known)}"


def unit_name(name: str, types: Sequence[str]) -> str:
    """The possible suffixes of a name."""
    base, dot, extension = name.rpartition(".")
    near = closest(extension, types) if dot else ""
    all_types = f"end it in one of {', '.join('.' + one for one in types)}"
    return f"did you mean {base}.{near}? {all_types}" if near else all_types


def dropin_name(name: str) -> str:
    """The same name with the only extension that systemd reads."""
    base = name.rpartition(".")[0] or name or "10-local"
    return f"name it {base}.conf"


def scheme(name: str, known: Sequence[str]) -> str:
    """Of a URL. A source without a scheme is probably a path."""
    if not name:
        return "begin it with a scheme: https://…, or data:,… for the content itself"
    return one_of(name, known)


def mode(value: int) -> str:
    """The decimal form of a mode that may have been meant as octal digits."""
    if 0 < value <= 7777 and all(digit in "01234567" for digit in str(value)):
        return f"modes are decimal: for {value:04d} write {int(str(value), 8)}"
    return "modes are decimal: 420 is 0644, 493 is 0755"


def digest(function: str, length: int, known: Sequence[tuple[str, int]]) -> str:
    """The form of a hash: the known functions, with the length of their digests."""
    meant = next((name for name, digits in known if digits == length and name != function), "")
    forms = " or ".join(f"{name}-<{digits} hex digits>" for name, digits in known)
    return f"{f'did you mean {meant}? ' if meant else ''}write it as {forms}, as {known[0][0]}sum prints them"
