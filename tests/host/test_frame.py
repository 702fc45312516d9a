"""The frame around every program: readers that stop, streams closed or full, people who interrupt, what nobody foresaw."""

import subprocess
import sys
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.host import frame, log
from tests import programs
from tests.programs import MODULES

# What prints, by what its output is: the program's product, or words beside its work.
PRODUCTS = [
    pytest.param("ignition", "schema 3.5.0", id="schema"),
    pytest.param("ignition", "--help", id="ignition"),
    pytest.param("ignition", "--version", id="version"),
    pytest.param("ignition", "render -help", id="render"),
    pytest.param("butane", "--help", id="butane"),
    pytest.param("butane", "--version", id="butane-version"),
    pytest.param("ct", "-version", id="ct"),
]
WORDS = [pytest.param(name, "--help", id=name) for name in ("coreos-metadata", "coreos-cloudinit", "kargs-helper", "rmcfg")]


@pytest.mark.parametrize(("program", "arguments"), PRODUCTS)
def test_reader_that_is_gone_ends_a_program_as_sigpipe_ends_a_filter(program: str, arguments: str) -> None:
    done = programs.run(program, *arguments.split(), shell='{ sleep 0.01; "$@"; } | true')
    assert (done.returncode, done.stdout, done.stderr) == (frame.CLOSED_PIPE, b"", b"")


@pytest.mark.parametrize(("program", "arguments"), [*PRODUCTS, *WORDS])
def test_reader_of_one_byte_is_told_nothing_of_ours(program: str, arguments: str) -> None:
    done = programs.run(program, *arguments.split(), shell='"$@" | head -c1')
    assert done.returncode in (0, frame.CLOSED_PIPE)
    assert (len(done.stdout), done.stderr) == (1, b"")


@pytest.mark.parametrize(("program", "arguments"), WORDS)
def test_words_beside_the_work_may_have_no_reader(program: str, arguments: str) -> None:
    done = programs.run(program, arguments, shell='{ sleep 0.01; "$@"; } | true')
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("form", ["-json", "-sarif", "-help"])
def test_what_was_not_said_to_the_end_is_not_valid(form: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"ignition": {"version": "3.5.0"}}')
    done = programs.run("ignition-validate", form, tmp_path / "a", shell='{ sleep 0.01; "$@"; } | true')
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize(("program", "arguments"), [*PRODUCTS, *WORDS])
def test_full_disk_is_said_with_status_1(program: str, arguments: str) -> None:
    done = programs.run(program, *arguments.split(), shell='"$@" > /dev/full')
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.endswith(b": standard output cannot be written: No space left on device\n")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(("program", "text"), [("butane", b"variant: flatcar\nversion: 1.1.0\n"), ("ct", b"{}")])
def test_config_that_cannot_be_written_is_said_once(program: str, text: bytes) -> None:
    done = programs.run(program, shell='"$@" > /dev/full', stdin=text)
    assert done.returncode == 1
    assert done.stderr.decode() == f"{program}: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize(("program", "arguments"), PRODUCTS)
def test_closed_standard_output_is_an_error_of_who_prints_to_it(program: str, arguments: str) -> None:
    done = programs.run(program, *arguments.split(), shell='"$@" >&-')
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.endswith(b": standard output cannot be written: Bad file descriptor\n")


@pytest.mark.parametrize("program", ["butane", "ct"])
def test_closed_standard_input_is_an_error_of_who_reads_it(program: str) -> None:
    done = programs.run(program, shell='"$@" <&-')
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"Bad file descriptor" in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.parametrize("program", sorted(MODULES))
def test_messages_never_go_where_the_product_goes(program: str) -> None:
    """Python's print writes to standard output where standard error is closed."""
    with_errors = programs.run(program, "--nonsense")
    without = programs.run(program, "--nonsense", shell='"$@" 2>&-')
    assert (without.returncode, without.stdout) == (with_errors.returncode, with_errors.stdout)
    assert with_errors.returncode in (1, 2, 64)


def test_files_never_get_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """Else what is meant for standard error lands in the config that is written."""
    (tmp_path / "a.bu").write_text("variant: flatcar\nversion: 1.1.0\nunknown: 1\n")
    programs.run("butane", tmp_path / "a.bu", "--output", tmp_path / "b", shell='"$@" <&- >&- 2>&-')
    assert (tmp_path / "b").read_text() == '{"ignition":{"version":"3.4.0"}}\n'


def test_person_who_interrupts_gets_130_and_no_trace() -> None:
    code = (
        "from ignition.host.frame import program\n@program('p')\ndef main():\n raise KeyboardInterrupt\nraise SystemExit(main())"
    )
    once = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=programs.TOP, check=False)
    assert (once.returncode, once.stderr) == (frame.INTERRUPTED, b"")


def ended(error: Exception, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    @frame.program("prog")
    def main() -> int:
        raise error

    return main(), capsys.readouterr().err


def test_what_nobody_foresaw_has_a_place_and_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    status, words = ended(ValueError("invalid literal for int(): 'SECRET'"), capsys)
    assert status == 1
    assert words.startswith("prog: prog itself: ValueError (test_frame.py, line ")
    assert words.endswith(") (fix: this is a bug in prog, please report it)\n") and words.count("\n") == 1
    assert "SECRET" not in words


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(OSError(28, "No space left on device", "/run/x"), "prog: /run/x: No space left on device\n", id="file"),
        pytest.param(OSError(28, "No space left on device"), "prog: No space left on device\n", id="no-file"),
        pytest.param(OSError(2, "gone", b"/\xff"), "prog: /\\xff: gone\n", id="bytes"),
        pytest.param(MemoryError(), "prog: out of memory (fix: add memory to the machine)\n", id="memory"),
    ],
)
def test_fault_of_the_machine_is_none_of_ours(error: Exception, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = ended(error, capsys)
    assert (status, said) == (1, words)


def test_text_of_a_library_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """RequestException is an OSError without a number, and names the URL."""
    assert "SECRET" not in ended(OSError("http://u:SECRET@h/"), capsys)[1]


def test_failure_keeps_its_words() -> None:
    @frame.program("prog")
    def main() -> int:
        raise Failure("x")

    assert main.__doc__ is None and main() == 1


def test_log_without_a_reader_does_not_end_the_work() -> None:
    code = (
        "from ignition.host import frame, log\nimport sys\n"
        "@frame.program('p')\n"
        "def main():\n"
        " log.configure(stage='s', to_stdout=True)\n"
        " for _ in range(3): log.info('x')\n"
        " print('done', file=sys.stderr)\n"
        " return 0\n"
        "sys.exit(main())\n"
    )
    for shell in ('{ sleep 0.01; "$@"; } | true', '"$@" > /dev/full', '"$@" >&-'):
        whole = ["bash", "-c", f"set -o pipefail; {shell}", "sh", sys.executable, "-c", code]
        done = subprocess.run(whole, capture_output=True, cwd=programs.TOP, check=False)
        assert (done.returncode, done.stderr) == (0, b"done\n")


def test_every_main_has_the_frame() -> None:
    from importlib import import_module

    from ignition.cli.program import Program

    assert [module for module in MODULES.values() if not isinstance(import_module(module).PROGRAM, Program)] == []
    listed = (programs.TOP / "dracut/install-launchers").read_text()
    assert {module for module in MODULES.values() if f" {module}\n" in listed} == set(MODULES.values())
    assert log.IDENTIFIER == "ignition"
