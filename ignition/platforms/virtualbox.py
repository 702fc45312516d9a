"""VirtualBox: a guest property, or the partition of Container Linux' Vagrant images.

Source: docs/reference/platforms.md §2.5, §3.5, §3.10.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct

from ignition.errors import Failure
from ignition.host.command import run
from ignition.metadata.config_source import ConfigSource
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher


PROPERTY = "/Ignition/Config"
ENCODING = f"{PROPERTY}/Encoding"
PARTITION = "/dev/disk/by-partuuid/99570a8a-f826-4eb0-ba4e-9dd72d55ea13"
_MOST = 16 << 20  # bytes


def fetch(_: Fetcher, *, partition: str = PARTITION) -> bytes:
    """The property's value, else the partition's content. Raises Failure if an encoding is set, and without the device."""
    return _property() or partition_content(partition)


def _property() -> bytes:
    if not os.path.exists(DEVICE):
        run(["modprobe", "vboxguest"], why="load VirtualBox' guest driver")
        run(["udevadm", "settle"], why="wait for VirtualBox' guest device")
    with Properties() as properties:
        encoding = properties.get(ENCODING)
        if encoding:
            raise Failure(f"unknown encoding {encoding!r}", where=f"guest property {ENCODING}", fix="remove that property")
        return properties.get(PROPERTY).encode()


def partition_content(partition: str) -> bytes:
    """The content of a raw partition, without trailing NUL bytes; `b""` if it does not exist."""
    try:
        with open(partition, "rb") as file:
            return file.read(_MOST).rstrip(b"\0")
    except FileNotFoundError:
        return b""


def remove() -> None:
    """Delete the property. Raises Failure if the guest may not."""
    with Properties() as properties:
        for name in (ENCODING, PROPERTY):
            properties.delete(name)


PLATFORM = Platform(
    "VirtualBox",
    closing="removed by `ignition-delete-config.service`",
    config=ConfigSource(f"guest property {PROPERTY}", fetch, needs_network=False, remove=remove),
)


# VirtualBox' guest properties, through its guest device.
#
# Source: docs/reference/platforms.md §3.5; linux/include/uapi/linux/vboxguest.h and vbox_vmmdev_types.h; functions of the
# service VBoxGuestPropSvc: include/VBox/HostServices/GuestPropertySvc.h of VirtualBox.

DEVICE = "/dev/vboxguest"
SERVICE = b"VBoxGuestPropSvc"
GET, DELETE = 1, 4  # functions of the service
NOT_FOUND, TOO_SMALL = -78, -41  # VERR_NOT_FOUND, VERR_BUFFER_OVERFLOW: linux/vbox_err.h
_EXISTING_LOCAL = 2  # VMMDEV_HGCM_LOC_LOCALHOST_EXISTING
_UINT64, _IN, _OUT = 2, 5, 6  # VMMDEV_HGCM_PARM_TYPE_64BIT is 2, _LINADDR_IN 5, _LINADDR_OUT 6
_UINT32 = 1
_HEADER = struct.Struct("<IIIiII")  # vbg_ioctl_hdr: size_in, version, type, rc, size_out, reserved
_VERSION = 0x10001  # VBG_IOCTL_HDR_VERSION
_CONNECT, _DISCONNECT, _CALL = 4, 5, 7
_TIMEOUT_MS = 30_000
_SIZE, _MOST_BYTES = 4096, 1 << 20  # bytes of the first buffer for a value, and of the last


class Properties:
    """The connection to the service; use it in a `with`. Requests are buffers that the driver changes in place."""

    def __init__(self, device: str = DEVICE) -> None:
        self._device = device
        self._descriptor = self._client = -1

    def __enter__(self) -> Properties:
        try:
            self._descriptor = os.open(self._device, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            fix = "check that this is a VirtualBox machine, and that the driver vboxguest is loaded"
            raise Failure(f"guest properties are not available: {error.strerror}", where=self._device, fix=fix) from error
        location = struct.pack("<I128s", _EXISTING_LOCAL, SERVICE)
        answer = self._request(_CONNECT, location)
        (self._client,) = struct.unpack_from("<I", answer)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._request(_DISCONNECT, struct.pack("<I", self._client))
        finally:
            os.close(self._descriptor)

    def get(self, name: str) -> str:
        """The value of a property; "" if it does not exist. Raises Failure."""
        size = _SIZE
        while size <= _MOST_BYTES:
            buffer = ctypes.create_string_buffer(size)
            key = ctypes.create_string_buffer(name.encode())
            parameters = [_pointer(_IN, key), _pointer(_OUT, buffer), _number(_UINT64), _number(_UINT32)]
            code, answers = self._call(GET, parameters)
            if code == NOT_FOUND:
                return ""
            if code != TOO_SMALL:
                self._check(code, f"read {name}")
                return buffer.raw.partition(b"\0")[0].decode("utf-8", "replace")  # VALUE NUL FLAGS NUL
            # The fourth parameter returns the required size, which may have grown since.
            size = max(struct.unpack_from("<4xI", answers, 3 * 16)[0], 2 * size)
        fix = "fetch large content from a URL"
        raise Failure(f"the property {name} is larger than {_MOST_BYTES} bytes", where=self._device, fix=fix)

    def delete(self, name: str) -> None:
        """Delete a property. Raises Failure; also if the guest may not change it."""
        key = ctypes.create_string_buffer(name.encode())
        code, _ = self._call(DELETE, [_pointer(_IN, key)])
        if code != NOT_FOUND:
            self._check(code, f"remove {name}")

    def _call(self, function: int, parameters: list[bytes]) -> tuple[int, bytes]:
        """(status, the parameters as changed by the host)."""
        head = struct.pack("<IIIBBH", self._client, function, _TIMEOUT_MS, 0, 0, len(parameters))
        request = bytearray(_HEADER.size) + head + b"".join(parameters)
        code = self._ioctl(_CALL, request)
        return code, bytes(request[_HEADER.size + len(head) :])

    def _request(self, number: int, body: bytes) -> bytes:
        request = bytearray(_HEADER.size) + body
        self._check(self._ioctl(number, request), "talk to VirtualBox")
        return bytes(request[_HEADER.size :])

    def _ioctl(self, number: int, request: bytearray) -> int:
        """The host's status; the request is changed in place."""
        _HEADER.pack_into(request, 0, len(request), _VERSION, 0, 0, 0, 0)
        try:
            fcntl.ioctl(self._descriptor, _code(number, len(request)), request)
        except OSError as error:
            raise Failure(f"the guest device failed: {error.strerror}", where=self._device, fix="try again") from error
        return int(_HEADER.unpack_from(request)[3])

    def _check(self, code: int, what: str) -> None:
        if code < 0:
            fix = "see VirtualBox' log of this machine"
            raise Failure(f"cannot {what}: VirtualBox answers {code}", where=self._device, fix=fix)


def _code(number: int, size: int) -> int:
    """_IOC(_IOC_READ | _IOC_WRITE, 'V', number, size): asm-generic/ioctl.h."""
    return 3 << 30 | size << 16 | ord("V") << 8 | number


def _pointer(kind: int, buffer: ctypes.Array[ctypes.c_char]) -> bytes:
    """vmmdev_hgcm_function_parameter64 with a pointer."""
    return struct.pack("<IIQ", kind, ctypes.sizeof(buffer), ctypes.addressof(buffer))


def _number(kind: int) -> bytes:
    return struct.pack("<IQ4x", kind, 0)
