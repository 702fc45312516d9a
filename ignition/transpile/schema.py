"""JSON Schemas of the YAML documents that are translated: each version of Butane's variants, and Container Linux Config.

Derived from the records of `reading.py`, so that keys, types and versions are those of the programs. Butane's records are
sections of Ignition's model, with its checks; ct's members have the checks of the members with the same name in spec 2.3.0. A
member is required only if no generated part of the result can provide it: Butane merges a document into the result of its sugar.
Rules about several members or the files directory are checked only by the programs.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Table

from ignition.config import yaml_schema
from ignition.config.known_values import COMPRESSIONS, HASHES, known_in
from ignition.config.record import Record
from ignition.config.text import yaml_scalars
from ignition.config.text.yaml_nodes import ZERO, Mapping, Scalar
from ignition.config.versions import order
from ignition.config.yaml_schema import described, many, mapping, scalar
from ignition.errors import Failure
from ignition.patterns import lazy_pattern
from ignition.transpile.findings import in_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.record import Field
    from ignition.config.yaml_schema import Schema

    Members = dict[str, "Schema"]

_MODE = lazy_pattern("decimal in JSON: [0-9]+ is ([0-7]+)")
_SINCE = lazy_pattern(r" \(since [^)]*\)")
_MOST_MINOR = 30  # minor versions that are tried; later ones have the class of the last one


def butane(variant: str, version: str) -> Schema:
    """The schema of documents that begin with this variant and version. Raises Failure for a pair that is not translated."""
    from ignition.transpile.butane import variants
    from ignition.transpile.butane.fcos_rules import layouts
    from ignition.transpile.butane.model import BootDevice

    chosen = variants.VARIANTS.get((variant, version))
    if chosen is None:
        raise _unknown_variant(variant, version)
    special: dict[tuple[type[Record], str], list[Schema]] = {(BootDevice, "layout"): [{"enum": layouts(chosen.spec)}]}
    builder = _Butane(chosen.spec, special, chosen.forbidden)
    made = builder.section(chosen.document, {}, may_be_null=False)
    made["properties"] = {
        **made["properties"],
        "variant": described(chosen.document.FIELDS["variant"].doc, {"const": variant}),
        "version": described(chosen.document.FIELDS["version"].doc, {"const": version}),
    }
    made["required"] = ["variant", "version"]
    title = f"Butane, variant {variant}, version {version}: becomes an Ignition config of spec {chosen.spec}"
    return {"$schema": yaml_schema.DRAFT, "title": title, **made}


def _unknown_variant(variant: str, version: str) -> Failure:
    from ignition.transpile.butane import variants

    known = variants.versions_of(variant)
    if not known:
        return Failure(f"no schema for Butane's variant {variant}", fix=variants.unknown(variant, version)[2])
    if not version:
        return Failure(f"name a version of Butane's variant {variant}", fix=f"one of {', '.join(known)}")
    numbers = [*version.split("."), "0", "0"][:3]
    meant = next((one for one in known if one.startswith(".".join(numbers))), "")
    fix = f"{f'did you mean {meant}? ' if meant else ''}one of {', '.join(known)}"
    return Failure(f"no schema for version {version} of Butane's variant {variant}", fix=fix)


def container_linux_config() -> Schema:
    """The schema of the documents that `ct` reads."""
    from ignition.config.v2.model import Config2
    from ignition.transpile.ct.model import ContainerLinuxConfig

    builder = _Ct(_own_forms())
    made = builder.section(ContainerLinuxConfig, Config2)
    return {"$schema": yaml_schema.DRAFT, "title": "Container Linux Config, as ct reads it", **made}


def _worded(text: str) -> str:
    """Documentation for YAML: members in snake_case, modes in octal, and without versions of Ignition's spec."""
    return in_yaml(_MODE.sub(r"in octal, as \1", _SINCE.sub("", text)))


class _Butane:
    """`special`: constraints that checks do not express. `refused`: unsupported members of LUKS volumes → the reason."""

    def __init__(self, version: str, special: dict[tuple[type[Record], str], list[Schema]], refused: Table[str, str]) -> None:
        self._version, self._special, self._refused = version, special, refused

    def section(self, cls: type[Record], later: dict[str, str], *, may_be_null: bool = True) -> Schema:
        """A mapping. `later`: see inner_since of Field."""
        from ignition.transpile.butane.model import Luks

        members = {
            name: self._member(cls, field)
            for name, field in cls.FIELDS.items()
            if order(later.get(field.json, field.since)) <= order(self._version)
        }
        if issubclass(cls, Luks):
            members.update((name, _refused(cls.FIELDS[name], why)) for name, why in self._refused.items() if name in members)
        return mapping(members, [name for name in members if self._is_required(cls, cls.FIELDS[name])], may_be_null=may_be_null)

    def _is_required(self, cls: type[Record], field: Field) -> bool:
        if field.name == cls.KEY or field.required:
            return getattr(cls, "MODEL", cls) is None or _must_be_given(field, self._version)
        return False  # generated sections may provide it

    def _member(self, cls: type[Record], field: Field) -> Schema:
        if field.is_record:
            inner = self.section(field.element, field.inner_since)
            return described(_worded(field.doc), many(inner) if field.many else inner)
        checks = yaml_schema.asked(field.each if field.many else field.checks, self._version, _worded)
        constraints = [*checks, *self._special.get((cls, field.name), ())]
        form = scalar(field.element, constraints, may_be_null=field.many or not self._is_required(cls, field))
        return described(_worded(field.doc), many(form) if field.many else _with_default(form, field))


