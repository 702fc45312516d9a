"""A script in user data, kept in the workspace and run as a transient unit. Source: docs/reference/coreos-cloudinit.md §15.

The original gave files and units random numbers and ran the script at each call. Here the number is derived from the content, so
that a second run in the same boot has nothing to do; the next boot runs the script again.
"""

from __future__ import annotations

import os

from ignition.host import command
from ignition.host.atomic import sha512
from ignition.operation import Context, Operation

SCRIPT_MODE, NAME_MODE = 0o700, 0o644  # the original: 0744, but a script may hold a secret
RAN = "/run/coreos-cloudinit/scripts"  # has a file for each script started in this boot
INTERPRETER = "/bin/bash"  # regardless of the script's first line, as in the original
_DESCRIPTION = "Unit generated and executed by coreos-cloudinit on behalf of user"


def number(text: bytes) -> str:
    """The number in the names of a script's file and unit."""
    return str(int(sha512(text)[:15], 16))


class RunScript(Operation):
    """Writes the script and starts its unit, without waiting for it to end."""

    kind = "run-script"

    def __init__(self, text: bytes, name: str, workspace: str) -> None:
        self._text, self._name, self._number = text, name, number(text)
        self._directory = f"{workspace.rstrip('/')}/scripts"
        self.path = f"{self._directory}/{self._number}"
        self._unit = f"coreos-cloudinit-{self._number}.service"

    def describe(self) -> str:
        return f"run script {self._name} as {self._unit}"

    def already_there(self, context: Context) -> bool:
        """Whether it was started in this boot. Remove the file below /run to start it again."""
        return context.root.status(f"{RAN}/{self._number}") is not None

    def execute(self, context: Context) -> None:
        script = self._put(context, self.path, self._text, SCRIPT_MODE)
        try:
            argv = ["systemd-run", f"--unit={self._unit}", f"--description={_DESCRIPTION}", INTERPRETER, script]
            command.run(argv, why=self.describe())
            self._put(context, f"{RAN}/{self._number}", b"", NAME_MODE)
        finally:
            self._put(context, f"{self._directory}/unit-name", self._unit.encode(), NAME_MODE)

    @staticmethod
    def _put(context: Context, path: str, content: bytes, mode: int) -> str:
        context.root.write(path, content, mode=mode)
        return os.path.abspath(context.root.locate(path))
