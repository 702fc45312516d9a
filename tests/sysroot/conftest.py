"""A new root from a dictionary, and a context that acts on it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ignition.config.model import Config
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import log
from ignition.host.root import Root
from ignition.operation import Context

MakeContext = Callable[[Mapping[str, str]], Context]


@pytest.fixture
def make_context(tmp_path: Path) -> MakeContext:
    """Path → content; a path that ends in a slash is a directory, a content that begins with `-> ` a symlink."""
    log.configure(stage="test", to_stdout=True)

    def make(tree: Mapping[str, str]) -> Context:
        top = tmp_path / "root"
        top.mkdir(exist_ok=True)
        for path, content in tree.items():
            place = top / path.strip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            if path.endswith("/"):
                place.mkdir(exist_ok=True)
            elif content.startswith("-> "):
                place.symlink_to(content[3:])
            else:
                place.write_text(content)
        return Context(Root(str(top)), Fetcher(Settings.from_config(Config()), offline=True))

    return make