def _must_be_given(field: Field, version: str) -> bool:
    """Whether a rule refuses its absence: an absent required member is read as "" or 0, which the checks then refuse."""
    checks = [check for check in field.checks if check.holds_in(version) and not check.warns]
    if not field.required:
        return any(check.demands for check in checks)
    return any(check.problem(ZERO[field.element], version) for check in checks)


def _with_default(form: Schema, field: Field) -> Schema:
    """The form with the member's default, if that is a plain value."""
    from ignition.config.schema import default

    known = default(field)
    return form if known is None else {**form, "default": known}


def _refused(field: Field, why: str) -> Schema:
    """A section without allowed members; an empty one is accepted."""
    empty: dict[str, list[Any]] = {name: [[], None] if inner.many else [None] for name, inner in field.element.FIELDS.items()}
    nothing = {name: described(field.element.FIELDS[name].doc, {"enum": values}) for name, values in empty.items()}
    return {"description": why, "type": ["object", "null"], "properties": nothing, "additionalProperties": False}


class _Ct:
    """`own`: members that ct interprets itself, with their forms."""

    def __init__(self, own: dict[tuple[str, str], Schema]) -> None:
        self._own = own

    def section(self, cls: type[Record], like: type[Record] | None, *, may_be_null: bool = True) -> Schema:
        """A mapping. `like`: the record of spec 2.3.0 with members of the same names."""
        if hasattr(cls, "chosen"):
            return _by_version(cls, lambda one: self._members(one, None), cls.chosen)
        members = self._members(cls, like)
        required = [name for name in members if self._is_required(cls, name, self._twin(cls.FIELDS[name], like))]
        return {**mapping(members, required, may_be_null=may_be_null), **self._own.get((cls.__name__, ""), {})}

    def _members(self, cls: type[Record], like: type[Record] | None) -> Members:
        return {name: self._member(cls, field, self._twin(field, like)) for name, field in cls.FIELDS.items()}

    def _twin(self, field: Field, like: type[Record] | None) -> Field | None:
        from ignition.transpile.ct.translate import TARGET

        twin = like.FIELDS.get(field.name) if like else None
        return twin if twin and order(twin.since) <= order(TARGET) else None

    def _is_required(self, cls: type[Record], name: str, twin: Field | None) -> bool:
        from ignition.transpile.ct.translate import TARGET

        return twin is not None and _own_key(cls, name) not in self._own and _must_be_given(twin, TARGET)

    def _member(self, cls: type[Record], field: Field, twin: Field | None) -> Schema:
        from ignition.transpile.ct.translate import TARGET

        if own := self._own.get(_own_key(cls, field.name)):
            return described(field.doc, own)
        is_section = field.is_record
        if is_section:
            like = twin.element if twin and twin.is_record else None
            form = self.section(field.element, like)
            deprecated = yaml_schema.asked(twin.checks, TARGET, _worded)[:1] if twin and not field.many else []
            return described(field.doc, many(form) if field.many else {**form, **(deprecated[0] if deprecated else {})})
        same = twin is not None and issubclass(field.element, twin.element)
        checks = (twin.each if field.many else twin.checks) if twin and same else ()
        constraints = yaml_schema.asked(checks, TARGET, _worded)
        is_required = self._is_required(cls, field.name, twin)
        form = scalar(field.element, constraints, may_be_null=field.many or not is_required)
        return described(field.doc, many(form) if field.many else _with_default(form, twin if twin and same else field))


def _own_key(cls: type[Record], name: str) -> tuple[str, str]:
    owner = next((base for base in reversed(cls.__mro__) if issubclass(base, Record) and name in base.FIELDS), cls)
    return owner.__name__, name


