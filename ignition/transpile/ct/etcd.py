"""The section `etcd`: options per version, and the drop-in of etcd-member.service.

Source: docs/reference/config-transpiler.md §A6.1 up to etcd 3.3; A10 from 3.4 on, for a section without a version, and for
messages about it.
"""

from ignition.config.record import Record, spec
from ignition.config.report import ERROR, WARNING, Finding
from ignition.transpile.ct import option_table
from ignition.transpile.ct.option_table import arguments, inserted, names, section, text_of
from ignition.transpile.ct.units import Dropin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.text.yaml_nodes import Mapping

UNIT, DROPIN = "etcd-member.service", "20-clct-etcd-member.conf"
COMMAND = "/usr/lib/coreos/etcd-wrapper $ETCD_OPTS"
IMAGE = "ETCD_IMAGE_TAG"
_DEFAULT = (3, 5, 0)
_OLDEST = (2, 3, 0)

_V2 = names("""
    advertise_client_urls ca_file cert_file client_cert_auth:b cors data_dir debug:b discovery discovery_fallback discovery_srv
    discovery_proxy election_timeout:i enable_pprof:b force_new_cluster:b heartbeat_interval:i initial_advertise_peer_urls
    initial_cluster initial_cluster_state initial_cluster_token key_file listen_client_urls listen_peer_urls log_package_levels
    max_snapshots:i max_wals:i name peer_ca_file peer_cert_file peer_key_file peer_client_cert_auth:b peer_trusted_ca_file proxy
    proxy_dial_timeout:i proxy_failure_wait:i proxy_read_timeout:i proxy_refresh_interval:i proxy_write_timeout:i
    snapshot_count:i strict_reconfig_check:b trusted_ca_file wal_dir
""")
_V3_0 = names("""
    name data_dir wal_dir snapshot_count:i heartbeat_interval:i election_timeout:i enable_pprof:b listen_peer_urls
    listen_client_urls max_snapshots:i max_wals:i cors initial_advertise_peer_urls initial_cluster initial_cluster_state
    initial_cluster_token advertise_client_urls discovery discovery_srv discovery_fallback discovery_proxy
    strict_reconfig_check:b auto_compaction_retention:i proxy proxy_failure_wait:i proxy_refresh_interval:i
    proxy_dial_timeout:i proxy_write_timeout:i proxy_read_timeout:i ca_file cert_file key_file client_cert_auth:b
    trusted_ca_file auto_tls:b peer_ca_file peer_cert_file peer_key_file peer_client_cert_auth:b peer_trusted_ca_file
    peer_auto_tls:b debug:b log_package_levels force_new_cluster:b
""")
_V3_1 = [*_V3_0, "metrics", "log_output"]
_V3_2 = inserted(inserted(_V3_1, "enable_pprof:b", "enable_v2:b"), "peer_auto_tls:b", "auth_token")
_V3_3 = ["auto_compaction_retention" if row == "auto_compaction_retention:i" else row for row in _V3_2]
for _after, _more in (
    (
        "cors",
        "quota_backend_bytes:i max_txn_ops:i max_request_bytes:i"
        " grpc_keepalive_min_time grpc_keepalive_interval grpc_keepalive_timeout",
    ),
    ("auto_compaction_retention", "auto_compaction_mode"),
    ("client_cert_auth:b", "client_crl_file"),
    ("peer_client_cert_auth:b", "peer_crl_file"),
    ("peer_auto_tls:b", "peer_cert_allowed_cn"),
    (
        "log_output",
        "listen_metrics_urls experimental_initial_corrupt_check:b experimental_corrupt_check_time experimental_enable_v2v3",
    ),
):
    _V3_3 = inserted(_V3_3, _after, _more)
