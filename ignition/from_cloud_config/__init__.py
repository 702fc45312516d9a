"""A cloud-config of cloud-init → a Butane document that our own `butane --strict` accepts, and a list of the rest.

Pure: reads nothing but the text. keys.py has a row for each key of cloud-init; the translators of groups of keys are in the other
modules. A member that none of them reads is listed, and an entry that `butane` would remark on is taken out and listed.

ignition.cloudinit is for another dialect: the cloud-config of coreos-cloudinit, which has few of these keys, and `coreos:`.
"""

from __future__ import annotations

import re

from ignition.config.record import Record, spec
from ignition.config.report import ERROR, Entry, Report, split
from ignition.config.text import kinds, odd_input, packed, yaml_text
from ignition.config.text.locate import locate_findings, of_not_yaml, of_repeated_keys, of_unread
from ignition.config.text.positions import Lines
from ignition.config.text.yaml_nodes import Mapping, is_null
from ignition.errors import Failure
from ignition.from_cloud_config import accounts, commands, files, names, services, storage
from ignition.from_cloud_config.keys import FOREIGN, KEYS, NOT
from ignition.from_cloud_config.output import Output
from ignition.from_cloud_config.reading import UNKNOWN, Leftovers, View, flag
from ignition.from_cloud_config.work import Options, Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Path
    from ignition.from_cloud_config.output import Entry as Made

HEADER = "#cloud-config"
_HEAD = "Translated from a cloud-config by: ignition from-cloud-config"
_TRANSLATORS = (names.translate, accounts.translate, files.translate, services.translate, storage.translate, commands.translate)
# The first line of other kinds of user data of cloud-init → the way out (docs.cloud-init.io, "User-data formats").
_OTHER_KINDS = (
    (
        rb"##\s*template:\s*jinja",
        "this is a Jinja template: its variables are known on the machine alone",
        "write the values, or ask coreos-metadata for them on the machine",
    ),
    (
        rb"#include",
        "this is a list of URLs with further user data",
        "translate each, and refer to the results by ignition.config.merge",
    ),
    (rb"#!", "this is a script", "leave it to coreos-cloudinit, or write it into runcmd"),
    (rb"#cloud-boothook", "this is a script for the beginning of the boot", "write it into bootcmd"),
    (
        rb"#cloud-config-archive",
        "this is a list of documents",
        "translate each, and refer to the results by ignition.config.merge",
    ),
    (rb"#cloud-config-jsonp", "this is a patch of other documents", "apply it, and translate the result"),
    (rb"#(part-handler|upstart-job)", "this is code for cloud-init itself", "write a script or a unit"),
)


class Translated(Record):
    """The result for one document."""

    report: Report = spec("leftovers (warnings), remarks (infos), and errors that prevented a translation")
    text: str | None = spec("the Butane document; None after an error", default=None)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left over."""
        return all(entry.level == "info" for entry in self.report.entries)


def translate(data: bytes, *, name: str, options: Options) -> Translated:
    """Translate a document. Raises nothing. `name`: of the document in messages."""
    try:
        text = packed.unpack(data)
    except Failure as failure:
        return _refused(name, Entry(level=ERROR, message=failure.what, fix=failure.fix))
    if (other := _other_kind(text)) is not None:
        return _refused(name, Entry(level=ERROR, message=other[0], fix=other[1], line=1, column=1))
    try:
        document = yaml_text.read(text, yaml_text.Policy())
    except yaml_text.NotYaml as error:
        return _refused(name, of_not_yaml(text, error))
    positions, lines = document.positions(), Lines(text)
    if not isinstance(document.root, Mapping) and not is_null(document.root):
        return _refused(name, Entry(level=ERROR, message="this is not a mapping of keys", line=1, column=1))
    leftovers = Leftovers()
    leftovers.found += [
        *of_unread(document.unread),
        *of_repeated_keys(text, document.repeated, "warning", "; the last one counts"),
    ]
    if not text.startswith(HEADER.encode()):
        leftovers.note(
            (), f"the first line is not {HEADER}: cloud-init ignores the document", "write it, if cloud-init is to read it too"
        )
    work = Work(options, Output(lambda path: lines.at(positions.key(path) if path else 0)[0] or 1), leftovers)
    work.accounts = accounts.Accounts(work)
    root = View(leftovers, (), document.root)
    for part in _TRANSLATORS:
        part(work, root)
    _rest(leftovers, root)
    try:
        written = _accepted(work)
    except Failure as failure:
        return _refused(name, Entry(level=ERROR, message=failure.what, fix=failure.fix))
    found = sorted(locate_findings(text, leftovers.found, positions), key=lambda entry: (entry.line or 0, entry.column or 0))
    return Translated(report=Report(entries=tuple(found), source=name), text=written)


def _refused(name: str, entry: Entry) -> Translated:
    return Translated(report=Report(entries=(entry,), source=name))


def _other_kind(text: bytes) -> tuple[str, str] | None:
    """Message and fix for anything but a cloud-config."""
    if not text.strip():
        return "the document is empty", ""
    first = text.partition(b"\n")[0]
    if not first.rstrip() == HEADER.encode():
        for pattern, message, fix in _OTHER_KINDS:
            if re.match(pattern, first, re.IGNORECASE):
                return message, fix
    if kinds.of(text) == kinds.MULTIPART or re.match(rb"(content-type|mime-version):", first, re.IGNORECASE):
        return (
            "this is a MIME message of several documents",
            "translate each part, and refer to the results by ignition.config.merge",
        )
    if text.lstrip().startswith(b"{"):
        return "this is JSON: an Ignition config needs no translation", "ignition-validate checks it"
    if noun := odd_input.transpilable(text):
        return f"this is {noun}, not a cloud-config", "butane and ct translate it"
    return None


def _rest(leftovers: Leftovers, root: View) -> None:
    """Keys that are not translated at all, and those that cloud-init does not have."""
    for name, key in KEYS.items():
        if key.outcome == NOT and not (key.idle and flag(root.node(name)) is False):
            root.left(name, key.about, key.fix)
        else:
            root.node(name)
    for name, (message, fix) in FOREIGN.items():
        root.left(name, message, fix)
    from ignition.config.suggest import closest

    for name, path in root.unread():
        near = closest(name, KEYS)
        leftovers.left(path, UNKNOWN, f"did you mean {near}?" if near else "")


def _accepted(work: Work) -> str:
    """The text, without the entries that butane remarks on. These are listed with its message, at their origin.

    Raises Failure if a remark is not about an entry.
    """
    from ignition.transpile import butane

    while True:
        text = work.output.text(_HEAD)
        report = butane.translate(text.encode(), name="", files_dir=None).report
        refused: dict[int, tuple[Made, Entry]] = {}
        for one in report.entries:
            path: Path = split(one.path)[1:] if one.path else ()
            entry = work.output.at(*path[:3]) if len(path) > 2 else None  # type: ignore[arg-type]  # a list's path and an index
            if entry is None:
                raise Failure(f"butane does not accept the result: {one.message}", fix="please report this as a bug")
            refused.setdefault(id(entry), (entry, one))
        if not refused:
            return text
        for entry, one in refused.values():
            work.output.remove(entry)
            work.leftovers.left(entry.origin, one.message, one.fix)
