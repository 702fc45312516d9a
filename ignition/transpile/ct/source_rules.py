"""The rules of the source itself: `ct`'s first stage. Source: docs/reference/config-transpiler.md §A6 and §A8.

Rules of Ignition's are asked of what is made.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config.report import ERROR, INFO, WARNING, Finding, Path
from ignition.transpile.ct import etcd, flannel, update

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.transpile.ct.model import ContainerLinuxConfig, File, Storage
    from ignition.transpile.reading import Read

FILE_MODE, DIRECTORY_MODE = 0o644, 0o755


def unknown_keys(found: Read) -> Iterator[Finding]:
    """A warning for each, and what was meant."""
    from ignition.config import suggest

    for one in found.unknown:
        name = str(one.path[-1])
        fix = "" if one.proper else suggest.key(name, "", one.known)
        yield Finding(WARNING, one.path, f"Config has unrecognized key: {name}", fix, at="key")
        if one.proper:
            yield Finding(INFO, one.path, f"Did you mean {one.proper} instead of {name}", at="key")
    for path, span in found.merges:
        yield Finding(WARNING, path, "Config has unrecognized key: <<", "it is read all the same", span=span)


def findings(config: ContainerLinuxConfig) -> Iterator[Finding]:
    """Errors among them end the translation."""
    if config.version != 0:
        yield Finding(ERROR, ("version",), "Invalid version. Only version 0 is supported", "leave it out")
    yield from _storage(config.storage)
    if config.etcd is not None:
        yield from etcd.findings(config.etcd)
    if config.flannel is not None:
        yield from flannel.findings(config.flannel)
    if config.update is not None:
        yield from update.update_findings(config.update)
    if config.locksmith is not None:
        yield from update.locksmith_findings(config.locksmith)


def _storage(storage: Storage) -> Iterator[Finding]:
    for index, file in enumerate(storage.files):
        yield from _file(file, ("storage", "files", index))
    for index, directory in enumerate(storage.directories):
        if directory.mode is None:
            message = f"mode unspecified for directory, defaulting to 0{DIRECTORY_MODE:o}"
            yield Finding(WARNING, ("storage", "directories", index), message, f"write mode: 0{DIRECTORY_MODE:o}")


def _file(file: File, here: Path) -> Iterator[Finding]:
    contents = file.contents
    if file.mode is None:
        message = f"mode unspecified for file, defaulting to 0{FILE_MODE:o}"
        fix = f"write mode: 0{FILE_MODE:o}"
        if file.append:
            yield Finding(INFO, here, f"{message} if the file does not exist", fix)
        else:
            yield Finding(WARNING, here, message, fix)
    if sum(map(bool, (contents.inline, contents.local, contents.remote.url))) > 1:
        message = "only one of the following can be set: local, inline, remote.url"
        yield Finding(ERROR, (*here, "contents"), message, "leave out the others")
