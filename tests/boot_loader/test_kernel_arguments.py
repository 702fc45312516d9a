"""What follows from shouldExist and shouldNotExist for a kernel command line."""

import pytest

from ignition.boot_loader import kernel_arguments
from ignition.boot_loader.kernel_arguments import Wanted
from ignition.errors import Failure

LINE = "root=LABEL=ROOT rw console=tty0 console=ttyS0,115200 quiet"


def outcome(line: str, exist: tuple[str, ...] = (), absent: tuple[str, ...] = ()) -> str:
    """The line after the change."""
    words = kernel_arguments.split(line)
    change = kernel_arguments.change(words, Wanted(exist, absent))
    kept = [word for index, word in enumerate(words) if index not in change.removed]
    return kernel_arguments.shown([*kept, *change.added])


@pytest.mark.parametrize(
    ("exist", "absent", "expected"),
    [
        pytest.param(("foo=bar",), (), f"{LINE} foo=bar", id="missing-is-appended"),
        pytest.param(("a", "b=1"), (), f"{LINE} a b=1", id="in-order"),
        pytest.param(("quiet", "rw"), (), LINE, id="present-is-not-added-again"),
        pytest.param(("console=tty0",), (), LINE, id="present-with-value"),
        pytest.param(("root=LABEL=OTHER",), (), f"{LINE} root=LABEL=OTHER", id="other-value-is-another-argument"),
        pytest.param(("quie",), (), f"{LINE} quie", id="part-of-a-word-is-not-it"),
        pytest.param(("console",), (), f"{LINE} console", id="name-alone-is-not-name-with-value"),
        pytest.param(("quiet=",), (), f"{LINE} quiet=", id="empty-value-is-not-no-value"),
        pytest.param(("a", "a"), (), f"{LINE} a", id="twice-wanted-once-added"),
        pytest.param(("", "  "), (), LINE, id="blank-elements"),
        pytest.param((), ("quiet",), LINE.removesuffix(" quiet"), id="present-is-removed"),
        pytest.param((), ("absent", "console"), LINE, id="absent-is-tolerated"),
        pytest.param((), ("console=tty0", "rw"), "root=LABEL=ROOT console=ttyS0,115200 quiet", id="several-removed"),
        pytest.param(("foo",), ("quiet",), f"{LINE.removesuffix(' quiet')} foo", id="both"),
        # Several words: these, in this order, one behind the other.
        pytest.param(("rw console=tty0",), (), LINE, id="sequence-present"),
        pytest.param(("console=tty0 rw",), (), f"{LINE} console=tty0 rw", id="sequence-in-other-order"),
        pytest.param(("rw quiet",), (), f"{LINE} rw quiet", id="sequence-with-a-gap"),
        pytest.param((), ("rw console=tty0",), "root=LABEL=ROOT console=ttyS0,115200 quiet", id="sequence-removed"),
        pytest.param((), ("console=tty0 rw",), LINE, id="sequence-in-other-order-stays"),
        pytest.param(("rw\n quiet",), (), f"{LINE} rw quiet", id="words-on-two-lines"),
        # Quotes as the kernel reads them.
        pytest.param(('dyndbg="file a.c +p"',), (), f'{LINE} dyndbg="file a.c +p"', id="blanks-in-quotes"),
        pytest.param(('root="LABEL=ROOT"', '"rw"'), (), LINE, id="quotes-have-no-meaning"),
        pytest.param((), ('"console=tty0"', '"quiet"'), "root=LABEL=ROOT rw console=ttyS0,115200", id="quoted-is-removed"),
    ],
)
def test_line(exist: tuple[str, ...], absent: tuple[str, ...], expected: str) -> None:
    assert outcome(LINE, exist, absent) == expected
    # Nothing is left to do: else the machine would reboot again.
    words = kernel_arguments.split(expected)
    assert not kernel_arguments.change(words, Wanted(exist, absent))
    assert kernel_arguments.differences(words, Wanted(exist, absent)) == []


