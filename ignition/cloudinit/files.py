"""Files of a cloud-config → operations of the agent's one writer.

Source: docs/reference/coreos-cloudinit.md §11.4 to §11.9, §13 and §16.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping

from ignition.cloudinit import coreos_files, substitution
from ignition.cloudinit.facts import Facts, Newcomers, clean
from ignition.cloudinit.model import CloudConfig, WriteFile
from ignition.config import dataurl
from ignition.config.model import Resource
from ignition.config.model.storage import File, Owner
from ignition.config.text import packed
from ignition.errors import Failure
from ignition.host import limits, log
from ignition.operation import Operation
from ignition.sysroot.attempt import Attempt, Entry
from ignition.sysroot.files import PutFile

MODE = 0o644
_PERMISSIONS = 0o777


def plan(config: CloudConfig, facts: Facts, new: Newcomers, hostname: str, addresses: Mapping[str, str]) -> list[Operation]:
    """In order: write_files, the files that belong to other keys, /etc/environment. Of several for one path the last counts.

    `hostname`: what the machine is called by then. `addresses`: variables for /etc/environment.
    """
    entries = [
        *(_entry(file, index, facts, new) for index, file in enumerate(config.write_files)),
        *_generated(config, facts, hostname),
    ]
    by_place = {entry.resolved: entry for entry in entries}
    environment = facts.root.resolve(substitution.ENVIRONMENT_FILE)
    if environment not in by_place and substitution.ENVIRONMENT_FILE in facts.texts:  # else it cannot be read, which was said
        before = facts.texts[substitution.ENVIRONMENT_FILE] or ""
        after = substitution.merged_environment(before, addresses)
        if after != before:
            by_place[environment] = _whole(substitution.ENVIRONMENT_FILE, after, facts)
    for entry in entries:
        if by_place[entry.resolved] is not entry:
            log.warning(f"{entry.place}: {entry.node.path} is written again by {by_place[entry.resolved].place}, which counts")
    kept = set(map(id, by_place.values()))
    ordered = [entry for entry in (*entries, by_place.get(environment)) if entry is not None and id(entry) in kept]
    return [_put(entry, facts) for entry in dict.fromkeys(ordered)]


def _put(entry: Entry, facts: Facts) -> Operation:
    node = entry.node
    assert isinstance(node, File)  # noqa: S101  for type checkers: made below
    return PutFile(entry, node, facts.accounts, Attempt())


def _entry(file: WriteFile, index: int, facts: Facts, new: Newcomers) -> Entry:
    place = f"write_files[{index}]"
    mode = int(file.permissions or "0644", 8)
    if mode & ~_PERMISSIONS:
        log.warning(f"{place}.permissions: the set-id and sticky bits of {file.permissions} are not set, as ever")
    user, group = owners_of(file.owner, facts, new)
    content, packing = as_packed(file.content, file.encoding)
    node = File(
        path=clean(file.path),
        overwrite=True,
        mode=mode & _PERMISSIONS,
        user=user,
        group=group,
        contents=Resource(source=dataurl.encode(content), compression=packing or None),  # unpacked piece by piece, to the disk
    )
    return Entry(place, node, facts.resolved[file.path])


def _generated(config: CloudConfig, facts: Facts, hostname: str) -> list[Entry]:
    coreos, update = config.coreos, config.coreos.update
    texts = {
        coreos_files.OEM_RELEASE: coreos_files.oem_release(coreos.oem),
        coreos_files.UPDATE_CONF: coreos_files.update_conf(update, _update_base(facts)) if any(update.set_members()) else "",
        coreos_files.HOSTS: coreos_files.hosts(hostname) if config.manage_etc_hosts else "",
        coreos_files.FLANNEL_OPTIONS: coreos_files.flannel_options(coreos.flannel),
    }
    return [_whole(path, text, facts) for path, text in texts.items() if text]


def _update_base(facts: Facts) -> str:
    """What the machine has, or else what its image has, or else nothing, as with Container Linux Config."""
    own = facts.texts[coreos_files.UPDATE_CONF]
    return (facts.texts[coreos_files.UPDATE_BASE] or "") if own is None else own


def whole(path: str, text: str, facts: Facts) -> Operation:
    """Put a file of root's with this text at a path of the system."""
    return _put(_whole(path, text, facts), facts)


def _whole(path: str, text: str, facts: Facts) -> Entry:
    content = Resource(source=dataurl.encode(text.encode("utf-8", "surrogateescape")))
    node = File(path=path, overwrite=True, mode=MODE, user=Owner(id=0), group=Owner(id=0), contents=content)
    return Entry(path, node, facts.root.resolve(path))


# `owner` of a file, as chown(1) takes it. Source: docs/reference/coreos-cloudinit.md §11.4; coreutils, lib/userspec.c.
#
# A dot divides user and group where there is no colon and nobody is called so: `root.root`. With several dots the names decide.

