"""A machine for generated configs: a root in a directory with the accounts that all known images have, and the stages.

Nothing of the machine that the tests run on is touched: accounts are made with --root, file systems in sparse files.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ignition.config import cache, check_merged
from ignition.config.advice.accounts import known
from ignition.config.model import Config
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import command
from ignition.host.root import Root
from ignition.operation import Context, Runner
from ignition.stages import files
from ignition.stages.arguments import Arguments, Paths
from ignition.storage import luks
from ignition.storage.filesystems import MAKERS, mkfs
from tests.config.fuzz import plans

LOGIN_DEFS = "UID_MIN 1000\nUID_MAX 60000\nGID_MIN 1000\nGID_MAX 60000\nUSERGROUPS_ENAB yes\n"
DIRECTORIES = (
    "etc/systemd/system",
    "home",
    "root",
    "usr/local/bin",
    "usr/lib/systemd/system",
    "home/core",
    "opt",
    "srv",
    "tmp",
    "var/lib",
)
IMAGE_BYTES = 512 << 20  # enough for each mkfs
FIRST_ID = 300  # of accounts whose ids the images choose


def make_root(root: Path) -> None:
    """A small system: its accounts are those that Flatcar and Fedora CoreOS both have."""
    for name in DIRECTORIES:
        (root / name).mkdir(parents=True)
    systems = (known()["Flatcar"], known()["Fedora CoreOS"])
    shared = {kind: sorted(set(systems[0][kind]) & set(systems[1][kind]) - {"root"}) for kind in ("users", "groups")}
    groups, users = (_numbered(kind, shared[kind]) for kind in ("groups", "users"))
    etc = root / "etc"
    etc.joinpath("group").write_text("".join(f"{name}:x:{number}:\n" for name, number in groups.items()))
    etc.joinpath("gshadow").write_text("".join(f"{name}:!::\n" for name in groups))
    lines = (
        f"{name}:x:{number}:{groups.get(name, 0)}::{'/root' if not number else f'/home/{name}'}:/bin/sh\n"
        for name, number in users.items()
    )
    etc.joinpath("passwd").write_text("".join(lines))
    etc.joinpath("shadow").write_text("".join(f"{name}:*:19000:0:99999:7:::\n" for name in users))
    etc.joinpath("login.defs").write_text(LOGIN_DEFS)
    os.chown(root / "home/core", users["core"], groups["core"])
    for directory in (root, root.parent):
        directory.chmod(0o755)  # users must be able to reach their homes


def _numbered(kind: str, names: list[str]) -> dict[str, int]:
    """The ids that both systems give, and others where they differ."""
    pairs = {name: {known()[system][kind][name] for system in ("Flatcar", "Fedora CoreOS")} for name in names}
    fixed = {name: next(iter(pair)) if len(pair) == 1 else None for name, pair in pairs.items()}
    return {"root": 0, **{name: fixed[name] or FIRST_ID + index for index, name in enumerate(names)}}


class Machine:
    """One that can be given any number of configs, each of which finds it as new."""

    def __init__(self, top: Path) -> None:
        self._top, self._image = top, top / "image"
        make_root(self._image)

    def failures(self, config: Config, *, formats: bool = False) -> list[Failure]:
        """Failures while a config is applied. `formats`: its file systems are created as well."""
        found = []
        root = self._top / "root"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(self._image, root, symlinks=True)
        home = self._image / "home/core"
        os.chown(root / "home/core", home.stat().st_uid, home.stat().st_gid)
        try:
            found += self._planned(config)
            luks.check(config.storage.luks)
            if formats:
                self._format(config)
            self._write(config, root)
        except Failure as failure:
            found.append(failure)
        except (ArithmeticError, LookupError, OSError, TypeError, ValueError) as error:
            found.append(Failure(f"a fault of ignition: {error!r}"))
        return found

    def _planned(self, config: Config) -> list[Failure]:
        """The checks on the way from the text to the stages, and the plans of stages that need other devices than we have."""
        again = check_merged(cache.load(cache.dump(config)))
        if again.fatal:
            return [Failure(str(again))]
        return plans.refusals(config, self._image)

    def _format(self, config: Config) -> None:
        for index, filesystem in enumerate(config.storage.filesystems):
            if filesystem.format in MAKERS:
                image = self._top / f"filesystem-{index}"
                image.unlink(missing_ok=True)
                with image.open("wb") as file:
                    file.truncate(IMAGE_BYTES)
                command.run(mkfs(filesystem, str(image)), why=f"$.storage.filesystems.{index}")
                image.unlink()

    def _write(self, config: Config, root: Path) -> None:
        # Devices are not at hand: what the files stage writes about them is another test's.
        storage = config.storage.evolve(disks=(), raid=(), luks=(), filesystems=(), extension=type(config.storage.extension)())
        paths = Paths(
            config_cache=str(self._top / "cache"), neednet=str(self._top / "neednet"), state_file=str(self._top / "state")
        )
        with Runner("files", str(self._top / "operations.jsonl")) as runner:
            arguments = Arguments(stage="files", platform="file", root=str(root), runner=runner, paths=paths, fetch_timeout_s=1)
            arguments.config = config.evolve(storage=storage)
            arguments.context = Context(Root(str(root)), Fetcher(Settings.from_config(config), offline=True))
            files.run(arguments)
