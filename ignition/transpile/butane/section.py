"""What the sections of a Butane document are made of.

Most of Butane is Ignition's own model in snake_case, and both grew by the same steps: each base version of Butane stands for one
spec version of Ignition. So a section here is a record of ignition/config/model with members more, and `since` is that spec
version everywhere; variants.py says which one a variant's version means.
"""

from ignition.config.model.extensions import MEMBER
from ignition.config.model.ignition import INTERNAL
from ignition.config.record import Field, Record, spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class Section(Record):
    """Base class, beside a record of the model if there is one (`MODEL`)."""

    MODEL: "ClassVar[type[Record] | None]" = None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.FIELDS = {name: _of_yaml(field, cls) for name, field in cls.FIELDS.items() if _is_for_people(field)}
        cls.BY_JSON = {field.json: field for field in cls.FIELDS.values()}
        cls.DEFAULTS = {name: field.default for name, field in cls.FIELDS.items() if not field.required}
        if "MODEL" not in cls.__dict__:
            cls.MODEL = next((base for base in _records(cls) if not issubclass(base, Section)), None)


def inner(default: "Any" = (), *, later: "dict[str, str] | None" = None) -> "Any":
    """A member that the model has, too, whose records are sections here. Documentation and versions are the model's.

    `later`: as `inner_since` of spec(), for sugar.
    """
    return spec("", default=default, inner_since=later)


def _records(cls: type[Record]) -> list[type[Record]]:
    """The class and those that it is made of, without the common base."""
    return [base for base in cls.__mro__ if issubclass(base, Record) and base is not Record]


def _is_for_people(field: Field) -> bool:
    return field.since != INTERNAL and field.json != MEMBER


def _of_yaml(field: Field, cls: type[Record]) -> Field:
    """The field of the model that it stands for, with this one's type; itself if it is sugar."""
    model = next((base.FIELDS[field.name] for base in _records(cls)[1:] if field.name in base.FIELDS), None)
    if model is None or field.doc:
        return field
    settled = Field(model.doc, field.default, model.since, model.json, model.inner_since | field.inner_since)
    settled.name, settled.element, settled.many, settled.unset = field.name, field.element, field.many, model.unset
    return settled
