"""The command `multi`: attributes, SSH keys, host name, network configuration, check-in, in Afterburn's order.

The first failure ends it, and what was written before stays.
"""

from __future__ import annotations

from coreos_metadata.transport import SETTINGS
from coreos_metadata.usage import Parser, provider
from ignition import platforms
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.host import log
from ignition.metadata.service import NotHere
from ignition.metadata.table import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from ignition.metadata.reader import Reader
    from ignition.metadata.table import Metadata

ACTIONS = ("attributes", "ssh_keys", "hostname", "network_units", "netplan_config", "networkmanager_profiles", "check_in")


def parser() -> Parser:
    """The flags."""
    from argparse import SUPPRESS

    made = Parser("coreos-metadata", "Write what the platform says about this machine.")
    made.add_argument("--attributes", metavar="FILE", default="", help="write an environment file")
    made.add_argument("--output", dest="attributes", metavar="FILE", help=SUPPRESS)  # its name until 0.3
    made.add_argument("--ssh-keys", metavar="USER", default="", help="write the SSH keys of this user")
    made.add_argument("--hostname", metavar="FILE", default="", help="write the host name")
    made.add_argument("--network-units", metavar="DIR", default="", help="write systemd-networkd's units")
    made.add_argument("--netplan-config", metavar="DIR", default="", help="write netplan's 50-afterburn.yaml")
    made.add_argument("--networkmanager-profiles", metavar="DIR", default="", help="write NetworkManager's profiles")
    made.add_argument("--check-in", action="store_true", help="tell the platform that the machine has booted")
    return made


def run(options: Namespace) -> None:
    """Read and write what is asked for."""
    name = provider(options)
    tables = platforms.metadata(name)
    if not any(getattr(options, action) for action in ACTIONS):
        log.warning("nothing is asked for: see coreos-metadata --help")
    with Fetcher(SETTINGS, offline=False) as fetcher:
        try:
            with opened(tables, fetcher) as (table, reader):
                _write(options, name, table, reader)
        except NotHere as reason:
            if not any(table.may_be_absent for table in tables):
                fix = "check how the machine was set up, or name its platform"
                raise Failure(str(reason), where=f"platform {name}", fix=fix) from reason
            _write_nothing(options, reason)


def _write(options: Namespace, name: str, table: Metadata, reader: Reader) -> None:
    from coreos_metadata import outputs, ssh_keys

    if options.attributes:
        outputs.write_attributes(options.attributes, reader.attributes())
    if options.ssh_keys:
        ssh_keys.write(options.ssh_keys, reader.ssh_keys())
    if options.hostname:
        found = reader.hostname()
        if found is not None:
            outputs.write_hostname(options.hostname, found)
    _write_network(options, table, reader)
    if options.check_in:
        if table.check_in is None:
            log.warning(f"platform {name} has no check-in: --check-in is ignored")
        else:
            table.check_in(reader)


def _write_network(options: Namespace, table: Metadata, reader: Reader) -> None:
    from coreos_metadata import outputs
    from ignition.network.model import Network

    if options.network_units or options.networkmanager_profiles:
        network = table.network(reader) if table.network else Network()
        if options.network_units:
            outputs.write_networkd(options.network_units, network)
        if options.networkmanager_profiles:
            outputs.write_networkmanager(options.networkmanager_profiles, network)
    if options.netplan_config:
        document = table.netplan(reader) if table.netplan else None
        if document is not None:
            outputs.write_netplan(options.netplan_config, document)


def _write_nothing(options: Namespace, reason: NotHere) -> None:
    """For units that read the environment file it must be there; what an earlier boot wrote elsewhere is better than nothing."""
    from coreos_metadata import outputs

    log.warning(f"this machine has no metadata: {reason}")
    if options.attributes:
        outputs.write_attributes(options.attributes, {})
