"""V28–V33: files, directories and links."""

from ignition.config.rules import Context, error, rule, warning
from ignition.config.rules.nodes import decimal_mode
from ignition.config.v2.model import Directory, File, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

_ALL_BITS = 0o7777


@rule(Node, "V28")
def filesystem_is_named(node: Node, _: Context) -> "Iterator[Finding]":
    if not node.filesystem:
        yield error("filesystem", "file system is not named", "the root file system is called root")


@rule(Node, "V29")
def path_is_absolute(node: Node, _: Context) -> "Iterator[Finding]":
    if not node.path.startswith("/"):
        yield error("path", "path is not absolute" if node.path else "path is not given")


@rule(Node, "V30", since="2.1.0")
def owner_is_id_or_name(node: Node, _: Context) -> "Iterator[Finding]":
    for name, owner in (("user", node.user), ("group", node.group)):
        if owner.id is not None and owner.name:
            yield error(name, f"{name} has both an id and a name", "leave one of them out")


@rule(File, "V31")
@rule(Directory, "V31")
def mode_is_possible(node: File | Directory, _: Context) -> "Iterator[Finding]":
    if node.mode is not None and not 0 <= node.mode <= _ALL_BITS:
        yield error("mode", "mode is not between 0 and 4095 (octal 07777)", decimal_mode(node.mode))


@rule(File, "V32", since="2.2.0")
@rule(Directory, "V32", since="2.2.0")
def mode_is_given(node: File | Directory, _: Context) -> "Iterator[Finding]":
    if node.mode is None and not (isinstance(node, File) and node.append):
        yield warning("mode", "mode is not given: 0000 will be used", "420 is 0644, 493 is 0755")


@rule(File, "V33", since="2.2.0")
def appending_does_not_overwrite(file: File, _: Context) -> "Iterator[Finding]":
    if file.append and file.overwrite:
        yield error("", "overwrite and append exclude each other", "leave one of them out")
