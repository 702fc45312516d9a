"""The corpus: cloud-configs as people write them, with the expected Butane (.bu) and output on standard error (.txt) of each.

`python -m tests.from_cloud_config` writes the expected files, the table of keys in docs/recipes/from-cloud-init.md, and shows
nothing: `git diff` does. A second line `# options: …` has the options of a run.
"""

import contextlib
import io
import re
from pathlib import Path

from ignition.cli.from_cloud_config import PROGRAM, main
from ignition.from_cloud_config.keys import table

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
PAGE = HERE.parent.parent / "docs/recipes/from-cloud-init.md"
DOCUMENTS = sorted(CORPUS.glob("*.yaml"))
_BEGIN, _END = "<!-- keys: begin, written by python -m tests.from_cloud_config -->\n", "<!-- keys: end -->\n"


def options(document: Path) -> list[str]:
    """Those of its second line."""
    found = re.match(r".*\n# options: (.*)\n", document.read_text(encoding="utf-8"))
    return found[1].split() if found else []


def translated(document: Path) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.chdir(CORPUS):
        status = main([*options(document), document.name])
    return status, out.getvalue(), err.getvalue()


def expected_text(status: int, err: str) -> str:
    """The content of the .txt file."""
    return f"{err}exit status {status}: {PROGRAM.statuses[status]}\n"


def page_with_table() -> str:
    """The page, with the table of keys as the code has it."""
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    return f"{before}{begin}\n{table()}\n{end}{after}"


def write() -> None:
    """Write all expected files."""
    for old in (*CORPUS.glob("*.bu"), *CORPUS.glob("*.txt")):
        old.unlink()
    for document in DOCUMENTS:
        status, out, err = translated(document)
        if out:
            document.with_suffix(".bu").write_text(out, encoding="utf-8")
        document.with_suffix(".txt").write_text(expected_text(status, err), encoding="utf-8")
    PAGE.write_text(page_with_table(), encoding="utf-8")
