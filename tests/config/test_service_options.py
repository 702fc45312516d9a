"""The options of services are those that the reference lists, with their types, in each version."""

import re

import pytest

from ignition.cloudinit import services
from ignition.config.service_options import ETCD, FLANNEL, FLEET, LOCKSMITH, Option, of_version
from ignition.transpile.ct.etcd import _NEW, _OLD
from ignition.transpile.ct.option_table import ARGUMENTS
from tests.programs import TOP

REFERENCE = TOP / "docs/reference"
KINDS = {"s": str, "i": int, "b": bool, "f": float, "": str}
FLANNEL_0_5 = "etcd_endpoints etcd_cafile etcd_certfile etcd_keyfile etcd_prefix ip_masq subnet_file interface public_ip"
FLANNEL_0_6 = f"{FLANNEL_0_5} etcd_username etcd_password"


def listed(page: str, first_cell: str) -> dict[str, type]:
    """The options of a row, in order: `name, data_dir s, max_wals i*`."""
    row = re.search(rf"^\| {re.escape(first_cell)} \| (\w+ ?\w*\*?, .*) \|$", (REFERENCE / page).read_text(), re.MULTILINE)
    assert row, first_cell
    options = [re.sub(r" ?\(.*\)|\*", "", one).split() for one in row[1].split(", ")]
    return {one[0]: KINDS[one[1] if len(one) > 1 else ""] for one in options}


def kinds(options: "list[Option] | tuple[Option, ...]") -> dict[str, type]:
    return {one.name: one.kind for one in options}


@pytest.mark.parametrize("version, cell", [("2.3", "2.x"), ("3.0", "3.0"), ("3.4", "3.4"), ("3.5", "3.5")])
def test_etcd_of_ct(version: str, cell: str) -> None:
    wanted = listed("config-transpiler.md", cell)
    assert kinds(of_version(ETCD, version)) == wanted
    made = _OLD if version == "2.3" else _NEW[int(version[-1])]
    assert getattr(made, ARGUMENTS) == list(wanted)  # in their order on the command line


@pytest.mark.parametrize(
    "version, more",
    [
        ("3.1", "metrics log_output"),
        ("3.2", "metrics log_output enable_v2 auth_token"),
        (
            "3.3",
            "metrics log_output enable_v2 auth_token quota_backend_bytes max_txn_ops max_request_bytes grpc_keepalive_min_time "
            "grpc_keepalive_interval grpc_keepalive_timeout auto_compaction_mode client_crl_file peer_crl_file "
            "peer_cert_allowed_cn listen_metrics_urls experimental_initial_corrupt_check experimental_corrupt_check_time "
            "experimental_enable_v2v3",
        ),
    ],
)
def test_options_that_a_version_of_etcd_adds(version: str, more: str) -> None:
    assert {one.name for one in of_version(ETCD, version)} == {*listed("config-transpiler.md", "3.0"), *more.split()}


@pytest.mark.parametrize(
    "section, cell",
    [(services.Etcd, "etcd"), (services.Etcd2, "etcd2"), (services.Fleet, "fleet"), (services.Locksmith, "locksmith")],
)
def test_section_of_a_cloud_config(section: type[services.Section], cell: str) -> None:
    if cell == "locksmith":  # all texts
        names = "endpoint etcd_cafile etcd_certfile etcd_keyfile etcd_username etcd_password group window_start window_length"
        wanted: dict[str, type] = dict.fromkeys(names.split(), str)
    else:
        wanted = listed("coreos-cloudinit.md", cell)
    found = {name: one.element for name, one in section.keys().items()}
    assert (found, list(found)) == (wanted, list(wanted))


@pytest.mark.parametrize(
    "version, names",
    [
        ("0.5", FLANNEL_0_5),
        ("0.6", FLANNEL_0_6),
        ("0.7", f"{FLANNEL_0_6} kube_subnet_mgr"),
        ("0.12", f"{FLANNEL_0_6} kube_subnet_mgr"),
    ],
)
def test_flannel(version: str, names: str) -> None:
    found = kinds(of_version(FLANNEL, version))
    assert set(found) == set(names.split())
    assert [name for name, kind in found.items() if kind is not str] == (["kube_subnet_mgr"] if "kube" in names else [])


def test_each_option_has_a_meaning() -> None:
    assert [one.name for one in (*ETCD, *FLANNEL, *FLEET, *LOCKSMITH) if len(one.words) < 8] == []


@pytest.mark.parametrize(
    "versions, inside, outside",
    [("", "0.1 9.9", ""), ("2.3", "2.3", "2.2 2.4"), ("2.3-", "2.3 2.10 3.0", "2.2"), ("2.3-3.4", "2.3 3.4", "2.2 3.5 3.10")],
)
def test_range_of_versions(versions: str, inside: str, outside: str) -> None:
    option = Option("a", str, versions, "")
    assert [one for one in (*inside.split(), *outside.split()) if option.is_in(one)] == inside.split()
