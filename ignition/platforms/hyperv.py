"""Hyper-V: key-value pairs of the host. Source: docs/reference/platforms.md §3.5, §3.6, §10.14.

All pairs are also written to the new root, where hv_kvp_daemon expects them, through a fragment of a base config that every later
stage reads.
"""

from __future__ import annotations

import json
import os
import select
import struct

from ignition.config import dataurl
from ignition.errors import Failure
from ignition.host import atomic, paths
from ignition.host.command import run
from ignition.metadata.config_source import ConfigSource
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher


KEY = "ignition.config"
FRAGMENT = "base.platform.d/hyperv/50-key-value-pairs.ign"
POOL_MODE = 0o600


def fetch(_: Fetcher) -> bytes:
    """The config in pool 0; the fragment is written on the way. Raises Failure if the host does not answer."""
    pools = read()
    path = os.path.join(paths.system_config_dirs()[0], FRAGMENT)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    atomic.write(path, json.dumps(fragment(pools)).encode(), mode=POOL_MODE)
    return joined(pools[0], KEY)


def fragment(pools: list[Pool]) -> dict[str, object]:
    """A config that writes the pools' files."""
    files = [
        {
            "path": f"/var/lib/hyperv/.kvp_pool_{number}",
            "mode": POOL_MODE,
            "overwrite": True,
            "contents": {"source": dataurl.encode(record_file(pool))},
        }
        for number, pool in enumerate(pools)
    ]
    return {"ignition": {"version": "3.0.0"}, "storage": {"files": files}}


PLATFORM = Platform(
    "Microsoft Hyper-V",
    closing="`/var/lib/hyperv/.kvp_pool_0` has mode 0600, and hv_kvp_daemon runs as root; remove the key on the host",
    config=ConfigSource(f"key {KEY} of the key-value pairs", fetch, needs_network=False),
)


# Hyper-V's key-value pairs, as the host sends them. Source: docs/reference/platforms.md §3.6;
# linux/include/uapi/linux/hyperv.h.
#
# The host sends one pair at a time and waits for an answer before the next; like tools/hv/hv_kvp_daemon.c, we answer each.

DEVICE = "/dev/vmbus/hv_kvp"
DRIVER = "/sys/bus/vmbus/drivers/hv_utils"
SILENCE_S = 1.0  # without a message: then all pairs have arrived
MESSAGE = 7430  # sizeof(struct hv_kvp_msg): the header and its largest body, hv_kvp_ipaddr_value
REGISTER, SET = 100, 1  # KVP_OP_REGISTER1, KVP_OP_SET
OK = 0  # HV_S_OK
KVP_KEY, VALUE = 512, 2048  # HV_KVP_EXCHANGE_MAX_KEY_SIZE, _VALUE_SIZE: bytes, NUL included
POOLS = 5
_PAIR = struct.Struct(f"<BBxx III{KVP_KEY}s{VALUE}s")  # hv_kvp_hdr and hv_kvp_exchg_msg_value
_MOST = 100_000  # messages: an endless stream from the host must not keep a machine from booting

Pool = dict[bytes, bytes]  # key → value, without NUL bytes, in the order of arrival


def read() -> list[Pool]:
    """The five pools. Raises Failure if the driver or the device cannot be used."""
    if not os.path.isdir(DRIVER):
        run(["modprobe", "hv_utils"], why="load Hyper-V's driver of key-value pairs")
    try:
        descriptor = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        fix = "enable data exchange for this machine"
        raise Failure(f"no key-value pairs: {error.strerror}", where=DEVICE, fix=fix) from error
    try:
        return receive(descriptor)
    except OSError as error:
        raise Failure(f"no key-value pairs: {error.strerror}", where=DEVICE, fix="try again") from error
    finally:
        os.close(descriptor)


def receive(descriptor: int) -> list[Pool]:
    """Register with the open device and collect pairs until a second of silence."""
    pools: list[Pool] = [{} for _ in range(POOLS)]
    os.write(descriptor, bytes([REGISTER]).ljust(MESSAGE, b"\0"))
    for _ in range(_MOST):
        if not select.select([descriptor], [], [], SILENCE_S)[0]:
            break
        message = os.read(descriptor, MESSAGE)
        if not message:
            break
        message = message.ljust(MESSAGE, b"\0")
        if message[0] == REGISTER:
            continue  # the driver's answer to ours
        operation, number, _, _, _, key, value = _PAIR.unpack_from(message)
        if operation == SET and number < POOLS:
            pools[number][_text(key)] = _text(value)
        os.write(descriptor, struct.pack("<I", OK) + message[4:])
    return pools


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def record_file(pool: Pool) -> bytes:
    """A pool as hv_kvp_daemon keeps it in a file: records of fixed size."""
    return b"".join(key.ljust(KVP_KEY, b"\0") + value.ljust(VALUE, b"\0") for key, value in pool.items())


def joined(pool: Pool, name: str) -> bytes:
    """The value of a key; if it is missing or empty, the joined values of `NAME.0`, `NAME.1` and so on, up to the first gap.

    Values are limited to 2 KiB, so tools on the host split longer ones.
    """
    value = pool.get(name.encode(), b"")
    number = 0
    if not value:
        while (piece := pool.get(f"{name}.{number}".encode())) is not None:
            value += piece
            number += 1
    return value
