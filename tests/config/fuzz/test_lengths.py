"""Very long texts in every string of a config: nothing crashes, and nothing takes time that grows faster than the text.

The tests use short ones, which find crashes and exponential patterns; `make fuzz` uses long ones, within a limit of time.
"""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ignition.config.advice import advise
from ignition.config.parse import parse
from ignition.config.text.display import display
from tests.config.fuzz.test_fuzz import EXAMPLES

LENGTH = 200_000 if EXAMPLES else 4_000
LIMIT_S = 60
PIECES = {
    "letters": "a",
    "brackets": "[",
    "percents": "%",
    "lines": "\n",
    "continued lines": "\\\n",
    "equals signs": "=",
    "options": "a=b\n",
    "sections": "[A]\n",
    "sections without end": "[A\n",
    "comments": ";a\n",
    "continued comments": "#\\\n",
    "slashes": "/",
    "parts": "/a",
    "ways up": "/..",
    "colons": ":",
    "quotes": '"',
    "dashes": "-",
    "words": "ssh-rsa ",
    "umlauts": "ü",
    "dollars": "$y$",
    "GUIDs": "4f68bce3-",
}
HEADS = {
    "": "",
    "media types": "data:text/" + ";a=b" * 100,
    "data": "data:,",
    "base64": "data:;base64,",
    "host": "http://",
    "ARN": "arn:aws:s3:::",
    "S3": "s3://a/b?versionId=",
    "hash": "sha512-",
    "section": "[a]\n",
    "key": "ssh-ed25519 ",
}


def broken(text: str) -> dict[str, Any]:
    """The text in every string of a 3.x config."""
    resource = {
        "source": text,
        "compression": text,
        "verification": {"hash": text},
        "httpHeaders": [{"name": text, "value": text}],
    }
    disk = {"device": text, "partitions": [{"label": text, "guid": text, "typeGuid": text}]}
    tang = {"url": text, "thumbprint": text, "advertisement": text}
    return {
        "ignition": {
            "version": "3.5.0",
            "config": {"merge": [resource], "replace": resource},
            "security": {"tls": {"certificateAuthorities": [resource]}},
            "proxy": {"httpProxy": text, "httpsProxy": text, "noProxy": [text]},
        },
        "storage": {
            "files": [{"path": text, "contents": resource}, {"path": f"/{text}", "append": [resource]}],
            "directories": [{"path": f"/d{text}"}],
            "links": [{"path": f"/l{text}", "target": text}],
            "disks": [disk],
            "raid": [{"name": text, "level": text, "devices": [text]}],
            "luks": [{"name": text, "device": text, "clevis": {"tang": [tang], "custom": {"pin": text, "config": text}}}],
            "filesystems": [{"device": text, "format": text, "label": text, "path": text}],
        },
        "systemd": {"units": [{"name": text, "contents": text, "dropins": [{"name": text, "contents": text}]}]},
    }


def old(text: str) -> dict[str, Any]:
    """The text in a 2.x config."""
    files = [{"filesystem": text, "path": f"/{text}", "mode": 420, "contents": {"source": text}}]
    return {
        "ignition": {"version": "2.2.0"},
        "networkd": {"units": [{"name": f"{text}.network", "contents": text}]},
        "storage": {"filesystems": [{"name": text, "path": f"/{text}"}], "files": files},
        "systemd": {"units": [{"name": f"{text}.service", "contents": text}]},
    }


def valid(text: str) -> dict[str, Any]:
    """The text where nothing forbids it: advice looks at it, too."""
    service = {"name": "a.service", "enabled": True, "contents": "[Service]\nExecStart=/bin/true\nX-A=" + text.replace("\n", " ")}
    return {
        "ignition": {"version": "3.5.0"},
        "kernelArguments": {"shouldExist": [text]},
        "passwd": {"users": [{"name": text, "homeDir": text, "passwordHash": text, "sshAuthorizedKeys": [text]}]},
        "systemd": {"units": [service]},
    }


@contextmanager
def limited() -> Iterator[None]:
    """An error after LIMIT_S."""

    def too_slow(*_: object) -> None:
        raise TimeoutError(f"more than {LIMIT_S} s")

    before = signal.signal(signal.SIGALRM, too_slow)
    signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("config", [broken, old, valid])
def test_long_text_is_judged(config: Any, head: str) -> None:
    for piece in PIECES.values():
        text = json.dumps(config(HEADS[head] + piece * (LENGTH // len(piece)))).encode()
        with limited():
            parsed = parse(text, source="x")
            display(parsed.report, text)
            advise(parsed, text)
        assert parsed.version
