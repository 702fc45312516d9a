"""What the records of the cloud-config model are made of: one declaration per key, with its type, pattern and deprecation."""

import re

from ignition.config.record import Field, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KINDS: "dict[Any, str]" = {str: "string", int: "int", float: "float64", bool: "bool"}  # the original's names
ZERO: "dict[Any, Any]" = {str: "", int: 0, float: 0.0, bool: False}


class Key(Field):
    """One key. `pattern`: what its text must look like, if it is not empty; `choices`: what it may be; `form`: both in words.

    `variable`: its name in an environment.
    """

    __slots__ = ("choices", "deprecated", "form", "pattern", "variable")

    def __init__(
        self, doc: str, default: "Any", pattern: str, form: str, choices: tuple[str, ...], deprecated: str, variable: str
    ) -> None:
        super().__init__(doc, default, "", "", {})
        pattern = pattern or "|".join(map(re.escape, choices))
        self.pattern = re.compile(pattern) if pattern else None
        self.choices, self.form = choices, form or (f"one of {', '.join(choices)}" if choices else "")
        self.deprecated, self.variable = deprecated, variable

    @property
    def kind(self) -> str:
        """As messages call the type."""
        one = KINDS.get(self.element, "struct")
        return f"[]{one}" if self.many else one


def key(
    doc: str = "",
    default: "Any" = None,
    *,
    pattern: str = "",
    form: str = "",
    choices: tuple[str, ...] = (),
    deprecated: str = "",
    variable: str = "",
) -> "Any":
    """Declare a key of a Section. Without a default it is the type's zero value."""
    return Key(doc, default, pattern, form, choices, deprecated, variable)


class Section(Record):
    """A mapping of cloud-config. Keys are called as in the text, with underscores."""

    def __init_subclass__(cls) -> None:
        for name, annotation in cls.__annotations__.items():
            declared = cls.__dict__.get(name)
            if isinstance(declared, Key):
                declared.json = name
                if declared.default is None:
                    declared.default = ZERO.get(annotation, ())
        super().__init_subclass__()

    @classmethod
    def keys(cls) -> dict[str, Key]:
        """By name, in order."""
        return {name: field for name, field in cls.FIELDS.items() if isinstance(field, Key)}
