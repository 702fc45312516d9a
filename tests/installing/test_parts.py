"""The parts of coreos-install by themselves: signatures, unpacking, downloads, writing, planning, flags."""

import bz2
import errno
import io
import lzma
import random
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ignition.cli import install
from ignition.errors import Failure
from ignition.fetch.http import Client
from ignition.fetch.retry import Clock
from ignition.host.machine_disks import MachineDisk
from ignition.installing import image as images
from ignition.installing import operations, plan, signature, source, target, unpack, writing
from ignition.storage import gpt
from ignition.trust import signed_message
from tests.installing.images import ESP, LINUX, MIB, PACK, Keys, Server

PUBLISHER = r"key [0-9A-F]{40} \(publisher <publisher@example.com>\)"
TEXT = random.Random(3).randbytes(100_000) + bytes(3 * MIB) + b"end"


# Signatures


def test_signature_of_a_trusted_key(keys: Keys, other_keys: Keys) -> None:
    ring = signature.keyring([str(other_keys.public), str(keys.public)])
    for options in ([], ["--armor"]):
        with signature.verifying(keys.sign(TEXT, *options), ring, "image") as verifier:
            for begin in range(0, len(TEXT), 65536):
                verifier.write(TEXT[begin : begin + 65536])
            (signer,) = verifier.finish()
            assert re.fullmatch(PUBLISHER, signer)


@pytest.mark.parametrize("length", [0, len(TEXT) - 1])
def test_signature_of_other_bytes(length: int, keys: Keys) -> None:
    with signature.verifying(keys.sign(TEXT), signature.keyring([str(keys.public)]), "image") as verifier:
        verifier.write(TEXT[:length])
        says = "image: BAD signature of key .*: the signature is not of these bytes: they are damaged, truncated or forged"
        with pytest.raises(Failure, match=says):
            verifier.finish()


def test_rubbish_in_place_of_a_signature(keys: Keys) -> None:
    with signature.verifying(b"\x88rubbish", signature.keyring([str(keys.public)]), "image") as verifier:
        verifier.write(TEXT)  # gpgv has ended by then, or ends meanwhile
        with pytest.raises(Failure, match="image: it is not an OpenPGP signature"):
            verifier.finish()


@pytest.mark.parametrize("text", [b"", b"rubbish", b"-----BEGIN PGP SIGNATURE-----\n\n!\n-----END PGP SIGNATURE-----\n"])
def test_text_without_a_signature_is_refused_before_the_image_comes(text: bytes) -> None:
    with pytest.raises(Failure, match="image.sig: not an OpenPGP signature"), signature.verifying(text, b"", "image"):
        pass


@pytest.mark.parametrize("length", [0, 505, 506, 507, 697, 1018, MIB, len(TEXT)])
def test_text_of_any_length_as_a_message(length: int, keys: Keys) -> None:
    """Parts have 2^n bytes, 512 at least, and six bytes come before the text; lengths of one and of two octets at the end."""
    text = TEXT[-length:] if length else b""
    with signature.verifying(keys.sign(text), signature.keyring([str(keys.public)]), "image") as verifier:
        for piece in pieces(text, 70_001):
            verifier.write(piece)
        (signer,) = verifier.finish()
        assert re.fullmatch(PUBLISHER, signer)


def test_signatures_that_are_not_put_before_the_text(keys: Keys) -> None:
    """gpgv reads two of them alone; one of text lines, and a whole message in their place, are refused."""
    ring = signature.keyring([str(keys.public)])
    one = keys.sign(TEXT)
    assert signed_message.can_be_one(one)
    assert not signed_message.can_be_one(one + one)
    with signature.verifying(one + one, ring, "image") as verifier:
        verifier.write(TEXT)
        assert all(re.fullmatch(PUBLISHER, signer) for signer in verifier.finish())
    argv = ["gpg", "--homedir", str(keys.home), "--batch", "--quiet", "--compress-algo", "none", "--sign", "--output", "-"]
    message = subprocess.run(argv, input=TEXT, capture_output=True, check=True, timeout=120).stdout
    literal = b"\xcb\x08b\0\0\0\0\0ok"
    for packets in (message, one + literal, keys.sign(b"forged", "--textmode")):
        assert not signed_message.can_be_one(packets)
        with signature.verifying(packets, ring, "image") as verifier:
            verifier.write(b"forged")
            with pytest.raises(Failure, match="^image: "):
                verifier.finish()


