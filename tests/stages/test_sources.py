"""Where the texts of a config say what a stage cannot do: one place on the screen, in the log and in the records."""

import errno
import json
import re

import pytest

from ignition import platforms
from ignition.cli.ignition import FAILED, SUCCESS, USAGE, main
from ignition.config import origins
from ignition.errors import Failure
from ignition.rendering import sources
from ignition.rendering.render import load_for_stage
from ignition.sysroot.files import PutFile
from tests.fetch.server import Reply, Server, serving

from .conftest import Boot

CHILD = """{"ignition": {"version": "3.5.0"},
  "storage": {
    "directories": [{"path": "/etc/fine"},
                    {"path": "/etc/there"}]}}"""
PARENT = """{
  "ignition": {"version": "3.5.0", "config": {"merge": [{"source": "URL/child"}]}},
  "storage": {"directories": [{"path": "/opt/one"}, {"path": "/opt/two"}]}
}"""


def stage(boot: Boot, name: str, platform: str = "file") -> int:
    """Run one stage of a boot as its unit does."""
    files = [f"-state-file={boot.run}/state", f"-neednet={boot.run}/neednet", f"-config-cache={boot.run}/cache"]
    return main(["-log-to-stdout", f"-stage={name}", f"-platform={platform}", f"-root={boot.top}/root", *files])


def serve(server: Server, boot: Boot, parent: str = PARENT, child: str = CHILD) -> None:
    server.replies = {"/parent": [Reply(200, parent.replace("URL", server.url).encode())], "/child": [Reply(200, child.encode())]}
    boot.cmdline(f"ignition.config.url={server.url}/parent")


def test_failure_of_a_later_stage_names_source_line_and_column(boot: Boot, capsys: pytest.CaptureFixture[str]) -> None:
    (boot.top / "root/etc").mkdir(parents=True)
    (boot.top / "root/etc/there").write_text("a file")
    boot.fragment("base.d/a.ign", '{"ignition": {"version": "3.5.0"}, "storage": {"directories": [{"path": "/base"}]}}')
    with serving({}) as server:
        serve(server, boot)
        assert stage(boot, "fetch") == SUCCESS
        url = server.url
    assert (boot.run / "texts").stat().st_mode & 0o777 == 0o600
    capsys.readouterr()
    assert stage(boot, "files") == FAILED
    place = f"{url}/child:4:30 ($.storage.directories.1)"
    screen, log = (boot.run / "failure.txt").read_text(), capsys.readouterr().out
    assert f"where: {place}\n" in screen
    records = map(json.loads, (boot.run / "operations.jsonl").read_text().splitlines())
    [record] = [one for one in records if one["result"] == "failed"]
    assert record["cause"].startswith(f"{place}: /etc/there exists and is not a directory")
    assert log.count(place) == 2  # of the operation and of the stage
    assert "$.storage.directories.4" not in screen + log


def test_error_of_the_merged_config_is_placed_in_the_source(boot: Boot, capsys: pytest.CaptureFixture[str]) -> None:
    """Each of both is valid: only together they say that a link is above a file."""
    with serving({}) as server:
        serve(
            server,
            boot,
            parent=PARENT.replace('"directories": [{"path": "/opt/one"}, {"path": "/opt/two"}]', '"files": [{"path": "/a/b"}]'),
            child='{"ignition": {"version": "3.5.0"},\n "storage": {"links": [{"path": "/a", "target": "/c"}]}}',
        )
        assert stage(boot, "fetch") == FAILED
        screen = " ".join((boot.run / "failure.txt").read_text().split())
        assert "what: the merged config is invalid, 1 error in " in screen
        found = re.search(r"1 error in (\S+): - (\$\S+), line (\d+) col (\d+):", screen)
        assert found is not None, screen
        assert found.groups() == (f"{server.url}/parent", "$.storage.files.0.path", "3", "34")
        rendered = main(["render", f"{server.url}/parent"])
        told = capsys.readouterr().err
    assert rendered == 1
    assert f"{found[1]}:{found[3]}:{found[4]}: error: " in told


