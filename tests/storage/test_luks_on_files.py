"""Volumes in image files, made by our own command lines: cryptsetup and clevis write them, we read them back.

What needs no device mapper: it is the kernel's, and the VM case `luks` has it.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ignition.config.model import Resource
from ignition.config.model.storage import Clevis, Tang
from ignition.errors import CommandFailed, Failure
from ignition.host.command import run
from ignition.host.root import Root
from ignition.operation import Context
from ignition.storage import clevis, luks_header
from ignition.storage import luks_operations as steps
from ignition.storage.luks_header import UNFINISHED
from ignition.storage.signatures import probe

from .luks_images import GIVEN, SECRET, UUID, WHERE, Image, TangKeys, bind, bound, custom, no_udev, tang_keys

__all__ = ["no_udev", "tang_keys"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "volume.img"


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
        # With less memory a pass takes less than a millisecond, by which cryptsetup then divides: signal 8 on some runs.
        pytest.param({"options": ("-i", "20", "--pbkdf-memory=16384")}, {"type": "argon2id"}, id="generated key, iteration time"),
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
    before = len(os.listdir("/proc/self/fd"))
    found = luks_header.read_binary(str(path))
    assert len(os.listdir("/proc/self/fd")) == before  # an open device could not be closed or wiped
    assert found is not None
    assert found.version == 1
    assert luks_header.read(str(path)) is None


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


def test_clevis_takes_the_config_of_a_pin_as_an_argument_only(path: Path, context: Context) -> None:
    """When this fails, clevis has learnt to read it from standard input: then BindVolume should do so."""
    image = Image(path)
    steps.FormatVolume(image.volume).execute(context)
    key = path.parent / "key"
    key.write_bytes(image.keys.of("data"))
    bind_it = ["clevis", "luks", "bind", "-f", "-k", str(key), "-d", image.node, "null"]
    for config, words in (([], "Did not specify a pin config"), (["-"], "malformed"), (["@/dev/stdin"], "malformed")):
        done = subprocess.run([*bind_it, *config], input="{}", capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode != 0
        assert words in done.stderr
    encrypt = ["clevis", "encrypt", "tang"]
    done = subprocess.run(encrypt, input='{"url": "http://127.0.0.1:1"}', capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, "malformed" in done.stderr.lower()) == (1, True)


def test_address_with_a_secret_ends_in_the_header_and_that_is_said(
    path: Path, context: Context, monkeypatch: pytest.MonkeyPatch, tang_keys: TangKeys, capsys: pytest.CaptureFixture[str]
) -> None:
    image = Image(path)
    steps.FormatVolume(image.volume).execute(context)
    servers = (tang_keys.server("http://u:SECRET@127.0.0.1:1"), tang_keys.server("http://127.0.0.1:2"))
    bind(image, bound(Clevis(tang=servers)), context, monkeypatch)
    parts: Any = image.header.tokens[0].protected
    first: Any = luks_header.decoded(parts["clevis"]["sss"]["jwe"][0].partition(".")[0])
    assert first["clevis"]["tang"]["url"] == "http://u:SECRET@127.0.0.1:1"
    said = capsys.readouterr().out
    warnings = [line for line in said.splitlines() if line.startswith("WARNING")]
    assert warnings == [
        "WARNING  : test: the address http://127.0.0.1:1 of a tang server has more than is shown here: "
        "clevis writes it into the header of data, which is not encrypted"
    ]
    assert "SECRET" not in said


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
