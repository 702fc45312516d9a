"""Enablement of units: the links that an [Install] section asks for, read, created and removed in a root.

The equivalent of `systemctl --root=R enable|disable|is-enabled NAME`, without systemctl, which follows links of the image out of
the root. Sources: systemd.unit(5) "[Install] Section Options", systemctl(1), and systemd 252 and 257, shared/install.c;
tests/sysroot/test_enablement.py compares the resulting trees with those of its systemctl. Unlike systemctl: SysV scripts are left
alone; units that do not exist can be disabled, as can the linked and malformed ones that 252 disables and 257 refuses; links to a
removed alias are removed whatever the order of the directory.

In this order: questions and commands (`is_enabled`, `state`, `is_nowhere`, `enable`, `disable`), the search for units, the texts
and names of units, and the links.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from ignition.errors import Failure, NotFound
from ignition.host import paths, reading
from ignition.host.limits import UNIT_FILE
from ignition.host.root import PARENTS, Root

# Highest priority first (systemd.unit(5), "Unit File Load Path"; `systemd-analyze unit-paths` of Debian 12).
SEARCH_PATH = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/run/systemd/generator.late",
)
_SPLIT, _MERGED = "/lib/systemd/system", "/usr/lib/systemd/system"
_KNOWN = tuple(f"{directory}/" for directory in SEARCH_PATH)
CONFIG = paths.UNITS
_CONFIGURED = (CONFIG, "/run/systemd/system")  # a link here may be the administrator's decision
_GENERATED = ("/run/systemd/generator.early", "/run/systemd/generator", "/run/systemd/generator.late")
_TRANSIENT = "/run/systemd/transient"

_TYPES = frozenset("automount device mount path scope service slice socket swap target timer".split())
_MAY_ALIAS = frozenset("device path service socket target timer".split())
_MAY_BE_TEMPLATES = frozenset("path service socket target timer".split())
# Units of the other types may exist without a file: systemd and its generators derive them from fstab, block devices, cgroups.
_FROM_FILES = frozenset("path service socket target timer".split())
_SCRIPTS = ("/etc/init.d", "/etc/rc.d/init.d")  # systemd-sysv-generator(8)
_QUADLETS = ("/etc/containers/systemd", "/usr/share/containers/systemd")  # podman-systemd.unit(5)
_EXTENSIONS = ("/etc/extensions", "/var/lib/extensions", "/usr/lib/extensions", "/var/lib/confexts")  # systemd-sysext(8)
_CHARACTERS = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.\\@")
_NAME_MAX = 255
_LINKS_MAX = 64  # UNIT_FILE_FOLLOW_SYMLINK_MAX

_BLANKS = " \t\n\r"
_FOLDERS = {"WantedBy": "wants", "RequiredBy": "requires", "UpheldBy": "upholds"}

REGULAR, MASKED, ALIAS, LINKED = "regular", "masked", "alias", "linked"
# The states for which `systemctl is-enabled` exits with status 0.
_ENABLED = frozenset({"enabled", "enabled-runtime", "static", "alias", "indirect", "generated"})


def is_enabled(root: Root, name: str) -> bool:
    """As the exit status of `systemctl is-enabled`: true for static, alias, indirect and generated units as well."""
    return state(root, name) in _ENABLED


def state(root: Root, name: str) -> str:
    """The word of `systemctl is-enabled`: enabled, disabled, static, masked …; `not-found`, and `bad` for an unreadable unit."""
    units = _Units(root)
    try:
        found = units.traverse(units.add(name), follow_configured=True)
    except NotFound:
        return "not-found"
    except Failure:
        return "bad"
    if found.kind == MASKED:
        return "masked-runtime" if found.path.startswith("/run/") else "masked"
    if os.path.basename(found.path) != name and not instance_of(found.name):
        return ALIAS
    directory = os.path.dirname(found.path)
    if directory in _GENERATED:
        return "generated"
    if directory == _TRANSIENT:
        return "transient"
    folders = _Folders(root)
    # As unit_file_lookup_state() of systemd: first the names that enabling would link, then any name that leads to the unit.
    by_known_names = _linked_state(folders, found, known_names_only=True)
    if by_known_names:
        return by_known_names
    if _linked_state(folders, found, known_names_only=False):
        return "indirect"
    if found.has_rules():
        return "disabled"
    return "indirect" if found.options["Also"] else "static"


def is_nowhere(root: Root, name: str) -> bool:
    """Whether no unit file, template or generated unit has this name, nor claims it as an alias once it is enabled.

    False as well for units that only a running system knows: those of types that generators and systemd itself create (a mount of
    fstab, a slice), those that a generator derives from another file (quadlets, SysV scripts, Debian's and Fedora's rc.local),
    and every unit while the root has system extensions, which systemd will merge into /usr.
    """
    if not is_valid(name) or _type_of(name) not in _FROM_FILES or state(root, name) != "not-found":
        return False
    stem = name.rpartition(".")[0]
    if stem.endswith("-"):  # the drop-ins of `a-.service` apply to all units with that prefix
        return False
    if any(root.status(f"{directory}/{stem}") is not None for directory in _SCRIPTS):
        return False
    if any(root.names(directory) for directory in (*_QUADLETS, *_EXTENSIONS)):
        return False
    template = template_of(name)
    return not any(alias in (name, template) for alias in _aliases(root))


def _aliases(root: Root) -> Iterator[str]:
    """Names that units of the root take once they are enabled."""
    for directory in SEARCH_PATH:
        for name in root.names(directory):
            if not is_valid(name):
                continue
            with suppress(Failure):
                for key, value in install_options(reading.read_text(root, f"{directory}/{name}", limit=UNIT_FILE) or ""):
                    if key == "Alias":
                        yield from split_words(value)


def enable(root: Root, name: str, *, merged: bool = False, only_look: bool = False) -> list[str]:
    """Create the links that the [Install] sections of a unit and of the units in its `Also=` ask for; returns the new ones.

    Links to another unit are replaced, except for aliases. `merged`: where /lib is a link to /usr/lib, links lead to the latter.
    Only the systemctl of a distribution that once had both writes /lib, and a systemd built without it mistakes an alias to a
    file there for a separate unit. `only_look`: return the links that are missing, and create nothing.

    Raises NotFound if the unit does not exist, Failure if it is masked, generated, an alias or a template without an instance, or
    if another link or file is in the way.
    """
    units = _Units(root, merged=merged)
    found = units.traverse(units.add(name), follow_configured=True)
    if found.kind == MASKED:
        raise Failure(f"unit {name} is masked", where=found.path, fix="unmask it, or do not enable it")
    if os.path.dirname(found.path) in (*_GENERATED, _TRANSIENT):
        raise Failure(f"unit {name} is transient or generated", where=found.path, fix="enable what generates it")
    made: list[str] = []
    failures: list[Failure] = []
    for unit in units.one_by_one():
        try:
            units.traverse(unit, follow_configured=False)
        except Failure:
            if unit.is_auxiliary:
                continue  # as systemctl: `Also=` may name units that are not installed
            raise
        if unit.kind == REGULAR:
            made += _put_links(root, unit, failures, only_look=only_look)
    if failures:  # as systemctl: only after all the other links were created
        raise failures[0]
    return made


def disable(root: Root, name: str, *, only_look: bool = False) -> list[str]:
    """Remove all links of /etc/systemd/system that enable a unit, or one in its `Also=`, under any name; returns them.

    A masked or unknown unit has no [Install] section: then only the links that bear its name are removed.
    `only_look`: return the links that would be removed first, and remove nothing.
    """
    units = _Units(root)
    units.add(name)
    marked: set[str] = set()
    for unit in units.one_by_one():
        try:
            units.traverse(unit, follow_configured=True)
        except Failure:
            pass  # missing, dangling or unreadable: only the name is known
        else:
            if unit.kind == MASKED:
                continue
        marked.add(unit.name)
    return _remove_links(root, marked, only_look=only_look)


class Unit:
    """A unit name and the file found for it. `path` is inside the root; `kind` is "" before the search."""

    def __init__(self, name: str, *, auxiliary: bool) -> None:
        self.name, self.is_auxiliary = name, auxiliary
        self.path, self.kind, self.target = "", "", ""
        self.default_instance = ""
        self.options: dict[str, list[str]] = {key: [] for key in (*_FOLDERS, "Alias", "Also")}

    def has_rules(self) -> bool:
        """Whether enabling it would create links."""
        return any(self.options[key] for key in (*_FOLDERS, "Alias"))


class _Units:
    """The units of one run, in the order in which they were named. `merged`: see `enable`."""

    def __init__(self, root: Root, *, merged: bool = False) -> None:
        self._root = root
        self._units: dict[str, Unit] = {}
        is_merged = merged and root.follow(_SPLIT) == root.follow(_MERGED)
        self._search_path = tuple(one for one in SEARCH_PATH if not (is_merged and one == _SPLIT))

    def add(self, name: str, *, auxiliary: bool = False) -> Unit:
        """Raises Failure for an invalid unit name."""
        if not is_valid(name):
            raise Failure(f"{name!r} is not a valid unit name", fix="a name ends in a type, as in a.service")
        unit = self._units.setdefault(name, Unit(name, auxiliary=auxiliary))
        unit.is_auxiliary = unit.is_auxiliary and auxiliary
        return unit

    def one_by_one(self) -> Iterator[Unit]:
        """All units, including those added during the iteration."""
        done = 0
        while done < len(self._units):
            yield list(self._units.values())[done]
            done += 1

    def traverse(self, unit: Unit, *, follow_configured: bool) -> Unit:
        """The unit that a name stands for once aliases and linked files are followed. Raises NotFound and Failure."""
        if not unit.kind:
            self._search(unit)
        for _ in range(_LINKS_MAX):
            if unit.kind not in (ALIAS, LINKED):
                return unit
            if not follow_configured and os.path.dirname(unit.path) in _CONFIGURED:
                raise Failure(f"{unit.name} is an alias or a linked unit file", where=unit.path, fix="name the unit itself")
            target = os.path.basename(unit.target)
            # A link of another name leads to another unit; one of the same name only to another directory.
            if unit.kind == ALIAS and target != unit.name:
                target = _instantiated(target, instance_of(unit.name))
                if target != unit.name:
                    unit = self.add(target)
                    if not unit.kind:
                        self._search(unit)
                    continue
            self._load(unit, unit.target)
        raise Failure(f"too many symlinks on the way to unit {unit.name}", where=unit.path, fix="remove the loop of symlinks")

    def _search(self, unit: Unit) -> None:
        template = template_of(unit.name)
        # The file of an instance, in any directory, comes before that of its template.
        for name in (unit.name, *((template,) if template else ())):
            for directory in self._search_path:
                try:
                    self._load(unit, f"{directory}/{name}")
                except NotFound:
                    continue
                if unit.kind != MASKED:
                    self._load_dropins(unit, template)
                return
        raise NotFound(f"unit {unit.name} does not exist", fix="check its name, or add it to the image")

    def _load(self, unit: Unit, inside: str) -> None:
        """Read a unit file, or the target of a link in its place. Raises NotFound if there is neither."""
        root = self._root
        found = root.status(inside)
        if found is None:
            raise NotFound(f"there is no file {inside}", where=inside)
        if _type_of(unit.name) not in _MAY_BE_TEMPLATES and "@" in unit.name:
            raise Failure(f"units of the type of {unit.name} cannot be templates", where=inside)
        unit.path = inside
        if stat.S_ISLNK(found.st_mode):
            unit.target = root.resolve(_target(root, inside))
            unit.kind = _kind_of_link(os.path.basename(inside), unit.target)
        # As a link to /dev/null, an empty file masks the unit (systemd.unit(5)); and a device node cannot be read as a file.
        elif stat.S_ISCHR(found.st_mode) or (stat.S_ISREG(found.st_mode) and not found.st_size):
            unit.kind = MASKED
        else:
            self._parse(unit, inside)
            unit.kind = REGULAR

    def _load_dropins(self, unit: Unit, template: str) -> None:
        """Of several drop-ins with one file name the first counts: the unit's own name before its template, then by directory."""
        found: dict[str, str] = {}
        for name in (unit.name, *((template,) if template else ())):
            for directory in SEARCH_PATH:
                folder = f"{directory}/{name}.d"
                for entry in self._root.names(folder):
                    if entry.endswith(".conf") and not entry.startswith("."):
                        found.setdefault(entry, f"{folder}/{entry}")
        for _, inside in sorted(found.items()):
            try:
                self._parse(unit, inside)
            except Failure:
                continue  # a device (a mask) or a dangling link: an empty drop-in

    def _parse(self, unit: Unit, inside: str) -> None:
        text = reading.read_text(self._root, inside, limit=UNIT_FILE)
        for key, value in install_options(text or ""):
            if key == "DefaultInstance":
                if is_template(unit.name):
                    unit.default_instance = _expanded(unit, value) or ""
            elif key == "Alias" and _type_of(unit.name) not in _MAY_ALIAS:
                continue
            elif not value and key != "Also":
                unit.options[key] = []  # an empty assignment resets the list
            elif key in unit.options:
                self._append(unit, key, value)

    def _append(self, unit: Unit, key: str, value: str) -> None:
        words = split_words(value)
        if key == "Also":
            words = [word for word in (_expanded(unit, word) for word in words) if word]
            for word in words:
                if is_valid(word):
                    self.add(word, auxiliary=True)
        unit.options[key] += words


