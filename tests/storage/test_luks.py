"""Which encrypted volumes are kept, refused or made (7.3), each with its steps, message and place."""

import json
from pathlib import Path
from typing import Any

import pytest

from ignition.config.model import Resource
from ignition.config.model.storage import Cex, Clevis, ClevisCustom, Luks, Tang
from ignition.errors import Failure
from ignition.host import devices as devices_module
from ignition.host.command import ENVIRONMENT
from ignition.host.root import Root
from ignition.operation import Context, Operation
from ignition.storage import crypt_mapping, luks, luks_keys
from ignition.storage import luks_operations as steps
from ignition.storage.crypt_mapping import Mapping
from ignition.storage.luks import VolumeFacts, check, plan
from ignition.storage.luks_header import UNFINISHED, Binary, Header, Token
from ignition.storage.luks_keys import Keys
from ignition.storage.luks_operations import format_command, open_command, own_subsystem
from ignition.storage.signatures import Signature

UUID = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
WHERE = "$.storage.luks.0"
WIPE_FIX = "set wipeVolume to lose its content, or correct the config"
KEY_FILE = Resource(source="data:,SECRETKEY")
TANG = Tang(url="http://t", thumbprint="T")
TPM = Clevis(tpm2=True)
TPM_TOKEN = Token((1,), {"clevis": {"pin": "sss", "sss": {"t": 1, "jwe": ["eyJjbGV2aXMiOnsicGluIjoidHBtMiIsInRwbTIiOnt9fX0.a"]}}})


def volume(name: str = "data", **members: Any) -> Luks:
    return Luks(**{"name": name, "device": "/dev/vdb1", **members})


def header(*tokens: Token, label: str = "", subsystem: str = "", flags: tuple[str, ...] = ()) -> Header:
    return Header(uuid=UUID, label=label, subsystem=subsystem, flags=frozenset(flags), tokens=tokens)


def facts(
    found: Header | None = None,
    *,
    format: str = "",
    table: str = "",
    opens: bool = False,
    is_open: bool = False,
    unlocks_not: str | None = None,
    **members: Any,
) -> VolumeFacts:
    """A device with this header, or without."""
    fact = VolumeFacts("/dev/vdb1", Signature("crypto_LUKS" if found else format, table=table))
    fact.device, fact.header, fact.key_opens = "vdb1", found, opens
    if found:
        fact.binary = Binary(2, found.label, found.subsystem, found.uuid)
    if is_open:
        fact.mapping = Mapping("data", "dm-0", UUID, ("vdb1",))
    if unlocks_not is not None:
        fact.unlocks_not = {0: unlocks_not}
    for name, value in members.items():
        assert hasattr(fact, name)
        setattr(fact, name, value)
    return fact


def operations(wanted: Luks, fact: VolumeFacts) -> list[Operation]:
    return plan((wanted,), {wanted.name: fact}, Keys())


def outcome(wanted: Luks, fact: VolumeFacts, context: Context) -> list[str]:
    """The steps in order; those whose effect is there already in brackets. Nothing of the machine is asked for it."""
    said = []
    for step in operations(wanted, fact):
        kind = step.kind.removeprefix("luks-")
        said.append(f"({kind})" if kind != "finish" and step.already_there(context) else kind)
    return said


@pytest.mark.parametrize(
    ("wanted", "fact"),
    [
        pytest.param(volume(), facts(), id="nothing there"),
        pytest.param(volume(wipe_volume=True), facts(format="ext4"), id="something else, to be wiped"),
        pytest.param(volume(wipe_volume=True), facts(table="gpt"), id="partition table, to be wiped"),
        pytest.param(volume(wipe_volume=True, key_file=KEY_FILE), facts(header(), opens=True), id="just that, to be wiped"),
        pytest.param(volume(wipe_volume=True), facts(format="crypto_LUKS", binary=Binary(1)), id="LUKS1, to be wiped"),
        pytest.param(volume(), facts(header(subsystem=UNFINISHED)), id="unfinished, key lost"),
        pytest.param(volume(key_file=KEY_FILE), facts(header(subsystem=UNFINISHED)), id="unfinished, other key"),
        pytest.param(volume(label="x"), facts(header(subsystem=UNFINISHED), opens=True), id="unfinished, other label"),
        pytest.param(
            volume(), facts(format="crypto_LUKS", binary=Binary(2, "", UNFINISHED, UUID)), id="a header of which half was written"
        ),
    ],
)
def test_volume_with_a_key_is_made(wanted: Luks, fact: VolumeFacts, context: Context) -> None:
    assert outcome(wanted, fact, context) == ["format", "open"]


