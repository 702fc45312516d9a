"""The one screen of a failed first boot."""

import json
from pathlib import Path

import pytest

from ignition.cli.failure_screen import LINES, WIDTH, screen, show_failure
from ignition.config.parse import parse
from ignition.errors import CommandFailed, Failure, InvalidConfig, NotFound, RootInMemory, refusing
from ignition.rendering.parsing import invalid


class Entry:
    def __init__(self, level: str, text: str) -> None:
        self.level, self.text = level, text

    def __str__(self) -> str:
        return self.text


class Report:
    def __init__(self, *entries: Entry) -> None:
        self.entries = entries


def test_screen_says_stage_place_cause_and_remedy() -> None:
    text = screen("disks", Failure("no such disk", where="$.storage.disks.0.device", fix="attach the disk"))
    assert "The first boot failed in the stage 'disks'." in text
    assert "where: $.storage.disks.0.device" in text
    assert "what:  no such disk" in text
    assert "do:    attach the disk" in text


def test_whole_screen() -> None:
    long = "the device /dev/disk/by-partlabel/a-very-long-name-that-stays-whole-because-a-person-copies-it is not there"
    failure = Failure(f"{long}\nlast\tline", where="$.storage.disks.0.device", fix="attach the disk")
    assert screen("disks", failure).splitlines() == [
        "=" * WIDTH,
        "The first boot failed in the stage 'disks'.",
        "",
        "where: $.storage.disks.0.device",
        "what:  the device",
        "       /dev/disk/by-partlabel/a-very-long-name-that-stays-whole-because-a-person-copies-it",
        "       is not there",
        "       last line",
        "do:    attach the disk",
        "",
        "Nothing is lost: the machine will try its first boot again at the next start.",
        "=" * WIDTH,
    ]


def test_screen_shows_the_first_lines_of_a_long_message() -> None:
    lines = screen("files", Failure("\n".join(f"line {number}" for number in range(100)))).splitlines()
    shown = [line for line in lines if "line " in line]
    assert shown[0] == "what:  line 0" and len(lines) == LINES
    assert f"       and {100 - len(shown)} more lines: journalctl -t ignition" in lines


def test_screen_without_fix_points_to_the_journal() -> None:
    assert "do:    see the journal: journalctl --identifier=ignition --all" in screen("files", Failure("x"))


def test_screen_shows_every_error_of_a_config_but_no_warning() -> None:
    report = Report(Entry("error", "error at $.a"), Entry("warning", "warning at $.b"), Entry("error", "error at $.c"))
    text = screen("fetch", InvalidConfig("the config is not valid", report=report))
    assert [line for line in text.splitlines() if line.startswith("  - ")] == ["  - error at $.a", "  - error at $.c"]


def test_screen_says_each_error_once_with_excerpt_and_remedy() -> None:
    text = b'{"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": "a"}, {"path": "/b", "mode": "0644"}]}}'
    report = parse(text).report
    shown = screen("fetch", invalid(report, "http://example.com/a.ign", texts=[text] * len(report.entries)))
    assert " ".join(shown.split()).count("line 1 col ") == 2
    assert shown.count("path is not absolute") == 1 and shown.count("http://example.com/a.ign") == 1
    assert "what:  the config is invalid, 2 errors in http://example.com/a.ign:\n  - " in shown
    assert "  - $.storage.files.0.path, line 1 col 67: path is not absolute (fix: write /a)\n     1 | " in shown
    assert "do:    correct the config; ignition-validate" in shown


def test_errors_of_several_texts_have_their_names() -> None:
    text = b'{"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": "a"}, {"path": "b"}]}}'
    report = parse(text).report
    shown = screen("fetch", invalid(report, "the merged config", names=["a.ign", "b.ign"], texts=[text, b""]))
    assert "what:  the merged config is invalid, 2 errors:\n" in shown
    assert "  - a.ign: $.storage.files.0.path" in shown and "  - b.ign: $.storage.files.1.path" in shown


