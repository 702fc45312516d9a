"""The rules of the source itself: `ct`'s first stage. Source: docs/reference/config-transpiler.md §A6 and §A8.

Ignition's rules are applied to the generated config.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config.report import ERROR, INFO, WARNING, Finding, Path
from ignition.transpile.ct import etcd, flannel, update

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.transpile.ct.model import ContainerLinuxConfig, File
    from ignition.transpile.reading import Read

FILE_MODE, DIRECTORY_MODE = 0o644, 0o755


def unknown_keys(found: Read) -> Iterator[Finding]:
    """A warning for each unknown key, with a suggestion."""
    from ignition.config import suggest

    for one in found.unknown:
        name = str(one.path[-1])
        fix = "" if one.proper else suggest.key(name, "", one.known)
        yield Finding(WARNING, one.path, f"Config has unrecognized key: {name}", fix, at="key")
        if one.proper:
            yield Finding(INFO, one.path, f"Did you mean {one.proper} instead of {name}", at="key")
    for path, span in found.merges:
        yield Finding(WARNING, path, "Config has unrecognized key: <<", "it is applied nevertheless", span=span)


def findings(config: ContainerLinuxConfig) -> Iterator[Finding]:
    """Findings of the rules. Errors end the translation."""
    if config.version != 0:
        yield Finding(ERROR, ("version",), "Invalid version. Only version 0 is supported", "remove it")
    for index, file in enumerate(config.storage.files):
        yield from _file(file, ("storage", "files", index))
    for index, directory in enumerate(config.storage.directories):
        if directory.mode is None:
            message = f"mode unspecified for directory, defaulting to 0{DIRECTORY_MODE:o}"
            yield Finding(WARNING, ("storage", "directories", index), message, f"write mode: 0{DIRECTORY_MODE:o}")
    if config.etcd is not None:
        yield from etcd.findings(config.etcd)
    if config.flannel is not None:
        yield from flannel.findings(config.flannel)
    if config.update is not None:
        yield from update.update_findings(config.update)
    if config.locksmith is not None:
        yield from update.locksmith_findings(config.locksmith)


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
        yield Finding(ERROR, (*here, "contents"), message, "remove the others")
