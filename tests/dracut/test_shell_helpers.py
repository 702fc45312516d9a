"""Shell scripts cannot resolve a path inside a root: those of ours name no path of the image, and say so."""

from pathlib import Path

import pytest

DRACUT = Path(__file__).parent.parent.parent / "dracut"
SCRIPTS = sorted(
    path for path in DRACUT.rglob("*") if path.is_file() and path.read_bytes().startswith((b"#!/bin/sh", b"#!/bin/bash"))
)
# These install: on the machine that builds an image, as its own root.
AT_BUILD_TIME = {"install", "install-launchers", "module-setup.sh"}
ON_MACHINES = [path for path in SCRIPTS if path.name not in AT_BUILD_TIME]


def code(path: Path) -> list[str]:
    """The lines without comments."""
    return [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]


def test_there_are_scripts() -> None:
    assert {"esp", "emergency", "root-can-grow", "ignition-generator"} <= {path.name for path in ON_MACHINES}


@pytest.mark.parametrize("path", ON_MACHINES, ids=lambda path: path.name)
def test_no_path_below_the_new_root_is_named(path: Path) -> None:
    # mountinfo is searched for the word; nothing is opened there. The unit's name is no path.
    assert [line.strip() for line in code(path) if "sysroot" in line.replace("sysroot.mount", "")] == (
        ["device_of /sysroot"] if path.name == "root-can-grow" else []
    )


@pytest.mark.parametrize("path", ON_MACHINES, ids=lambda path: path.name)
def test_script_says_which_paths_it_touches(path: Path) -> None:
    comments = " ".join(line.lstrip("# ") for line in path.read_text().splitlines() if line.startswith("#"))
    reasons = (
        "without paths of the image",
        "not use paths of the image",
        "names on it cannot lead elsewhere",
        "only root can write",
        "only writable by root",
    )
    assert any(reason in comments for reason in reasons)
