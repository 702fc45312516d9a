"""The fetcher: schemes, the offline rule, order of decompression and hash, errors with their place."""

import gzip
import hashlib
import io
import subprocess
import sys
from pathlib import Path

import pytest

from ignition.config import dataurl
from ignition.config.model import Resource
from ignition.config.model.ignition import Verification
from ignition.errors import Failure, NeedsNetwork
from ignition.fetch.engine import SUPPORTED, Fetcher
from ignition.fetch.settings import Settings
from tests.bench import fetching
from tests.fetch.server import Reply, serving

OFFLINE = Fetcher(Settings(), offline=True)
TOP = Path(__file__).parent.parent.parent


def sha512(data: bytes) -> Verification:
    return Verification(hash=f"sha512-{hashlib.sha512(data).hexdigest()}")


@pytest.mark.parametrize(
    ("source", "content"),
    [
        (None, b""),
        ("", b""),
        ("data:,hello%20world", b"hello world"),
        ("DATA:,hello", b"hello"),
        ("data:;base64,aGVsbG8=", b"hello"),
        ("data:text/plain;charset=utf-8;base64,aGVsbG8=", b"hello"),
    ],
    ids=str,
)
def test_offline_sources_are_read(source: str | None, content: bytes) -> None:
    assert OFFLINE.read(Resource(source=source)) == content
    file = io.BytesIO()
    OFFLINE.copy_to(Resource(source=source), file)
    assert file.getvalue() == content


@pytest.mark.parametrize("scheme", ["http", "https", "HTTP"])
def test_offline_network_source_needs_the_network(scheme: str) -> None:
    with pytest.raises(NeedsNetwork) as caught:
        OFFLINE.read(Resource(source=f"{scheme}://user:password@config.example/a?token=secret"))
    assert caught.value.what == f"{scheme}://config.example/a needs the network"


@pytest.mark.parametrize("scheme", ["ftp", "gopher"])
@pytest.mark.parametrize("offline", [False, True])
def test_unsupported_scheme_is_refused_by_name(scheme: str, offline: bool) -> None:
    fetcher = Fetcher(Settings(), offline=offline)
    with pytest.raises(Failure) as caught:
        fetcher.read(Resource(source=f"{scheme}://config.example/a?token=secret"))
    assert type(caught.value) is (NeedsNetwork if offline else Failure)
    if not offline:
        assert str(caught.value) == (
            f"{scheme}://config.example/a: the scheme {scheme!r} is not supported (fix: use one of: {', '.join(SUPPORTED)})"
        )


def test_text_without_scheme_is_refused() -> None:
    with pytest.raises(Failure, match="^/etc/passwd: not a URL: the scheme is missing"):
        OFFLINE.read(Resource(source="/etc/passwd"))


def test_malformed_data_url_is_refused_without_quoting_it() -> None:
    with pytest.raises(Failure) as caught:
        OFFLINE.read(Resource(source="data:;base64,c2VjcmV0!"))
    assert caught.value.where == "data:…"
    assert caught.value.what.startswith("malformed data URL")
    assert "c2VjcmV0" not in str(caught.value)


def test_hash_covers_the_decompressed_content() -> None:
    resource = Resource(source=dataurl.encode(gzip.compress(b"text")), compression="gzip", verification=sha512(b"text"))
    assert OFFLINE.read(resource) == b"text"


def test_hash_of_the_compressed_content_is_refused() -> None:
    packed = gzip.compress(b"text")
    with pytest.raises(Failure, match="the content's sha512 is ") as caught:
        OFFLINE.read(Resource(source=dataurl.encode(packed), compression="gzip", verification=sha512(packed)))
    assert caught.value.where == "data:…"


def test_hash_beside_the_empty_url_is_not_checked() -> None:
    assert OFFLINE.read(Resource(source="", verification=sha512(b"text"), compression="gzip")) == b""


def test_wrong_hash_of_a_remote_file_names_the_url(fetcher: Fetcher) -> None:
    with serving({"/a": Reply(body=b"other")}) as server, pytest.raises(Failure) as caught:
        fetcher.copy_to(Resource(source=f"{server.url}/a?token=secret", verification=sha512(b"text")), io.BytesIO())
    assert caught.value.where == f"{server.url}/a"
    assert hashlib.sha512(b"other").hexdigest() in caught.value.what
    assert hashlib.sha512(b"text").hexdigest() in caught.value.what


def test_server_that_claims_a_content_encoding_is_taken_by_its_bytes(fetcher: Fetcher) -> None:
    packed = gzip.compress(b"text")
    with serving({"/a": Reply(body=packed, headers={"Content-Encoding": "gzip"})}) as server:
        assert fetcher.read(Resource(source=f"{server.url}/a")) == packed


def test_config_that_never_ends_is_refused(fetcher: Fetcher) -> None:
    with serving({"/a": Reply(body=gzip.compress(bytes(1024 * 1024)), repeat=65)}) as server:
        with pytest.raises(Failure, match="more than 64 MiB where a config is expected"):
            fetcher.read(Resource(source=f"{server.url}/a", compression="gzip"))


def test_closed_fetcher_makes_no_new_connection() -> None:
    with serving({"/a": Reply(body=b"x")}) as server:
        with Fetcher(Settings(), offline=False) as fetcher:
            assert fetcher.read(Resource(source=f"{server.url}/a")) == b"x"
        with pytest.raises(Failure, match="the request comes too late: the fetcher is closed"):
            fetcher.read(Resource(source=f"{server.url}/a"))
        assert len(server.requests) == 1


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_large_file_streams_in_little_memory(packed: bool) -> None:
    """In a process of its own, with its hash: what it holds must not grow with the file. `make bench` does it with 2 GiB."""
    measured = fetching.measure_large(fetching.content(256, packed=packed))
    assert measured.size == 256 << 20
    assert measured.mib < fetching.MEMORY_MIB


def test_offline_import_loads_no_http_client() -> None:
    script = (
        "import sys\n"
        "from ignition.config.model import Resource\n"
        "from ignition.fetch.engine import Fetcher, Settings\n"
        "Fetcher(Settings(), offline=False).read(Resource(source='data:,x'))\n"
        "print(sorted({'requests', 'urllib3', 'ssl', 'urllib.parse', 'logging', 'typing', 'hashlib'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True, cwd=TOP)
    assert done.stdout == "[]\n"
