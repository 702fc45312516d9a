"""Flags as Go's flag package, pflag and clap read them."""

import io

import pytest

from ignition.cli.flags import CLAP, GO_ANYWHERE, PFLAG, Flag, UsageError, duration, duration_s, one_of, read, wants_colour

TABLE = (
    Flag("stage", "", "the stage", value="NAME"),
    Flag("quiet", False, "say less"),
    Flag("count", 1, "how often", value="N", parse=int),
)
REPEATED = (*TABLE, Flag("own", (), "may be given several times", value="X"))


@pytest.mark.parametrize(
    ("words", "values", "rest"),
    [
        pytest.param([], {"stage": "", "quiet": False, "count": 1}, [], id="defaults"),
        pytest.param(["-stage", "disks"], {"stage": "disks", "quiet": False, "count": 1}, [], id="one-dash"),
        pytest.param(["--stage=disks"], {"stage": "disks", "quiet": False, "count": 1}, [], id="two-dashes-equals"),
        pytest.param(["-quiet", "x"], {"stage": "", "quiet": True, "count": 1}, ["x"], id="boolean-takes-no-word"),
        pytest.param(["-quiet=false"], {"stage": "", "quiet": False, "count": 1}, [], id="boolean-equals"),
        pytest.param(["a", "-quiet"], {"stage": "", "quiet": False, "count": 1}, ["a", "-quiet"], id="stops-at-word"),
        pytest.param(["--", "-quiet"], {"stage": "", "quiet": False, "count": 1}, ["-quiet"], id="stops-at-two-dashes"),
        pytest.param(["-stage="], {"stage": "", "quiet": False, "count": 1}, [], id="empty-value"),
        pytest.param(["-count", "3"], {"stage": "", "quiet": False, "count": 3}, [], id="parsed"),
        pytest.param(["-"], {"stage": "", "quiet": False, "count": 1}, ["-"], id="lone-dash-is-a-word"),
    ],
)
def test_flags_are_read(words: list[str], values: dict[str, object], rest: list[str]) -> None:
    assert read(TABLE, words) == (values, rest)


@pytest.mark.parametrize(
    ("words", "own", "rest"),
    [
        pytest.param([], (), [], id="none"),
        pytest.param(["a", "-own", "1", "-", "--own=2"], ("1", "2"), ["a", "-"], id="flags after words"),
        pytest.param(["-own", "1", "--", "-own", "2"], ("1",), ["-own", "2"], id="two dashes end them"),
        pytest.param(["-own", "--", "-own", "2"], ("--", "2"), [], id="two dashes as a value"),
    ],
)
def test_flags_are_read_anywhere(words: list[str], own: tuple[str, ...], rest: list[str]) -> None:
    values, left = read(REPEATED, words, GO_ANYWHERE)
    assert (values["own"], left) == (own, rest)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["-stag", "x"], "unknown flag -stag", id="unknown"),
        pytest.param(["--stag=x"], "unknown flag --stag", id="unknown-equals"),
        pytest.param(["-stage"], "flag -stage requires an argument: NAME", id="no-value"),
        pytest.param(["-quiet=maybe"], "flag -quiet: 'maybe' is not a boolean", id="no-boolean"),
        pytest.param(["-count=x"], "flag -count: invalid literal for int() with base 10: 'x'", id="no-number"),
    ],
)
def test_wrong_flags_are_named(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(TABLE, words)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2m0s", 120),
        ("90s", 90),
        ("7ns", 7e-9),
        ("7us", 7e-6),
        (".5h", 1800),
        ("1h0m0.5s", 3600.5),
        ("2ms3us", 2.003e-3),
        ("1h2m", 3720),
        ("300ms", 0.3),
        ("1.5m", 90),
        ("0", 0),
        ("15µs", 15e-6),
    ],
)
def test_duration_is_in_seconds(text: str, seconds: float) -> None:
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "1x", "1sm", "00", "1d", "-1s", "1 s", "1.2.3s"])
def test_duration_without_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration|float"):
        duration_s(text)


@pytest.mark.parametrize("text", ["1" * 5000 + "s", "1" * 400 + "h", "300000000h"])
def test_duration_that_no_clock_has_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a duration of more than 292 years"):
        duration_s(text)


