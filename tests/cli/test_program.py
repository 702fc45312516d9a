"""The frame of the programs: help, usage errors, version, commands and exit statuses from one record."""

import re
import sys
from collections.abc import Callable

import pytest

from coreos_metadata import main as coreos_metadata
from ignition import __version__
from ignition.cli import butane, cloudinit, ct, ignition, install, kargs_helper, rmcfg, validate
from ignition.cli.flags import CLAP, GO, PFLAG, Dialect, Flag, UsageError
from ignition.cli.program import Program
from ignition.cli.programs import programs
from ignition.errors import Failure
from tests.programs import TOP

FLAGS = (
    Flag("root", "/", "root directory", value="DIRECTORY"),
    Flag("color", "auto", "colours", value="WHEN", bare="always"),
    Flag("a-name-of-great-length", "", "word " * 20, value="LONG"),
    Flag("a-name-of-very-great-length", "", "word", value="VALUE"),
    Flag("debug", False, "for us", hidden=True),
)


def program(dialect: Dialect = GO, **more: object) -> Program:
    return Program(
        "prog",
        "do it",
        FLAGS,
        manual="prog(1)",
        usage=("FILE", "--all"),
        statuses={},
        dialect=dialect,
        **more,  # type: ignore[arg-type]
    )


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    sub = Program("prog sub", "do less", (), manual="prog(1)", usage=("",), statuses={})
    main = program(commands={"sub": lambda: sub}, more_help=lambda: ["More:", "  x"])(lambda values, words: 0)
    assert main(["-help"]) == 0
    assert capsys.readouterr().out == (
        "Usage: prog FILE\n"
        "       prog --all\n"
        "Options:\n"
        "  -root DIRECTORY                root directory (default /)\n"
        "  -color[=WHEN]                  colours (default auto)\n"
        "  -a-name-of-great-length LONG   word word word word word word word word word\n"
        "                                 word word word word word word word word word\n"
        "                                 word word\n"
        "  -a-name-of-very-great-length VALUE\n"
        "                                 word\n"
        "  -version                       print the version and exit\n"
        "  -h, -help                      print this help and exit\n"
        "Commands:\n"
        "  sub   do less\n"
        "More:\n"
        "  x\n"
        "\n"
        "See prog(1) for details.\n"
    )


def test_help_of_letters() -> None:
    one = Program(
        "p", "", (Flag("pretty", False, "indent", short="p"), *FLAGS[:2]), manual="", usage=("",), statuses={}, dialect=PFLAG
    )
    assert one.help_text().split("\n")[2:4] == [
        "  -p, --pretty           indent",
        "      --root DIRECTORY   root directory (default /)",
    ]


def test_help_where_the_original_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert program(help_to=lambda: sys.stderr)(lambda *_: None)(["-h"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err.partition("\n")[0]) == ("", "Usage: prog FILE")


@pytest.mark.parametrize(
    ("original", "text"),
    [
        ("", f"prog (coreos-ignition {__version__})"),
        ("Program 7.5.3", f"Program 7.5.3 (implemented by coreos-ignition {__version__})"),
    ],
)
def test_version(original: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program(original=original)(lambda *_: 1)(["-version"]) == 0
    assert capsys.readouterr().out == f"{text}\n"


def refuse(values: object, words: list[str]) -> None:
    raise UsageError("too few words\x1b")


OF_IGNITION = ["", "grow", "plan", "facts", "simulate", "render", "schema", "report", "status", "verify", "reset"]


@pytest.mark.parametrize(
    ("main", "words", "name"),
    [
        *((ignition.main, f"{command} -version", r"Ignition 2\.\d+\.\d+") for command in OF_IGNITION),
        (validate.main, "-version", r"Ignition 2\.\d+\.\d+"),
        (butane.main, "--version", r"Butane 0\.\d+\.\d+"),
        (ct.main, "-version", r"ct 0\.\d+\.\d+"),
        (cloudinit.main, "-version", r"coreos-cloudinit 1\.\d+\.\d+"),
        (install.main, "--version", r"coreos-install of Container Linux 2512\.3\.0"),
        (kargs_helper.main, "-version", "ignition-kargs-helper"),
        (rmcfg.main, "-version", r"Ignition 2\.\d+\.\d+"),
        (coreos_metadata.main, "--version", r"Afterburn 5\.\d+\.\d+"),
    ],
)
def test_every_program_names_the_original_and_itself(
    main: Callable[[list[str]], int], words: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 0
    own = re.escape(f"coreos-ignition {__version__}")
    assert re.fullmatch(rf"{name} \((implemented by )?{own}\)\n", capsys.readouterr().out)


@pytest.mark.parametrize("one", [one for one in programs() if one.original], ids=lambda one: one.name)
def test_documents_name_the_version_of_the_original(one: Program) -> None:
    name, section = one.manual.rstrip(")").split("(")
    assert f"is followed: `{one.original}`." in (TOP / f"docs/man/{name}.{section}.md").read_text()
    table = (TOP / "docs/install.md").read_text().partition("### Versions")[2].partition("\n## ")[0]
    (row,) = [row for row in table.splitlines() if row.startswith("|") and f"`{one.name}`" in row]
    assert one.original in row


@pytest.mark.parametrize(("dialect", "hint"), [(GO, "-help"), (CLAP, "--help")])
def test_usage_error(dialect: Dialect, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program(dialect)(refuse)([]) == 2
    assert capsys.readouterr() == (
        "",
        f"prog: too few words\\x1b\n\nUsage: prog FILE\n       prog --all\n\nTry 'prog {hint}' for more information.\n",
    )


def test_usage_error_below_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    one = program(full_usage=True, usage_status=1)
    assert one(refuse)([]) == 1
    assert capsys.readouterr().err == f"{one.help_text()}\nprog: too few words\\x1b\n"


def test_word_that_nobody_wants_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert program(operands=None)(lambda *_: 0)(["x"]) == 2
    assert capsys.readouterr().err.startswith("prog: unexpected argument 'x'\n")
    assert program()(lambda values, words: 0 if words == ["x"] else 1)(["x"]) == 0


@pytest.mark.parametrize(
    ("names_itself", "said"), [(True, "prog: here: broken (fix: mend)\n"), (False, "here: broken (fix: mend)\n")]
)
def test_failure_is_one_line_and_status_1(names_itself: bool, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    def work(values: object, words: object) -> None:
        raise Failure("broken", where="here", fix="mend")

    assert program(names_itself=names_itself)(work)([]) == 1
    assert capsys.readouterr() == ("", said)


def test_command_is_loaded_when_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    loaded: list[str] = []

    def load() -> Program:
        loaded.append("x")
        made = Program("prog exp sub", "do less", FLAGS[:1], manual="", usage=("",), statuses={})
        made(lambda values, words: 7 if (values["root"], words) == ("/r", ["w"]) else 1)
        return made

    main = program(commands={"exp sub": load})(lambda values, words: 3)
    assert (main(["exp"]), loaded) == (3, [])
    assert (main(["exp", "sub", "-root", "/r", "w"]), loaded) == (7, ["x"])
    assert main(["exp", "sub", "-nothing"]) == 2
    assert capsys.readouterr().err.startswith("prog exp sub: unknown flag -nothing\n\nUsage: prog exp sub\n")


def test_documented_flag_of_a_command_may_be_taken_and_not_shown() -> None:
    flag = FLAGS[0].concealed()
    assert (flag.hidden, flag.name, flag.default, flag.value) == (True, "root", "/", "DIRECTORY")
