"""User data and metadata → operations, in order. Pure: what is there was looked at before, and nothing is changed here.

Order: network, host name, users of all parts, keys of core, then part by part its files, /etc/environment and units, or its
script. For a single part this is Container Linux' order; several parts are Flatcar's. Source: coreos-cloudinit.md 12 and 13.
"""

from ignition.cloudinit import checks, files, substitution, units, users
from ignition.cloudinit.changes import Changes, Noted
from ignition.cloudinit.facts import Facts, Newcomers
from ignition.cloudinit.hostnames import SetHostname, is_name, shortened
from ignition.cloudinit.metadata import Metadata
from ignition.cloudinit.model import CloudConfig
from ignition.cloudinit.reading import Reading
from ignition.cloudinit.script import RunScript
from ignition.cloudinit.ssh_keys import CORE, trimmed
from ignition.cloudinit.user_data import Part
from ignition.errors import Failure
from ignition.host import log
from ignition.operation import Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEY_NAME, WORKSPACE = "coreos-cloudinit", "/var/lib/coreos-cloudinit"


class Options:
    """What the command line says about applying."""

    def __init__(self, key_name: str = KEY_NAME, workspace: str = WORKSPACE) -> None:
        self.key_name, self.workspace = key_name, workspace


def plan(
    parts: "Sequence[Reading | Part]",
    metadata: Metadata,
    facts: Facts,
    addresses: "Mapping[str, str]",
    options: Options,
    network: "Sequence[Operation]" = (),
) -> list[Operation]:
    """All operations. `parts`: cloud-configs that were read, and scripts. `addresses`: of each token.

    Raises Refused or Failure for anything that cannot be done.
    """
    configs = [part for part in parts if isinstance(part, Reading)]
    new = Newcomers([reading.config for reading in configs], facts)
    _check(configs, metadata, facts, new)
    changes = Changes()
    name = _hostname(configs, metadata)
    variables = {substitution.variable(token): value for token, value in addresses.items()}
    found: list[Operation] = [*network]
    found += [Noted(SetHostname(name), changes)] if name else []
    for reading in configs:
        found += _noted(users.plan(reading.config.users, facts, options.key_name), changes)
    keys = _core_keys(configs, metadata)
    if keys:
        found += _noted([facts.writer.operation("ssh_authorized_keys", CORE, keys, options.key_name)], changes)
    if not configs:
        found += _noted(files.plan(CloudConfig(), facts, new, name or facts.hostname, variables), changes)  # /etc/environment
    for part in parts:
        if isinstance(part, Reading):
            found += _noted(files.plan(part.config, facts, new, name or facts.hostname, variables), changes)
            found += units.plan(part.config.coreos, changes)
        else:
            found.append(RunScript(part.text, part.name, options.workspace))
    return found


def _noted(operations: "Sequence[Operation]", changes: Changes) -> list[Operation]:
    return [Noted(operation, changes) for operation in operations]


def _check(configs: "Sequence[Reading]", metadata: Metadata, facts: Facts, new: Newcomers) -> None:
    for reading in configs:
        wrong = checks.findings(reading.config, facts, new)
        if wrong:
            raise reading.refused(wrong)
    if metadata.ssh_keys and CORE not in new.names and not facts.has_user(CORE):
        raise Failure(f"the datasource has SSH keys for the user {CORE}, who does not exist", fix=f"create {CORE} in the image")


def _hostname(configs: "Sequence[Reading]", metadata: Metadata) -> str:
    """The first that the user data has, else the datasource's."""
    typed = next((reading.config.hostname for reading in configs if reading.config.hostname), "")
    given = shortened(metadata.hostname)
    if typed and given:
        log.warning(f"user data and datasource both have a host name: {typed} counts, not {given}")
    if given and not typed and not is_name(given):
        raise Failure("the datasource's host name is none", fix="use letters, digits and dashes")
    return typed or given


def _core_keys(configs: "Sequence[Reading]", metadata: Metadata) -> tuple[str, ...]:
    """User data first, in the order of the text; then the datasource's. Each once."""
    keys: list[str] = []
    for reading in configs:
        keys += reading.config.ssh_authorized_keys
        for user in reading.config.users:
            keys += user.ssh_authorized_keys if user.name == CORE else ()
    return trimmed((*keys, *metadata.ssh_keys))
