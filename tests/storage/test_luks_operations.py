"""The programs that each step on a volume runs, in which order and with which key, without a device mapper."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ignition.config.model import Resource
from ignition.config.model.storage import Clevis, Luks, Tang
from ignition.errors import CommandFailed, Failure
from ignition.host import devices, log
from ignition.host.root import Root
from ignition.operation import Context
from ignition.storage import crypt_mapping, luks_keys
from ignition.storage import luks_operations as steps
from ignition.storage.clevis import Binding
from ignition.storage.luks_keys import Keys
from ignition.storage.luks_operations import Volume

from .luks_images import WHERE, bound

NODE = "/dev/vdb1"
TANGS = Clevis(tang=(Tang(url="http://t/x/", thumbprint="T"), Tang(url="http://u:p@v", thumbprint="V")), tpm2=True)


class Machine:
    """The programs that ran, each with its standard input, between the devices that were waited for; and the servers asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        self.did: list[object] = []
        self.answer: bytes | Failure = b"{}"
        self.status, self.failing, self.hidden = 0, "", set[str]()
        monkeypatch.setattr(steps, "run", self._run)
        monkeypatch.setattr(steps, "status_and_output", lambda argv, **given: (self.status, self._run(argv, **given)))
        monkeypatch.setattr(devices, "wait_for", lambda paths, **_: self.did.append(f"wait for {' '.join(paths)}"))
        monkeypatch.setattr(devices, "settle", lambda nodes: self.did.append(f"settle {' '.join(nodes)}"))
        monkeypatch.setattr(crypt_mapping, "path_of", lambda name: f"{directory}/{name}")
        monkeypatch.setattr(steps, "key_file", lambda key: luks_keys.key_file(key, base=str(directory)))
        (directory / "data").symlink_to("/dev/null")

    def _run(self, argv: list[str], *, stdin: bytes = b"", hidden: tuple[str, ...] = (), ok: Any = (0,), **_: Any) -> str:
        if self.status not in ok or (self.failing and self.failing in argv):
            raise CommandFailed("exit status 1", status=1)
        if "-k" in argv:
            place = argv.index("-k") + 1
            stdin, argv = Path(argv[place]).read_bytes(), [*argv[:place], "KEYFILE", *argv[place + 1 :]]
        self.hidden |= set(hidden)
        self.did.append((" ".join(argv), stdin) if stdin else " ".join(argv))
        return ""

    def read(self, resource: Resource) -> bytes:
        """As a fetcher."""
        self.did.append(f"fetch {resource.source}")
        if isinstance(self.answer, Failure):
            raise self.answer
        return self.answer


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    log.configure(stage="test", to_stdout=True)
    return Machine(monkeypatch, tmp_path)


def volume(**members: Any) -> Volume:
    keys = Keys()
    keys.put("data", b"KEY")
    return Volume(Luks(name="data", device="/dev/disk/by-partlabel/x", **members), NODE, WHERE, keys)


def binding(clevis: Clevis = TANGS) -> Binding:
    return bound(clevis)


CLOSE = "cryptsetup close -- data"
UNLOCK = f"clevis luks unlock -d {NODE} -n data"


@pytest.mark.parametrize(
    ("step", "did"),
    [
        pytest.param(lambda: steps.CloseVolume(volume()), [CLOSE], id="close"),
        pytest.param(
            lambda: steps.FormatVolume(volume(key_file=Resource(source="data:,KEY"))),
            [
                f"wipefs -a {NODE}",
                (
                    f"cryptsetup luksFormat --type luks2 --batch-mode --key-file=- --subsystem ignition-unfinished -- {NODE}",
                    b"KEY",
                ),
                f"settle {NODE}",
            ],
            id="format with the key of the config",
        ),
        pytest.param(
            lambda: steps.OpenVolume(volume()),
            [
                (f"cryptsetup luksOpen --key-file=- --persistent -- {NODE} data", b"KEY"),
                "wait for {tmp}/data",
                "settle /dev/null",
            ],
            id="open a new one",
        ),
        pytest.param(
            lambda: steps.OpenVolume(volume(), persistent=False),
            [(f"cryptsetup luksOpen --key-file=- -- {NODE} data", b"KEY"), "wait for {tmp}/data", "settle /dev/null"],
            id="open one whose header stays",
        ),
        pytest.param(
            lambda: steps.UnlockVolume(volume(), binding(), again=True),
            [CLOSE, UNLOCK, "wait for {tmp}/data", "settle /dev/null"],
            id="close and unlock",
        ),
        pytest.param(
            lambda: steps.UnlockVolume(volume(), binding(), again=False),
            [UNLOCK, "wait for {tmp}/data", "settle /dev/null"],
            id="unlock one that is closed",
        ),
        pytest.param(
            lambda: steps.DropKey(volume()),
            [(f"cryptsetup luksRemoveKey --batch-mode --key-file=- {NODE}", b"KEY")],
            id="drop the key",
        ),
        pytest.param(
            lambda: steps.BindVolume(volume(), binding()),
            [
                "fetch http://t/x/adv",
                "fetch http://u:p@v/adv",
                (f"clevis luks bind -f -k KEYFILE -d {NODE} -- sss {binding().text}", b"KEY"),
            ],
            id="bind, when every server answers",
        ),
    ],
)
def test_step_runs_its_programs(
    machine: Machine, tmp_path: Path, context: Context, step: Callable[[], steps._Step], did: list[object]
) -> None:
    made = step()
    assert not made.already_there(context)
    made.execute(Context(Root("/"), machine))  # type: ignore[arg-type]
    assert machine.did == [one.format(tmp=tmp_path) if isinstance(one, str) else one for one in did]
    assert made.path == "/dev/disk/by-partlabel/x"


