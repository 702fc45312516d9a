"""Shared by the tests of volumes: images and loop devices that become volumes, and what clevis binds them to."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ignition.config.model import Resource
from ignition.config.model.storage import Clevis, ClevisCustom, Luks, Tang
from ignition.host import log
from ignition.host.command import run
from ignition.operation import Context
from ignition.storage import clevis, luks_header, luks_keys
from ignition.storage import luks_operations as steps
from ignition.storage.clevis import Binding
from ignition.storage.luks_header import Header
from ignition.storage.luks_keys import Keys
from ignition.storage.luks_operations import QUICK_PBKDF, Volume

UUID = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
WHERE = "$.storage.luks.0"
SECRET = "SECRET-of-a-person"
GIVEN = Resource(source=f"data:,{SECRET}")
TANGD, KEYGEN = "/usr/libexec/tangd", "/usr/libexec/tangd-keygen"


class Image:
    """One image file, and the volume of a config that is made of it."""

    def __init__(self, path: Path, **members: Any) -> None:
        if not path.is_block_device():
            with path.open("wb") as file:
                file.truncate(24 << 20)
        self.node, self.keys = str(path), Keys()
        members.setdefault("options", tuple(QUICK_PBKDF) if "key_file" in members else ())
        self.volume = Volume(Luks(name="data", device=self.node, **members), self.node, WHERE, self.keys)
        if "key_file" in members:
            self.keys.put("data", SECRET.encode())

    def metadata(self) -> dict[str, Any]:
        return dict(json.loads(run(["cryptsetup", "luksDump", "--dump-json-metadata", self.node], why="looking")))

    @property
    def header(self) -> Header:
        found = luks_header.read(self.node)
        assert found is not None
        return found


@pytest.fixture(autouse=True)
def no_udev(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file is nothing that udev knows; key files go where this test can look."""
    log.configure(stage="test", to_stdout=True)
    monkeypatch.setattr("ignition.host.devices.UDEV_CONTROL", str(tmp_path / "no-udev"))


def bound(clevis_config: Clevis) -> Binding:
    found = clevis.wanted(clevis_config, WHERE)
    assert found is not None
    return found


def custom(pin: str, config: object) -> Clevis:
    return Clevis(custom=ClevisCustom(pin=pin, config=json.dumps(config)))


def bind(image: Image, binding: Binding, context: Context, monkeypatch: pytest.MonkeyPatch, *, base: str = "") -> list[list[str]]:
    """Bind a volume; returns the command lines that were run."""
    ran: list[list[str]] = []

    def recorded(argv: list[str], **members: Any) -> str:
        ran.append(argv)
        return run(argv, **members)

    base = base or str(Path(image.node).parent / "run")
    monkeypatch.setattr(steps, "run", recorded)
    monkeypatch.setattr(steps, "key_file", lambda key: luks_keys.key_file(key, base=base))
    steps.BindVolume(image.volume, binding).execute(context)
    assert os.listdir(base) == []
    return ran


class TangKeys:
    """The keys of a tang server that nobody runs: what a config has of it."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        run_here(KEYGEN, str(directory))
        answer = run_here(TANGD, str(directory), stdin="GET /adv HTTP/1.0\r\n\r\n")
        self.advertisement = answer[answer.index("{") :]
        self.thumbprint = next(
            text.strip()
            for file in directory.glob("*.jwk")
            if "verify" in json.loads(file.read_text())["key_ops"]
            for text in [run_here("jose", "jwk", "thp", "-a", "S256", "-i", str(file))]
        )

    def server(self, url: str, thumbprint: str = "") -> Tang:
        return Tang(url=url, thumbprint=thumbprint or self.thumbprint, advertisement=self.advertisement)


def run_here(*argv: str, stdin: str = "") -> str:
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture(scope="module")
def tang_keys(tmp_path_factory: pytest.TempPathFactory) -> TangKeys:
    assert shutil.which("jose"), "package jose, which .ci/setup installs"
    return TangKeys(tmp_path_factory.mktemp("tang") / "keys")
