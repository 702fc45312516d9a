"""Volumes in image files, made by our own command lines: cryptsetup and clevis write them, we read them back.

What needs no device mapper: it is the kernel's, and the VM case `luks` has it.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ignition.config.model import Resource
from ignition.config.model.storage import Clevis, ClevisCustom, Luks, Tang
from ignition.errors import CommandFailed, Failure
from ignition.host import log
from ignition.host.command import run
from ignition.host.root import Root
from ignition.operation import Context
from ignition.storage import clevis, luks, luks_header, luks_keys
from ignition.storage import luks_operations as steps
from ignition.storage.clevis import Binding
from ignition.storage.luks_header import UNFINISHED, Header
from ignition.storage.luks_keys import Keys
from ignition.storage.luks_operations import QUICK_PBKDF, Volume
from ignition.storage.signatures import probe
from tests.loop_devices import MakeLoop

UUID = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
WHERE = "$.storage.luks.0"
SECRET = "SECRET-of-a-person"
GIVEN = Resource(source=f"data:,{SECRET}")
TANGD, KEYGEN = "/usr/libexec/tangd", "/usr/libexec/tangd-keygen"


class Image:
    """One image file, and the volume of a config that is made of it."""

    def __init__(self, path: Path, **members: Any) -> None:
        if not path.is_block_device():
            with path.open("wb") as file:
                file.truncate(24 << 20)
        self.node, self.keys = str(path), Keys()
        members.setdefault("options", tuple(QUICK_PBKDF) if "key_file" in members else ())
        self.volume = Volume(Luks(name="data", device=self.node, **members), self.node, WHERE, self.keys)
        if "key_file" in members:
            self.keys.put("data", SECRET.encode())

    def metadata(self) -> dict[str, Any]:
        return dict(json.loads(run(["cryptsetup", "luksDump", "--dump-json-metadata", self.node], why="looking")))

    @property
    def header(self) -> Header:
        found = luks_header.read(self.node)
        assert found is not None
        return found


@pytest.fixture(autouse=True)
def no_udev(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file is nothing that udev knows; key files go where this test can look."""
    log.configure(stage="test", to_stdout=True)
    monkeypatch.setattr("ignition.host.devices.UDEV_CONTROL", str(tmp_path / "no-udev"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "volume.img"


def bound(clevis_config: Clevis) -> Binding:
    found = clevis.wanted(clevis_config, WHERE)
    assert found is not None
    return found


def custom(pin: str, config: object) -> Clevis:
    return Clevis(custom=ClevisCustom(pin=pin, config=json.dumps(config)))


def test_header_is_read_as_cryptsetup_shows_it(path: Path, context: Context) -> None:
    image = Image(path, key_file=GIVEN, label="my data", uuid=UUID.upper())
    assert luks_header.read_binary(image.node) is None
    steps.FormatVolume(image.volume).execute(context)
    header, signature = image.header, probe(image.node)
    assert (header.label, header.subsystem, header.uuid) == ("my data", UNFINISHED, UUID)
    assert (header.flags, header.tokens) == (frozenset(), ())
    assert (signature.format, signature.label, signature.uuid) == ("crypto_LUKS", "my data", UUID)
    dump = run(["cryptsetup", "luksDump", image.node], why="looking")
    for line in (f"UUID:          \t{UUID}", "Label:         \tmy data", f"Subsystem:     \t{UNFINISHED}"):
        assert line in dump


@pytest.mark.parametrize("label", ["n" * 47, "ünïcödé", "with 'quotes' and $(words)", "-dash"])
def test_labels_survive_formatting_and_the_end_of_the_mark(path: Path, context: Context, label: str) -> None:
    image = Image(path, label=label)
    steps.FormatVolume(image.volume).execute(context)
    steps.FinishVolume(image.volume).execute(context)
    assert (image.header.label, image.header.subsystem) == (label, "")


@pytest.mark.parametrize(
    ("members", "kdf"),
    [
        pytest.param({}, {"type": "pbkdf2", "iterations": 1000}, id="generated key"),
        pytest.param({"options": ("--pbkdf", "argon2id", "--pbkdf-force-iterations", "4", "--pbkdf-memory", "32")},
                     {"type": "argon2id", "time": 4, "memory": 32}, id="generated key, derivation of one's own"),
        pytest.param({"options": ("-i", "20", "--pbkdf-memory=64")}, {"type": "argon2id"}, id="generated key, iteration time"),
        pytest.param({"key_file": GIVEN, "options": ("-i20",)}, {"type": "argon2id"}, id="key that somebody may guess"),
    ],
)  # fmt: skip
def test_derivation_of_keys(path: Path, context: Context, members: dict[str, Any], kdf: dict[str, object]) -> None:
    image = Image(path, **members)
    steps.FormatVolume(image.volume).execute(context)
    slot = image.metadata()["keyslots"]["0"]["kdf"]
    assert {name: slot[name] for name in kdf} == kdf
    assert steps.opens(image.node, image.keys.of("data"))


def test_options_of_the_config_reach_cryptsetup_and_its_subsystem_comes_last(path: Path, context: Context) -> None:
    options = (
        "--sector-size",
        "4096",
        "--subsystem",
        "own",
        "--luks2-keyslots-size",
        "1M",
        "--cipher=aes-cbc-essiv:sha256",
        "-s256",
    )
    image = Image(path, options=options)
    steps.FormatVolume(image.volume).execute(context)
    segment = image.metadata()["segments"]["0"]
    assert (segment["sector_size"], segment["encryption"]) == (4096, "aes-cbc-essiv:sha256")
    assert (image.metadata()["config"]["keyslots_size"], image.header.subsystem) == (str(1 << 20), UNFINISHED)
    finish = steps.FinishVolume(image.volume)
    assert not finish.already_there(context)
    finish.execute(context)
    assert finish.already_there(context)
    assert image.header.subsystem == "own"


def test_flags_of_the_header_are_found(path: Path, context: Context) -> None:
    image = Image(path)
    steps.FormatVolume(image.volume).execute(context)
    for flags in ({"allow-discards"}, {"allow-discards", "no-read-workqueue"}):
        # What `luksOpen --persistent` does needs the device mapper: the header is written as it would be.
        _change(image.node, image.metadata() | {"config": {**image.metadata()["config"], "flags": sorted(flags)}})
        assert image.header.flags == flags


def _change(node: str, metadata: dict[str, Any]) -> None:
    """Replace both JSON areas, with their checksums: LUKS2 On-Disk Format Specification, 2.1 and 2.2."""
    import hashlib

    with open(node, "r+b") as file:
        size = int.from_bytes(file.read(16)[8:], "big")
        for offset in (0, size):
            file.seek(offset)
            area = bytearray(file.read(size))
            area[4096:] = json.dumps(metadata).encode().ljust(size - 4096, b"\0")
            area[448:512] = bytes(64)
            area[448:480] = hashlib.sha256(area).digest()
            file.seek(offset)
            file.write(area)


def test_key_is_tried_without_opening(path: Path, context: Context) -> None:
    image = Image(path, key_file=GIVEN)
    steps.FormatVolume(image.volume).execute(context)
    assert steps.opens(image.node, SECRET.encode())
    assert not steps.opens(image.node, SECRET.encode() + b"\n")


def test_wrong_option_is_told_in_cryptsetups_words(path: Path, context: Context) -> None:
    image = Image(path, key_file=GIVEN, options=("--cipher", "rot13"))
    with pytest.raises(Failure, match=f"encrypting {path}: cryptsetup luksFormat .*exit status 1") as caught:
        steps.FormatVolume(image.volume).execute(context)
    assert caught.value.where == WHERE
    assert SECRET not in str(caught.value)


def test_other_signatures_are_erased(path: Path, context: Context) -> None:
    image = Image(path)
    run(["mkfs.ext4", "-q", "-F", image.node], why="making something else")
    steps.FormatVolume(image.volume).execute(context)
    assert "ext4" not in run(["wipefs", image.node], why="looking")
    assert probe(image.node).format == "crypto_LUKS"


def test_damaged_first_header_is_mended_from_the_second(path: Path, context: Context) -> None:
    image = Image(path, label="x", uuid=UUID)
    steps.FormatVolume(image.volume).execute(context)
    with path.open("r+b") as file:
        file.write(bytes(512))
    assert luks_header.read_binary(image.node) is None
    assert (image.header.label, image.header.uuid) == ("x", UUID)
    assert luks_header.read_binary(image.node) is not None


@pytest.mark.parametrize("content", [b"", b"LUKS\xba\xbe\0\2" + b"damaged" * 512], ids=["nothing", "damaged"])
def test_what_is_no_volume_has_no_header(path: Path, content: bytes) -> None:
    path.write_bytes(content.ljust(24 << 20, b"\0"))
    assert luks_header.read(str(path)) is None


def test_volume_of_version_1_has_no_header_of_version_2(path: Path) -> None:
    path.write_bytes(bytes(24 << 20))
    argv = ["cryptsetup", "luksFormat", "-q", "--type=luks1", "--pbkdf-force-iterations=1000", "--key-file=-", str(path)]
    run(argv, why="making one of version 1", stdin="k")
    found = luks_header.read_binary(str(path))
    assert found is not None
    assert found.version == 1
    assert luks_header.read(str(path)) is None


def bind(image: Image, binding: Binding, context: Context, monkeypatch: pytest.MonkeyPatch, *, base: str = "") -> list[list[str]]:
    """Bind a volume; gives the command lines that were run."""
    ran: list[list[str]] = []

    def recorded(argv: list[str], **members: Any) -> str:
        ran.append(argv)
        return run(argv, **members)

    base = base or str(Path(image.node).parent / "run")
    monkeypatch.setattr(steps, "run", recorded)
    monkeypatch.setattr(steps, "key_file", lambda key: luks_keys.key_file(key, base=base))
    steps.BindVolume(image.volume, binding).execute(context)
    assert os.listdir(base) == []
    return ran


def test_generated_key_goes_when_clevis_opens_the_volume(
    path: Path, context: Context, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    binding = bound(custom("null", {"note": SECRET}))
    image = Image(path, clevis=custom("null", {"note": SECRET}), label="x")
    steps.FormatVolume(image.volume).execute(context)
    key = image.keys.of("data")
    ran = bind(image, binding, context, monkeypatch)
    assert all(key.decode() not in argument for argv in ran for argument in argv)
    [token] = image.header.tokens
    assert (token.slots, clevis.difference(binding, token.protected)) == ((1,), "")
    assert steps.unlocks(image.node, 1, binding) == ""
    steps.DropKey(image.volume).execute(context)
    steps.FinishVolume(image.volume).execute(context)
    assert list(image.metadata()["keyslots"]) == ["1"]
    assert (image.keys.get("data"), image.keys.persisted()) == (None, {})
    assert not steps.opens(image.node, key)
    assert steps.unlocks(image.node, 1, binding) == ""
    assert (image.header.label, image.header.subsystem) == ("x", "")
    said = capsys.readouterr().out
    assert "clevis luks bind" in said
    assert SECRET not in said
    assert key.decode()[:64] not in said


def test_key_of_the_config_stays_beside_clevis(path: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image(path, key_file=GIVEN)
    steps.FormatVolume(image.volume).execute(context)
    bind(image, bound(custom("null", {})), context, monkeypatch)
    assert sorted(image.metadata()["keyslots"]) == ["0", "1"]
    assert steps.opens(image.node, SECRET.encode())


class Servers:
    """A fetcher: what answers each question for an advertisement, and how often it was asked."""

    def __init__(self, content: bytes | Failure) -> None:
        self._content = content
        self.asked: list[str | None] = []

    def read(self, resource: Resource) -> bytes:
        self.asked.append(resource.source)
        if isinstance(self._content, Failure):
            raise self._content
        return self._content


@pytest.mark.parametrize(
    ("first", "content", "asked", "expected"),
    [
        pytest.param("", b"{}", [], "", id="unlocks at once"),
        pytest.param("refused", b"{}", ["http://t/adv"], "", id="unlocks when the server answers"),
        pytest.param("refused", Failure("no route"), ["http://t/adv"], "refused", id="the server never answers"),
    ],
)
def test_volume_that_does_not_unlock_waits_for_its_servers(
    monkeypatch: pytest.MonkeyPatch, first: str, content: bytes | Failure, asked: list[str], expected: str
) -> None:
    answers = [first, ""]
    monkeypatch.setattr(steps, "unlocks", lambda *_: answers.pop(0))
    servers = Servers(content)
    binding = bound(Clevis(tang=(Tang(url="http://t/", thumbprint="T"),)))
    assert steps.unlocks_in_the_end("/dev/x", 1, binding, Context(Root("/"), servers)) == expected  # type: ignore[arg-type]
    assert servers.asked == asked


class TangKeys:
    """The keys of a tang server that nobody runs: what a config has of it."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        run_here(KEYGEN, str(directory))
        answer = run_here(TANGD, str(directory), stdin="GET /adv HTTP/1.0\r\n\r\n")
        self.advertisement = answer[answer.index("{") :]
        self.thumbprint = next(
            text.strip()
            for file in directory.glob("*.jwk")
            if "verify" in json.loads(file.read_text())["key_ops"]
            for text in [run_here("jose", "jwk", "thp", "-a", "S256", "-i", str(file))]
        )

    def server(self, url: str, thumbprint: str = "") -> Tang:
        return Tang(url=url, thumbprint=thumbprint or self.thumbprint, advertisement=self.advertisement)


def run_here(*argv: str, stdin: str = "") -> str:
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture(scope="module")
def tang_keys(tmp_path_factory: pytest.TempPathFactory) -> TangKeys:
    assert shutil.which("jose"), "package jose, which .ci/setup installs"
    return TangKeys(tmp_path_factory.mktemp("tang") / "keys")


def test_tokens_say_to_which_servers_a_volume_is_bound(
    path: Path, context: Context, monkeypatch: pytest.MonkeyPatch, tang_keys: TangKeys
) -> None:
    one, two = "http://127.0.0.1:1", "http://u:SECRET@127.0.0.1:2"
    servers = (tang_keys.server(one), tang_keys.server(two))
    image = Image(path)
    steps.FormatVolume(image.volume).execute(context)
    bind(image, bound(Clevis(tang=servers, threshold=2)), context, monkeypatch)
    [token] = image.header.tokens
    differences = {
        "same": clevis.difference(bound(Clevis(tang=servers, threshold=2)), token.protected),
        "threshold": clevis.difference(bound(Clevis(tang=servers)), token.protected),
        "one": clevis.difference(bound(Clevis(tang=servers[:1], tpm2=True, threshold=2)), token.protected),
        "keys": clevis.difference(
            bound(Clevis(tang=(servers[0], tang_keys.server(two, "A" * 43)), threshold=2)), token.protected
        ),
    }
    assert differences == {
        "same": "",
        "threshold": "its threshold is 2, not 1",
        "one": "nothing of it is bound to the TPM",
        "keys": "nothing of it is bound to tang http://127.0.0.1:2: "
        f"no key of the server that it is bound to has thumbprint {'A' * 43}",
    }
    reason = steps.unlocks(image.node, 1, bound(Clevis(tang=servers, threshold=2)))
    assert reason.startswith("trying slot 1: clevis luks unlock -d")
    assert "SECRET" not in reason


def test_advertisement_of_other_keys_is_refused_when_binding(
    path: Path, context: Context, monkeypatch: pytest.MonkeyPatch, tang_keys: TangKeys
) -> None:
    image = Image(path)
    steps.FormatVolume(image.volume).execute(context)
    wrong = bound(Clevis(tang=(tang_keys.server("http://127.0.0.1:1", "A" * 43),)))
    with pytest.raises(CommandFailed, match="binding data: clevis luks bind -f -k .*exit status 1") as caught:
        bind(image, wrong, context, monkeypatch)
    assert caught.value.where == WHERE
    assert (
        caught.value.fix
        == "check that the tang servers have the thumbprints of the config (tang-show-keys), and that the TPM works"
    )
    assert list(image.metadata()["keyslots"]) == ["0"]


class DataUrls:
    """A fetcher that has no network."""

    def read(self, resource: Resource) -> bytes:
        from ignition.config.dataurl import decode

        return decode(resource.source or "")


def probed(image: Image, node: str, tmp_path: Path, keys: Keys | None = None) -> luks.VolumeFacts:
    """The facts of a volume on a loop device, as the stage takes them."""
    config = image.volume.config.evolve(device=node)
    context = Context(Root(str(tmp_path / "root")), DataUrls())  # type: ignore[arg-type]
    return luks.probe((config,), context, keys or Keys())["data"]


@pytest.fixture
def on_loop(make_loop: MakeLoop) -> Callable[..., Image]:
    """A volume on a loop device."""

    def make(**members: Any) -> Image:
        return Image(Path(make_loop(24)), **members)

    return make


@pytest.mark.root
def test_facts_of_a_device_without_a_volume(on_loop: Callable[..., Image], tmp_path: Path) -> None:
    image = on_loop(key_file=GIVEN)
    facts = probed(image, image.node, tmp_path)
    assert (facts.node, facts.device, facts.binary, facts.header, facts.in_use) == (
        image.node, os.path.basename(image.node), None, None, "",
    )  # fmt: skip
    run(["mkfs.ext4", "-q", image.node], why="something else")
    assert probed(image, image.node, tmp_path).signature.format == "ext4"


@pytest.mark.root
@pytest.mark.parametrize(("key", "opens"), [(SECRET, True), ("other", False)])
def test_facts_say_whether_the_key_file_opens_it(
    on_loop: Callable[..., Image], tmp_path: Path, context: Context, key: str, opens: bool
) -> None:
    image = on_loop(key_file=GIVEN, label="x")
    steps.FormatVolume(image.volume).execute(context)
    image.volume.config = image.volume.config.evolve(key_file=Resource(source=f"data:,{key}"))
    facts = probed(image, image.node, tmp_path)
    assert facts.header is not None
    assert (facts.header.label, facts.key_opens, facts.is_unfinished) == ("x", opens, True)


@pytest.mark.root
def test_generated_key_is_looked_for_in_the_root(on_loop: Callable[..., Image], tmp_path: Path, context: Context) -> None:
    image = on_loop()
    steps.FormatVolume(image.volume).execute(context)
    assert not probed(image, image.node, tmp_path).key_opens
    (tmp_path / "root/etc/luks").mkdir(parents=True)
    (tmp_path / "root/etc/luks/data").write_bytes(image.keys.of("data"))
    known = Keys()
    assert probed(image, image.node, tmp_path, known).key_opens
    assert known.of("data") == image.keys.of("data")


@pytest.mark.root
def test_server_out_of_reach_is_not_asked_when_the_key_file_opens_it(
    on_loop: Callable[..., Image], tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch, tang_keys: TangKeys
) -> None:
    far = Clevis(tang=(tang_keys.server("http://127.0.0.1:1"),))
    image = on_loop(key_file=GIVEN, clevis=far)
    steps.FormatVolume(image.volume).execute(context)
    bind(image, bound(far), context, monkeypatch, base=str(tmp_path / "run"))
    steps.FinishVolume(image.volume).execute(context)
    facts = probed(image, image.node, tmp_path)
    assert (facts.key_opens, facts.unlocks_not) == (True, {0: ""})
    image.volume.config = image.volume.config.evolve(key_file=Resource())
    facts = probed(image, image.node, tmp_path)
    assert (facts.key_opens, list(facts.unlocks_not)) == (False, [0])
    assert facts.unlocks_not[0].startswith(f"trying slot 1: clevis luks unlock -d {image.node} -t 1: exit status")


@pytest.mark.root
def test_device_of_which_a_partition_is_mounted_is_in_use(
    make_loop: MakeLoop, tmp_path: Path, run_command: Callable[..., str]
) -> None:
    node = make_loop(24)
    run_command("parted", "-s", node, "mklabel", "gpt", "mkpart", "one", "ext4", "1MiB", "20MiB")
    run_command("mkfs.ext4", "-q", f"{node}p1")
    (tmp_path / "m").mkdir()
    run_command("mount", f"{node}p1", str(tmp_path / "m"))
    config = Luks(name="data", device=node, wipe_volume=True)
    facts = luks.probe((config,), Context(Root(str(tmp_path / "root")), DataUrls()), Keys())  # type: ignore[arg-type]
    with pytest.raises(Failure) as caught:
        luks.plan((config,), facts, Keys())
    assert caught.value.what == f"{node} is in use ({os.path.basename(node)}p1 is mounted on {tmp_path}/m)"
    assert caught.value.where == f"{WHERE}.device"
