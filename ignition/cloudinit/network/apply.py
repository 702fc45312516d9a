"""Units of a converted network, written to networkd's runtime directory, and the restart that activates them.

Source: docs/reference/coreos-cloudinit.md §17, §17.4. The order is Flatcar's: first the files, then the links, so that a single
restart is enough.
"""

from __future__ import annotations

import base64

from ignition.config.model import Resource
from ignition.config.model.storage import File
from ignition.errors import Failure
from ignition.host import command, log, netlink
from ignition.network import networkd
from ignition.network.bonding import kernel_parameters
from ignition.operation import Context, Operation
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.attempt import Attempt, Entry
from ignition.sysroot.files import PutFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cloudinit.datasources import NetworkConfig
    from ignition.host.root import Root
    from ignition.network.model import Network

DIRECTORY, MODE = "/run/systemd/network", 0o644
NETWORKD = "systemd-networkd.service"
_LIMIT_S = 600.0  # like the services that run this program


def converted(format: str, found: NetworkConfig | None, where: str) -> Network:
    """A datasource's network for --convert-netconf=FORMAT. Raises Failure if it has none, or one in another format."""
    if found is None:
        raise Failure(f"the datasource has no network to convert from {format}", where=where, fix="remove --convert-netconf")
    if found.format != format:
        raise Failure(
            f"the network of this datasource has the format {found.format}, not {format}",
            where=where,
            fix=f"use --convert-netconf={found.format}",
        )
    return found.convert()


def plan(network: Network, context: Context) -> list[Operation]:
    """The files, and a restart unless all of them are in place."""
    accounts = AccountDatabase(context.root)
    put = [_put(name, content, context.root, accounts) for name, content in networkd.files(network, networkd.CLOUDINIT).items()]
    if all(one.already_there(context) for one in put):
        return [*put]
    return [*put, RestartNetwork(_links(network), _modules(network))]


def _put(name: str, content: str, root: Root, accounts: AccountDatabase) -> PutFile:
    path = f"{DIRECTORY}/{name}"
    source = f"data:;base64,{base64.b64encode(content.encode()).decode()}"
    node = File(path=path, contents=Resource(source=source), mode=MODE, overwrite=True)
    return PutFile(Entry(f"network unit {name}", node, root.resolve(path)), node, accounts, Attempt())


def _links(network: Network) -> list[str]:
    """The names of links; only networkd can tell which links match by other properties."""
    names = [one.name for one in network.interfaces if one.name] + [one.name for one in network.devices]
    return list(dict.fromkeys(names))


def _modules(network: Network) -> list[list[str]]:
    """Modules with their parameters. networkd would load them as well, but without parameters for the first bond."""
    bonds = [one for one in network.devices if one.kind == "bond"]
    vlan = [["8021q"]] if any(one.kind == "vlan" for one in network.devices) else []
    parameters = kernel_parameters(bonds[0].options.get("Bond", {})) if bonds else {}
    return vlan + ([["bonding", *sorted(f"{name}={value}" for name, value in parameters.items())]] if bonds else [])


class RestartNetwork(Operation):
    """Takes links down to discard their old configuration, and has networkd configure them again."""

    kind = "restart-network"
    path = NETWORKD

    def __init__(self, links: list[str], modules: list[list[str]]) -> None:
        self._links, self._modules = links, modules

    def describe(self) -> str:
        loaded = f", load {', '.join(one[0] for one in self._modules)}" if self._modules else ""
        down = f"take {', '.join(self._links)} down{loaded}, " if self._links else ""
        return f"{down}restart {NETWORKD}"

    def execute(self, context: Context) -> None:
        """networkd is restarted even if a module fails to load: the links are down, and the machine must get its network back."""
        taken = [name for name in self._links if _changed(name, up=False)]
        try:
            for module in self._modules:
                command.run(["modprobe", "--", *module], why=f"load the module {module[0]}")
        finally:
            # networkd brings the links up itself, since a card must be down when it joins a bond; without networkd we do.
            try:
                command.run(["systemctl", "restart", NETWORKD], why=f"restart {NETWORKD}", timeout_s=_LIMIT_S)
            except Failure:
                for name in taken:
                    _changed(name, up=True)
                raise


def _changed(name: str, *, up: bool) -> bool:
    """Whether the link's state was changed. A failure is only logged, as in the original."""
    try:
        if netlink.is_up(name) in (up, None):
            return False
        netlink.set_state(name, up=up)
    except (Failure, OSError) as error:
        log.warning(str(error))
        return False
    return True
