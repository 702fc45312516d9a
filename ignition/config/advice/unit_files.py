"""The unit files that a config writes: its units and drop-ins, and files in directories of unit files.

Source of the directories: systemd.unit(5), systemd.network(5), podman-systemd.unit(5).
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config import dataurl, unit_syntax
from ignition.config.model import Config
from ignition.config.model.storage import File
from ignition.config.report import Path
from ignition.config.text.packed import gunzip_start
from ignition.errors import Failure

SYSTEM = tuple(f"{top}/systemd/system/" for top in ("/etc", "/run", "/usr/lib", "/usr/local/lib", "/lib"))
NETWORK = tuple(f"{top}/systemd/network/" for top in ("/etc", "/run", "/usr/lib", "/usr/local/lib", "/lib"))
_QUADLET = ("/etc/containers/systemd/", "/usr/share/containers/systemd/", "/run/containers/systemd/")
# Podman's generator creates NAME + this + .service from NAME.kind.
_GENERATED = {
    "container": "",
    "kube": "",
    "volume": "-volume",
    "network": "-network",
    "pod": "-pod",
    "image": "-image",
    "build": "-build",
}
_SYSV = "/etc/init.d/"


class UnitText:
    """Text of a unit file or of one of its drop-ins. `path` is the member that holds it, `unit` the unit's name."""

    __slots__ = ("contents", "is_dropin", "options", "path", "unit")

    def __init__(self, path: Path, unit: str, contents: str, *, is_dropin: bool) -> None:
        self.path, self.unit, self.contents, self.is_dropin = path, unit, contents, is_dropin
        try:
            self.options = unit_syntax.parse(contents)
        except unit_syntax.UnitError:  # a finding of its own (U3, U5)
            self.options = []

    @property
    def kind(self) -> str:
        """`service`, `network`, …"""
        return self.unit.rpartition(".")[2]

    def first(self, section: str, name: str) -> str | None:
        """The value of the last assignment, which is the effective one for most options."""
        found = [option.value for option in self.options if option.section == section and option.name == name]
        return found[-1] if found else None


class UnitFiles:
    """By unit name. `opaque` are units whose text is not known; `aliases` are further names."""

    def __init__(self, config: Config) -> None:
        self.texts: dict[str, list[UnitText]] = {}  # of the system's manager; the unit's own text before its drop-ins
        self.network: list[UnitText] = []
        self.opaque: set[str] = set()
        self.aliases: set[str] = set()
        for text in (*_of_units(config), *self._of_files(config)):
            self.texts.setdefault(text.unit, []).append(text)
        for texts in self.texts.values():
            # Stable: the unit's own text first, drop-ins in the order of the config.
            texts.sort(key=lambda text: text.is_dropin)
        for link in config.storage.links:
            name = _below(link.path, SYSTEM)
            if name and "/" not in name:
                self.aliases.add(name)
        for option in (option for texts in self.texts.values() for text in texts for option in text.options):
            if (option.section, option.name) == ("Install", "Alias"):
                self.aliases.update(option.value.split())

    def all(self) -> Iterator[UnitText]:
        """Of the system's manager."""
        for texts in self.texts.values():
            yield from texts

    def defines(self, name: str) -> bool:
        """Whether the config defines a unit of exactly this name, not only drop-ins."""
        own = any(not text.is_dropin for text in self.texts.get(name, ()))
        return own or name in self.opaque or name in self.aliases

    def _of_files(self, config: Config) -> Iterator[UnitText]:
        for index, file in enumerate(config.storage.files):
            if file.filesystem is not None:
                continue
            self._note_generated(file.path)
            name, in_network = _below(file.path, SYSTEM), _below(file.path, NETWORK)
            if not name and not in_network:
                continue
            unit, _, dropin = (name or in_network).partition("/")
            unit = unit.removesuffix(".d") if dropin else unit
            contents = text_of(file)
            # Fetched or appended: the text is not known, but the unit exists.
            if contents is None or file.append:
                if name and not dropin:
                    self.opaque.add(unit)
                continue
            text = UnitText(("storage", "files", index, "contents", "source"), unit, contents, is_dropin=bool(dropin))
            if not name:
                self.network.append(text)
            elif not dropin or "/" not in dropin:
                yield text

    def _note_generated(self, path: str) -> None:
        if path.startswith(_SYSV):
            self.opaque.add(f"{path.rpartition('/')[2]}.service")
        elif path.startswith(_QUADLET):
            stem, _, kind = path.rpartition("/")[2].rpartition(".")
            if kind in _GENERATED:
                self.opaque.add(f"{stem}{_GENERATED[kind]}.service")


def _of_units(config: Config) -> Iterator[UnitText]:
    for index, unit in enumerate(config.systemd.units):
        here: Path = ("systemd", "units", index)
        if unit.contents:
            yield UnitText((*here, "contents"), unit.name, unit.contents, is_dropin=False)
        for number, dropin in enumerate(unit.dropins):
            if dropin.contents:
                yield UnitText((*here, "dropins", number, "contents"), unit.name, dropin.contents, is_dropin=True)


def _below(path: str, places: tuple[str, ...]) -> str:
    """The rest of a path below one of these directories; "" elsewhere."""
    return next((path[len(place) :] for place in places if path.startswith(place)), "")


# Inline contents of the files of a config.

LARGEST_CONTENTS = 1 << 20  # bytes; unit files are far smaller


def text_of(file: File) -> str | None:
    """The content of the file as text; None if it must be fetched or is too large."""
    source = file.contents.source
    if source == "":
        return ""
    if (
        source is None
        or file.contents.extension.sealed
        or not source.lower().startswith("data:")
        or len(source) > LARGEST_CONTENTS
    ):
        return None
    try:
        content: bytes | None = dataurl.decode(source)
    except Failure:
        return None
    if content and file.contents.compression:
        content = gunzip_start(content, LARGEST_CONTENTS)
    return None if content is None else content.decode("utf-8", "replace")
