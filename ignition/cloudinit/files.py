"""Files of a cloud-config → operations of the agent's file writer.

Source: docs/reference/coreos-cloudinit.md §11.4 to §11.9, §13 and §16.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping

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
    """In order: write_files, the files for other keys, /etc/environment. The last entry for a path counts.

    `hostname`: the machine's name by then. `addresses`: variables for /etc/environment.
    """
    entries = [_entry(file, index, facts, new) for index, file in enumerate(config.write_files)]
    entries += [_whole(path, text, facts) for path, text in _generated(config, facts, hostname).items() if text]
    by_place = {entry.resolved: entry for entry in entries}
    environment = facts.root.resolve(substitution.ENVIRONMENT_FILE)
    if environment not in by_place and substitution.ENVIRONMENT_FILE in facts.texts:  # else it is unreadable
        before = facts.texts[substitution.ENVIRONMENT_FILE] or ""
        after = substitution.merged_environment(before, addresses)
        if after != before:
            by_place[environment] = _whole(substitution.ENVIRONMENT_FILE, after, facts)
    for entry in entries:
        if by_place[entry.resolved] is not entry:
            log.warning(f"{entry.place} ignored: {by_place[entry.resolved].place} writes {entry.node.path}, too")
    kept = set(map(id, by_place.values()))
    # In the order of the document, although a later entry may have replaced an earlier one for its path.
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
        log.warning(f"{place}.permissions: the set-id and sticky bits of {file.permissions} are ignored")
    user, group = owners_of(file.owner, facts, new)
    content, packing = as_packed(file.content, file.encoding)
    node = File(
        path=clean(file.path),
        overwrite=True,
        mode=mode & _PERMISSIONS,
        user=user,
        group=group,
        contents=Resource(source=dataurl.encode(content), compression=packing or None),  # unpacked in pieces, to the disk
    )
    return Entry(place, node, facts.resolved[file.path])


def _generated(config: CloudConfig, facts: Facts, hostname: str) -> dict[str, str]:
    """Path → text of the files for keys other than write_files; "" for a file that is not needed."""
    update = config.coreos.update
    update_conf = ""
    if any(update.set_members()):
        # The machine's own file is the base, else the image's, else nothing, as with Container Linux Config.
        own = facts.texts[coreos_files.UPDATE_CONF]
        update_conf = coreos_files.update_conf(update, (facts.texts[coreos_files.UPDATE_BASE] or "") if own is None else own)
    return {
        coreos_files.OEM_RELEASE: coreos_files.oem_release(config.coreos.oem),
        coreos_files.UPDATE_CONF: update_conf,
        coreos_files.HOSTS: coreos_files.hosts(hostname) if config.manage_etc_hosts else "",
        coreos_files.FLANNEL_OPTIONS: coreos_files.flannel_options(config.coreos.flannel),
    }


def whole(path: str, text: str, facts: Facts) -> Operation:
    """Write a file with this text, owned by root."""
    return _put(_whole(path, text, facts), facts)


def _whole(path: str, text: str, facts: Facts) -> Entry:
    content = Resource(source=dataurl.encode(text.encode("utf-8", "surrogateescape")))
    node = File(path=path, overwrite=True, mode=MODE, user=Owner(id=0), group=Owner(id=0), contents=content)
    return Entry(path, node, facts.root.resolve(path))


# `owner` of a file, as chown(1) accepts it. Source: docs/reference/coreos-cloudinit.md §11.4; coreutils, lib/userspec.c.
#
# Without a colon, a dot separates user and group unless a user has that name: `root.root`. With several dots the names decide.

LARGEST_ID = 2**32 - 2  # chown(2): the next one means "unchanged"


def is_id(name: str) -> bool:
    """Whether it is a valid numeric id of a user or group."""
    return name.isascii() and name.isdecimal() and len(name) <= 10 and int(name) <= LARGEST_ID


def split_owner(owner: str, facts: Facts, new: Newcomers) -> tuple[str, str | None]:
    """User and group: `core`, `core:`, `core:wheel`, `:wheel`, `core.wheel`. Group: None if absent, "" for the user's own."""
    user, colon, group = owner.partition(":")
    if colon or "." not in owner or _is_user(owner, facts, new):
        return user, group if colon else None
    dots = [index for index, character in enumerate(owner) if character == "."]
    halves = [(owner[:dot], owner[dot + 1 :]) for dot in dots]
    known = [(user, group) for user, group in halves if _is_user(user, facts, new) and _is_group(group, facts, new)]
    # An unknown name is reported as it was written.
    return known[0] if known else (owner, None)


def unknown_owner(owner: str, facts: Facts, new: Newcomers) -> str:
    """The part that neither exists nor is created by this run: `user x`, `group y`; "" if both are known."""
    user, group = split_owner(owner, facts, new)
    if not _is_user(user, facts, new):
        return f"user {user}"
    if group == "" and user and facts.login_group(user) is None and user not in new.groups:
        return f"login group of {user}"
    if group is not None and not _is_group(group, facts, new):
        return f"group {group}"
    return ""


def owners_of(owner: str, facts: Facts, new: Newcomers) -> tuple[Owner, Owner]:
    """User and group for a node of the model; default: root."""
    user, group = split_owner(owner, facts, new)
    first = _owner(user, facts.uid(user)) if user else Owner(id=0)
    if group == "" and user:
        own = facts.login_group(user)
        return first, Owner(id=own) if own is not None else _owner(new.groups[user], None)
    return first, _owner(group, facts.gid(group)) if group else Owner(id=0)


def _is_user(name: str, facts: Facts, new: Newcomers) -> bool:
    """Whether the user exists, or is created by this run; true for ""."""
    return not name or is_id(_bare(name)) or name in new.names or facts.has_user(name)


def _is_group(name: str, facts: Facts, new: Newcomers) -> bool:
    """Whether the group exists, or is created by this run; true for ""."""
    return not name or is_id(_bare(name)) or new.has_group(name) or facts.has_group(name)


def _bare(name: str) -> str:
    """Without the plus sign that marks a number as an id, not a name."""
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
    """The number of bytes when unpacked; only one piece at a time is in memory.

    Raises Failure like `as_packed`, and if the content is damaged or too large.
    """
    content, packing = as_packed(text, encoding)
    if not packing:
        return len(content)
    size = 0
    for piece in packed.gunzip([content], fix="compress it with gzip; without base64 it must be a !!binary value"):
        size += len(piece)
        if size > limits.IN_MEMORY:
            raise Failure(f"the content is larger than {limits.IN_MEMORY >> 20} MiB when unpacked", fix=_FIX_SIZE)
    return size


def as_packed(text: str, encoding: str) -> tuple[bytes, str]:
    """The bytes without base64, and "gzip" if they are compressed: they stay so, since a few may expand to megabytes.

    `text` has bytes that are not UTF-8 as surrogates. Raises Failure for an unknown encoding or the wrong one.
    """
    content = text.encode("utf-8", "surrogateescape")
    first, plus, second = encoding.partition("+")
    if encoding and not (encoding in (*_BASE64, *_GZIP) or (first in _GZIP and plus and second in _BASE64)):
        raise Failure(f"unknown encoding {encoding!r}", fix="one of b64, gz and gz+b64, also spelled base64 and gzip")
    if (second or first) in _BASE64:
        try:
            content = binascii.a2b_base64(content.replace(b"\r", b"").replace(b"\n", b""), strict_mode=True)
        except ValueError:
            raise Failure("the content is not base64", fix="encode it with base64, or correct its encoding") from None
    return content, "gzip" if first in _GZIP else ""
