"""Options of services that cloud-config and Container Linux Config pass through: names, types, versions and meaning, each once.

coreos-cloudinit takes etcd 0.4, etcd 2.3, flannel 0.6, fleet and locksmith from here (ignition/cloudinit/services.py); ct takes
every version of etcd from 2.3 on and of flannel (ignition/transpile/ct). The meaning is for the schemas that editors read.

Source: etcd, Documentation/configuration.md of 0.4, 2.3 and 3.0 to 3.5 (op-guide/configuration); flannel, Documentation/
configuration.md; fleet, Documentation/deployment-and-configuration.md; locksmith, README.md.
"""

from __future__ import annotations

from collections.abc import Iterable


class Option:
    """One option. `kind`: str, int, float or bool. `versions`: `0.4` alone, `2.3-` and later, `2.3-3.4`; "" for all.

    An option whose type changed has a row for each type.
    """

    def __init__(self, name: str, kind: type, versions: str, words: str) -> None:
        self.name, self.kind, self.versions, self.words = name, kind, versions, words

    def is_in(self, version: str) -> bool:
        """Whether a version of the service, as `3.4`, has the option."""
        first, is_range, last = self.versions.partition("-")
        if not first:
            return True
        return _number(first) <= _number(version) and (_number(version) <= _number(last or version if is_range else first))


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def of_version(options: Iterable[Option], version: str) -> list[Option]:
    """The options of one version, in the order of the table."""
    return [one for one in options if one.is_in(version)]