def test_place_in_a_base_config_is_its_own(boot: Boot) -> None:
    boot.fragment("base.d/a.ign", '{"ignition": {"version": "3.5.0"},\n"storage": {"directories": [{"path": "/base"}]}}')
    boot.config('{"ignition": {"version": "3.5.0"}, "storage": {"directories": [{"path": "/own"}]}}')
    assert stage(boot, "fetch") == SUCCESS
    failure = Failure("no, see $.storage.directories.1", where="$.storage.directories.0./dev/x", fix="not $.what.there.is.not")
    sources.locate(failure, str(boot.run / "state"))
    own = "platform file:1:73 ($.storage.directories.0)"
    assert failure.where == f"{boot.top}/usr/base.d/a.ign:2:38 ($.storage.directories.0) /dev/x"
    assert failure.what == f"no, see {own}"
    assert failure.fix == "not $.what.there.is.not"
    again = Failure(failure.what, where=failure.where)
    sources.locate(again, str(boot.run / "state"))
    assert (again.what, again.where) == (failure.what, failure.where)


def test_place_in_a_yaml_document_is_its_own(boot: Boot) -> None:
    boot.config("variant: flatcar\nversion: 1.0.0\nstorage:\n  directories:\n    - path: /own\n")
    assert stage(boot, "fetch") == SUCCESS
    failure = Failure("no", where="$.storage.directories.0.mode")
    sources.locate(failure, str(boot.run / "state"))
    assert failure.where == "platform file:5:13 ($.storage.directories.0.mode)"


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"{",
        b"[]",
        b'{"platform": "file", "direct": true, "texts": []}\n',
        b'{"platform": "file", "direct": false, "texts": [["a", 3]]}\n{"i',
    ],
    ids=str,
)
def test_lost_texts_do_not_hide_the_failure(boot: Boot, content: bytes | None) -> None:
    if content is not None:
        (boot.run / "texts").write_bytes(content)
    failure = Failure("no", where="$.storage.files.0")
    sources.locate(failure, str(boot.run / "state"))
    assert str(failure) == "$.storage.files.0: no"


def test_very_large_texts_are_not_kept(boot: Boot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST", 10)
    boot.config('{"ignition": {"version": "3.5.0"}}')
    assert stage(boot, "fetch") == SUCCESS
    assert not (boot.run / "texts").exists()


def test_read_only_file_system_is_said_with_the_configs_place(boot: Boot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with the name of the temporary file."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", "/usr/bin/.x.tmp")

    boot.config(
        '{"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": "/usr/bin/x", "contents": {"source": "data:,x"}}]}}'
    )
    (boot.top / "root/usr/bin").mkdir(parents=True)
    assert stage(boot, "fetch") == SUCCESS
    monkeypatch.setattr(PutFile, "_write", refuse)
    assert stage(boot, "files") == FAILED
    screen = " ".join((boot.run / "failure.txt").read_text().split())
    assert "what: write file /usr/bin/x: Read-only file system do: " in screen
    assert "where: platform file:1:67 ($.storage.files.0) 1 | " in screen
    assert "do: the file system is read-only: choose a path on another one, such as below /etc, /var or /opt" in screen
    assert ".tmp" not in screen


def test_unknown_platform_is_on_the_screen_with_the_known_ones(boot: Boot, capsys: pytest.CaptureFixture[str]) -> None:
    assert stage(boot, "fetch-offline", "vmwar-with-a-long-name-that-nobody-cuts-off-at-any-column-of-the-screen") == USAGE
    assert stage(boot, "fetch-offline", "vmwar") == USAGE
    screen, told = " ".join((boot.run / "failure.txt").read_text().split()), capsys.readouterr()
    assert "where: kernel argument ignition.platform.id what: unknown platform 'vmwar' do: did you mean vmware?" in screen
    assert f"use one of: {', '.join(platforms.known('config'))} " in screen
    assert "usage" not in screen + told.err + told.out
    assert "-cuts-off-at-any-column-of-the-screen'" in told.err
    assert not (boot.run / "lasting").exists()


TABLE = {
    "sources": ["base", "user"],
    "places": {
        "$.storage.disks.0": [1, 3, 7, "$.storage.disks.2"],
        "$.storage.disks.0.partitions.1": [0, 4, 1, "$.storage.disks.5.partitions.0"],
        "$.storage.files.0.path": [1, 9, 2, "$.storage.files.4.path"],
        "$.passwd": [1, 1, 1, "$.passwd"],
    },
}


@pytest.mark.parametrize(
    ("where", "found"),
    [
        pytest.param("$.storage.disks.0", "user:3:7 ($.storage.disks.2)", id="the place itself"),
        pytest.param(
            "$.storage.disks.0.partitions.1", "base:4:1 ($.storage.disks.5.partitions.0)", id="a place in another source"
        ),
        pytest.param("$.storage.disks.0.device", "user:3:7 ($.storage.disks.2.device)", id="inside a place"),
        pytest.param(
            "$.storage.disks.0.partitions.1.label", "base:4:1 ($.storage.disks.5.partitions.0.label)", id="the nearest place"
        ),
        pytest.param("$.storage.files.0", "user:9:2 ($.storage.files.4)", id="around a place"),
        pytest.param("$.storage.files", "user:9:2 ($.storage.files.4.path)", id="around a place in a list"),
        pytest.param("$.storage.disks.01", "$.storage.disks.01", id="the beginning of a name is not a place"),
        pytest.param("$.systemd.units.0", "$.systemd.units.0", id="unknown"),
        pytest.param("$.passwd.users.3", "user:1:1 ($.passwd.users.3)", id="inside the only one"),
        pytest.param("$.passwd./dev/x", "user:1:1 ($.passwd) /dev/x", id="with a device"),
        pytest.param("url:3:4 ($.passwd)", "url:3:4 ($.passwd)", id="located already"),
        pytest.param("$.passwd, $.systemd", "user:1:1 ($.passwd), $.systemd", id="two in a text"),
    ],
)
def test_place_in_the_merged_config_is_looked_up(boot: Boot, where: str, found: str) -> None:
    (boot.run / "places.json").write_text(json.dumps(TABLE))
    failure = Failure(where, where=where, fix=where)
    sources.locate(failure, str(boot.run / "state"))
    if where != "$.storage.files":
        assert (failure.where, failure.what, failure.fix) == (found, found, found)
    assert failure.where.startswith(found.partition(" ")[0])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"sources": [], "places": {"$.passwd": [0, 1, 1, "$.passwd"]}}'])
