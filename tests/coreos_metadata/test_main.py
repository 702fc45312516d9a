"""The command line of coreos-metadata: flags of all its ages, exit statuses, order and care of the writes."""

from pathlib import Path

import pytest

from coreos_metadata import main as program
from coreos_metadata import multi, usage
from coreos_metadata.transport import SETTINGS
from ignition import __version__
from ignition.cli.flags import read
from ignition.errors import Failure
from tests.fetch.server import Reply
from tests.platforms import samples
from tests.platforms.samples.aws import DATA
from tests.platforms.test_samples import service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values

AWS = samples.load("aws")
FLAGS = (
    *("provider", "cmdline", "attributes", "ssh-keys", "hostname", "network-units", "netplan-config"),
    *("networkmanager-profiles", "check-in", "version", "help"),
)
ATTRIBUTES = AWS.attributes or {}


@pytest.fixture
def no_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cmdline").write_text("quiet\n")
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))


@pytest.mark.parametrize(
    ("words", "command", "meant"),
    [
        ("--provider=aws --ssh-keys core", "", {"provider": "aws", "ssh-keys": "core"}),
        ("-provider=aws -ssh-keys core", "", {"provider": "aws", "ssh-keys": "core"}),
        ("multi --cmdline", "", {"cmdline": True}),
        ("--cmdline --output /x", "", {"cmdline": True, "attributes": "/x"}),
        ("-h", "", {"help": True}),
        ("--hostname -", "", {"hostname": "-"}),
        ("exp rd-network-kargs -default-value=-x", " exp rd-network-kargs", {"default-value": "-x"}),
    ],
)
def test_words_of_older_versions_are_understood(words: str, command: str, meant: dict[str, object]) -> None:
    chosen, rest = program.PROGRAM.chosen(words.split())
    values, left = read(chosen.flags, rest, chosen.dialect)
    assert (chosen.name, left) == (f"coreos-metadata{command}", [])
    assert {name: value for name, value in values.items() if value} == meant


@pytest.mark.parametrize("words", [["--version"], ["-version"], ["multi", "--version"]])
def test_version_is_printed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(words) == 0
    assert capsys.readouterr().out == f"Afterburn 5.10.0 (implemented by coreos-ignition {__version__})\n"


@pytest.mark.parametrize("words", [["--help"], ["-help"], ["-h"], ["multi", "--help"]])
def test_help_names_every_flag(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(words) == 0
    shown = capsys.readouterr().out
    assert all(f"--{flag}" in shown for flag in FLAGS)
    assert "aws" in shown
    for command in ("multi", "exp rd-network-kargs", "render-ignition"):
        assert f"\n  {command} " in shown


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (["exp", "rd-network-kargs", "--help"], "--default-value"),
        (["exp", "--help"], "--default-value"),
        (["exp", "-h"], "--default-value"),
        (["render-ignition", "--help"], "--render-ignition-dir"),
        (["render-ignition", "-help"], "--disable-user-fragment"),
    ],
)
def test_each_command_has_help(words: list[str], flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(words) == 0
    assert flag in capsys.readouterr().out


@pytest.mark.root
@pytest.mark.parametrize("is_terminal", [True, False])
def test_who_waits_at_a_terminal_sees_why(
    is_terminal: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal)
    path = f"{DATA}/instance-id"
    with service(AWS, {path: [Reply(503), AWS.answers[path]]}), monkeypatch.context() as patched:
        patched.setattr("coreos_metadata.multi.SETTINGS", SETTINGS.evolve(first_pause_s=0.01))
        assert program.main(["--provider=aws", f"--attributes={tmp_path / 'a'}"]) == 0
    said = capsys.readouterr().err
    assert ("attempt 1: HTTP status 503 Service Unavailable" in said and "; next in 0.0 s" in said) is is_terminal
    assert (said == "") is not is_terminal


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "either --provider or --cmdline is required"),
        (["exp"], "expected a command: rd-network-kargs"),
        (["exp", "other"], "unexpected argument 'other'"),
        (["--attributes", "/x"], "either --provider or --cmdline is required"),
        (["--cmdline", "--provider=aws"], "--provider and --cmdline are mutually exclusive"),
        (["--provider"], "flag --provider requires an argument: ID"),
        (["--provider=aws", "--nonsense"], "unknown flag --nonsense"),
        (["--provider=aws", "--attr=/x"], "unknown flag --attr"),
        (["--provider=aws", "single"], "unexpected argument 'single'"),
        (["--provider=nowhere"], "platform 'nowhere' does not provide metadata (fix: use one of: "),
        (["--cmdline"], "the kernel command line does not name a platform"),
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
    assert usage.provider_of(text) == name


def test_command_line_without_platform_is_refused() -> None:
    with pytest.raises(Failure, match="^the kernel command line does not name a platform"):
        usage.provider_of("quiet")


def options(**given: str) -> "Values":
    return {"provider": "aws", "cmdline": False} | {flag.name: flag.default for flag in multi.FLAGS} | given


@pytest.mark.root
def test_attributes_and_hostname_are_written(tmp_path: Path) -> None:
    with service(AWS):
        multi.run(options(attributes=str(tmp_path / "a"), hostname=str(tmp_path / "h")))
    assert (tmp_path / "a").read_text() == "".join(f"{name}={value}\n" for name, value in sorted(ATTRIBUTES.items()))
    assert (tmp_path / "h").read_text() == "ip-172-31-5-20.eu-west-1.compute.internal\n"


@pytest.mark.root
def test_failed_fetch_leaves_the_files_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("A=old\n")
    with service(AWS, {f"{DATA}/instance-id": Reply(403)}), pytest.raises(Failure, match="HTTP status 403"):
        multi.run(options(attributes=str(tmp_path / "a"), hostname=str(tmp_path / "h")))
    assert (tmp_path / "a").read_text() == "A=old\n"
    assert not (tmp_path / "h").exists()


@pytest.mark.root
def test_missing_hostname_leaves_the_file_alone(tmp_path: Path) -> None:
    (tmp_path / "h").write_text("old\n")
    with service(AWS, {f"{DATA}/hostname": Reply(404)}):
        multi.run(options(hostname=str(tmp_path / "h")))
    assert (tmp_path / "h").read_text() == "old\n"


@pytest.mark.root
def test_nothing_to_do_still_opens_the_provider(capsys: pytest.CaptureFixture[str]) -> None:
    with service(AWS) as server:
        multi.run(options())
        assert server.paths() == ["/latest/api/token"]
    assert "no output is requested" in capsys.readouterr().out


@pytest.mark.root
def test_program_takes_the_words_of_2017(tmp_path: Path) -> None:
    with service(AWS):
        assert program.main(["-provider", "ec2", "-attributes", str(tmp_path / "coreos")]) == 0
    assert (tmp_path / "coreos").read_text() == "".join(f"{name}={value}\n" for name, value in sorted(ATTRIBUTES.items()))
