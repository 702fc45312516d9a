"""Plans beside the files stage itself, on a root in a directory: a first boot, repeated ones; and the same from written facts."""

import json
from pathlib import Path

import pytest

from ignition.config.model import Config
from ignition.config.parse import parse
from ignition.facts import document, schema
from ignition.facts.document import Facts
from ignition.fetch.engine import Fetcher, Settings
from ignition.planning.changes import Changes
from ignition.planning.stages import Planner
from ignition.planning.tree import KnownTree, LiveTree, Recorder, Tree
from tests.applied.machines import CONFIG, SECRET
from tests.stages.test_files import make_root, run

# Of files that few may read, the facts do not have the contents.
OF_SECRETS = {
    "set the passwords of users core",
    "write the SSH keys of user core",
    "write file /etc/app.conf",
    "write the result to /etc/.ignition-result.json",
}
SILENT = ("leave-notice", "inspect")  # about the machine that runs the test; they only decide
Rows = list[tuple[str, bool | None]]


def planned(config: Config, tree: Tree, facts: Facts | None = None) -> Rows:
    """(words, whether the effect exists) of the operations of the files stage."""
    with Fetcher(Settings(), offline=True) as fetcher:
        planner = Planner(config, facts or Facts(), tree, fetcher, "file")
        changes = Changes.of(planner, str, shows_contents=False)
        planner.run(changes.seen)
    return [(one.what, one.is_there) for one in changes.steps if one.stage == "files" and one.operation.kind not in SILENT]


def done(tmp_path: Path, config: Config) -> Rows:
    """The same of a run of the stage."""
    records = tmp_path / "operations.jsonl"
    records.unlink(missing_ok=True)
    run(tmp_path, config)
    rows = [json.loads(line) for line in records.read_text().splitlines()]
    return [(row["what"], row["result"] == "already") for row in rows if row["operation"] not in SILENT]


@pytest.mark.root
def test_stage_does_what_was_planned_again_and_again(tmp_path: Path) -> None:
    root, config = make_root(tmp_path), parse(json.dumps(CONFIG).encode()).config
    assert config is not None
    (root / "etc/shadow").chmod(0o640)
    for turn in ("first", "second", "after a change"):
        if turn == "after a change":
            (root / "etc/alias").unlink()
            (root / "etc/motd").write_text("other\n")
        recorder = Recorder(LiveTree(str(root)))
        live = planned(config, recorder)
        text = document.text(Facts(nodes=recorder.nodes))
        assert SECRET not in text
        from_facts = planned(config, KnownTree(schema.parse(text.encode(), "facts.json").nodes))
        assert live == done(tmp_path, config), turn
        unknown = [what for what, is_there in from_facts if is_there is None]
        assert [row for row in from_facts if row[1] is not None] == [row for row in live if row[0] not in unknown]
        assert set(unknown) <= OF_SECRETS, turn
