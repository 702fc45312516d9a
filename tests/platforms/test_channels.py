"""Hypervisors with small channels: Apple's, BlueField, z/VM, QEMU without firmware config."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.errors import CommandFailed, Failure
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.host import paths
from ignition.platforms import applehv, nvidiabluefield, qemu, zvm
from tests.platforms.programs import Programs, programs

__all__ = ["programs"]
OFFLINE = Fetcher(Settings(), offline=True)
CONFIG = b'{"ignition":{"version":"3.0.0"}}'


def answering(answer: bytes) -> tuple[Callable[[], socket.socket], list[bytes], threading.Thread]:
    """A connected socket whose other end answers one request, and what was asked."""
    ours, theirs = socket.socketpair()
    asked: list[bytes] = []

    def serve() -> None:
        asked.append(theirs.recv(10_000))
        theirs.sendall(answer)
        theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    return lambda: ours, asked, thread


@pytest.mark.parametrize(
    ("answer", "config"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n" + CONFIG, CONFIG),
        (b"HTTP/1.0 200 OK\r\n\r\n" + CONFIG, CONFIG),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
def test_apple_host_is_asked_over_a_virtual_socket(answer: bytes, config: bytes) -> None:
    connect, asked, thread = answering(answer)
    assert applehv.fetch(OFFLINE, connect=connect) == config
    thread.join()
    assert asked[0].startswith(b"GET / HTTP/1.1\r\n")
    assert b"\r\nAccept: application/json\r\n" in asked[0]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "the host answered HTTP status 500"),
        (b"", "no config from the host: Remote end closed connection without response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "no config from the host: IncompleteRead"),
    ],
)
def test_apple_host_that_fails_is_an_error(answer: bytes, message: str) -> None:
    connect, _, thread = answering(answer)
    with pytest.raises(Failure) as caught:
        applehv.fetch(OFFLINE, connect=connect)
    thread.join()
    assert caught.value.what.startswith(message)
    assert caught.value.where == "virtual socket, host port 1024"


def test_missing_apple_host_is_an_error() -> None:
    def refuse() -> socket.socket:
        raise ConnectionRefusedError(111, "Connection refused")

    with pytest.raises(Failure, match="no config from the host: .*Connection refused"):
        applehv.fetch(OFFLINE, connect=refuse)


@pytest.mark.parametrize(("content", "config"), [(b"\0\0" + CONFIG + bytes(100), CONFIG), (b"", b""), (None, b"")])
def test_bluefield_fifo_is_read_without_its_nul_bytes(
    tmp_path: Path, programs: Programs, content: bytes | None, config: bytes
) -> None:
    calls = programs(modprobe="")
    if content is not None:
        (tmp_path / "fifo").write_bytes(content)
    assert nvidiabluefield.fetch(OFFLINE, path=str(tmp_path / "fifo")) == config
    assert calls.read_text() == "modprobe mlxbf_bootctl\n"


def test_bluefield_without_its_driver_is_an_error(tmp_path: Path, programs: Programs) -> None:
    programs(modprobe="exit 1")
    with pytest.raises(CommandFailed, match="load the driver of BlueField's boot FIFO"):
        nvidiabluefield.fetch(OFFLINE, path=str(tmp_path / "fifo"))


LISTING = """ORIGINID FILE CLASS     RECORDS  CPY HOLD DATE  TIME     NAME      TYPE     DIST
LINUX    0004 A PUN 00000012  001 NONE 07/01 10:00:00 OTHER     txt      LINUX
LINUX    0005 A PUN 00000012  001 NONE 07/01 10:00:00 CONFIG    ign      LINUX
LINUX    0006 A PUN 00000012  001 NONE 07/01 10:00:00 SECOND    ign      LINUX
"""


@pytest.mark.parametrize(
    ("listing", "found"),
    [(LISTING, ("0005", "CONFIG.ign")), (LISTING.splitlines()[0], None), ("", None), (LISTING.replace("ign", "txt"), None)],
)
def test_config_is_found_in_the_reader(listing: str, found: tuple[str, str] | None) -> None:
    assert zvm.find(listing) == found


def reader(programs: Programs, tmp_path: Path, *, hidden: bool = False) -> Path:
    (tmp_path / "listing").write_text(LISTING)
    (tmp_path / "content").write_bytes(CONFIG + bytes(48))
    online = f"[ -e {tmp_path}/seen ] || {{ touch {tmp_path}/seen; exit 1; }}" if hidden else ""
    vmur = f'[ "$1" = li ] && exec cat {tmp_path}/listing\ncat {tmp_path}/content >"$4"'
    return programs(modprobe="", chccwdev=online, cio_ignore="", udevadm="", vmur=vmur)


def test_zvm_file_is_received(tmp_path: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "RUN", str(tmp_path))
    calls = reader(programs, tmp_path)
    assert zvm.fetch(OFFLINE) == CONFIG
    names = [line.split()[:4] for line in calls.read_text().splitlines()]
    assert names[:4] == [["modprobe", "vmur"], ["chccwdev", "-e", "000c"], ["udevadm", "settle"], ["vmur", "li"]]
    assert names[4] == ["vmur", "re", "-f", "0005"]


def test_zvm_reader_that_the_kernel_ignores_is_set_online(
    tmp_path: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "RUN", str(tmp_path))
    (tmp_path / "bin" / "cio_ignore").write_text("")
    calls = reader(programs, tmp_path, hidden=True)
    (tmp_path / "bin" / "cio-ignore").rename(tmp_path / "bin" / "cio_ignore")
    assert zvm.fetch(OFFLINE) == CONFIG
    assert calls.read_text().count("chccwdev -e 000c") == 2


@pytest.mark.parametrize(("content", "config"), [(CONFIG + bytes(480), CONFIG), (bytes(512), b"")])
def test_qemu_block_device_is_read_without_its_nul_bytes(tmp_path: Path, content: bytes, config: bytes) -> None:
    (tmp_path / "drive").write_bytes(content)
    assert qemu.from_block_device(device=str(tmp_path / "drive"), run=lambda argv, *, why: "") == config


def test_qemu_block_device_that_does_not_come_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu, "BLOCK_WAIT_S", 0.1)
    with pytest.raises(Failure, match="no such device after 0.1 s"):
        qemu.from_block_device(device=str(tmp_path / "none"), run=lambda argv, *, why: "")
