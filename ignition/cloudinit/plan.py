"""User data and metadata → operations, in order. Pure: the facts were collected before, and nothing is changed here.

There are two parts. The login part comes first: host name, users of all documents, keys of core, imported keys. It is applied
even if the rest has errors, since whoever corrects them must be able to log in. The rest is the network, then for each piece of
user data its files, /etc/environment and units, or its script; if any piece is refused, only the datasource's own settings. For a
single piece this is Container Linux' order; several pieces are Flatcar's. Source: docs/reference/coreos-cloudinit.md §12 and §13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ignition.cloudinit import checks, files, substitution, units, users
from ignition.cloudinit.apply import Changes, Noted
from ignition.cloudinit.datasources import Metadata
from ignition.cloudinit.facts import Facts, Newcomers, clean
from ignition.cloudinit.hostnames import MACHINE_INFO, SetHostname, machine_info
from ignition.cloudinit.model import CloudConfig
from ignition.cloudinit.reading import Reading
from ignition.cloudinit.script import RunScript
from ignition.cloudinit.ssh_keys import CORE, distinct
from ignition.cloudinit.user_data import Part
from ignition.errors import Failure
from ignition.host import hostnames, log
from ignition.operation import Operation
from ignition.patterns import lazy_pattern

KEY_NAME, WORKSPACE = "coreos-cloudinit", "/var/lib/coreos-cloudinit"
_LONGEST_PRETTY = 255
_ODD = lazy_pattern("[^A-Za-z0-9.-]")


class Options:
    """Options of the command line that affect how user data is applied."""

    def __init__(self, key_name: str = KEY_NAME, workspace: str = WORKSPACE) -> None:
        self.key_name, self.workspace = key_name, workspace


class Plan:
    """`parts`: cloud-configs that were read, and scripts. The login part needs only the facts of `facts.probe`."""

    def __init__(self, parts: Sequence[Reading | Part], metadata: Metadata, facts: Facts, options: Options) -> None:
        self._parts, self._metadata, self._facts, self._options = parts, metadata, facts, options
        self.configs = [part for part in parts if isinstance(part, Reading)]
        self._new = Newcomers([reading.config for reading in self.configs], facts)
        self._wrong = [checks.of_login_part(reading.config, facts, self._new) for reading in self.configs]
        self._changes = Changes()
        self._name = ""
        self._origins: dict[Operation, tuple[Reading, str]] = {}

    def login(self) -> list[Operation]:
        """The login part, without the invalid pieces of users, keys and host name."""
        facts, metadata = self._facts, self._metadata
        sound = [checks.login_part(one.config, wrong) for one, wrong in zip(self.configs, self._wrong, strict=True)]
        self._name, pretty = _hostname(sound, metadata, next((one.config.hostname for one in self.configs), ""))
        found: list[Operation] = [SetHostname(self._name)] if self._name else []
        self._from(found, next((one for one in self.configs if one.config.hostname), None), "hostname")
        written = {clean(file.path) for reading in self.configs for file in reading.config.write_files}
        if pretty and MACHINE_INFO in facts.texts and MACHINE_INFO not in written:
            found.append(files.whole(MACHINE_INFO, machine_info(facts.texts[MACHINE_INFO] or "", pretty), facts))
        # Without its invalid users, the others of a document would be counted wrongly.
        sources = [None if wrong else reading for reading, wrong in zip(self.configs, self._wrong, strict=True)]
        for config, source in zip(sound, sources, strict=True):
            found += self._from(users.plan(config.users, facts, self._options.key_name), source)
        keys = _core_keys(sound, metadata)
        if keys and (facts.has_user(CORE) or any(user.name == CORE for config in sound for user in config.users)):
            given = next((one for one in self.configs if one.config.ssh_authorized_keys), None)
            found += self._from([facts.writer.operation("ssh_authorized_keys", CORE, keys, self._options.key_name)], given)
        for config, source in zip(sound, sources, strict=True):
            found += self._from(users.imports(config.users, facts), source)
        return self._noted(found)

    def origin(self, operation: Operation) -> str:
        """The place in the user data that an operation comes from, as NAME:LINE:COLUMN; "" if it is not known."""
        reading, place = self._origins.get(operation, (None, ""))
        return reading.place(place) if reading else ""

    def refusals(self) -> list[Failure]:
        """Why the rest cannot be applied: a Refused for each document with errors. Call `facts.look` before."""
        found: list[Failure] = list(self._facts.problems)
        for reading, wrong in zip(self.configs, self._wrong, strict=True):
            every = [*wrong, *checks.of_the_rest(reading.config, self._facts, self._new)]
            if every or reading.wrong:
                found.append(reading.refused(every))
        if self._metadata.ssh_keys and CORE not in self._new.names and not self._facts.has_user(CORE):
            what = f"the datasource has SSH keys for user {CORE}, which does not exist"
            found.append(Failure(what, fix=f"create {CORE} in the image"))
        return found

    def rest(self, addresses: Mapping[str, str], *, complete: bool) -> list[Operation]:
        """The rest of the user data if `complete`, and /etc/environment. `addresses`: of each token. Raises Failure."""
        variables = {substitution.variable(token): value for token, value in addresses.items()}
        hostname = self._name or self._facts.hostname
        found: list[Operation] = []
        if not self.configs or not complete:
            found += self._noted(files.plan(CloudConfig(), self._facts, self._new, hostname, variables))  # /etc/environment
        for part in self._parts if complete else ():
            if isinstance(part, Reading):
                found += self._noted(self._from(files.plan(part.config, self._facts, self._new, hostname, variables), part))
                found += self._from(units.plan(part.config.coreos, self._changes), part)
            else:
                found.append(RunScript(part.text, part.name, self._options.workspace))
        return found

    def _noted(self, operations: Sequence[Operation]) -> list[Operation]:
        found: list[Operation] = []
        for operation in operations:
            noted = Noted(operation, self._changes)
            if operation in self._origins:
                self._origins[noted] = self._origins[operation]
            found.append(noted)
        return found

    def _from(self, operations: list[Operation], reading: Reading | None, place: str = "") -> list[Operation]:
        """The operations, remembered with the document that they come from."""
        if reading is not None:
            for operation in operations:
                where = place or (operation.origin if isinstance(operation, Noted) else operation.place)
                self._origins[operation] = reading, where
        return operations


def _hostname(configs: Sequence[CloudConfig], metadata: Metadata, refused: str) -> tuple[str, str]:
    """The host name, and the original as a pretty name if it had to be changed; "" for none.

    The first one in user data counts, else the datasource's, else a name derived from one that was `refused`.
    """
    typed = next((config.hostname for config in configs if config.hostname), "")
    given = metadata.hostname.strip()
    short = hostnames.usable(given, "host name of the datasource", short=True) if given else ""
    if typed and short:
        log.warning(f"user data and datasource both have a host name: {typed} is used, {short} ignored")
    # A name derived from a refused one is still better than none: people look for the machine by its name.
    before = typed or given or refused
    name = short if before == given else hostnames.usable(before, "hostname")
    is_pretty = before.isprintable() and len(before) <= _LONGEST_PRETTY and bool(_ODD.search(before))
    return name, before if is_pretty else ""


def _core_keys(configs: Sequence[CloudConfig], metadata: Metadata) -> tuple[str, ...]:
    """The keys of core, without repetitions: those of the user data in order, then the datasource's."""
    texts: list[str] = []
    for config in configs:
        texts += config.ssh_authorized_keys
        for user in config.users:
            texts += user.ssh_authorized_keys if user.name == CORE else ()
    given = distinct(metadata.ssh_keys, "SSH keys of the datasource")
    return tuple(dict.fromkeys((*distinct(tuple(texts), f"SSH keys of user {CORE}"), *given)))
