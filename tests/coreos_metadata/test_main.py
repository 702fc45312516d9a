"""The command line of coreos-metadata: flags of all its ages, exit statuses, order and care of the writes."""

from argparse import Namespace
from pathlib import Path

import pytest

from coreos_metadata import main as program
from coreos_metadata import platforms
from ignition import __version__
from ignition.errors import Failure
from tests.coreos_metadata.test_aws import ANSWERS, ATTRIBUTES, DATA
from tests.fetch.server import Reply, serving


@pytest.fixture
def no_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cmdline").write_text("quiet\n")
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["--provider=aws", "--ssh-keys", "core"], ["--provider=aws", "--ssh-keys", "core"]),
        (["-provider=aws", "-ssh-keys", "core"], ["--provider=aws", "--ssh-keys", "core"]),
        (["multi", "--cmdline"], ["--cmdline"]),
        (["-h"], ["-h"]),
        (["--cmdline", "multi"], ["--cmdline", "multi"]),
        (["--hostname", "-"], ["--hostname", "-"]),
    ],
)
def test_words_of_older_versions_are_understood(words: list[str], meant: list[str]) -> None:
    assert program.modern(words) == meant


@pytest.mark.parametrize("words", [["--version"], ["-version"], ["multi", "--version"]])
def test_version_is_printed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(words) == 0
    assert capsys.readouterr().out == f"coreos-metadata {__version__}\n"


@pytest.mark.parametrize("words", [["--help"], ["-help"], ["-h"], ["multi", "--help"]])
def test_help_names_every_flag(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(words) == 0
    shown = capsys.readouterr().out
    assert all(f"--{flag}" in shown for flag in ("provider", "cmdline", "attributes", "ssh-keys", "hostname", "version", "help"))
    assert "aws, ec2" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "one of --provider and --cmdline is required"),
        (["--attributes", "/x"], "one of --provider and --cmdline is required"),
        (["--cmdline", "--provider=aws"], "--provider and --cmdline exclude each other"),
        (["--provider"], "argument --provider: expected one argument"),
        (["--provider=aws", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["--provider=aws", "--attr=/x"], "unrecognized arguments: --attr=/x"),
        (["--provider=aws", "single"], "unrecognized arguments: single"),
        (["--provider=nowhere"], "unknown provider 'nowhere' (fix: use one of: aws, ec2)"),
        (["--cmdline"], "the kernel command line names no platform"),
    ],
)
@pytest.mark.usefixtures("no_platform")
def test_wrong_usage_is_status_1(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(words) == 1
    assert capsys.readouterr().err.startswith(f"coreos-metadata: {message}")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ignition.platform.id=aws", "aws"),
        ("ignition.platform.id= ignition.platform.id=aws ignition.platform.id=gcp", "aws"),
        ("coreos.oem.id=ec2", "ec2"),
        ("coreos.oem.id=gce coreos.oem.id=ec2\n", "ec2"),
        ("coreos.oem.id=gce flatcar.oem.id=ec2", "ec2"),
        ("coreos.oem.id=gce flatcar.oem.id=ec2 ignition.platform.id=aws", "aws"),
    ],
)
def test_platform_is_found_on_the_kernel_command_line(text: str, name: str) -> None:
    assert program.provider_of(text) == name


def test_command_line_without_platform_is_refused() -> None:
    with pytest.raises(Failure, match="^the kernel command line names no platform"):
        program.provider_of("quiet")


@pytest.mark.parametrize("name", ["", "qemu", "metal", "provider", "../aws", "__init__"])
def test_unknown_provider_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(Failure) as caught:
        platforms.load(name)
    assert str(caught.value) == f"unknown provider {name!r} (fix: use one of: aws, ec2)"


def options(**given: str) -> Namespace:
    return Namespace(**{"provider": "aws", "cmdline": False, "attributes": "", "ssh_keys": "", "hostname": ""} | given)


def test_attributes_and_hostname_are_written(tmp_path: Path) -> None:
    with serving(ANSWERS) as server:
        program.run(options(attributes=str(tmp_path / "a"), hostname=str(tmp_path / "h")), base=server.url)
    assert (tmp_path / "a").read_text() == "".join(f"{name}={value}\n" for name, value in sorted(ATTRIBUTES.items()))
    assert (tmp_path / "h").read_text() == "ip-172-31-5-20.eu-west-1.compute.internal\n"


def test_failed_fetch_leaves_the_files_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("A=old\n")
    with serving(ANSWERS | {f"{DATA}/instance-id": Reply(403)}) as server, pytest.raises(Failure, match="HTTP status 403"):
        program.run(options(attributes=str(tmp_path / "a"), hostname=str(tmp_path / "h")), base=server.url)
    assert (tmp_path / "a").read_text() == "A=old\n"
    assert not (tmp_path / "h").exists()


def test_missing_hostname_leaves_the_file_alone(tmp_path: Path) -> None:
    (tmp_path / "h").write_text("old\n")
    with serving(ANSWERS | {f"{DATA}/hostname": Reply(404)}) as server:
        program.run(options(hostname=str(tmp_path / "h")), base=server.url)
    assert (tmp_path / "h").read_text() == "old\n"


def test_nothing_to_do_still_opens_the_provider(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(ANSWERS) as server:
        program.run(options(), base=server.url)
        assert server.paths() == ["/latest/api/token"]
    assert "nothing is asked for" in capsys.readouterr().out
