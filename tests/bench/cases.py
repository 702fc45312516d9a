"""The measured cases: configs that Debian's ignition 2.14 accepts, files that must exist afterwards, and expected ratios."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

SPEC = "3.3.0"
# Not a secret: "bench", hashed with a salt for this file.
PASSWORD = "$6$bench$0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ./0123456789abcdefghijkl"  # noqa: S105
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBenchBenchBenchBenchBenchBenchBenchBenchBen bench"


class Case:
    """`make` gets the URL of the file server; `check` raises AssertionError for a root that is not as the config wants it."""

    def __init__(
        self,
        name: str,
        make: Callable[[str], dict[str, Any]],
        check: Callable[[Path], None],
        *,
        expected: float,
        remote_files: int = 0,
    ) -> None:
        self.name, self.expected, self.remote_files = name, expected, remote_files
        self._make, self.check = make, check

    def config(self, url: str) -> bytes:
        """The config as text."""
        return json.dumps({"ignition": {"version": SPEC}, **self._make(url)}).encode()


def _minimal(_: str) -> dict[str, Any]:
    return {}


def small_files(count: int) -> Case:
    """Files of a line each, in directories of 100."""

    def make(_: str) -> dict[str, Any]:
        sources = ((number, f"data:,content%20of%20file%20{number}%0A") for number in range(count))
        files = [{"path": f"/opt/{n // 100}/{n}", "contents": {"source": source}} for n, source in sources]
        return {"storage": {"files": files}}

    def check(root: Path) -> None:
        assert all((root / f"opt/{n // 100}/{n}").read_text() == f"content of file {n}\n" for n in range(count))

    return Case(f"{count:,} small files", make, check, expected=1.0)


def _remote_files(url: str) -> dict[str, Any]:
    return {"storage": {"files": [{"path": f"/opt/{n}", "contents": {"source": f"{url}{n}"}, "mode": 384} for n in range(100)]}}


def _users(_: str) -> dict[str, Any]:
    accounts = [{"name": f"user{number}", "passwordHash": PASSWORD, "sshAuthorizedKeys": [KEY]} for number in range(20)]
    return {"passwd": {"users": accounts}}


def _check_minimal(root: Path) -> None:
    assert "provisioningBootID" in json.loads((root / "etc/.ignition-result.json").read_text())


def _check_remote_files(root: Path) -> None:
    assert all((root / f"opt/{n}").read_text() == f"remote file {n}\n" for n in range(100))


def _check_users(root: Path) -> None:
    shadow = (root / "etc/shadow").read_text()
    for number in range(20):
        assert f"user{number}:{PASSWORD}:" in shadow
        assert any((root / f"home/user{number}/.ssh").rglob("*")), "no key file"
        assert (root / f"home/user{number}/.profile").exists()


CASES = (
    Case("minimal", _minimal, _check_minimal, expected=3.0),
    small_files(1000),
    Case("100 remote files", _remote_files, _check_remote_files, expected=0.25, remote_files=100),
    Case("20 users", _users, _check_users, expected=0.4),
)
