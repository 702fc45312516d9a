"""The section `etcd`: options per version, and the drop-in of etcd-member.service.

Source: docs/reference/config-transpiler.md §A6.1 up to etcd 3.3; §A10 from 3.4 on, for a section without a version, and for
messages about versions.
"""

from ignition.config.record import Record, spec
from ignition.config.report import ERROR, WARNING, Finding
from ignition.config.service_options import ETCD, of_version
from ignition.transpile.ct import option_table
from ignition.transpile.ct.option_table import arguments, section, text_of
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

# The command line has the options in the order of ct's structs: that of the table for 2.3, rewritten for 3.0, and for 3.4.
_ORDER_3_0 = """
    name data_dir wal_dir snapshot_count heartbeat_interval election_timeout enable_pprof enable_v2 listen_peer_urls
    listen_client_urls max_snapshots max_wals cors quota_backend_bytes max_txn_ops max_request_bytes grpc_keepalive_min_time
    grpc_keepalive_interval grpc_keepalive_timeout initial_advertise_peer_urls initial_cluster initial_cluster_state
    initial_cluster_token advertise_client_urls discovery discovery_srv discovery_fallback discovery_proxy
    strict_reconfig_check auto_compaction_retention auto_compaction_mode proxy proxy_failure_wait proxy_refresh_interval
    proxy_dial_timeout proxy_write_timeout proxy_read_timeout ca_file cert_file key_file client_cert_auth client_crl_file
    trusted_ca_file auto_tls peer_ca_file peer_cert_file peer_key_file peer_client_cert_auth peer_crl_file
    peer_trusted_ca_file peer_auto_tls peer_cert_allowed_cn auth_token debug log_package_levels force_new_cluster metrics
    log_output listen_metrics_urls experimental_initial_corrupt_check experimental_corrupt_check_time experimental_enable_v2v3
""".split()
_ORDER_3_4 = """
    name data_dir wal_dir snapshot_count heartbeat_interval election_timeout initial_election_tick_advance listen_peer_urls
    listen_client_urls max_snapshots max_wals quota_backend_bytes backend_bbolt_freelist_type backend_batch_interval
    backend_batch_limit max_txn_ops max_request_bytes grpc_keepalive_min_time grpc_keepalive_interval grpc_keepalive_timeout
    socket_reuse_port socket_reuse_address initial_advertise_peer_urls initial_cluster initial_cluster_state
    initial_cluster_token advertise_client_urls discovery discovery_fallback discovery_proxy discovery_srv discovery_srv_name
    strict_reconfig_check pre_vote auto_compaction_retention auto_compaction_mode enable_v2 v2_deprecation cert_file key_file
    client_cert_auth client_crl_file client_cert_allowed_hostname trusted_ca_file auto_tls peer_cert_file peer_key_file
    peer_client_cert_auth peer_trusted_ca_file peer_cert_allowed_cn peer_cert_allowed_hostname peer_auto_tls
    self_signed_cert_validity peer_crl_file cipher_suites cors host_whitelist auth_token bcrypt_cost auth_token_ttl
    enable_pprof metrics listen_metrics_urls logger log_outputs log_level enable_log_rotation log_rotation_config_json
    experimental_enable_distributed_tracing experimental_distributed_tracing_address
    experimental_distributed_tracing_service_name experimental_distributed_tracing_instance_id proxy proxy_failure_wait
    proxy_refresh_interval proxy_dial_timeout proxy_write_timeout proxy_read_timeout experimental_initial_corrupt_check
    experimental_corrupt_check_time experimental_enable_v2v3 experimental_backend_bbolt_freelist_type
    experimental_enable_lease_checkpoint experimental_compaction_batch_limit experimental_watch_progress_notify_interval
    experimental_warning_apply_duration experimental_txn_mode_write_with_shared_buffer force_new_cluster debug
    log_package_levels unsafe_no_fsync
""".split()
_MINORS = {"3.0": _ORDER_3_0, "3.1": _ORDER_3_0, "3.2": _ORDER_3_0, "3.3": _ORDER_3_0, "3.4": _ORDER_3_4, "3.5": _ORDER_3_4}


class Etcd(Record):
    """The members of all versions; the options depend on the version."""

    SINCE = "0.0.0"
    version: str | None = spec("version of etcd", default=None)

    @classmethod
    def chosen(cls, node: "Mapping") -> type[Record]:
        """The class of the section's version; Etcd itself, without options, for an unsupported version."""
        said = text_of(node, "version")
        version = _DEFAULT if said is None else option_table.numbers(said)
        if version is None or version < _OLDEST or version[0] > 3:
            return Etcd
        return _OLD if version[0] == 2 else _NEW[min(version[1], len(_NEW) - 1)]


_OLD = section(Etcd, "Etcd2", of_version(ETCD, "2.3"))
_NEW = [
    section(Etcd, f"Etcd{version.replace('.', '_')}", sorted(of_version(ETCD, version), key=lambda one: order.index(one.name)))
    for version, order in _MINORS.items()
]


def findings(etcd: Etcd) -> "Iterator[Finding]":
    """Findings of the rules about the version."""
    if etcd.version is None:
        return
    path = ("etcd", "version")
    version = option_table.numbers(etcd.version)
    if version is None:
        fix = "write three numbers, such as 3.3.12"
        yield Finding(ERROR, path, f"{etcd.version} is not in dotted-tri format", fix)
    elif version < _OLDEST:
        yield Finding(ERROR, path, "Etcd version specified is not valid (too old)", "use version 2.3.0 or later")
    elif version[0] > 3:
        yield Finding(ERROR, path, "Etcd version is not valid (too new)", "use a version below 4")
    elif version[1] > (3 if version[0] == 2 else len(_NEW) - 1):
        message = "Etcd minor version specified is too new, only options available in the previous minor version will be accepted"
        yield Finding(WARNING, path, message)


def dropin(etcd: Etcd) -> Dropin:
    """The drop-in, before dynamic data is expanded."""
    made = Dropin(COMMAND, arguments(etcd))
    if etcd.version is not None:
        made.environment.append(f"{IMAGE}=v{option_table.canonical(etcd.version)}")
    return made