def install_options(text: str) -> Iterator[tuple[str, str]]:
    """(name, value) of each assignment of the [Install] section, in order. Raises Failure for a malformed section header.

    As systemd's config_parse(): comments may stand between continued lines, and a line without `=` is ignored.
    """
    section, pending = "", ""
    for line in [*text.removeprefix("\ufeff").split("\n"), ""]:
        line = line.lstrip(_BLANKS)
        if line.startswith(("#", ";")):
            continue
        whole = pending + line
        if (len(line) - len(line.rstrip("\\"))) % 2:  # two backslashes are one that is escaped
            pending = whole[:-1] + " "
            continue
        pending, whole = "", whole.strip(_BLANKS)
        if whole.startswith("["):
            if not whole.endswith("]"):
                raise Failure("a section header has no closing bracket", fix="close it, as in [Install]")
            section = whole[1:-1]
        elif section == "Install" and "=" in whole:
            key, _, value = whole.partition("=")
            yield key.rstrip(_BLANKS), value.lstrip(_BLANKS)


def split_words(value: str) -> list[str]:
    """Words, with quotes around them removed and backslashes kept; empty if a quote is not closed."""
    words: list[str] = []
    word: str | None = None
    quote = ""
    for character in value:
        if quote:
            if character == quote:
                quote = ""
            else:
                word = (word or "") + character
        elif character in "'\"":
            quote, word = character, word or ""
        elif character not in _BLANKS:
            word = (word or "") + character
        elif word is not None:
            words.append(word)
            word = None
    if quote:
        return []
    return [*words, word] if word is not None else words


