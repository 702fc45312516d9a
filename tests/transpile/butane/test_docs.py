"""Every document in docs/transpiling.md becomes a valid config, without a warning."""

import re
from pathlib import Path

import pytest

from ignition.transpile.butane import translate
from ignition.transpile.butane.result import pretty

PAGE = (Path(__file__).parents[3] / "docs/transpiling.md").read_text()
DOCUMENTS = [text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if text.startswith("variant:")]


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_example(number: int) -> None:
    done = translate(DOCUMENTS[number].encode(), name="example", files_dir=None)
    assert (done.report.entries, done.failure) == ((), "")
    assert done.config is not None


def test_report_of_the_page() -> None:
    shown = re.search(r"```\n(error\[.*?)```", PAGE, re.DOTALL)
    assert shown
    text = b"""variant: flatcar
version: 1.0.0
storage:
  filesystems:
    - device: /dev/vdb
      path: srv
      format: xfs
      with_mount_unit: true
"""
    assert pretty(translate(text, name="config.bu", files_dir=None).report, text, colour=False) == shown[1]