def _own_forms() -> dict[tuple[str, str], Schema]:
    """(record, member) → form, for members with rules of ct's own, or with another name in spec 2.3.0.

    An empty member stands for the record as a whole.
    """
    from ignition.config.v2.model import Contents, Partition
    from ignition.transpile.ct import translate, update
    from ignition.transpile.ct.translate import TARGET, TYPE_GUIDS

    guid = yaml_schema.asked(Partition.FIELDS["type_guid"].checks, TARGET, _worded)[0]["pattern"]
    words = "|".join(TYPE_GUIDS)
    size = {
        "type": ["string", "number", "null"],
        "pattern": f"^(?:|[-+]?0|[+]?(?:(?:[0-9]+(?:[.][0-9]*)?|[.][0-9]+)(?:{'|'.join(translate.UNITS)}))+)$",
        "patternErrorMessage": "a size with its unit, such as 512MiB",
        "minimum": 0,
        "maximum": 0,
    }
    days = "|".join(map(yaml_schema.either_case, update.DAYS))
    return {
        ("ContainerLinuxConfig", "version"): {"enum": [0, None]},
        ("Hash", ""): {  # an incomplete hash is ignored
            "if": {"required": ["sum"], "properties": {"sum": {"not": {"enum": ["", None]}}}},
            "then": {"properties": {"function": {"enum": [*known_in(TARGET, HASHES), "", None]}}},
        },
        ("Remote", "url"): scalar(str, yaml_schema.asked(Contents.FIELDS["source"].checks, TARGET, _worded)),
        ("Remote", "compression"): {"enum": [*known_in(TARGET, COMPRESSIONS), "", None]},
        ("Partition", "size"): size,
        ("Partition", "start"): size,
        ("Partition", "type_guid"): {
            "type": ["string", "null"],
            "pattern": f"^(?:{words})$|{guid}",
            "patternErrorMessage": f"a GUID, or one of {', '.join(TYPE_GUIDS)}",
            "examples": list(TYPE_GUIDS),
        },
        ("Node", "filesystem"): scalar(str),  # default: root
        ("Locksmith", "reboot_strategy"): {
            "type": ["string", "boolean", "null"],
            **yaml_schema.word_pattern(update.STRATEGIES, any_case=True),
            "not": {"enum": [True]},
        },
        ("Locksmith", "window_start"): {
            "type": ["string", "number", "null"],
            "pattern": f"^(?:|(?:(?:{days}) +)?(?:{update.TIME.pattern}) *)$",
            "patternErrorMessage": update.WINDOW_FIX,
        },
        ("Locksmith", "window_length"): {
            "type": ["string", "number", "null"],
            "pattern": f"^(?:{update.DURATION.pattern})?$",
            "patternErrorMessage": "a duration, such as 2h or 1h30m",
        },
    }


def _by_version(base: type[Record], members: Callable[[type[Record]], Members], chosen: Any) -> Schema:
    """A section whose keys depend on its `version`: a chain of if and else, which includes the default version."""
    default = chosen(Mapping((0, 0)))
    by_class: dict[type[Record], dict[int, list[int]]] = {}
    for major in range(10):
        for minor in range(_MOST_MINOR + 1):
            node = Mapping((0, 0))
            node.members["version"] = Scalar((0, 0), f"{major}.{minor}.0", yaml_scalars.STRING, plain=True, truths={})
            one = chosen(node)
            if one is not base:
                by_class.setdefault(one, {}).setdefault(major, []).append(minor)
    version = {
        "type": ["string", "null"],
        "pattern": "^[0-9]+[.][0-9]+[.][0-9]+(?:-[0-9A-Za-z.-]+)?(?:[+][0-9A-Za-z.-]+)?$",
        "patternErrorMessage": "three numbers, such as 3.5.0",
    }
    plain = {**members(base), "version": described(base.FIELDS["version"].doc, version)}
    chain: Schema = {"properties": plain, "additionalProperties": False}
    for one, minors in by_class.items():
        pattern = {"pattern": _pattern(minors)}
        if one is default:
            meant: Schema = {"properties": {"version": {"type": ["string", "null"], **pattern}}}
        else:
            meant = {"properties": {"version": {"type": "string", **pattern}}, "required": ["version"]}
        chain = {
            "if": meant,
            "then": {"properties": {**members(one), **plain}, "additionalProperties": False},
            "else": chain,
        }
    return {"type": ["object", "null"], **chain}


def _pattern(minors: dict[int, list[int]]) -> str:
    """A pattern of versions. `minors`: major → minors, the last of which stands for all later ones."""
    alternatives = []
    for major, numbers in minors.items():
        if numbers[-1] == _MOST_MINOR:  # all from the first one on
            first = numbers[0]
            matched = f"[{first}-9]|[1-9][0-9]+" if first < 9 else "|".join(map(str, [*range(first, 100), "[1-9][0-9][0-9]+"]))
        else:
            matched = "|".join(map(str, numbers))
        alternatives.append(f"0*{major}[.]0*(?:{matched})[.]")
    return f"^(?:{'|'.join(alternatives)})"
