"""The command `multi`: attributes, SSH keys, host name, network configuration, check-in, in Afterburn's order.

The first failure ends it, and what was written before stays.
"""

from __future__ import annotations

from coreos_metadata.transport import SETTINGS
from coreos_metadata.usage import provider
from ignition import platforms
from ignition.cli.flags import DIRECTORIES, FILES, USERS, Flag
from ignition.errors import Failure, NotHere
from ignition.fetch.engine import Fetcher
from ignition.host import log
from ignition.metadata.table import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values
    from ignition.metadata.reader import Reader
    from ignition.metadata.table import Metadata

FLAGS = (
    Flag("attributes", "", "write an environment file", value="FILE", old="output", offers=FILES),  # its name until 0.3
    Flag("ssh-keys", "", "write the SSH keys of this user", value="USER", offers=USERS),
    Flag("hostname", "", "write the host name", value="FILE", offers=FILES),
    Flag("network-units", "", "write units of systemd-networkd", value="DIR", offers=DIRECTORIES),
    Flag("netplan-config", "", "write 50-afterburn.yaml of netplan", value="DIR", offers=DIRECTORIES),
    Flag("networkmanager-profiles", "", "write profiles of NetworkManager", value="DIR", offers=DIRECTORIES),
    Flag("check-in", False, "tell the platform that the machine has booted"),
)


def run(values: Values) -> None:
    """Read the metadata and write the requested outputs."""
    name = provider(values)
    tables = platforms.metadata(name)
    if not any(values[flag.name] for flag in FLAGS):
        log.warning("nothing to do: no output is requested (see coreos-metadata --help)")
    with Fetcher(SETTINGS, offline=False) as fetcher:
        try:
            with opened(tables, fetcher) as (table, reader):
                _write(values, name, table, reader)
        except NotHere as reason:
            if not any(table.may_be_absent for table in tables):
                fix = "check how the machine was set up, or name its platform"
                raise Failure(str(reason), where=f"platform {name}", fix=fix) from reason
            _write_nothing(values, reason)


def _write(values: Values, name: str, table: Metadata, reader: Reader) -> None:
    from coreos_metadata import outputs, ssh_keys

    if values["attributes"]:
        outputs.write_attributes(values["attributes"], reader.attributes())
    if values["ssh-keys"]:
        ssh_keys.write(values["ssh-keys"], reader.ssh_keys())
    if values["hostname"]:
        found = reader.hostname()
        if found is not None:
            outputs.write_hostname(values["hostname"], found)
    _write_network(values, table, reader)
    if values["check-in"]:
        if table.check_in is None:
            log.warning(f"platform {name} has no check-in; --check-in ignored")
        else:
            table.check_in(reader)


def _write_network(values: Values, table: Metadata, reader: Reader) -> None:
    from coreos_metadata import outputs
    from ignition.network.model import Network

    if values["network-units"] or values["networkmanager-profiles"]:
        network = table.network(reader) if table.network else Network()
        if values["network-units"]:
            outputs.write_networkd(values["network-units"], network)
        if values["networkmanager-profiles"]:
            outputs.write_networkmanager(values["networkmanager-profiles"], network)
    if values["netplan-config"]:
        document = table.netplan(reader) if table.netplan else None
        if document is not None:
            outputs.write_netplan(values["netplan-config"], document)


def _write_nothing(values: Values, reason: NotHere) -> None:
    """For units that read the environment file it must be there; what an earlier boot wrote elsewhere is better than nothing."""
    from coreos_metadata import outputs

    log.warning(f"this machine has no metadata: {reason}")
    if values["attributes"]:
        outputs.write_attributes(values["attributes"], {})
