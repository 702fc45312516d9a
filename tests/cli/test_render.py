"""`ignition render`: the boot's result as a config, its origins, base directories, remarks, exit statuses."""

import gzip
import io
import json
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ignition.cli.ignition import main
from ignition.cli.render import PROGRAM
from ignition.config import dataurl
from ignition.config.model import NEWEST
from ignition.config.parse import parse
from ignition.host import progress
from tests.cli.test_validate import BAD, WARNED
from tests.fetch.server import Reply, serving

HERE = "ignition render"


def text(*files: str, version: str = "3.5.0", mode: int | None = None, about: Mapping[str, Any] | None = None) -> str:
    nodes = [{"path": path} | ({} if mode is None else {"mode": mode}) for path in files]
    return json.dumps({"ignition": {"version": version, **(about or {})}, "storage": {"files": nodes}})


def merging(*sources: str) -> dict[str, Any]:
    return {"config": {"merge": [{"source": source} for source in sources]}}


class Place:
    """A directory with configs, and runs of the command in it."""

    def __init__(self, top: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.top, self._capsys = top, capsys

    def put(self, name: str, content: str | bytes) -> str:
        """Write a file; returns its name as the command gets it."""
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit status, standard output, standard error."""
        self._capsys.readouterr()
        status = main(["render", *words])
        captured = self._capsys.readouterr()
        return status, captured.out, captured.err

    def rendered(self, *words: str) -> dict[str, Any]:
        """The result of a run without any remark."""
        status, out, err = self.run(*words)
        assert (status, err) == (0, "")
        result: dict[str, Any] = json.loads(out)
        return result

    def paths(self, *words: str) -> list[str]:
        """Those of the files."""
        return [file["path"] for file in self.rendered(*words).get("storage", {}).get("files", [])]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Place:
    """The machine's own directories are below it: run, etc, usr."""
    monkeypatch.chdir(tmp_path)
    for variable, directory in (("RUNTIME_", "run"), ("LOCAL_", "etc"), ("", "usr")):
        monkeypatch.setenv(f"IGNITION_SYSTEM_{variable}CONFIG_DIR", str(tmp_path / directory))
    return Place(tmp_path, capsys)


def test_result_is_indented_json_of_the_newest_stable_spec(place: Place) -> None:
    status, out, err = place.run(place.put("a.ign", text("/a", version="3.1.0", mode=420)))
    assert (status, err) == (0, "")
    assert out.startswith('{\n  "ignition": {\n    "version": "3.6.0"\n  },\n  "storage": {\n')
    assert [line.strip() for line in out.splitlines()][5:9] == ['"files": [', "{", '"path": "/a",', '"mode": 420']


@pytest.mark.parametrize("version", ["3.0.0", "3.3.0", "3.6.0", NEWEST])
def test_result_says_the_same(place: Place, version: str) -> None:
    body = json.loads(text("/a", "/b", version=version, mode=0))
    body["systemd"] = {"units": [{"name": "a.service", "enabled": False, "mask": False, "contents": "", "dropins": []}]}
    body["passwd"] = {"users": [{"name": "core", "uid": 7, "passwordHash": "", "sshAuthorizedKeys": ["a é \U0001f600"]}]}
    _, out, _ = place.run(place.put("a.ign", json.dumps(body)))
    assert parse(out.encode()).config == parse(json.dumps(body).encode()).config
    assert place.run(place.put("b.ign", out))[1] == out


def test_experimental_version_only_when_something_needs_it(place: Place) -> None:
    filesystem = {"device": "tag", "format": "virtiofs", "path": "/a"}
    config = {"ignition": {"version": NEWEST}, "storage": {"filesystems": [filesystem]}}
    assert place.rendered(place.put("a.ign", json.dumps(config)))["ignition"]["version"] == NEWEST
    assert place.rendered(place.put("b.ign", text("/a", version=NEWEST)))["ignition"]["version"] == "3.6.0"


def test_references_are_followed_and_left_out(place: Place) -> None:
    with serving({"/1": Reply(body=text("/one").encode()), "/2": Reply(body=text("/two").encode())}) as server:
        about = {**merging(f"{server.url}/1", f"{server.url}/2"), "timeouts": {"httpTotal": 9}}
        result = place.rendered(place.put("a.ign", text("/top", about=about)))
    assert result == {
        "ignition": {"version": "3.6.0", "timeouts": {"httpTotal": 9}},
        "storage": {"files": [{"path": "/top"}, {"path": "/one"}, {"path": "/two"}]},
    }


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_url_is_fetched(place: Place, packed: bool) -> None:
    content = text("/a").encode()
    with serving({"/a": Reply(body=gzip.compress(content) if packed else content)}) as server:
        assert place.paths(f"{server.url}/a") == ["/a"]


def test_data_url_is_decoded(place: Place) -> None:
    assert place.paths(dataurl.encode(text("/a").encode())) == ["/a"]


def test_standard_input_is_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text("/a").encode())))
    assert place.paths("-") == ["/a"]


