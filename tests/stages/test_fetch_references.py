"""replace and merge: order, settings, loops, limits, and downloads side by side."""

import gzip
import json
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from ignition.config import dataurl
from ignition.config.parse import parse
from ignition.errors import Failure, InvalidConfig
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.host import limits
from ignition.rendering.parsing import Reader
from ignition.rendering.references import Renderer
from tests.fetch.server import Reply, serving

VERSION = "3.5.0"


def config(*files: str, merge: Iterable[str] = (), replace: str | None = None, **about: object) -> bytes:
    references: dict[str, object] = {"merge": [{"source": source} for source in merge]}
    if replace is not None:
        references["replace"] = {"source": replace}
    storage = {"files": [{"path": path} for path in files]}
    return json.dumps({"ignition": {"version": VERSION, "config": references, **about}, "storage": storage}).encode()


def reply(*files: str, **references: object) -> Reply:
    return Reply(body=config(*files, **references))  # type: ignore[arg-type]  # one name, any reference


def render(text: bytes) -> tuple[list[str], list[str]]:
    """Paths of the rendered config's files, and the sources."""
    parsed = parse(text)
    assert parsed.config is not None, parsed.report
    quick = Settings(first_pause_s=0.01, longest_pause_s=0.01, total_s=100.0)
    with Fetcher(quick, offline=False) as fetcher:
        renderer = Renderer(fetcher, Reader())
        rendered = renderer.render(parsed.config, "the top config")
    return [entry.path for entry in rendered.storage.files], renderer.sources


def test_merged_configs_come_in_order_and_depth_first() -> None:
    replies = {"/1": reply("/one", merge=["%/1a"]), "/1a": reply("/one-a"), "/2": reply("/two")}
    with serving({}) as server:
        server.replies = {path: [Reply(body=one.body.replace(b"%", server.url.encode()))] for path, one in replies.items()}
        files, sources = render(config("/top", merge=[f"{server.url}/1", f"{server.url}/2"]))
    assert files == ["/top", "/one", "/one-a", "/two"]
    assert sources == ["/1", "/1a", "/2"]


def test_replacing_config_takes_the_place_of_all() -> None:
    with serving({"/r": reply("/replaced")}) as server:
        files, sources = render(config("/top", merge=[f"{server.url}/none"], replace=f"{server.url}/r"))
    assert (files, sources) == (["/replaced"], ["/r"])


def test_replacing_config_is_rendered_itself() -> None:
    inner = dataurl.encode(config("/inner"))
    with serving({"/r": reply("/replaced", merge=[inner])}) as server:
        assert render(config("/top", replace=f"{server.url}/r"))[0] == ["/replaced", "/inner"]


def test_downloads_run_side_by_side() -> None:
    with serving({f"/{n}": reply(f"/file{n}") for n in range(10)}) as server:
        server.together = threading.Barrier(10, timeout=60)
        files, _ = render(config(merge=[f"{server.url}/{n}" for n in range(10)]))
    assert files == [f"/file{n}" for n in range(10)]


def test_each_config_is_fetched_once() -> None:
    with serving({f"/{n}": reply(f"/file{n}") for n in range(5)}) as server:
        render(config(merge=[f"{server.url}/{n}" for n in range(5)]))
        assert sorted(server.paths()) == [f"/{n}" for n in range(5)]


def test_early_download_that_failed_has_all_its_attempts_in_turn() -> None:
    replies: dict[str, Reply | list[Reply]] = {"/1": reply("/one"), "/2": [Reply(503), Reply(503), reply("/two")]}
    with serving(replies) as server:
        assert render(config(merge=[f"{server.url}/1", f"{server.url}/2"]))[0] == ["/one", "/two"]
        assert server.paths().count("/2") == 3


def test_settings_of_an_earlier_config_hold_for_the_later_ones() -> None:
    """The second config is only reachable through the proxy that the first one names."""
    with serving({"http://config.example/2": reply("/two")}) as through:
        with serving({"/1": reply("/one", proxy={"httpProxy": through.url})}) as server:
            files, _ = render(config(merge=[f"{server.url}/1", "http://config.example/2"], timeouts={"httpTotal": 100}))
    assert files == ["/one", "/two"]