@pytest.mark.parametrize(
    ("wanted", "fact", "expected"),
    [
        pytest.param(volume(clevis=TPM), facts(), "format open bind unlock drop-key finish", id="TPM"),
        pytest.param(
            volume(clevis=TPM, key_file=KEY_FILE), facts(), "format open bind unlock finish", id="the key file's slot stays"
        ),
        pytest.param(
            volume(clevis=Clevis(tang=(TANG,))), facts(), "format open bind unlock drop-key finish", id="tang that answers"
        ),
        pytest.param(
            volume(clevis=Clevis(tang=(TANG.evolve(advertisement="{}"),))),
            facts(),
            "format open bind drop-key",
            id="tang that may be out of reach",
        ),
        pytest.param(
            volume(clevis=Clevis(tang=(TANG.evolve(advertisement="{}"), TANG.evolve(url="http://u")), threshold=2)),
            facts(),
            "format open bind drop-key",
            id="one of two is at hand, and both are needed",
        ),
        pytest.param(
            volume(clevis=Clevis(tang=(TANG.evolve(advertisement="{}"), TANG.evolve(url="http://u")), tpm2=True, threshold=2)),
            facts(),
            "format open bind unlock drop-key finish",
            id="two of three are at hand",
        ),
        pytest.param(
            volume(clevis=Clevis(custom=ClevisCustom(pin="yubikey", config="{}"))),
            facts(),
            "format open bind drop-key",
            id="a pin that nobody knows",
        ),
        pytest.param(
            volume(clevis=Clevis(custom=ClevisCustom(pin="tpm2", config='{"pcr_ids":"7"}'))),
            facts(),
            "format open bind unlock drop-key finish",
            id="a pin of one's own that is known",
        ),
        pytest.param(
            volume(clevis=TPM),
            facts(header(TPM_TOKEN, subsystem=UNFINISHED), unlocks_not=""),
            "format open bind unlock drop-key finish",
            id="bound, and cut short before its generated key was gone",
        ),
        pytest.param(
            volume(clevis=TPM, wipe_volume=True),
            facts(header(TPM_TOKEN), is_open=True),
            "close format open bind unlock drop-key finish",
            id="open and to be wiped",
        ),
    ],
)
def test_bound_volume_is_made(wanted: Luks, fact: VolumeFacts, expected: str, context: Context) -> None:
    assert outcome(wanted, fact, context) == expected.split()


def test_only_the_volume_of_root_is_finished_if_nothing_here_unlocks_it() -> None:
    far = volume(clevis=Clevis(tang=(TANG.evolve(advertisement="{}"),)))
    kinds = {name: [step.kind for step in plan((far,), {"data": facts()}, Keys(), of_root=name)] for name in ("data", "other")}
    assert kinds["other"] == ["luks-format", "luks-open", "luks-bind", "luks-drop-key"]
    assert kinds["data"] == [*kinds["other"], "luks-finish"]


