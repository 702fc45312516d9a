"""Flags in GNU style."""

import pytest

from ignition.cli.flags import UsageError
from ignition.cli.gnu_flags import GnuFlag, help_text, read

TABLE = (
    GnuFlag("strict", False, "fail on any warning", short="s"),
    GnuFlag("pretty", False, "indent", short="p"),
    GnuFlag("output", "", "where to write", value="FILE", short="o"),
    GnuFlag("color", "auto", "colours", value="WHEN", bare="always"),
    GnuFlag("debug", False, "for us", short="D", hidden=True),
)


@pytest.mark.parametrize(
    ("words", "changed", "rest"),
    [
        ("", {}, []),
        ("a -s b --pretty", {"strict": True, "pretty": True}, ["a", "b"]),
        ("-sp", {"strict": True, "pretty": True}, []),
        ("-spo x y", {"strict": True, "pretty": True, "output": "x"}, ["y"]),
        ("-ox", {"output": "x"}, []),
        ("-o=x", {"output": "x"}, []),
        ("-o -s", {"output": "-s"}, []),
        ("--output x", {"output": "x"}, []),
        ("--output=a=b", {"output": "a=b"}, []),
        ("--output= y", {}, ["y"]),
        ("--color never", {"color": "always"}, ["never"]),
        ("--color=never", {"color": "never"}, []),
        ("--strict=false -p=0", {}, []),
        ("- -- -s", {}, ["-", "-s"]),
        ("-D", {"debug": True}, []),
    ],
)
def test_words_are_read(words: str, changed: dict[str, object], rest: list[str]) -> None:
    defaults = {"strict": False, "pretty": False, "output": "", "color": "auto", "debug": False}
    assert read(TABLE, words.split()) == ({**defaults, **changed}, rest)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--nothing", "unknown flag: --nothing"),
        ("--nothing=1", "unknown flag: --nothing"),
        ("-sx", "unknown shorthand flag: 'x' in -sx"),
        ("--output", "flag needs an argument: --output"),
        ("-so", "flag needs an argument: --output"),
        ("--strict=perhaps", "flag -strict: 'perhaps' is neither true nor false"),
        ("--pre", "unknown flag: --pre"),
    ],
)
def test_usage_errors(words: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        read(TABLE, words.split())
    assert str(error.value) == message


def test_help_leaves_hidden_flags_out() -> None:
    assert help_text("Usage: it", TABLE) == (
        "Usage: it\n"
        "Options:\n"
        "  -s, --strict         fail on any warning\n"
        "  -p, --pretty         indent\n"
        "  -o, --output FILE    where to write\n"
        "      --color[=WHEN]   colours (default auto)"
    )