def is_valid(name: str) -> bool:
    """Whether it is a valid name of a unit, a template or an instance."""
    prefix, dot, suffix = name.rpartition(".")
    return bool(
        dot and prefix and suffix in _TYPES and len(name) <= _NAME_MAX and _CHARACTERS.issuperset(name) and prefix[0] != "@"
    )


def is_template(name: str) -> bool:
    """`a@.service`"""
    return name.rpartition(".")[0].endswith("@") and name.count("@") == 1


def instance_of(name: str) -> str:
    """`x` of `a@x.service`; "" for others."""
    return name.rpartition(".")[0].partition("@")[2]


def template_of(name: str) -> str:
    """`a@.service` of `a@x.service`; "" if the name is not an instance."""
    prefix, _, suffix = name.rpartition(".")
    return f"{prefix.partition('@')[0]}@.{suffix}" if instance_of(name) else ""


def _type_of(name: str) -> str:
    return name.rpartition(".")[2]


def _instantiated(name: str, instance: str) -> str:
    """The name of a template's instance; any other name, and every name with the instance "", is returned unchanged."""
    prefix, _, suffix = name.rpartition(".")
    return f"{prefix}{instance}.{suffix}" if instance and is_template(name) else name


def _kind_of_link(name: str, target: str) -> str:
    """Whether a link in the search path is a mask, an alias or a linked unit file. Raises Failure for an invalid alias."""
    if target == "/dev/null":
        return MASKED
    if not target.startswith(_KNOWN):
        return LINKED
    if _why_not_alias(name, os.path.basename(target)):
        raise Failure(f"{name} cannot be an alias of {os.path.basename(target)}", where=name, fix="remove the symlink")
    return ALIAS