@pytest.mark.parametrize(
    ("wanted", "fact", "expected"),
    [
        pytest.param(volume(key_file=KEY_FILE), facts(header(), opens=True), "(format) open", id="the key file opens it"),
        pytest.param(
            volume(key_file=KEY_FILE), facts(header(label="x"), opens=True, is_open=True), "(format) (open)", id="open already"
        ),
        pytest.param(
            volume(key_file=KEY_FILE, label="x", uuid=UUID.upper(), discard=True),
            facts(header(label="x", flags=("allow-discards", "same-cpu-crypt")), opens=True),
            "(format) open",
            id="label, UUID in another case, discards",
        ),
        pytest.param(
            volume(key_file=KEY_FILE, label="", uuid=""), facts(header(label="x"), opens=True), "(format) open", id="empty: any"
        ),
        pytest.param(volume(), facts(header(), opens=True), "(format) open", id="ROOT's key opens it"),
        pytest.param(
            volume(), facts(header(subsystem=UNFINISHED), opens=True), "(format) open", id="unfinished, and ROOT's key opens it"
        ),
        pytest.param(
            volume(clevis=TPM), facts(header(TPM_TOKEN), unlocks_not=""), "(format) (bind) unlock", id="bound, and unlocks"
        ),
        pytest.param(
            volume(clevis=TPM), facts(header(TPM_TOKEN), is_open=True), "(format) (bind) (unlock)", id="bound, and open already"
        ),
        pytest.param(
            volume(clevis=TPM, key_file=KEY_FILE),
            facts(header(TPM_TOKEN), opens=True, unlocks_not=""),
            "(format) (bind) open",
            id="bound, and with a key file",
        ),
        pytest.param(
            volume(clevis=TPM),
            facts(header(TPM_TOKEN, Token((2,), {})), unlocks_not=""),
            "(format) (bind) unlock",
            id="one of two bindings is the wanted one",
        ),
    ],
)
def test_volume_that_is_as_wanted_is_kept(wanted: Luks, fact: VolumeFacts, expected: str, context: Context) -> None:
    assert outcome(wanted, fact, context) == expected.split()


@pytest.mark.parametrize(
    ("wanted", "fact", "what"),
    [
        pytest.param(volume(), facts(format="ext4"), "holds ext4, not a LUKS volume", id="file system"),
        pytest.param(volume(), facts(table="gpt"), "holds a gpt partition table, not a LUKS volume", id="partition table"),
        pytest.param(
            volume(),
            facts(format="crypto_LUKS", binary=Binary(1)),
            "holds a LUKS volume of version 1, not 2",
            id="LUKS1",
        ),
        pytest.param(
            volume(),
            facts(format="crypto_LUKS", binary=Binary(2, "x", "", UUID)),
            "holds a damaged LUKS volume, not a LUKS volume",
            id="damaged header that is not ours",
        ),
        pytest.param(volume(key_file=KEY_FILE), facts(header()), "the key file does not open it", id="key"),
        pytest.param(
            volume(key_file=KEY_FILE, label="y"), facts(header(label="x"), opens=True), "its label is 'x', not 'y'", id="label"
        ),
        pytest.param(
            volume(key_file=KEY_FILE, uuid=UUID.replace("a", "c")),
            facts(header(), opens=True),
            f"its UUID is {UUID}, not {UUID.replace('a', 'c')}",
            id="UUID",
        ),
        pytest.param(
            volume(key_file=KEY_FILE),
            facts(header(flags=("allow-discards",)), opens=True),
            "discards are allowed in its header",
            id="discards, not wanted",
        ),
        pytest.param(
            volume(key_file=KEY_FILE, discard=True),
            facts(header(flags=("same-cpu-crypt",)), opens=True),
            "discards are not allowed in its header",
            id="no discards, wanted",
        ),
        pytest.param(
            volume(),
            facts(header()),
            "its key is to be generated, and ROOT has none in /etc/luks/data that opens it",
            id="generated key that is lost",
        ),
        pytest.param(volume(clevis=TPM), facts(header(), opens=True), "clevis has not bound it", id="bound by nobody"),
        pytest.param(
            volume(clevis=TPM),
            facts(header(TPM_TOKEN), unlocks_not="no TPM"),
            "clevis cannot unlock it (no TPM)",
            id="bound, and does not unlock",
        ),
        pytest.param(
            volume(clevis=Clevis(tpm2=True, tang=(TANG,))),
            facts(header(TPM_TOKEN)),
            "nothing of it is bound to tang http://t",
            id="a server is missing",
        ),
        pytest.param(
            volume(clevis=Clevis(custom=ClevisCustom(pin="tpm2", config="{}"))),
            facts(header(TPM_TOKEN)),
            "it is bound to pin sss, not tpm2",
            id="another pin",
        ),
        pytest.param(
            volume(clevis=TPM, key_file=KEY_FILE),
            facts(header(TPM_TOKEN), unlocks_not=""),
            "the key file does not open it",
            id="bound, and the key file is another",
        ),
        pytest.param(
            volume(key_file=KEY_FILE, label="y", discard=True),
            facts(header(label="x")),
            "its label is 'x', not 'y'; discards are not allowed in its header; the key file does not open it",
            id="several at once",
        ),
    ],
)
def test_other_content_is_refused(wanted: Luks, fact: VolumeFacts, what: str) -> None:
    with pytest.raises(Failure) as caught:
        operations(wanted, fact)
    luks = "holds a LUKS volume that is not the wanted one: " if fact.header else ""
    assert caught.value.what == f"/dev/vdb1 {luks}{what}"
    assert (caught.value.where, caught.value.fix) == (WHERE, WIPE_FIX)


