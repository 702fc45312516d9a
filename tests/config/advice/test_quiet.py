"""Configs of this repository that are meant as they are get no advice but what is listed here."""

import re
from pathlib import Path

import pytest

from ignition.config.advice import advise
from ignition.config.parse import VALID, parse

TOP = Path(__file__).parents[3]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKikukUoIgBsoKwjac1Cs5k+xlQKUlsYq6sVS744rHJl a@example"
BROKEN = "broken.ign"  # the one that is not valid on purpose
CONFIGS = sorted(path for path in (TOP / "vm-tests").rglob("*.ign") if path.name != BROKEN)
# By folder and name: what is meant to be so, or of no matter in a test.
EXPECTED: dict[str, list[str]] = {
    "extensions/config.ign": ["W21 $.storage.disks.0.partitions.0.x-coreos"],
    "luks_boots/config.ign": ["W32 $.storage.files.2.contents.x-coreos"],
}


def filled(text: str) -> str:
    """With something fitting in the place of each @WORD@, as the machine tests do."""
    fitting = {"SSH_KEY": KEY, "HTTP_PORT": "80", "HTTPS_PORT": "443", "DATA_START": "2048", "DATA_SIZE": "2048"}
    fitting |= {"TANG_URL": "http://10.0.2.2:80", "SEALED": "eyJjbGV2aXMiOnsicGluIjoidHBtMiJ9fQ..aXY.dGV4dA.dGFn"}
    digests = {"SHA256": "a" * 64, "SHA512": "a" * 128}

    def fit(match: re.Match[str]) -> str:
        word = match[1] or match[2]
        if text[: match.start()].endswith(";base64,"):
            return "YQ=="
        return fitting.get(word) or digests.get(word.rpartition("_")[2], "1")

    return re.sub(r'"@(DATA_\w+)@"|@([A-Z0-9_]+)@', fit, text)


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_config_of_this_repository_gets_no_advice(path: Path) -> None:
    text = filled(path.read_text()).encode()
    parsed = parse(text)
    assert parsed.outcome == VALID, str(parsed.report)
    assert [f"{entry.rule} {entry.path}" for entry in advise(parsed, text)] == EXPECTED.get(name_of(path), [])


def test_configs_are_found() -> None:
    assert len(CONFIGS) >= 5
