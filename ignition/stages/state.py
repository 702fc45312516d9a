"""State shared between stages: one line of JSON, mode 0600 in a directory of mode 0700.

Source: docs/reference/ignition-config.md §6.5.

Writers and readers: `fetched_configs` the fetch stages, read by files (result file); `notated_directories` mount, read by files
(home directories); `luks_persist_*` disks, read and erased by files (they are secrets); `provider_output_files` the platform,
read by files; `left` disks, read by files (the record for `ignition verify`); `reports` the fetch stages, read after every stage.
"""

from __future__ import annotations

import os

from ignition import json_codec
from ignition.errors import Failure
from ignition.host import atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class FetchedConfig(TypedDict):
        """One config that was fetched. `kind` is "base", "user", or "default" for the image's default.ign."""

        kind: str
        source: str
        referenced: bool


class State:
    """Its members are changed in place and saved."""

    def __init__(self) -> None:
        self.fetched_configs: list[FetchedConfig] = []
        self.left: list[dict[str, object]] = []  # what the disks stage left, as entries of applied/record.py
        self.luks_persist_key_files: dict[str, str] = {}  # volume name: data URL
        self.luks_persist_volume_key_files: dict[str, str] = {}  # file: data URL
        self.notated_directories: list[str] = []
        self.reports = False  # the network is up, and the platform accepts a report on each stage
        self.provider_output_files: list[dict[str, object]] = []  # file objects as in a config

    def user_config_provided(self) -> bool:
        """Whether any user config was found."""
        return any(config["kind"] == "user" for config in self.fetched_configs)


_MEMBERS = {
    "fetched_configs": "fetchedConfigs",
    "left": "left",
    "luks_persist_key_files": "luksPersistKeyFiles",
    "luks_persist_volume_key_files": "luksPersistVolumeKeyFiles",
    "notated_directories": "notatedDirectories",
    "reports": "reports",
    "provider_output_files": "providerOutputFiles",
}


def load(path: str) -> State:
    """The state of earlier stages; a new one without a file. Raises Failure for an unreadable file."""
    state = State()
    try:
        with open(path, encoding="utf-8") as file:
            content = dict(json_codec.loads(file.read()))
    except FileNotFoundError:
        return state
    except (OSError, ValueError, TypeError) as error:
        raise Failure("the state of earlier stages cannot be read", where=path, fix="boot again") from error
    for member, name in _MEMBERS.items():
        if content.get(name) is not None:
            setattr(state, member, content[name])
    return state


def save(state: State, path: str) -> None:
    """Write the state, atomically."""
    directory = os.path.dirname(path)
    if directory:
        os.makedirs(directory, mode=0o700, exist_ok=True)
    content = {name: getattr(state, member) for member, name in _MEMBERS.items() if getattr(state, member)}
    atomic.write(path, json_codec.dumps(content).encode() + b"\n", mode=0o600)