@pytest.mark.parametrize(
    ("wanted", "fact", "what", "where", "fix"),
    [
        pytest.param(
            volume(),
            facts(mapping=Mapping("data", "dm-3", UUID, ("vdc",))),
            "/dev/mapper/data already exists, on vdc and not on vdb1",
            f"{WHERE}.name",
            "close it (cryptsetup close data), or use another name",
            id="name taken by another device",
        ),
        pytest.param(
            volume(wipe_volume=True),
            facts(header(), elsewhere="other"),
            "/dev/vdb1 is already open under another name: other",
            f"{WHERE}.device",
            "close it (cryptsetup close other), or use that name",
            id="open under another name",
        ),
        pytest.param(
            volume(wipe_volume=True),
            facts(format="ext4", in_use="mounted on /srv"),
            "/dev/vdb1 is in use (mounted on /srv)",
            f"{WHERE}.device",
            "stop using it first, or name another device",
            id="device in use",
        ),
        pytest.param(
            volume(wipe_volume=True),
            facts(header(), is_open=True, used="mounted on /srv"),
            "the volume is in use (mounted on /srv) and cannot be recreated",
            WHERE,
            "stop using it first",
            id="open, in use, and to be wiped",
        ),
        pytest.param(
            volume(clevis=TPM),
            facts(missing=("a TPM",)),
            "this system lacks a TPM",
            f"{WHERE}.clevis",
            "use a machine with a TPM 2.0 and a kernel driver for it",
            id="no TPM",
        ),
        pytest.param(
            volume(clevis=Clevis(custom=ClevisCustom(pin="yubikey", config="{}"))),
            facts(missing=("clevis-encrypt-yubikey",)),
            "this system lacks clevis-encrypt-yubikey",
            f"{WHERE}.clevis",
            "add clevis and this pin to the image: the dracut module 35coreos-ignition copies them into the initramfs",
            id="no such pin",
        ),
    ],
)
def test_what_cannot_be_had_is_refused(
    wanted: Luks, fact: VolumeFacts, what: str, where: str, fix: str, context: Context
) -> None:
    with pytest.raises(Failure) as caught:
        operations(wanted, fact)
    assert (caught.value.what, caught.value.where, caught.value.fix) == (what, where, fix)


def test_volume_in_use_that_is_as_wanted_is_kept(context: Context) -> None:
    fact = facts(header(), opens=True, is_open=True, used="mounted on /srv")
    assert outcome(volume(key_file=KEY_FILE), fact, context) == ["(format)", "(open)"]


def test_pin_that_is_missing_does_not_matter_to_a_volume_that_is_kept(context: Context) -> None:
    fact = facts(header(TPM_TOKEN), unlocks_not="", missing=("a TPM",))
    assert outcome(volume(clevis=TPM), fact, context) == ["(format)", "(bind)", "unlock"]


def test_two_names_of_one_device_are_refused() -> None:
    with pytest.raises(Failure) as caught:
        plan((volume(), volume("other", device="/dev/disk/by-id/x")), {"data": facts(), "other": facts()}, Keys())
    assert caught.value.what == "/dev/disk/by-id/x is the same device as $.storage.luks.0"
    assert (caught.value.where, caught.value.fix) == ("$.storage.luks.1", "encrypt each device once")


