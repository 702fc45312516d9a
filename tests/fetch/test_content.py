"""Decompression and hashes as streams."""

import gzip
import hashlib
import os
import re
import tracemalloc
from collections.abc import Iterator

import pytest

from ignition.config.model import Resource
from ignition.config.model.ignition import Verification
from ignition.config.text.packed import gunzip
from ignition.errors import Failure
from ignition.fetch.content import decompressed, verified

TEXT = b"first boot " * 1000


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("members", [1, 2, 5])
def test_gzip_of_any_number_of_members_unfolds(members: int, size: int) -> None:
    assert b"".join(gunzip(in_pieces(gzip.compress(TEXT) * members, size))) == TEXT * members


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "the gzip data ends early", id="nothing"),
        pytest.param(gzip.compress(TEXT)[:-1], "the gzip data ends early", id="cut in the trailer"),
        pytest.param(gzip.compress(TEXT)[:30], "the gzip data ends early", id="cut in the data"),
        pytest.param(gzip.compress(TEXT) + gzip.compress(TEXT)[:12], "the gzip data ends early", id="second member cut"),
        pytest.param(b"plain text", "the gzip data is damaged", id="no gzip"),
        pytest.param(gzip.compress(TEXT) + b"tail", "other data follows the gzip data", id="other data behind"),
        pytest.param(gzip.compress(TEXT)[:-8] + b"12345678", "the gzip data is damaged", id="wrong checksum"),
    ],
)
@pytest.mark.parametrize("size", [1, 100_000])
def test_broken_gzip_is_refused(data: bytes, message: str, size: int) -> None:
    with pytest.raises(Failure, match=message) as caught:
        list(decompressed(Resource(source="data:,", compression="gzip"), in_pieces(data, size)))
    assert caught.value.fix == "serve a gzip file, or remove compression from the resource"


def test_gzip_bomb_needs_little_memory() -> None:
    bomb = gzip.compress(bytes(50 * 1024 * 1024))
    tracemalloc.start()
    size = sum(len(piece) for piece in gunzip(in_pieces(bomb, 65536)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 50 * 1024 * 1024
    assert peak < 4 * 1024 * 1024


def test_unknown_compression_is_refused() -> None:
    with pytest.raises(Failure, match="compression 'xz' is not supported"):
        decompressed(Resource(source="data:,", compression="xz"), [b""])


@pytest.mark.parametrize("compression", [None, ""])
def test_no_compression_changes_nothing(compression: str | None) -> None:
    assert list(decompressed(Resource(source="data:,", compression=compression), [gzip.compress(TEXT)])) == [gzip.compress(TEXT)]


def check(hash_text: str | None, data: bytes) -> bytes:
    return b"".join(verified(Resource(source="data:,", verification=Verification(hash=hash_text)), in_pieces(data, 100)))


@pytest.mark.parametrize("function", ["sha512", "sha256"])
@pytest.mark.parametrize("upper", [False, True], ids=["lower case", "upper case"])
def test_right_hash_passes(function: str, upper: bool) -> None:
    digest = hashlib.new(function, TEXT).hexdigest()
    assert check(f"{function}-{digest.upper() if upper else digest}", TEXT) == TEXT


@pytest.mark.parametrize("function", ["sha512", "sha256"])
def test_wrong_hash_is_refused_with_both_digests(function: str) -> None:
    right, wrong = hashlib.new(function, TEXT).hexdigest(), hashlib.new(function, b"").hexdigest()
    with pytest.raises(Failure, match=re.escape(f"the content's {function} is {right}, the config expects {wrong}")):
        check(f"{function}-{wrong}", TEXT)


def test_unknown_hash_function_is_refused() -> None:
    with pytest.raises(Failure, match="hash function 'md5' is not supported"):
        check("md5-d41d8cd98f00b204e9800998ecf8427e", b"")


def test_no_hash_passes_anything() -> None:
    noise = os.urandom(1000)
    assert check(None, noise) == noise
