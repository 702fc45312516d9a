"""The line of a config at which a failure points, for the screen of a failed boot: with a caret, and without secrets.

Everybody who passes reads a console, and hypervisors keep logs of it. So a value is shown only if it belongs to a member that is
known to be harmless (`SHOWN`); any other becomes `…`. URLs lose userinfo, query and fragment. A line whose structure is not
understood is cut where that begins: in a text with a missing quote, a value may look like a key and the reverse.
"""

from __future__ import annotations

import re

from ignition.host.printable import shown as url_shown
from ignition.patterns import lazy_pattern

WIDTH = 68  # of a line of the config, beside its number
_INDENT = 4
_MASK = "…"
_MOST = 100_000  # characters of a line that are looked at
# Names of members whose values are names, numbers and switches. Not here: contents, hashes, keys, header values, options.
SHOWN = frozenset(
    "device devices enable enabled enabledState filesystem format gid group guid hard homeDir httpResponseHeaders httpTotal id "
    "ignitionVersion label level mask mode name needsNetwork noCreateHome noLogInit noUserGroup number overwrite path "
    "primaryGroup raid resize shell size sizeMiB spares start startMiB system target threshold tpm2 typeGuid uid uuid "
    "version wipe wipeFilesystem wipePartitionEntry wipeTable wipeVolume "
    # their spelling in YAML
    "filesystem_type home_dir primary_group size_mib start_mib type_guid wipe_filesystem wipe_partition_entry "
    "wipe_table wipe_volume variant with_mount_unit".split()
)
# Of the value at the place itself: which of two digests this is, when the message is about it.
_DIGEST = lazy_pattern(r"(sha(?:256|512)-[0-9A-Fa-f]{12})[0-9A-Fa-f]{40,104}([0-9A-Fa-f]{12})")
_LISTS = frozenset({"devices", "groups"})  # with values, not objects
_OF_HEADERS = frozenset({"name"})  # somebody may have exchanged name and value
_URLS = frozenset({"source", "url", "remote"})
_OTHERS = frozenset(
    "append arrays butane certificateAuthorities clevis compression config contents custom directories discard disks dropins "
    "files filesystems groups hash httpHeaders ignition inline kernelArguments keyFile links local luks merge mountOptions "
    "openOptions options partitions passwd passwordHash password_hash pin proxy replace security shouldExist shouldNotExist "
    "sshAuthorizedKeys ssh_authorized_keys storage systemd tang thumbprint timeouts tls units user users value "
    "verification".split()
)
_KEYS = SHOWN | _URLS | _OTHERS  # which the text itself may show
_WORD = lazy_pattern(
    r"""\s+|"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[{}\[\],]|-(?=\s|$)|:(?=\s|$|["\[{])"""
    r"""|[^\s{}\[\],:"']+(?::(?=[^\s"\[{])[^\s{}\[\],:"']+)*|.""",
    re.DOTALL,
)
_IS_KEY = lazy_pattern(r"\s*:(?=\s|$|[\"\[{])")
# After a misspelled scheme or an unusual character, the rest may be anything.
_URL = lazy_pattern(r"(?:https?|s3|gs|tftp|oem)://(?:[A-Za-z0-9.-]+|\[[0-9a-f:]+\])(?::\d+)?(?=/|$)[A-Za-z0-9._/~-]*")
_QUOTES, _BRACKETS = "\"'", "{}[],-"


