"""A directory with configs and assertion files, and runs of `ignition simulate` in it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ignition.cli.ignition import main
from tests.schemas import valid

TOP = Path(__file__).parent.parent.parent
NOBODY = 65534


class Place:
    """`out` is the directory of the last run."""

    def __init__(self, top: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.top, self._capsys = top, capsys
        self._runs = 0
        self.out = top

    def put(self, name: str, content: object) -> str:
        """Write a file, of which anything but text becomes JSON; returns its path."""
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def tree(self, name: str, nodes: Mapping[str, str]) -> str:
        """A directory: path → content; a path that ends in a slash is a directory, a content that begins with `-> ` a symlink."""
        top = self.top / name
        top.mkdir()
        for path, content in nodes.items():
            node = top / path.strip("/")
            node.parent.mkdir(parents=True, exist_ok=True)
            if path.endswith("/"):
                node.mkdir(exist_ok=True)
            elif content.startswith("-> "):
                node.symlink_to(content[3:])
            else:
                node.write_text(content)
        return str(top)

    def run(self, config: object, *words: str) -> tuple[int, str, str]:
        """Status, standard output and standard error of a simulation in a directory of its own."""
        self._runs += 1
        self.out = self.top / f"out{self._runs}"
        self._capsys.readouterr()
        status = main(["simulate", self._named(config), "-into", str(self.out), *words])
        captured = self._capsys.readouterr()
        return status, captured.out, captured.err

    def run_as_nobody(self, config: object, *words: str) -> tuple[int, str, str]:
        """As `run`, by an ordinary user."""
        self._runs += 1
        self.out = self.top / f"out{self._runs}"
        self.out.mkdir()
        os.chown(self.out, NOBODY, NOBODY)
        argv = [sys.executable, "-m", "ignition.cli.ignition", "simulate", self._named(config), "-into", str(self.out), *words]
        done = subprocess.run(
            argv, user=NOBODY, group=NOBODY, extra_groups=[], cwd=TOP, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    def _named(self, config: object) -> str:
        return config if isinstance(config, str) and not config[:1].isspace() else self.put("config", config)

    def manifest(self) -> dict[str, Any]:
        """That of the last run."""
        found: dict[str, Any] = valid("manifest", (self.out / "manifest.json").read_text())
        return found

    def nodes(self) -> dict[str, dict[str, Any]]:
        """The nodes of the root, by path."""
        return {node["path"]: node for node in self.manifest()["nodes"] if "filesystem" not in node}

    def text(self, inside: str) -> str:
        """A file of the simulated root."""
        return (self.out / "root" / inside.lstrip("/")).read_text()


@pytest.fixture
def place(capsys: pytest.CaptureFixture[str]) -> Iterator[Place]:
    """Not below tmp_path, whose parents other runs of pytest close to ordinary users."""
    top = Path(tempfile.mkdtemp(prefix="simulate-"))
    top.chmod(0o755)
    yield Place(top, capsys)
    subprocess.run(["rm", "-rf", str(top)], check=True)  # shutil.rmtree cannot remove a deep tree


def ignition(version: str = "3.4.0", **sections: object) -> dict[str, object]:
    """A config in JSON."""
    return {"ignition": {"version": version}, **sections}


def file(path: str, text: str = "", **members: object) -> dict[str, object]:
    """A file of a config."""
    return {"path": path, "contents": {"source": f"data:,{text}"}, **members}