OF_PFLAG = (
    Flag("strict", False, "fail on any warning", short="s"),
    Flag("pretty", False, "indent", short="p"),
    Flag("output", "", "where to write", value="FILE", short="o"),
    Flag("color", "auto", "colours", value="WHEN", bare="always"),
    Flag("debug", False, "for us", short="D", hidden=True),
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
def test_flags_of_pflag_are_read(words: str, changed: dict[str, object], rest: list[str]) -> None:
    defaults = {"strict": False, "pretty": False, "output": "", "color": "auto", "debug": False}
    assert read(OF_PFLAG, words.split(), PFLAG) == ({**defaults, **changed}, rest)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--nothing", "unknown flag: --nothing"),
        ("--nothing=1", "unknown flag: --nothing"),
        ("-sx", "unknown shorthand flag: 'x' in -sx"),
        ("--output", "flag needs an argument: --output"),
        ("-so", "flag needs an argument: --output"),
        ("--strict=perhaps", "flag --strict: 'perhaps' is not a boolean"),
        ("--pre", "unknown flag: --pre"),
    ],
)
def test_wrong_flags_are_named_in_the_words_of_pflag(words: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        read(OF_PFLAG, words.split(), PFLAG)
    assert str(error.value) == message


OF_CLAP = (*REPEATED, Flag("attributes", "", "where to write", value="FILE", old="output"))


@pytest.mark.parametrize(
    ("words", "changed", "rest"),
    [
        ("a --stage=x b", {"stage": "x"}, ["a", "b"]),
        ("-stage x --quiet", {"stage": "x", "quiet": True}, []),
        ("--stage -", {"stage": "-"}, []),
        ("--stage=-x", {"stage": "-x"}, []),
        ("--output x", {"attributes": "x"}, []),
    ],
)
def test_flags_of_clap_are_read(words: str, changed: dict[str, object], rest: list[str]) -> None:
    values, left = read(OF_CLAP, words.split(), CLAP)
    assert ({name: value for name, value in values.items() if value}, left) == ({"count": 1, **changed}, rest)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--quiet=true", "flag --quiet does not take an argument"),
        ("--stage --quiet", "flag --stage requires an argument: NAME"),
        ("--stage", "flag --stage requires an argument: NAME"),
        ("--count=x", "flag --count: invalid literal for int() with base 10: 'x'"),
        ("--stag=x", "unknown flag --stag"),
    ],
)
def test_flags_that_clap_refuses(words: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(OF_CLAP, words.split(), CLAP)
    assert str(caught.value) == message


def test_letter_is_a_name_where_one_dash_is_enough() -> None:
    table = (Flag("help", False, "print this help", short="h"),)
    assert [read(table, [word])[0]["help"] for word in ("-h", "--h", "-help", "-h=false")] == [True, True, True, False]


def test_value_that_is_not_one_of_the_words() -> None:
    with pytest.raises(ValueError, match="'red' is not one of auto, never"):
        one_of("auto", "never")("red")


@pytest.mark.parametrize(
    ("words", "value"),
    [("1 t T true TRUE True", True), ("0 f F false FALSE False", False)],  # strconv.ParseBool of Go
)
def test_words_of_a_boolean(words: str, *, value: bool) -> None:
    assert [read(TABLE, [f"-quiet={word}"])[0]["quiet"] for word in words.split()] == [value] * 6


@pytest.mark.parametrize("word", ["", "yes", "no", "tRUE", "2"])
def test_other_words_are_not_a_boolean(word: str) -> None:
    with pytest.raises(UsageError, match="is not a boolean"):
        read(TABLE, [f"-quiet={word}"])


def test_longest_duration_is_that_of_go() -> None:
    assert duration_s("9223372036s") == 9223372036
    with pytest.raises(ValueError, match="292 years"):
        duration_s("9223372037s")
    with pytest.raises(ValueError, match="empty duration"):
        duration_s("")
    assert duration("1h") == "1h"


@pytest.mark.parametrize(
    ("when", "terminal", "environment", "colour"),
    [
        ("auto", True, {"TERM": "xterm"}, True),
        ("auto", True, {}, True),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", False, {"TERM": "xterm"}, False),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("yes", False, {}, True),
        ("never", True, {}, False),
        ("no", True, {}, False),
    ],
)
def test_colours(
    when: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, terminal: bool, colour: bool
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = io.StringIO()
    stream.isatty = lambda: terminal  # type: ignore[method-assign]
    assert wants_colour(stream, when) == colour


def test_concealed_flag_is_read_and_not_shown() -> None:
    flag = Flag("count", 1, "how often", value="N", parse=int, short="c", old="number").concealed()
    assert (flag.hidden, flag.name, flag.default, flag.value, flag.short, flag.old) == (True, "count", 1, "N", "", "")
    assert read((flag,), ["-count=3"])[0] == {"count": 3}