def test_file_that_looks_like_a_url_is_a_file(place: Place) -> None:
    assert place.paths(place.put("a:b", text("/a"))) == ["/a"]


def test_without_argument_the_machines_own_configs_count(place: Place) -> None:
    place.put("usr/base.d/10", text("/base"))
    place.put("usr/user.ign", text("/lower"))
    place.put("etc/user.ign", text("/user"))
    assert place.paths() == ["/base", "/user"]


def test_with_an_argument_the_machines_own_configs_do_not_count(place: Place) -> None:
    place.put("usr/base.d/10", text("/base"))
    assert place.paths(place.put("a.ign", text("/a"))) == ["/a"]


def test_without_user_config_the_base_is_printed(place: Place) -> None:
    place.put("usr/base.d/10", text("/base"))
    status, out, err = place.run()
    assert (status, [file["path"] for file in json.loads(out)["storage"]["files"]]) == (0, ["/base"])
    assert f"{HERE}: no Ignition config in the base directories (no user.ign); only base configs are used" in err


def test_default_takes_the_place_of_no_config_as_at_boot(place: Place) -> None:
    place.put("image/base.ign", text("/base"))
    place.put("image/default.ign", text("/default"))
    place.put("image/base.d/10", text("/base", "/fragment"))
    empty = place.put("empty.ign", "")
    status, out, told = place.run(empty, "--base-dir", "image")
    assert (status, [entry["path"] for entry in json.loads(out)["storage"]["files"]]) == (0, ["/base", "/fragment", "/default"])
    assert "no Ignition config in empty.ign; image/default.ign is used instead" in told
    status, out, _ = place.run(place.put("user.ign", text("/user")), "--base-dir", "image")
    assert (status, [entry["path"] for entry in json.loads(out)["storage"]["files"]]) == (0, ["/base", "/fragment", "/user"])


def test_base_directories_come_in_order_of_priority(place: Place) -> None:
    place.put("low/base.d/10", text("/low"))
    place.put("low/base.d/20", text("/both"))
    place.put("high/base.d/10", text("/high"))
    place.put("low/user.ign", text("/user"))
    place.put("usr/base.d/10", text("/never"))
    directories = ("--base-dir", "high", "--base-dir=low")
    assert place.paths(*directories) == ["/high", "/both", "/user"]
    assert place.paths(place.put("a.ign", text("/a")), *directories) == ["/high", "/both", "/a"]


def test_fragments_of_the_platform_count_if_it_is_named(place: Place) -> None:
    place.put("base/base.platform.d/qemu/10", text("/qemu"))
    place.put("a.ign", text("/a"))
    assert place.paths("a.ign", "--base-dir", "base") == ["/a"]
    assert place.paths("a.ign", "--base-dir", "base", "--platform", "qemu") == ["/qemu", "/a"]


def test_broken_fragments_of_the_platform_are_left_out_as_at_boot(place: Place) -> None:
    place.put("base/base.platform.d/qemu/10", "{")
    status, out, err = place.run(place.put("a.ign", text("/a")), "--base-dir", "base", "--platform", "qemu")
    assert (status, json.loads(out)["storage"]["files"]) == (0, [{"path": "/a"}])
    assert f"{HERE}: the base configs of platform qemu are ignored: base/base.platform.d/qemu/10: the config is invalid" in err


def test_origin_of_each_value_is_printed(place: Place) -> None:
    place.put("base/base.d/10", text("/base"))
    with serving(
        {"/1": Reply(body=b'{"ignition": {"version": "3.5.0"},\n "storage": {"files": [{"path": "/a", "mode": 0}]}}')}
    ) as there:
        url = f"{there.url}/1"
        about = {"config": {"merge": [{"source": f"{url}?token=secret"}]}}
        place.put("a.ign", text("/a", mode=420, about=about).replace('"storage"', '\n"storage"'))
        status, out, err = place.run("a.ign", "--base-dir", "base", "--origin")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        '$.ignition.version = "3.6.0"  # ignition render',
        '$.storage.files.0.path = "/base"  # base/base.d/10:1:67',
        f'$.storage.files.1.path = "/a"  # {url}:2:33',
        f"$.storage.files.1.mode = 0  # {url}:2:47",
    ]


