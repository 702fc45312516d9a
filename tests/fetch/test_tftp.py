"""The tftp scheme against a real server that loses, repeats and refuses."""

import gzip
import hashlib
import io
import os
import socket
import tracemalloc

import pytest

from ignition.config.model import Resource
from ignition.config.model.ignition import Verification
from ignition.errors import Failure, NeedsNetwork, NotFound
from ignition.fetch import tftp
from ignition.fetch.engine import Fetcher
from ignition.fetch.retry import Clock
from ignition.fetch.settings import Settings
from tests.fetch.server import FakeClock, real_seconds
from tests.fetch.tftp_server import Faults, tftp_serving
from tests.netns import namespace

NOISE = os.urandom(100_000)
FAST = Settings(first_pause_s=0.01, longest_pause_s=0.02, total_s=20.0)


def read(url: str, settings: Settings = FAST, *, packet_s: float = 0.2) -> bytes:
    """With waits for packets that suit a test."""
    clock = Clock(random=lambda: 0.01)
    return b"".join(tftp.stream(url, settings, clock, packet_s=packet_s))


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, 100_000])
def test_file_of_any_size_arrives(fetcher: Fetcher, size: int) -> None:
    with tftp_serving({b"/a": NOISE[:size]}) as server:
        assert fetcher.read(Resource(source=f"{server.url}/a")) == NOISE[:size]
        assert server.requests == [b"\0\1/a\0octet\0"]


def test_path_is_sent_with_its_slash_and_without_escapes() -> None:
    with tftp_serving({b"/dir/a b\xe9": b"content"}) as server:
        assert read(f"{server.url}/dir/a%20b%E9?ignored#too".replace("tftp:", "TFTP:")) == b"content"


def test_compressed_content_is_unpacked_and_verified(fetcher: Fetcher) -> None:
    digest = hashlib.sha256(NOISE).hexdigest()
    resource = Resource(source="", compression="gzip", verification=Verification(hash=f"sha256-{digest}"))
    with tftp_serving({b"/a.gz": gzip.compress(NOISE)}) as server:
        file = io.BytesIO()
        fetcher.copy_to(resource.evolve(source=f"{server.url}/a.gz"), file)
    assert file.getvalue() == NOISE


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(Faults(lost_requests=2), id="requests are lost"),
        pytest.param(Faults(lost=frozenset({1, 5, 196})), id="blocks are lost"),
        pytest.param(Faults(lost_acknowledgements=frozenset({1, 5, 195})), id="acknowledgements are lost"),
        pytest.param(Faults(twice=frozenset({1, 5, 6, 195})), id="blocks come twice"),
    ],
)
def test_what_the_network_does_to_packets_is_made_good(faults: Faults) -> None:
    with tftp_serving({b"/a": NOISE}, faults) as server:
        assert read(f"{server.url}/a") == NOISE


def test_block_that_comes_twice_is_not_answered_with_a_flood() -> None:
    with tftp_serving({b"/a": NOISE}, Faults(twice=frozenset({1}), patience_s=60)) as server:
        assert read(f"{server.url}/a") == NOISE
        assert server.sent <= 196 + 1


def test_block_of_somebody_else_is_refused() -> None:
    with tftp_serving({b"/a": NOISE}, Faults(stranger=frozenset({2, 7}))) as server:
        assert read(f"{server.url}/a") == NOISE
        assert server.strangers == [b"\0\5\0\5unknown transfer\0"] * 2


def test_block_numbers_begin_anew_above_32_mib(fetcher: Fetcher) -> None:
    content = NOISE * 336
    assert len(content) > 65536 * 512
    size, digest = 0, hashlib.sha256()

    class Sink:
        def write(self, data: bytes) -> None:
            nonlocal size
            size += len(data)
            digest.update(data)

    with tftp_serving({b"/a": content}) as server:
        tracemalloc.start()
        fetcher.copy_to(Resource(source=f"{server.url}/a"), Sink())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (size, digest.digest()) == (len(content), hashlib.sha256(content).digest())
    assert peak < 1024 * 1024


def test_missing_file_is_not_found() -> None:
    with tftp_serving({}) as server, pytest.raises(NotFound) as caught:
        read(f"{server.url}/a?token=secret")
    assert str(caught.value) == f"{server.url}/a: the server says: File not found (TFTP error 1) (fix: check the URL)"
    assert len(server.requests) == 1


