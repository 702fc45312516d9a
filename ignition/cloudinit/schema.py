"""The JSON Schema of a cloud-config, derived from the model: the checks of `coreos-cloudinit -validate` on single keys.

Keys may be written with dashes, as in Container Linux' manual: these are patterns beside the names with underscores, which
editors propose. Deprecated keys are marked, and null is allowed as absence, where the validator only warns.
"""

from __future__ import annotations

from ignition.cloudinit.coreos_files import LOCALHOST
from ignition.cloudinit.model import CloudConfig
from ignition.cloudinit.services import Section
from ignition.config import yaml_schema
from ignition.config.yaml_schema import described, many, mapping, scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cloudinit.services import Key
    from ignition.config.yaml_schema import Schema

# Checked only when a cloud-config is applied: the original's validator accepted any value.
_VALUES = {"manage_etc_hosts": (LOCALHOST,)}


def cloud_config() -> Schema:
    """The schema as plain data."""
    title = "cloud-config, as coreos-cloudinit reads it"
    return {"$schema": yaml_schema.DRAFT, "title": title, **_section(CloudConfig, "#", may_be_null=True)}


def _section(cls: type[Section], place: str, *, may_be_null: bool) -> Schema:
    """A mapping. `place`: its place in the schema, for references."""
    members = {name: _key(one, f"{place}/properties/{name}") for name, one in cls.keys().items()}
    made = mapping(members, [], may_be_null=may_be_null)
    dashed = {f"^{name.replace('_', '[-_]')}$": {"$ref": f"{place}/properties/{name}"} for name in members if "_" in name}
    return {**made, "patternProperties": dashed} if dashed else made


def _key(one: Key, place: str) -> Schema:
    if issubclass(one.element, Section):
        inner = _section(one.element, f"{place}/items" if one.many else place, may_be_null=not one.many)
        form = many(inner) if one.many else inner
    elif one.many:
        form = many(scalar(one.element))
    else:
        form = _single(one)
    if one.deprecated:
        form = {**form, "deprecated": True, "deprecationMessage": one.deprecated}
    return described(one.doc, form)


def _single(one: Key) -> Schema:
    if values := one.choices or _VALUES.get(one.name, ()):
        return yaml_schema.nullable(yaml_schema.one_of((*values, "")))
    asked: list[Schema] = []
    if one.pattern:
        asked.append({"pattern": yaml_schema.whole(one.pattern.pattern), "patternErrorMessage": one.form})
    if one.name == "permissions":
        asked.append({"minimum": 0, "maximum": yaml_schema.MOST_READ_AS_DECIMAL})
    form = scalar(one.element, asked)
    return {**form, "type": ["integer", "string", "null"]} if one.element is int else form