NAME_FIX = "use up to 127 letters, digits, and . _ - + = : @ #"


@pytest.mark.parametrize(
    ("wanted", "what", "where", "fix"),
    [
        pytest.param(
            volume(cex=Cex(enabled=True)),
            "secure keys of IBM Crypto Express cards (s390x) are not supported",
            f"{WHERE}.cex.enabled",
            "use a key file or clevis",
            id="cex",
        ),
        *(
            pytest.param(
                volume(name), f"{name!r} cannot be a name below /dev/mapper and in crypttab", f"{WHERE}.name", NAME_FIX, id=why
            )
            for name, why in (
                ("", "empty name"),
                ("my data", "blank in the name"),
                ("é", "name that the device mapper would write otherwise"),
                ("#data", "name that crypttab takes for a comment"),
                ("control", "the device mapper's own name"),
                ("..", "directory"),
                ("n" * 128, "long name"),
            )
        ),
        pytest.param(volume(uuid="1234"), "'1234' is not a UUID", f"{WHERE}.uuid", "use uuidgen to create one", id="no UUID"),
        pytest.param(
            volume(clevis=Clevis(threshold=1)),
            "no pin is given that could unlock the volume",
            f"{WHERE}.clevis.threshold",
            "add a tang server or tpm2",
            id="threshold alone",
        ),
        pytest.param(
            volume(clevis=Clevis(tpm2=True, tang=(TANG,), threshold=3)),
            "threshold 3 with 2 pins",
            f"{WHERE}.clevis.threshold",
            "use a number from 1 to 2",
            id="threshold above the pins",
        ),
        pytest.param(
            volume(clevis=Clevis(tpm2=True, threshold=-1)),
            "threshold -1 with one pin",
            f"{WHERE}.clevis.threshold",
            "use 1, or name more pins",
            id="negative threshold",
        ),
        pytest.param(
            volume(clevis=Clevis(custom=ClevisCustom(pin="tang", config="http://t"))),
            "the config of pin tang is not a JSON object",
            f"{WHERE}.clevis.custom.config",
            "use a config for `clevis encrypt`: {…}",
            id="custom config that is no JSON",
        ),
        pytest.param(
            volume(clevis=Clevis(custom=ClevisCustom(pin="tang", config='["x"]'))),
            "the config of pin tang is not a JSON object",
            f"{WHERE}.clevis.custom.config",
            "use a config for `clevis encrypt`: {…}",
            id="custom config that is no object",
        ),
        pytest.param(
            volume(clevis=Clevis(custom=ClevisCustom(pin="sss", config='{"t":1,"pins":{"tang":[{"url":"http://t"}]}}'))),
            "a tang server has neither thp nor adv: clevis would ask a person whether to trust it",
            f"{WHERE}.clevis.custom.config",
            "add the thumbprint of its signing key, which tang-show-keys on the server prints, as thp",
            id="tang without thumbprint",
        ),
        pytest.param(
            volume(clevis=Clevis(custom=ClevisCustom(pin="sss", config='{"t":2,"pins":{"tpm2":{}}}'))),
            "threshold 2 with one pin",
            f"{WHERE}.clevis.custom.config",
            "use 1, or name more pins",
            id="custom threshold above the pins",
        ),
    ],
)
def test_config_that_cannot_work_is_refused_before_anything_is_looked_at(wanted: Luks, what: str, where: str, fix: str) -> None:
    with pytest.raises(Failure) as caught:
        check((wanted,))
    assert (caught.value.what, caught.value.where, caught.value.fix) == (what, where, fix)


