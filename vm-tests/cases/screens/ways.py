"""Ways in which a first boot fails, for one machine each: kernel arguments, a config, other files in the initramfs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MISSING = "/dev/vdc"
NOBODY = "http://10.0.2.2:9/config.ign"  # a port of this host at which nobody listens
_UNITS = "etc/systemd/system"
# Long enough for the disks to appear in an emulated machine beside others.
_SOON = {f"{_UNITS}/device.d/50-soon.conf": "[Unit]\nJobRunningTimeoutSec=30\n"}


@dataclass(frozen=True)
class Way:
    """files are names in the initramfs; an empty text is an empty file. A way that waits leaves the processor to others."""

    name: str
    arguments: Sequence[str] = ()
    config: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    waits: bool = False


def _config(**sections: Any) -> str:
    return json.dumps({"ignition": {"version": "3.4.0"}, **sections}, indent=1)


def _file(path: str, **members: Any) -> dict[str, Any]:
    return {"path": path, "contents": {"source": "data:,x"}, **members}


def _drop_in(unit: str, *lines: str) -> dict[str, str]:
    return {f"{_UNITS}/{unit}.d/50-broken.conf": "\n".join(["[Service]", *lines, ""])}


def _instead(unit: str, command: str, *lines: str) -> dict[str, str]:
    return _drop_in(unit, "ExecStart=", f"ExecStart={command}", *lines)


_CHANGED = {"source": "data:,x", "verification": {"hash": f"sha512-{'0' * 128}"}}
_OFFLINE, _FETCH = "ignition-fetch-offline.service", "ignition-fetch.service"
WAYS = (
    # Configs
    Way("config_is_not_json", ["ignition.failure.shell=password"], config='{"ignition": {"version": "3.4.0"},\n "storage" {}}\n'),
    Way("config_invalid", ["ignition.failure.shell=none"], config=_config(storage={
        "files": [_file("relative/path"), _file("/a", mode=99999)]})),
    Way("config_with_many_errors", config=_config(storage={"files": [_file(f"relative/{number}") for number in range(14)]})),
    Way("hash_mismatch", config=_config(storage={"files": [{"path": "/a", "contents": _CHANGED}]})),
    Way("file_exists", config=_config(storage={"files": [_file("/etc/passwd")]})),
    Way("owner_unknown", config=_config(storage={"files": [_file("/etc/a", user={"name": "nobody-knows"})]})),
    Way("own_disk_in_use", config=_config(storage={"disks": [{"device": "/dev/vda", "wipeTable": True}]})),
    Way("partition_too_large", config=_config(storage={"disks": [{
        "device": "/dev/vdb", "partitions": [{"number": 1, "sizeMiB": 9000}]}]})),
    Way("device_missing", waits=True, config=_config(storage={
        "filesystems": [{"device": MISSING, "format": "ext4"}], "files": [_file("/etc/passwd")]})),
    # The kernel command line
    Way("platform_unknown", ["ignition.platform.id=vmwar"]),
    Way("root_does_not_appear", ["root=LABEL=NO-ROOT"], files=_SOON, waits=True),
    Way("root_does_not_mount", ["rootfstype=xfs"]),
    Way("array_not_assembled", ["root=/dev/md/none"], files=_SOON, waits=True),
    Way("volume_not_opened", ["root=/dev/mapper/none"], files=_SOON, waits=True),
    # The network
    Way("server_refuses", waits=True, arguments=[f"ignition.config.url={NOBODY}"], files=_instead(
        _FETCH, "/usr/bin/ignition -stage fetch -platform ${PLATFORM_ID} -root /sysroot -fetch-timeout 30s")),
    Way("network_service_failed", [f"ignition.config.url={NOBODY}"], files=_instead(
        "ignition-network.service", "/bin/sh -c 'echo \"systemd-networkd does not start\" >&2; exit 1'")),
    # Units and programs
    Way("unit_timed_out", files=_instead(_OFFLINE, "/bin/sleep 100", "TimeoutStartSec=3")),
    Way("flag_in_a_drop_in", files=_instead(_OFFLINE, "/usr/bin/ignition -stage fetch-offline -platfrm qemu")),
    Way("interpreter_damaged", files={"usr/bin/python3": "not a program\n"}),
    Way("module_damaged", files={"usr/lib/python3/dist-packages/ignition/errors.pyc": "damaged\n"}),
    Way("program_crashed", files=_instead(_OFFLINE, "/bin/sh -c 'kill -SEGV $$$$'")),
    Way("program_killed", files=_instead(_OFFLINE, "/bin/sh -c 'kill -KILL $$$$'")),
    Way("run_is_full", config=_config(storage={"files": [_file("/etc/passwd")]}), files=_drop_in(
        "ignition-files.service", "ExecStartPre=-/bin/sh -c 'head -c 4G /dev/zero >/run/filler'")),
)  # fmt: skip
