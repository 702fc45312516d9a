"""One example of advice, a config that gets it and a neighbour that does not, and what configs are put together from.

`▸` as in rule_table.py.
"""

import base64
import json
from collections.abc import Iterable
from typing import NamedTuple

from ignition.config.advice import advise
from ignition.config.parse import VALID, parse
from ignition.config.targets import Target

SERVICE = "[Service]\nExecStart=/bin/true\n"
INSTALL = "[Install]\nWantedBy=multi-user.target\n"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKikukUoIgBsoKwjac1Cs5k+xlQKUlsYq6sVS744rHJl"
HASH_512 = "$6$salt$" + "a" * 86
NAME = "$.systemd.units.0.name"
CONTENTS = "$.systemd.units.0.contents"
KEPT = "if the image or another config provides it, ignore this"
IMAGE = "if the image provides it, ignore this"
NO_UNIT = "no unit of this name is known, and the config has no contents for it"
PLAIN = "is fetched over plain http"
READ = "anyone on the network path can read it"
REPLACE = "anyone on the network path can replace it"
NO_EFFECT = "has nothing in an [Install] section: enabling has no effect"
PARTS = "$.storage.disks.0.partitions."
HASH = '"verification": {"hash": "sha512-' + "a" * 128 + '"}'


class Row(NamedTuple):
    rule: str
    broken: str
    path: str
    message: str
    fix: str
    kept: str
    version: str = "3.5.0"
    level: str = "warning"


def unit(name: str, contents: str = "", more: str = "", mark: str = "contents") -> str:
    """One unit; the mark stands before its name or its contents."""
    members = [f'"name": {"▸" if mark == "name" else ""}"{name}"']
    if contents:
        members.append(f'"contents": {"▸" if mark == "contents" else ""}{json.dumps(contents)}')
    return "{" + ", ".join([*members, *([more] if more else [])]) + "}"


def units(*members: str) -> str:
    return f'"systemd": {{"units": [\n{", ".join(members)}]}}'


def service(contents: str) -> str:
    return units(unit("a.service", contents))


def plain(text: str) -> str:
    return text.replace("▸", "")


def file(path: str, text: str, mark: str = "") -> str:
    source = "data:;base64," + base64.b64encode(text.encode()).decode()
    return f'{{"path": "{path}", "contents": {{"source": {mark}"{source}"}}}}'


def files(*members: str) -> str:
    return f'"storage": {{"files": [{", ".join(members)}]}}'


def directories(*members: str) -> str:
    return f'"storage": {{"directories": [{", ".join(members)}]}}'


def disk(*partitions: str, wipe: bool = True) -> str:
    members = ", ".join(partitions)
    return (
        f'"storage": {{"disks": [{{"device": "/dev/a", "wipeTable": {"true" if wipe else "false"}, "partitions": [{members}]}}]}}'
    )


def user(members: str, *others: str) -> str:
    return f'"passwd": {{"users": [{", ".join([f"{{{members}}}", *others])}]}}'


def about(members: str, version: str = "3.5.0") -> str:
    return f'{{"ignition": {{"version": "{version}",\n{members}}}}}'


def fetched(path: str, source: str, more: str = "", mark: str = "▸") -> str:
    return files(f'{{"path": "{path}", {more}"contents": {{"source": {mark}"{source}"}}}}')


class Advised(NamedTuple):
    """One entry, without its place in the text."""

    rule: str
    path: str
    message: str
    fix: str
    level: str


def advised(members: str, version: str = "3.5.0", targets: Iterable[Target] = ()) -> list[Advised]:
    """All advice about a config with these members, which has to be valid."""
    text = (members if members.startswith("{") else f'{{"ignition": {{"version": "{version}"}}, {members}}}').encode()
    parsed = parse(text)
    assert parsed.outcome == VALID, str(parsed.report)
    return [Advised(one.rule, one.path, one.message, one.fix, one.level) for one in advise(parsed, text, targets)]