def _why_not_alias(name: str, target: str) -> str:
    """Why a name cannot be an alias of a unit, in a word ("self" for the same name); "" if it can."""
    if name == target:
        return "self"
    if not is_valid(name) or _type_of(name) not in _MAY_ALIAS:
        return "type"
    if not is_valid(target) or _type_of(target) != _type_of(name):
        return "target"
    if "@" not in name or "@" not in target:
        return "" if "@" not in name + target else "template"
    if is_template(target):
        return ""
    return "" if instance_of(name) == instance_of(target) else "instance"


def _linked_state(folders: _Folders, unit: Unit, *, known_names_only: bool) -> str:
    """How links enable a unit: enabled, enabled-runtime, static (an instance, by the distribution), linked; "" if none does."""
    runtime = anywhere = hidden = False
    same_name = ""
    for directory in SEARCH_PATH:
        found = _links_in(folders[directory], unit, known_names_only=known_names_only, hidden=hidden)
        is_runtime = directory.startswith("/run/")
        if True in found:
            if directory == CONFIG:
                return "enabled"
            runtime, anywhere = runtime or is_runtime, anywhere or not is_runtime
        elif False in found:  # the unit's own name, linked from elsewhere
            if directory == CONFIG:
                same_name = "linked"
            elif is_runtime:
                same_name = same_name or "linked-runtime"
        # A link below the priority of the unit's own file is hidden by that file.
        hidden = hidden or unit.path.startswith(f"{directory}/")
    if runtime:
        return "enabled-runtime"
    if anywhere and instance_of(unit.name):
        return "static"
    return same_name


