"""The digest is SHA-512, whichever implementation computes it."""

import hashlib

import pytest

from ignition.host.atomic import sha512


@pytest.mark.parametrize("content", [b"", b"{}", b"x" * 1_000_000], ids=["empty", "short", "long"])
def test_digest_is_sha512(content: bytes) -> None:
    assert sha512(content) == hashlib.sha512(content).hexdigest()