@pytest.mark.parametrize(
    ("installed", "devices", "clevis", "missing"),
    [
        pytest.param("clevis sss tang tpm2", ["null", "tpmrm0"], TPM, (), id="all"),
        pytest.param("clevis sss tang tpm2", ["null", "tpm0"], TPM, ("a TPM",), id="no resource manager"),
        pytest.param("clevis sss tang", ["null"], Clevis(tang=(TANG,)), (), id="a TPM is not asked for"),
        pytest.param("clevis sss", ["null"], Clevis(tang=(TANG,)), ("clevis-encrypt-tang",), id="no pin"),
        pytest.param("", ["null"], TPM, ("clevis", "clevis-encrypt-sss", "clevis-encrypt-tpm2", "a TPM"), id="nothing"),
    ],
)
def test_what_a_binding_needs_is_looked_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    context: Context,
    installed: str,
    devices: list[str],
    clevis: Clevis,
    missing: tuple[str, ...],
) -> None:
    (tmp_path / "bin").mkdir()
    for name in installed.split():
        program = tmp_path / "bin" / (name if name == "clevis" else f"clevis-encrypt-{name}")
        program.touch(mode=0o755)
    (tmp_path / "bin/clevis-encrypt-tang2").touch(mode=0o755)
    listed: list[str] = []

    def listdir(path: str) -> list[str]:
        listed.append(path)
        return devices

    fact = facts()
    monkeypatch.setitem(ENVIRONMENT, "PATH", f"/nowhere:{tmp_path}/bin")
    monkeypatch.setattr(luks, "TPM_WAIT_S", 0.15)
    monkeypatch.setattr(luks, "_look", lambda *_: fact)
    monkeypatch.setattr(devices_module, "wait_for", lambda _: None)
    with monkeypatch.context() as patched:
        patched.setattr("os.listdir", listdir)
        luks.probe((volume(clevis=clevis),), context, Keys())
    assert fact.missing == missing
    assert (len(listed) > 1) == ("a TPM" in missing)  # its driver is waited for
    assert set(listed) <= {"/dev"}


def test_program_that_cannot_be_executed_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: Context) -> None:
    fact = facts()
    (tmp_path / "clevis").touch(mode=0o644)
    monkeypatch.setitem(ENVIRONMENT, "PATH", str(tmp_path))
    monkeypatch.setattr(luks, "_look", lambda *_: fact)
    monkeypatch.setattr(devices_module, "wait_for", lambda _: None)
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).exists() and bool(Path(path).stat().st_mode & 0o111))
    luks.probe((volume(clevis=Clevis(tang=(TANG,))),), context, Keys())
    assert fact.missing[0] == "clevis"


@pytest.mark.parametrize(
    ("mapping", "others", "in_use", "elsewhere", "used"),
    [
        pytest.param(None, None, "user of vdb1", "", "", id="closed"),
        pytest.param(Mapping("data", "dm-0", UUID, ("vdb1",)), None, "", "", "user of dm-0", id="open"),
        pytest.param(None, Mapping("other", "dm-1", UUID, ("vdb1",)), "", "other", "", id="open under another name"),
        pytest.param(
            Mapping("data", "dm-3", UUID, ("vdc",)), None, "user of vdb1", "", "user of dm-3", id="name of another device"
        ),
    ],
)
def test_device_is_looked_at(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    context: Context,
    mapping: Mapping | None,
    others: Mapping | None,
    in_use: str,
    elsewhere: str,
    used: str,
) -> None:
    class Users:
        def of(self, name: str) -> str:
            return f"user of {name}"

        of_any_part = of

    (tmp_path / "vdb1").write_bytes(bytes(4096))
    (tmp_path / "link").symlink_to(tmp_path / "vdb1")
    waited: list[str] = []
    monkeypatch.setattr(devices_module, "wait_for", waited.extend)
    monkeypatch.setattr(devices_module, "Users", Users)
    monkeypatch.setattr(devices_module, "name_of", lambda node: Path(node).name)
    monkeypatch.setattr(crypt_mapping, "mapping_named", lambda name: mapping)
    monkeypatch.setattr(
        crypt_mapping,
        "mapping_on_device",
        lambda name: next((one for one in (mapping, others) if one and name in one.below), None),
    )
    fact = luks.probe((volume(device=f"{tmp_path}/link"),), context, Keys())["data"]
    assert waited == [f"{tmp_path}/link"]
    assert (fact.node, fact.device, fact.binary, fact.header) == (f"{tmp_path}/vdb1", "vdb1", None, None)
    assert (fact.in_use, fact.elsewhere, fact.used) == (in_use, elsewhere, used)
    assert fact.is_open == (mapping is not None and "vdb1" in mapping.below)


