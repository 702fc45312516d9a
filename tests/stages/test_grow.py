"""Which file systems the grow stage looks at, and with which facts of the config."""

from pathlib import Path

import pytest

from ignition.config.model import Config, Storage
from ignition.config.model.storage import Disk
from ignition.host import mounts
from ignition.operation import Runner
from ignition.stages import grow
from ignition.storage import grow as storage_grow
from ignition.storage.grow.facts import GrowFacts, Part, Partition
from ignition.storage.grow.keys import KeyFinder

from .conftest import Boot

ROOT = "/dev/vda9"


class Machine:
    """Mounted partitions by their nodes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, boot: Boot) -> None:
        self.root = f"{boot.top}/root"
        self.mounted: list[str] = []
        self.candidates = {"/dev/vda9", "/dev/vdb1", "/dev/vdc1"}
        self.planned: list[tuple[object, ...]] = []
        monkeypatch.setattr(mounts, "current", lambda: mounts.parse("\n".join(self.mounted)))
        monkeypatch.setattr(storage_grow, "probe", self._probe)
        monkeypatch.setattr(storage_grow, "is_candidate", lambda facts: facts.parts[0].layer.node in self.candidates)
        monkeypatch.setattr(storage_grow, "plan", self._plan)
        with Runner("grow", str(boot.run / "operations.jsonl")) as runner:
            self.arguments = boot.arguments("grow", runner)
        self.arguments.root = self.root

    def mount(self, node: str, target: str, format: str = "ext4", options: str = "rw") -> None:
        self.mounted.append(f"1 0 8:1 / {target} {options} - {format} {node} rw")

    def _probe(self, mount: mounts.Mount, keys: KeyFinder, *, is_root: bool) -> GrowFacts:
        facts = GrowFacts(mount, is_root=is_root)
        if mount.source.startswith("/dev/"):
            facts.parts = (Part(Partition(mount.source, 1, mount.source[:-1], 1), 1, 0),)
        return facts

    def _plan(self, facts: list[GrowFacts], config: object, nodes: object, keep: object) -> list[object]:
        self.planned.append(([(one.parts[0].layer.node, one.is_root) for one in facts], config, nodes, keep))
        return []

    def looked_at(self) -> object:
        assert grow.operations(self.arguments) == []
        return self.planned[-1][0]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, boot: Boot) -> Machine:
    return Machine(monkeypatch, boot)


def test_root_and_other_partitions_of_its_type_grow(machine: Machine) -> None:
    machine.mount("/dev/vdb1", "/data", "xfs")
    machine.mount(ROOT, machine.root)
    machine.mount(ROOT, "/again")
    machine.mount("/dev/vdc1", "/boot", "vfat")
    machine.mount("/dev/vdc1", "/fixed", "btrfs", "ro")
    machine.mount("/dev/vdd1", "/other")
    machine.mount("tmpfs", "/run", "ext4")
    machine.mount("/dev/vdb1", "/bind", "xfs")
    assert machine.looked_at() == [(ROOT, True), ("/dev/vdb1", False)]


def test_machine_without_a_root_is_told(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.mount("/dev/vdb1", "/data")
    assert machine.looked_at() == [("/dev/vdb1", False)]
    assert f"nothing is mounted on {machine.root}: no root to grow" in capsys.readouterr().out


def test_config_counts_during_the_first_boot_only(
    machine: Machine, boot: Boot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.mount(ROOT, machine.root)
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/.ignition-keep-size").write_text("AAAA\n")
    machine.looked_at()
    assert machine.planned[-1][1:] == (None, {}, {"aaaa"})
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    config = Config(storage=Storage(disks=(Disk(device=str(link)),)))
    monkeypatch.setattr("ignition.rendering.render.load_for_stage", lambda cache, platform: config)
    Path(machine.arguments.config_cache).touch()
    machine.looked_at()
    assert machine.planned[-1][1:3] == (config, {str(link): "/dev/null"})
