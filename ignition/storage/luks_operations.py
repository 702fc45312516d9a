"""The steps that create an encrypted volume, open it, and bind it; and those that keep one.

Source: docs/reference/ignition-config.md §7.3.

A new volume has the mark UNFINISHED in its header until others than the stage that created it can open it. A power cut before
that costs nothing: the volume does not contain data, and may be recreated.
"""

from __future__ import annotations

import os

from ignition.errors import CommandFailed, Failure, at
from ignition.host import devices, log
from ignition.host.command import run, status_and_output
from ignition.host.printable import shown
from ignition.operation import Context, Left, Operation
from ignition.storage import crypt_mapping, luks_header
from ignition.storage.luks_header import UNFINISHED
from ignition.storage.luks_keys import key_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.model.storage import Luks
    from ignition.storage.clevis import Binding
    from ignition.storage.luks_keys import Keys

FORMAT_TIMEOUT_S = 12 * 3600.0  # --integrity writes the whole device
STEP_TIMEOUT_S = 600.0  # key derivation is calibrated to 2 s; the machine may be busy
UNLOCK_TIMEOUT_S = 300.0
APPEARS_S = 30.0
_NO_KEY_FITS = (1, 2)  # exit statuses of cryptsetup(8): no key slots, none that the key opens


class Volume:
    """One volume of the config and its device. `keys` has its key once it exists."""

    def __init__(self, config: Luks, node: str, where: str, keys: Keys) -> None:
        self.config, self.node, self.where, self.keys = config, node, where, keys
        self.name, self.device = config.name, config.device or ""

    def __repr__(self) -> str:
        return f"Volume({self.name} on {self.device})"


class _Step(Operation):
    """A step on one volume. `keep`: its effect exists already."""

    def __init__(self, volume: Volume, *, keep: bool = False) -> None:
        self.volume, self.path, self.keeps = volume, volume.device, keep

    def already_there(self, context: Context) -> bool:
        return self.keeps

    def execute(self, context: Context) -> None:
        with at(self.volume.where):
            self.act(context)

    def act(self, context: Context) -> None:
        """Make the change. Raises Failure without a place."""
        raise NotImplementedError

    def facts(self) -> dict[str, object]:
        return {"holds": [{"node": self.volume.node, "content": f"LUKS volume {self.volume.name!r}"}]}


class CloseVolume(_Step):
    """Close a volume that will be recreated. Fails if it has come into use meanwhile."""

    kind = "luks-close"

    def describe(self) -> str:
        return f"close {self.volume.name}, which will be recreated ({self.volume.where})"

    def act(self, context: Context) -> None:
        run(["cryptsetup", "close", "--", self.volume.name], why=f"closing {self.volume.name}")


class FormatVolume(_Step):
    """Erase a device's signatures and format it as a LUKS2 volume, marked as unfinished."""

    kind = "luks-format"

    def describe(self) -> str:
        return f"encrypt {self.volume.device} as {self.volume.name} ({self.volume.where})"

    def act(self, context: Context) -> None:
        volume = self.volume
        key = volume.keys.of(volume.name) if volume.config.key_file.source else volume.keys.generate(volume.name)
        run(["wipefs", "-a", volume.node], why=f"erasing the signatures of {volume.device}")
        why = f"encrypting {volume.device}"
        run(format_command(volume.config, volume.node), why=why, stdin=key, timeout_s=FORMAT_TIMEOUT_S)
        devices.settle([volume.node])

    def leaves(self, context: Context) -> Iterator[Left]:
        header = luks_header.read_binary(self.volume.node)
        if header is not None:
            members = {"device": self.volume.device, "uuid": header.uuid}
            yield Left("encrypted volume", self.volume.name, members, place=self.volume.where)


class OpenVolume(_Step):
    """Open a volume with its key. `persistent`: its flags are stored in the header, for later boots."""

    kind = "luks-open"

    def __init__(self, volume: Volume, *, keep: bool = False, persistent: bool = True) -> None:
        super().__init__(volume, keep=keep)
        self._persistent = persistent

    def describe(self) -> str:
        return f"open {self.volume.device} as {self.volume.name} ({self.volume.where})"

    def act(self, context: Context) -> None:
        volume = self.volume
        argv = open_command(volume.config, volume.node, persistent=self._persistent)
        run(argv, why=f"opening {volume.device}", stdin=volume.keys.of(volume.name), timeout_s=STEP_TIMEOUT_S)
        appear(volume.name)


