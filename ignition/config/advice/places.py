"""W24 to W26, W31: entries that collide with existing files, or that will be hidden, not executable, or ignored by their reader.

Sources: file-hierarchy(7); the man pages of the programs in _SUFFIXES.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config.advice.services import COMMANDS, program_of
from ignition.config.advice.subject import advice
from ignition.config.advice.unit_files import NETWORK, SYSTEM
from ignition.config.known_values import NETWORKD_TYPES, UNIT_TYPES
from ignition.config.model.storage import Directory, File, Link, Node
from ignition.config.rules.paths import ancestors, simplest
from ignition.config.rules.reachable import mount_points
from ignition.config.suggest import closest
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject
    from ignition.config.report import Finding, Path

_TMP = "/tmp"  # noqa: S108 a name to compare with: nothing is opened
# Directories that systemd mounts over or empties during boot. /tmp is a tmpfs on most systems, and emptied at boot on others.
_HIDDEN = {
    "/proc": "the kernel's file system is mounted there",
    "/sys": "the kernel's file system is mounted there",
    "/dev": "devtmpfs is mounted there",
    "/run": "a tmpfs is mounted there, and /run is empty at each boot",
    "/var/run": "it is a link to /run, which is empty at each boot",
    "/var/lock": "it is a link to /run/lock, which is empty at each boot",
    _TMP: "most systems mount a tmpfs there or empty it at boot",
}
_DIRECTORIES = frozenset(
    "/ /bin /boot /dev /etc /etc/systemd /etc/systemd/system /home /lib /opt /proc /root /run /sbin /srv /sys /usr /usr/bin "
    "/usr/lib /usr/local /usr/sbin /usr/share /var /var/lib /var/log".split()
) | {_TMP}
_FILES = frozenset(f"/etc/{name}" for name in "passwd group shadow gshadow os-release".split())
_ELSEWHERE = {"/run": "/etc", "/var/run": "/etc", _TMP: "/opt"}
_PROGRAMS = lazy_pattern(r"(?:/usr/local|/usr|/opt(?:/[^/]+)?|/home/[^/]+|)/s?bin/[^/]+")
_NO_PROGRAM = (
    ".conf",
    ".env",
    ".md",
    ".txt",
    ".json",
    ".yaml",
    ".yml",
    ".toml",
    ".service",
    ".gz",
    ".tar",
    ".zip",
    ".rules",
    ".so",
)
_EXECUTABLE = 0o111

_CONF, _RULES = ("conf",), ("rules",)
_SUFFIXES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    *((place, NETWORKD_TYPES, "systemd-networkd") for place in NETWORK),
    ("/etc/sysctl.d/", _CONF, "systemd-sysctl"),
    ("/etc/tmpfiles.d/", _CONF, "systemd-tmpfiles"),
    ("/etc/sysusers.d/", _CONF, "systemd-sysusers"),
    ("/etc/modules-load.d/", _CONF, "systemd-modules-load"),
    ("/etc/binfmt.d/", _CONF, "systemd-binfmt"),
    ("/etc/modprobe.d/", _CONF, "modprobe"),
    ("/etc/security/limits.d/", _CONF, "pam_limits"),
    ("/etc/ld.so.conf.d/", _CONF, "ldconfig"),
    ("/etc/NetworkManager/conf.d/", _CONF, "NetworkManager"),
    ("/etc/udev/rules.d/", _RULES, "udev"),
    ("/etc/audit/rules.d/", _RULES, "augenrules"),
    ("/etc/polkit-1/rules.d/", _RULES, "polkit"),
    ("/etc/profile.d/", ("sh", "csh"), "the shell"),
    ("/etc/yum.repos.d/", ("repo",), "dnf"),
    ("/etc/zincati/config.d/", ("toml",), "zincati"),
)
_CONFIGURATION = lazy_pattern(
    r"/etc/systemd/(?:[a-z]+\.conf|[^/]+/[^/]+\.[a-z]+)\.d/([^/]+)"
)  # of systemd's own daemons, and drop-ins
_QUADLETS = ("container", "volume", "network", "kube", "pod", "image", "build")
_QUADLET_PLACE = "/etc/containers/systemd/"
_TURNED_OFF = (".bak", ".disabled", ".example", ".old", ".orig", ".sample", ".off", "~")
_SUDOERS = "/etc/sudoers.d/"


def advise(subject: Subject) -> Iterator[Finding]:
    """Directories, files and links."""
    storage = subject.config.storage
    mounted = {path for _, _, path in mount_points(storage)}
    lists = (("directories", storage.directories), ("files", storage.files), ("links", storage.links))
    started = _started(subject)
    for name, nodes in lists:
        for index, node in enumerate(nodes):
            if node.filesystem is not None:
                continue
            here: Path = ("storage", name, index)
            yield from _hidden(node.path, mounted, here)
            if isinstance(node, File):
                yield from _not_executable(node, started, here)
            if isinstance(node, File | Link):
                yield from _unread(node.path, here)
            yield from _there_already(node, here)
    yield from _hard_links(subject)


def _hidden(path: str, mounted: set[str], here: Path) -> Iterator[Finding]:
    above = ancestors(path)
    if any(one in mounted for one in above):
        return  # on a file system of the config, which is mounted there
    place = next((one for one in (*above, path) if one in _HIDDEN), "")
    if place and path != place:
        fix = "let a unit, a sysctl.d, tmpfiles.d or udev rule create it at each boot"
        if place in _ELSEWHERE:
            fix = f"write it below {_ELSEWHERE[place]}, or let systemd-tmpfiles create it: /etc/tmpfiles.d/NAME.conf"
        yield advice("W24", (*here, "path"), f"files below {place} do not survive the boot: {_HIDDEN[place]}", fix)


def _there_already(node: Node, here: Path) -> Iterator[Finding]:
    if node.path in _DIRECTORIES and not isinstance(node, Directory):
        effect = "its content would be deleted" if node.overwrite else "nothing is written"
        message = f"every system has a directory there: {effect}"
        yield advice("W31", (*here, "path"), message, "choose another path")
    elif node.path in _FILES and isinstance(node, Directory):
        yield advice("W31", (*here, "path"), "every system has a file there", "choose another path")
    elif node.path in _FILES and not node.overwrite and not (isinstance(node, File) and node.contents.source is None):
        fix = "set overwrite if all of it is to be replaced, or use append" if isinstance(node, File) else "choose another path"
        yield advice("W31", (*here, "path"), "every system has a file there: without overwrite nothing is written", fix)


def _hard_links(subject: Subject) -> Iterator[Finding]:
    storage = subject.config.storage
    written = {(node.filesystem, node.path) for node in (*storage.files, *storage.links)}
    for index, link in enumerate(storage.links):
        target = link.target or ""
        if link.hard and target and (link.filesystem, simplest(target)) not in written and target not in _FILES:
            message = "the config does not write the target of the hard link: unless the image has it, the link cannot be created"
            yield advice("W31", ("storage", "links", index, "target"), message, "leave hard out, or write the file in the config")


def _started(subject: Subject) -> dict[str, str]:
    """Path of a program → the unit that starts it; "" for arguments, for instance of a shell."""
    found: dict[str, str] = {}
    for text in subject.unit_files.all():
        for option in text.options:
            if option.name in COMMANDS and option.value:
                program = program_of(option)
                found.setdefault(program, text.unit)
                for word in option.value.split()[1:]:
                    # A script that a shell or interpreter runs needs no executable bit.
                    found.setdefault(word.strip("\"';"), "")
    return found


def _not_executable(file: File, started: dict[str, str], here: Path) -> Iterator[Finding]:
    # An existing file keeps its mode, which is unknown here.
    is_appended = file.contents.source is None and (file.append or not file.overwrite)
    mode = 0o644 if file.mode is None else file.mode
    if mode & _EXECUTABLE or (file.mode is None and is_appended):
        return
    unit = started.get(file.path)
    is_program = unit is None and _PROGRAMS.fullmatch(file.path) and not file.path.endswith(_NO_PROGRAM)
    if unit or is_program:
        why = f"{unit} starts it" if unit else "it is in a directory of programs"
        message = f"{why}, but it is not executable: its mode is {mode:04o}"
        member = (*here, "path") if file.mode is None else (*here, "mode")
        yield advice("W25", member, message, 'set "mode": 493, which is 0755')


def _unread(path: str, here: Path) -> Iterator[Finding]:
    name = path.rpartition("/")[2]
    extension = name.rpartition(".")[2] if "." in name else ""
    # Deliberately not read.
    if name.startswith((".", "README")) or name.endswith(_TURNED_OFF):
        return
    for place, suffixes, reader in _SUFFIXES:
        if path.startswith(place) and "/" not in path[len(place) :] and extension not in suffixes:
            yield _wrong_suffix(here, name, extension, suffixes, f"{reader} reads only files that end in")
            return
    if path.startswith(_SUDOERS) and "/" not in path[len(_SUDOERS) :] and "." in name:
        message = f"sudo ignores files with a dot in their name: {name}"
        yield advice("W26", (*here, "path"), message, f"name it {name.replace('.', '-')}")
    elif _CONFIGURATION.fullmatch(path) and extension != "conf":
        yield _wrong_suffix(here, name, extension, _CONF, "systemd reads only files that end in")
    else:
        in_system = any(path.startswith(place) and "/" not in path[len(place) :] for place in SYSTEM)
        kinds = UNIT_TYPES if in_system else _QUADLETS if path.startswith(_QUADLET_PLACE) else ()
        if kinds and extension and extension not in kinds and closest(extension, kinds, alike=0.7):
            yield _wrong_suffix(here, name, extension, kinds, "systemd reads only files that end in")


def _wrong_suffix(here: Path, name: str, extension: str, suffixes: tuple[str, ...], what: str) -> Finding:
    near = closest(extension, suffixes) if extension else ""
    stem = name.rpartition(".")[0] if near else name
    listed = " or ".join(f".{one}" for one in suffixes)
    fix = f"did you mean {stem}.{near}?" if near else f"name it {name}.{suffixes[0]}"
    return advice("W26", (*here, "path"), f"{what} {listed}: {name} is ignored", fix)
