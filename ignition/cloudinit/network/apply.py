"""Units of a converted network, put where networkd looks until the next boot, and the restart that makes them count.

Source: docs/reference/coreos-cloudinit.md §17, §17.4. The order is Flatcar's: the files first, then the links, so that one
restart does.
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
_LIMIT_S = 600.0  # as the services that run us have


def converted(format: str, found: NetworkConfig | None, where: str) -> Network:
    """What --convert-netconf=FORMAT makes of a datasource's network. Raises Failure if it has none, or one of another kind."""
    if found is None:
        raise Failure(f"there is no network to convert from {format}", where=where, fix="leave --convert-netconf out")
    if found.format != format:
        raise Failure(
            f"the network of this source is of the kind {found.format}, not {format}",
            where=where,
            fix=f"use --convert-netconf={found.format}",
        )
    return found.convert()


def plan(network: Network, context: Context) -> list[Operation]:
    """The files, and the restart if one of them is not as it should be."""
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
    """The links that are known by name; of others only networkd knows which they are."""
    names = [one.name for one in network.interfaces if one.name] + [one.name for one in network.devices]
    return list(dict.fromkeys(names))


def _modules(network: Network) -> list[list[str]]:
    """Modules with their parameters. networkd would load them, too, but without those for the first bond."""
    bonds = [one for one in network.devices if one.kind == "bond"]
    vlan = [["8021q"]] if any(one.kind == "vlan" for one in network.devices) else []
    parameters = kernel_parameters(bonds[0].options.get("Bond", {})) if bonds else {}
    return vlan + ([["bonding", *sorted(f"{name}={value}" for name, value in parameters.items())]] if bonds else [])


class RestartNetwork(Operation):
    """Takes links down so that nothing of their old life stays, and lets networkd set them up anew."""

    kind = "restart-network"
    path = NETWORKD

    def __init__(self, links: list[str], modules: list[list[str]]) -> None:
        self._links, self._modules = links, modules

    def describe(self) -> str:
        loaded = f", load {', '.join(one[0] for one in self._modules)}" if self._modules else ""
        down = f"take {', '.join(self._links)} down{loaded}, " if self._links else ""
        return f"{down}restart {NETWORKD}"

    def execute(self, context: Context) -> None:
        """networkd is restarted in any case: a machine whose links were taken down must not stay without a network."""
        taken = [name for name in self._links if _changed(name, up=False)]
        try:
            for module in self._modules:
                command.run(["modprobe", "--", *module], why=f"load the module {module[0]}")
        finally:
            _restart(taken)


def _restart(taken: list[str]) -> None:
    """networkd brings the links up: a card of a bond is down until it has joined. Without networkd they come up as before."""
    try:
        command.run(["systemctl", "restart", NETWORKD], why=f"restart {NETWORKD}", timeout_s=_LIMIT_S)
    except Failure:
        for name in taken:
            _changed(name, up=True)
        raise


def _changed(name: str, *, up: bool) -> bool:
    """Whether the link was in the other state and is not any more. A failure is logged only, as in the original."""
    try:
        if netlink.is_up(name) in (up, None):
            return False
        netlink.set_state(name, up=up)
    except (Failure, OSError) as error:
        log.warning(str(error))
        return False
    return True
