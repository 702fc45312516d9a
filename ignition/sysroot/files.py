"""The operation that writes one regular file (spec path: storage.files[]).

Content is streamed into a temporary file beside the target and appears complete. An existing file is compared first, so that an
interrupted stage can be run again: equal bytes are not a conflict. Content is never logged.
"""

from __future__ import annotations

import io
import os
import stat
from contextlib import suppress

from ignition.config.model import Resource
from ignition.config.model.storage import File
from ignition.errors import Failure
from ignition.host import atomic
from ignition.host.dentry import Dentry
from ignition.host.limits import CHUNK
from ignition.host.root import PARENTS
from ignition.operation import Context, Left, Operation
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.attempt import Attempt, Entry
from ignition.sysroot.existing import attributes, has_attributes, remedy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from hashlib import _Hash as Hash
    from io import BufferedWriter

    from ignition.fetch.engine import Writable

NEW_MODE = 0o644


class PutFile(Operation):
    """Writes one regular file, appends to it, or only changes its owner and mode."""

    kind = "write-file"

    def __init__(self, entry: Entry, node: File, accounts: AccountDatabase, attempt: Attempt) -> None:
        self.path, self.place = node.path, entry.place
        self._entry, self._node, self._accounts, self._attempt = entry, node, accounts, attempt
        self._left: tuple[int | None, int, int] | None = None  # mode and owner, once it exists
        self._hashed: Hash | None = None  # of its content, if it was written
        # The runner downloads several files at once.
        parts = (node.contents, *node.append)
        self.concurrent = any(is_remote(resource) for resource in parts)
        if any(resource.extension.sealed or resource.http_headers for resource in parts):
            from ignition.fetch import sealed  # few configs have sealed content

            self.sealed = "; ".join(dict.fromkeys(filter(None, map(sealed.words_of, parts))))

    def describe(self) -> str:
        node = self._node
        verb = "write" if node.contents.source is not None else "append to" if node.append else "create"
        return f"{verb} file {self.path}"

    def already_there(self, context: Context) -> bool:
        try:
            with context.root.at(self._entry.resolved) as here:
                return self._is_complete(context, here, here.status())
        except (FileNotFoundError, NotADirectoryError):
            return False  # its directory is missing

    def _is_complete(self, context: Context, here: Dentry, found: os.stat_result | None) -> bool:
        if found is None or not stat.S_ISREG(found.st_mode):
            return False
        mode, uid, gid = self._attributes()
        if not has_attributes(found, mode=mode, uid=uid, gid=gid) or not self._has_content(context, here, found):
            return False
        self._left = stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid
        return True

    def check(self, context: Context) -> None:
        self._attributes()
        with suppress(FileNotFoundError), context.root.at(self._entry.resolved) as here:
            found = here.status()
            self._refuse_other_kind(here, found)
            if (
                found is not None
                and self._brings_content()
                and not self.concurrent
                and not self._attempt.may_replace(self._entry)
            ):
                wanted = io.BytesIO()
                self._copy(context, wanted)
                with here.open_regular(found) as file:
                    if file.read() != wanted.getvalue():
                        raise self._has_other_content()

    def _refuse_other_kind(self, here: Dentry, found: os.stat_result | None) -> None:
        if found is not None and not stat.S_ISREG(found.st_mode) and not self._attempt.may_replace(self._entry):
            raise Failure(
                f"{self.path} exists and is not a regular file",
                where=self._entry.place,
                fix=remedy(here, found, self.path),
                lasting=True,
            )

    def _has_other_content(self) -> Failure:
        return Failure(
            f"{self.path} already exists with other content",
            where=self._entry.place,
            fix="set overwrite, or choose another path",
            lasting=True,
        )

    def execute(self, context: Context) -> None:
        with context.root.at(self._entry.resolved, parents=PARENTS) as here:
            self._put(context, here, here.status())

    def complete(self, context: Context) -> bool:
        with context.root.at(self._entry.resolved, parents=PARENTS) as here:
            found = here.status()
            if self._is_complete(context, here, found):
                return True
            self._put(context, here, found)
            return False

    def _put(self, context: Context, here: Dentry, found: os.stat_result | None) -> None:
        self._refuse_other_kind(here, found)
        if found is not None and not stat.S_ISREG(found.st_mode):
            here.remove()
            found = None
        if found is None or self._brings_content():
            self._write(context, here, found)
        elif self._node.append:
            self._append(context, here, found)
        else:
            self._set_attributes(context, here, found)

    def content(self, context: Context) -> bytes | None:
        if self.concurrent:
            return None
        present, wanted = b"", io.BytesIO()
        self._copy(context, wanted)
        if not self._brings_content():
            with suppress(FileNotFoundError, NotADirectoryError), context.root.at(self._entry.resolved) as here:
                if here.status() is not None:
                    with here.open_regular() as file:
                        present = file.read()
        return present + wanted.getvalue()

    def leaves(self, context: Context) -> Iterable[Left]:
        members = attributes(*(self._left or self._attributes()), self._node)
        hashed, wanted = self._hashed, self._hash_of_config()
        if wanted:
            function, _, digest = wanted.partition("-")
            members[function] = digest.lower()
        elif hashed or (hashed := self._hash_again(context)):
            members[hashed.name] = hashed.hexdigest()
        return (Left("file", self.path, members, place=self.place),)

    def _hash_of_config(self) -> str:
        """The hash of the whole content, if the config has it; "" else. That of sealed content is the hash of the JWE."""
        contents = self._node.contents
        if contents.extension.sealed:
            return ""
        return contents.verification.hash or "" if contents.source and not self._node.append else ""

    def _hash_again(self, context: Context) -> Hash | None:
        """The hash of the content of a file that was not written; None if the config does not say what the file holds."""
        if self.sealed:
            return None  # it would have to be opened
        hashed = _Hashed(None, self._new_hash())
        if self._brings_content():
            self._copy(context, hashed)
        elif self._left is None:
            return None
        else:
            with context.root.at(self._entry.resolved) as here, here.open_regular() as file:
                while chunk := file.read(CHUNK):
                    hashed.write(chunk)
        return hashed.hash

    def _attributes(self) -> tuple[int | None, int, int]:
        """The mode, user and group that the file must end up with; None and -1 leave the present ones."""
        place, node = self._entry.place, self._node
        uid, gid = self._accounts.uid(node.user, f"{place}.user"), self._accounts.gid(node.group, f"{place}.group")
        if not self._attempt.may_replace(self._entry):
            return node.mode, uid, gid
        own_uid, own_gid = self._accounts.root.creator
        mode = NEW_MODE if node.mode is None else node.mode
        return mode, own_uid if uid == -1 else uid, own_gid if gid == -1 else gid

    def _set_attributes(self, context: Context, here: Dentry, found: os.stat_result) -> None:
        mode, uid, gid = self._attributes()
        here.set_attributes(mode=mode, uid=uid, gid=gid, seen=found, sole=context.root.is_live)
        mode = stat.S_IMODE(found.st_mode) if mode is None else mode
        self._left = mode, found.st_uid if uid == -1 else uid, found.st_gid if gid == -1 else gid

    def _brings_content(self) -> bool:
        """Whether an existing file is replaced: `contents` is given, or the file is our own, of an interrupted attempt."""
        return self._node.contents.source is not None or self._entry.key in self._attempt.made

    def _write(self, context: Context, here: Dentry, found: os.stat_result | None) -> None:
        """Contents and fragments into a new file, which replaces an existing one if that differs and may be replaced."""
        mode, uid, gid = self._attributes()
        # Without overwrite only a file with a second hard link is replaced, by one with the same attributes (`_judge`).
        if found is not None and not self._attempt.may_replace(self._entry):
            mode = stat.S_IMODE(found.st_mode) if mode is None else mode
            uid, gid = found.st_uid if uid == -1 else uid, found.st_gid if gid == -1 else gid
        if found is None and (content := self._known_content(context)) is not None:
            self._hashed = atomic.hashing(content)
            here.write(content, mode=NEW_MODE if mode is None else mode, uid=uid, gid=gid)
            self._left = NEW_MODE if mode is None else mode, uid, gid
            return
        try:
            with here.replacing(mode=NEW_MODE if mode is None else mode, uid=uid, gid=gid) as file:
                self._copy_hashed(context, file)
                if found is not None:
                    self._judge(file, here, found)
            self._left = NEW_MODE if mode is None else mode, uid, gid
        except _SameContent as same:
            self._set_attributes(context, here, same.found)

    def _known_content(self, context: Context) -> bytes | None:
        """The content, if the config has all of it as it is written; None else."""
        if self.concurrent or self._node.append or not self._node.contents.source:
            return None
        with _placed(f"{self._entry.place}.contents"):
            return context.fetcher.as_written(self._node.contents)

    def _judge(self, file: BufferedWriter, here: Dentry, found: os.stat_result) -> None:
        """Compare with the existing file: equal content raises _SameContent, and the file only gets its attributes.

        With a second hard link new attributes would apply to the other name as well, so that such a file is replaced.
        """
        file.flush()
        descriptor = file.fileno()
        is_same = os.fstat(descriptor).st_size == found.st_size and _same_bytes(descriptor, here, found)
        mode, uid, gid = self._attributes()
        if is_same and (found.st_nlink == 1 or has_attributes(found, mode=mode, uid=uid, gid=gid)):
            raise _SameContent(found)
        if not is_same and not self._attempt.may_replace(self._entry):
            raise self._has_other_content()

    def _append(self, context: Context, here: Dentry, found: os.stat_result) -> None:
        """The fragments behind the content from before any attempt; owner and mode stay unless they are configured."""
        mode, uid, gid = self._attributes()
        uid, gid = found.st_uid if uid == -1 else uid, found.st_gid if gid == -1 else gid
        mode = stat.S_IMODE(found.st_mode) if mode is None else mode
        left = self._size_before(found)
        self._left = mode, uid, gid
        with here.replacing(mode=mode, uid=uid, gid=gid) as file:
            hashed = _Hashed(file, self._new_hash())
            with here.open_regular(found) as present:
                while left > 0 and (chunk := present.read(min(CHUNK, left))):
                    hashed.write(chunk)
                    left -= len(chunk)
            self._copy(context, hashed)
            self._hashed = hashed.hash

    def _size_before(self, found: os.stat_result) -> int:
        # A file that is shorter than at the first attempt was truncated by somebody else: its content counts from here on.
        return min(self._attempt.sizes.get(self._entry.key, found.st_size), found.st_size)

    def _copy_hashed(self, context: Context, file: Writable) -> None:
        """As `_copy`, and take the digest of the written content, unless the config has it."""
        if self._hash_of_config():
            return self._copy(context, file)
        self._hashed = self._new_hash()
        return self._copy(context, _Hashed(file, self._hashed))

    def _new_hash(self) -> Hash:
        if not self.concurrent:
            return atomic.hashing()
        # Downloads may be large, and OpenSSL's SHA-256 with the processor's instructions takes a quarter of the time.
        from hashlib import sha256

        return sha256()

    def _copy(self, context: Context, file: Writable) -> None:
        contents, place = self._node.contents, self._entry.place
        _fetch(context, contents, file, f"{place}.contents")
        for number, fragment in enumerate(self._node.append):
            _fetch(context, fragment, file, f"{place}.append.{number}")

    def _has_content(self, context: Context, here: Dentry, found: os.stat_result) -> bool:
        """Whether the file has its content, decided without a download: False for remote content without a hash."""
        node = self._node
        if node.append or not node.contents.source:
            return self._has_local_content(context, here, found)
        if node.contents.verification.hash and not node.contents.extension.sealed:
            return hash_matches(here, found, node.contents.verification.hash)
        return self._has_local_content(context, here, found)

    def _has_local_content(self, context: Context, here: Dentry, found: os.stat_result) -> bool:
        if self.concurrent:
            return False
        wanted = io.BytesIO()
        self._copy(context, wanted)
        content = wanted.getvalue()
        if self._brings_content():
            return found.st_size == len(content) and _ends_with(here, found, content)
        if self._entry.key in self._attempt.appended_before:
            # A finished attempt recorded that it appended; the file may have grown since, before this run.
            return found.st_size >= len(content) and _ends_with(here, found, content)
        return self._size_before(found) + len(content) == found.st_size and _ends_with(here, found, content)


