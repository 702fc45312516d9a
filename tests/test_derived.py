"""The committed tables are those that the models and the test of imports give."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parent.parent / "docs"


def generator() -> ModuleType:
    found = importlib.util.spec_from_file_location("generate_docs", DOCS / "generate.py")
    assert found and found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("docs")
    generator().write(directory)
    return directory


def files(directory: Path) -> dict[str, str]:
    paths = [
        *directory.glob("fields-*.md"),
        *directory.glob("*.schema.json"),
        *directory.glob("platforms.md"),
        *directory.glob("coreos-metadata.md"),
        *directory.glob("architecture.md"),
    ]
    return {str(path.relative_to(directory)): path.read_text() for path in paths}


def test_committed_files_are_up_to_date(made: Path) -> None:
    derived, committed = files(made), files(DOCS)
    assert len(derived) == 18
    stale = sorted(name for name in {*derived, *committed} if derived.get(name) != committed.get(name))
    assert stale == [], "run: python docs/generate.py (and git add what is new, git rm what it no longer makes)"


ROWS = [
    ("3", "| `ignition.timeouts.httpResponseHeaders` | integer | `10` | 3.0.0 |"),
    ("3", "| `partitions[].resize` | boolean | `false` | 3.2.0 |"),
    ("3", "not empty (N1); absolute path in its simplest form (N2, N3)"),
    ("3", "Merged by `path`, one space of keys with directories and files."),
    ("3", "| `append[]` | list of [Resource](#resource) | – | 3.0.0 | fragments appended in order |  | concatenated |"),
    ("3", "`compression` here since 3.1.0"),
    ("3", "none (since 3.3.0), virtiofs (since 3.7.0-experimental)"),
    ("3", "| R2 |  | A hash belongs to a source. |"),
    ("3", "| L8 | since 3.5.0 | CEX is not used along with a key file. |"),
    ("2", "| `enable` | boolean | `false` | 2.0.0 | enable it | deprecated: use enabled (since 2.1.0) |"),
    ("2", "tftp (since 2.1.0)"),
    ("1", "| `ignitionVersion` | integer | required | 1 |"),
]


@pytest.mark.parametrize("family, part", ROWS, ids=[part for _, part in ROWS])
def test_table_says_what_the_model_says(made: Path, family: str, part: str) -> None:
    assert part in (made / f"fields-{family}.md").read_text()


def test_tables_have_no_internal_members(made: Path) -> None:
    assert "`inPlace`" not in (made / "fields-3.md").read_text()