def test_expired_signature(keys: Keys) -> None:
    data = keys.sign(TEXT, "--default-sig-expire", "seconds=1")
    time.sleep(2.1)  # of the clock on the wall, which gpgv asks
    with signature.verifying(data, signature.keyring([str(keys.public)]), "image") as verifier:
        verifier.write(TEXT)
        with pytest.raises(Failure, match="image: the signature of key .* has expired"):
            verifier.finish()


def test_no_keys(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no key is trusted") as caught:
        signature.keyring([])
    assert caught.value.fix == "name the file of the publisher's keys by -k, or put it there"
    with pytest.raises(Failure, match="the keys cannot be read: No such file"):
        signature.keyring([str(tmp_path / "none")])


def test_keys_of_directories(tmp_path: Path) -> None:
    for name in ("a/x.asc", "a/readme", "b/x.asc", "b/y.gpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = signature.key_files([str(tmp_path / "a"), str(tmp_path / "none"), str(tmp_path / "b")])
    assert found == [str(tmp_path / "a/x.asc"), str(tmp_path / "b/y.gpg")]


# Unpacking


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


@pytest.mark.parametrize("format", PACK)
@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_formats(format: str, size: int) -> None:
    assert b"".join(unpack.unpacked(pieces(PACK[format](TEXT), size), "x")) == TEXT


@pytest.mark.parametrize("format", [format for format in PACK if format != "raw"])
def test_several_members_with_padding(format: str) -> None:
    data = PACK[format](TEXT) + bytes(8) + PACK[format](b"more") + bytes(4)
    for size in (777, 1 << 20):
        assert b"".join(unpack.unpacked(pieces(data, size), "x")) == TEXT + b"more"


@pytest.mark.parametrize("format", [format for format in PACK if format != "raw"])
def test_truncated_and_damaged(format: str) -> None:
    data = PACK[format](TEXT)
    with pytest.raises(Failure, match=rf"x: the {format} data is truncated"):
        list(unpack.unpacked([data[:-10]], "x"))
    with pytest.raises(Failure, match=rf"x: the {format} data is damaged \(\w+\)"):
        list(unpack.unpacked([data, b"rubbish at the end"], "x"))


def test_pieces_are_small_whatever_they_unpack_to() -> None:
    for packed in (bz2.compress(bytes(64 * MIB)), lzma.compress(bytes(64 * MIB)), PACK["gz"](bytes(64 * MIB))):
        assert max(map(len, unpack.unpacked([packed], "x"))) <= MIB
    assert max(map(len, unpack.unpacked([PACK["zst"](bytes(512 * MIB))], "x"))) <= 128 * MIB


# Downloads


@pytest.fixture
def remote(server: Server) -> Iterator[Callable[[str], source.RemoteImage]]:
    """A function that makes an image of the server's; its client is closed at the end."""
    client = Client(source.settings({}), dict, Clock())
    yield lambda path: source.RemoteImage(client, server.url + path, pause=lambda _: None)
    client.close()


Remote = Callable[[str], source.RemoteImage]


def test_resumed_without_ranges(server: Server, remote: Remote) -> None:
    server.served.files["/x"], server.served.cuts["/x"], server.served.ranges = TEXT, [5000], False
    one = remote("/x")
    assert b"".join(one.pieces()) == TEXT
    assert (one.received, one.total) == (len(TEXT), len(TEXT))


@pytest.mark.parametrize("length", [0, 1])
def test_image_that_changes_meanwhile(length: int, server: Server, remote: Remote) -> None:
    """Another validator, or the same one with another length."""
    server.served.files["/x"], server.served.cuts["/x"] = TEXT, [5000]

    def change(served: object) -> None:
        server.served.files["/x"] = TEXT + bytes(length)
        server.served.etag = '"1"' if length else '"2"'

    server.served.after = change
    with pytest.raises(Failure, match="the image has changed on the server during the download"):
        list(remote("/x").pieces())


def test_server_that_never_gets_further(server: Server, remote: Remote) -> None:
    server.served.files["/x"], server.served.cuts["/x"] = TEXT, [5000, *([0] * 10)]
    with pytest.raises(Failure, match=f"{server.url}/x"):
        list(remote("/x").pieces())
    assert len(server.served.requests) == 6


def test_signature_of_a_url_with_a_query(server: Server, remote: Remote) -> None:
    server.served.files["/x.sig?a=b"] = b"signature"
    assert remote("/x?a=b").signature() == b"signature"


def test_not_a_url() -> None:
    with pytest.raises(Failure, match="ftp://host/x: not a URL of http or https"):
        source.RemoteImage(Client(source.settings({}), dict, Clock()), "ftp://host/x")


def test_proxies_of_the_environment() -> None:
    found = source.settings({"http_proxy": "http://p:1", "no_proxy": "a,b"})
    assert (found.http_proxy, found.https_proxy, found.no_proxy, found.total_s) == ("http://p:1", None, ("a", "b"), None)


def test_local_image_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="the image cannot be read: No such file"):
        source.LocalImage(str(tmp_path / "none"))
    with pytest.raises(Failure, match="a directory, not an image"):
        source.LocalImage(str(tmp_path))
    (tmp_path / "image").touch()
    with pytest.raises(Failure, match=r"image\.sig: the signature cannot be read"):
        source.LocalImage(str(tmp_path / "image")).signature()


# Reading ahead


def test_ahead_passes_on_pieces_and_errors() -> None:
    def failing() -> Iterator[bytes]:
        yield b"1"
        yield b"2"
        raise Failure("broken")

    found = []
    with images.ahead(failing()) as others:
        with pytest.raises(Failure, match="broken"):
            for piece in others:
                found.append(piece)
    assert found == [b"1", b"2"]


def test_ahead_ends_with_its_block() -> None:
    made: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            made.append(1)
            yield b"x"

    with images.ahead(endless(), 2) as others:
        assert next(others) == b"x"
    assert threading.active_count() == 1
    assert len(made) < 10


def test_ahead_starts_nothing_unless_asked() -> None:
    with images.ahead(iter([b"x"])):
        assert threading.active_count() == 1


# Writing


@pytest.mark.parametrize("can_punch", [True, False])
def test_zeros_are_zeros(can_punch: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not can_punch:
        monkeypatch.setattr(writing, "punch", lambda *_: errno.EOPNOTSUPP)
    data = b"a" * MIB + bytes(3 * MIB) + b"b" * 100 + bytes(MIB) + b"c" + bytes(2 * MIB)
    with open(tmp_path / "disk", "w+b", buffering=0) as file:
        file.write(b"\xff" * 12 * MIB)
        writer = writing.Writer(file.fileno(), MIB, 12 * MIB)
        for piece in pieces(data, 300_000):
            writer.write(piece)
        assert writer.reached == MIB + len(data)
        writer.finish()
        file.seek(0)
        assert file.read() == b"\xff" * MIB + data + b"\xff" * (11 * MIB - len(data))
    assert writer.skipped == (4 * MIB if can_punch else 0)


def test_nothing_is_written_behind_the_limit(tmp_path: Path) -> None:
    with open(tmp_path / "disk", "w+b", buffering=0) as file:
        file.write(b"\xff" * 4 * MIB)
        writer = writing.Writer(file.fileno(), 0, MIB + 5)
        writer.write(bytes(2 * MIB) + b"b" * MIB)
        writer.finish()
        file.seek(0)
        assert file.read() == bytes(MIB + 5) + b"\xff" * (3 * MIB - 5)


# Planning


def table_of(entries: dict[int, gpt.Entry], sectors: int = 100_000) -> gpt.Table:
    return gpt.empty(512, sectors).with_entries(entries)


def entry(first: int, last: int, name: str, type_guid: str = LINUX) -> gpt.Entry:
    return gpt.new_entry(first, last, type_guid=type_guid, unique=bytes([first % 251]) * 16, name=name)


def an_image(table: gpt.Table) -> images.Image:
    return images.Image("image", bytes(MIB), iter(()), str, str)


def test_plan_ends_with_the_table() -> None:
    table = table_of({1: entry(2048, 4095, "EFI-SYSTEM", ESP), 6: entry(4096, 8191, "OEM"), 9: entry(8192, 16383, "ROOT")})
    disk = target.Target("/dev/vdb", 512, 100_000)
    network = {"a.network": operations.NetworkFile(b"", is_public=True)}
    options = plan.Options(config=b"{}", cloud_config=b"", oem="ec2", arguments=("a=b", "c"), network=network)
    assert [one.describe() for one in plan.plan(disk, an_image(table), table, {}, options)] == [
        "erase boot code and partition table of /dev/vdb",
        "write image to /dev/vdb and verify it",
        "make the partitions of /dev/vdb known to the kernel",
        "write /config.ign for the first boot to /dev/vdb6 (OEM)",
        "set oem_id to ec2 in /grub.cfg of /dev/vdb6 (OEM)",
        "write /var/lib/coreos-install/user_data to /dev/vdb9 (ROOT)",
        "copy a.network to /etc/systemd/network of /dev/vdb9 (ROOT)",
        "append kernel arguments on /dev/vdb1: a=b c",
        "write boot code and the partition table of /dev/vdb: 1, 6, 9",
    ]


def test_config_never_goes_to_a_kept_partition() -> None:
    """A kept partition called OEM is the user's, not the image's."""
    kept = {3: entry(50_000, 60_000, "OEM")}
    table = table_of({9: entry(2048, 4095, "ROOT"), **kept})
    with pytest.raises(Failure, match="image: -i: the image does not have a partition OEM"):
        plan.plan(target.Target("/dev/vdb", 512, 100_000), an_image(table), table, kept, plan.Options(config=b"{}"))


@pytest.mark.parametrize(
    ("word", "numbers"),
    [("3", [3]), ("2-3", [2, 3]), ("3-", [3, 12]), ("da*", [2, 12]), ("data", [2]), ("*", [2, 3, 12])],
)
def test_names_of_kept_partitions(word: str, numbers: list[int]) -> None:
    table = table_of({2: entry(2048, 4095, "data"), 3: entry(4096, 8191, "x"), 12: entry(8192, 9000, "data2")})
    assert list(target.kept(table, [word], "/dev/vdb")) == numbers


def test_disk_without_a_gpt_keeps_nothing() -> None:
    says = "/dev/vdb: --keep-partitions 1: /dev/vdb does not have a GPT, and .* sgdisk --mbrtogpt"
    with pytest.raises(Failure, match=says):
        target.kept(None, iter(["1"]), "/dev/vdb")
    assert target.kept(None, [], "/dev/vdb") == {}


@pytest.mark.parametrize(
    ("lengths", "what", "fix"),
    [
        ((2000, 2000), "partition 2 ('a', sectors 2048 to 4047), partition 3 ('b', sectors 6144 to 8143)", "3 by: echo 8192 |"),
        # Over its own old place.
        ((6, 4000), "partition 3 ('b', sectors 6144 to 10143) lie", "3 by: echo 8192 |"),
        # Behind the one that stays.
        ((6, 6000), "partition 3 ('b', sectors 6144 to 12143) lie", "3 by: echo 14336 |"),
        ((6, 92_000), "partition 3 ('b', sectors 6144 to 98143) lie", "back up partition 3, as 92000 sectors are free nowhere"),
    ],
)
def test_partitions_in_the_way_of_the_image(lengths: tuple[int, int], what: str, fix: str) -> None:
    kept = {2: entry(2048, 2047 + lengths[0], "a"), 3: entry(6144, 6143 + lengths[1], "b")}
    other = {} if lengths[1] > 50_000 else {4: entry(12_500, 13_000, "c")}
    disk = target.Target("/dev/vdb", 512, 100_000, table=table_of({**kept, **other}))
    with pytest.raises(Failure) as refused:
        plan.new_table(disk, table_of({9: entry(2048, 8191, "ROOT")}), kept, frozenset())
    message = str(refused.value)
    assert what in message
    assert "where the image does, which needs all sectors up to 8191" in message
    assert fix in message


def test_kept_partitions_get_free_numbers() -> None:
    own = table_of({1: entry(2048, 4095, "a"), 4: entry(4096, 8191, "b")})
    kept = {1: entry(50_000, 50_999, "x"), 4: entry(51_000, 51_999, "y"), 5: entry(52_000, 52_999, "z")}
    found = plan.new_table(target.Target("/dev/vdb", 512, 100_000), own, kept, frozenset())
    names = {number: one.name for number, one in found.entries.items()}
    assert {names[1], names[4]} == {"a", "b"}
    assert sorted(names.values()) == ["a", "b", "x", "y", "z"]
    assert names[5] == "z"


def test_smallest_disk() -> None:
    gb = 1000**3
    disks = [
        MachineDisk("vda", 20 * gb, user="it holds ROOT"),
        MachineDisk("vdb", 4 * gb),
        MachineDisk("vdc", 50 * gb),
        MachineDisk("vdd", 40 * gb),
        MachineDisk("sda", 16 * gb, removable=True),
    ]
    assert target.smallest(disks) == "/dev/vdd"
    with pytest.raises(Failure, match="/dev/vdd and /dev/vde are equally small"):
        target.smallest([*disks, MachineDisk("vde", 40 * gb)])
    with pytest.raises(Failure, match="no unused disk of at least 10 GB was found"):
        target.smallest(disks[:2])


def test_oem_replaces_an_earlier_one() -> None:
    assert operations.with_oem('set oem_id="a"\nset x=y\n', "b") == 'set x=y\nset oem_id="b"\n'
    assert operations.with_oem("", "b") == '\nset oem_id="b"\n'


def test_gathered_pieces_are_blocks_of_the_writer() -> None:
    for size in (300_001, MIB, 5 * MIB + 1):
        found = list(images._gathered(pieces(TEXT, size)))
        assert b"".join(found) == TEXT
        assert [len(piece) for piece in found[:-1]] == [MIB] * 3


# The command line


def test_urls_of_a_mirror() -> None:
    base = "https://host/amd64-usr/"
    assert install.image_url(base, "current", "") == "https://host/amd64-usr/current/coreos_production_image.bin.bz2"
    assert install.image_url(base, "1.2.3", "ec2") == "https://host/amd64-usr/1.2.3/coreos_production_ec2_image.bin.bz2"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("-f x", "either -d DEVICE or -s is required"),
        ("-d x -s -f x", "either -d DEVICE or -s is required"),
        ("-d x", "exactly one of -f FILE, -u URL and -b BASEURL is required"),
        ("-d x -f x -u y", "exactly one of -f FILE, -u URL and -b BASEURL is required"),
        ("-d x -f x -k y --insecure", "-k and --insecure exclude each other"),
        ("-d x -f x --network-dir y", "--network-dir needs --copy-network"),
        ("-d x -f x --append-karg=", "--append-karg: an argument is empty"),
        ("-d x -f x -o A/B", "'A/B' is not the name of a platform"),
    ],
)
def test_usage(words: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert install.main(words.split()) == 64
    assert message in capsys.readouterr().err.partition("\n")[0]


def test_rate_and_rest() -> None:
    one = source.LocalImage("/dev/null")
    now = iter([0.0, 2.0])
    rate = images._Rate(one, lambda: next(now))
    one.received, one.total = 100 * MIB, 400 * MIB
    assert rate.words() == "100 of 400 MiB, 25 %, 50 MiB/s, 6 s left"


def test_unknown_geometry_and_rubbish_are_not_images() -> None:
    head = io.BytesIO(b"<html>").read()
    one = images.Image("page", head, iter(()), str, str)
    with pytest.raises(Failure, match="page: not an image of a disk with a GPT and sectors of 512 bytes"):
        one.table(512, 100_000)
