"""Hyper-V's key-value pairs: a socket pair is the device, and the test its other end, which waits for each answer."""

import json
import os
import socket
import struct
import threading
from pathlib import Path

import pytest

from ignition.config.parse import VALID, parse
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.platforms import hyperv
from ignition.platforms.hyperv import DEVICE, Pool, joined, read, receive, record_file

Pair = tuple[int, int, str, bytes]  # operation, pool, key, value
SET, DELETE = 1, 2


def message(operation: int, pool: int, key: str, value: bytes) -> bytes:
    """struct hv_kvp_msg of linux/hyperv.h: header, value type and sizes, key, value."""
    sizes = struct.pack("<III", 1, len(key) + 1, len(value) + 1)
    body = sizes + key.encode().ljust(512, b"\0") + value.ljust(2048, b"\0")
    return (struct.pack("<BBxx", operation, pool) + body).ljust(7430, b"\0")


class Host(threading.Thread):
    """The driver's end: answers the registration, then sends a message after each answer, and hangs up, or is silent."""

    def __init__(self, pairs: list[Pair], *, hangs_up: bool = True) -> None:
        super().__init__()
        self.device, self._end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pairs, self.answers, self._hangs_up = pairs, list[bytes](), hangs_up

    def run(self) -> None:
        self.registration = self._end.recv(10_000)
        self._end.send(message(100, 0, "", b"4.0"))
        for pair in self._pairs:
            self._end.send(message(*pair))
            self.answers.append(self._end.recv(10_000))
        if self._hangs_up:
            self._end.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.join()
        self.device.close()
        self._end.close()


def received(pairs: list[Pair], *, hangs_up: bool = True) -> tuple[list[Pool], Host]:
    host = Host(pairs, hangs_up=hangs_up)
    host.start()
    try:
        return receive(host.device.fileno()), host
    finally:
        host.close()


@pytest.fixture(autouse=True)
def long_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hyperv, "SILENCE_S", 60.0)


def test_pairs_are_taken_pool_by_pool() -> None:
    pools, host = received(
        [(SET, 0, "a", b"1"), (SET, 3, "b", b"2"), (SET, 0, "a", b"3"), (DELETE, 0, "c", b""), (SET, 9, "d", b"4")]
    )
    assert pools == [{b"a": b"3"}, {}, {}, {b"b": b"2"}, {}]
    assert host.registration[:4] == bytes([100, 0, 0, 0])
    assert len(host.registration) == 7430
    assert [answer[:4] for answer in host.answers] == [bytes(4)] * 5
    assert [len(answer) for answer in host.answers] == [7430] * 5


def test_silent_host_has_no_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hyperv, "SILENCE_S", 0.1)
    assert received([], hangs_up=False)[0] == [{}, {}, {}, {}, {}]


@pytest.mark.parametrize(
    ("pool", "value"),
    [
        ({b"ignition.config": b"{}"}, b"{}"),
        ({b"ignition.config.0": b"{", b"ignition.config.1": b"}"}, b"{}"),
        ({b"ignition.config.1": b"}", b"ignition.config.0": b"{", b"ignition.config.3": b"x"}, b"{}"),
        ({b"ignition.config": b"", b"ignition.config.0": b"{}"}, b"{}"),
        ({b"ignition.config": b"{}", b"ignition.config.0": b"x"}, b"{}"),
        ({b"ignition.config.1": b"x"}, b""),
        ({}, b""),
    ],
)
def test_config_may_be_in_pieces(pool: Pool, value: bytes) -> None:
    assert joined(pool, "ignition.config") == value


def test_config_is_fetched_and_the_pools_go_to_the_new_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IGNITION_SYSTEM_RUNTIME_CONFIG_DIR", str(tmp_path))
    host = Host([(SET, 0, "ignition.config.0", b'{"ignition":'), (SET, 0, "ignition.config.1", b"{}}"), (SET, 1, "k", b"v")])
    monkeypatch.setattr(hyperv, "DRIVER", str(tmp_path))
    real = os.open

    def open_device(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        return os.dup(host.device.fileno()) if path == DEVICE else real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", open_device)
    host.start()
    assert hyperv.fetch(Fetcher(Settings(), offline=True)) == b'{"ignition":{}}'
    host.close()
    fragment = tmp_path / "base.platform.d/hyperv/50-key-value-pairs.ign"
    assert fragment.stat().st_mode & 0o777 == 0o600
    assert parse(fragment.read_bytes()).outcome == VALID
    files = json.loads(fragment.read_text())["storage"]["files"]
    assert [(file["path"], file["mode"]) for file in files] == [(f"/var/lib/hyperv/.kvp_pool_{n}", 0o600) for n in range(5)]


def test_pool_file_has_records_of_fixed_size() -> None:
    content = record_file({b"k": b"v", b"l": b""})
    assert len(content) == 2 * 2560
    assert (content[:2], content[512:514], content[2560:2562]) == (b"k\0", b"v\0", b"l\0")


def test_missing_device_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hyperv, "DRIVER", str(tmp_path))
    monkeypatch.setattr(hyperv, "DEVICE", str(tmp_path / "none"))
    with pytest.raises(Failure) as caught:
        read()
    assert caught.value.what == "no key-value pairs: No such file or directory"
    assert caught.value.where == str(tmp_path / "none")
