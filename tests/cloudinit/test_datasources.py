"""Datasources that need no cloud, and the race between several."""

import threading
import time
from pathlib import Path

import pytest

from ignition.cloudinit.datasources import Datasource, Metadata, http
from ignition.cloudinit.datasources.file import LocalFile
from ignition.cloudinit.datasources.url import ProcCmdline, Url
from ignition.cloudinit.select import Limits, first_available
from ignition.errors import Failure, NotFound
from tests.fetch.server import Reply, serving

QUICK = Limits(total_s=120, first_pause_s=0.01, longest_pause_s=0.02)


class Fake(Datasource):
    """There at the n-th question (0: never)."""

    name = where = "fake"

    def __init__(self, at: int = 1, *, final: bool = False, error: bool = False) -> None:
        self.at, self.final, self.error, self.asked = at, final, error, 0

    def available(self) -> bool:
        self.asked += 1
        if self.error:
            raise Failure("out of order")
        return self.asked == self.at

    def user_data(self) -> bytes:
        return b""


def test_a_source_that_comes_late_wins_and_the_others_are_told_to_stop() -> None:
    before = set(threading.enumerate())
    late, never = Fake(3), Fake(0)
    assert first_available([never, late], QUICK) is late
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive()


def test_all_final_and_negative_ends_at_once() -> None:
    begin = time.monotonic()
    assert first_available([Fake(0, final=True), Fake(0, final=True)], Limits()) is None
    assert time.monotonic() - begin < 60


def test_a_final_no_does_not_end_the_others() -> None:
    late = Fake(4)
    assert first_available([Fake(0, final=True), late], QUICK) is late


def test_the_limit_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    begin = time.monotonic()
    assert first_available([Fake(0)], Limits(total_s=0.1, first_pause_s=0.01)) is None
    assert time.monotonic() - begin < 60
    assert "no datasource was available within 0.1 s" in capsys.readouterr().out


def test_a_source_out_of_order_counts_as_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    good = Fake(2)
    assert first_available([Fake(error=True), good], QUICK) is good
    assert "fake at fake: out of order" in capsys.readouterr().out


def test_a_source_that_hangs_does_not_keep_the_others_waiting() -> None:
    over = threading.Event()

    class Hanging(Fake):
        def available(self) -> bool:
            return not over.wait(100)

    begin = time.monotonic()
    good = Fake(1)
    assert first_available([Hanging(), good], QUICK) is good
    assert time.monotonic() - begin < 60
    over.set()


def test_pauses_double_up_to_the_longest(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    waits: list[float] = []
    monkeypatch.setattr(threading.Event, "wait", lambda _, timeout: waits.append(timeout))
    from queue import SimpleQueue

    from ignition.cloudinit.select import _poll

    source = Fake(11)
    _poll(source, Limits(), SimpleQueue(), threading.Event(), time.monotonic() + 299.9)
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]
    assert Limits().total_s == 300
    assert "fake: not available yet, next attempt in 12.8 s, 300 s left" in capsys.readouterr().out


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "user-data"
    source = LocalFile(str(path))
    with pytest.raises(Failure, match=r"No such file or directory \(fix: check the name\)"):
        source.available()
    with pytest.raises(Failure, match="No such file") as caught:
        source.user_data()
    assert caught.value.where == str(path)
    path.write_bytes(b"#cloud-config\n")
    assert source.available() and source.user_data() == b"#cloud-config\n"
    assert (source.name, source.final, source.metadata()) == ("local-file", True, Metadata())


def test_a_directory_is_no_user_data(tmp_path: Path) -> None:
    source = LocalFile(str(tmp_path))
    assert source.available()
    with pytest.raises(Failure, match="not a regular file"):
        source.user_data()


def test_url() -> None:
    with serving({"/data": [Reply(503), Reply(200, b"hello")], "/made": Reply(201, b"made"), "/no": Reply(403)}) as server:
        with pytest.raises(Failure, match="503"):
            Url(server.url + "/data").available()  # one attempt
        assert Url(server.url + "/data").available()
        assert Url(server.url + "/made").user_data() == b"made"
        with pytest.raises(NotFound, match="403"):
            Url(server.url + "/no").available()
        with pytest.raises(Failure, match="403"):
            Url(server.url + "/no").user_data()
        with pytest.raises(NotFound, match="404"):
            Url(server.url + "/none").user_data()
        assert server.paths().count("/no") == 2  # not asked again


def test_url_is_fetched_again_after_errors_of_the_server() -> None:
    with serving({"/data": [Reply(500), Reply(503), Reply(200, b"hello")]}) as server:
        assert Url(server.url + "/data").user_data() == b"hello"
    assert (http.SETTINGS.attempts, http.SETTINGS.first_pause_s, http.SETTINGS.longest_pause_s) == (15, 0.1, 5.0)


@pytest.mark.parametrize("url", ["", "ftp://x/y", "/etc/passwd", "file:///etc/passwd"])
def test_what_is_no_http_url_is_refused_at_once(url: str) -> None:
    assert Url(url).final
    with pytest.raises(Failure, match="not an HTTP URL"):
        Url(url).available()
    with pytest.raises(Failure, match="not an HTTP URL"):
        Url(url).user_data()


CMDLINES = [
    ("quiet cloud-config-url=http://a/b\n", True),
    ("cloud_config_url=http://a/b", True),
    ("cloud-config-url", False),
    ("xcloud-config-url=http://a/b", False),
    ("quiet", False),
    ("", False),
]


@pytest.mark.parametrize("text, is_there", CMDLINES)
def test_kernel_command_line(tmp_path: Path, text: str, is_there: bool) -> None:
    path = tmp_path / "cmdline"
    path.write_text(text)
    source = ProcCmdline(str(path))
    assert source.available() is is_there
    assert source.final


def test_last_url_of_the_kernel_command_line_counts(tmp_path: Path) -> None:
    path = tmp_path / "cmdline"
    with serving({"/b?c=d": Reply(200, b"hello")}) as server:
        path.write_text(f" a cloud-config-url=http://other/ cloud_config_url={server.url}/b?c=d cloud-config-url\n")
        assert ProcCmdline(str(path)).user_data() == b"hello"
