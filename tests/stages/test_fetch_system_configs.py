"""The image's own configs: base.d, base.platform.d, user.ign."""

import os

import pytest

from ignition.config.model import Config
from ignition.errors import Failure
from ignition.rendering import system_configs
from tests.stages.conftest import Boot
from tests.stages.test_fetch import config, file_named


def base_files(platform: str = "file") -> list[tuple[str, int | None]]:
    return [(entry.path, entry.mode) for entry in system_configs.base(platform).storage.files]


def mode(number: int) -> str:
    return config(storage={"files": [{"path": "/a", "mode": number}]})


def test_no_fragments_is_a_blank_base(boot: Boot) -> None:
    assert base_files() == []


def test_fragments_are_merged_in_order_of_their_names(boot: Boot) -> None:
    boot.fragment("base.d/20", mode(20))
    boot.fragment("base.d/10.json", mode(10))
    boot.fragment("base.d/Z", file_named("z"))
    boot.fragment("base.d/a", file_named("b"))
    assert base_files() == [("/a", 20), ("/z", None), ("/b", None)]


@pytest.mark.parametrize(("present", "winner"), [(["usr"], 3), (["usr", "etc"], 2), (["usr", "etc", "run"], 1)])
def test_same_name_in_a_higher_directory_hides_the_lower(boot: Boot, present: list[str], winner: int) -> None:
    for number, directory in enumerate(("run", "etc", "usr"), start=1):
        if directory in present:
            boot.fragment("base.d/10", mode(number), directory)
    assert base_files() == [("/a", winner)]


def test_platforms_fragments_win_over_the_common_ones(boot: Boot) -> None:
    boot.fragment("base.platform.d/file/10", mode(2))
    boot.fragment("base.platform.d/aws/10", mode(3))
    boot.fragment("base.d/99", mode(1))
    assert base_files() == [("/a", 2)]


@pytest.mark.parametrize(
    "about",
    [
        {"config": {"merge": [{"source": "http://config.example/"}]}},
        {"config": {"replace": {"source": "http://config.example/"}}},
        {"proxy": {"httpProxy": "http://config.example/"}},
        {"timeouts": {"httpTotal": 1}},
        {"security": {"tls": {"certificateAuthorities": [{"source": "http://config.example/"}]}}},
    ],
    ids=lambda about: next(iter(about)),
)
def test_what_a_fragment_says_about_fetching_does_not_count(boot: Boot, about: dict[str, object]) -> None:
    boot.fragment("base.d/10", config(ignition={"version": "3.5.0"} | about))
    assert system_configs.base("file") == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "the base config is empty", id="empty"),
        pytest.param("{", "the config is invalid, 1 error", id="broken"),
        pytest.param("#!/bin/sh\n", "the base config is empty", id="script"),
    ],
)
def test_broken_fragment_fails_with_its_path(boot: Boot, text: str, message: str) -> None:
    boot.fragment("base.d/10.ign", text)
    with pytest.raises(Failure, match=message) as caught:
        system_configs.base("file")
    assert str(boot.top / "usr/base.d/10.ign") in str(caught.value)


@pytest.mark.parametrize("kind", ["directory", "dangling link"])
def test_entry_that_is_no_file_fails_with_its_path(boot: Boot, kind: str) -> None:
    path = boot.top / "usr/base.d/10"
    path.parent.mkdir(parents=True)
    if kind == "directory":
        path.mkdir()
    else:
        os.symlink("nowhere", path)
    with pytest.raises(Failure, match="the base config cannot be read: ") as caught:
        system_configs.base("file")
    assert caught.value.where == str(path)


def test_broken_platform_fragment_leaves_out_all_of_the_platform(boot: Boot, capsys: pytest.CaptureFixture[str]) -> None:
    boot.fragment("base.d/10", mode(1))
    boot.fragment("base.platform.d/file/10", mode(2))
    boot.fragment("base.platform.d/file/20", "{")
    assert base_files() == [("/a", 1)]
    assert "the base configs of platform file are ignored: " in capsys.readouterr().out


def test_user_ign_that_cannot_be_read_fails(boot: Boot) -> None:
    (boot.top / "etc" / "user.ign").mkdir(parents=True)
    with pytest.raises(Failure, match="the config cannot be read: Is a directory") as caught:
        system_configs.user()
    assert caught.value.where == str(boot.top / "etc/user.ign")


def test_user_ign_may_be_empty_or_absent(boot: Boot) -> None:
    assert system_configs.user() is None
    boot.fragment("user.ign", "")
    assert system_configs.user() == (str(boot.top / "usr/user.ign"), b"")


def test_other_directories_take_the_place_of_the_machines(boot: Boot) -> None:
    boot.fragment("base.d/10", mode(1))
    boot.fragment("user.ign", mode(1))
    boot.fragment("base.d/10", mode(2), "own/low")
    boot.fragment("base.d/10", mode(3), "own/high")
    boot.fragment("base.platform.d/aws/10", file_named("z"), "own/low")
    boot.fragment("user.ign", mode(4), "own/low")
    own = [str(boot.top / "own/high"), str(boot.top / "own/low")]
    assert [entry.path for entry in system_configs.base("aws", own).storage.files] == ["/a", "/z"]
    assert [entry.mode for entry in system_configs.base("", own).storage.files] == [3]
    assert system_configs.user(own) == (f"{own[1]}/user.ign", mode(4).encode())
    assert (system_configs.base("aws", []), system_configs.user([])) == (Config(), None)
