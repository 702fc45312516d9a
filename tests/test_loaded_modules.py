"""Each program loads what tests/loaded_modules lists for a typical run: a module that comes newly costs every start of it."""

import pytest

from tests.loaded_modules import LISTS, METADATA, Loaded, changes, committed, measured, of_metadata


@pytest.fixture(scope="module")
def found() -> dict[str, Loaded]:
    return measured()


def test_runs_load_what_is_listed(found: dict[str, Loaded]) -> None:
    assert "\n".join(filter(None, (changes(name, loaded, committed(name)) for name, loaded in found.items()))) == ""


@pytest.mark.root
def test_metadata_loads_what_is_listed() -> None:
    assert changes(METADATA, of_metadata(), committed(METADATA)) == ""


def test_every_list_is_of_a_run(found: dict[str, Loaded]) -> None:
    assert {path.stem for path in LISTS.glob("*.txt")} == {*found, METADATA}


def test_new_module_is_named_with_the_imports_that_led_to_it() -> None:
    loaded = {"ours": ("__main__", "<string>:1"), "ours.new": ("ours", "ours.py:3"), "ssl": ("ours.new", "ours/new.py:7")}
    said = changes("program", loaded, {"ours", "gone"}).splitlines()
    assert said[0] == "program newly loads ours.new (ours.py:3)"
    assert said[1] == "program newly loads ssl (ours/new.py:7 < ours.py:3)"
    assert said[2] == "program no longer loads gone"
    assert said[3].endswith("python -m tests.loaded_modules")
    assert changes("program", loaded, set(loaded)) == ""
