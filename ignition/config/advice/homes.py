"""W11 and W12: files and directories in a user's home that root will own, so that the user cannot change them or add files.

Missing parents are created with mode 0755, owned by root; in 2.x a directory's parents get its mode and owner
(docs/reference/ignition-config.md §7.6 and §7.11).
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config.advice.subject import advice
from ignition.config.model.storage import Directory, File, Node
from ignition.config.report import Finding, Path
from ignition.config.rules.paths import ancestors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject
    from ignition.config.model import Config

    Placed = tuple[Path, Node]

_ROOT = "root"
_PLACES = ("/home", "/var/home")  # /home is a link to the latter on Fedora CoreOS


def advise(subject: Subject) -> Iterator[Finding]:
    """Directories, then files, then links."""
    config = subject.config
    homes = _homes(config)
    present = _present(config, homes)
    for path, node in _nodes(config):
        home = next((parent for parent in ancestors(node.path) if parent in homes), "")  # the innermost one
        if node.filesystem is not None or not home:
            continue
        user = homes[home]
        if not _owner_is_given(subject, path, node):
            message = f"{'file' if isinstance(node, File) else 'directory'} in the home of {user} will be owned by root"
            fix = f'add "user": {{"name": "{user}"}} and "group": {{"name": "{user}"}}; specify root if that is intended'
            yield advice("W12", (*path, "path"), message, fix)
        missing = [parent for parent in ancestors(node.path) if parent.startswith(f"{home}/") and parent not in present]
        if missing:
            present.update(missing)
            owner = node.user.name or user
            if owner != _ROOT and node.user.id != 0:
                names, them = " and ".join(sorted(missing)), "them" if len(missing) > 1 else "it"
                message = f"{names} will be created for it, owned by root: {user} cannot add anything to {them}"
                entry = f'"user": {{"name": "{owner}"}}, "group": {{"name": "{owner}"}}'
                fix = ", ".join(f'{{"path": "{parent}", {entry}}}' for parent in sorted(missing))
                yield advice("W11", (*path, "path"), message, f"add to storage.directories: {fix}")


def _homes(config: Config) -> dict[str, str]:
    """Home directory → name of its user."""
    homes: dict[str, str] = {}
    for user in config.passwd.users:
        if user.should_exist is not False and user.name != _ROOT:
            homes |= {(user.home_dir or f"/home/{user.name}").rstrip("/"): user.name}
    for _, node in _nodes(config):
        for place in _PLACES:
            name, slash, _ = node.path.removeprefix(f"{place}/").partition("/")
            if slash and node.path.startswith(f"{place}/"):
                # Users of the image have their homes there as well.
                homes.setdefault(f"{place}/{name}", name)
    return {home: name for home, name in homes.items() if home}


def _nodes(config: Config) -> Iterator[Placed]:
    storage = config.storage
    for name, nodes in (("directories", storage.directories), ("files", storage.files), ("links", storage.links)):
        for index, node in enumerate(nodes):
            yield ("storage", name, index), node


def _present(config: Config, homes: dict[str, str]) -> set[str]:
    """Directories that the config creates with an owner of their own."""
    present = set(homes)
    for directory in config.storage.directories:
        present.add(directory.path)
        if directory.parents_alike:
            present.update(ancestors(directory.path))
    names = {user.name for user in config.passwd.users if user.ssh_authorized_keys}
    # The agent creates .ssh itself, for the user, when it writes keys.
    return present | {f"{home}/.ssh" for home, name in homes.items() if name in names}


def _owner_is_given(subject: Subject, path: Path, node: Node) -> bool:
    """Also true if root is named explicitly. The owner of a link does not matter, and appending keeps the owner of a file.

    A config translated from 2.x has root as owner in any case: only its text has the answer.
    """
    if not isinstance(node, File | Directory) or (isinstance(node, File) and node.append and node.contents.source is None):
        return True
    if node.user.id or node.user.name or not subject.config.ignition.translated:
        return node.user.id is not None or bool(node.user.name)
    return subject.written((*path, "user", "id")) is not None or bool(subject.written((*path, "user", "name")))
