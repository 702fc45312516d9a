"""GRUB's coreos/kargs.cfg as text: what is changed, what stays, how arguments are spelled for GRUB."""

import pytest

from ignition.boot_loader import grub
from ignition.boot_loader.kernel_arguments import Wanted
from ignition.errors import Failure

HEADER = "# Mine.\n\n"
CONSOLES = "set linux_console='console=tty0 console=ttyS0,115200'\n"
KARGS = "set kargs='root=LABEL=ROOT rw'\n"
FILE = HEADER + CONSOLES + KARGS


def edited(text: str, exist: tuple[str, ...] = (), absent: tuple[str, ...] = ()) -> str:
    """The file after the change, which must be the last one."""
    after = grub.edited(text, Wanted(exist, absent))
    assert grub.edited(after, Wanted(exist, absent)) == after
    return after


@pytest.mark.parametrize(
    ("exist", "absent", "expected"),
    [
        pytest.param(("foo=bar", "quiet-test=1"), (), FILE.replace(" rw'", " rw foo=bar quiet-test=1'"), id="appended"),
        pytest.param(("rw", "console=tty0", "console=ttyS0,115200 root=LABEL=ROOT"), (), FILE, id="present"),
        pytest.param((), ("rw",), FILE.replace(" rw", ""), id="removed"),
        pytest.param((), ("console=tty0",), FILE.replace("console=tty0 ", ""), id="console-removed"),
        pytest.param(("quiet",), ("root=LABEL=ROOT rw",), FILE.replace("root=LABEL=ROOT rw", "quiet"), id="replaced"),
        pytest.param(
            (),
            ("console=tty0", "console=ttyS0,115200"),
            FILE.replace("console=tty0 console=ttyS0,115200", ""),
            id="all-consoles-removed",
        ),
        pytest.param((), ("ttyS0", "absent"), FILE, id="absent"),
    ],
)
def test_only_the_words_that_are_asked_about_change(exist: tuple[str, ...], absent: tuple[str, ...], expected: str) -> None:
    assert edited(FILE, exist, absent) == expected


def test_grub_that_does_not_read_quotes_takes_plain_words_only() -> None:
    assert grub.edited(FILE, Wanted(("a=b,c",), ("rw",)), quotes=False) == FILE.replace("rw", "a=b,c")
    with pytest.raises(Failure) as caught:
        grub.edited(FILE, Wanted(('dyndbg="file a.c +p"',)), quotes=False)
    assert str(caught.value) == (
        "this GRUB configuration cannot pass 'dyndbg=file a.c +p' to the kernel: it has no quotes"
        " (fix: write it without blanks and without characters that are special in a shell)"
    )


@pytest.mark.parametrize(
    ("argument", "spelled"),
    [
        pytest.param("systemd.unit=a-b@1.target", "systemd.unit=a-b@1.target", id="plain"),
        pytest.param("a=~b^%+", "a=~b^%+", id="signs"),
        pytest.param('dyndbg="file a.c +p"', '"dyndbg=file a.c +p"', id="blanks"),
        pytest.param("a=b;c", '"a=b;c"', id="end-of-a-command"),
        pytest.param("a=$root", r'"a=\$root"', id="variable"),
        pytest.param("a=[b]{c}*?", '"a=[b]{c}*?"', id="patterns"),
        pytest.param("#a", '"#a"', id="comment"),
        pytest.param("a=größe", '"a=größe"', id="not-ascii"),
    ],
)
def test_argument_is_spelled_for_grub_and_found_again(argument: str, spelled: str) -> None:
    assert edited(FILE, (argument,)) == FILE.replace(" rw'", f" rw {spelled}'")
    assert edited(edited(FILE, (argument,)), absent=(argument,)) == FILE


