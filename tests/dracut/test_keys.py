"""The keys of signed configs in an initramfs: `install_keys` of the dracut module, with a stand-in for dracut and with dracut."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trust.keys import Keys

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
    for name in ("trusted.gpg", "trusted.gpg.d/b.gpg", "trusted.gpg.d/a.gpg", "trusted.gpg.d/a.asc", "trusted.gpg.d/not-a-key"):
        (directory / name).touch()
    names = ["trusted.gpg", "trusted.gpg.d/a.asc", "trusted.gpg.d/a.gpg", "trusted.gpg.d/b.gpg"]
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


# $1: the module, $2: the new initramfs, $3: the files of the image's /usr/lib/ignition, $4: a directory for its file systems.
WITH_DRACUT = """
mount -t tmpfs tmpfs "$4"
mkdir "$4/upper" "$4/work"
mount -t overlay overlay -o "lowerdir=/usr/lib,upperdir=$4/upper,workdir=$4/work" /usr/lib
rm -rf /usr/lib/ignition
mkdir /usr/lib/ignition
cp -r "$3/." /usr/lib/ignition
set +eu # as dracut runs modules
export dracutbasedir=/usr/lib/dracut initdir=$2 DRACUT_RESOLVE_DEPS=1
. $dracutbasedir/dracut-init.sh
. "$1"
install_keys
"""


@pytest.fixture
def keys() -> Iterator[Keys]:
    home = Path(tempfile.mkdtemp(prefix="keys-"))  # the path of the agent's socket must be short
    made = Keys(home)
    yield made
    made.stop()
    # The agent that ends removes its sockets meanwhile, which is an error for shutil.rmtree().
    subprocess.run(["rm", "-rf", home], check=True)


@pytest.mark.root
def test_gpgv_of_the_initramfs_reads_the_keys(keys: Keys, tmp_path: Path) -> None:
    """dracut-install copies gpgv with its libraries, and the keys: nothing else is needed to check a signature."""
    image, initramfs, layers = (tmp_path / name for name in ("image", "initramfs", "layers"))
    for one in (image, initramfs, layers):
        one.mkdir()
    (image / "trusted.gpg.d").mkdir()
    (image / "trusted.gpg.d/a.gpg").write_bytes(keys.public("good"))
    (image / "config-verify").write_text("required\n")
    script = ["bash", "-euc", WITH_DRACUT, "bash", str(MODULE), str(initramfs), str(image), str(layers)]
    done = subprocess.run(["unshare", "--mount", *script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (initramfs / "usr/lib/ignition/config-verify").read_text() == "required\n"
    ring = "/usr/lib/ignition/trusted.gpg.d/a.gpg"
    gpgv = ["chroot", str(initramfs), "/usr/bin/gpgv", "--quiet", "--keyring", ring, "--output", "-", "-"]
    for signer, status in (("good", 0), ("stranger", 2)):
        checked = subprocess.run(gpgv, input=keys.clear(b"config\n", signer), capture_output=True, check=False)
        assert checked.returncode == status, checked.stderr.decode()