def test_screen_counts_the_errors_it_leaves_out() -> None:
    report = Report(*(Entry("error", f"error {number}") for number in range(15)))
    lines = screen("fetch", InvalidConfig("bad", report=report)).splitlines()
    assert len(lines) == LINES
    assert f"  and {15 - sum(line.startswith('  - ') for line in lines)} more: journalctl -t ignition" in lines


def test_screen_shows_the_ends_of_digests() -> None:
    text = b"""{"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": "/a", "contents": {"source": "data:,x",
"verification": {"hash": "sha512-%s"}}}]}}""" % (b"0123456789ABCDEF" * 8)
    report = parse(text).report
    shown = screen("fetch", invalid(report, "a.ign", texts=[text] * len(report.entries)))
    assert '     2 | "verification": {"hash": "sha512-0123456789AB…456789ABCDEF"}}}]}}\n' in shown
    assert "write sha512-a4abd4448c49…9d50551afe62, or leave" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= WIDTH


def test_screen_shows_the_ends_of_a_word_that_would_fill_it() -> None:
    shown = screen("files", Failure(f"/begin/{'x' * 1000}/end is a directory"))
    assert len(shown) < 800 and f"{'x' * 50}/end" in shown and "/begin/xxx" in shown
    assert " is a directory" in " ".join(shown.split()) and "…" in shown


