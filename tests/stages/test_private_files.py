"""What the stages leave in /run is for root alone: a path, a cause or a digest tells others something about the config."""

import os
from pathlib import Path

import pytest

from ignition.cli.ignition import main

CONFIG = """{"ignition": {"version": "3.4.0"}, "storage": {
    "files": [{"path": "/etc/x", "contents": {"source": "http:u:SECRET@127.0.0.1:1/x"}}],
    "filesystems": [{"path": "/data", "device": "/dev/x", "format": "ext4"}]}}"""
VALID = CONFIG.replace("http:u:SECRET@127.0.0.1:1/x", "data:,x")


def run(tmp_path: Path, config: str, stage: str) -> tuple[int, str]:
    """The exit status, and all texts that the stage left beside its state."""
    (tmp_path / "root").mkdir(exist_ok=True)
    (tmp_path / "config.ign").write_text(config)
    os.environ["IGNITION_CONFIG_FILE"] = str(tmp_path / "config.ign")
    run_directory = tmp_path / "run"
    flags = ["-stage", stage, "-platform", "file", "-root", str(tmp_path / "root"), "-log-to-stdout"]
    for flag, name in (("-config-cache", "ignition.json"), ("-state-file", "state"), ("-neednet", "neednet")):
        flags += [flag, str(run_directory / name)]
    before = os.umask(0)
    try:
        status = main(flags)
    finally:
        os.umask(before)
        del os.environ["IGNITION_CONFIG_FILE"]
    return status, "".join(path.read_text() for path in run_directory.iterdir())


@pytest.mark.parametrize(("config", "failed"), [(VALID, False), (CONFIG, True)], ids=["success", "failure"])
def test_only_root_reads_what_a_stage_leaves(
    tmp_path: Path, config: str, failed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    status, texts = run(tmp_path, config, "fetch")
    assert (status != 0) is failed
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (tmp_path / "run").iterdir()}
    assert "operations.jsonl" in modes
    assert ("failure.txt" in modes) is failed
    assert set(modes.values()) == {"0o600"}
    assert "SECRET" not in texts + capsys.readouterr().out
