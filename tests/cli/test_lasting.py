"""Which failures of a stage are faults of the config, as ignition-emergency.service hears of them."""

import json
from pathlib import Path

import pytest

from ignition.cli.ignition import FAILED, main
from tests.fetch.server import Reply, serving
from tests.stages.conftest import Boot, boot

__all__ = ["boot"]

WRONG = "sha512-" + "0" * 128
TIGHT = {"ignition": {"version": "3.5.0", "timeouts": {"httpTotal": 1}}}


def failed(boot: Boot, *stages: str) -> str | None:
    """Run stages, of which the last one must fail; the mark that it leaves."""
    root = boot.top / "root"
    (root / "etc").mkdir(parents=True, exist_ok=True)
    paths = [f"-state-file={boot.run}/state", f"-neednet={boot.run}/neednet", f"-config-cache={boot.run}/cache"]
    for stage in stages:
        status = main(["-log-to-stdout", f"-stage={stage}", "-platform=file", f"-root={root}", "-fetch-timeout=1s", *paths])
    assert status == FAILED
    mark = boot.run / "lasting"
    return mark.read_text() if mark.exists() else None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="not JSON"),
        pytest.param('{"ignition": {"version": "9.9.9"}}', id="unsupported version"),
        pytest.param('{"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": "x"}]}}', id="invalid"),
        pytest.param(
            json.dumps(
                {"ignition": {"version": "3.5.0", "config": {"merge": [{"source": "data:,{}", "verification": {"hash": WRONG}}]}}}
            ),
            id="wrong hash of a config",
        ),
    ],
)
def test_fault_of_the_config_is_marked(boot: Boot, text: str) -> None:
    boot.config(text)
    first = failed(boot, "fetch")
    assert first is not None
    assert failed(boot, "fetch") == first
    boot.config(f"{text} ")
    screen = " ".join(boot.run.joinpath("failure.txt").read_text().split())
    assert screen.count("same config will fail again: change it.") == 1


def test_another_invalid_config_has_another_mark(boot: Boot) -> None:
    boot.config("{")
    first = failed(boot, "fetch")
    boot.config("{ ")
    assert failed(boot, "fetch") not in (first, None)


def test_wrong_hash_of_a_file_is_marked_with_the_config(boot: Boot) -> None:
    file = {"path": "/etc/x", "contents": {"source": "data:,x", "verification": {"hash": WRONG}}}
    boot.config(json.dumps({**TIGHT, "storage": {"files": [file]}}))
    assert failed(boot, "fetch") is not None


@pytest.mark.parametrize(
    "storage",
    [
        pytest.param({"files": [{"path": "/etc/there", "contents": {"source": "data:,new"}}]}, id="exists already"),
        pytest.param({"directories": [{"path": "/etc/there"}]}, id="not a directory"),
        pytest.param({"links": [{"path": "/etc/there", "target": "x"}]}, id="link"),
        pytest.param({"links": [{"path": "/etc/l", "target": "/none", "hard": True}]}, id="nothing to link to"),
        pytest.param({"files": [{"path": "/etc/x", "user": {"name": "nobody-at-all"}}]}, id="unknown owner"),
        pytest.param({"files": [{"path": "/etc/x"}, {"path": "/same/x"}]}, id="two in one place"),
    ],
)
def test_what_the_files_stage_refuses_is_marked(boot: Boot, storage: dict[str, object]) -> None:
    (boot.top / "root/etc").mkdir(parents=True)
    (boot.top / "root/etc/there").write_text("old")
    (boot.top / "root/same").symlink_to("etc")
    boot.config(json.dumps({**TIGHT, "storage": storage}))
    assert failed(boot, "fetch", "files") is not None


@pytest.mark.root
def test_user_that_useradd_refuses_is_marked(boot: Boot) -> None:
    boot.config(json.dumps({**TIGHT, "passwd": {"users": [{"name": "ann", "primaryGroup": "no-such-group"}]}}))
    (boot.top / "root/etc").mkdir(parents=True)
    for name in ("passwd", "shadow", "group", "gshadow"):
        (boot.top / "root/etc" / name).touch()
    assert failed(boot, "fetch", "files") is not None


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_answer_of_a_server_may_change(boot: Boot, status: int) -> None:
    with serving({"/x": Reply(status)}) as server:
        boot.config(json.dumps({**TIGHT, "storage": {"files": [{"path": "/etc/x", "contents": {"source": f"{server.url}/x"}}]}}))
        assert failed(boot, "fetch", "files") is None
        boot.cmdline(f"ignition.config.url={server.url}/x")
        assert failed(boot, "fetch") is None


def test_server_that_is_not_there_may_come(boot: Boot, tmp_path: Path) -> None:
    boot.cmdline("ignition.config.url=http://127.0.0.1:9/x")
    assert failed(boot, "fetch") is None
