"""The resources of a case: a working directory, the image, a key, machines; and the discovery of cases.

A case is a folder with a case.py that has a docstring starting with "verifies:", TIMEOUT_S, EXPECTED_S (for the order
of a run: longest first) and run(case). With WAITS = True its machine is mostly idle, and does not count as a job. With
ALSO_ON = ("trixie",) a run of all cases has it on the image of that suite of Debian as well, as NAME@trixie.
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from harness import disks, filesystems, gpt
from harness.checks import Checks
from harness.disks import MIB, Disk
from harness.errors import HarnessError
from harness.foreseen import Foreseen, foresee
from harness.hardware import Hardware, new_uefi
from harness.image import BOOT_LOADER_EXTRA, EMULATED, SUITE, Image
from harness.machine import DirectBoot, Machine, Nic, Plan
from harness.ssh import Key, make_key

CASES = Path(__file__).resolve().parent.parent / "cases"
SOAK = CASES.parent / "soak"


@dataclass
class Case:
    """The surroundings of one running case."""

    name: str
    folder: Path
    work: Path
    image: Image
    boots: int = field(default=0)

    @cached_property
    def key(self) -> Key:
        """The key pair of this run; its public half goes into configs."""
        return make_key(self.work)

    def say(self, text: str) -> None:
        """A line in the case's log."""
        print(text, flush=True)

    def system_disk(self, name: str, size: int, *, unsafe: bool = True) -> Disk:
        """A fresh copy of the image's disk with a given size."""
        return disks.overlay(self.image.disk, self.work / f"{name}.qcow2", size, unsafe=unsafe)

    def raw(self, disk: Disk, name: str) -> Path:
        """A raw copy of a disk, for inspection."""
        return disks.raw_copy(disk, self.work / f"{name}.raw")

    @contextmanager
    def esp(self, disk: Disk) -> Iterator[tuple[Path, gpt.Partition]]:
        """A raw copy of a disk up to the end of its EFI-SYSTEM, which is at its beginning, for inspection; and that partition."""
        path = self.work / "esp.raw"
        found = gpt.read_table(disks.raw_beginning(disk, path, MIB)).labelled("EFI-SYSTEM")
        yield disks.raw_beginning(disk, path, -(-(found.offset + found.size) // MIB) * MIB), found
        path.unlink()

    def first_boot_files(self, disk: Disk) -> list[str]:
        """The first-boot flag and the in-progress mark, as far as they are on a disk's EFI-SYSTEM."""
        with self.esp(disk) as found:
            names = filesystems.fat_names(*found, "/coreos")
        return [name for name in names if name.startswith("first_boot")]

    def fill(self, template: str | Path, values: Mapping[str, str | int], name: str = "") -> Path:
        """A config from a template of the case: @NAME@ becomes a text, "@NAME@" in quotes a number."""
        text = (self.folder / template).read_text(encoding="utf-8")
        for word, value in values.items():
            text = text.replace(f'"@{word}@"' if isinstance(value, int) else f"@{word}@", str(value))
        path = self.work / (name or Path(template).name)
        path.write_text(text, encoding="utf-8")
        return path

    def uefi(self, name: str = "uefi") -> Path:
        """A UEFI firmware's variables for Hardware(uefi=…); the same for every machine that is given the same name."""
        return new_uefi(self.work / f"{name}.vars.fd")

    def tpm(self, name: str = "tpm") -> Path:
        """A TPM's memory for Hardware(tpm=…); the same for every machine that is given the same name."""
        return self.work / f"{name}.state"

    def machine(self, name: str, drives: Sequence[Disk], *, direct: DirectBoot | None = None, nics: Sequence[Nic] = (Nic(),),
                fw_cfg: Mapping[str, Path] | None = None, hardware: Hardware | None = None,
                key: Key | None = None, saved: Path | None = None, foreseen: Foreseen | None = None) -> Machine:  # fmt: skip
        """A machine to start with "with"; its logs are named after the boot's number and name. key: instead of the case's own.

        foreseen: of foresee(), for a first boot that must go as planned.
        """
        self.boots += 1
        label = f"{self.boots}-{name}"
        self.say(f"boot {label}")
        smbios = [f"{BOOT_LOADER_EXTRA}={EMULATED}"]
        key, hardware = key or self.key, hardware or Hardware()
        plan = Plan(label, self.work, drives, key, direct, nics, fw_cfg or {}, smbios, hardware, saved=saved, foreseen=foreseen)
        return Machine(plan)

    def foresee(self, drives: Sequence[Disk], config: Path, *, here: Mapping[str, str] | None = None,
                hardware: Hardware | None = None, platform: str = "qemu") -> Foreseen:  # fmt: skip
        """The plan for the first boot of a machine with these drives, virtio disks that nobody uses now, and this config.

        here: texts of the config, and those that stand for them on this host: the addresses of servers.
        """
        cmdline = self.image.direct().cmdline
        return foresee(self.work, drives, config, cmdline, hardware or Hardware(), platform, here or {})

    def checks(self, subject: str, machine: Machine | None = None) -> Checks:
        """A list of expectations about a machine."""
        return Checks(f"{self.name}, {subject}", machine.console.path if machine else None)


@dataclass(frozen=True)
class Definition:
    """A case as found on disk."""

    name: str
    folder: Path
    verifies: str
    timeout_s: float
    expected_s: float
    waits: bool
    run: Callable[[Case], None]
    suites: tuple[str, ...] = (SUITE,)  # of the images on which a run of all cases has it
    suite: str = SUITE  # of the image on which it runs

    @property
    def label(self) -> str:
        """Its name, with the suite unless it is the default."""
        return self.name if self.suite == SUITE else f"{self.name}@{self.suite}"

    def on(self, suite: str) -> "Definition":
        """The same case on the image of a suite."""
        return replace(self, suite=suite)


def find_cases(folder: Path = CASES) -> list[Definition]:
    """All cases of a folder, by name."""
    return [_load(path.parent) for path in sorted(folder.glob("*/case.py"))]


def _load(folder: Path) -> Definition:
    """Imports a case. A folder's underscores are hyphens in the case's name."""
    name = folder.name.replace("_", "-")
    spec = importlib.util.spec_from_file_location(f"case_{folder.name}", folder / "case.py")
    if spec is None or spec.loader is None:
        raise HarnessError(f"{folder / 'case.py'} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    text = (module.__doc__ or "").strip()
    if not text.lower().startswith("verifies:"):
        raise HarnessError(f"{folder / 'case.py'}: the docstring must start with 'verifies:'")
    waits = getattr(module, "WAITS", False)
    suites = (SUITE, *getattr(module, "ALSO_ON", ()))
    return Definition(name, folder, text, float(module.TIMEOUT_S), float(module.EXPECTED_S), waits, module.run, suites)
