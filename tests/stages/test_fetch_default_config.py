"""default.ign in the user config's place, and base.ign below all others: what Container Linux's images bring."""

import hashlib
import json

import pytest

from ignition.config.model import Config
from ignition.config.parse import parse
from ignition.errors import Failure, InvalidConfig
from ignition.rendering import system_configs
from ignition.rendering.render import load_for_stage
from tests.fetch.server import Reply, serving
from tests.stages.conftest import Boot
from tests.stages.test_fetch import cached_files, config, file_named

MIME = 'Content-Type: multipart/mixed; boundary="b"\nMIME-Version: 1.0\n\n--b\nContent-Type: text/plain\n\n#!/bin/sh\n--b--\n'
NO_CONFIGS = {"empty": "", "cloud-config": "#cloud-config\nusers: []\n", "script": "#!/bin/sh\ntrue\n", "multipart": MIME}


def old(*files: dict[str, object], **sections: object) -> str:
    """A 2.2.0 config; the files are on the file system root."""
    storage = {"files": [{"filesystem": "root", "mode": 420} | file for file in files]}
    return json.dumps({"ignition": {"version": "2.2.0"}, "storage": storage} | sections)


def sources(boot: Boot) -> list[tuple[str, str, bool]]:
    configs = json.loads((boot.run / "state").read_text())["fetchedConfigs"]
    return [(entry["kind"], entry["source"], entry["referenced"]) for entry in configs]


def staged(boot: Boot) -> Config:
    return load_for_stage(str(boot.run / "cache.json"), "file")


def parsed(text: str) -> Config:
    found = parse(text.encode()).config
    assert found is not None
    return found


@pytest.mark.parametrize("text", NO_CONFIGS.values(), ids=NO_CONFIGS)
@pytest.mark.parametrize("stage", ["fetch-offline", "fetch"])
def test_default_takes_the_place_of_no_config(boot: Boot, text: str, stage: str, capsys: pytest.CaptureFixture[str]) -> None:
    boot.config(text)
    boot.fragment("default.ign", file_named("default"))
    boot.execute(stage)
    assert cached_files(boot) == ["/default"]
    assert sources(boot) == [("base", "system", False), ("default", "system", False)]
    log = capsys.readouterr().out
    assert f"no user config from platform file: the image's {boot.top}/usr/default.ign takes its place" in log
    assert 'fetched default config from "system"' in log


def test_default_is_no_user_config_for_the_result(boot: Boot) -> None:
    from ignition.stages import state

    boot.config("")
    boot.fragment("default.ign", file_named("default"))
    boot.execute("fetch")
    assert not state.load(str(boot.run / "state")).user_config_provided()


def test_default_does_not_count_beside_a_user_config(boot: Boot) -> None:
    boot.config(config())
    boot.fragment("default.ign", "{ broken")
    boot.execute("fetch")
    assert cached_files(boot) == []
    assert sources(boot) == [("base", "system", False), ("user", "file", False)]


def test_default_counts_for_an_empty_user_ign(boot: Boot) -> None:
    boot.config(file_named("platform"))
    boot.fragment("user.ign", "")
    boot.fragment("default.ign", file_named("default"))
    boot.execute("fetch")
    assert cached_files(boot) == ["/default"]


def test_default_of_the_highest_directory_counts(boot: Boot) -> None:
    boot.config("")
    for directory in ("usr", "etc"):
        boot.fragment("default.ign", file_named(directory), directory)
    boot.execute("fetch")
    assert cached_files(boot) == ["/etc"]


@pytest.mark.parametrize("text", NO_CONFIGS.values(), ids=NO_CONFIGS)
def test_default_that_is_no_config_is_blank(boot: Boot, text: str) -> None:
    boot.config("")
    boot.fragment("default.ign", text)
    boot.execute("fetch")
    assert boot.cache() == {"ignition": {"version": "3.7.0-experimental"}}
    assert sources(boot) == [("base", "system", False)]


def test_references_of_the_default_are_followed_and_named(boot: Boot) -> None:
    boot.config("")
    with serving({"/more.ign": Reply(body=file_named("more").encode())}) as server:
        about = {"version": "3.5.0", "config": {"merge": [{"source": f"{server.url}/more.ign"}]}}
        boot.fragment("default.ign", config(ignition=about))
        boot.execute("fetch")
    assert cached_files(boot) == ["/more"]
    assert sources(boot) == [("base", "system", False), ("default", "system", False), ("default", "/more.ign", True)]


