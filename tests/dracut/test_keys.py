"""The keys of signed configs in an initramfs: `install_keys` of the dracut module, with a stand-in for dracut's own functions."""

import subprocess
from pathlib import Path

import pytest

MODULE = Path(__file__).parent.parent.parent / "dracut/35coreos-ignition/module-setup.sh"
SCRIPT = """
. "$1"
must() { "$@" || { echo "failed: $*"; exit 1; }; }
must_have() { printf '%s\\n' "$@"; }
install_keys
"""


def installed(image: Path) -> tuple[int, list[str]]:
    """(status, the files that get into the initramfs)."""
    environment = {"PATH": "/usr/bin:/bin", "dracutsysrootdir": str(image)}
    argv = ["bash", "-euc", SCRIPT, "bash", str(MODULE)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the image's keys are: none yet."""
    made = tmp_path / "usr/lib/ignition/trusted.gpg.d"
    made.mkdir(parents=True)
    return made.parent


def test_image_without_keys_saves_the_program(tmp_path: Path, directory: Path) -> None:
    (directory / "trusted.gpg.d/README").touch()
    assert installed(tmp_path) == (0, [])


def test_keys_and_the_program_that_reads_them(tmp_path: Path, directory: Path) -> None:
    for name in ("trusted.gpg", "trusted.gpg.d/b.gpg", "trusted.gpg.d/a.gpg", "trusted.gpg.d/not-a-key"):
        (directory / name).touch()
    names = ["trusted.gpg", "trusted.gpg.d/a.gpg", "trusted.gpg.d/b.gpg"]
    assert installed(tmp_path) == (0, ["gpgv", *(f"/usr/lib/ignition/{name}" for name in names)])


def test_demand_of_the_image_is_copied(tmp_path: Path, directory: Path) -> None:
    (directory / "trusted.gpg").touch()
    (directory / "config-verify").write_text("required\n")
    assert installed(tmp_path) == (0, ["/usr/lib/ignition/config-verify", "gpgv", "/usr/lib/ignition/trusted.gpg"])


def test_demand_without_a_key_is_refused(tmp_path: Path, directory: Path) -> None:
    (directory / "config-verify").write_text("required\n")
    status, lines = installed(tmp_path)
    assert status == 1
    wanted = "/usr/lib/ignition/config-verify demands signed configs, but there is no /usr/lib/ignition/trusted.gpg"
    assert lines == [f"failed: false {wanted}"]
