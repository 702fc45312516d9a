"""The keys of the cloud-config model, and the sections of services, which get their options through the environment.

Source: docs/reference/coreos-cloudinit.md §11.6 and §11.7. The options themselves are in config/service_options.py, in the order
of the lines that are written; deprecations, patterns and names of variables are coreos-cloudinit's, and stand here.
"""

import re
from types import MappingProxyType

from ignition.config import service_options
from ignition.config.record import Field, Record
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ignition.config.service_options import Option


KINDS: "dict[Any, str]" = {str: "string", int: "int", float: "float64", bool: "bool"}  # as the original's messages name types
ZERO: "dict[Any, Any]" = {str: "", int: 0, float: 0.0, bool: False}
_NOTHING: "Mapping[str, dict[str, Any]]" = MappingProxyType({})


class Key(Field):
    """One key. `pattern`: of its text, unless it is empty; `choices`: allowed values; `form`: a description of either.

    `variable`: its name in an environment.
    """

    __slots__ = ("choices", "deprecated", "form", "pattern", "variable")

    def __init__(
        self, doc: str, default: "Any", pattern: str, form: str, choices: tuple[str, ...], deprecated: str, variable: str
    ) -> None:
        super().__init__(doc, default, "", "", {})
        pattern = pattern or "|".join(map(re.escape, choices))
        self.pattern = lazy_pattern(pattern) if pattern else None
        self.choices, self.form = choices, form or (f"one of {', '.join(choices)}" if choices else "")
        self.deprecated, self.variable = deprecated, variable

    @property
    def kind(self) -> str:
        """The type as messages name it."""
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
    """Declare a key of a Section. The default is the type's zero value."""
    return Key(doc, default, pattern, form, choices, deprecated, variable)


class Section(Record):
    """A mapping of a cloud-config. Keys have the names of the text, with underscores.

    `options`: of a service, each of which becomes a key. `details`: name → arguments of `key` that coreos-cloudinit adds to it.
    """

    def __init_subclass__(cls, options: "Iterable[Option]" = (), details: "Mapping[str, dict[str, Any]]" = _NOTHING) -> None:
        for one in options:
            cls.__annotations__[one.name] = one.kind
            setattr(cls, one.name, key(one.words, **details.get(one.name, {})))
        for name, annotation in cls.__annotations__.items():
            declared = cls.__dict__.get(name)
            if isinstance(declared, Key):
                declared.json = name
                if declared.default is None:
                    declared.default = ZERO.get(annotation, ())
        super().__init_subclass__()

    @classmethod
    def keys(cls) -> dict[str, Key]:
        """Name → key, in order."""
        return {name: field for name, field in cls.FIELDS.items() if isinstance(field, Key)}


_ETCD2 = "etcd2 options no longer work for etcd"
# Options of etcd 2 that the section `etcd` took all the same, from the time when there was no `etcd2`.
_TAKEN_BY_ETCD = frozenset(
    """
    advertise_client_urls discovery_fallback discovery_srv discovery_proxy election_timeout force_new_cluster heartbeat_interval
    initial_advertise_peer_urls initial_cluster initial_cluster_state initial_cluster_token listen_client_urls listen_peer_urls
    max_snapshots max_wals proxy
    """.split()
)
# An optional day, then the time of day.
_WINDOW_START = r"((?i:sun|mon|tue|wed|thu|fri|sat|sun) )?0*([0-9]|1[0-9]|2[0-3]):0*([0-9]|[1-5][0-9])"
_WINDOW_LENGTH = r"[-+]?([0-9]*(\.[0-9]*)?[a-z])+"


class Etcd(
    Section,
    options=[one for one in service_options.ETCD if one.is_in("0.4") or (one.name in _TAKEN_BY_ETCD and one.is_in("2.3"))],
    details={
        **{name: {"deprecated": _ETCD2} for name in _TAKEN_BY_ETCD},
        "snapshot_count": {"variable": "ETCD_SNAPSHOTCOUNT"},
    },
):
    """coreos.etcd"""


class Etcd2(
    Section,
    options=service_options.of_version(service_options.ETCD, "2.3"),
    details={
        "ca_file": {"deprecated": "ca_file obsoleted by trusted_ca_file and client_cert_auth"},
        "peer_ca_file": {"deprecated": "peer_ca_file obsoleted peer_trusted_ca_file and peer_client_cert_auth"},
        "proxy": {"choices": ("on", "off", "readonly")},
    },
):
    """coreos.etcd2"""


class Fleet(Section, options=service_options.FLEET):
    """coreos.fleet"""


class Locksmith(
    Section,
    options=service_options.LOCKSMITH,
    details={
        "window_start": {
            "pattern": _WINDOW_START,
            "form": "a time of day, such as 04:00 or Thu 04:00",
            "variable": "REBOOT_WINDOW_START",
        },
        "window_length": {
            "pattern": _WINDOW_LENGTH,
            "form": "a length of time, such as 1h30m",
            "variable": "REBOOT_WINDOW_LENGTH",
        },
    },
):
    """coreos.locksmith"""


class Flannel(
    Section,
    options=service_options.of_version(service_options.FLANNEL, "0.6"),
    details={"interface": {"variable": "FLANNELD_IFACE"}},
):
    """coreos.flannel"""


def environment(section: Section, prefix: str) -> list[tuple[str, str]]:
    """Variable and value of each option that is set. Zero values count as unset, as in the original."""
    found = []
    for name, one in section.keys().items():
        value = getattr(section, name)
        if value:
            text = "true" if value is True else _shortest(value) if isinstance(value, float) else str(value)
            found.append((one.variable or f"{prefix}{name.upper()}", text))
    return found


def _shortest(value: float) -> str:
    """Go's %v of a float64: the shortest digits, with an exponent below 1e-4 and from 1e6 on."""
    from decimal import Decimal

    number = Decimal(repr(value)).normalize()
    if not number.is_finite() or -4 <= number.adjusted() < 6:
        return format(number, "f")
    mantissa, _, exponent = f"{number:e}".partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].zfill(2)}"
