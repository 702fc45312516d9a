"""The flags for datasources, and the OEM presets that set them. Source: docs/reference/coreos-cloudinit.md §2 and §3."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from ignition.cloudinit.datasources import Datasource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LINK_LOCAL = "http://169.254.169.254/"


class Source:
    """A flag and its datasource: `name` in a module of this package, called with the flag's value or with `argument`."""

    def __init__(self, flag: str, module: str, name: str, doc: str, *, value: str = "", argument: str | None = None) -> None:
        self.flag, self.module, self.name, self.doc, self.value, self.argument = flag, module, name, doc, value, argument

    def make(self, given: Any) -> Datasource:
        """The datasource. Only its module is loaded."""
        maker = getattr(import_module(f"{__package__}.{self.module}"), self.name)
        arguments = [given] if self.value else [] if self.argument is None else [self.argument]
        source: Datasource = maker(*arguments)
        return source


SOURCES = (
    Source("from-file", "file", "LocalFile", "read user data from a file", value="FILE"),
    Source("from-url", "url", "Url", "fetch user data from a URL", value="URL"),
    Source("from-configdrive", "configdrive", "ConfigDrive", "read a mounted config drive of OpenStack", value="DIRECTORY"),
    Source(
        "from-metadata-service", "ec2", "ec2", f"deprecated: the same as -from-ec2-metadata={LINK_LOCAL}", argument=LINK_LOCAL
    ),
    Source("from-ec2-metadata", "ec2", "ec2", "ask an EC2-style metadata service", value="URL"),
    Source("from-gce-metadata", "gce", "gce", "ask the metadata service of Google Compute Engine", value="URL"),
    Source("from-cloudsigma-metadata", "cloudsigma", "ServerContext", "read CloudSigma's server context from the serial port"),
    Source("from-digitalocean-metadata", "digitalocean", "digitalocean", "ask DigitalOcean's metadata service", value="URL"),
    Source("from-waagent", "waagent", "WindowsAzureAgent", "read the directory of Azure's agent", value="DIRECTORY"),
    Source("from-packet-metadata", "packet", "packet", "ask Packet's metadata service", value="URL"),
    Source("from-proc-cmdline", "url", "ProcCmdline", "fetch from the URL that the kernel argument cloud-config-url= names"),
    Source("from-vmware-guestinfo", "vmware", "GuestInfo", "read VMware's guestinfo variables"),
    Source("from-vmware-ovf-env", "vmware", "OvfEnvironment", "read VMware's OVF environment from a file", value="FILE"),
)

PRESETS: dict[str, dict[str, Any]] = {
    "digitalocean": {"from-digitalocean-metadata": LINK_LOCAL},
    "ec2-compat": {"from-ec2-metadata": LINK_LOCAL, "from-configdrive": "/media/configdrive"},
    "gce": {"from-gce-metadata": "http://metadata.google.internal/"},
    "azure": {"from-waagent": "/var/lib/waagent"},
    "cloudsigma": {"from-cloudsigma-metadata": True},
    "vmware": {"from-vmware-guestinfo": True, "convert-netconf": "vmware"},
    "packet": {"from-packet-metadata": "https://metadata.packet.net/"},
    "rackspace-onmetal": {"from-configdrive": "/media/configdrive", "convert-netconf": "debian"},
}


def made(values: Mapping[str, Any]) -> list[Datasource]:
    """The datasources that the flags select, in a fixed order."""
    return [source.make(values[source.flag]) for source in SOURCES if values[source.flag]]
