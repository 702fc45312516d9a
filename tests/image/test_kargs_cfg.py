"""The kernel arguments of the machine image: the file that GRUB reads, what GRUB falls back to, and the agent's view of both."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ignition.boot_loader import grub
from ignition.boot_loader.kernel_arguments import Wanted

IMAGE = Path(__file__).parent.parent.parent / "vm-tests/image"


@pytest.fixture(scope="module")
def built() -> dict[str, str]:
    """What the image's builder writes; it is a script beside others, in no package."""
    script = "import disk, json; print(json.dumps({name: getattr(disk, name) for name in ('CMDLINE', 'CONSOLES', 'KARGS_CFG')}))"
    done = subprocess.run([sys.executable, "-c", script], cwd=IMAGE, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def grub_cfg(built: dict[str, str]) -> str:
    """grub.cfg as it is on the image."""
    text = (IMAGE / "files/grub.cfg").read_text()
    return text.replace("@CMDLINE@", built["CMDLINE"]).replace("@CONSOLES@", built["CONSOLES"])


def test_grub_falls_back_to_what_the_file_begins_with(built: dict[str, str], grub_cfg: str) -> None:
    assert grub.initial(grub_cfg) == built["KARGS_CFG"]
    assert "@" not in grub_cfg


def test_every_argument_of_the_image_can_be_removed(built: dict[str, str]) -> None:
    everything = [*built["CONSOLES"].split(), *built["CMDLINE"].split()]
    after = grub.edited(built["KARGS_CFG"], Wanted(should_not_exist=everything))
    assert after == f"{grub.HEADER}set linux_console=''\nset kargs=''\n"


def test_file_is_read_before_the_vendors_and_the_vendors_consoles_win(grub_cfg: str) -> None:
    order = ["set linux_console=", 'source "($root)/coreos/kargs.cfg"', 'source "($oem)/grub.cfg"', "function load_kernel"]
    places = [grub_cfg.index(text) for text in order]
    assert places == sorted(places)
    assert "set linux_console=" not in grub_cfg[places[1] :]
