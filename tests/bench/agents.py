"""The two agents under measurement, and the directory of one run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[2]
DEBIANS = Path("/usr/lib/dracut/modules.d/30ignition/ignition")  # package `ignition`
BASE_PASSWD = Path("/usr/share/base-passwd")  # package `base-passwd`: what a new Debian has
PYTHON = "/usr/bin/python3"
# As the installed launcher does it: no site directories but Debian's, no user settings.
LAUNCH = (
    f"import gc, sys; gc.disable(); sys.path[:0] = [{str(TOP)!r}]; sys.path.append('/usr/lib/python3/dist-packages'); "
    "from ignition.cli.ignition import main; sys.exit(main())"
)


class Missing(Exception):
    """Something that the bench needs is not on this host."""


class Run:
    """The files of one run."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.root, self.config = directory / "root", directory / "config.ign"

    def make_root(self) -> None:
        """A root with the accounts of a new Debian."""
        etc = self.root / "etc"
        etc.mkdir(parents=True)
        (self.root / "home").mkdir()
        for name in ("passwd", "group"):
            master = BASE_PASSWD / f"{name}.master"
            if not master.exists():
                raise Missing(f"{master} is missing: this host does not run Debian")
            lines = [line.replace(":*:", ":x:", 1) for line in master.read_text().splitlines()]
            (etc / name).write_text("\n".join(lines) + "\n")
            names = [line.split(":")[0] for line in lines]
            rest = "*:19000:0:99999:7:::" if name == "passwd" else "*::"
            shadow = etc / ("shadow" if name == "passwd" else "gshadow")
            shadow.write_text("".join(f"{account}:{rest}\n" for account in names))
            shadow.chmod(0o640)
        (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nshadow: files\ngshadow: files\n")  # as libc-bin has it
        (etc / "login.defs").write_text("UID_MIN 1000\nUID_MAX 60000\nGID_MIN 1000\nGID_MAX 60000\nUSERGROUPS_ENAB yes\n")
        skeleton = etc / "skel"
        skeleton.mkdir()
        (skeleton / ".profile").write_text("# ~/.profile\n" * 40)

    def flags(self, stage: str) -> list[str]:
        """The flags that both agents know."""
        files = {"config-cache": "cache.json", "state-file": "state", "neednet": "neednet"}
        flags = ["-stage", stage, "-platform", "file", "-root", str(self.root), "-log-to-stdout"]
        for flag, name in files.items():
            flags += [f"-{flag}", str(self.directory / name)]
        return flags


class Agent:
    """One program with both stages."""

    def __init__(self, argv: list[str], *, needs: Path) -> None:
        self._argv, self._needs = argv, needs

    def prepare(self, run: Run) -> None:
        """Check and prepare the requirements of this agent besides root and config."""
        if not self._needs.exists():
            raise Missing(f"{self._needs} is missing: apt-get install ignition")

    def run(self, stage: str, run: Run) -> None:
        """Run a stage to its end; its log goes to a file of the run and is shown if it fails."""
        environment = {"PATH": f"{run.directory / 'bin'}:{os.environ['PATH']}", "IGNITION_CONFIG_FILE": str(run.config)}
        with open(run.directory / "log", "wb") as log:
            done = subprocess.run([*self._argv, *run.flags(stage)], stdout=log, stderr=log, env=environment, check=False)
        if done.returncode != 0:
            print((run.directory / "log").read_text()[-2000:], file=sys.stderr)
            raise Missing(f"{self._argv[0]} failed in the stage {stage}")


class Debians(Agent):
    """Its SELinux relabelling insists on a policy and runs setfiles."""

    def prepare(self, run: Run) -> None:
        super().prepare(run)
        (run.root / "etc" / "selinux").mkdir()
        (run.root / "etc" / "selinux" / "config").write_text("SELINUXTYPE=none\n")
        stub = run.directory / "bin" / "setfiles"
        stub.parent.mkdir()
        # Statically nothing: a script would cost the time of a shell.
        stub.symlink_to("/bin/true")


AGENTS: dict[str, Agent] = {
    "ours": Agent([PYTHON, "-I", "-S", "-c", LAUNCH], needs=Path(PYTHON)),
    "debian": Debians([str(DEBIANS)], needs=DEBIANS),
}
