"""Butane documents → Ignition configs. Source: docs/reference/config-transpiler.md, part B.

A document has its own model (`model.py`: sections of Ignition's model with sugar), which `source_rules` check. `translate` turns
it into Ignition's model, whose values remember their origins, so that findings about the result can be reported in the document.
"""

from types import MappingProxyType

from ignition.config.record import Record, spec
from ignition.config.report import ERROR, WARNING, Finding, Report, dotted
from ignition.config.text import yaml_text
from ignition.config.text.locate import of_repeated_keys, of_unread
from ignition.transpile import findings
from ignition.transpile.butane import result, source_rules, variants
from ignition.transpile.butane.model import Common
from ignition.transpile.butane.translate import translated
from ignition.transpile.butane.translation import LocalFiles, Work
from ignition.transpile.findings import in_yaml
from ignition.transpile.generated import json_text
from ignition.transpile.reading import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ignition.config.model import Config
    from ignition.config.report import Path
    from ignition.config.text.yaml_text import Document as Tree
    from ignition.transpile.butane.variants import Variant
    from ignition.transpile.generated import Generated
    from ignition.transpile.reading import Read

POLICY = yaml_text.Policy(null_elements_count=False)
INVALID_SOURCE, INVALID_RESULT = "source config is invalid", "config generated was invalid"
NO_VARIANT, NO_VERSION = "error parsing variant; must be specified", "error parsing version; must be a valid semver"
INEXACT = (
    "context tree does not match content tree at {}. Line and column reporting may be inconsistent."
    " Unused keys may not be reported."
)


class Translation(Record):
    """The result of translating a document."""

    report: Report = spec("findings, at their places in the YAML")
    text: str | None = spec("JSON, without final newline; None if the document is invalid", default=None)
    config: "Config | None" = spec("the same as a model; None if the document is invalid", default=None)
    origins: "Mapping[Path, Path]" = spec("JSON path → YAML path of its origin", default=MappingProxyType({}))
    failure: str = spec('why the document is invalid, in one line; "" if it is valid', default="")


class _Failed(Exception):
    """The document is invalid: the reason in one line, and the findings of this step."""

    def __init__(self, failure: str, found: "Iterable[Finding]" = ()) -> None:
        super().__init__(failure)
        self.failure, self.found = failure, list(found)


def translate(text: bytes, *, name: str, files_dir: str | None, pretty: bool = False) -> Translation:
    """Translate a document. Raises nothing. `name`: of the document in messages; `files_dir`: None without local files."""
    try:
        document = yaml_text.read(text, POLICY)
    except yaml_text.NotYaml as error:
        return Translation(report=findings.of_text(name, text, error), failure=f"Error unmarshaling yaml: {error.message}")
    repeated = of_repeated_keys(text, document.repeated, ERROR)
    found = [*of_unread(document.unread), *repeated]
    try:
        variant = _variant(document, repeated)
        done = _translated(document, Work(variant, LocalFiles(files_dir), found), pretty=pretty)
    except _Failed as error:
        done = Translation(report=Report(), failure=error.failure)
        found += error.found
    return done.evolve(report=findings.report(name, text, document, found))


def _variant(document: "Tree", repeated: list[Finding]) -> "Variant":
    """The variant and version of the document."""
    common = read(Common, document.root, "3.0.0")
    if common.wrong:
        raise _mistyped(repeated, common)
    name, version = common.value.variant, variants.canonical(common.value.version)
    if not name:
        fix = f"write variant: {variants.FLATCAR} or {variants.FCOS}, and its version"
        raise _Failed(NO_VARIANT, [Finding(ERROR, ("variant",), NO_VARIANT, fix)])
    known = variants.versions_of(name)
    if not version:
        fix = f"write one of {', '.join(known)}" if known else "write all three numbers"
        raise _Failed(NO_VERSION, [Finding(ERROR, ("version",), NO_VERSION, fix)])
    if (name, version) in variants.VARIANTS:
        return variants.VARIANTS[name, version]
    failure, path, fix = variants.unknown(name, version)
    raise _Failed(failure, [Finding(ERROR, (path,), failure, fix)])