ETCD = (
    # 0.4 and 2.3, in the order of both
    Option("addr", str, "0.4", "address and port that clients reach this member at"),
    Option("advertise_client_urls", str, "2.3-", "URLs that clients reach this member at, separated by commas"),
    Option("bind_addr", str, "0.4", "address and port to listen on for clients; default: those of addr"),
    Option("ca_file", str, "0.4-3.3", "CA of client certificates; trusted_ca_file with client_cert_auth replaces it"),
    Option("cert_file", str, "0.4-", "certificate for clients, a path"),
    Option("client_cert_auth", bool, "2.3-", "clients must have a certificate"),
    Option("cluster_active_size", int, "0.4", "most members that vote"),
    Option("cluster_remove_delay", float, "0.4", "seconds without an answer before a member is removed"),
    Option("cluster_sync_interval", float, "0.4", "seconds between synchronisations of standby members"),
    Option("cors", str, "0.4-", "origins that browsers may ask from, separated by commas"),
    Option("data_dir", str, "0.4-", "directory of the data"),
    Option("debug", bool, "2.3-3.4", "log at level debug"),
    Option("discovery", str, "0.4-", "URL of a discovery service that tells the members of each other"),
    Option("discovery_fallback", str, "2.3-", "when discovery fails: exit, or proxy to become a proxy (API v2 only)"),
    Option("discovery_srv", str, "2.3-", "DNS domain whose SRV records name the members"),
    Option("discovery_proxy", str, "2.3-", "HTTP proxy for the discovery service"),
    Option("election_timeout", int, "2.3-", "time without a heartbeat before an election, in milliseconds; default 1000"),
    Option("enable_pprof", bool, "2.3-", "serve profiling data at /debug/pprof/"),
    Option("force_new_cluster", bool, "2.3-", "make a new cluster of one member, with the existing data: for recovery only"),
    Option("graphite_host", str, "0.4", "host and port of Graphite, for metrics"),
    Option("heartbeat_interval", int, "2.3-", "time between heartbeats of the leader, in milliseconds; default 100"),
    Option("http_read_timeout", float, "0.4", "limit of a read over HTTP, in seconds"),
    Option("http_write_timeout", float, "0.4", "limit of a write over HTTP, in seconds"),
    Option("initial_advertise_peer_urls", str, "2.3-", "URLs that other members reach this one at, separated by commas"),
    Option("initial_cluster", str, "2.3-", "the members to start with, as NAME=PEER-URL, separated by commas"),
    Option("initial_cluster_state", str, "2.3-", "new, or existing to join a cluster that runs"),
    Option("initial_cluster_token", str, "2.3-", "a word of this cluster's own, which keeps it apart from others"),
    Option("key_file", str, "0.4-", "key of cert_file, a path"),
    Option("listen_client_urls", str, "2.3-", "URLs to listen on for clients, separated by commas"),
    Option("listen_peer_urls", str, "2.3-", "URLs to listen on for other members, separated by commas"),
    Option("log_package_levels", str, "2.3-3.4", "levels of packages, as etcdmain=CRITICAL,etcdserver=DEBUG"),
    Option("max_result_buffer", int, "0.4", "most results that are kept for watchers"),
    Option("max_retry_attempts", int, "0.4", "attempts to join a cluster"),
    Option("max_snapshots", int, "2.3-", "snapshot files to keep; 0: all"),
    Option("max_wals", int, "2.3-", "files of the write-ahead log to keep; 0: all"),
    Option("name", str, "0.4-", "the member's name, by which initial_cluster calls it; default: default"),
    Option("peer_addr", str, "0.4", "address and port that other members reach this one at"),
    Option("peer_bind_addr", str, "0.4", "address and port to listen on for other members; default: those of peer_addr"),
    Option("peer_ca_file", str, "0.4-3.3", "CA of the members; peer_trusted_ca_file with peer_client_cert_auth replaces it"),
    Option("peer_cert_file", str, "0.4-", "certificate for other members, a path"),
    Option("peer_election_timeout", int, "0.4", "time without a heartbeat before an election, in milliseconds"),
    Option("peer_heartbeat_interval", int, "0.4", "time between heartbeats of the leader, in milliseconds"),
    Option("peer_key_file", str, "0.4-", "key of peer_cert_file, a path"),
    Option("peer_client_cert_auth", bool, "2.3-", "other members must have a certificate"),
    Option("peer_trusted_ca_file", str, "2.3-", "CA of the members' certificates, a path"),
    Option("peers", str, "0.4", "addresses of members to join, separated by commas"),
    Option("peers_file", str, "0.4", "file with the addresses of members to join"),
    Option("proxy", str, "2.3-", "off, or be a proxy of API v2: on, or readonly to pass reads only"),
    Option("proxy_dial_timeout", int, "2.3-", "limit of a connection attempt, in milliseconds; 0: none"),
    Option("proxy_failure_wait", int, "2.3-", "how long an endpoint that failed is left alone, in milliseconds"),
    Option("proxy_read_timeout", int, "2.3-", "limit of a read, in milliseconds; 0: none"),
    Option("proxy_refresh_interval", int, "2.3-", "time between refreshes of the endpoints, in milliseconds"),
    Option("proxy_write_timeout", int, "2.3-", "limit of a write, in milliseconds; 0: none"),
    Option("retry_interval", float, "0.4", "seconds between attempts to join a cluster"),
    Option("snapshot", bool, "0.4", "write snapshots"),
    Option("snapshot_count", int, "0.4-", "committed transactions after which a snapshot is written"),
    Option("strict_reconfig_check", bool, "2.3-", "refuse changes of members that would lose the quorum"),
    Option("trace", str, "0.4", "whether metrics are collected, and which"),
    Option("trusted_ca_file", str, "2.3-", "CA of client certificates, a path"),
    Option("verbose", bool, "0.4", "log more"),
    Option("very_verbose", bool, "0.4", "log much more"),
    Option("very_very_verbose", bool, "0.4", "log everything"),
    Option("wal_dir", str, "2.3-", "directory of the write-ahead log; default: below data_dir"),
    # 3.0 and later
    Option("discovery_srv_name", str, "3.4-", "end of the names of these SRV records, where a domain has several clusters"),
    Option("auto_compaction_retention", int, "3.0-3.2", "how much history of the keys is kept; hours without a unit; 0: all"),
    Option("auto_compaction_retention", str, "3.3-", "how much history of the keys is kept; hours without a unit; 0: all"),
    Option("auto_compaction_mode", str, "3.3-", "periodic, or revision: what auto_compaction_retention counts"),
    Option("auto_tls", bool, "3.0-", "make certificates for clients that nobody signed"),
    Option("peer_auto_tls", bool, "3.0-", "make certificates for members that nobody signed"),
    Option("metrics", str, "3.1-", "detail of the metrics: basic or extensive"),
    Option("log_output", str, "3.1-3.3", "where the log goes: default, stdout or stderr"),
    Option("log_outputs", str, "3.4-", "where the log goes, separated by commas: default, stdout, stderr or a path"),
    Option("enable_v2", bool, "3.2-", "serve API v2"),
    Option("auth_token", str, "3.2-", "kind of authentication token: simple, or jwt with its options"),
    Option("auth_token_ttl", int, "3.4-", "seconds that a simple token is valid"),
    Option("bcrypt_cost", int, "3.4-", "cost of the hashes of passwords, 4 to 31"),
    Option("quota_backend_bytes", int, "3.3-", "size of the database at which writing ends; 0: 2 GiB"),
    Option("max_txn_ops", int, "3.3-", "most operations of a transaction; default 128"),
    Option("max_request_bytes", int, "3.3-", "largest request, in bytes; default 1.5 MiB"),
    Option("grpc_keepalive_min_time", str, "3.3-", "shortest time between pings of a client, as 5s"),
    Option("grpc_keepalive_interval", str, "3.3-", "time between pings of the server, as 2h; 0: none"),
    Option("grpc_keepalive_timeout", str, "3.3-", "time without an answer before a connection is closed, as 20s"),
    Option("client_crl_file", str, "3.3-", "list of revoked client certificates, a path"),
    Option("peer_crl_file", str, "3.3-", "list of revoked certificates of members, a path"),
    Option("peer_cert_allowed_cn", str, "3.3-", "common name that a member's certificate must have"),
    Option("peer_cert_allowed_hostname", str, "3.4-", "host name that a member's certificate must have"),
    Option("client_cert_allowed_hostname", str, "3.4-", "host name that a client's certificate must have"),
    Option("listen_metrics_urls", str, "3.3-", "more URLs to serve /metrics and /health at, separated by commas"),
    Option("experimental_initial_corrupt_check", bool, "3.3-", "compare the data with other members before serving"),
    Option(
        "experimental_corrupt_check_time",
        str,
        "3.3-",
        "time between comparisons of the data with other members, as 12h; 0s: none",
    ),
    Option("experimental_enable_v2v3", str, "3.3-", "prefix below which API v2 is served from the data of v3"),
    Option("initial_election_tick_advance", bool, "3.4-", "shorten the first election after a start"),
    Option("pre_vote", bool, "3.4-", "ask before an election, so that a member that returns does not end a leader's term"),
    Option("backend_batch_interval", str, "3.4-", "longest time before a batch is committed to the database, as 100ms"),
    Option("backend_batch_limit", int, "3.4-", "most operations before a batch is committed to the database"),
    Option("backend_bbolt_freelist_type", str, "3.5-", "how the database keeps free pages: array or map"),
    Option("cipher_suites", str, "3.4-", "TLS cipher suites, separated by commas; default: chosen by Go"),
    Option("host_whitelist", str, "3.4-", "host names that requests may be for, separated by commas; default: all"),
    Option("logger", str, "3.4-", "how the log is written: zap, or capnslog before 3.5"),
    Option("log_level", str, "3.4-", "debug, info, warn, error, panic or fatal"),
    Option("enable_log_rotation", bool, "3.5-", "rotate the log file of log_outputs"),
    Option("log_rotation_config_json", str, "3.5-", "how the log file is rotated, as JSON"),
    Option("socket_reuse_port", bool, "3.5-", "listen with SO_REUSEPORT"),
    Option("socket_reuse_address", bool, "3.5-", "listen with SO_REUSEADDR"),
    Option("self_signed_cert_validity", int, "3.5-", "years that certificates of auto_tls and peer_auto_tls are valid"),
    Option("unsafe_no_fsync", bool, "3.5-", "do not wait until data is on the disk: a power cut loses it"),
    Option("v2_deprecation", str, "3.5-", "how far API v2 is switched off: not-yet, write-only"),
    Option("experimental_backend_bbolt_freelist_type", str, "3.4", "how the database keeps free pages: array or map"),
    Option("experimental_compaction_batch_limit", int, "3.4-", "most revisions that a step of a compaction deletes"),
    Option("experimental_distributed_tracing_address", str, "3.5-", "address of the collector of traces"),
    Option("experimental_distributed_tracing_instance_id", str, "3.5-", "name of this instance in traces"),
    Option("experimental_distributed_tracing_service_name", str, "3.5-", "name of this service in traces"),
    Option("experimental_enable_distributed_tracing", bool, "3.5-", "send traces (OpenTelemetry)"),
    Option("experimental_enable_lease_checkpoint", bool, "3.4-", "keep the time that leases have left when the leader changes"),
    Option("experimental_txn_mode_write_with_shared_buffer", bool, "3.5-", "transactions that write read from a shared buffer"),
    Option(
        "experimental_warning_apply_duration",
        str,
        "3.4-",
        "time after which a request that is slow to apply has a warning, as 100ms",
    ),
    Option("experimental_watch_progress_notify_interval", str, "3.4-", "time between notices of progress to watchers, as 10m"),
)
# Of every client of etcd
_ENDPOINTS = "URLs of etcd, separated by commas"
_CA, _CERTIFICATE, _KEY = (
    "CA of etcd's certificate, a path",
    "certificate to show etcd, a path",
    "key of that certificate, a path",
)
_USER, _PASSWORD = "user name for etcd", "password for etcd"

