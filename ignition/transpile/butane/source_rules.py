"""The rules that a document is checked against before it is translated.

Source: docs/reference/config-transpiler.md §B5, §B7 to §B9 and §B13. Ignition's rules are applied to the result instead.
"""

from __future__ import annotations

from collections.abc import Callable

from ignition.config.model import storage
from ignition.config.parse import parse
from ignition.config.record import Record
from ignition.config.report import ERROR
from ignition.config.versions import order
from ignition.transpile.butane import fcos_rules, trees
from ignition.transpile.butane.model import (
    BootDevice,
    Dropin,
    FcosDocument,
    File,
    Filesystem,
    GrubUser,
    Quadlet,
    QuadletDropin,
    Resource,
    Tree,
    Unit,
)
from ignition.transpile.butane.mount_units import SWAP_SINCE
from ignition.transpile.butane.translation import Work
from ignition.transpile.contents import content_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.report import Path

    Rule = Callable[[Work, Any, Path], None]


TOO_MANY_SOURCES = "only one of the following can be set: inline, local, source"
TOO_MANY_TEXTS = "only one of the following can be set: contents, contents_local"
DECIMAL_MODE = "unreasonable mode would be reasonable if specified in octal; remember to add a leading zero"
NO_FORMAT = "format is required if with_mount_unit is true"
NO_PATH = "path is required if with_mount_unit is true and format is not swap"
NO_LOCAL = "local is required"
NOT_VALIDATED = "skipping validation for the merge/replace ignition config due to an unknown version"
NO_QUADLET = f"name must end in one of: {', '.join(trees.TYPES)}"
INSTANCE_WITH_TEXT = "an instance of a template is a link to it and cannot have contents"


def check(work: Work, record: Record, path: Path = ()) -> None:
    """Apply all rules: to a record before its members."""
    for rule in _RULES.get(type(record), ()):
        rule(work, record, path)
    for name, value in record.set_members():
        if isinstance(value, Record):
            check(work, value, (*path, name))
        elif isinstance(value, tuple):
            for index, element in enumerate(value):
                if isinstance(element, Record):
                    check(work, element, (*path, name, index))


def _resource(work: Work, resource: Resource, path: Path) -> None:
    given = [name for name in ("local", "inline", "source") if getattr(resource, name) is not None]
    if len(given) > 1:
        work.error((*path, given[-1]), TOO_MANY_SOURCES, f"remove {' or '.join(given[:-1])}, or this")
    elif given == ["inline"] and path[:2] == ("ignition", "config"):
        _embedded(work, content_of(resource.inline or ""), (*path, "inline"))


def _embedded(work: Work, text: bytes, path: Path) -> None:
    parsed = parse(text)
    if parsed.version not in ("", work.variant.spec):
        work.warning(path, NOT_VALIDATED, f"write it for spec {work.variant.spec}, to which this document is translated")
        return
    entries = parsed.report.entries
    if parsed.config is None and not parsed.report.fatal:
        work.error(path, f"not an Ignition config: {entries[0].message}", "write the JSON text of one")
        return
    for entry in entries:
        place = f", at {entry.path}" if entry.path else ""
        (work.error if entry.level == ERROR else work.warning)(path, f"in this config{place}: {entry.message}", entry.fix)


def _filesystem(work: Work, filesystem: Filesystem, path: Path) -> None:
    if not filesystem.with_mount_unit:
        return
    needs_path = filesystem.format != "swap" or order(work.variant.spec) < order(SWAP_SINCE)
    if not filesystem.format:
        work.error((*path, "format"), NO_FORMAT, "set it, for example to xfs")
    elif needs_path and not filesystem.path:
        work.error((*path, "path"), NO_PATH, "set the mount point, or remove with_mount_unit")