def is_remote(resource: Resource) -> bool:
    """Whether the content comes from outside the config, as that of sealed one does: clevis opens it, with a server or a TPM."""
    source = resource.source or ""
    return bool(source) and (source[:5].lower() != "data:" or bool(resource.extension.sealed))


def hash_matches(here: Dentry, found: os.stat_result, wanted: str) -> bool:
    """Whether a file has the digest of a `verification.hash` (`sha512-…`, `sha256-…`)."""
    import hashlib

    function, _, digest = wanted.partition("-")
    with here.open_regular(found) as file:
        return hashlib.file_digest(file, function).hexdigest() == digest.lower()


def _fetch(context: Context, resource: Resource, file: Writable, place: str) -> None:
    if resource.source:
        with _placed(place):
            context.fetcher.copy_to(resource, file)


class _placed:  # noqa: N801  as contextlib's classes that are used like functions; a generator would cost more
    """A context in which a Failure is at that place of the config."""

    __slots__ = ("_place",)

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Failure):
            error.where = f"{self._place} ({error.where})" if error.where else self._place


class _Hashed:
    """A file whose content is hashed while it is written; None: it is only hashed."""

    __slots__ = ("_file", "hash")

    def __init__(self, file: Writable | None, hash: Hash) -> None:
        self._file, self.hash = file, hash

    def write(self, data: bytes) -> object:
        self.hash.update(data)
        return self._file and self._file.write(data)


class _SameContent(Exception):
    """The existing file `found` has the wanted content: the temporary file is dropped."""

    def __init__(self, found: os.stat_result) -> None:
        super().__init__()
        self.found = found


def _same_bytes(descriptor: int, here: Dentry, found: os.stat_result) -> bool:
    offset = 0
    with here.open_regular(found) as file:
        while chunk := file.read(CHUNK):
            if os.pread(descriptor, len(chunk), offset) != chunk:
                return False
            offset += len(chunk)
    return True


def _ends_with(here: Dentry, found: os.stat_result, content: bytes) -> bool:
    with here.open_regular(found) as file:
        file.seek(found.st_size - len(content))
        return file.read(len(content) + 1) == content
