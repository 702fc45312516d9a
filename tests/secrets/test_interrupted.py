"""A boot that is cut off anywhere, and tried again: what lies about between is for root alone, and nothing is left after."""

import json
from typing import Any

import pytest

from tests.secrets.laboratory import RENDERED, Bench, leaks, secret_of

pytestmark = pytest.mark.root
HASH = "$6$salt${s}"


def config(secret: str) -> dict[str, Any]:
    """With a secret wherever the files stage puts one."""
    here = {"source": f"data:,{secret}"}
    return {
        "ignition": {"version": "3.4.0"},
        "passwd": {
            "users": [
                {"name": "new", "passwordHash": HASH.format(s=secret)},
                {"name": "core", "passwordHash": HASH.format(s=secret)},
            ],
            "groups": [{"name": "team", "passwordHash": HASH.format(s=secret)}],
        },
        "storage": {
            "files": [
                {"path": "/etc/secret", "mode": 0o600, "contents": here},
                {"path": "/opt/deep/er/key", "mode": 0o400, "contents": here, "user": {"name": "core"}},
                {"path": "/etc/hostname", "mode": 0o600, "append": [here]},
                {"path": "/home/core/token", "mode": 0o600, "contents": here, "user": {"name": "core"}},
            ]
        },
    }


ALLOWED = {
    **RENDERED,
    "root/etc/shadow": 0o640,
    "root/etc/shadow-": 0o640,  # useradd(8) and its brothers keep the last one
    "root/etc/gshadow": 0o640,
    "root/etc/gshadow-": 0o640,
    "root/etc/secret": 0o600,
    "root/opt/deep/er/key": 0o400,
    "root/etc/hostname": 0o600,
    "root/home/core/token": 0o600,
}


def for_all(found: dict[str, int]) -> dict[str, int]:
    """Files of others than root's."""
    return {path: mode for path, mode in found.items() if mode & 0o077 and mode & ~ALLOWED.get(path, 0)}


def finished(bench: Bench, secret: str) -> None:
    """Boot again: all three stages, then nothing but the wished files."""
    for stage in ("fetch-offline", "files", "umount"):
        ran = bench.stage(stage)
        assert ran.status == 0, ran.words()
        assert leaks(ran, secret) == []
    found = bench.files_with(secret)
    assert set(found) <= ALLOWED.keys() - RENDERED.keys()
    assert {path: mode for path, mode in found.items() if mode & ~ALLOWED[path]} == {}


@pytest.mark.parametrize("stage", ["fetch-offline", "files", "umount"])
@pytest.mark.parametrize("moment", [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22, 26, 30, 35, 40])
def test_power_cut(bench: Bench, stage: str, moment: int) -> None:
    secret = secret_of(f"{stage} {moment}")
    bench.give("config", json.dumps(config(secret)))
    for before in ("fetch-offline", "files", "umount"):
        if before == stage:
            break
        assert bench.stage(before).status == 0
    ran = bench.stage(stage, kill_at=moment)
    assert ran.status in (0, -9), ran.words()
    assert leaks(ran, secret) == []
    assert for_all(bench.files_with(secret)) == {}
    finished(bench, secret)


@pytest.mark.parametrize("wrong", ["last-file", "unknown-owner", "directory-in-the-way", "hash", "useradd"])
def test_failure_leaves_nothing_over(bench: Bench, wrong: str) -> None:
    secret = secret_of(wrong)
    wanted = config(secret)
    faults: dict[str, dict[str, Any]] = {
        "last-file": {"path": "/etc/passwd/x", "contents": {"source": f"data:,{secret}"}},
        "unknown-owner": {
            "path": "/opt/z",
            "mode": 0o600,
            "user": {"name": "nobody-there"},
            "contents": {"source": f"data:,{secret}"},
        },
        "directory-in-the-way": {"path": "/home/core", "mode": 0o600, "contents": {"source": f"data:,{secret}"}},
        "hash": {"path": "/opt/z", "contents": {"source": f"data:,{secret}", "verification": {"hash": f"sha512-{'0' * 128}"}}},
        "useradd": {"path": "/opt/z", "mode": 0o600},
    }
    wanted["storage"]["files"].append(faults[wrong])
    if wrong == "useradd":
        wanted["passwd"]["users"].append({"name": "late", "primaryGroup": "nowhere", "passwordHash": HASH.format(s=secret)})
    bench.give("config", json.dumps(wanted))
    if bench.stage("fetch-offline").status == 0:
        ran = bench.stage("files")
        assert ran.status == 1, ran.words()
        assert leaks(ran, secret) == []
        assert (bench.run_directory / "failure.txt").is_file()
    found = bench.files_with(secret)
    assert set(found) <= ALLOWED.keys()
    assert for_all(found) == {}
