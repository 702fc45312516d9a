"""Container Linux Config → data of an Ignition config 2.3.0. Source: docs/reference/config-transpiler.md §A5 to §A7.

Order of generated units: metadata, docker, etcd, flannel, the user's; of files: the user's, update.conf. Nothing is merged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ignition.config.report import ERROR, Finding, Path
from ignition.errors import Failure
from ignition.patterns import lazy_pattern
from ignition.transpile import contents as content_forms
from ignition.transpile.ct import dynamic, etcd, flannel, units, update
from ignition.transpile.ct.source_rules import DIRECTORY_MODE, FILE_MODE
from ignition.transpile.generated import Generated, members, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.transpile.ct import model

    ReadLocal = Callable[[str], bytes]  # the value of `local` → content; raises Failure


TARGET = "2.3.0"
ROOT = "root"
TYPE_GUIDS = {
    "raid_containing_root": "be9067b9-ea49-4f15-b4f6-f36f8c9e1818",
    "linux_filesystem_data": "0fc63daf-8483-4772-8e79-3d69d8477de4",
    "swap_partition": "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f",
    "raid_partition": "a19d880f-05fc-4d3b-a006-743f0f84911e",
}


class Translation:
    """`generated`, and the errors, which leave it incomplete."""

    def __init__(self) -> None:
        self.generated = Generated()
        self.findings: list[Finding] = []


def translate(config: model.ContainerLinuxConfig, platform: dynamic.Platform, read_local: ReadLocal) -> Translation:
    """Failures of `read_local` are reported at the member."""
    return _Translator(config, platform, read_local).translation()


class _Translator:
    def __init__(self, config: model.ContainerLinuxConfig, platform: dynamic.Platform, read_local: ReadLocal) -> None:
        self._config, self._platform, self._read_local = config, platform, read_local
        self._made = Translation()

    def translation(self) -> Translation:
        config = self._config
        networkd, passwd, systemd = members(config.networkd), members(config.passwd), self._systemd()
        self._made.generated.data.update(
            ignition=_ignition(config.ignition), networkd=networkd, passwd=passwd, storage=self._storage(), systemd=systemd
        )
        return self._made

    def _wrong(self, path: Path, message: str, fix: str = "") -> None:
        self._made.findings.append(Finding(ERROR, path, message, fix))

    def _comes_from(self, made: Path, source: Path) -> None:
        self._made.generated.comes_from(made, source)

    def _systemd(self) -> dict[str, Any]:
        generated = list(self._generated_units())
        for index, (source, _) in enumerate(generated):
            self._comes_from(("systemd", "units", index), source)
            self._comes_from(("systemd", "units", index, "name"), source)  # not `etcd.name`
        for index in range(len(self._config.systemd.units)):
            self._comes_from(("systemd", "units", len(generated) + index), ("systemd", "units", index))
        made = [unit for _, unit in generated] + plain(self._config.systemd.units)
        return {"units": made} if made else {}

    def _generated_units(self) -> Any:
        """(path of the source, unit) of each generated unit."""
        config = self._config
        if self._platform.told:
            text = units.provider_override(self._platform.told)
            yield (), _unit(units.METADATA, units.OVERRIDE, text)
            yield (), _unit(units.METADATA_KEYS, units.OVERRIDE, text, enabled=True)
        if config.docker is not None:
            yield ("docker",), _unit(DOCKER_UNIT, DOCKER_DROPIN, docker_dropin(config.docker.flags), enable=True)
        if config.etcd is not None:
            text = self._text("etcd", etcd.dropin(config.etcd))
            yield ("etcd",), _unit(etcd.UNIT, etcd.DROPIN, text, enable=True)
        if config.flannel is not None:
            text = self._text("flannel", flannel.dropin(config.flannel))
            yield ("flannel",), _unit(flannel.UNIT, flannel.DROPIN, text, enable=True)

    def _text(self, section: str, dropin: units.Dropin) -> str:
        try:
            return dropin.text(self._platform)
        except dynamic.Unavailable as error:
            self._wrong((section, error.member), error.message, error.fix)
            return ""

    def _storage(self) -> dict[str, Any]:
        storage = self._config.storage
        made = members(storage, leave_out={"disks", "files", "directories", "links"})
        made["disks"] = []
        for index, disk in enumerate(storage.disks):
            made["disks"].append(members(disk, leave_out={"partitions"}))
            here: Path = ("storage", "disks", index, "partitions")
            partitions = [self._partition(one, (*here, number)) for number, one in enumerate(disk.partitions)]
            if partitions:
                made["disks"][-1]["partitions"] = partitions
        made["files"] = [self._file(file, ("storage", "files", index)) for index, file in enumerate(storage.files)]
        made["directories"] = [members(_with_defaults(directory, DIRECTORY_MODE)) for directory in storage.directories]
        made["links"] = [members(_on_root(link)) for link in storage.links]
        text = update.contents(self._config.update, self._config.locksmith)
        if text:
            source = "locksmith" if self._config.update is None else "update"
            self._comes_from(("storage", "files", len(made["files"])), (source,))
            resource = {"source": content_forms.percent_encoded(content_forms.content_of(text)), "verification": {}}
            made["files"].append({"filesystem": ROOT, "path": update.PATH, "mode": update.MODE, "contents": resource})
        return {name: value for name, value in made.items() if value}

    def _partition(self, partition: model.Partition, here: Path) -> dict[str, Any]:
        made = members(partition, leave_out={"size", "start"})
        if "typeGuid" in made:
            made["typeGuid"] = TYPE_GUIDS.get(partition.type_guid, partition.type_guid)
        for name, text in (("size", partition.size), ("start", partition.start)):
            self._comes_from((*here, f"{name}MiB"), (*here, name))
            try:
                value = mebibytes(text)
            except NoSize as error:
                self._wrong((*here, name), str(error), "write a multiple of 1MiB, such as 512MiB or 1.5GiB")
                continue
            if value is not None:
                made[f"{name}MiB"] = value
        return made

    def _file(self, file: model.File, here: Path) -> dict[str, Any]:
        made = members(_with_defaults(file, FILE_MODE), leave_out={"contents"})
        remote = file.contents.remote
        made["contents"] = {
            "source": self._source(file.contents, (*here, "contents")),
            **members(remote, leave_out={"url", "verification"}),
            "verification": _verification(remote.verification),
        }
        return made

    def _source(self, contents: model.Contents, here: Path) -> str:
        self._comes_from(here, (*here, "remote"))
        source: Path = (*here, "source")
        if contents.local:
            self._comes_from(source, (*here, "local"))
            try:
                content = self._read_local(contents.local)
            except Failure as failure:
                self._wrong((*here, "local"), failure.what, failure.fix)
                content = b""
            return content_forms.percent_encoded(content)
        if contents.remote.url:
            self._comes_from(source, (*here, "remote", "url"))
            return contents.remote.url
        self._comes_from(source, (*here, "inline"))
        return content_forms.percent_encoded(content_forms.content_of(contents.inline))


def _ignition(about: model.Ignition) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if about.config.append:
        config["append"] = list(map(_reference, about.config.append))
    if about.config.replace is not None:
        config["replace"] = _reference(about.config.replace)
    authorities = list(map(_reference, about.security.tls.certificate_authorities))
    return {
        "version": TARGET,
        "config": config,
        "timeouts": members(about.timeouts),
        "security": {"tls": {"certificateAuthorities": authorities} if authorities else {}},
    }


def _reference(reference: model.Reference) -> dict[str, Any]:
    return {**members(reference, leave_out={"verification"}), "verification": _verification(reference.verification)}


def _verification(verification: model.Verification) -> dict[str, str]:
    """Empty unless both parts of the hash are set."""
    function, digest = verification.hash.function, verification.hash.sum
    return {"hash": f"{function}-{digest}"} if function and digest else {}


def _on_root(node: model.Node) -> model.Node:
    return node.evolve(filesystem=node.filesystem or ROOT)


def _with_defaults(node: model.File | model.Directory, mode: int) -> model.Node:
    return _on_root(node.evolve(mode=mode) if node.mode is None else node)


def _unit(name: str, dropin: str, text: str, **enabling: bool) -> dict[str, Any]:
    return {"name": name, "dropins": [{"name": dropin, "contents": text}], **enabling}


# The section `docker`: a drop-in of docker.service. Source: docs/reference/config-transpiler.md §A6.3.

DOCKER_UNIT, DOCKER_DROPIN = "docker.service", "20-clct-docker.conf"


def docker_dropin(flags: Sequence[str]) -> str:
    """The drop-in with these flags, unquoted as in the original."""
    return f'[Service]\nEnvironment="DOCKER_OPTS={" ".join(flags)}"'


# Sizes with units, as `1GiB` or `1TiB512MiB`.
#
# Source: docs/reference/config-transpiler.md §A5. All units are powers of 1024, including KB.

_LETTERS = "KMGTPE"
UNITS = {"B": 1, **{f"{letter}{end}": 1024**power for power, letter in enumerate(_LETTERS, start=1) for end in ("iB", "B")}}
_PART = lazy_pattern(r"([0-9]*\.?[0-9]*)([A-Za-z]*)", re.ASCII)
_MIB = 1 << 20
_MOST = 1 << 63
_LONGEST = 1024  # characters: far beyond any size


class NoSize(Exception):
    """A text is not a valid size of a partition."""


def mebibytes(text: str) -> int | None:
    """Whole MiB; None for "". Raises NoSize."""
    if not text:
        return None
    sign, rest = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    # In units of 10^-places bytes: 1.1GiB is not exact in binary, and the check for whole MiB must be.
    places = len(text)
    total = 0 if rest == "0" else _sum(text, rest, places)
    if total and sign == "-":
        raise NoSize(f'invalid dimension (negative): "{text}"')
    whole: int = total // 10**places
    if whole % _MIB or whole >= _MOST:
        raise NoSize("invalid dimension (finest granularity is 1MiB)")
    return whole // _MIB


def _sum(text: str, rest: str, places: int) -> int:
    if not rest or len(rest) > _LONGEST:
        raise NoSize(f'units: invalid "{text}"')
    total = 0
    while rest:
        found = _PART.match(rest)
        if not found or not found[1].strip("."):
            raise NoSize(f'units: invalid "{text}"')
        if not found[2]:
            raise NoSize(f'units: missing unit in "{text}"')
        if found[2] not in UNITS:
            raise NoSize(f'units: unknown unit {found[2]} in "{text}"')
        digits, _, decimals = found[1].partition(".")
        total += int(digits + decimals) * UNITS[found[2]] * 10 ** (places - len(decimals))
        rest = rest[found.end() :]
    return total
