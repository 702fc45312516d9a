"""The same work for each agent: a user with a key, a host name, 20 files, a unit, and a file system on a new partition."""

import json
import textwrap
from pathlib import Path
from urllib.parse import quote

from harness import disks
from harness.disks import Disk

USER, HOSTNAME, FILES, MOUNT = "core", "bench", 20, "/srv/data"
UNIT = "[Unit]\nDescription=Bench\n\n[Service]\nType=oneshot\nExecStart=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n"
MOUNT_UNIT = f"[Mount]\nWhat=/dev/disk/by-label/data\nWhere={MOUNT}\nType=ext4\n\n[Install]\nWantedBy=local-fs.target\n"
# Prints what the work has left behind, for `expected`.
PROBE = f"""
echo "user $(id -un {USER}) $(cat ~{USER}/.ssh/authorized_keys ~{USER}/.ssh/authorized_keys.d/* 2>/dev/null | cut -d ' ' -f 2)"
echo "host $(hostname)"
echo "files $(cat /etc/bench/* | sha256sum)"
echo "unit $(systemctl is-enabled bench.service)"
echo "mount $(findmnt --noheadings --output FSTYPE,LABEL {MOUNT} | tr -s ' ')"
"""


def content(number: int) -> str:
    """Of a file."""
    return f"file {number}\n" * 20


def ignition_config(folder: Path, key: str) -> Path:
    """For both agents that read Ignition's configs: version 3.3.0."""
    files = [("/etc/hostname", HOSTNAME), *((f"/etc/bench/{number:02}", content(number)) for number in range(FILES))]
    config = {
        "ignition": {"version": "3.3.0"},
        "passwd": {"users": [{"name": USER, "sshAuthorizedKeys": [key]}]},
        "storage": {
            "disks": [{"device": "/dev/vdb", "wipeTable": True, "partitions": [{"number": 1, "label": "data"}]}],
            "filesystems": [{"device": "/dev/disk/by-partlabel/data", "format": "ext4", "label": "data"}],
            "files": [{"path": path, "mode": 0o644, "contents": {"source": f"data:,{quote(text)}"}} for path, text in files],
        },
        "systemd": {
            "units": [
                {"name": "bench.service", "enabled": True, "contents": UNIT},
                {"name": "srv-data.mount", "enabled": True, "contents": MOUNT_UNIT},
            ]
        },
    }
    path = folder / "config.ign"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


def cloud_config_drive(folder: Path, key: str) -> Disk:
    """For cloud-init: its datasource NoCloud, which is a local one, as fw_cfg is for the others."""
    files = [(f"/etc/bench/{number:02}", content(number)) for number in range(FILES)]
    written = "".join(
        f"- path: {path}\n  content: |\n{textwrap.indent(text, '    ')}"
        for path, text in [*files, ("/etc/systemd/system/bench.service", UNIT)]
    )
    text = f"""#cloud-config
disable_root: false
hostname: {HOSTNAME}
users:
- name: {USER}
  ssh_authorized_keys: ["{key}"]
disk_setup:
  /dev/vdb: {{table_type: gpt, layout: true, overwrite: true}}
fs_setup:
- {{device: /dev/vdb, partition: auto, filesystem: ext4, label: data}}
mounts:
- [LABEL=data, {MOUNT}, ext4, defaults]
write_files:
{written}
runcmd:
- [systemctl, daemon-reload]
- [systemctl, enable, --now, bench.service]
"""
    return disks.disc(folder / "seed.iso", "cidata", {"user-data": text, "meta-data": "instance-id: bench\n"})