def _links_in(folder: _Folder, unit: Unit, *, known_names_only: bool, hidden: bool) -> set[bool]:
    """For the links of a directory that concern a unit: True for one that enables it, False for a link of the unit's own name."""
    found: set[bool] = set()
    for name in folder.wanted:
        if unit.name in (name, template_of(name)) and (not known_names_only or _is_known_name(unit, name)):
            found.add(True)
    for name, target in folder.links.items():
        by_target = os.path.basename(target) == unit.name
        by_name = not hidden and name == unit.name
        if by_target and by_name:
            found.add(False)
        elif (by_target or by_name) and (not known_names_only or _is_known_name(unit, name)):
            found.add(True)
    return found


class _Folder:
    """A directory of units: its `links` (name → target, unresolved), its `folders`, and the names `wanted` by other units."""

    def __init__(self, root: Root, directory: str) -> None:
        self.links, self.folders = _listing(root, directory)
        wanting = [name for name in self.folders if name.endswith((".wants", ".requires", ".upholds"))]
        self.wanted = [name for folder in wanting for name in _listing(root, f"{directory}/{folder}")[0]]


def _is_known_name(unit: Unit, name: str) -> bool:
    """Whether enabling the unit would create links of that name."""
    default = _instantiated(unit.name, unit.default_instance)
    return name in (unit.name, default, *unit.options["Alias"])


