"""Packed user data."""

import gzip
import tracemalloc
from collections.abc import Callable

import pytest
import zstandard

from ignition.config.text.packed import packing, unpack
from ignition.errors import Failure
from ignition.host.limits import IN_MEMORY as LIMIT

Pack = Callable[[bytes], bytes]

TEXT = b'{"ignition": {"version": "3.5.0"}}' * 1000


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


@pytest.mark.parametrize(
    "content, name",
    [
        pytest.param(TEXT, "", id="plain"),
        pytest.param(b"", "", id="empty"),
        pytest.param(b"\x1f", "", id="one byte"),
        pytest.param(gzip.compress(TEXT), "gzip", id="gzip"),
        pytest.param(zstd(TEXT), "zstd", id="zstd"),
    ],
)
def test_packing_is_known_by_the_first_bytes(content: bytes, name: str) -> None:
    assert packing(content) == name
    assert unpack(content) in (TEXT, content)
    assert bool(packing(unpack(content))) is False


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_parts_in_a_row_are_one_content(pack: Pack) -> None:
    halves = [TEXT[:100], b"", TEXT[100:]]
    assert unpack(b"".join(map(pack, halves))) == TEXT


def test_zstd_stream_without_a_size_in_its_header_is_unpacked() -> None:
    stream = zstandard.ZstdCompressor().compressobj()
    assert unpack(stream.compress(TEXT) + stream.flush()) == TEXT


@pytest.mark.parametrize(
    "content",
    [gzip.compress(gzip.compress(TEXT)), zstd(gzip.compress(TEXT)), gzip.compress(zstd(TEXT)), zstd(zstd(TEXT))],
    ids=["gzip in gzip", "gzip in zstd", "zstd in gzip", "zstd in zstd"],
)
def test_config_packed_twice_is_unpacked(content: bytes) -> None:
    assert unpack(content) == TEXT


AGAIN = "compress the config again, and copy it completely"
BROKEN = [
    pytest.param(gzip.compress(TEXT)[:2], "the gzip data ends early", AGAIN, id="only the magic of gzip"),
    pytest.param(gzip.compress(TEXT)[:-1], "the gzip data ends early", AGAIN, id="gzip cut"),
    pytest.param(gzip.compress(TEXT) + gzip.compress(TEXT)[:9], "the gzip data ends early", AGAIN, id="second member cut"),
    pytest.param(gzip.compress(TEXT)[:-8] + bytes(8), "the gzip data is damaged: ", AGAIN, id="wrong checksum of gzip"),
    pytest.param(gzip.compress(TEXT) + bytes(4), "other data follows the gzip data", AGAIN, id="gzip and zeros"),
    pytest.param(gzip.compress(TEXT) + zstd(TEXT), "other data follows the gzip data", AGAIN, id="gzip and zstd"),
    pytest.param(zstd(TEXT)[:4], "the zstd data ends early", AGAIN, id="only the magic of zstd"),
    pytest.param(zstd(TEXT)[:-1], "the zstd data ends early", AGAIN, id="zstd cut"),
    pytest.param(zstd(TEXT) + zstd(TEXT)[:9], "the zstd data ends early", AGAIN, id="second frame cut"),
    pytest.param(zstd(TEXT)[:-4] + bytes(4), "the zstd data is damaged: ", AGAIN, id="wrong checksum of zstd"),
    pytest.param(zstd(TEXT) + b"tail", "other data follows the zstd data", AGAIN, id="zstd and text"),
    pytest.param(zstd(TEXT) + bytes(600), "other data follows the zstd data", AGAIN, id="zstd and zeros"),
    pytest.param(
        gzip.compress(gzip.compress(gzip.compress(TEXT))),
        "the config is packed more than 2 times",
        "pack it once",
        id="three times",
    ),
]


@pytest.mark.parametrize("content, what, fix", BROKEN)
def test_broken_packing_is_refused(content: bytes, what: str, fix: str) -> None:
    with pytest.raises(Failure) as caught:
        unpack(content)
    assert caught.value.what.startswith(what)
    assert caught.value.fix == fix


@pytest.mark.parametrize("pack, name", [(gzip.compress, "gzip"), (zstd, "zstd")], ids=["gzip", "zstd"])
def test_what_unfolds_without_end_is_refused_early(pack: Pack, name: str) -> None:
    bomb = pack(bytes(LIMIT)) * 16
    assert len(bomb) < LIMIT // 50
    tracemalloc.start()
    with pytest.raises(Failure, match=f"^the {name} data expands to more than 64 MiB"):
        unpack(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * LIMIT


def test_config_of_the_largest_size_is_unpacked() -> None:
    assert len(unpack(gzip.compress(bytes(LIMIT), compresslevel=1))) == LIMIT
