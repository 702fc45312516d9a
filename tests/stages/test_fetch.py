"""The fetch stage: which source wins, what is written, what is said."""

import gzip
import hashlib
import json
import re
from collections.abc import Callable

import pytest
import zstandard

from ignition.config.model import Config
from ignition.config.parse import parse
from ignition.errors import Failure, InvalidConfig, NotFound
from ignition.rendering.render import load_for_stage
from ignition.stages import fetch
from tests.fetch.server import Reply, serving
from tests.stages.conftest import Boot

SMALL = '{"ignition":{"version":"3.5.0"}}'
OLD = '{"ignition":{"version":"2.2.0"}}'


def config(**sections: object) -> str:
    return json.dumps({"ignition": {"version": "3.5.0"}} | sections)


def file_named(name: str) -> str:
    return config(storage={"files": [{"path": f"/{name}"}]})


def cached_files(boot: Boot) -> list[str]:
    storage = boot.cache().get("storage", {})
    assert isinstance(storage, dict)
    return [entry["path"] for entry in storage.get("files", [])]


def test_config_is_cached_with_tight_mode_and_its_digest(boot: Boot) -> None:
    boot.config(file_named("a"))
    boot.execute("fetch")
    assert cached_files(boot) == ["/a"]
    cache = boot.run / "cache.json"
    assert cache.stat().st_mode & 0o777 == 0o600
    assert (boot.run / "config.sha512").read_text() == hashlib.sha512(cache.read_bytes()).hexdigest() + "\n"
    assert boot.files() == {"cache.json", "config.sha512", "texts", "state", "operations.jsonl"}


@pytest.mark.parametrize("text", [SMALL, OLD], ids=["3.5.0", "2.2.0"])
def test_minimal_config_leaves_no_work(boot: Boot, text: str) -> None:
    boot.config(text)
    boot.execute("fetch")
    assert not {name for name in boot.files() if name.startswith("need-")}


def btrfs(subvolume: dict[str, str]) -> dict[str, object]:
    return {"device": "/dev/vdb", "format": "btrfs", "x-coreos": {"subvolumes": [subvolume]}}


@pytest.mark.parametrize(
    ("sections", "marks"),
    [
        ({"kernelArguments": {"shouldExist": ["a"]}}, {"need-kargs"}),
        ({"kernelArguments": {"shouldNotExist": ["a"]}}, {"need-kargs"}),
        ({"storage": {"disks": [{"device": "/dev/vdb"}]}}, {"need-disks"}),
        ({"storage": {"raid": [{"name": "a", "level": "raid1", "devices": ["/dev/vdb"]}]}}, {"need-disks"}),
        ({"storage": {"luks": [{"name": "a", "device": "/dev/vdb"}]}}, {"need-disks"}),
        ({"storage": {"filesystems": [{"device": "/dev/vdb", "format": "ext4"}]}}, {"need-disks"}),
        ({"storage": {"filesystems": [{"device": "/dev/vdb", "format": "swap"}]}}, {"need-disks"}),
        ({"storage": {"filesystems": [{"device": "/dev/vdb", "format": "swap", "path": "/var"}]}}, {"need-disks"}),
        ({"storage": {"filesystems": [{"device": "/dev/vdb", "format": "none", "path": "/var"}]}}, {"need-disks"}),
        ({"storage": {"filesystems": [{"device": "/dev/vdb", "format": "ext4", "path": "/var"}]}}, {"need-disks", "need-mount"}),
        ({"storage": {"filesystems": [btrfs({"path": "/@a"})]}}, {"need-disks"}),
        ({"storage": {"filesystems": [btrfs({"path": "/@a", "mountPath": "/a"})]}}, {"need-disks", "need-mount"}),
        ({"storage": {"files": [{"path": "/a"}]}}, set()),
    ],
    ids=str,
)
def test_stages_with_work_are_marked(boot: Boot, sections: dict[str, object], marks: set[str]) -> None:
    boot.config(config(**sections))
    for stale in ("need-kargs", "need-disks", "need-mount"):
        (boot.run / stale).touch()
    boot.execute("fetch")
    assert {name for name in boot.files() if name.startswith("need-")} == marks


