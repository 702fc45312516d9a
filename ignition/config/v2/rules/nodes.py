"""V30, V32 and V33: files, directories and links."""

from ignition.config.rules import Context, error, rule, warning
from ignition.config.v2.model import Directory, File, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(Node, "V30", since="2.1.0")
def owner_is_id_or_name(node: Node, _: Context) -> "Iterator[Finding]":
    for name, owner in (("user", node.user), ("group", node.group)):
        if owner.id is not None and owner.name:
            yield error(name, f"{name} has both an id and a name", "leave one of them out")


@rule(File, "V32", since="2.2.0")
@rule(Directory, "V32", since="2.2.0")
def mode_is_given(node: File | Directory, _: Context) -> "Iterator[Finding]":
    if node.mode is None and not (isinstance(node, File) and node.append):
        yield warning("mode", "mode is not given: 0000 will be used", "420 is 0644, 493 is 0755")


@rule(File, "V33", since="2.2.0")
def appending_does_not_overwrite(file: File, _: Context) -> "Iterator[Finding]":
    if file.append and file.overwrite:
        yield error("", "overwrite and append exclude each other", "leave one of them out")
