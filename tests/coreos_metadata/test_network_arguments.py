"""`exp rd-network-kargs`: what is written, when, and when the default is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coreos_metadata import main as program
from coreos_metadata import network_arguments as output
from ignition import platforms
from ignition.errors import NotHere
from ignition.metadata.table import Metadata

COMMAND = ["exp", "rd-network-kargs"]


class Place:
    """A place that is there or not."""

    says = "a place of the test's"

    def __init__(self, *, there: bool) -> None:
        self._there = there

    @contextmanager
    def open(self, fetcher: object) -> Iterator[Callable[[str], bytes | None]]:
        if not self._there:
            raise NotHere("no drive labelled cidata")
        yield lambda path: None


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cmdline").write_text("quiet\n")
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    path = tmp_path / "etc" / "cmdline.d" / "50-afterburn-network-kargs.conf"
    monkeypatch.setattr(output, "PATH", str(path))
    return path


def with_table(monkeypatch: pytest.MonkeyPatch, arguments: str | None, *, there: bool = True) -> None:
    table = Metadata(Place(there=there), prefix="X_", kernel_arguments=lambda _: arguments)
    monkeypatch.setattr(platforms, "metadata", lambda name: (table,))


def test_arguments_of_the_platform_are_written(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_table(monkeypatch, "ip=192.0.2.20::192.0.2.1:255.255.255.0:::off")
    assert program.main([*COMMAND, "--provider", "x", "--default-value", "ip=auto"]) == 0
    assert written.read_text() == "ip=192.0.2.20::192.0.2.1:255.255.255.0:::off\n"
    assert written.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(("arguments", "there"), [(None, True), ("", True), ("ip=1", False)], ids=["none", "empty", "no drive"])
def test_default_is_written(written: Path, monkeypatch: pytest.MonkeyPatch, arguments: str | None, there: bool) -> None:
    with_table(monkeypatch, arguments, there=there)
    assert program.main([*COMMAND, "-provider=x", "-default-value=ip=auto"]) == 0
    assert written.read_text() == "ip=auto\n"


@pytest.mark.parametrize("name", ["aws", "metal", "stackit"])
def test_platform_without_such_arguments_is_not_asked(written: Path, name: str) -> None:
    assert program.main([*COMMAND, "--provider", name, "--default-value", ""]) == 0
    assert written.read_text() == "\n"


def test_network_on_the_kernel_command_line_is_obeyed(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cmdline").write_text('quiet "ip=dhcp" x\n')
    with_table(monkeypatch, "ip=1")
    assert program.main([*COMMAND, "--provider", "x", "--default-value", "ip=auto"]) == 0
    assert not written.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--provider", "aws"], "--default-value is required"),
        (["--default-value", ""], "either --provider or --cmdline is required"),
        (["--cmdline", "--default-value", ""], "the kernel command line does not name a platform"),
    ],
)
def test_wrong_usage_is_status_1(words: list[str], message: str, written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([*COMMAND, *words]) == 1
    assert capsys.readouterr().err.startswith(f"coreos-metadata: {message}")
    assert not written.exists()


def test_usage_names_the_command(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([*COMMAND, "--provider", "aws"]) == 1
    usage = "Usage: coreos-metadata exp rd-network-kargs --provider ID|--cmdline --default-value TEXT\n"
    assert usage in capsys.readouterr().err
    assert program.main([*COMMAND, "--help"]) == 0
    assert usage in capsys.readouterr().out