def test_work_of_the_base_config_is_marked_but_not_cached(boot: Boot) -> None:
    boot.config(SMALL)
    boot.fragment("base.d/10.ign", config(storage={"disks": [{"device": "/dev/vdb"}]}))
    boot.execute("fetch")
    assert "need-disks" in boot.files()
    assert "storage" not in boot.cache()


def test_empty_config_is_a_blank_one(boot: Boot) -> None:
    boot.config("")
    boot.execute("fetch")
    assert boot.cache() == {"ignition": {"version": "3.7.0-experimental"}}
    assert json.loads((boot.run / "state").read_text()) == {
        "fetchedConfigs": [{"kind": "base", "source": "system", "referenced": False}]
    }


def test_platform_without_a_config_of_its_own_is_blank(boot: Boot) -> None:
    boot.execute("fetch", platform="metal")
    assert boot.cache() == {"ignition": {"version": "3.7.0-experimental"}}


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_packed_config_is_accepted(boot: Boot, pack: Callable[[bytes], bytes]) -> None:
    (boot.top / "config.ign").write_bytes(pack(file_named("a").encode()))
    boot.execute("fetch")
    assert cached_files(boot) == ["/a"]


def test_compressed_config_that_is_cut_is_refused(boot: Boot) -> None:
    (boot.top / "config.ign").write_bytes(gzip.compress(file_named("a").encode())[:-3])
    with pytest.raises(Failure, match="^platform file: the gzip data ends early"):
        boot.execute("fetch")


@pytest.mark.parametrize("text", ["#cloud-config\nusers: []\n", "#!/bin/sh\ntrue\n"])
def test_user_data_for_cloudinit_is_no_config(boot: Boot, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    boot.config(text)
    boot.execute("fetch")
    assert boot.cache() == {"ignition": {"version": "3.7.0-experimental"}}
    assert "WARNING  : platform file: warning: " in capsys.readouterr().out


@pytest.mark.parametrize("option", ["ignition.config.url", "coreos.config.url", "flatcar.config.url"])
def test_url_of_the_kernel_command_line_comes_first(boot: Boot, option: str) -> None:
    boot.config(file_named("platform"))
    boot.fragment("user.ign", file_named("system"))
    with serving({"/a": Reply(body=file_named("cmdline").encode())}) as server:
        boot.cmdline(f'quiet ignition.config.url=http://127.0.0.1:1/ {option}="{server.url}/a"')
        boot.execute("fetch")
        assert server.requests[0].headers["User-Agent"].startswith("Ignition/")
    assert cached_files(boot) == ["/cmdline"]


def test_user_ign_comes_before_the_platform(boot: Boot) -> None:
    boot.config(file_named("platform"))
    boot.fragment("user.ign", file_named("usr"))
    boot.fragment("user.ign", file_named("etc"), "etc")
    boot.execute("fetch")
    assert cached_files(boot) == ["/etc"]


def test_broken_user_ign_is_refused_with_its_path(boot: Boot) -> None:
    boot.fragment("user.ign", "{")
    with pytest.raises(InvalidConfig, match=re.escape(str(boot.top / "usr/user.ign: error at "))):
        boot.execute("fetch")


def test_url_on_the_command_line_that_is_none_is_refused(boot: Boot) -> None:
    boot.cmdline("ignition.config.url=config.example/a")
    with pytest.raises(Failure) as caught:
        boot.execute("fetch")
    assert caught.value.what == "not a URL: the scheme is missing"
    assert caught.value.where == "kernel command line: config.example/a"


def test_missing_config_url_is_an_error_and_no_cache(boot: Boot) -> None:
    with serving({}) as server:
        boot.cmdline(f"ignition.config.url={server.url}/a")
        with pytest.raises(NotFound):
            boot.execute("fetch")
    assert boot.files() == {"operations.jsonl"}
    record = json.loads((boot.run / "operations.jsonl").read_text())
    assert (record["stage"], record["operation"], record["result"]) == ("fetch", "fetch", "failed")
    assert record["cause"] == f"{server.url}/a: HTTP status 404 Not Found (fix: check the URL)"


def test_fetch_timeout_bounds_the_config(boot: Boot) -> None:
    with serving({"/a": Reply(503)}) as server:
        boot.cmdline(f"ignition.config.url={server.url}/a")
        with pytest.raises(Failure, match=r"HTTP status 503 .* limit 2 s\)"):
            boot.execute("fetch", timeout_s=2)


def test_invalid_config_lists_all_errors_with_their_places(boot: Boot) -> None:
    boot.config(
        '{"ignition":{"version":"3.5.0"},\n "storage":{"files":[\n  {"path":"a"},\n  {"path":"/b/../c"},\n  {"mode":99999}]}}'
    )
    with pytest.raises(InvalidConfig) as caught:
        boot.execute("fetch")
    lines = str(caught.value).splitlines()
    assert re.fullmatch(r"the config is invalid, \d errors:", lines[0])
    rows = [line for line in lines if line.startswith("platform file: error at $.storage.files.")]
    places = [re.search(r"\$\.storage\.files\.(\d)\.?\w*, line (\d) col \d+: ", row) for row in rows]
    assert {(found[1], found[2]) for found in places if found} == {("0", "3"), ("1", "4"), ("2", "5")}
    assert boot.files() == {"operations.jsonl", "warnings.jsonl"}  # the config has a warning as well


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('{"ignition":{"version":"9.9.9"}}', "9.9.9", id="unknown"),
        pytest.param('{"ignition":{"version":"3"}}', "'3' is not a version", id="unparsable"),
    ],
)
def test_config_of_another_version_is_refused(boot: Boot, text: str, message: str) -> None:
    boot.config(text)
    with pytest.raises(InvalidConfig, match=rf"platform file: error at \$\.ignition\.version, line 1 col 24: .*{message}"):
        boot.execute("fetch")


