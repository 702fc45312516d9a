"""The section `flannel`: options per version, and the drop-in of flanneld.service.

Source: docs/reference/config-transpiler.md §A6.2.
"""

import json

from ignition.config.record import Record, spec
from ignition.config.report import ERROR, WARNING, Finding
from ignition.config.service_options import FLANNEL, of_version
from ignition.transpile.ct import option_table
from ignition.transpile.ct.option_table import arguments, section, text_of
from ignition.transpile.ct.units import Dropin, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.text.yaml_nodes import Mapping

UNIT, DROPIN = "flanneld.service", "20-clct-flannel.conf"
COMMAND = "/usr/lib/coreos/flannel-wrapper $FLANNEL_OPTS"
IMAGE = "FLANNEL_IMAGE_TAG"
_DEFAULT = (0, 6, 0)
_OLDEST = (0, 5, 0)
_RENAMED = {"interface": "iface"}
# Members → arguments of etcdctl, in their order.
_ETCDCTL = (
    ("etcd_endpoints", "endpoints"),
    ("etcd_cafile", "ca-file"),
    ("etcd_certfile", "cert-file"),
    ("etcd_keyfile", "key-file"),
)

_FIRST = ("etcd_username", "etcd_password")  # on the command line


class Flannel(Record):
    """The members of all versions; the options depend on the version."""

    SINCE = "0.0.0"
    version: str | None = spec("version of flannel", default=None)
    network_config: str = spec("a JSON object for etcd", default="")

    @classmethod
    def chosen(cls, node: "Mapping") -> type[Record]:
        """The class of the section's version; Flannel itself, without options, for an unsupported version."""
        said = text_of(node, "version")
        version = _DEFAULT if said is None else option_table.numbers(said)
        if version is None or version < _OLDEST or version[0] > 0:
            return Flannel
        return _MINORS[min(version[1], 7)]


_MINORS = {
    minor: section(
        Flannel, f"Flannel0_{minor}", sorted(of_version(FLANNEL, f"0.{minor}"), key=lambda one: one.name not in _FIRST)
    )
    for minor in (5, 6, 7)
}


def findings(flannel: Flannel) -> "Iterator[Finding]":
    """Findings of the rules of the section."""
    yield from _about_version(flannel.version)
    if not flannel.network_config:
        return
    if getattr(flannel, "kube_subnet_mgr", None):
        message = "flannel network config cannot be provided if kube_subnet_mgr is set"
        yield Finding(ERROR, ("flannel",), message, "remove one of the two")
    try:
        is_object = isinstance(json.loads(flannel.network_config), dict | None)
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        message = "flannel network config doesn't appear to be valid JSON"
        fix = """write an object, such as network_config: '{"Network": "10.1.0.0/16"}'"""
        yield Finding(ERROR, ("flannel", "network_config"), message, fix)


def _about_version(said: str | None) -> "Iterator[Finding]":
    if said is None:
        return
    path = ("flannel", "version")
    version = option_table.numbers(said)
    if version is None:
        yield Finding(ERROR, path, f"{said} is not in dotted-tri format", "write three numbers, such as 0.7.1")
    elif version < _OLDEST:
        yield Finding(ERROR, path, "invalid flannel version (too old)", "use version 0.5.0 or later")
    elif version[0] == 0 and version[1] > 7:
        message = "flannel minor version too new. Only options available in the previous minor version will be supported"
        yield Finding(WARNING, path, message)


def dropin(flannel: Flannel) -> Dropin:
    """The drop-in, before dynamic data is expanded; as in the original, it is not expanded in arguments of etcdctl."""
    made = Dropin(COMMAND, arguments(flannel, _RENAMED))
    if flannel.version is not None:
        made.environment.append(f"{IMAGE}=v{option_table.canonical(flannel.version)}")
    if flannel.network_config:
        given = [(name, getattr(flannel, member, None)) for member, name in _ETCDCTL]
        options = "".join(f" --{name}={quoted(value)}" for name, value in given if value is not None)
        network = quoted(flannel.network_config)
        made.after.append(f"ExecStartPre=/usr/bin/etcdctl{options} set /coreos.com/network/config {network}")
    return made
