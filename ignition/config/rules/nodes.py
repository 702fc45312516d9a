"""Rules N4, N5, N8 and S1–S6: files, directories and links."""

from ignition.config.model.storage import File, Node, Storage
from ignition.config.rules import Context, error, paths, rule, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(Storage, "S1")
def entries_do_not_lie_below_links(storage: Storage, _: Context) -> "Iterator[Finding]":
    """S1 directories, S2 files, S3 links."""
    links = {link.path for link in storage.links}
    if not links:
        return
    for identity, name, nodes in (
        ("S1", "directories", storage.directories),
        ("S2", "files", storage.files),
        ("S3", "links", storage.links),
    ):
        for index, node in enumerate(nodes):
            if any(ancestor in links for ancestor in paths.ancestors(node.path)):
                fix = "name the path that the link leads to"
                yield error(f"{name}.{index}", "its path lies below a link of this config", fix, identity)


@rule(Storage, "S5")
def hard_link_leads_to_no_directory(storage: Storage, _: Context) -> "Iterator[Finding]":
    directories = {directory.path for directory in storage.directories}
    for index, link in enumerate(storage.links):
        target = link.target or ""
        if link.hard and paths.simplest(target if target.startswith("/") else f"{link.path}/{target}") in directories:
            yield error(f"links.{index}", "hard link to a directory", "make it a symbolic link: leave hard out")


@rule(Storage, "S6")
def hard_link_has_no_owner_of_its_own(storage: Storage, _: Context) -> "Iterator[Finding]":
    for index, link in enumerate(storage.links):
        if not link.hard:
            continue
        for where, value in (
            ("user.id", link.user.id),
            ("user.name", link.user.name),
            ("group.id", link.group.id),
            ("group.name", link.group.name),
        ):
            if value is not None and value != "":
                yield warning(f"links.{index}.{where}", "ignored: a hard link has the owner of what it leads to", "leave it out")


@rule(Node, "N4")
def owner_is_id_or_name(node: Node, _: Context) -> "Iterator[Finding]":
    """N4 user, N5 group."""
    for identity, name, owner in (("N4", "user", node.user), ("N5", "group", node.group)):
        if owner.id is not None and owner.name:
            yield error(name, f"{name} has both an id and a name", "leave one of them out", identity)


@rule(File, "N8")
def overwritten_file_has_contents(file: File, _: Context) -> "Iterator[Finding]":
    if file.overwrite and file.contents.source is None:
        yield error("overwrite", "overwrite is true but there are no contents", 'for an empty file, set contents.source to ""')
