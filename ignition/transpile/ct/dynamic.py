"""Dynamic data: `{PRIVATE_IPV4}` and similar words in options of etcd and flannel.

Source: docs/reference/config-transpiler.md §A7.
"""

from __future__ import annotations

HOSTNAME, PRIVATE_4, PUBLIC_4, PRIVATE_6, PUBLIC_6 = "HOSTNAME", "PRIVATE_IPV4", "PUBLIC_IPV4", "PRIVATE_IPV6", "PUBLIC_IPV6"


def _row(prefix: str, **fields: str) -> dict[str, str]:
    return {field: prefix + name for field, name in fields.items()}


# Platform → field → variable of coreos-metadata.
PLATFORMS: dict[str, dict[str, str]] = {
    "azure": _row("COREOS_AZURE_", PRIVATE_IPV4="IPV4_DYNAMIC", PUBLIC_IPV4="IPV4_VIRTUAL"),
    "digitalocean": _row(
        "COREOS_DIGITALOCEAN_",
        HOSTNAME="HOSTNAME",
        PRIVATE_IPV4="IPV4_PRIVATE_0",
        PUBLIC_IPV4="IPV4_PUBLIC_0",
        PRIVATE_IPV6="IPV6_PRIVATE_0",
        PUBLIC_IPV6="IPV6_PUBLIC_0",
    ),
    "ec2": _row("COREOS_EC2_", HOSTNAME="HOSTNAME", PRIVATE_IPV4="IPV4_LOCAL", PUBLIC_IPV4="IPV4_PUBLIC"),
    "gce": _row("COREOS_GCE_", HOSTNAME="HOSTNAME", PRIVATE_IPV4="IP_LOCAL_0", PUBLIC_IPV4="IP_EXTERNAL_0"),
    "packet": _row(
        "COREOS_PACKET_",
        HOSTNAME="HOSTNAME",
        PRIVATE_IPV4="IPV4_PRIVATE_0",
        PUBLIC_IPV4="IPV4_PUBLIC_0",
        PUBLIC_IPV6="IPV6_PUBLIC_0",
    ),
    "openstack-metadata": _row("COREOS_OPENSTACK_", HOSTNAME="HOSTNAME", PRIVATE_IPV4="IPV4_LOCAL", PUBLIC_IPV4="IPV4_PUBLIC"),
    "vagrant-virtualbox": _row("COREOS_VAGRANT_VIRTUALBOX_", HOSTNAME="HOSTNAME", PRIVATE_IPV4="PRIVATE_IPV4"),
    "cloudstack-configdrive": _row("CLOUDSTACK_", HOSTNAME="LOCAL_HOSTNAME"),
    "custom": _row(
        "COREOS_CUSTOM_",
        HOSTNAME="HOSTNAME",
        PRIVATE_IPV4="PRIVATE_IPV4",
        PUBLIC_IPV4="PUBLIC_IPV4",
        PRIVATE_IPV6="PRIVATE_IPV6",
        PUBLIC_IPV6="PUBLIC_IPV6",
    ),
}
_DRIVE = "cloudstack-configdrive"
# coreos-metadata needs a flag for these, since it cannot detect them.
_TOLD = ("openstack-metadata", _DRIVE)
# `ct` lacks the prefix, so that it refers to a variable that does not exist; on the machine the right name is used.
_CLOUDSTACK = _row("COREOS_CLOUDSTACK_", HOSTNAME="LOCAL_HOSTNAME")
# By the machine's id, if the id or the variables differ from ct's.
_MACHINES = {
    "aws": PLATFORMS["ec2"],
    "gcp": PLATFORMS["gce"],
    "openstack": PLATFORMS["openstack-metadata"],
    "vagrant": PLATFORMS["vagrant-virtualbox"],
    "cloudstack": _CLOUDSTACK,
    _DRIVE: _CLOUDSTACK,
    "cloudstack-metadata": _CLOUDSTACK,
}


class Platform:
    """The platform of a translation. `fields`: names in braces → variables; `told`: id to configure in coreos-metadata, or ""."""

    def __init__(self, name: str, fields: dict[str, str], told: str) -> None:
        self.name, self.fields, self.told = name, fields, told


def named(name: str) -> Platform:
    """The platform of `ct`'s flag; "" for none."""
    return Platform(name, PLATFORMS.get(name, {}), name if name in _TOLD else "")


def of_machine(name: str) -> Platform:
    """The platform of a machine's id. coreos-metadata detects all but `cloudstack`, which may be a drive or a service."""
    return Platform(name, _MACHINES.get(name) or PLATFORMS.get(name, {}), _DRIVE if name == "cloudstack" else "")


class Unavailable(Exception):
    """A member uses dynamic data that is not available."""

    def __init__(self, member: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.member, self.message, self.fix = member, message, fix


def is_used(value: str) -> bool:
    """Whether a value uses dynamic data; a single brace counts, as in the original."""
    return "{" in value or "}" in value


def expanded(member: str, value: str, platform: Platform) -> str:
    """The value with each field as a variable that systemd expands when the service starts. Raises Unavailable.

    Unpaired braces, and everything from a } that precedes its {, are unchanged.
    """
    if is_used(value) and not platform.name:
        message = "platform must be specified to use templating"
        raise Unavailable(member, message, f"set the platform with --platform: {', '.join(PLATFORMS)}")
    done, rest = "", value
    while 0 <= (begin := rest.find("{")) < (end := rest.find("}")):
        field = rest[begin + 1 : end]
        if field not in platform.fields:
            names = ", ".join(f"{{{name}}}" for name in platform.fields)
            message = f"platform {platform.name} has no dynamic data {{{field}}}"
            raise Unavailable(member, message, f"use {names}" if names else "write the value itself")
        done += f"{rest[:begin]}${{{platform.fields[field]}}}"
        rest = rest[end + 1 :]
    return done + rest