def test_origins_of_configs_in_data_urls_say_who_refers_to_them(place: Place) -> None:
    inner = dataurl.encode(text("/inner").encode())
    place.put("a.ign", text(about=merging(dataurl.encode(text("/b").encode()), inner)))
    _, out, _ = place.run("a.ign", "--origin")
    assert out.splitlines()[1:] == [
        '$.storage.files.0.path = "/b"  # data:… (reference 1 of a.ign):1:67',
        '$.storage.files.1.path = "/inner"  # data:… (reference 2 of a.ign):1:67',
    ]


def test_certificate_authority_is_inlined_and_keeps_its_origin(place: Place) -> None:
    about = {"security": {"tls": {"certificateAuthorities": [{"source": "data:,x", "compression": ""}]}}}
    place.put("a.ign", text(about=about))
    pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
    with serving({"/ca": Reply(body=pem.encode())}) as server:
        about["security"]["tls"]["certificateAuthorities"][0]["source"] = f"{server.url}/ca"
        place.put("a.ign", text(about=about))
        _, out, _ = place.run("a.ign", "--origin")
    inlined = dataurl.encode(pem.encode())
    line = f'$.ignition.security.tls.certificateAuthorities.0.source = "{inlined}"  # a.ign:1:'
    assert out.splitlines()[1].startswith(line)


def test_warnings_of_every_source_are_shown_with_their_lines(place: Place) -> None:
    place.put("base/base.d/10", WARNED)
    place.put("a.ign", text(about=merging(dataurl.encode(WARNED.encode()))).replace("}}", '}, "more": 1}', 1))
    status, _, err = place.run("a.ign", "--base-dir", "base")
    assert status == 0
    shown = [line for line in err.splitlines() if ": warning: " in line]
    assert [line.partition(": warning: ")[0] for line in shown] == [
        "base/base.d/10:1:36",
        f"a.ign:1:{(place.top / 'a.ign').read_text().index('more')}",
        "data:… (reference 1 of a.ign):1:36",
    ]
    assert f"    1 | {WARNED}" in err.splitlines()


@pytest.mark.parametrize("where", ["file", "reference", "base"])
def test_invalid_source_ends_it_with_its_errors(place: Place, where: str) -> None:
    place.put("bad.ign", BAD)
    words = ["bad.ign"]
    name = "bad.ign"
    if where == "reference":
        words, name = [place.put("a.ign", text(about=merging(dataurl.encode(BAD.encode()))))], "data:… (reference 1 of a.ign)"
    if where == "base":
        name = place.put("base/base.d/10", BAD)
        words = [place.put("a.ign", text()), "--base-dir", "base"]
    status, out, err = place.run(*words)
    assert (status, out) == (1, "")
    assert f"{name}:2:33: error: path is not absolute" in err
    assert err.splitlines()[-1] == f"{HERE}: {name}: the config is invalid"


def test_merged_config_that_breaks_a_rule_shows_where_its_parts_are(place: Place) -> None:
    link = {"ignition": {"version": "3.5.0"}, "storage": {"links": [{"path": "/a", "target": "b"}]}}
    place.put("a.ign", text("/a/c", about=merging(dataurl.encode(json.dumps(link).encode()))))
    status, out, err = place.run("a.ign")
    column = (place.top / "a.ign").read_text().index('"/a/c"') + 1
    assert (status, out) == (1, "")
    assert err.splitlines()[0].startswith(f"a.ign:1:{column}: error: its path lies below a link of this config")
    assert err.splitlines()[-1] == f"{HERE}: the merged config is invalid; a boot would fail"


def test_several_configs_are_laid_over_each_other_in_order(place: Place) -> None:
    referring = text("/a", "/both", mode=0o600, about=merging(dataurl.encode(text("/more").encode())))
    place.put("a.ign", referring)
    place.put("b.ign", text("/both", "/b", mode=0o644))
    place.put("base/base.d/10", text("/base"))
    files = place.rendered("a.ign", "b.ign", "--base-dir", "base")["storage"]["files"]
    assert {file["path"]: file.get("mode") for file in files} == {
        "/base": None,
        "/more": None,
        "/a": 0o600,
        "/both": 0o644,
        "/b": 0o644,
    }
    _, origins, _ = place.run("a.ign", "b.ign", "--origin")
    assert re.search(r"/both.*# b\.ign:1:", origins) and re.search(r"\"/a\".*# a\.ign:1:", origins)