FLANNEL = (
    Option("etcd_endpoints", str, "0.5-", _ENDPOINTS),
    Option("etcd_cafile", str, "0.5-", _CA),
    Option("etcd_certfile", str, "0.5-", _CERTIFICATE),
    Option("etcd_keyfile", str, "0.5-", _KEY),
    Option("etcd_prefix", str, "0.5-", "key in etcd below which the network is configured; default /coreos.com/network"),
    Option("etcd_username", str, "0.6-", _USER),
    Option("etcd_password", str, "0.6-", _PASSWORD),
    Option("ip_masq", str, "0.5-", "true: traffic that leaves the overlay network is masqueraded"),
    Option("subnet_file", str, "0.5-", "file that the machine's subnet is written into; default /run/flannel/subnet.env"),
    Option("interface", str, "0.5-", "network interface, or its address, for traffic between machines"),
    Option("public_ip", str, "0.5-", "address that other machines reach this one at"),
    Option("kube_subnet_mgr", bool, "0.7-", "ask Kubernetes for the subnet, not etcd"),
)
FLEET = (
    Option("agent_ttl", str, "", "how long a machine without a sign of life still counts, as 30s"),
    Option("authorized_keys_file", str, "", "keys that may ask for units over SSH"),
    Option("disable_engine", bool, "", "do not schedule units on this machine"),
    Option("engine_reconcile_interval", float, "", "seconds between checks of the schedule"),
    Option("etcd_cafile", str, "", _CA),
    Option("etcd_certfile", str, "", _CERTIFICATE),
    Option("etcd_keyfile", str, "", _KEY),
    Option("etcd_key_prefix", str, "", "key in etcd below which fleet keeps its data"),
    Option("etcd_request_timeout", float, "", "limit of a request to etcd, in seconds"),
    Option("etcd_servers", str, "", _ENDPOINTS),
    Option("etcd_username", str, "", _USER),
    Option("etcd_password", str, "", _PASSWORD),
    Option("metadata", str, "", "what units may ask of a machine, as region=us-west,az=1"),
    Option("public_ip", str, "", "address of this machine, for units"),
    Option("token_limit", int, "", "most entries of a page of the API"),
    Option("verbosity", int, "", "how much is logged, from 0"),
    Option("verify_units", bool, "", "take units only whose signature is right"),
)
LOCKSMITH = (
    Option("endpoint", str, "", _ENDPOINTS),
    Option("etcd_cafile", str, "", _CA),
    Option("etcd_certfile", str, "", _CERTIFICATE),
    Option("etcd_keyfile", str, "", _KEY),
    Option("etcd_username", str, "", _USER),
    Option("etcd_password", str, "", _PASSWORD),
    Option("group", str, "", "group of machines that share a number of locks"),
    Option("window_start", str, "", "when reboots may begin, as 4:00 or Thu 4:00; needs window_length"),
    Option("window_length", str, "", "how long reboots may begin, as 1h30m; needs window_start"),
)
