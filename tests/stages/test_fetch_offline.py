"""The fetch-offline stage: what needs the network asks for it, and nothing is fetched."""

import json

import pytest

from ignition.errors import Failure, InvalidConfig
from tests.fetch.server import Reply, serving
from tests.stages.conftest import Boot
from tests.stages.test_fetch import config, file_named

NEEDNET = "net/neednet"


def test_local_config_needs_no_network(boot: Boot) -> None:
    boot.config(file_named("a"))
    boot.execute("fetch-offline")
    assert boot.files() == {"cache.json", "config.sha512", "texts", "state", "operations.jsonl"}


@pytest.mark.parametrize(
    ("platform", "cmdline"),
    [
        pytest.param("aws", "quiet", id="platform"),
        pytest.param("file", "ignition.config.url=http://config.example/a?token=secret", id="http"),
        pytest.param("file", "ignition.config.url=tftp://config.example/a?token=secret", id="tftp"),
    ],
)
def test_config_on_the_network_asks_for_it_and_caches_nothing(
    boot: Boot, platform: str, cmdline: str, capsys: pytest.CaptureFixture[str]
) -> None:
    boot.config(file_named("a"))
    boot.cmdline(cmdline)
    boot.execute("fetch-offline", platform=platform)
    assert boot.files() == {NEEDNET, "operations.jsonl"}
    assert (boot.run / NEEDNET).read_bytes() == b""
    record = json.loads((boot.run / "operations.jsonl").read_text())
    assert record["result"] == "done"
    shown = capsys.readouterr().out
    assert "the network is needed: " in shown
    assert "CRITICAL" not in shown
    assert "secret" not in shown


@pytest.mark.parametrize(
    "about",
    [
        pytest.param({"config": {"merge": [{"source": "http://config.example/a"}]}}, id="merge"),
        pytest.param({"config": {"replace": {"source": "https://config.example/a"}}}, id="replace"),
        pytest.param({"security": {"tls": {"certificateAuthorities": [{"source": "http://config.example/a"}]}}}, id="authority"),
    ],
)
def test_reference_on_the_network_asks_for_it_and_caches_nothing(boot: Boot, about: dict[str, object]) -> None:
    boot.config(config(ignition={"version": "3.5.0"} | about))
    boot.execute("fetch-offline")
    assert boot.files() == {NEEDNET, "operations.jsonl"}


@pytest.mark.parametrize("place", ["user", "base"])
def test_config_whose_files_are_on_the_network_is_cached_and_asks_for_it(boot: Boot, place: str) -> None:
    remote = config(storage={"files": [{"path": "/a", "contents": {"source": "http://config.example/a"}}]})
    boot.config(remote if place == "user" else file_named("b"))
    if place == "base":
        boot.fragment("base.d/a", remote)
    boot.execute("fetch-offline")
    assert boot.files() == {NEEDNET, "cache.json", "config.sha512", "texts", "state", "operations.jsonl"}


def test_config_on_the_command_line_itself_needs_no_network_even_on_aws(boot: Boot) -> None:
    boot.cmdline('ignition.config.url="data:,%7B%22ignition%22:%7B%22version%22:%223.5.0%22%7D%7D"')
    boot.execute("fetch-offline", platform="aws")
    assert NEEDNET not in boot.files()
    assert "cache.json" in boot.files()


def test_nothing_is_fetched(boot: Boot) -> None:
    with serving({"/a": Reply(body=file_named("a").encode())}) as server:
        boot.cmdline(f"ignition.config.url={server.url}/a")
        boot.execute("fetch-offline")
        assert server.requests == []
        boot.execute("fetch")
        assert server.paths() == ["/a"]
    assert "cache.json" in boot.files()


def test_wrong_config_fails_at_once(boot: Boot) -> None:
    boot.config("{")
    with pytest.raises(InvalidConfig):
        boot.execute("fetch-offline")
    assert boot.files() == {"operations.jsonl"}


@pytest.mark.parametrize("platform", ["stackit", "__init__"])
def test_unknown_platform_fails_at_once(boot: Boot, platform: str) -> None:
    with pytest.raises(Failure, match=f"unknown platform '{platform}'"):
        boot.execute("fetch-offline", platform=platform)