def test_error_in_one_of_several_configs_is_at_its_own_place(place: Place) -> None:
    status, out, err = place.run(place.put("a.ign", text("/a")), place.put("b.ign", "\n" + text("relative")))
    assert (status, out) == (1, "")
    column = text("relative").index('"relative"') + 1
    assert err.startswith(f"b.ign:2:{column}: error: ")
    assert err.splitlines()[-1] == f"{HERE}: b.ign: the config is invalid"


def test_configs_that_are_invalid_only_together_show_the_place_of_each(place: Place) -> None:
    link = {"ignition": {"version": "3.5.0"}, "storage": {"links": [{"path": "/a", "target": "b"}]}}
    place.put("b.ign", json.dumps(link))
    status, out, err = place.run(place.put("a.ign", text("/a/c")), "b.ign")
    assert (status, out) == (1, "")
    assert err.startswith("a.ign:1:67: error: its path lies below a link of this config")
    assert err.splitlines()[-1] == f"{HERE}: the configs are invalid together; a boot would fail"


def test_result_over_a_base_that_breaks_a_rule_is_printed_and_shown(place: Place) -> None:
    place.put(
        "base/base.d/10", json.dumps({"ignition": {"version": "3.5.0"}, "storage": {"links": [{"path": "/a", "target": "b"}]}})
    )
    status, out, err = place.run(place.put("a.ign", text("/a/c")), "--base-dir", "base")
    assert (status, json.loads(out)["storage"]["files"]) == (1, [{"path": "/a/c"}])
    assert err.startswith("a.ign:1:67: error: its path lies below a link of this config")


OLD = json.dumps(
    {
        "ignition": {"version": "2.3.0"},
        "storage": {
            "filesystems": [{"name": "data", "mount": {"device": "/dev/b", "format": "ext4", "wipeFilesystem": True}}],
            "files": [{"filesystem": "data", "path": "/a", "mode": 420}, {"filesystem": "root", "path": "/b", "mode": 420}],
        },
    }
)


def test_2x_config_is_said_in_3x(place: Place) -> None:
    result = place.rendered(place.put("a.ign", OLD), "--filesystem", "data=/var/data")
    assert [file["path"] for file in result["storage"]["files"]] == ["/var/data/a", "/b"]
    assert result["storage"]["filesystems"] == [
        {"device": "/dev/b", "format": "ext4", "path": "/var/data", "wipeFilesystem": True}
    ]


def test_what_3x_cannot_say_is_named_and_the_rest_is_printed(place: Place) -> None:
    status, out, err = place.run(place.put("a.ign", OLD))
    column = OLD.index('"data", "path"') + 1
    assert (status, [file["path"] for file in json.loads(out)["storage"]["files"]]) == (1, ["/b"])
    assert err.splitlines()[:2] == [
        f"a.ign:1:{column}: error: spec 3.x cannot express that /a is on the file system 'data' (/dev/b), "
        "only its path in the new root",
        "  at $.storage.files.0.filesystem",
    ]
    assert err.splitlines()[-1] == "  fix: --filesystem data=PATH sets its mount point"


def test_what_only_2x_allows_is_shown_at_its_source(place: Place) -> None:
    config = {"ignition": {"version": "2.2.0"}, "passwd": {"users": [{"name": "a"}, {"name": "a"}]}}
    status, out, err = place.run(place.put("a.ign", json.dumps(config)))
    assert (status, len(json.loads(out)["passwd"]["users"])) == (1, 2)
    assert "a.ign:1:" in err and "error: duplicate: users.0 has the same name" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["none.ign"], "none.ign: the config cannot be read: No such file or directory", id="no file"),
        pytest.param(["a.ign", "--base-dir", "none"], "none: directory does not exist", id="no directory"),
        pytest.param(["ftp://config.example/"], "the scheme 'ftp' is not supported", id="scheme"),
        pytest.param(["looping.ign"], "configs refer to each other in a loop", id="loop"),
    ],
)
def test_what_cannot_be_had_is_said(place: Place, words: list[str], message: str) -> None:
    place.put("a.ign", text())
    with serving({}) as server:
        here = f"{server.url}/a"
        server.replies = {"/a": [Reply(body=text(about=merging(here)).encode())]}
        place.put("looping.ign", text(about=merging(here)))
        status, out, err = place.run(*words)
    assert (status, out) == (1, "")
    assert err.startswith(f"{HERE}: ") and message in err