class BindVolume(_Step):
    """Add a key slot that clevis can open. Waits for the tang servers that must answer.

    The config of a pin is an argument of clevis, and of the programs that it starts: `luks bind`, `encrypt` and every pin accept
    it only in this way (clevis 19 to 21; a test notices a change). We never show it: journal, messages and records have "…"
    instead. Processes that may list those of the initramfs while clevis runs (root, and services without ProtectProc=) could read
    it; a namespace would not help, because processes of an inner one are listed in the outer one. It should not contain secrets
    anyway: the pins write the data that they need to unlock, such as the plain address of a tang server, into the volume's
    header, which is not encrypted. The key is passed in a file that only root can read.
    """

    kind = "luks-bind"

    def __init__(self, volume: Volume, binding: Binding, *, keep: bool = False) -> None:
        super().__init__(volume, keep=keep)
        self._binding = binding

    def describe(self) -> str:
        return f"bind {self.volume.name} to {self._binding.describe()} ({self.volume.where})"

    def act(self, context: Context) -> None:
        volume, binding = self.volume, self._binding
        for address in binding.secret_addresses():
            log.warning(
                f"the address {shown(address)} of a tang server has more than is shown here: "
                f"clevis writes it into the header of {volume.name}, which is not encrypted"
            )
        for server in binding.servers:
            _wait_for_server(context, server)
        with key_file(volume.keys.of(volume.name)) as file:
            argv = ["clevis", "luks", "bind", "-f", "-k", file, "-d", volume.node, "--", binding.pin, binding.text]
            try:
                run(argv, why=f"binding {volume.name}", timeout_s=STEP_TIMEOUT_S, hidden=binding.secrets())
            except CommandFailed as failure:
                failure.fix = failure.fix or (
                    "check that the tang servers have the thumbprints of the config (tang-show-keys), and that the TPM works"
                )
                raise


class UnlockVolume(_Step):
    """Open a volume through clevis, as later boots do. `again`: it is open, and closed first."""

    kind = "luks-unlock"

    def __init__(self, volume: Volume, binding: Binding, *, again: bool, keep: bool = False) -> None:
        super().__init__(volume, keep=keep)
        self._binding, self._again = binding, again

    def describe(self) -> str:
        return f"unlock {self.volume.name} through clevis ({self.volume.where})"

    def act(self, context: Context) -> None:
        volume = self.volume
        if self._again:
            run(["cryptsetup", "close", "--", volume.name], why=f"closing {volume.name}")
        argv = ["clevis", "luks", "unlock", "-d", volume.node, "-n", volume.name]
        try:
            run(argv, why=f"unlocking {volume.name}", timeout_s=UNLOCK_TIMEOUT_S, hidden=self._binding.secrets())
        except CommandFailed as failure:
            failure.fix = "check that this machine reaches the tang servers and that its TPM works: later boots need the same"
            raise
        appear(volume.name)


class DropKey(_Step):
    """Remove the generated key, which was only needed until clevis could open the volume."""

    kind = "luks-drop-key"

    def describe(self) -> str:
        return f"remove the generated key of {self.volume.name} ({self.volume.where})"

    def act(self, context: Context) -> None:
        volume = self.volume
        argv = ["cryptsetup", "luksRemoveKey", "--batch-mode", "--key-file=-", volume.node]
        run(argv, why=f"removing a key of {volume.name}", stdin=volume.keys.of(volume.name), timeout_s=STEP_TIMEOUT_S)
        volume.keys.drop(volume.name)


class FinishVolume(_Step):
    """Remove the mark of an unfinished volume from its header."""

    kind = "luks-finish"

    def describe(self) -> str:
        return f"note in its header that {self.volume.name} is complete ({self.volume.where})"

    def already_there(self, context: Context) -> bool:
        header = luks_header.read_binary(self.volume.node)
        return header is None or header.subsystem != UNFINISHED

    def act(self, context: Context) -> None:
        header = luks_header.read_binary(self.volume.node)
        label = header.label if header else ""
        # Both at once: `config` clears the one that is omitted.
        texts = ["--label", label, "--subsystem", own_subsystem(self.volume.config.options)]
        run(["cryptsetup", "config", *texts, self.volume.node], why=f"changing the header of {self.volume.name}")


