"""Keys, once for all tests of signatures; and a machine whose image has some of them."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stages.conftest import Boot, boot
from tests.trust.keys import Keys

__all__ = ["boot"]


@pytest.fixture(scope="session")
def keys() -> Iterator[Keys]:
    """All keys, the revoked one revoked."""
    home = Path(tempfile.mkdtemp(prefix="keys-"))  # the path of the agent's socket must be short
    made = Keys(home)
    # Signatures by a key must be made before it is revoked.
    made.revoked_clear = made.clear(CONFIG, "revoked")
    made.revoked_beside = made.beside(CONFIG, "revoked")
    made.revoke(home)
    yield made
    made.stop()
    # The agent that ends removes its sockets meanwhile, which is an error for shutil.rmtree().
    subprocess.run(["rm", "-rf", home], check=True)


CONFIG = b'{"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": "/signed"}]}}\n'


@pytest.fixture
def image(boot: Boot, keys: Keys) -> Boot:
    """A machine that requires signatures, and trusts three keys in two files."""
    (boot.system / "trusted.gpg.d").mkdir(parents=True)
    (boot.system / "trusted.gpg").write_bytes(keys.public("good"))
    (boot.system / "trusted.gpg.d" / "more.gpg").write_bytes(keys.public("other", "expired", "revoked"))
    boot.cmdline("ignition.config.verify=required")
    return boot
