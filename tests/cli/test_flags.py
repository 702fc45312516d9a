"""Flags as Go programs read them."""

import pytest

from ignition.cli.flags import Flag, UsageError, duration_s, help_text, read, read_anywhere

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
    values, left = read_anywhere(REPEATED, words)
    assert (values["own"], left) == (own, rest)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["-stag", "x"], "unknown flag -stag", id="unknown"),
        pytest.param(["--stag=x"], "unknown flag --stag", id="unknown-equals"),
        pytest.param(["-stage"], "flag -stage needs a value: NAME", id="no-value"),
        pytest.param(["-quiet=maybe"], "flag -quiet: 'maybe' is neither true nor false", id="no-boolean"),
        pytest.param(["-count=x"], "flag -count: invalid literal for int() with base 10: 'x'", id="no-number"),
    ],
)
def test_wrong_flags_are_named(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(TABLE, words)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2m0s", 120), ("90s", 90), ("1h2m", 3720), ("300ms", 0.3), ("1.5m", 90), ("0", 0), ("15µs", 15e-6)],
)
def test_duration_is_in_seconds(text: str, seconds: float) -> None:
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "1x", "-1s", "1 s", "1.2.3s"])
def test_duration_without_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration|float"):
        duration_s(text)


def test_help_names_every_flag_and_default() -> None:
    text = help_text("usage: x", TABLE)
    assert text.splitlines()[0] == "usage: x"
    assert [line for line in text.splitlines() if line.startswith("  -")] == ["  -stage NAME", "  -quiet", "  -count N"]
    assert "how often (default 1)" in text


@pytest.mark.parametrize("text", ["1" * 5000 + "s", "1" * 400 + "h", "300000000h"])
def test_duration_that_no_clock_has_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a duration of more than 292 years"):
        duration_s(text)