def test_settings_hold_for_what_a_referenced_config_refers_to() -> None:
    """Only the top config names the proxy; those in between say nothing about fetching."""
    with serving({"http://config.example/3": reply("/three")}) as through:
        two = dataurl.encode(config("/two", merge=["http://config.example/3"]))
        one = dataurl.encode(config("/one", merge=[two]))
        files, _ = render(config(merge=[one], proxy={"httpProxy": through.url}, timeouts={"httpTotal": 100}))
    assert files == ["/one", "/two", "/three"]


def test_settings_of_a_replaced_config_do_not_hold_any_longer() -> None:
    new = config("/new", proxy={"noProxy": ["b"]}, timeouts={"httpTotal": 2})
    old = parse(config(replace=dataurl.encode(new), proxy={"httpProxy": "http://config.example", "noProxy": ["a"]})).config
    assert old is not None
    with Fetcher(Settings(), offline=False) as fetcher:
        Renderer(fetcher, Reader()).render(old, "the top config")
        assert (fetcher.settings.http_proxy, fetcher.settings.no_proxy, fetcher.settings.total_s) == (None, ("b",), 2)


def test_config_that_came_under_older_settings_is_fetched_again() -> None:
    """Early, straight from its server, the second config was another one."""
    with serving({"/2": Reply(body=b"not for us")}) as outside:
        with serving({f"http://127.0.0.1:{outside.server_port}/2": reply("/never")}) as proxied:
            first = reply("/one", timeouts={"httpTotal": 100}, proxy={"httpProxy": proxied.url})
            with serving({"/1": first}) as server:

                def apart() -> None:
                    outside.together = server.together = threading.Barrier(1)

                # The first config is not answered before the second one is asked for.
                outside.together = server.together = threading.Barrier(2, apart, timeout=60)
                with pytest.raises(Failure, match="the config is invalid"):
                    render(config(merge=[f"{server.url}/1", f"{outside.url}/2"]))
        assert outside.paths() == ["/2", "/2"]  # loopback is never proxied, but it was asked for anew


def test_config_that_refers_to_itself_is_refused() -> None:
    with serving({}) as server:
        here = f"{server.url}/a?token=secret"
        server.replies = {"/a": [reply("/a", merge=[here])]}
        with pytest.raises(Failure) as caught:
            render(config(merge=[here]))
    shown = f"{server.url}/a"
    assert caught.value.what == f"configs refer to each other in a loop: {shown} → {shown}"
    assert caught.value.where == shown
    assert caught.value.fix == "remove one of the references"


def test_loop_over_several_configs_is_named() -> None:
    with serving({}) as server:
        url = server.url
        server.replies = {"/a": [reply(merge=[f"{url}/b"])], "/b": [reply(replace=f"{url}/c")], "/c": [reply(merge=[f"{url}/a"])]}
        with pytest.raises(Failure, match=f"in a loop: {url}/a → {url}/b → {url}/c → {url}/a"):
            render(config(merge=[f"{url}/a"]))


def test_same_config_twice_is_no_loop() -> None:
    leaf = dataurl.encode(config("/leaf"))
    branch = dataurl.encode(config("/branch", merge=[leaf]))
    assert render(config("/top", merge=[leaf, branch]))[0] == ["/top", "/leaf", "/branch"]


def test_endless_chain_ends_at_the_depth_limit() -> None:
    with serving({}) as server:
        server.replies = {f"/{n}": [reply(merge=[f"{server.url}/{n + 1}"])] for n in range(40)}
        with pytest.raises(Failure, match="^http://127.0.0.1:[0-9]+/32: references are nested more than 32 deep: "):
            render(config(merge=[f"{server.url}/0"]))
        assert len(server.requests) == 32


def test_explosion_of_references_ends() -> None:
    """Each level doubles: 2 to the power of 32 fetches without a limit."""
    with serving({}) as server:
        for n in range(40):
            server.replies[f"/{n}"] = [reply(merge=[f"{server.url}/{n + 1}?a", f"{server.url}/{n + 1}?b"])]
        shallow = {f"/{n}": [reply(merge=[f"{server.url}/{n + 1}?a", f"{server.url}/{n + 1}?b"])] for n in range(9)}
        server.replies = {**shallow, "/9": [reply()]}
        with pytest.raises(Failure, match="more than 500 referenced configs"):
            render(config(merge=[f"{server.url}/0"]))


