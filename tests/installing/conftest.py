"""What the tests of coreos-install share: one image, two keys, a server, loop devices."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installing.images import Keys, make_image, make_keys, program, server
from tests.loop_devices import MakeLoop, make_loop, run_command

__all__ = ["MakeLoop", "make_loop", "run_command", "server"]


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A raw image of 24 MiB."""
    return make_image(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def homes() -> Iterator[Path]:
    """A directory with a short path for the homes of gpg; its agents are stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="gpg", dir="/tmp"))
    yield folder
    for home in folder.iterdir():
        program("gpgconf", "--homedir", home, "--kill", "all")
    program("rm", "-rf", folder)  # an agent that ends removes its sockets meanwhile, an error for shutil.rmtree()


@pytest.fixture(scope="session")
def keys(homes: Path) -> Keys:
    """The publisher's keys."""
    return make_keys(homes / "a", "publisher")


@pytest.fixture(scope="session")
def other_keys(homes: Path) -> Keys:
    """Somebody else's, not in ASCII armour."""
    return make_keys(homes / "b", "stranger", armoured=False)
