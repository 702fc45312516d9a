"""The recipes in docs/recipes: their parts, and the Ignition configs generated from their Butane documents.

A page has the sections Butane, Ignition, "What to check" and Pitfalls. Each block of YAML below Butane is a document, with its
file name in the line above if there are several; the blocks of JSON below Ignition are those documents as `butane --strict
--pretty` prints them. Blocks `console` have commands after a `$`, each followed by its output, in which … stands for any text.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DIRECTORY = Path(__file__).resolve().parent / "recipes"
# Pages of another form.
MIGRATED = "from-cloud-init"
OTHERS = ("README.md", f"{MIGRATED}.md")
# The page about cloud-init has no Butane document of its own: this one is the translation of a cloud-config.
_TRANSLATION = DIRECTORY.parents[1] / "tests/from_cloud_config/corpus/booted.bu"
_DOCUMENT = re.compile(r"(?:^`([\w.-]+)`[^\n]*:\n+)?^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_JSON = re.compile(r"(?:^`[\w.-]+`:\n+)?^```json\n.*?^```\n+", re.DOTALL | re.MULTILINE)


class Document(NamedTuple):
    """A Butane document of a recipe; `name` is "" if it is the only one."""

    name: str
    text: str


class Check(NamedTuple):
    """A command, and its output: runs of blanks and line feeds are equal, … stands for any text."""

    command: str
    output: str

    def matches(self, seen: str) -> bool:
        """Whether this is the output."""
        wanted = ".*".join(re.escape(" ".join(part.split(" "))) for part in " ".join(self.output.split()).split("…"))
        return re.fullmatch(wanted, " ".join(seen.split()), re.DOTALL) is not None


class Recipe(NamedTuple):
    """A page."""

    name: str
    text: str

    def section(self, title: str) -> str:
        """The text below a heading of the second level. KeyError if there is none."""
        parts = dict(part.split("\n", 1) for part in re.split(r"^## ", self.text, flags=re.MULTILINE)[1:])
        return parts[title]

    @property
    def documents(self) -> list[Document]:
        """The Butane documents: that of the machine, and those that it refers to."""
        return [Document(*found) for found in _DOCUMENT.findall(self.section("Butane"))]

    @property
    def checks(self) -> list[Check]:
        """The commands for the machine."""
        blocks = _CONSOLE.findall(self.section("What to check"))
        return [Check(*found) for block in blocks for found in _COMMAND.findall(block)]

    def with_ignition(self) -> str:
        """The page with the Ignition configs of its documents. ValueError if one has problems."""
        configs = []
        for document in self.documents:
            heading = f"`{document.name.removesuffix('.bu')}.ign`:\n\n" if document.name else ""
            configs.append(f"{heading}```json\n{translated(document.text, self.name)}\n```\n\n")
        before, heading, after = self.text.partition("\n## Ignition\n")
        if not heading:
            raise ValueError(f"{self.name}: the heading “Ignition” is missing")
        section, separator, rest = after.partition("\n## ")
        prose = _JSON.sub("", f"{section}\n").strip()
        prose = f"{prose}\n\n" if prose else ""
        return f"{before}{heading}\n{prose}{''.join(configs).rstrip()}\n{separator}{rest}"


def translated(text: str, name: str) -> str:
    """The Ignition config of a Butane document, as `butane --strict --pretty` prints it. ValueError with its problems."""
    from ignition.transpile.butane import translate

    done = translate(text.encode(), name=name, files_dir=None, pretty=True)
    if done.text is None or done.report.entries:
        raise ValueError("\n".join([done.failure, *map(str, done.report.entries)]))
    return done.text


def recipes() -> list[Recipe]:
    """All recipes, by name."""
    return [
        Recipe(path.stem, path.read_text(encoding="utf-8")) for path in sorted(DIRECTORY.glob("*.md")) if path.name not in OTHERS
    ]


def migrated() -> Recipe:
    """The page about cloud-init as a recipe: its commands, and the document of the machine that they are for."""
    text = (DIRECTORY / f"{MIGRATED}.md").read_text(encoding="utf-8")
    return Recipe(MIGRATED, f"{text}\n## Butane\n\n```yaml\n{_TRANSLATION.read_text(encoding='utf-8')}```\n")


def pages() -> Iterator[tuple[str, str]]:
    """The name of each page, and its text with up-to-date Ignition configs."""
    for recipe in recipes():
        yield f"{recipe.name}.md", recipe.with_ignition()
