"""A running system with a user, and the runs of our programs on it.

Its root is `/` of the run (chroot), with /usr of the machine that runs the tests. The directories that its user `core` must not
read or change are guarded: /root and /etc/profile.d, the targets of links of core.
"""

import os
from pathlib import Path
from typing import Any

from tests.hostile.image import REPOSITORY, SECRET, Image
from tests.hostile.sandbox import Ran, Sandbox
from tests.platforms.samples import KEY

CORE = 1000
STAND_INS = "/opt/stand-ins"
SCRIPTS = {
    "systemctl": 'case "$*" in *is-enabled*) echo disabled; exit 1;; *show*) echo LoadState=loaded; esac',
    "hostnamectl": "exit 0",
    "systemd-run": "exit 0",
}
USER_DATA = f"""#cloud-config
ssh_authorized_keys:
- {KEY}
write_files:
- {{path: /etc/app.conf, content: x}}
- {{path: /home/core/.config/app.sh, owner: core, permissions: "0755", content: app}}
- {{path: /home/core/same, owner: "root:root", permissions: "0600", content: "same bytes"}}
- {{path: /home/core/sub/dir/file, owner: "core:core", content: deep}}
- {{path: /var/tmp/work/file, content: work}}
coreos:
  update: {{group: beta}}
  units:
  - {{name: new.service, enable: true, command: start, content: "[Service]"}}
  - {{name: old.service, drop_ins: [{{name: 10-new.conf, content: "[Service]"}}]}}
  - {{name: gone.service, mask: true}}
  - {{name: 10-new.network, runtime: true, content: "[Match]"}}
"""
SECRET_FILE, SECRET_DIRECTORY = "/etc/profile.d/image.sh", "/etc/profile.d"
ATTRIBUTES = "--attributes=/run/metadata/coreos"


class Machine(Image):
    """An image that has booted. `core` has a home with the things of a user."""

    def __init__(self, directory: Path, sandbox: Sandbox) -> None:
        super().__init__(directory, sandbox)
        self.guarded = (self.root / SECRET_DIRECTORY[1:], self.root / "root")
        for name in ("bin", "sbin", "lib", "lib64"):
            (self.root / name).symlink_to(f"usr/{name}")
        for path in (*self.guarded, *(self.root / name for name in ("home/core/.config", "home/core/sub/dir", "var/tmp/work"))):
            path.mkdir(parents=True, exist_ok=True)
        for path in (self.root / SECRET_FILE[1:], self.root / "root/.profile"):
            path.write_text(f"# {SECRET}\n")
            path.chmod(0o600)
        (self.root / "home/core/same").write_text("same bytes")
        self.put("/var/lib/user-data", USER_DATA)
        for name, script in SCRIPTS.items():
            self.put(f"{STAND_INS}/{name}", f"#!/bin/sh\n{script}\n")
            (self.root / STAND_INS[1:] / name).chmod(0o755)
        self.give(self.root / "home/core")
        self._packages = self.root / str(REPOSITORY)[1:]  # some are looked for when they are needed
        self._packages.mkdir(parents=True)

    def put(self, path: str, text: str) -> None:
        """Write a file."""
        place = self.root / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def plant_of_user(self, path: str, kind: str) -> None:
        """As core would: links lead to guarded files, and core owns everything."""
        place = self.root / path[1:]
        if kind in ("directory", "file") or "." not in place.name or place.name.startswith("."):
            twin = SECRET_DIRECTORY
        else:
            twin = SECRET_FILE
        self.plant(path, kind, twin=str(self.root / SECRET_FILE[1:]) if kind == "hard-link" else twin)
        if kind != "hard-link":
            for made in (place, *place.parent.glob(f"{place.name}.*")):
                self.give(made)

    @staticmethod
    def give(top: Path) -> None:
        """It and all below is core's."""
        os.chown(top, CORE, CORE, follow_symlinks=False)
        if top.is_dir() and not top.is_symlink():
            for path in top.rglob("*"):
                os.chown(path, CORE, CORE, follow_symlinks=False)

    def live(self, *argv: str, **settings: Any) -> Ran:
        """Run a program on it."""
        path = f"{STAND_INS}:/usr/sbin:/usr/bin"
        mounts = (("/usr", f"{self.root}/usr"), ("proc", f"{self.root}/proc"), (str(REPOSITORY), str(self._packages)))
        return self.execute(*argv, chroot=str(self.root), mounts=mounts, environment={"PATH": path, "HOME": "/root"}, **settings)

    def boot(self, *flags: str) -> list[Ran]:
        """The commands of its units: coreos-cloudinit, and coreos-metadata with each of the flags."""
        runs = [self.live("coreos-cloudinit", "-from-file=/var/lib/user-data")]
        for flag in flags or ("--ssh-keys=core", ATTRIBUTES):
            if runs[-1].status is not None:
                runs.append(self.live("coreos-metadata", "--provider=digitalocean", flag))
        return runs