def test_damaged_table_of_places_hides_no_failure(boot: Boot, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    (boot.run / "places.json").write_text(content)
    failure = Failure("no", where="$.passwd")
    sources.locate(failure, str(boot.run / "state"))
    assert (failure.what, failure.where) == ("no", "$.passwd")
    assert "the places of the config are unavailable" in capsys.readouterr().out


ONE_TEXT = """{"ignition": {"version": "VERSION"},
 "storage": {"files": [{"contents": {"source": "data:,"}, "path": "/a"},
   {"mode": 420, "path": "/b"}],
  "disks": [{"partitions": [{"label": "one", "number": 1}, {"number": 2}], "device": "/dev/vda"}]},
 "passwd": {"users": [{"name": "u", "sshAuthorizedKeys": []}]},
 "systemd": {"units": [{"name": "a.service", "dropins": [{"name": "b.conf", "contents": "[Unit]\\n"}]}]}}
"""


@pytest.mark.parametrize("version", ["3.0.0", "3.5.0"])
def test_places_are_the_same_with_and_without_rendering_again(boot: Boot, version: str) -> None:
    """The short way for a single text, and the table for all others."""
    boot.config(ONE_TEXT.replace("VERSION", version))
    assert stage(boot, "fetch") == SUCCESS
    state = str(boot.run / "state")
    config = load_for_stage(str(boot.run / "cache"), "file")
    table = sources.Table.load(state)
    wanted = [f"${'.'.join(['', *map(str, path)])}" for path, _ in origins.values(config)]
    wanted += ["$.storage.files.1.user.id", "$.storage.disks.0.partitions.1.sizeMiB", "$.storage.files.9", "$.x"]
    wanted += ["$.storage.files.0", "$.storage.files.1", "$.storage.disks.0.partitions.1", "$.systemd.units.0.dropins.0"]
    assert sources.Sources.load(state).is_direct
    found = sources.of_operations(wanted, state, config)
    assert found == {path: place[:3] for path in wanted if (place := table.around(path))}
    assert found["$.storage.files.0"] == ("platform file", 2, 67)
    assert set(wanted) - set(found) == {"$.storage.files.9", "$.x"}


def test_report_names_places_of_base_configs_and_of_the_user_config(boot: Boot) -> None:
    boot.fragment("base.d/a.ign", '{"ignition": {"version": "3.5.0"},\n"storage": {"directories": [{"path": "/base"}]}}')
    boot.config('{"ignition": {"version": "3.5.0"}, "storage": {"directories": [{"path": "/own"}]}}')
    (boot.top / "root/etc").mkdir(parents=True)
    assert stage(boot, "fetch") == SUCCESS
    assert not sources.Sources.load(str(boot.run / "state")).is_direct
    assert stage(boot, "files") == SUCCESS
    report = json.loads((boot.top / "root/var/lib/ignition/report.json").read_text())
    found = [one["origin"] for group in report["stages"] for one in group["operations"] if "origin" in one]
    assert found == [f"{boot.top}/usr/base.d/a.ign:2:38", "platform file:1:73"]
