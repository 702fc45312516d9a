"""Every document of the corpus is translated as committed; our own programs accept the results without a remark."""

import re
from pathlib import Path

import pytest

from ignition.cli.validation.examine import examine
from ignition.from_cloud_config import translate
from ignition.from_cloud_config.work import Options
from ignition.transpile.butane import translate as butane
from tests.from_cloud_config.corpus import CORPUS, DOCUMENTS, PAGE, expected_text, page_with_table, translated
from tests.programs import run

RESULTS = sorted(CORPUS.glob("*.bu"))
SIMULATED = ("booted", "users-basic", "users-system", "write-files-owner", "kubernetes-node", "ssh", "yaml-features")


def test_corpus_is_complete() -> None:
    assert len(RESULTS) >= 40
    named = {document.stem for document in DOCUMENTS}
    assert {path.stem for path in CORPUS.glob("*.*")} == named
    assert {result.stem for result in RESULTS} <= named


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_document_is_translated_as_committed(document: Path) -> None:
    status, out, err = translated(document)
    assert expected_text(status, err) == document.with_suffix(".txt").read_text(encoding="utf-8")
    expected = document.with_suffix(".bu")
    assert out == (expected.read_text(encoding="utf-8") if expected.exists() else "")


@pytest.mark.parametrize("result", RESULTS, ids=lambda path: path.stem)
def test_result_is_accepted_without_a_remark(result: Path) -> None:
    done = butane(result.read_bytes(), name=result.name, files_dir=None)
    assert (done.failure, str(done.report)) == ("", "")
    examined = examine(str(result), (), advice=True)
    assert (examined.is_good, examined.entries) == (True, ())


@pytest.mark.parametrize("name", SIMULATED)
def test_result_can_be_applied(name: str, tmp_path: Path) -> None:
    done = run("ignition", "simulate", CORPUS / f"{name}.bu", "-into", tmp_path / "root", "-offline")
    assert done.returncode == 0, done.stderr


def test_plan_for_a_disk_with_other_contents() -> None:
    facts = CORPUS.parent.parent / "planning/samples/web-1.json"
    done = run("ignition", "plan", CORPUS / "disk-one-partition.bu", "-facts", facts)
    # The plan ends after the disks: the facts were collected for another config.
    assert re.search(rb"\n  - 1 +photos .* LOST\n  \+ 1 +1022\.98 MiB +xfs 'data' +made\n", done.stdout), done.stdout.decode()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_line_of_the_list_has_a_place(document: Path) -> None:
    *lines, _ = document.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    place = re.compile(rf"{re.escape(document.name)}:[0-9]+:[0-9]+: (warning|info|error): ")
    assert [line for line in lines if not place.match(line)] in (
        [],
        ["ignition from-cloud-config: the document is not translated"],
    )


def test_page_shows_a_translation() -> None:
    source, example = re.findall(
        r"^```(?:yaml)?\n((?:#cloud-config|variant).*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    done = translate(source.encode(), name="", options=Options())
    assert done.text and done.is_whole
    _, _, whole = done.text.partition("\n")  # without the first comment
    assert whole.partition("systemd:\n")[0] == example


def test_page_has_the_table_of_keys() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_with_table(), "run python -m tests.from_cloud_config"