def excerpt(text: bytes, line: int, column: int, path: str) -> list[str]:
    """Two lines: the number and the masked line of a text, and a caret below the place. Empty if the text has no such line.

    `line` and `column`: 1-based, in bytes; `path` of the value there, which may be "".
    """
    from ignition.config.text.display import excerpt as cut

    lines = text.split(b"\n", line)
    if not 1 <= line <= len(lines) or column < 1:
        return []
    raw = lines[line - 1].rstrip(b"\r")
    before = len(raw[: column - 1].decode("utf-8", "replace"))
    whole = raw.decode("utf-8", "replace")
    if len(whole) > _MOST:
        return []
    if "httpHeaders" in path or b"httpHeaders" in raw or b"value" in raw:
        unshown = _OF_HEADERS
    else:
        unshown = frozenset()
    member = next((part for part in reversed(path.split(".")) if part and not (part.isascii() and part.isdecimal())), "")
    masked, start, end = _Masked(whole, before, member, unshown).result()
    deep = max(0, min(len(masked) - len(masked.lstrip()), start) - _INDENT)  # a deeply nested line moves to the left
    masked, start, end = masked[deep:], start - deep, end - deep
    data, first = masked.encode(), len(masked[:start].encode())
    source, mark = cut(data, (0, len(data)), (first, first + len(masked[start:end].encode())), WIDTH)
    return [f"{line:6} | {source}".rstrip(), f"{' ' * 6} | {mark}"]


class _Masked:
    """A line without secrets, and the range in it that stands for the word at a column (0-based)."""

    def __init__(self, line: str, column: int, member: str, unshown: frozenset[str]) -> None:
        self._line, self._column, self._member, self._unshown = line, column, member, unshown
        self._pieces: list[str] = []
        self._value = 0  # the index in `_pieces` of a value that may have to be taken back
        self._marked: tuple[int, int] | None = None
        self._key, self._outer = "", [""]  # the member that a value belongs to, and those of the brackets around it
        self._ended = False  # a value must be followed by a comma or a bracket

    def result(self) -> tuple[str, int, int]:
        """The masked line, and the range."""
        for found in _WORD.finditer(self._line):
            word = found[0]
            is_here = found.start() <= self._column < found.end()
            if word in _QUOTES or (self._ended and word not in _BRACKETS and not word.isspace() and word != ":"):
                return self._cut_off()
            piece = self._shown(word, found.end(), is_here=is_here)
            if is_here:
                length = sum(map(len, self._pieces))
                self._marked = length, length + len(piece)
            self._pieces.append(piece)
        text = "".join(self._pieces)
        return text, *(self._marked or (len(text), len(text) + 1))

    def _cut_off(self) -> tuple[str, int, int]:
        """From here on the structure is not understood: the value before may be cut off, or belong to another member."""
        text = "".join(self._pieces[: self._value])
        if not self._marked or self._marked[1] > len(text):
            self._marked = len(text), len(text) + 1
        return f"{text}{_MASK}", *self._marked

    def _shown(self, word: str, end: int, *, is_here: bool) -> str:
        if word in _BRACKETS:
            self._follow(word)
        elif word != ":" and not word.isspace():
            if _IS_KEY.match(self._line, end):
                self._key, self._value = word.strip(_QUOTES), len(self._pieces) + 1
                return word if self._key in _KEYS or (is_here and self._key == self._member) else _like(word)
            if is_here and not self._key and self._member in _LISTS:
                self._key = self._member  # an element on a line of its own; elsewhere a value of the wrong type may be anything
            self._ended, self._value = True, len(self._pieces)
            if is_here and self._key == self._member == "hash" and (digest := _DIGEST.fullmatch(word.strip(_QUOTES))):
                return word.replace(digest[0], f"{digest[1]}{_MASK}{digest[2]}")
            return _like(word) if self._key in self._unshown else _value(word, self._key)
        return word

    def _follow(self, bracket: str) -> None:
        if bracket in "{[":
            self._outer.append(self._key if bracket == "[" and self._key in _LISTS else "")
        elif bracket in "}]":
            del self._outer[max(1, len(self._outer) - 1) :]
        self._key, self._ended, self._value = self._outer[-1], bracket in "}]", len(self._pieces) + 1


def _value(word: str, key: str) -> str:
    if key in SHOWN or word in ("true", "false", "null"):
        return word
    url = url_shown(word.strip(_QUOTES)) if key in _URLS else ""
    plain = _URL.match(url)
    if plain:
        quote = word[0] if word[0] in _QUOTES else ""
        return f"{quote}{plain[0]}{_MASK if len(plain[0]) < len(url) else ''}{quote}"
    return _like(word)


def _like(word: str) -> str:
    quote = word[0] if word[0] in _QUOTES else ""
    return f"{quote}{_MASK}{quote}"