def test_warnings_are_logged_with_their_place(boot: Boot, capsys: pytest.CaptureFixture[str]) -> None:
    boot.config(config(storage={"files": [{"path": "/a", "colour": "secret"}]}))
    boot.execute("fetch")
    shown = capsys.readouterr().out
    assert re.search(r"WARNING *: .*platform file: warning at \$\.storage\.files\.0\.colour, line 1 col \d+: ", shown)


def test_config_never_appears_in_the_log(boot: Boot, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "correct-horse-battery"
    with serving({"/c": Reply(body=file_named(secret).encode())}) as server:
        boot.config(config(ignition={"version": "3.5.0", "config": {"merge": [{"source": f"{server.url}/c?key={secret}"}]}},
                           passwd={"users": [{"name": "core", "passwordHash": secret}]}))  # fmt: skip
        boot.execute("fetch")
    assert cached_files(boot) == [f"/{secret}"]
    assert secret not in capsys.readouterr().out
    assert secret not in (boot.run / "operations.jsonl").read_text()
    assert secret not in (boot.run / "state").read_text()


def test_state_and_journal_name_every_config(boot: Boot, capsys: pytest.CaptureFixture[str]) -> None:
    with serving({"/sub/c": Reply(body=SMALL.encode())}) as server:
        merge = [
            {"source": f"{server.url}/sub/c?x"},
            {"source": f"data:,{SMALL.replace('{', '%7B').replace('}', '%7D').replace(chr(34), '%22')}"},
        ]
        boot.config(config(ignition={"version": "3.5.0", "config": {"merge": merge}}))
        boot.execute("fetch")
    assert json.loads((boot.run / "state").read_text())["fetchedConfigs"] == [
        {"kind": "base", "source": "system", "referenced": False},
        {"kind": "user", "source": "file", "referenced": False},
        {"kind": "user", "source": "/sub/c", "referenced": True},
        {"kind": "user", "source": "", "referenced": True},
    ]
    shown = [line.partition(": ")[2].strip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in shown if line.startswith("fetched ")] == [
        'fetched base config from "system"',
        'fetched user config from "file"',
        'fetched referenced user config from "/sub/c"',
        'fetched referenced user config from ""',
    ]


def test_journal_entry_has_ignitions_fields(boot: Boot, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, object]] = []
    monkeypatch.setattr("ignition.host.log.send", lambda priority, message, **fields: sent.append({"M": message} | fields))
    boot.config(SMALL)
    boot.execute("fetch")
    assert [entry for entry in sent if "MESSAGE_ID" in entry][1] == {
        "M": 'fetched user config from "file"',
        "MESSAGE_ID": "57124006b5c94805b77ce473e92a8aeb",
        "IGNITION_CONFIG_TYPE": "user",
        "IGNITION_CONFIG_SRC": "file",
        "IGNITION_CONFIG_REFERENCED": "false",
    }


