"""Entries of the Boot Loader Specification as text."""

import pytest

from ignition.boot_loader import bls
from ignition.boot_loader.kernel_arguments import Wanted
from ignition.errors import Failure

HEAD = "title Debian\nversion 6.1\nlinux /vmlinuz\ninitrd /initrd.img\n"
OPTIONS = "options root=LABEL=ROOT rw quiet coreos.first_boot=detected\n"


def edited(text: str, exist: tuple[str, ...] = (), absent: tuple[str, ...] = ()) -> str:
    """The entry after the change, which must be the last one."""
    after = bls.edited(text, Wanted(exist, absent))
    assert bls.edited(after, Wanted(exist, absent)) == after
    return after


@pytest.mark.parametrize(
    ("before", "exist", "absent", "after"),
    [
        pytest.param(OPTIONS, ("a", "b=1"), (), OPTIONS.replace("\n", " a b=1\n"), id="appended"),
        pytest.param(OPTIONS, ("rw", "quiet"), ("absent",), OPTIONS, id="present"),
        pytest.param(OPTIONS, (), ("quiet", "rw"), OPTIONS.replace(" rw quiet", ""), id="removed"),
        pytest.param(OPTIONS, ('a="b  c"',), (), OPTIONS.replace("\n", ' a="b  c"\n'), id="quotes-stay"),
        pytest.param(
            "options rw\noptions quiet\n", ("rw quiet",), (), "options rw\noptions quiet\n", id="present-over-two-lines"
        ),
        pytest.param("options rw\noptions quiet\n", ("a",), (), "options rw\noptions quiet a\n", id="appended-to-the-last"),
        pytest.param("options rw\noptions quiet\n", (), ("rw",), "options quiet\n", id="line-without-words-goes"),
        pytest.param("options rw\noptions quiet\n", ("a",), ("quiet",), "options rw\noptions a\n", id="replaced"),
        pytest.param("options rw\n", (), ("rw",), "", id="no-options-left"),
        pytest.param("", ("a",), (), "options a\n", id="first-options"),
        pytest.param("", (), ("a",), "", id="nothing-to-remove"),
        pytest.param("options\n", ("a",), (), "options a\n", id="options-without-a-value"),
        pytest.param("options   rw  a\t b\n", ("rw",), ("x",), "options   rw  a\t b\n", id="spelling-of-what-stays"),
        pytest.param(" options\t rw\r\n", ("a",), (), " options\t rw a\r\n", id="indentation-and-line-end"),
        pytest.param("options rw", ("a",), (), "options rw a\n", id="no-line-end"),
        pytest.param(
            "# options a\nmyoptions a\noptions rw\n", ("a",), (), "# options a\nmyoptions a\noptions rw a\n", id="other-keys"
        ),
        pytest.param("options $kernelopts x\x0by\x85\n", ("a",), (), "options $kernelopts x y\x85 a\n", id="odd-blanks"),
    ],
)
def test_entry(before: str, exist: tuple[str, ...], absent: tuple[str, ...], after: str) -> None:
    assert edited(HEAD + before, exist, absent) == HEAD + after


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("title Shell\nefi /shell.efi\noptions -nomap\n", id="efi-program"),
        pytest.param("title None\n", id="nothing-to-start"),
        pytest.param("", id="empty"),
        pytest.param("# linux /vmlinuz\noptions a\n", id="comment"),
    ],
)
def test_entry_without_a_linux_kernel_is_left_alone(text: str) -> None:
    assert edited(text, ("a",), ("-nomap",)) == text


def test_entry_without_a_last_line_end_gets_its_options_on_a_line_of_their_own() -> None:
    assert edited("linux /vmlinuz", ("a",)) == "linux /vmlinuz\noptions a\n"


def test_line_that_gets_too_long_is_refused() -> None:
    with pytest.raises(Failure, match="the kernel command line would have 2[0-9]{3} bytes, and the kernel accepts 2047"):
        edited(HEAD + OPTIONS, ("a=" + "x" * 2050,))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # What distributions write: kernel-install, grub2's BLS entries of Fedora, several initrds, comments between.
        pytest.param(
            "options    root=UUID=1 ro $tuned_params\ninitrd     /b\n# options quiet\n",
            "options    root=UUID=1 ro $tuned_params a\ninitrd     /b\n# options quiet\n",
            id="variable-of-grub",
        ),
        pytest.param("options a a quiet a quiet\n", "options a a a\n", id="twice-there"),
        pytest.param("options quiet\noptions rw\noptions quiet\n", "options rw\noptions a\n", id="on-several-lines"),
        pytest.param("options rw\r\nsort-key b\r\n", "options rw a\r\nsort-key b\r\n", id="line-ends-of-windows"),
        pytest.param("\noptions rw quiet\n\n\n", "\noptions rw a\n\n\n", id="empty-lines"),
        pytest.param('options x="quiet rw" quiet\n', 'options x="quiet rw" a\n', id="word-inside-quotes"),
        pytest.param("Options rw\noptions rw\n", "Options rw\noptions rw a\n", id="key-in-another-case"),
    ],
)
def test_entry_as_distributions_and_people_write_it(before: str, after: str) -> None:
    assert edited(HEAD + before, ("a",), ("quiet",)) == HEAD + after


def test_open_quote_is_refused_where_something_is_to_be_changed() -> None:
    text = HEAD + 'options rw y="a\n'
    assert edited(text, ("rw",), ("quiet",)) == text
    for exist, absent in ((("b",), ()), ((), ("rw",))):
        with pytest.raises(Failure) as caught:
            edited(text, exist, absent)
        assert caught.value.what == "a double quote of its options is not closed"
        assert caught.value.fix.startswith("close it: ")