@pytest.mark.parametrize(
    ("wanted", "searched"),
    [
        pytest.param(volume(), ["data"], id="generated key"),
        pytest.param(volume(wipe_volume=True), [], id="to be wiped"),
        pytest.param(volume(key_file=KEY_FILE), [], id="key file"),
        *(
            pytest.param(volume(clevis=clevis), [], id=name)
            for name, clevis in (
                ("tpm", TPM),
                ("tang", Clevis(tang=(TANG,))),
                ("custom", Clevis(custom=ClevisCustom(pin="tpm2", config="{}"))),
            )
        ),
    ],
)
def test_key_of_an_earlier_run_is_looked_for_where_one_was_generated(
    monkeypatch: pytest.MonkeyPatch, wanted: Luks, searched: list[str]
) -> None:
    class Fetcher:
        def read(self, resource: Resource) -> bytes:
            return b"KEY"

    asked: list[str] = []
    keys = Keys()

    def found(names: list[str], root: Root) -> dict[str, bytes]:
        asked.extend(names)
        return dict.fromkeys(names, b"FOUND")

    monkeypatch.setattr(luks, "TPM_WAIT_S", 0.0)
    monkeypatch.setattr(luks, "_look", lambda *_: facts(header()))
    monkeypatch.setattr(devices_module, "wait_for", lambda _: None)
    monkeypatch.setattr(luks_keys, "find_root_key", found)
    monkeypatch.setattr(steps, "opens", lambda node, key: key == b"FOUND")
    monkeypatch.setattr(steps, "unlocks_in_the_end", lambda *_: "")
    fact = luks.probe((wanted,), Context(Root("/"), Fetcher()), keys)["data"]  # type: ignore[arg-type]
    assert asked == searched
    assert (fact.key_opens, keys.get("data") == b"FOUND") == (bool(searched), bool(searched))


def test_only_volumes_with_facts_are_planned() -> None:
    both = (volume(), volume("inner", device="/dev/mapper/data"))
    [made, opened] = plan(both, {"inner": facts(node="/dev/dm-0")}, Keys())
    assert made.describe() == "encrypt /dev/mapper/data as inner ($.storage.luks.1)"
    assert opened.describe() == "open /dev/mapper/data as inner ($.storage.luks.1)"


def test_only_the_volumes_of_a_wave_are_looked_at(monkeypatch: pytest.MonkeyPatch, context: Context) -> None:
    waited: list[str] = []
    monkeypatch.setattr(luks, "_look", lambda *_: facts())
    monkeypatch.setattr(devices_module, "wait_for", waited.extend)
    both = (volume(), volume("inner", device="/dev/mapper/data"))
    assert list(luks.probe(both, context, Keys(), [1])) == ["inner"]
    assert waited == ["/dev/mapper/data"]
    assert list(luks.probe(both, context, Keys())) == ["data", "inner"]
    assert luks.waves(both) == [[0], [1]]


@pytest.mark.parametrize(
    ("failure", "what", "where"),
    [
        (Failure("no route", where="http://k"), "no route", f"{WHERE}.keyFile (http://k)"),
        (Failure("no route"), "no route", f"{WHERE}.keyFile"),
        (b"", "the key file is empty", f"{WHERE}.keyFile"),
    ],
)
def test_key_file_that_cannot_be_had_is_located(
    monkeypatch: pytest.MonkeyPatch, failure: bytes | Failure, what: str, where: str
) -> None:
    class Fetcher:
        def read(self, resource: Resource) -> bytes:
            if isinstance(failure, Failure):
                raise failure
            return failure

    monkeypatch.setattr(luks, "_look", lambda *_: facts())
    monkeypatch.setattr(devices_module, "wait_for", lambda _: None)
    with pytest.raises(Failure) as caught:
        luks.probe((volume(key_file=KEY_FILE),), Context(Root("/"), Fetcher()), Keys())  # type: ignore[arg-type]
    assert (caught.value.what, caught.value.where) == (what, where)


QUICK = "--pbkdf pbkdf2 --pbkdf-force-iterations 1000"
KEY_FILE = Resource(source="data:,mine")