def _put_links(root: Root, unit: Unit, failures: list[Failure], *, only_look: bool) -> list[str]:
    """Create the links that the [Install] section asks for; every link that cannot be created adds to `failures`."""
    made = []
    target = unit.path
    if not unit.path.startswith(_KNOWN):
        target = f"{CONFIG}/{unit.name}"
        if _put_link(root, target, unit.path, may_replace=False, only_look=only_look):
            made.append(target)
    wanted = [(alias, target, False) for alias in unit.options["Alias"]]
    wanted += [(f"{key}={word}", unit.path, True) for key in _FOLDERS for word in unit.options[key]]
    for what, leads_to, may_replace in wanted:
        try:
            link = _wanting_link(root, unit, what) if may_replace else _alias_link(unit, what)
            # A dangling alias may be replaced: it stands for nothing.
            may = may_replace or (bool(link) and root.status(root.follow(link)) is None)
            if link and _put_link(root, link, leads_to, may_replace=may, only_look=only_look):
                made.append(link)
        except Failure as failure:
            failures.append(failure)
    return made


def _wanting_link(root: Root, unit: Unit, what: str) -> str:
    """The link for one word of `WantedBy=`, `RequiredBy=` or `UpheldBy=`. Raises Failure."""
    key, _, word = what.partition("=")
    name = _instantiated(unit.name, unit.default_instance)
    if name != unit.name:  # the default instance may be masked although its template is not
        instance = Unit(name, auxiliary=False)
        _Units(root)._search(instance)
        if instance.kind == MASKED:
            raise Failure(f"unit {name} is masked", where=name, fix="unmask it, or do not enable it")
    wanting = _expanded(unit, word) or word
    if not is_valid(wanting):
        raise Failure(f"{what} is not a valid unit name", where=unit.path, fix=f"correct {key}=")
    if is_template(name) and "@" not in wanting:
        raise Failure(f"{unit.name} is a template without DefaultInstance=", where=unit.path, fix="enable an instance of it")
    return f"{CONFIG}/{wanting}.{_FOLDERS[key]}/{name}"


def _alias_link(unit: Unit, alias: str) -> str:
    """The link for one `Alias=`; "" for the unit's own name. Raises Failure for an alias that the unit cannot have."""
    name = _expanded(unit, alias) or alias
    folder, slash, last = name.rpartition("/")
    if slash:  # the old spelling of WantedBy= and RequiredBy=: Alias=x.target.wants/a.service
        wanting = folder.removesuffix(".wants").removesuffix(".requires")
        why = "" if wanting != folder and is_valid(wanting) and last == unit.name else "folder"
    else:
        if is_template(name):
            name = _instantiated(name, instance_of(unit.name))
        why = _why_not_alias(name, unit.name)
    if why == "self":
        return ""
    if why:
        raise Failure(f"Alias={alias} cannot be an alias of {unit.name}", where=unit.path, fix="correct Alias=")
    return f"{CONFIG}/{name}"


def _expanded(unit: Unit, text: str) -> str | None:
    """The text with the specifiers of systemd.unit(5) that depend on the unit alone replaced; None if it has any other."""
    name = _instantiated(unit.name, unit.default_instance)
    stem = name.rpartition(".")[0]
    prefix = stem.partition("@")[0]
    values = {"n": name, "N": stem, "p": prefix, "j": prefix.rpartition("-")[2], "i": instance_of(name), "%": "%"}
    values |= {"u": "root", "g": "root", "U": "0", "G": "0"}
    pieces = text.split("%")
    result, rest = pieces[0], pieces[1:]
    while rest:
        piece = rest.pop(0)
        if not piece and rest:  # between two percent signs: `%%`
            result += "%" + rest.pop(0)
            continue
        if piece[:1] not in values:
            return None
        result += values[piece[0]] + piece[1:]
    return result


