"""A root that the files stage has set up, with one thing of each kind, and `ignition verify` on it."""

import hashlib
import json
from pathlib import Path

import pytest

from ignition.cli.ignition import main
from ignition.config.parse import parse
from tests.stages.test_files import make_root, run

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBenchBenchBenchBenchBenchBenchBenchBenchBen core@desk"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOtherOtherOtherOtherOtherOtherOtherOthe mallory"
UNIT = "[Service]\nExecStart=/usr/bin/app\n[Install]\nWantedBy=multi-user.target\n"
SECRET = "hunter2"
HASHED = "sha512-" + hashlib.sha512(b"hashed\n").hexdigest()
CONFIG = {
    "ignition": {"version": "3.5.0"},
    "kernelArguments": {"shouldExist": ["quiet"], "shouldNotExist": ["debug"]},
    "passwd": {
        "groups": [{"name": "web", "gid": 900}],
        "users": [
            {
                "name": "core",
                "uid": 1500,
                "groups": ["sudo"],
                "shell": "/bin/sh",
                "passwordHash": f"$6$salt${SECRET}",
                "sshAuthorizedKeys": [KEY],
            },
            {"name": "games", "shouldExist": False},
        ],
    },
    "storage": {
        "directories": [{"path": "/srv/data", "mode": 0o750}],
        "files": [
            {
                "path": "/etc/app.conf",
                "mode": 0o600,
                "user": {"name": "core"},
                "group": {"name": "web"},
                "contents": {"source": f"data:,password={SECRET}"},
            },
            {"path": "/etc/hashed", "contents": {"source": "data:,hashed%0A", "verification": {"hash": HASHED}}},
            {"path": "/etc/motd", "append": [{"source": "data:,more%0A"}]},
            {"path": "/etc/empty"},
            {"path": "/run/gone", "contents": {"source": "data:,gone"}},
        ],
        "links": [{"path": "/etc/alias", "target": "app.conf"}, {"path": "/etc/hard", "target": "/etc/app.conf", "hard": True}],
    },
    "systemd": {
        "units": [
            {"name": "app.service", "enabled": True, "contents": UNIT, "dropins": [{"name": "a.conf", "contents": "[Unit]\n"}]},
            {"name": "masked.service", "mask": True},
            {"name": "old.service", "enabled": False},
        ]
    },
}


def provisioned(tmp_path: Path) -> Path:
    """The root, once the stage has run."""
    root = make_root(tmp_path)
    unit = root / "usr/lib/systemd/system/old.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(UNIT.replace("app", "old"))
    parsed = parse(json.dumps(CONFIG).encode())
    assert parsed.config is not None and not parsed.report.entries, parsed.report
    run(tmp_path, parsed.config)
    return root


def verify(capsys: pytest.CaptureFixture[str], root: Path, *flags: str) -> tuple[int, list[str]]:
    """Exit status and lines of the command."""
    capsys.readouterr()
    status = main(["verify", f"-root={root}", *flags])
    printed = capsys.readouterr()
    assert not printed.err
    return status, printed.out.splitlines()
