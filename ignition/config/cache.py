"""The rendered config between the stages: compact JSON of the members that are set, INTERNAL ones included.

On the path of every stage: the cache is trusted and not validated again.
"""

from __future__ import annotations

from ignition import json_codec
from ignition.config.model import NEWEST, Config
from ignition.config.record import Record
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def dump(config: Config) -> bytes:
    """The config as one line of JSON, version 3.7.0-experimental."""
    sections = plain(config)
    about = {**sections.pop("ignition", {}), "version": NEWEST}
    return json_codec.dumps({"ignition": about, **sections}, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def load(data: bytes) -> Config:
    """The config that `dump` wrote. Raises Failure if the cache is damaged."""
    try:
        config = _record(Config, json_codec.loads(data))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        # "from None": the cause may quote the text, and with it a secret.
        raise Failure(
            f"the config cache is damaged ({type(error).__name__})",
            fix="remove it and boot again: the fetch stage writes a new one",
        ) from None
    assert isinstance(config, Config)  # noqa: S101  for type checkers
    return config


def plain(record: Record) -> dict[str, Any]:
    """The members that are set, by their JSON names, in the order of the model."""
    members: dict[str, Any] = {}
    for name, field in record.FIELDS.items():
        value = record.__dict__[name]
        if value is field.default or value == field.default:
            continue
        if not field.is_record:
            members[field.json] = value
        elif field.many:
            members[field.json] = [plain(element) for element in value]
        else:
            members[field.json] = plain(value)
    return members


def _record(cls: type[Record], plain: dict[str, Any]) -> Record:
    values: dict[str, Any] = {}
    for key, value in plain.items():
        # INTERNAL members included, which no decoder of configs knows.
        field = cls.BY_JSON[key]
        if field.is_record:
            inner = field.element
            values[field.name] = tuple(_record(inner, each) for each in value) if field.many else _record(inner, value)
        else:
            values[field.name] = tuple(value) if field.many else value
    return cls.of(values)
