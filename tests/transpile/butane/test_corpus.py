"""Documents with what must become of them, written from the reference (config-transpiler.md, part B).

`NAME.yaml` is the document. `NAME.json` is what it becomes; contents that came as a data URL stand in it as `holds`, unpacked.
Where it is missing, nothing comes of the document. `NAME.report` is the report in its short form, and the last line of a failure.
"""

import gzip
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ignition.config import dataurl
from ignition.config.versions import order
from ignition.transpile.butane import translate
from ignition.transpile.butane.result import raw
from ignition.transpile.butane.variants import VARIANTS

CORPUS = Path(__file__).parent.parent / "corpus/butane"
DOCUMENTS = sorted(path.stem for path in CORPUS.glob("*.yaml"))
LOCAL = {
    "hello.txt": "hello\n",
    "ca.pem": "---CA---\n",
    "unit.txt": "[Service]\nNice=5\n",
    "keys.txt": "# of the team\r\nssh-ed25519 D d\n\nssh-ed25519 E e",
    "more-keys.txt": "ssh-ed25519 F f\n",
}
NEWEST_OF_DEBIAN = "3.3.0"  # ignition 2.14


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The files directory."""
    for name, text in LOCAL.items():
        (tmp_path / name).write_bytes(text.encode())
    return tmp_path


def unpacked(data: Any) -> Any:
    """With `holds` instead of data URLs."""
    if isinstance(data, list):
        return [unpacked(element) for element in data]
    if not isinstance(data, dict):
        return data
    plain = {key: unpacked(value) for key, value in data.items()}
    if str(plain.get("source", "")).startswith("data:"):
        content = dataurl.decode(plain.pop("source"))
        plain["holds"] = (gzip.decompress(content) if plain.get("compression") == "gzip" else content).decode()
    return plain


def expected(name: str, kind: str) -> str:
    path = CORPUS / f"{name}.{kind}"
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document(name: str, files: Path) -> None:
    done = translate((CORPUS / f"{name}.yaml").read_bytes(), name=name, files_dir=str(files))
    report = raw(done.report) + (f"{done.failure}\n" if done.failure else "")
    assert report.replace(str(files), "FILES") == expected(name, "report")
    wanted = expected(name, "json")
    assert (unpacked(json.loads(done.text)) if done.text else None) == (json.loads(wanted) if wanted else None)


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if expected(name, "json")])
def test_debian_takes_the_result(name: str, files: Path, tmp_path: Path) -> None:
    program = shutil.which("ignition-validate", path="/usr/bin")
    if program is None:
        pytest.skip("Debian's package ignition is not installed")
    done = translate((CORPUS / f"{name}.yaml").read_bytes(), name=name, files_dir=str(files))
    assert done.text
    version = json.loads(done.text)["ignition"]["version"]
    if order(version) > order(NEWEST_OF_DEBIAN):
        return  # newer than that program
    config = tmp_path / "config.ign"
    config.write_text(done.text)
    answer = subprocess.run([program, str(config)], capture_output=True, text=True, check=False)
    assert (answer.returncode, [line for line in answer.stderr.splitlines() if line.startswith("error")]) == (0, [])


def test_corpus_has_every_version() -> None:
    heads = {tuple((CORPUS / f"{name}.yaml").read_text().split("\n")[:2]) for name in DOCUMENTS}
    assert {(f"variant: {name}", f"version: {version}") for name, version in VARIANTS} <= heads
