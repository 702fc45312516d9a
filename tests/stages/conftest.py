"""A machine's first boot in a directory: kernel command line, system directories and the files between the stages."""

import json
from pathlib import Path
from typing import Any

import pytest

from ignition.host.root import Root
from ignition.operation import Context, Runner
from ignition.stages.arguments import Arguments, Paths
from tests.loop_devices import make_loop

__all__ = ["Boot", "boot", "make_loop"]


class Boot:
    """Where one boot's files are, and its arguments."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.run = top / "run" / "ignition"
        self.system = top / "usr"
        self.run.mkdir(parents=True)
        self.cmdline("quiet")

    def cmdline(self, text: str) -> None:
        """Set the kernel command line."""
        (self.top / "cmdline").write_text(f"{text}\n")

    def config(self, text: str) -> None:
        """Set the config of `-platform file`."""
        (self.top / "config.ign").write_text(text)

    def fragment(self, name: str, text: str, directory: str = "usr") -> None:
        """A file below a system directory: run, etc or usr."""
        path = self.top / directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def arguments(self, stage: str, runner: Runner, platform: str = "file", timeout_s: float = 5.0) -> Arguments:
        """As the command line would give them."""
        files = Paths(
            config_cache=str(self.run / "cache.json"),
            neednet=str(self.run / "net" / "neednet"),
            state_file=str(self.run / "state"),
        )
        return Arguments(stage=stage, platform=platform, root="/", runner=runner, paths=files, fetch_timeout_s=timeout_s)

    def execute(self, stage: str, platform: str = "file", timeout_s: float = 5.0) -> None:
        """Run one of the fetch stages."""
        from ignition.stages import fetch, fetch_offline

        with Runner(stage, str(self.run / "operations.jsonl")) as runner:
            module = fetch if stage == "fetch" else fetch_offline
            module.run(self.arguments(stage, runner, platform, timeout_s))

    def cache(self) -> dict[str, Any]:
        """The cached config as JSON."""
        content: dict[str, Any] = json.loads((self.run / "cache.json").read_text())
        return content

    def files(self) -> set[str]:
        """Names of the files that the stage left in /run/ignition."""
        return {str(path.relative_to(self.run)) for path in self.run.rglob("*") if path.is_file()}


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A context whose root is empty; nothing can be fetched."""
    return Context(Root(str(tmp_path / "empty")), None)  # type: ignore[arg-type]


@pytest.fixture
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Boot:
    """A boot without any config."""
    machine = Boot(tmp_path)
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    monkeypatch.setenv("IGNITION_CONFIG_FILE", str(tmp_path / "config.ign"))
    for variable, directory in (("RUNTIME_", "run"), ("LOCAL_", "etc"), ("", "usr")):
        monkeypatch.setenv(f"IGNITION_SYSTEM_{variable}CONFIG_DIR", str(tmp_path / directory))
    monkeypatch.setenv("IGNITION_OEM_LOOKASIDE_DIR", str(tmp_path / "share/oem"))
    for device in ("OEM", "BOOT"):
        monkeypatch.setenv(f"IGNITION_{device}_DEVICE", str(tmp_path / f"dev/{device}"))
    return machine