def test_rows_of_long_words_are_counted() -> None:
    lines = screen("files", Failure("\n".join(["x" * 200] * 9))).splitlines()
    assert sum(-(-max(1, len(line)) // (WIDTH + 1)) for line in lines) <= LINES
    assert "       and 6 more lines: journalctl -t ignition" in lines


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("where", ["", "x " * 300, "a.ign:1:1 ($.x)"], ids=["nowhere", "long", "place"])
@pytest.mark.parametrize("fix", ["", "y " * 400], ids=["journal", "long"])
@pytest.mark.parametrize("what", ["short", "z " * 900, "1\n" * 100], ids=["short", "long", "lines"])
def test_screen_leaves_room_for_the_rest_of_the_page(*, lasting: bool, where: str, fix: str, what: str) -> None:
    text = screen("files", Failure(what, where=where, fix=fix, lasting=lasting), {"a.ign": b'{"x": 1}'})
    assert len(text.splitlines()) <= LINES
    assert ("     1 | " in text) == (where == "a.ign:1:1 ($.x)")


def texts(tmp_path: Path, text: str) -> None:
    """As the fetch stages leave it."""
    header = {"platform": "", "direct": True, "texts": [["a.ign", len(text)]]}
    (tmp_path / "texts").write_text(f"{json.dumps(header)}\n{text}")


def test_excerpt_of_a_later_stage_comes_from_the_texts_beside_the_state(tmp_path: Path) -> None:
    texts(tmp_path, '{\n "device": "/dev/x"}')
    show_failure("disks", str(tmp_path / "state"), Failure("x", where="a.ign:2:12 ($.storage.disks.0.device)"))
    assert '     2 |  "device": "/dev/x"}\n       |            ^~~~~~~~\n' in (tmp_path / "failure.txt").read_text()


@pytest.mark.parametrize(
    "damaged", [b"", b"{", b"[]\n", b'{"platform": "", "direct": true, "texts": [["a.ign", 1]]}\n', b"\xff\n"]
)
def test_texts_that_cannot_be_read_hide_nothing(damaged: bytes, tmp_path: Path) -> None:
    (tmp_path / "texts").write_bytes(damaged)
    show_failure("disks", str(tmp_path / "state"), Failure("boom", where="a.ign:2:12 ($.storage.disks.0.device)"))
    assert "what:  boom" in (tmp_path / "failure.txt").read_text()


@pytest.mark.parametrize("what", ["word " * 60, "two\nlines"], ids=["long", "lines"])
def test_screen_fits_a_serial_console(what: str) -> None:
    assert max(len(line) for line in screen("files", Failure(what)).splitlines()) <= WIDTH


def test_screen_is_written_beside_the_state_file(tmp_path: Path) -> None:
    show_failure("files", str(tmp_path / "state"), Failure("boom"))
    assert "boom" in (tmp_path / "failure.txt").read_text()


def test_screen_that_cannot_be_written_does_not_raise(tmp_path: Path) -> None:
    show_failure("files", str(tmp_path / "none" / "state"), Failure("boom"))
    assert list(tmp_path.iterdir()) == []


def test_screen_says_that_nothing_is_lost_only_where_that_is_true() -> None:
    assert "Nothing is lost" in screen("disks", Failure("x"))
    assert "Nothing is lost" not in screen("disks", RootInMemory("x"))
    assert "Leave the machine on: ROOT's contents would be lost." in screen("disks", RootInMemory("x"))


def test_fault_of_the_config_is_called_one() -> None:
    text = screen("files", Failure("x", lasting=True))
    assert "the same config will fail again: change it." in text
    assert "the same config" not in screen("files", Failure("x"))


def mark(tmp_path: Path, failure: Failure, digest: str = "") -> str | None:
    """The mark of a fault of the config that this failure leaves, with that digest of a rendered config."""
    if digest:
        (tmp_path / "config.sha512").write_text(f"{digest}\n")
    show_failure("files", str(tmp_path / "state"), failure)
    path = tmp_path / "lasting"
    return path.read_text() if path.exists() else None


def test_mark_of_a_fault_names_the_config(tmp_path: Path) -> None:
    first = mark(tmp_path, Failure("x", lasting=True), "a" * 128)
    assert first is not None and len(first) == 33 and not set(first) - set("0123456789abcdef\n")
    assert mark(tmp_path, Failure("another fault", lasting=True)) == first
    assert mark(tmp_path, Failure("x", lasting=True), "b" * 128) != first


def test_mark_of_an_invalid_config_names_its_text(tmp_path: Path) -> None:
    found = [mark(tmp_path, InvalidConfig("bad", report=Report(), digest=digest)) for digest in ("a", "b", "a")]
    assert found[0] == found[2] != found[1]


def test_mark_without_any_digest_names_the_failure(tmp_path: Path) -> None:
    found = [mark(tmp_path, Failure(what, lasting=True)) for what in ("a\udcff", "b", "a\udcff")]
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize(
    "failure",
    [Failure("x"), NotFound("HTTP status 404"), CommandFailed("mkfs", status=1), RootInMemory("x")],
    ids=lambda one: type(one).__name__,
)
def test_what_may_pass_leaves_no_mark(tmp_path: Path, failure: Failure) -> None:
    (tmp_path / "lasting").touch()  # of an earlier failure in this boot
    assert mark(tmp_path, failure) is None


def test_what_planning_refuses_is_a_fault_of_the_config() -> None:
    @refusing()
    def plan() -> None:
        raise Failure("no", where="$.x")

    with pytest.raises(Failure) as caught:
        plan()
    assert (caught.value.lasting, str(caught.value)) == (True, "$.x: no")


HOSTILE = "a\x1b[2J\x9b\u202eb\u2028\udcff\0"


def test_no_terminal_obeys_the_screen() -> None:
    report = Report(Entry("error", HOSTILE))
    text = screen("fetch", InvalidConfig(HOSTILE, report=report, where=HOSTILE, fix=HOSTILE))
    assert all(character.isprintable() or character == "\n" for character in text)
    assert text.count(r"a\x1b[2J\x9b\u202eb\u2028\udcff\x00") == 4


def test_screen_has_an_end() -> None:
    text = screen("fetch", Failure("x" * 100_000 + "\n" + "line\n" * 10_000))
    assert len(text) < 10_000
    assert "more lines: journalctl -t ignition" in text
