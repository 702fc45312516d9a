"""The state between the stages."""

import json
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.stages import state


def test_state_survives_the_way_through_its_file(tmp_path: Path) -> None:
    before = state.State()
    before.fetched_configs.append({"kind": "user", "source": "aws", "referenced": False})
    before.notated_directories.append("/home/core")
    before.luks_persist_key_files["data"] = "data:,"
    path = str(tmp_path / "run" / "state")
    state.save(before, path)
    assert vars(state.load(path)) == vars(before)


def test_file_has_ignitions_names_and_tight_modes(tmp_path: Path) -> None:
    before = state.State()
    before.fetched_configs.append({"kind": "base", "source": "system", "referenced": False})
    before.luks_persist_volume_key_files["/k"] = "data:,"
    before.provider_output_files.append({"path": "/a"})
    file = tmp_path / "run" / "state"
    state.save(before, str(file))
    assert json.loads(file.read_text()) == {
        "fetchedConfigs": [{"kind": "base", "source": "system", "referenced": False}],
        "luksPersistVolumeKeyFiles": {"/k": "data:,"},
        "providerOutputFiles": [{"path": "/a"}],
    }
    assert file.read_bytes().count(b"\n") == 1
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_missing_file_is_a_new_state(tmp_path: Path) -> None:
    assert vars(state.load(str(tmp_path / "none"))) == vars(state.State())


@pytest.mark.parametrize(
    ("content", "provided"),
    [
        ('{"fetchedConfigs":[{"kind":"base","source":"system","referenced":false}]}', False),
        ('{"fetchedConfigs":[{"kind":"user","source":"aws","referenced":false}]}', True),
        ('{"fetchedConfigs":null}', False),
    ],
)
def test_state_knows_whether_there_was_a_user_config(tmp_path: Path, content: str, provided: bool) -> None:
    (tmp_path / "state").write_text(content)
    assert state.load(str(tmp_path / "state")).user_config_provided() is provided


@pytest.mark.parametrize("content", ["{", "7", "\x00"], ids=["cut", "no object", "binary"])
def test_damaged_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "state").write_text(content)
    with pytest.raises(Failure) as caught:
        state.load(str(tmp_path / "state"))
    assert caught.value.what == "the state of earlier stages cannot be read"
    assert caught.value.where == str(tmp_path / "state")