class _Folders(dict[str, _Folder]):
    """Directories of units, each read at its first use."""

    def __init__(self, root: Root) -> None:
        super().__init__()
        self._root = root

    def __missing__(self, directory: str) -> _Folder:
        self[directory] = _Folder(self._root, directory)
        return self[directory]


def _listing(root: Root, directory: str) -> tuple[dict[str, str], list[str]]:
    """(links with their targets, directories), sorted; both are empty if there is no such directory.

    Hidden files and backups of editors are skipped.
    """
    links: dict[str, str] = {}
    folders: list[str] = []
    with suppress(FileNotFoundError, NotADirectoryError), root.at(directory, follow=True) as here:
        links, folders = here.links_and_directories()
    return (
        {name: target for name, target in links.items() if not _is_hidden(name)},
        [name for name in folders if not _is_hidden(name)],
    )


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.endswith("~")


def _target(root: Root, link: str) -> str:
    """The target of a symlink, not followed any further."""
    with root.at(link) as here:
        return os.path.join(os.path.dirname(link), here.readlink())


def _put_link(root: Root, link: str, target: str, *, may_replace: bool, only_look: bool) -> bool:
    """Create a link; False if it already exists, in whatever spelling. Raises Failure if another file is in the way."""
    found = root.status(link)
    if found is not None:
        is_link = stat.S_ISLNK(found.st_mode)
        if is_link and _is_same(root, link, target):
            return False
        if not is_link or not may_replace:
            raise Failure(f"{link} already exists", where=link, fix="remove it from the image")
    if only_look:
        return True
    with root.at(link, parents=PARENTS) as here:
        here.symlink(target)
    root.forget()
    return True


def _is_same(root: Root, link: str, target: str) -> bool:
    """Whether a link already leads to a unit file, or to a file of the same name elsewhere in the search path."""
    present = _target(root, link)
    if root.follow(present) == root.follow(target):
        return True
    same_name = os.path.basename(present) == os.path.basename(target)
    return same_name and present.startswith(_KNOWN) and target.startswith(_KNOWN)


def _remove_links(root: Root, marked: set[str], *, only_look: bool) -> list[str]:
    """Remove the links that bear a marked name or lead to one, and those that lead to a removed link."""
    links: dict[str, set[str]] = {link: set() for link in _all_links(root, CONFIG)}
    removed: list[str] = []
    while True:
        root.forget()
        for link, names in links.items():
            names |= _destinations(root, link)  # since the last round a chain may end earlier: all its ends count
        found = [link for link, names in links.items() if not marked.isdisjoint(names)]
        if only_look or not found:
            break
        for link in found:
            del links[link]
            marked.add(link)
            with root.at(link) as here:
                here.unlink()
            removed.append(link)
    if only_look:
        return found
    for folder in sorted({os.path.dirname(link) for link in removed}, reverse=True):
        while folder != CONFIG:
            with root.at(folder) as here:
                try:
                    os.rmdir(here.name, dir_fd=here.directory)
                except OSError:
                    break  # not empty
            folder = os.path.dirname(folder)
    root.forget()
    return removed


def _destinations(root: Root, link: str) -> set[str]:
    """The marks by which a link is removed: its name, the template of an instance, and the target by name and by path."""
    name = os.path.basename(link)
    found = {name, template_of(name)} - {""}
    try:
        target = root.follow(link)
    except Failure:
        return found  # a loop
    return found | {os.path.basename(target), target}


def _all_links(root: Root, directory: str) -> Iterator[str]:
    """The links below a directory that are named like units; symlinks to directories are not followed."""
    links, folders = _listing(root, directory)
    yield from (f"{directory}/{name}" for name in links if is_valid(name))
    for name in folders:
        yield from _all_links(root, f"{directory}/{name}")