@pytest.mark.parametrize("step", [steps.CloseVolume, steps.FormatVolume, steps.OpenVolume, steps.DropKey])
def test_step_whose_effect_exists_is_not_run(step: Callable[..., steps._Step], context: Context) -> None:
    assert step(volume(), keep=True).already_there(context)
    assert steps.BindVolume(volume(), binding(), keep=True).already_there(context)
    assert steps.UnlockVolume(volume(), binding(), again=False, keep=True).already_there(context)


def test_volume_without_a_key_file_gets_a_generated_key(machine: Machine, context: Context) -> None:
    made = volume()
    steps.FormatVolume(made).execute(context)
    key = made.keys.of("data")
    assert len(key) == 8192
    assert [one[1] for one in machine.did if isinstance(one, tuple)] == [key]


def test_dropped_key_is_forgotten(machine: Machine, context: Context) -> None:
    made = volume()
    steps.DropKey(made).execute(context)
    assert made.keys.get("data") is None


def test_messages_of_clevis_hide_its_config_and_credentials(machine: Machine) -> None:
    context = Context(Root("/"), machine)  # type: ignore[arg-type]
    for step in (steps.BindVolume(volume(), binding()), steps.UnlockVolume(volume(), binding(), again=True)):
        machine.hidden.clear()
        step.execute(context)
        assert machine.hidden == {binding().text, "http://u:p@v"}
    machine.hidden.clear()
    assert steps.unlocks(NODE, 3, binding()) == ""
    assert machine.did[-1] == f"clevis luks unlock -d {NODE} -t 3"
    assert machine.hidden == {binding().text, "http://u:p@v"}


@pytest.mark.parametrize(
    ("step", "program", "fix"),
    [
        pytest.param(
            lambda: steps.BindVolume(volume(), binding()),
            "bind",
            "check that the tang servers have the thumbprints of the config (tang-show-keys), and that the TPM works",
            id="bind",
        ),
        pytest.param(
            lambda: steps.UnlockVolume(volume(), binding(), again=True),
            "unlock",
            "check that this machine reaches the tang servers and that its TPM works: later boots need the same",
            id="unlock",
        ),
        pytest.param(lambda: steps.CloseVolume(volume()), "close", "", id="close"),
    ],
)
def test_failing_program_ends_the_step(machine: Machine, step: Callable[[], steps._Step], program: str, fix: str) -> None:
    machine.failing = program
    with pytest.raises(CommandFailed) as caught:
        step().execute(Context(Root("/"), machine))  # type: ignore[arg-type]
    assert (caught.value.what, caught.value.where, caught.value.fix) == ("exit status 1", WHERE, fix)


@pytest.mark.parametrize(
    ("answer", "what", "fix"),
    [
        pytest.param(Failure("no route", where="http://t/x/adv"), "no route", "", id="no answer"),
        pytest.param(b"", "the advertisement is empty", "check that this is the address of a tang server", id="empty"),
    ],
)
def test_server_without_an_advertisement_ends_the_binding(machine: Machine, answer: bytes | Failure, what: str, fix: str) -> None:
    machine.answer = answer
    with pytest.raises(Failure) as caught:
        steps.BindVolume(volume(), binding()).execute(Context(Root("/"), machine))  # type: ignore[arg-type]
    assert (caught.value.what, caught.value.where, caught.value.fix) == (what, f"{WHERE}.clevis.tang (http://t/x/)", fix)
    assert machine.did == ["fetch http://t/x/adv"]


@pytest.mark.parametrize(("status", "opens"), [(0, True), (1, False), (2, False)])
def test_key_is_tried_without_opening(machine: Machine, status: int, opens: bool) -> None:
    machine.status = status
    assert steps.opens(NODE, b"KEY") is opens
    assert machine.did == [(f"cryptsetup open --test-passphrase --key-file=- {NODE}", b"KEY")]


def test_other_failure_of_a_try_is_not_a_wrong_key(machine: Machine) -> None:
    machine.status = 5
    with pytest.raises(CommandFailed):
        steps.opens(NODE, b"KEY")


def test_record_has_what_the_device_holds() -> None:
    expected = {"holds": [{"node": NODE, "content": "LUKS volume 'data'"}]}
    assert [one.facts() for one in (steps.FormatVolume(volume()), steps.OpenVolume(volume(), keep=True))] == [expected, expected]