def test_second_fetch_changes_nothing(boot: Boot) -> None:
    boot.config(file_named("a"))
    boot.execute("fetch")
    first = {name: (boot.run / name).read_bytes() for name in boot.files() if name != "operations.jsonl"}
    boot.execute("fetch")
    assert {name: (boot.run / name).read_bytes() for name in boot.files() if name != "operations.jsonl"} == first


def test_authorities_are_cached_with_their_content(boot: Boot) -> None:
    pem = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    with serving({"/ca": Reply(body=gzip.compress(pem))}) as server:
        authority = {
            "source": f"{server.url}/ca",
            "compression": "gzip",
            "verification": {"hash": f"sha512-{hashlib.sha512(pem).hexdigest()}"},
        }
        boot.config(config(ignition={"version": "3.5.0", "security": {"tls": {"certificateAuthorities": [authority]}}}))
        boot.execute("fetch")
    ignition = boot.cache()["ignition"]
    assert isinstance(ignition, dict)
    (cached,) = ignition["security"]["tls"]["certificateAuthorities"]
    assert cached.keys() == {"source", "verification"}
    assert cached["source"].startswith("data:;base64,")


def test_later_stage_gets_the_user_config_over_the_base(boot: Boot) -> None:
    boot.fragment("base.d/10.ign", file_named("base"))
    boot.fragment("base.platform.d/file/10.ign", config(storage={"files": [{"path": "/base", "mode": 256}]}))
    boot.config(file_named("user"))
    boot.execute("fetch")
    loaded = load_for_stage(str(boot.run / "cache.json"), "file")
    assert [(entry.path, entry.mode) for entry in loaded.storage.files] == [("/base", 256), ("/user", None)]


def test_later_stage_without_cache_is_refused(boot: Boot) -> None:
    with pytest.raises(Failure) as caught:
        load_for_stage(str(boot.run / "cache.json"), "file")
    assert caught.value.what == "there is no cached config"
    assert caught.value.where == str(boot.run / "cache.json")


def test_blank_config_is_no_work() -> None:
    assert fetch.work(Config()) == {"need-kargs": False, "need-disks": False, "need-mount": False}
    assert parse(SMALL.encode()).config is not None


def test_missing_feature_of_the_initramfs_refuses_the_config_before_anything_is_cached(
    boot: Boot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IGNITION_FEATURES_PATH", str(boot.top / "features"))
    (boot.top / "features").write_text("luks\nxfs\n")
    boot.config(config(storage={"filesystems": [{"device": "/dev/sda", "format": "btrfs"}]}))
    refusal = r'platform file:1:\d+ \(\$\.storage\.filesystems\.0\.format\): .* without the feature "btrfs"'
    with pytest.raises(Failure, match=refusal) as failure:
        boot.execute("fetch")
    assert failure.value.lasting
    assert not (boot.run / "cache.json").exists() and not list(boot.run.glob("need-*"))
    (boot.top / "features").write_text("btrfs\n")
    boot.execute("fetch")
    assert (boot.run / "need-disks").exists()


@pytest.mark.parametrize("named", ["cmdline", "config"])
def test_receiver_of_reports_is_kept_for_the_end_of_the_boot(boot: Boot, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IGNITION_RUN_UNITS", str(boot.run / "units"))
    about: dict[str, object] = {"version": "3.5.0", "proxy": {"httpsProxy": "https://proxy.example"}}
    if named == "config":
        about["x-coreos"] = {"report": {"url": "https://hook.example"}}
    else:
        boot.cmdline("ignition.report.url=https://hook.example")
    boot.config(config(ignition=about, passwd={"users": [{"name": "secret"}]}))
    boot.execute("fetch")
    kept = json.loads((boot.run / "report-to.json").read_text())
    assert kept["ignition"]["proxy"] == {"httpsProxy": "https://proxy.example"} and list(kept) == ["ignition"]
    assert (boot.run / "units/multi-user.target.wants/ignition-report.service").is_symlink()


def test_receiver_of_reports_that_cannot_be_kept_fails_nothing(boot: Boot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IGNITION_RUN_UNITS", "/dev/null/units")
    boot.config(config(ignition={"version": "3.5.0", "x-coreos": {"report": {"url": "https://hook.example"}}}))
    boot.execute("fetch")
    assert cached_files(boot) == []