def test_empty_url_is_refused_as_a_replacement() -> None:
    """In `merge` a rule refuses it."""
    with pytest.raises(Failure) as caught:
        render(config("/top", replace=""))
    assert caught.value.what == "there is no Ignition config at this reference"
    assert caught.value.where == "the replacement of the top config"


@pytest.mark.parametrize("kind", ["merge", "replace"])
def test_empty_reference_is_refused(kind: str) -> None:
    with serving({"/e": Reply(body=b"")}) as server:
        text = config("/top", merge=[f"{server.url}/e"]) if kind == "merge" else config("/top", replace=f"{server.url}/e")
        with pytest.raises(Failure) as caught:
            render(text)
    assert caught.value.what == "there is no Ignition config at this reference"
    assert caught.value.where == f"{server.url}/e"


def test_reference_that_is_missing_is_refused_by_its_url() -> None:
    with serving({}) as server, pytest.raises(Failure, match=f"^{server.url}/none: HTTP status 404"):
        render(config(merge=[f"{server.url}/none"]))


@pytest.mark.parametrize(
    ("top", "place"),
    [
        pytest.param(config(merge=["data:,%7B%7D"]), "data:… (reference 1 of the top config)", id="merged"),
        pytest.param(config(replace="data:,%7B%7D"), "data:… (the replacement of the top config)", id="replacing"),
        pytest.param(
            config(merge=[dataurl.encode(config()), dataurl.encode(config(merge=["data:,%7B%7D"]))]),
            "data:… (reference 1 of data:… (reference 2 of the top config))",
            id="nested",
        ),
    ],
)
def test_config_in_a_data_url_is_called_by_who_refers_to_it(top: bytes, place: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        render(top)
    assert caught.value.what.splitlines()[1].startswith(f"{place}: error at $.ignition.version")


def test_hash_of_a_reference_is_checked_in_any_case_of_letters() -> None:
    import hashlib

    child = config("/child")
    digest = hashlib.sha512(child).hexdigest().upper()
    merge = [{"source": dataurl.encode(child), "verification": {"hash": f"sha512-{digest}"}}]
    top = json.dumps({"ignition": {"version": VERSION, "config": {"merge": merge}}}).encode()
    assert render(top)[0] == ["/child"]


def test_configs_of_different_versions_are_rendered_together() -> None:
    old = b'{"ignition": {"version": "2.2.0"}, "storage": {"files": [{"filesystem": "root", "path": "/two", "mode": 420}]}}'
    first = dataurl.encode(config("/one", version="3.0.0", merge=[dataurl.encode(old)]))
    assert render(config("/top", merge=[first]))[0] == ["/top", "/one", "/two"]


def test_rendered_config_keeps_its_merge_list() -> None:
    """Nothing follows it again; Ignition's result has it, too."""
    inner = dataurl.encode(config("/inner"))
    outer = dataurl.encode(config("/outer", merge=[inner]))
    parsed = parse(config("/top", merge=[outer, inner])).config
    assert parsed is not None
    with Fetcher(Settings(), offline=False) as fetcher:
        rendered = Renderer(fetcher, Reader()).render(parsed, "the top config")
    assert [entry.source for entry in rendered.ignition.config.merge] == [outer, inner]


def test_renderers_side_by_side_do_not_disturb_each_other() -> None:
    with serving({f"/{n}": reply(f"/file{n}") for n in range(5)}) as server, ThreadPoolExecutor(4) as pool:
        text = config(merge=[f"{server.url}/{n}" for n in range(5)])
        results = list(pool.map(lambda _: render(text)[0], range(8)))
    assert results == [[f"/file{n}" for n in range(5)]] * 8


def test_sum_of_all_configs_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = [gzip.compress(config(f"/{name}") + b" " * (1 << 20)) for name in "abcdef"]
    assert max(map(len, packed)) < 10_000
    monkeypatch.setattr(limits, "CONFIGS", 5 << 20)
    top = config(merge=map(dataurl.encode, packed))
    with pytest.raises(Failure) as caught:
        render(top)
    assert caught.value.what == "all referenced configs together exceed 5 MiB"
    assert caught.value.where.startswith("data:… (reference 5 of the top config)")