def test_error_in_the_middle_ends_the_fetch_with_its_message() -> None:
    with tftp_serving({b"/a": NOISE}, Faults(error_at=3)) as server, pytest.raises(Failure) as caught:
        read(f"{server.url}/a")
    assert caught.value.what == "the server says: Disk \ufffd? full (TFTP error 3)"
    assert caught.value.where == f"{server.url}/a"
    assert not isinstance(caught.value, NotFound)


@pytest.mark.parametrize("faults", [Faults(lost_requests=100), Faults(silent_after=3)], ids=["from the start", "in the middle"])
def test_silent_server_is_left_after_six_packets(faults: Faults) -> None:
    with tftp_serving({b"/a": NOISE}, faults) as server, pytest.raises(Failure) as caught:
        read(f"{server.url}/a", packet_s=0.05)
    assert caught.value.what == "timed out: no answer to 6 packets within 0.05 s each"
    assert caught.value.fix == "check the route, that a TFTP server runs there, and that firewalls let UDP pass"
    assert len(server.requests) == (6 if faults.lost_requests else 1)


def test_each_retransmission_follows_a_random_pause() -> None:
    slept: list[float] = []
    clock = Clock(sleep=slept.append, random=lambda: 0.25)
    with tftp_serving({b"/a": NOISE[:100]}, Faults(lost_requests=2)) as server:
        assert b"".join(tftp.stream(f"{server.url}/a", FAST, clock, packet_s=0.05)) == NOISE[:100]
    assert slept == [0.25, 0.25]


@pytest.mark.root
@pytest.mark.parametrize("listens", [True, False], ids=["silent", "refuses"])
def test_next_address_of_the_server_is_tried(listens: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        namespace("10.45.0.9"),
        tftp_serving({b"/a": NOISE}) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        port = int(server.url.rpartition(":")[2])
        if listens:
            other.bind(("10.45.0.9", port))
        found = [(socket.AF_INET, socket.SOCK_DGRAM, 0, "", (address, port)) for address in ("10.45.0.9", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert read("tftp://server.example/a", packet_s=0.02) == NOISE


@pytest.mark.parametrize("faults", [Faults(lost_requests=100), Faults(silent_after=3)], ids=["from the start", "in the middle"])
def test_total_limit_counts(faults: Faults) -> None:
    begin = real_seconds()
    with tftp_serving({b"/a": NOISE}, faults) as server, pytest.raises(Failure) as caught:
        read(f"{server.url}/a", FAST.evolve(total_s=0.4), packet_s=5.0)
    assert caught.value.what == "not fetched within 0.4 s: the file is not complete"
    assert real_seconds() - begin < 25


def test_port_where_nobody_listens_is_tried_again_until_the_limit() -> None:
    fake = FakeClock()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, pytest.raises(Failure) as caught:
        # No server of another test gets this port meanwhile. A connected socket only receives from its peer: others are refused.
        sock.bind(("127.0.83.21", 0))
        port = sock.getsockname()[1]
        sock.connect(("127.0.83.22", port))
        list(tftp.stream(f"tftp://127.0.83.21:{port}/a", Settings(), Clock(fake.now, fake.sleep, fake.random)))
    assert caught.value.what.startswith("connection refused (")
    assert caught.value.what.endswith("limit 600 s)")
    assert caught.value.where == f"tftp://127.0.83.21:{port}/a"


def test_name_that_does_not_resolve_is_explained() -> None:
    with pytest.raises(Failure, match=r"the server's name does not resolve \(.*\) \(1 attempt in ") as caught:
        read("tftp://no-such-host.invalid/a", FAST.evolve(attempts=1))
    assert caught.value.fix == "check the name, and that the machine has a name server from DHCP or the kernel command line"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("tftp:///a", "the URL does not name a server and a file"),
        ("tftp://server", "the URL does not name a server and a file"),
        ("tftp://server/", "the URL does not name a server and a file"),
        ("tftp://server/a%00b", "the path has a NUL character"),
        ("tftp://server:70000/a", "not a usable URL"),
    ],
)
def test_url_that_names_no_file_is_refused(url: str, message: str) -> None:
    with pytest.raises(Failure) as caught:
        tftp.target(url)
    assert (caught.value.what, caught.value.where) == (message, url)


def test_port_is_69_unless_given() -> None:
    assert tftp.target("tftp://server/a") == ("server", 69, b"/a")
    assert tftp.target("tftp://[::1]:6969/a") == ("::1", 6969, b"/a")


def test_offline_it_needs_the_network() -> None:
    with Fetcher(Settings(), offline=True) as fetcher, pytest.raises(NeedsNetwork):
        fetcher.read(Resource(source="tftp://server/a"))
