"""The options of services that are told them by their environment. Source: docs/reference/coreos-cloudinit.md §11.6 and §11.7.

The order is that of the lines in the file that is written. What the options mean is in config/service_options.py.
"""

import re

from ignition.config.record import Field, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


# What the records of the cloud-config model are made of: one declaration per key, with its type, pattern and deprecation.

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


_ETCD2 = "etcd2 options no longer work for etcd"
_CA_FILE = "ca_file obsoleted by trusted_ca_file and client_cert_auth"
_PEER_CA_FILE = "peer_ca_file obsoleted peer_trusted_ca_file and peer_client_cert_auth"
# An optional day, then the time of day.
_WINDOW_START = r"((?i:sun|mon|tue|wed|thu|fri|sat|sun) )?0*([0-9]|1[0-9]|2[0-3]):0*([0-9]|[1-5][0-9])"
_WINDOW_LENGTH = r"[-+]?([0-9]*(\.[0-9]*)?[a-z])+"


class Etcd(Section):
    """coreos.etcd"""

    addr: str = key()
    advertise_client_urls: str = key(deprecated=_ETCD2)
    bind_addr: str = key()
    ca_file: str = key()
    cert_file: str = key()
    cluster_active_size: int = key()
    cluster_remove_delay: float = key()
    cluster_sync_interval: float = key()
    cors: str = key()
    data_dir: str = key()
    discovery: str = key()
    discovery_fallback: str = key(deprecated=_ETCD2)
    discovery_srv: str = key(deprecated=_ETCD2)
    discovery_proxy: str = key(deprecated=_ETCD2)
    election_timeout: int = key(deprecated=_ETCD2)
    force_new_cluster: bool = key(deprecated=_ETCD2)
    graphite_host: str = key()
    heartbeat_interval: int = key(deprecated=_ETCD2)
    http_read_timeout: float = key()
    http_write_timeout: float = key()
    initial_advertise_peer_urls: str = key(deprecated=_ETCD2)
    initial_cluster: str = key(deprecated=_ETCD2)
    initial_cluster_state: str = key(deprecated=_ETCD2)
    initial_cluster_token: str = key(deprecated=_ETCD2)
    key_file: str = key()
    listen_client_urls: str = key(deprecated=_ETCD2)
    listen_peer_urls: str = key(deprecated=_ETCD2)
    max_result_buffer: int = key()
    max_retry_attempts: int = key()
    max_snapshots: int = key(deprecated=_ETCD2)
    max_wals: int = key(deprecated=_ETCD2)
    name: str = key()
    peer_addr: str = key()
    peer_bind_addr: str = key()
    peer_ca_file: str = key()
    peer_cert_file: str = key()
    peer_election_timeout: int = key()
    peer_heartbeat_interval: int = key()
    peer_key_file: str = key()
    peers: str = key()
    peers_file: str = key()
    proxy: str = key(deprecated=_ETCD2)
    retry_interval: float = key()
    snapshot: bool = key()
    snapshot_count: int = key(variable="ETCD_SNAPSHOTCOUNT")
    trace: str = key()
    verbose: bool = key()
    very_verbose: bool = key()
    very_very_verbose: bool = key()


class Etcd2(Section):
    """coreos.etcd2"""

    advertise_client_urls: str = key()
    ca_file: str = key(deprecated=_CA_FILE)
    cert_file: str = key()
    client_cert_auth: bool = key()
    cors: str = key()
    data_dir: str = key()
    debug: bool = key()
    discovery: str = key()
    discovery_fallback: str = key()
    discovery_srv: str = key()
    discovery_proxy: str = key()
    election_timeout: int = key()
    enable_pprof: bool = key()
    force_new_cluster: bool = key()
    heartbeat_interval: int = key()
    initial_advertise_peer_urls: str = key()
    initial_cluster: str = key()
    initial_cluster_state: str = key()
    initial_cluster_token: str = key()
    key_file: str = key()
    listen_client_urls: str = key()
    listen_peer_urls: str = key()
    log_package_levels: str = key()
    max_snapshots: int = key()
    max_wals: int = key()
    name: str = key()
    peer_ca_file: str = key(deprecated=_PEER_CA_FILE)
    peer_cert_file: str = key()
    peer_key_file: str = key()
    peer_client_cert_auth: bool = key()
    peer_trusted_ca_file: str = key()
    proxy: str = key(choices=("on", "off", "readonly"))
    proxy_dial_timeout: int = key()
    proxy_failure_wait: int = key()
    proxy_read_timeout: int = key()
    proxy_refresh_interval: int = key()
    proxy_write_timeout: int = key()
    snapshot_count: int = key()
    strict_reconfig_check: bool = key()
    trusted_ca_file: str = key()
    wal_dir: str = key()


class Fleet(Section):
    """coreos.fleet"""

    agent_ttl: str = key()
    authorized_keys_file: str = key()
    disable_engine: bool = key()
    engine_reconcile_interval: float = key()
    etcd_cafile: str = key()
    etcd_certfile: str = key()
    etcd_keyfile: str = key()
    etcd_key_prefix: str = key()
    etcd_request_timeout: float = key()
    etcd_servers: str = key()
    etcd_username: str = key()
    etcd_password: str = key()
    metadata: str = key()
    public_ip: str = key()
    token_limit: int = key()
    verbosity: int = key()
    verify_units: bool = key()


class Locksmith(Section):
    """coreos.locksmith"""

    endpoint: str = key()
    etcd_cafile: str = key()
    etcd_certfile: str = key()
    etcd_keyfile: str = key()
    etcd_username: str = key()
    etcd_password: str = key()
    group: str = key()
    window_start: str = key(
        pattern=_WINDOW_START, form="a time of day, such as 04:00 or Thu 04:00", variable="REBOOT_WINDOW_START"
    )
    window_length: str = key(pattern=_WINDOW_LENGTH, form="a length of time, such as 1h30m", variable="REBOOT_WINDOW_LENGTH")


class Flannel(Section):
    """coreos.flannel"""

    etcd_endpoints: str = key()
    etcd_cafile: str = key()
    etcd_certfile: str = key()
    etcd_keyfile: str = key()
    etcd_prefix: str = key()
    etcd_username: str = key()
    etcd_password: str = key()
    ip_masq: str = key()
    subnet_file: str = key()
    interface: str = key(variable="FLANNELD_IFACE")
    public_ip: str = key()


def environment(section: Section, prefix: str) -> list[tuple[str, str]]:
    """Variable and value of each option that is set. Zero values are as good as none, as in the original."""
    found = []
    for name, one in section.keys().items():
        value = getattr(section, name)
        if value:
            found.append((one.variable or f"{prefix}{name.upper()}", _text(value)))
    return found


def _text(value: object) -> str:
    if value is True:
        return "true"
    return _shortest(value) if isinstance(value, float) else str(value)


def _shortest(value: float) -> str:
    """Go's %v of a float64: the shortest digits, with an exponent below 1e-4 and from 1e6 on."""
    from decimal import Decimal

    number = Decimal(repr(value)).normalize()
    if not number.is_finite() or -4 <= number.adjusted() < 6:
        return format(number, "f")
    mantissa, _, exponent = f"{number:e}".partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].zfill(2)}"
