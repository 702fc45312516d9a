"""Files of a cloud-config → operations of the agent's one writer.

Source: docs/reference/coreos-cloudinit.md §11.4 to §11.9, §13 and §16.
"""

from ignition.cloudinit import coreos_files, encoding, environment_file, owners
from ignition.cloudinit.facts import Facts, Newcomers, clean
from ignition.cloudinit.model import CloudConfig, WriteFile
from ignition.config import dataurl
from ignition.config.model import Resource
from ignition.config.model.storage import File, Owner
from ignition.host import log
from ignition.operation import Operation
from ignition.system.attempt import Attempt
from ignition.system.entry import Entry
from ignition.system.files import PutFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MODE = 0o644
_PERMISSIONS = 0o777


def plan(config: CloudConfig, facts: Facts, new: Newcomers, hostname: str, addresses: "Mapping[str, str]") -> list[Operation]:
    """In order: write_files, the files that belong to other keys, /etc/environment. Of several for one path the last counts.

    `hostname`: what the machine is called by then. `addresses`: variables for /etc/environment.
    """
    entries = [
        *(_entry(file, index, facts, new) for index, file in enumerate(config.write_files)),
        *_generated(config, facts, hostname),
    ]
    by_place = {entry.resolved: entry for entry in entries}
    environment = facts.root.resolve(environment_file.PATH)
    if environment not in by_place and environment_file.PATH in facts.texts:  # else it cannot be read, which was said
        before = facts.texts[environment_file.PATH] or ""
        after = environment_file.merged(before, addresses)
        if after != before:
            by_place[environment] = _whole(environment_file.PATH, after, facts)
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
    user, group = owners.owners(file.owner, facts, new)
    content, packing = encoding.as_packed(file.content, file.encoding)
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
