"""Shared by the tests of files, directories and links: plan them, run the plan, look at the result."""

import os
from pathlib import Path

from ignition.config.model import Resource, Storage
from ignition.operation import Context, Operation
from ignition.sysroot import nodes
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.attempt import Attempt
from ignition.sysroot.nodes import NodeFacts

Tree = dict[str, str]  # path → content, as make_context takes it
PASSWD = {"/etc/passwd": "core:x:500:500::/home/core:/bin/sh\n", "/etc/group": "core:x:500:\nops:x:2000:core\n"}


def data(text: str) -> Resource:
    """Content of a data URL."""
    return Resource(source="data:," + text)


def planned(storage: Storage, context: Context, record: Attempt | None = None, *mounted: str) -> list[Operation]:
    """The plan for a root, as the stage makes it."""
    found = nodes.places(storage)
    resolved = nodes.resolve(found, context.root)
    return nodes.plan(found, NodeFacts(resolved, AccountDatabase(context.root), record or Attempt(), frozenset(mounted)))


def apply(storage: Storage, context: Context, record: Attempt | None = None) -> list[str]:
    """Run the plan; returns the executed operations, without those whose result already existed."""
    done = []
    for operation in planned(storage, context, record):
        if not operation.already_there(context):
            operation.execute(context)
            done.append(operation.describe())
    return done


def tree(context: Context) -> dict[str, str]:
    """Everything in the root: path → content, `-> target` or ""."""
    top = Path(context.root.path)
    found = {}
    for path in sorted(top.rglob("*")):
        name = "/" + str(path.relative_to(top))
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_dir():
            found[name + "/"] = ""
        else:
            found[name] = path.read_text()
    return found
