"""What a command line says wrongly is shown without what may be a secret, and never raw."""

from collections.abc import Callable

import pytest

from coreos_metadata.main import main as coreos_metadata
from ignition.cli.cloudinit import main as coreos_cloudinit
from ignition.cli.ignition import main as ignition
from ignition.cli.validate import main as validate


@pytest.mark.parametrize("program", [coreos_metadata, coreos_cloudinit, ignition, validate])
@pytest.mark.parametrize("word", ["http://u:SECRET@h/x?t=SECRET\x1b[2J", "--http:u:SECRET@h\x1b[2J=1", "-u:SECRET@h/x\x1b[2J"])
def test_secret_of_a_word_that_is_wrong_is_not_shown(
    program: Callable[[list[str]], int], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program([word]) != 0
    shown = "".join(capsys.readouterr())
    assert "SECRET" not in shown
    assert "\x1b" not in shown
