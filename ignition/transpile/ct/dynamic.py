"""Dynamic data: `{PRIVATE_IPV4}` and its like in options of etcd and flannel. Source: config-transpiler.md A7."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

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
# Ids of today that are not called so here.
OLD_NAMES = {"aws": "ec2", "gcp": "gce", "openstack": "openstack-metadata", "cloudstack": "cloudstack-configdrive"}
# coreos-metadata must be told of these: the machine does not know by itself.
TOLD = ("openstack-metadata", "cloudstack-configdrive")


class Unavailable(Exception):
    """A value cannot be put in."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


def is_used(values: "Sequence[str]") -> bool:
    """Also by a lone brace."""
    return any("{" in value or "}" in value for value in values)


def expanded(values: "Sequence[str]", platform: str) -> list[str]:
    """Each field as a variable that systemd puts in when the service starts. Raises Unavailable."""
    if not platform:
        message = "platform must be specified to use templating"
        raise Unavailable(message, f"name the platform with --platform: {', '.join(PLATFORMS)}")
    return [_expanded(value, platform) for value in values]


def _expanded(value: str, platform: str) -> str:
    """A value whose first } stands before its first { stays, and so does what has no partner."""
    begin, end = value.find("{"), value.find("}")
    if begin < 0 or end < begin:
        return value
    field = value[begin + 1 : end]
    known = PLATFORMS.get(platform, {})
    if field not in known:
        names = ", ".join(f"{{{name}}}" for name in known)
        raise Unavailable(f"platform {platform} has no dynamic data {{{field}}}", f"it has {names or 'none at all'}")
    return f"{value[:begin]}${{{known[field]}}}{_expanded(value[end + 1 :], platform)}"