# A generated key has 32,768 random bits: it cannot be guessed, so a derivation that takes seconds and a gigabyte gains nothing
# (clevis does the same for its own keys). Slow derivation protects keys that a person may have chosen.
QUICK_PBKDF = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"]


def format_command(config: Luks, node: str) -> list[str]:
    """cryptsetup's arguments; the key comes through standard input."""
    argv = ["cryptsetup", "luksFormat", "--type", "luks2", "--batch-mode", "--key-file=-"]
    if config.label:
        argv += ["--label", config.label]
    if config.uuid:
        argv += ["--uuid", config.uuid]
    if not config.key_file.source and not any(_is_about_derivation(option) for option in config.options):
        argv += QUICK_PBKDF
    # The mark comes after the config's own options: the last one of two counts.
    return [*argv, *config.options, "--subsystem", UNFINISHED, "--", node]


def _is_about_derivation(option: str) -> bool:
    """Whether an option says how a key is to be derived; -i is short for --iter-time."""
    return option.startswith(("--pbkdf", "--iter-time", "-i"))


def open_command(config: Luks, node: str, *, persistent: bool) -> list[str]:
    """cryptsetup's arguments; the key comes through standard input."""
    argv = ["cryptsetup", "luksOpen", "--key-file=-"]
    if persistent:
        argv += ["--persistent"]
    if config.discard:
        argv += ["--allow-discards"]
    return [*argv, *config.open_options, "--", node, config.name]


def own_subsystem(options: tuple[str, ...]) -> str:
    """The subsystem in the config's own options; "" without one."""
    found = ""
    for number, option in enumerate(options):
        name, given, value = option.partition("=")
        if name == "--subsystem":
            found = value if given else "".join(options[number + 1 : number + 2])
    return found


def opens(node: str, key: bytes) -> bool:
    """Whether a key opens the volume on a device; the volume is not opened."""
    argv = ["cryptsetup", "open", "--test-passphrase", "--key-file=-", node]
    why = f"trying the key of {node}"
    return status_and_output(argv, why=why, stdin=key, ok=(0, *_NO_KEY_FITS), timeout_s=STEP_TIMEOUT_S)[0] == 0


def unlocks(node: str, slot: int, binding: Binding) -> str:
    """Why clevis cannot open a key slot now; "" if it can. The volume is not opened."""
    argv = ["clevis", "luks", "unlock", "-d", node, "-t", str(slot)]
    try:
        run(argv, why=f"trying slot {slot}", timeout_s=UNLOCK_TIMEOUT_S, hidden=binding.secrets())
    except CommandFailed as failure:
        return failure.what
    return ""


def unlocks_in_the_end(node: str, slot: int, binding: Binding, context: Context) -> str:
    """As `unlocks`; tried again when the tang servers answer: clevis asks once, and the network may not be up yet."""
    reason = unlocks(node, slot, binding)
    if not reason or not binding.servers:
        return reason
    try:
        for server in binding.servers:
            _wait_for_server(context, server)
    except Failure as failure:
        log.warning(str(failure))
        return reason
    return unlocks(node, slot, binding)


def appear(name: str) -> None:
    """Wait until an opened volume has all of its links."""
    path = crypt_mapping.path_of(name)
    devices.wait_for([path], timeout_s=APPEARS_S)
    devices.settle([os.path.realpath(path)])


def _wait_for_server(context: Context, url: str) -> None:
    """Returns when a tang server answers: it may be on a network that is not up yet, and clevis asks once."""
    from ignition.config.model import Resource

    place = f"clevis.tang ({shown(url)})"
    try:
        content = context.fetcher.read(Resource(source=f"{url.rstrip('/')}/adv"))
    except Failure as failure:
        failure.where = place
        raise
    if not content:
        raise Failure("the advertisement is empty", where=place, fix="check that this is the address of a tang server")