LARGEST_ID = 2**32 - 2  # chown(2): the one above means "as it is"


def is_id(name: str) -> bool:
    """Whether it is the number of a user or group that there can be."""
    return name.isascii() and name.isdecimal() and len(name) <= 10 and int(name) <= LARGEST_ID


def split_owner(owner: str, facts: Facts, new: Newcomers) -> tuple[str, str | None]:
    """User and group: `core`, `core:`, `core:wheel`, `:wheel`, `core.wheel`. No group is None, an empty one the user's own."""
    user, colon, group = owner.partition(":")
    if colon or "." not in owner or _is_user(owner, facts, new):
        return user, group if colon else None
    dots = [index for index, character in enumerate(owner) if character == "."]
    halves = [(owner[:dot], owner[dot + 1 :]) for dot in dots]
    known = [(user, group) for user, group in halves if _is_user(user, facts, new) and _is_group(group, facts, new)]
    # Of a name that nobody has people hear as they wrote it.
    return known[0] if known else (owner, None)


def unknown_owner(owner: str, facts: Facts, new: Newcomers) -> str:
    """What of it is not there and will not be: `user x`, `group y`; "" if all is well."""
    user, group = split_owner(owner, facts, new)
    if not _is_user(user, facts, new):
        return f"user {user}"
    if group == "" and user and facts.login_group(user) is None and user not in new.groups:
        return f"known group of {user}"
    if group is not None and not _is_group(group, facts, new):
        return f"group {group}"
    return ""


def owners_of(owner: str, facts: Facts, new: Newcomers) -> tuple[Owner, Owner]:
    """User and group for a node of the model; root where nothing is said."""
    user, group = split_owner(owner, facts, new)
    first = _owner(user, facts.uid(user)) if user else Owner(id=0)
    if group == "" and user:
        own = facts.login_group(user)
        return first, Owner(id=own) if own is not None else _owner(new.groups[user], None)
    return first, _owner(group, facts.gid(group)) if group else Owner(id=0)


def _is_user(name: str, facts: Facts, new: Newcomers) -> bool:
    """Also for none."""
    return not name or is_id(_bare(name)) or name in new.names or facts.has_user(name)


def _is_group(name: str, facts: Facts, new: Newcomers) -> bool:
    """Also for none."""
    return not name or is_id(_bare(name)) or new.has_group(name) or facts.has_group(name)


def _bare(name: str) -> str:
    """A plus sign before a number says that it is not a name."""
    return name.removeprefix("+")


def _owner(name: str, foreign: int | None) -> Owner:
    if is_id(_bare(name)):
        return Owner(id=int(_bare(name)))
    return Owner(name=name) if foreign is None else Owner(id=foreign)


# The encodings of `write_files` and of VMware's variables. Source: docs/reference/coreos-cloudinit.md §11.4.

_BASE64 = ("b64", "base64")
_GZIP = ("gz", "gzip")
_FIX_SIZE = "let a unit fetch large contents"


def unpacked_length(text: str, encoding: str) -> int:
    """Of the bytes, unpacked; in memory there is one piece at a time.

    Raises Failure as `as_packed`, and for what is damaged or too large.
    """
    content, packing = as_packed(text, encoding)
    return sum(map(len, _unpacked(content))) if packing else len(content)


def as_packed(text: str, encoding: str) -> tuple[bytes, str]:
    """The bytes without base64, and "gzip" if they are packed: a few of them may stand for megabytes.

    `text` holds those that are no UTF-8 as surrogates. Raises Failure for an unknown encoding or the wrong one.
    """
    content = text.encode("utf-8", "surrogateescape")
    first, plus, second = encoding.partition("+")
    if encoding and not (encoding in (*_BASE64, *_GZIP) or (first in _GZIP and plus and second in _BASE64)):
        raise Failure(f"the encoding {encoding!r} is not known", fix="one of b64, gz and gz+b64, also as base64 and gzip")
    if (second or first) in _BASE64:
        content = _from_base64(content)
    return content, "gzip" if first in _GZIP else ""


def _from_base64(content: bytes) -> bytes:
    try:
        return binascii.a2b_base64(content.replace(b"\r", b"").replace(b"\n", b""), strict_mode=True)
    except ValueError:
        raise Failure("the content is not base64", fix="encode it with base64, or name its encoding") from None


def _unpacked(content: bytes) -> Iterator[bytes]:
    size = 0
    for piece in packed.gunzip([content], fix="pack it with gzip; without base64 it must be a !!binary value"):
        size += len(piece)
        if size > limits.IN_MEMORY:
            raise Failure(f"the content unfolds to more than {limits.IN_MEMORY >> 20} MiB", fix=_FIX_SIZE)
        yield piece