def test_broken_default_fails_with_its_path(boot: Boot) -> None:
    boot.config("")
    boot.fragment("default.ign", "{")
    with pytest.raises(InvalidConfig, match="the config is invalid, 1 error") as caught:
        boot.execute("fetch")
    assert f"{boot.top}/usr/default.ign: " in str(caught.value)
    assert boot.files() == {"operations.jsonl"}


def test_default_that_cannot_be_read_fails(boot: Boot) -> None:
    boot.config("")
    (boot.top / "usr/default.ign").mkdir(parents=True)
    with pytest.raises(Failure, match="the config cannot be read: Is a directory") as caught:
        boot.execute("fetch")
    assert caught.value.where == f"{boot.top}/usr/default.ign"


def test_base_ign_is_below_the_fragments_and_the_user_config(boot: Boot) -> None:
    def modes(*paths: str, mode: int) -> str:
        return config(storage={"files": [{"path": path, "mode": mode} for path in paths]})

    boot.fragment("base.ign", modes("/base", "/fragment", "/platform", "/user", mode=1))
    boot.fragment("base.d/00", modes("/fragment", "/platform", "/user", mode=2))
    boot.fragment("base.platform.d/file/00", modes("/platform", "/user", mode=3))
    boot.config(modes("/user", mode=4))
    boot.execute("fetch")
    assert [(file.path, file.mode) for file in staged(boot).storage.files] == [
        ("/base", 1),
        ("/fragment", 2),
        ("/platform", 3),
        ("/user", 4),
    ]


def test_base_ign_of_the_highest_directory_counts_alone(boot: Boot) -> None:
    for directory in ("usr", "etc"):
        boot.fragment("base.ign", file_named(directory), directory)
    assert [file.path for file in system_configs.base("file").storage.files] == ["/etc"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "the base config is empty", id="empty"),
        pytest.param("{", "the config is invalid, 1 error", id="broken"),
        pytest.param("#cloud-config\n", "the base config is empty", id="cloud-config"),
    ],
)
def test_broken_base_ign_fails_with_its_path(boot: Boot, text: str, message: str) -> None:
    boot.fragment("base.ign", text)
    with pytest.raises(Failure, match=message) as caught:
        system_configs.base("file")
    assert f"{boot.top}/usr/base.ign" in str(caught.value)


def test_dangling_base_ign_is_an_error(boot: Boot) -> None:
    (boot.top / "etc").mkdir()
    (boot.top / "etc/base.ign").symlink_to("nowhere")
    boot.fragment("base.ign", config())
    with pytest.raises(Failure, match="the base config cannot be read: No such file or directory") as caught:
        system_configs.base("file")
    assert caught.value.where == f"{boot.top}/etc/base.ign"


def test_references_of_base_ign_are_not_followed(boot: Boot) -> None:
    about = {"version": "2.2.0", "config": {"append": [{"source": "http://config.example/"}]}}
    boot.fragment("base.ign", old(ignition=about))
    assert system_configs.base("file").ignition.config.merge == ()


def test_old_user_config_is_appended_to_an_old_base(boot: Boot) -> None:
    hashed = {"source": "data:,base", "verification": {"hash": f"sha512-{hashlib.sha512(b'base').hexdigest()}"}}
    boot.fragment("base.ign", old({"path": "/a", "contents": hashed}, {"path": "/b"}))
    boot.config(old({"path": "/a", "contents": {"source": "data:,user"}}))
    boot.execute("fetch")
    files = staged(boot).storage.files
    assert [(file.path, file.contents.source) for file in files] == [("/a", "data:,base"), ("/b", ""), ("/a", "data:,user")]
    assert files[2].contents.verification.hash is None


@pytest.mark.parametrize(
    ("base", "user"),
    [
        pytest.param(old({"path": "/a"}), config(storage={"files": [{"path": "/a", "mode": 1}]}), id="3.x over 2.x"),
        pytest.param(config(storage={"files": [{"path": "/a", "mode": 7}]}), old({"path": "/a", "mode": 1}), id="2.x over 3.x"),
    ],
)
def test_configs_of_both_kinds_are_merged_by_path(base: str, user: str) -> None:
    found = system_configs.over(parsed(base), parsed(user))
    assert [(file.path, file.mode) for file in found.storage.files] == [("/a", 1)]


def test_fragments_of_3_x_do_not_repeat_what_an_old_base_has(boot: Boot) -> None:
    boot.fragment("base.ign", old({"path": "/a"}))
    boot.fragment("base.d/10", file_named("a"))
    boot.config(old({"path": "/a"}))
    boot.execute("fetch")
    assert [file.path for file in staged(boot).storage.files] == ["/a"]