del _after, _more
_V3_4 = names("""
    name data_dir wal_dir snapshot_count:i heartbeat_interval:i election_timeout:i initial_election_tick_advance:b
    listen_peer_urls listen_client_urls max_snapshots:i max_wals:i quota_backend_bytes:i backend_batch_interval
    backend_batch_limit:i max_txn_ops:i max_request_bytes:i grpc_keepalive_min_time grpc_keepalive_interval
    grpc_keepalive_timeout initial_advertise_peer_urls initial_cluster initial_cluster_state initial_cluster_token
    advertise_client_urls discovery discovery_fallback discovery_proxy discovery_srv discovery_srv_name
    strict_reconfig_check:b pre_vote:b auto_compaction_retention auto_compaction_mode enable_v2:b cert_file key_file
    client_cert_auth:b client_crl_file client_cert_allowed_hostname trusted_ca_file auto_tls:b peer_cert_file peer_key_file
    peer_client_cert_auth:b peer_trusted_ca_file peer_cert_allowed_cn peer_cert_allowed_hostname peer_auto_tls:b
    peer_crl_file cipher_suites cors host_whitelist auth_token bcrypt_cost:i auth_token_ttl:i enable_pprof:b metrics
    listen_metrics_urls logger log_outputs log_level proxy proxy_failure_wait:i proxy_refresh_interval:i
    proxy_dial_timeout:i proxy_write_timeout:i proxy_read_timeout:i experimental_initial_corrupt_check:b
    experimental_corrupt_check_time experimental_enable_v2v3 experimental_backend_bbolt_freelist_type
    experimental_enable_lease_checkpoint:b experimental_compaction_batch_limit:i
    experimental_watch_progress_notify_interval experimental_warning_apply_duration force_new_cluster:b debug:b
    log_package_levels
""")
_GONE_IN_3_5 = ("experimental_backend_bbolt_freelist_type", "debug:b", "log_package_levels")
_V3_5 = [row for row in _V3_4 if row not in _GONE_IN_3_5]
for _after, _more in (
    ("quota_backend_bytes:i", "backend_bbolt_freelist_type"),
    ("grpc_keepalive_timeout", "socket_reuse_port:b socket_reuse_address:b"),
    ("enable_v2:b", "v2_deprecation"),
    ("peer_auto_tls:b", "self_signed_cert_validity:i"),
    (
        "log_level",
        "enable_log_rotation:b log_rotation_config_json experimental_enable_distributed_tracing:b"
        " experimental_distributed_tracing_address experimental_distributed_tracing_service_name"
        " experimental_distributed_tracing_instance_id",
    ),
    ("experimental_warning_apply_duration", "experimental_txn_mode_write_with_shared_buffer:b"),
    ("force_new_cluster:b", "unsafe_no_fsync:b"),
):
    _V3_5 = inserted(_V3_5, _after, _more)
del _after, _more
_TABLES_OF_3 = (_V3_0, _V3_1, _V3_2, _V3_3, _V3_4, _V3_5)


class Etcd(Record):
    """What every version has. Which options there are depends on the version."""

    SINCE = "0.0.0"
    version: str | None = spec("version of etcd", default=None)

    @classmethod
    def chosen(cls, node: "Mapping") -> type[Record]:
        """The class of the section's version; without options if there is no such version."""
        said = text_of(node, "version")
        version = _DEFAULT if said is None else option_table.numbers(said)
        if version is None or version < _OLDEST or version[0] > 3:
            return Etcd
        return _OLD if version[0] == 2 else _NEW[min(version[1], len(_NEW) - 1)]


_OLD = section(Etcd, "Etcd2", _V2)
_NEW = [section(Etcd, f"Etcd3_{minor}", table) for minor, table in enumerate(_TABLES_OF_3)]


def findings(etcd: Etcd) -> "Iterator[Finding]":
    """The rules about its version."""
    if etcd.version is None:
        return
    path = ("etcd", "version")
    version = option_table.numbers(etcd.version)
    if version is None:
        fix = "give three numbers, such as 3.3.12"
        yield Finding(ERROR, path, f"{etcd.version} is not in dotted-tri format", fix)
    elif version < _OLDEST:
        yield Finding(ERROR, path, "Etcd version specified is not valid (too old)", "give a version from 2.3.0 on")
    elif version[0] > 3:
        yield Finding(ERROR, path, "Etcd version is not valid (too new)", "give a version below 4")
    elif version[1] > (3 if version[0] == 2 else len(_NEW) - 1):
        message = "Etcd minor version specified is too new, only options available in the previous minor version will be accepted"
        yield Finding(WARNING, path, message)


def dropin(etcd: Etcd) -> Dropin:
    """Before the platform's addresses are put in."""
    made = Dropin(COMMAND, arguments(etcd))
    if etcd.version is not None:
        made.environment.append(f"{IMAGE}=v{option_table.canonical(etcd.version)}")
    return made