def _mistyped(repeated: list[Finding], source: "Read") -> _Failed:
    """The failure of a document with repeated keys or values of wrong types, which go-yaml reports together."""
    wrong = len(source.wrong)
    told = [repeated[0].message if len(repeated) == 1 else f"{len(repeated)} keys are repeated"] if repeated else []
    told += ["a value has a wrong type" if wrong == 1 else f"{wrong} values have wrong types"] if wrong else []
    return _Failed(f"Error unmarshaling yaml: {', '.join(told)}", source.wrong)


def _translated(document: "Tree", work: Work, *, pretty: bool) -> Translation:
    source = read(work.variant.document, document.root, work.variant.spec)
    if source.wrong or work.failed:
        failed = _mistyped([one for one in work.found if one.level == ERROR], source)
        _find_the_rest(document, work, source)
        raise failed
    work.found += _unused(source, work.variant)
    source_rules.check(work, source.value)
    config = None if work.failed else translated(work, source.value)
    if config is None or work.failed:
        raise _Failed(INVALID_SOURCE)
    generated = result.generated(config)
    parsed = findings.judged(generated)
    # The original checks for duplicates first.
    work.found += sorted(_about_result(document, parsed.report, generated), key=lambda one: one.rule != "X1")
    if parsed.config is None:
        raise _Failed(INVALID_RESULT)
    text = json_text(generated.data, pretty=pretty)
    return Translation(report=Report(), text=text, config=parsed.config, origins=generated.origins)


def _find_the_rest(document: "Tree", work: Work, source: "Read") -> None:
    """Findings in addition to wrong types, where the original stops: all errors can be corrected in one go.

    Findings at, below or above a value of a wrong type are dropped, since they may only result from its absence.
    """
    before = len(work.found)
    inexact = INEXACT.partition("{}")[0]  # irrelevant for a document that is refused anyway
    work.found += [one for one in _unused(source, work.variant) if not one.message.startswith(inexact)]
    source_rules.check(work, source.value)
    if not any(one.level == ERROR for one in work.found[before:]) and (config := translated(work, source.value)):
        generated = result.generated(config)
        work.found += _about_result(document, findings.judged(generated).report, generated)
    wrong = {one.path for one in source.wrong}
    around = {path[:length] for path in wrong for length in range(len(path) + 1)}
    work.found[before:] = [
        one
        for one in work.found[before:]
        if one.path not in around and not any(one.path[:length] in wrong for length in range(len(one.path) + 1))
    ]


def _about_result(document: "Tree", report: Report, generated: "Generated") -> "Iterable[Finding]":
    """Findings of Ignition's rules, with the document's names and at its places."""
    for entry, one in zip(report.entries, findings.carried_back(report, generated, document.root), strict=True):
        one.message = in_yaml(result.in_document(one.message, findings.path_of(entry), generated))
        one.fix = in_yaml(one.fix)
        yield one


def _unused(source: "Read", variant: "Variant") -> "Iterable[Finding]":
    """Unknown keys, and nodes that the original cannot locate exactly."""
    from ignition.config.suggest import key

    for one in source.unknown:
        name = str(one.path[-1])
        since = variants.since(variant.name, one.since) if one.since else ""
        fix = f"{variant.name} has it since {since}" if since else key(one.proper or name, "", one.known)
        yield Finding(WARNING, one.path, f"Unused key {name}", fix, at="key")
    for path, span in source.merges:
        yield Finding(WARNING, path, "Unused key <<", "the merge is applied nevertheless", span=span)
    for path, span in source.null_elements:
        fix = "this element is ignored: fill it in, or remove it"
        yield Finding(WARNING, path, INEXACT.format(dotted(path)), fix, span=span)
    for paths, fix in ((source.nulls, "remove it"), (source.aliases, "write the section without an alias")):
        for path in paths:
            if _is_section(variant, path):
                yield Finding(WARNING, path, INEXACT.format(dotted(path)), fix, at="key")


def _is_section(variant: "Variant", path: "Path") -> bool:
    """Whether a path is that of a record, not of a list of records."""
    names = [part for part in path if isinstance(part, str)]
    cls: type[Record] = variant.document
    field = None
    for name in names:
        field = cls.FIELDS[name]
        cls = field.element
    return field is not None and (not field.many or isinstance(path[-1], int))