def test_nothing_but_the_result_is_written(place: Place) -> None:
    place.put("a.ign", text("/a"))
    before = sorted(str(path) for path in place.top.rglob("*"))
    place.run("a.ign", "--base-dir", ".")
    assert sorted(str(path) for path in place.top.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["-", "a", "-"], "standard input (-) can be given only once", id="standard input twice"),
        pytest.param(["--own"], "unknown flag --own", id="flag"),
        pytest.param(["--filesystem", "data"], "'data' is not NAME=PATH with an absolute path", id="no path"),
        pytest.param(["--filesystem", "data=d"], "'data=d' is not NAME=PATH with an absolute path", id="relative path"),
        pytest.param(["--fetch-timeout", "90"], "'90' is not a duration", id="duration"),
    ],
)
def test_wrong_usage_is_2(place: Place, words: list[str], message: str) -> None:
    status, out, err = place.run(*words)
    assert (status, out) == (2, "")
    assert message in err.splitlines()[0]
    assert PROGRAM.usage_text() in err


def test_help_lists_the_flags(place: Place) -> None:
    status, out, _ = place.run("--help")
    assert (status, out.splitlines()[0]) == (0, PROGRAM.usage_text())
    assert "\n  -base-dir DIRECTORY " in out


CLC = """etcd:
  name: one
storage:
  files:
    - path: /a
      mode: 0600
      contents:
        remote:
          url: https://example.com/a
"""
BUTANE = """variant: flatcar
version: 1.1.0
storage:
  filesystems:
    - device: /dev/vdb
      format: ext4
      path: /srv
      with_mount_unit: true
"""


def test_origins_in_a_container_linux_config(place: Place) -> None:
    place.put("a.yaml", CLC)
    status, out, err = place.run("a.yaml", "--origin")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert '$.storage.files.0.path = "/a"  # a.yaml:5:13' in lines
    assert '$.storage.files.0.contents.source = "https://example.com/a"  # a.yaml:9:16' in lines
    assert "$.storage.files.0.mode = 384  # a.yaml:6:13" in lines
    assert '$.systemd.units.0.name = "etcd-member.service"  # a.yaml:2:3' in lines


def test_origins_in_butane(place: Place) -> None:
    place.put("a.bu", BUTANE)
    status, out, err = place.run("a.bu", "--origin")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert '$.storage.filesystems.0.format = "ext4"  # a.bu:6:15' in lines
    assert '$.systemd.units.0.name = "srv.mount"  # a.bu:8:24' in lines


def test_what_is_wrong_in_yaml_is_shown_there(place: Place) -> None:
    place.put("a.yaml", CLC.replace("/a\n      mode", "a\n      mode"))
    status, out, err = place.run("a.yaml")
    assert (status, out) == (1, "")
    assert "a.yaml:5:13: error: path is not absolute" in err and "    5 |     - path: a\n      |             ^\n" in err


def test_dynamic_data_of_a_platform(place: Place) -> None:
    place.put("a.yaml", CLC.replace("one", "'{HOSTNAME}'"))
    status, _, err = place.run("a.yaml")
    assert status == 1 and "platform must be specified to use templating" in err
    units = place.rendered("a.yaml", "--platform", "packet")["systemd"]["units"]
    assert '--name="${COREOS_PACKET_HOSTNAME}"' in units[0]["dropins"][0]["contents"]


class Terminal(io.StringIO):
    """Somebody sits there."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variable", "value", "coloured"), [("NO_COLOR", "1", False), ("NO_COLOR", "", True), ("TERM", "dumb", False)]
)
def test_colours_are_for_terminals_of_people_who_want_them(
    place: Place, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, *, coloured: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    assert main(["render", place.put("a.ign", BAD)]) == 1
    assert ("\x1b[" in stream.getvalue()) == coloured
    assert "path is not absolute" in stream.getvalue()


def test_given_timeout_holds_for_what_is_referred_to(place: Place) -> None:
    """A config that lets its machine wait for ten minutes, and a person who does not."""
    with serving({"/busy": Reply(503)}) as server:
        about = merging(f"{server.url}/busy") | {"timeouts": {"httpTotal": 600}}
        begin = time.monotonic()
        status, _, err = place.run(place.put("a.ign", text(about=about)), "-fetch-timeout=1s")
    assert status == 1
    assert time.monotonic() - begin < 60
    assert f"{server.url}/busy: HTTP status 503" in err and ", limit 1 s)" in err


def test_person_at_a_terminal_sees_why_it_takes_so_long(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "ON_TERMINAL_S", 0.1)
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    with serving({"/busy": [*[Reply(503)] * 3, Reply(body=text().encode())]}) as server:
        assert main(["render", f"{server.url}/busy", "-fetch-timeout=60s"]) == 0
    progress.to(None)
    told = stream.getvalue().splitlines()
    waiting = rf"ignition render: waiting for GET {server.url}/busy: HTTP status 503 .*\(attempt \d+, [56][0-9] s left\); .*"
    assert any(re.fullmatch(waiting, line) for line in told), told
