"""Every Container Linux Config in docs/transpiling.md becomes a valid config, without a warning; its table is the code's."""

import re
from pathlib import Path

import pytest

from ignition.cli import ct
from ignition.config.parse import VALID, parse
from ignition.transpile.ct import dynamic
from ignition.transpile.ct.run import Source

PAGE = (Path(__file__).parents[3] / "docs/transpiling.md").read_text()
DOCUMENTS = [text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if not text.startswith("variant:")]


def test_there_are_examples() -> None:
    assert len(DOCUMENTS) >= 2


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
@pytest.mark.parametrize("platform", ["packet", "ec2", "digitalocean"])
def test_example(number: int, platform: str) -> None:
    source = Source("example", DOCUMENTS[number].encode())
    result = source.translated(dynamic.named(platform), lambda name: b"")
    assert (source.report.entries, result.report.entries) == ((), ())
    text = result.text()
    assert text and parse(text.encode()).outcome == VALID


@pytest.mark.parametrize("platform", dynamic.PLATFORMS)
def test_row_of_dynamic_data(platform: str) -> None:
    fields = (dynamic.HOSTNAME, dynamic.PRIVATE_4, dynamic.PUBLIC_4, dynamic.PRIVATE_6, dynamic.PUBLIC_6)
    known = dynamic.PLATFORMS[platform]
    cells = [f"`{known[field]}`" if field in known else "–" for field in fields]
    assert f"| `{platform}` | {' | '.join(cells)} |\n" in PAGE


def test_finding_of_the_page(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shown = re.search(r"```\n(warning at line .*?)```", PAGE, re.DOTALL)
    document = tmp_path / "config.yaml"
    document.write_text("storage:\n  files:\n    - path: /etc/motd\n      contents:\n        inline: hello\n")
    assert ct.main(["--in-file", str(document)]) == 0
    assert shown and capfd.readouterr().err == shown[1]
