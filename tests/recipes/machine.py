"""The machine for which all recipes are planned: our image on a disk of 20 GiB, and two blank disks of 10 GiB.

`python -m tests.recipes.machine IMAGE` (the disk of a machine image) writes its facts again, machine.json: needed when a recipe
looks at a node of the root that the facts do not have, which its plan reports. Without root.
"""

import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ignition.cli.merged_config import merged
from ignition.config import origins
from ignition.config.model import Config
from ignition.facts import document, schema
from ignition.facts.document import Facts, Node, replace
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.planning.changes import Changes
from ignition.planning.result import Result, of_boot
from ignition.planning.stages import Planner
from ignition.planning.tree import KnownTree, Recorder, Tree

__all__ = ["DIRECTORY", "MIGRATED", "OTHERS", "Check", "Recipe", "migrated", "recipes", "translated"]
FACTS = Path(__file__).with_name("machine.json")
TOP = Path(__file__).resolve().parents[2]
DOCS = TOP / "docs"
SYSTEM, BLANK, MEMORY_MIB = 20 << 30, 10 << 30, 4096
ARGUMENTS = "root=LABEL=ROOT rw console=tty0 console=ttyS0,115200"

sys.path.append(str(DOCS))
from recipe_page import DIRECTORY, MIGRATED, OTHERS, Check, Recipe, migrated, recipes, translated  # noqa: E402 - the module is beside the pages


def config_of(recipe: Recipe, directory: Path) -> Config:
    """The merged config of a recipe's machine; its references to the other documents of the page are followed. Raises Failure."""
    (_, text), *others = recipe.documents
    for other in others:
        data = base64.b64encode(translated(other.text, recipe.name).encode()).decode()
        url = f"https://config.example.com/{other.name.removesuffix('.bu')}.ign"
        assert url in text
        text = text.replace(url, f"data:;base64,{data}")
    path = directory / f"{recipe.name}.bu"
    path.write_text(text, encoding="utf-8")
    return origins.plain(merged([str(path)], (), "metal", 5.0, is_limit=True, offline=True))


def planned(config: Config, facts: Facts, tree: Tree, *, goes_on: bool = False) -> Result:
    """The plan of a first boot. Raises Failure as the boot would, unless it `goes_on`."""
    with Fetcher(Settings(), offline=True) as fetcher:
        planner = Planner(config, facts, tree, fetcher, "metal")
        changes = Changes.of(planner, str, shows_contents=False)
        planner.run(changes.seen, goes_on=goes_on)
        return of_boot(planner, changes, None)


def known() -> Facts:
    """The committed facts."""
    return schema.parse(FACTS.read_bytes(), FACTS.name)


def plan(recipe: Recipe, facts: Facts, directory: Path) -> Result:
    """The plan of a recipe for that machine."""
    return planned(config_of(recipe, directory), facts, KnownTree(facts.nodes))


@contextmanager
def imaged(image: Path) -> Iterator[tuple[Facts, Recorder]]:
    """The machine, made of a machine image."""
    from ignition.facts.image import with_memory
    from ignition.planning import images

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        disks = [folder / name for name in ("system.qcow2", "b.raw", "c.raw")]
        base = ["-F", "qcow2", "-b", str(image.resolve())]
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *base, str(disks[0]), str(SYSTEM)], check=True)
        for disk in disks[1:]:
            with disk.open("wb") as file:
                file.truncate(BLANK)
        found = images.machine(list(map(str, disks)), ARGUMENTS, efi=False, sector_size=512, stack=stack)
        yield with_memory(found.facts, MEMORY_MIB << 20), Recorder(found.tree)


def without_comments(path: str, node: Node) -> Node:
    """login.defs without its pages of comments, whose spelling would count as ours."""
    if path != "/etc/login.defs" or node.text is None:
        return node
    return replace(node, text="".join(line for line in node.text.splitlines(keepends=True) if line[:1] not in "#\n"))


def main(image: str) -> None:
    """Write the facts that the plans of all recipes need."""
    with imaged(Path(image)) as (facts, recorder), tempfile.TemporaryDirectory() as scratch:
        for recipe in (*recipes(), migrated()):
            planned(config_of(recipe, Path(scratch)), facts, recorder, goes_on=True)
        nodes = {path: node and without_comments(path, node) for path, node in recorder.nodes.items()}
        text = document.text(replace(facts, nodes=nodes))
    FACTS.write_text(json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
