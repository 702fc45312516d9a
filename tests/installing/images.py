"""Images, keys and a server for the tests of coreos-install. Made with sfdisk, mke2fs and gpg, and none of our code."""

import bz2
import gzip
import http.server
import lzma
import os
import random
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import pytest
import zstandard

MIB = 1 << 20
ESP, LINUX = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "0fc63daf-8483-4772-8e79-3d69d8477de4"
OEM_START, ROOT_START, SIZE = 2, 10, 24  # MiB
BOOT_CODE = b"\xeb\x63\x90boot code"
PACK: dict[str, Callable[[bytes], bytes]] = {
    "raw": bytes,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


def program(*argv: "str | Path", stdin: "str | bytes" = b"") -> str:
    """Run a program of the tests' own."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    return subprocess.run(argv, input=data, capture_output=True, check=True, timeout=120).stdout.decode()


def make_image(folder: Path, *, size_mib: int = SIZE) -> bytes:
    """A disk of 24 MiB: boot code, a GPT with OEM (6) and ROOT (9), both ext4; ROOT has random data and large holes."""
    path = folder / "image.raw"
    with path.open("wb") as file:
        file.truncate(size_mib * MIB)
    table = (
        "label: gpt\nunit: sectors\n"
        f"6 : start={OEM_START * 2048}, size={8 * 2048}, type={LINUX}, name=OEM\n"
        f"9 : start={ROOT_START * 2048}, size={12 * 2048}, type={LINUX}, name=ROOT\n"
    )
    program("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", path, stdin=table)
    oem, root = folder / "oem", folder / "root"
    oem.mkdir()
    (oem / "grub.cfg").write_text('# of the vendor\nset oem_id="old"\nset linux_append=x\n')
    (root / "etc/systemd/network").mkdir(parents=True)
    (root / "etc/systemd/network/10-own.network").write_text("[Match]\n")
    (root / "etc/group").write_text("root:x:0:\nsystemd-network:x:4711:\n")
    (root / "data").write_bytes(random.Random(1).randbytes(3 * MIB))
    for label, start, length, content in (("OEM", OEM_START, 8, oem), ("ROOT", ROOT_START, 12, root)):
        program("mke2fs", "-q", "-F", "-t", "ext4", "-L", label, "-d", content, "-E", f"offset={start * MIB}", path,
                f"{length * 1024}k")  # fmt: skip
    with path.open("r+b") as file:
        file.write(BOOT_CODE)
    return path.read_bytes()


@dataclass
class Keys:
    """A key pair of its own in a directory; `public` is a file for -k."""

    home: Path
    public: Path

    def sign(self, data: bytes, *more: str) -> bytes:
        """The detached signature of these bytes."""
        argv: list[str | Path] = ["gpg", "--homedir", self.home, "--batch", "--quiet", *more, "--detach-sign", "--output", "-"]
        return subprocess.run(argv, input=data, capture_output=True, check=True, timeout=120).stdout


def make_keys(folder: Path, name: str, *, armoured: bool = True) -> Keys:
    """A new Ed25519 key. The path of its home must be short: gpg-agent has a socket in it."""
    folder.mkdir(mode=0o700, parents=True)
    base: list[str | Path] = ["gpg", "--homedir", folder, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    program(*base, "--quick-generate-key", f"{name} <{name}@example.com>", "ed25519", "sign", "never")
    public = folder / "public"
    program(*base, *(["--armor"] if armoured else []), "--output", public, "--export")
    return Keys(folder, public)


@dataclass
class Served:
    """Files by path, and how the server misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)  # path → bytes after which each response breaks off
    etag: str = '"1"'
    ranges: bool = True
    requests: list[tuple[str, str, str]] = field(default_factory=list)  # path, Range, If-Range
    after: Callable[["Served"], None] = lambda _: None  # called after each broken response


class Server:
    """An HTTP server on loopback, for as long as the block lasts."""

    def __init__(self) -> None:
        self.served = served = Served()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                asked, condition = self.headers.get("Range", ""), self.headers.get("If-Range", "")
                served.requests.append((self.path, asked, condition))
                body = served.files.get(self.path)
                if body is None:
                    self.send_response(404)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                begin = 0
                if asked and served.ranges and condition in ("", served.etag):
                    begin = int(asked.removeprefix("bytes=").rstrip("-"))
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
                else:
                    self.send_response(200)
                self.send_header("Content-Length", str(len(body) - begin))
                self.send_header("ETag", served.etag)
                self.end_headers()
                cuts = served.cuts.get(self.path)
                if cuts:
                    self.wfile.write(body[begin : begin + cuts.pop(0)])
                    self.close_connection = True
                    served.after(served)
                else:
                    self.wfile.write(body[begin:])

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, _: "type[BaseException] | None", __: "BaseException | None", ___: "TracebackType | None") -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    """An HTTP server."""
    with Server() as running:
        yield running


def read(node: "str | Path", offset: int, length: int) -> bytes:
    """Bytes of a disk."""
    descriptor = os.open(node, os.O_RDONLY)
    try:
        return os.pread(descriptor, length, offset)
    finally:
        os.close(descriptor)
