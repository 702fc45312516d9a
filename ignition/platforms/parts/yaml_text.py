"""YAML documents of metadata services: `parse` is for values.Document.

Scalars stay texts as they are written, except true, false and null: a host name `1e3`, a region `no` or an id `0123` must not
become something else, as YAML 1.1 would have it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TAG = "tag:yaml.org,2002:"


def parse(found: str) -> object:
    """Dictionaries, lists, texts, booleans and None. Raises ValueError for what is no YAML."""
    import yaml

    try:
        return yaml.load(found, Loader=_loader())  # noqa: S506  a safe loader is its base
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _loader() -> Any:
    import re

    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, list[Any]] = {}

    Loader.add_implicit_resolver(f"{_TAG}bool", re.compile("^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
    Loader.add_implicit_resolver(f"{_TAG}null", re.compile("^(~|null|Null|NULL|)$"), ["~", "n", "N", ""])
    Loader.add_implicit_resolver(f"{_TAG}merge", re.compile("^<<$"), ["<"])
    return Loader