@pytest.mark.parametrize(
    ("wanted", "command"),
    [
        pytest.param(volume(), f"{QUICK} --subsystem ignition-unfinished -- N", id="plain"),
        pytest.param(volume(key_file=KEY_FILE), "--subsystem ignition-unfinished -- N", id="a key that somebody may guess"),
        pytest.param(
            volume(options=("--pbkdf=argon2id",)),
            "--pbkdf=argon2id --subsystem ignition-unfinished -- N",
            id="pbkdf of one's own",
        ),
        pytest.param(
            volume(options=("-i", "100")),
            "-i 100 --subsystem ignition-unfinished -- N",
            id="iteration time in cryptsetup's short form",
        ),
        pytest.param(
            volume(label="l", uuid=UUID, options=("--cipher", "aes-cbc-plain", "--subsystem=x")),
            f"--label l --uuid {UUID} {QUICK} --cipher aes-cbc-plain --subsystem=x --subsystem ignition-unfinished -- N",
            id="everything",
        ),
        pytest.param(
            volume(label="", uuid=""), f"{QUICK} --subsystem ignition-unfinished -- N", id="empty label and UUID are left out"
        ),
    ],
)
def test_command_that_formats(wanted: Luks, command: str) -> None:
    begin = "cryptsetup luksFormat --type luks2 --batch-mode --key-file=-"
    assert format_command(wanted, "N") == f"{begin} {command}".split()


@pytest.mark.parametrize(
    ("wanted", "persistent", "command"),
    [
        pytest.param(volume(), True, "--persistent", id="plain"),
        pytest.param(
            volume(discard=True, open_options=("--perf-no_read_workqueue", "--perf-no_write_workqueue")),
            True,
            "--persistent --allow-discards --perf-no_read_workqueue --perf-no_write_workqueue",
            id="discards and options",
        ),
        pytest.param(volume(discard=True), False, "--allow-discards", id="header left alone"),
    ],
)
def test_command_that_opens(wanted: Luks, persistent: bool, command: str) -> None:
    begin = "cryptsetup luksOpen --key-file=-"
    assert open_command(wanted, "N", persistent=persistent) == f"{begin} {command} -- N data".split()


@pytest.mark.parametrize(
    ("options", "subsystem"),
    [
        ((), ""),
        (("--subsystem", "a"), "a"),
        (("--subsystem=a=b",), "a=b"),
        (("--subsystem=a", "--label", "--subsystem"), ""),
        (("--subsystem=a", "--subsystem", "b"), "b"),
    ],
)
def test_subsystem_that_the_config_asks_for(options: tuple[str, ...], subsystem: str) -> None:
    assert own_subsystem(options) == subsystem


def test_no_description_has_a_key_or_a_pins_config() -> None:
    secret = json.dumps({"pin-value": "SECRET"})
    wanted = (
        volume(key_file=KEY_FILE, wipe_volume=True, clevis=Clevis(custom=ClevisCustom(pin="pkcs11", config=secret))),
        volume("tang", device="/dev/vdc", clevis=Clevis(tang=(TANG.evolve(url="http://u:SECRET@t/?SECRET"),), tpm2=True)),
    )
    second = facts(node="/dev/vdc", device="vdc")
    keys = Keys()
    keys.put("data", b"SECRETKEY")
    said = [step.describe() for step in plan(wanted, {"data": facts(header(), is_open=True), "tang": second}, keys)]
    assert said == [
        "close data, which will be recreated ($.storage.luks.0)",
        "encrypt /dev/vdb1 as data ($.storage.luks.0)",
        "open /dev/vdb1 as data ($.storage.luks.0)",
        "bind data to pin pkcs11 ($.storage.luks.0)",
        "encrypt /dev/vdc as tang ($.storage.luks.1)",
        "open /dev/vdc as tang ($.storage.luks.1)",
        "bind tang to 1 of 2: tang http://t/, the TPM ($.storage.luks.1)",
        "unlock tang through clevis ($.storage.luks.1)",
        "remove the generated key of tang ($.storage.luks.1)",
        "note in its header that tang is complete ($.storage.luks.1)",
    ]
    assert "SECRET" not in repr(keys)