def _mode(work: Work, node: File | storage.Directory, path: Path) -> None:
    mode = node.mode
    if mode is not None and looks_decimal(mode, of_directory=isinstance(node, storage.Directory)):
        work.warning((*path, "mode"), DECIMAL_MODE, f"write 0{mode}, or {mode:#o} if that is intended")


def _tree(work: Work, tree: Tree, path: Path) -> None:
    if not tree.local:
        work.error(path, NO_LOCAL, "name the directory")


def _texts(work: Work, unit: Unit | Dropin | Quadlet, path: Path) -> None:
    if unit.contents is not None and unit.contents_local is not None:
        work.error((*path, "contents_local"), TOO_MANY_TEXTS, "remove one of them")


def _quadlet(work: Work, quadlet: Quadlet, path: Path) -> None:
    if not quadlet.name.endswith(trees.TYPES):
        work.error((*path, "name"), NO_QUADLET, "end the name with its type, as in web.container")
    elif not trees.template_of(quadlet.name):
        _texts(work, quadlet, path)
    else:
        for name in ("contents", "contents_local"):
            if getattr(quadlet, name) is not None:
                work.error((*path, name), INSTANCE_WITH_TEXT, f"move it to {trees.template_of(quadlet.name)}")


_RULES: dict[type[Record], tuple[Rule, ...]] = {
    Resource: (_resource,),
    Filesystem: (_filesystem, fcos_rules.mount_point),
    File: (_mode,),
    storage.Directory: (_mode,),
    Tree: (_tree,),
    Unit: (_texts,),
    Dropin: (_texts,),
    QuadletDropin: (_texts,),
    Quadlet: (_quadlet,),
    FcosDocument: (fcos_rules.reused_partitions,),
    BootDevice: (fcos_rules.layout, fcos_rules.mirror, fcos_rules.secure_key, fcos_rules.method),
    GrubUser: (fcos_rules.grub_user,),
}


# Decimal modes that were probably meant to be octal: `644` for `0644`. Source: docs/reference/config-transpiler.md §B13.

_CLASSES = (6, 3, 0)  # shifts of the bits of owner, group and others
_SETUID, _SETGID, _STICKY = 0o4000, 0o2000, 0o1000
_READ, _WRITE, _RUN = 4, 2, 1


def looks_decimal(mode: int, *, of_directory: bool) -> bool:
    """Whether the mode is unusual, but would be usual if its decimal digits were octal."""
    digits = str(mode)
    if not 0 <= mode <= 7777 or digits.strip("01234567"):
        return False
    return not is_usual(mode, of_directory=of_directory) and is_usual(int(digits, 8), of_directory=of_directory)


def is_usual(mode: int, *, of_directory: bool) -> bool:
    """Whether these permissions are common."""
    if mode == 0:
        return True
    classes = tuple(mode >> shift & 7 for shift in _CLASSES)
    return _is_graded(classes) and (_suits_directory(mode, classes) if of_directory else _suits_file(mode, classes))


def _is_graded(classes: tuple[int, ...]) -> bool:
    owner, group, others = classes
    if not any(one & _READ for one in classes) or group & ~owner or others & ~group:
        return False
    if any(one & (_WRITE | _RUN) and not one & _READ for one in classes):
        return False
    # Executable for one class, but not for any of the lesser classes that can read it: unusual for a program.
    return not any(
        classes[place] & _RUN
        and any(lesser & _READ for lesser in classes[place + 1 :])
        and not any(lesser & _RUN for lesser in classes[place + 1 :])
        for place in range(len(classes))
    )


def _suits_directory(mode: int, classes: tuple[int, ...]) -> bool:
    if not any(one & _RUN for one in classes) or mode & _SETUID:
        return False
    return not mode & (_SETGID | _STICKY) or any(one & _WRITE for one in classes)


def _suits_file(mode: int, classes: tuple[int, ...]) -> bool:
    if mode & _STICKY:
        return False
    return not mode & (_SETUID | _SETGID) or (any(one & _RUN for one in classes) and not classes[-1] & _WRITE)