@pytest.mark.parametrize(
    ("argument", "what"),
    [
        pytest.param("a=it's", "GRUB cannot pass \"a=it's\" to the kernel: it would put a backslash before the '", id="quote"),
        pytest.param(
            r"a=\x20", r"GRUB cannot pass 'a=\\x20' to the kernel: it would put a backslash before the " + "\\", id="backslash"
        ),
        pytest.param(
            'a=b"c"', 'GRUB cannot pass \'a=b"c"\' to the kernel: it would put a backslash before the "', id="inner-quotes"
        ),
    ],
)
def test_argument_that_grub_cannot_hand_over_is_refused(argument: str, what: str) -> None:
    with pytest.raises(Failure) as caught:
        edited(FILE, (argument,))
    assert caught.value.what == what and caught.value.fix.startswith("write it without ")
    # To remove what cannot be there is no fault.
    assert edited(FILE, absent=(argument,)) == FILE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param('set kargs="rw a"\n', "set kargs='rw a b'\n", id="double-quotes"),
        pytest.param("set kargs=rw\n", "set kargs='rw b'\n", id="no-quotes"),
        pytest.param("  set   kargs='rw  a'  \n", "set kargs='rw a b'\n", id="blanks"),
        pytest.param("set kargs='rw'\r\n", "set kargs='rw b'\n", id="line-end-of-windows"),
        pytest.param("set kargs='rw'", "set kargs='rw b'\n", id="no-line-end"),
        pytest.param("set kargs=\n", "set kargs='b'\n", id="empty"),
        pytest.param("set kargs='b'\nset kargs='rw'\n", "set kargs='b'\nset kargs='rw b'\n", id="the-last-one-counts"),
        pytest.param(
            r"""set kargs='rw "a=\$x y" c\;d "e=\z"'""" + "\n",
            r"""set kargs='rw "a=\$x y" c\;d "e=\z" b'""" + "\n",
            id="spelling-stays",
        ),
        pytest.param("set kargs='rw'\nset mine='rw'\n", "set kargs='rw b'\nset mine='rw'\n", id="other-lines-stay"),
    ],
)
def test_line_that_a_person_wrote_is_understood(before: str, after: str) -> None:
    assert edited(before, ("b",)) == after


@pytest.mark.parametrize(
    ("line", "argument"),
    [
        (r"""set kargs='"a=\$x y"'""", 'a="$x y"'),
        (r"""set kargs='c\;d'""", "c;d"),
        (r"""set kargs='a=b" "c'""", '"a=b c"'),
    ],
)
def test_meaning_of_what_a_person_wrote(line: str, argument: str) -> None:
    assert edited(line, (argument,)) == line
    assert edited(line, absent=(argument,)) == "set kargs=''\n"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("", "kargs is not set", id="empty"),
        pytest.param(CONSOLES, "kargs is not set", id="only-consoles"),
        pytest.param(HEADER + 'set kargs="rw $more"\n', "line 3 is not supported", id="variable"),
        pytest.param("set kargs='rw' more\n", "line 1 is not supported", id="more-words"),
        pytest.param("set kargs='rw\n", "line 1 is not supported", id="open-quote"),
        pytest.param("set kargs='rw \"a b'\n", "a quote is not closed", id="open-quote-inside"),
        pytest.param("set kargs='rw \\'\n", "a quote is not closed", id="backslash-at-the-end"),
    ],
)
def test_file_that_is_not_understood_is_refused(text: str, what: str) -> None:
    with pytest.raises(Failure) as caught:
        edited(text, ("a",))
    assert caught.value.what == what and caught.value.fix


def test_line_that_gets_too_long_is_refused() -> None:
    with pytest.raises(Failure, match="the kernel command line would have 21[0-9]{2} bytes, and the kernel accepts 2047"):
        edited(FILE, ("a=" + "x" * 2050,))


def test_missing_file_begins_with_what_grub_cfg_falls_back_to() -> None:
    config = "set timeout=1\n" + CONSOLES + KARGS + 'if [ -e x ]; then source "($root)/coreos/kargs.cfg"; fi\n'
    assert grub.initial(config) == grub.HEADER + CONSOLES + KARGS
    assert edited(grub.initial(config), ("a",)) == grub.HEADER + CONSOLES + KARGS.replace("rw", "rw a")