@pytest.mark.parametrize(
    ("line", "exist", "absent", "expected"),
    [
        pytest.param("a a b a", (), ("a",), "b", id="every-occurrence"),
        # What the removal brings together counts, too.
        pytest.param("a a b b c", (), ("a b",), "c", id="sequence-that-closes-up"),
        pytest.param('"a=b c" a=b', (), ('a="b c"',), "a=b", id="spelled-otherwise"),
        pytest.param('a="b c" x', ('"a=b c"',), ("x",), 'a="b c"', id="present-spelled-otherwise-stays-as-it-is"),
        pytest.param("", ("a",), (), "a", id="empty-line"),
        pytest.param("a", (), ("a",), "", id="line-that-becomes-empty"),
    ],
)
def test_odd_line(line: str, exist: tuple[str, ...], absent: tuple[str, ...], expected: str) -> None:
    assert outcome(line, exist, absent) == expected


@pytest.mark.parametrize(
    ("exist", "absent", "what"),
    [
        pytest.param(("a b",), ("b",), "'a b' is in shouldExist and removed by shouldNotExist", id="part"),
        pytest.param(("a",), ('"a"',), "'a' is in shouldExist and removed by shouldNotExist", id="spelled-otherwise"),
        pytest.param(("rw",), ("rw console=tty0",), "'rw' is in shouldExist and removed by shouldNotExist", id="whole"),
    ],
)
def test_wishes_that_contradict_each_other_are_refused(exist: tuple[str, ...], absent: tuple[str, ...], what: str) -> None:
    with pytest.raises(Failure) as caught:
        outcome(LINE, exist, absent)
    assert (caught.value.what, caught.value.fix) == (what, "remove one of the two from the config")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param('a="b', "'a=\"b' has a double quote that is not closed", id="open-quote"),
        pytest.param('"a b\nroot=x"', "'\"a b\\nroot=x\"' has a control character", id="line-end-in-quotes"),
        pytest.param("a\x1b[2J", "'a\\x1b[2J' has a control character", id="escape"),
        pytest.param("a\x7f", "'a\\x7f' has a control character", id="delete"),
    ],
)
@pytest.mark.parametrize("field", ["should_exist", "should_not_exist"])
def test_text_that_is_no_argument_is_refused(text: str, what: str, field: str) -> None:
    with pytest.raises(Failure) as caught:
        Wanted(**{field: [text]})
    assert caught.value.what == what and caught.value.fix


def test_what_says_first_boot_is_the_boot_loaders_own() -> None:
    exist = ("coreos.first_boot=1", "a", "ignition.firstboot", "b flatcar.first_boot=detected")
    wanted, refused = Wanted(exist, ("coreos.first_boot=detected", "coreos.first_boots")).without_magic()
    assert refused == ["coreos.first_boot=1", "ignition.firstboot", "b flatcar.first_boot=detected", "coreos.first_boot=detected"]
    assert [kernel_arguments.shown(words) for words in wanted.should_exist] == ["a"]
    assert [kernel_arguments.shown(words) for words in wanted.should_not_exist] == ["coreos.first_boots"]


@pytest.mark.parametrize(("length", "fits"), [(2047, True), (2048, False)])
def test_line_that_the_kernel_would_cut_off_is_refused(length: int, fits: bool) -> None:
    words = kernel_arguments.split(f"rw {'ä' * ((length - 3) // 2)}{'x' * ((length - 3) % 2)}")
    if fits:
        kernel_arguments.check_length(words)
        return
    with pytest.raises(Failure) as caught:
        kernel_arguments.check_length(words)
    assert caught.value.what == "the kernel command line would have 2048 bytes, and the kernel accepts 2047"


def test_differences_are_said_for_people() -> None:
    words = kernel_arguments.split(LINE)
    assert kernel_arguments.differences(words, Wanted(("a b", "rw"), ("quiet", "x"))) == ["without 'a b'", "with 'quiet'"]
