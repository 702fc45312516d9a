"""VirtualBox' guest properties: a stand-in for the host takes the ioctls apart as linux/vboxguest.h has them."""

import ctypes
import fcntl
import struct
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.platforms import virtualbox
from ignition.platforms.virtualbox import Properties

NOT_FOUND, OVERFLOW, DENIED = -78, -41, -38


class Host:
    """Answers as the property service does. `calls` are functions and names."""

    def __init__(self, values: dict[str, str], *, deny: bool = False) -> None:
        self.values, self.deny = dict(values), deny
        self.calls: list[tuple[int, str]] = []
        self.connected = False

    def ioctl(self, _: int, code: int, request: bytearray) -> int:
        size_in, version, kind, _, size_out, reserved = struct.unpack_from("<IIIiII", request)
        assert (size_in, version, kind, size_out, reserved) == (len(request), 0x10001, 0, 0, 0)
        assert code == 0xC0000000 | len(request) << 16 | 0x5600 | code & 0xFF
        answer = {4: self._connect, 5: self._disconnect, 7: self._call}[code & 0xFF](request)
        struct.pack_into("<i", request, 12, answer)
        return 0

    def _connect(self, request: bytearray) -> int:
        assert len(request) == 24 + 132
        assert struct.unpack_from("<I", request, 24) == (2,)
        assert request[28:].rstrip(b"\0") == b"VBoxGuestPropSvc"
        struct.pack_into("<I", request, 24, 77)
        self.connected = True
        return 0

    def _disconnect(self, request: bytearray) -> int:
        assert len(request) == 28
        self.connected = False
        return 0

    def _call(self, request: bytearray) -> int:
        client, function, timeout, _, _, count = struct.unpack_from("<IIIBBH", request, 24)
        assert (client, timeout, len(request)) == (77, 30_000, 40 + 16 * count)
        kind, size, address = struct.unpack_from("<IIQ", request, 40)
        assert kind == 5
        name = ctypes.string_at(address, size).rstrip(b"\0").decode()
        self.calls.append((function, name))
        if name not in self.values:
            return NOT_FOUND
        return self._get(request, name) if function == 1 else self._delete(name)

    def _get(self, request: bytearray, name: str) -> int:
        kind, size, address = struct.unpack_from("<IIQ", request, 56)
        assert kind == 6
        assert struct.unpack_from("<I", request, 72) == (2,)
        assert struct.unpack_from("<I", request, 88) == (1,)
        content = self.values[name].encode() + b"\0TRANSIENT\0"
        struct.pack_into("<I", request, 92, len(content))
        if len(content) > size:
            return OVERFLOW
        ctypes.memmove(address, content, len(content))
        return 0

    def _delete(self, name: str) -> int:
        if self.deny:
            return DENIED
        del self.values[name]
        return 0


def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: Host) -> Host:
    (tmp_path / "vboxguest").write_text("")
    monkeypatch.setattr(fcntl, "ioctl", host.ioctl)
    monkeypatch.setattr(virtualbox, "DEVICE", str(tmp_path / "vboxguest"))
    monkeypatch.setattr(Properties.__init__, "__defaults__", (str(tmp_path / "vboxguest"),))
    return host


@pytest.mark.parametrize("text", ['{"ignition":{"version":"3.0.0"}}', "x" * 5000, "é" * 100_000], ids=["short", "long", "longer"])
def test_property_is_the_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    host = machine(monkeypatch, tmp_path, Host({"/Ignition/Config": text}))
    assert virtualbox.fetch(None, partition=str(tmp_path / "none")) == text.encode()  # type: ignore[arg-type]
    assert not host.connected


def test_machine_without_property_has_no_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine(monkeypatch, tmp_path, Host({}))
    assert virtualbox.fetch(None, partition=str(tmp_path / "none")) == b""  # type: ignore[arg-type]


def test_partition_is_read_without_a_property(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine(monkeypatch, tmp_path, Host({}))
    (tmp_path / "part").write_bytes(b"{}\n" + bytes(1000))
    assert virtualbox.fetch(None, partition=str(tmp_path / "part")) == b"{}\n"  # type: ignore[arg-type]


def test_encoding_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine(monkeypatch, tmp_path, Host({"/Ignition/Config": "{}", "/Ignition/Config/Encoding": "base64"}))
    with pytest.raises(Failure) as caught:
        virtualbox.fetch(None)  # type: ignore[arg-type]
    assert caught.value.what == "unknown encoding 'base64'"
    assert caught.value.where == "guest property /Ignition/Config/Encoding"


def test_property_is_removed_after_its_encoding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    host = machine(monkeypatch, tmp_path, Host({"/Ignition/Config": "{}", "/Other": "stays"}))
    virtualbox.remove()
    assert host.values == {"/Other": "stays"}
    assert host.calls == [(4, "/Ignition/Config/Encoding"), (4, "/Ignition/Config")]


def test_property_that_the_guest_must_not_remove_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine(monkeypatch, tmp_path, Host({"/Ignition/Config": "{}"}, deny=True))
    with pytest.raises(Failure, match="cannot remove /Ignition/Config: VirtualBox answers -38"):
        virtualbox.remove()


def test_property_without_end_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine(monkeypatch, tmp_path, Host({"/Ignition/Config": "x" * (1 << 20)}))
    with pytest.raises(Failure, match="the property /Ignition/Config is larger than 1048576 bytes"):
        virtualbox.fetch(None)  # type: ignore[arg-type]


def test_other_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught, Properties(str(tmp_path / "none")):
        pass
    assert caught.value.what == "guest properties are not available: No such file or directory"
