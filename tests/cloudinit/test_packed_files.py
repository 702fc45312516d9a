"""Packed files of a cloud-config: they go to the disk piece by piece, and their sum is limited."""

import base64
import gzip
import tracemalloc

import pytest

from ignition.cloudinit import files
from ignition.cloudinit.checks import _Unpacked
from ignition.errors import Failure
from ignition.host import limits

BOMB = base64.b64encode(gzip.compress(bytes(60 << 20))).decode()


def test_packed_content_stays_packed() -> None:
    packed = gzip.compress(b"content")
    assert files.as_packed(base64.b64encode(packed).decode(), "gz+b64") == (packed, "gzip")
    assert files.as_packed(base64.b64encode(b"content").decode(), "base64") == (b"content", "")
    assert files.as_packed("content", "") == (b"content", "")


def test_length_is_known_without_the_content() -> None:
    tracemalloc.start()
    try:
        assert files.unpacked_length(BOMB, "gzip+base64") == 60 << 20
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_file_that_unfolds_to_too_much_is_refused() -> None:
    packed = base64.b64encode(gzip.compress(bytes(limits.IN_MEMORY + 1))).decode()
    with pytest.raises(Failure, match="the content is larger than 64 MiB when unpacked"):
        files.unpacked_length(packed, "gz+b64")


def test_sum_of_all_files_is_limited() -> None:
    unpacked = _Unpacked()
    unpacked.add(limits.UNPACKED)
    with pytest.raises(Failure) as caught:
        unpacked.add(1)
    assert str(caught.value) == "all files together are larger than 256 MiB when unpacked (fix: let a unit fetch large contents)"
