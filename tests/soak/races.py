"""Races: a user swaps files and directories for links, FIFOs and devices while a program of ours works on them as root.

    python -m tests.soak.races [--tries 1000] [--seconds 120] [NAME …]        needs root

Each race is one program on one machine (tests/hostile), and a process of its user `core` that swaps as fast as it can. The user
wins a try if something of root's changed (owner, mode, content, a new file), if a secret of root's came to where the user reads,
or if the program hung. The last line of each race is `races: NAME: N tried, M won`; the exit status is 1 if any was won.
Linux: renameat2(2), RENAME_EXCHANGE.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from tests.hostile.image import data
from tests.hostile.machine import CORE, SECRET_DIRECTORY, SECRET_FILE, Machine
from tests.hostile.sandbox import Ran, Sandbox
from tests.platforms.samples import KEY

TRIES, SECONDS = 1000, 120.0
HUNG_S = 60.0
ROUNDS = 40  # swaps of one pair before it is recreated: a program that won the race may have replaced it
RENAME_EXCHANGE, AT_FDCWD = 2, -100  # linux/fs.h, linux/fcntl.h
_LIBRARY = ctypes.CDLL(None, use_errno=True)


class Race(NamedTuple):
    """`attack`: one round of the user's loop, as that user. `run`: one try. `document`: its user data."""

    name: str
    attack: Callable[[Path, Machine], None]
    run: Callable[[Machine], Ran]
    document: str = ""


def exchange(one: Path, other: Path) -> None:
    """Swap what two names stand for; no moment without."""
    _LIBRARY.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE)


def _swapping(path: Path, make: Callable[[Path], None], make_other: Callable[[Path], None]) -> None:
    """One round: a pair is made, and its names are swapped, blindly or when something happens there."""
    spare = path.with_name(f"{path.name}.spare")
    for place, maker in ((spare, make_other), (path, make)):
        fresh = place.with_name(f"{place.name}.fresh")
        _remove(fresh)
        maker(fresh)
        _remove(place)
        with suppress(OSError):
            fresh.rename(place)
    if random.random() < 0.5:  # noqa: S311  moments, not secrets
        _wait_for_a_temporary_file(path.parent)
        exchange(path, spare)
        _pause(random.choice((1, 10, 50)))  # noqa: S311
        exchange(path, spare)
        return
    for _ in range(ROUNDS):
        exchange(path, spare)
        _pause(random.choice((0, 1, 5)))  # noqa: S311


def _wait_for_a_temporary_file(directory: Path) -> None:
    """Wait until one appears, or until it has disappeared again: the program acts on its checks a moment later."""
    wants_end, end = random.random() < 0.7, time.monotonic() + 0.05  # noqa: S311
    while not _has_temporary(directory):
        if time.monotonic() > end:
            return
    while wants_end and _has_temporary(directory) and time.monotonic() < end:
        pass


def _has_temporary(directory: Path) -> bool:
    return any(name.startswith(".ignition-") for name in os.listdir(directory))


def _pause(tenths_of_a_millisecond: int) -> None:
    end = time.monotonic() + tenths_of_a_millisecond / 10_000
    while time.monotonic() < end:
        pass


def _remove(path: Path) -> None:
    """Whatever it is, as far as the user may."""
    with suppress(OSError):
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            return
        for name in path.iterdir():
            _remove(name)
        path.rmdir()


def _file(text: str, mode: int = 0o644) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_text(text)
        path.chmod(mode)

    return make


def _link(target: str | Path) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _occupy(directory: Path, name_of_target: str, target: str) -> None:
    """Replace every temporary file that appears with something else; predictable names are occupied in advance."""
    _remove(directory / name_of_target)  # so that the program has something to write
    makers = (_link(target), _fifo, _link("/dev/zero"), lambda path: path.hardlink_to(directory / "own"))
    with suppress(OSError):
        _file("own")(directory / "own")
    for number in range(8):
        with suppress(OSError):
            random.choice(makers)(directory / f".ignition-1-{number}")  # noqa: S311
    for _ in range(ROUNDS):
        with suppress(OSError):
            for name in os.listdir(directory):
                if name.startswith("."):
                    _remove(directory / name)
                    with suppress(OSError):
                        random.choice(makers)(directory / name)  # noqa: S311


def _cloudinit(machine: Machine) -> Ran:
    return machine.live("coreos-cloudinit", "-from-file=/var/lib/user-data", limit_s=HUNG_S)


def _keys(machine: Machine) -> Ran:
    return machine.live("coreos-metadata", "--provider=digitalocean", "--ssh-keys=core", limit_s=HUNG_S)


def _stage(**config: Any) -> Callable[[Machine], Ran]:
    whole = {"ignition": {"version": "3.7.0-experimental"}, **config}
    environment = {"IGNITION_WRITE_AUTHORIZED_KEYS_FRAGMENT": "true"}  # two directories deep
    return lambda machine: machine.stage("files", config=whole, limit_s=HUNG_S, environment=environment)


def _files(*files: str, owner: str = "", mode: str = "0644") -> str:
    return "#cloud-config\nwrite_files:\n" + "".join(
        f"- {{path: {path}, content: same bytes, permissions: '{mode}', owner: '{owner}'}}\n" for path in files
    )


def _node(path: str, **members: Any) -> dict[str, Any]:
    return {"path": path, **members}


_SUB = {
    "directories": [_node("/home/core/sub/new/deep"), _node("/home/core/sub/emptied", overwrite=True)],
    "files": [
        _node("/home/core/sub/dir/file", overwrite=True, contents=data("stage\n"), mode=0o640, user={"id": CORE}),
        _node("/home/core/sub/appended", append=[data("stage\n")]),
    ],
    "links": [_node("/home/core/sub/link", target="/x", overwrite=True)],
}
_KEYS_DOCUMENT = f"#cloud-config\nssh_authorized_keys:\n- {KEY}\n"


def _sub_of_root(home: Path, machine: Machine) -> None:
    """A directory of the path becomes a link that leads out of the root, to where core may write as well."""

    def make(path: Path) -> None:
        for name in ("dir", "emptied"):
            (path / name).mkdir(parents=True)
        (path / "emptied/victim").write_text("x")
        (path / "appended").write_text("before\n")

    _swapping(home / "sub", make, _link(f"{'../' * 40}{str(machine.twin).lstrip('/')}/home/core/sub"))


def _ssh_of_root(home: Path, machine: Machine) -> None:
    _swapping(
        home / ".ssh",
        lambda path: (path / "authorized_keys.d").mkdir(parents=True),
        _link(f"{'../' * 40}{str(machine.twin).lstrip('/')}/home/core/.ssh"),
    )


RACES = (
    # faults.md B1: the same bytes, another mode and owner.
    Race(
        "same-bytes",
        lambda home, _: _swapping(home / "same", _file("same bytes"), _link(SECRET_FILE)),
        _cloudinit,
        _files("/home/core/same", owner="core:core", mode="0666"),
    ),
    # B2: a directory of the path is a link into root's, now and then.
    Race(
        "directory-to-link",
        lambda home, _: _swapping(home / ".config", lambda path: path.mkdir(), _link(SECRET_DIRECTORY)),
        _cloudinit,
        _files("/home/core/.config/app.sh", "/home/core/.config/sub/dir/app", owner="core:core"),
    ),
    Race(
        "directory-above-to-link",
        lambda home, _: _swapping(home / "sub", lambda path: (path / "dir").mkdir(parents=True), _link("/root")),
        _cloudinit,
        _files("/home/core/sub/dir/file", "/home/core/sub/.profile", owner="core:core"),
    ),
    Race(
        "keys-of-cloudinit",
        lambda home, _: _swapping(home / ".ssh", lambda path: path.mkdir(0o700), _link(SECRET_DIRECTORY)),
        _cloudinit,
        _KEYS_DOCUMENT,
    ),
    Race(
        "keys-of-metadata",
        lambda home, _: _swapping(home / ".ssh", lambda path: path.mkdir(0o700), _link(SECRET_DIRECTORY)),
        _keys,
    ),
    Race(
        "key-file-to-link",
        lambda home, _: _swapping(home / ".ssh/authorized_keys", _file("old\n", 0o600), _link(SECRET_FILE)),
        _cloudinit,
        _KEYS_DOCUMENT,
    ),
    # B3 and B6: a FIFO comes between the look and the open.
    Race(
        "key-file-to-fifo",
        lambda home, _: _swapping(home / ".ssh/authorized_keys", _file("old\n", 0o600), _fifo),
        _cloudinit,
        _KEYS_DOCUMENT,
    ),
    Race(
        "file-to-fifo",
        lambda home, _: _swapping(home / "same", _file("same bytes"), _fifo),
        _cloudinit,
        _files("/home/core/same", owner="core:core", mode="0666"),
    ),
    Race(
        "temporary-names",
        lambda home, _: _occupy(home / ".config", "app.sh", SECRET_FILE),
        _cloudinit,
        _files("/home/core/.config/app.sh", owner="core:core", mode="0666"),
    ),
    Race(
        "temporary-names-of-keys",
        lambda home, _: _occupy(home / ".ssh", "authorized_keys", SECRET_FILE),
        _cloudinit,
        _KEYS_DOCUMENT,
    ),
    # Out of a root, while the files stage runs.
    Race("directory-of-a-stage", _sub_of_root, _stage(storage=_SUB)),
    Race("keys-of-a-stage", _ssh_of_root, _stage(passwd={"users": [{"name": "core", "sshAuthorizedKeys": [KEY]}]})),
)


class Result(NamedTuple):
    """`won`: what the judge said of each try that was."""

    name: str
    tried: int
    won: list[str]

    def __str__(self) -> str:
        return f"races: {self.name}: {self.tried} tried, {len(self.won)} won"


def hold(race: Race, sandbox: Sandbox, directory: Path, *, tries: int, seconds: float) -> Result:
    """So many tries, or as many as the time allows, but one."""
    end = time.monotonic() + seconds
    won: list[str] = []
    tried = 0
    while tried == 0 or (tried < tries and time.monotonic() < end):
        machine = _machine(race, sandbox, directory / f"{race.name}-{len(won)}")
        with _attacked(race, machine):
            while tried == 0 or (tried < tries and time.monotonic() < end):
                tried += 1
                wrong = machine.verdict(race.run(machine))
                if wrong:
                    won.append("; ".join(wrong))
                    break  # a new machine: this one's guarded files are not as they were
        machine.clear()
    return Result(race.name, tried, won)


def _machine(race: Race, sandbox: Sandbox, directory: Path) -> Machine:
    directory.mkdir(parents=True)
    machine = Machine(directory, sandbox)
    machine.guarded = (*machine.guarded, machine.twin)
    for name in ("dir", "emptied/inner", "new"):
        (machine.twin / "home/core/sub" / name).mkdir(parents=True)
    machine.give(machine.twin / "home/core")
    if race.document:
        machine.put("/var/lib/user-data", race.document)
    return machine


@contextmanager
def _attacked(race: Race, machine: Machine) -> Iterator[None]:
    home = machine.root / "home/core"
    attacker = os.fork()
    if not attacker:
        try:
            os.setgroups([])
            os.setresgid(CORE, CORE, CORE)
            os.setresuid(CORE, CORE, CORE)
            while True:
                with suppress(OSError):
                    race.attack(home, machine)
        finally:
            os._exit(1)
    try:
        yield
    finally:
        os.kill(attacker, signal.SIGKILL)
        os.waitpid(attacker, 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="races", description="Users who swap files while root writes them.")
    parser.add_argument("--tries", type=int, default=TRIES, help="of each race")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="at most, for each race")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(race.name for race in RACES)}")
    options = parser.parse_args(arguments)
    if os.geteuid() != 0:
        print("races: needs root", file=sys.stderr)
        return 2
    chosen = [race for race in RACES if not options.names or race.name in options.names]
    sandbox = Sandbox()
    lost = 0
    with tempfile.TemporaryDirectory(prefix="races-") as directory:
        for race in chosen:
            result = hold(race, sandbox, Path(directory), tries=options.tries, seconds=options.seconds)
            for how in sorted(set(result.won))[:5]:
                print(f"  won: {how}")
            print(result, flush=True)
            lost += len(result.won)
    sandbox.close()
    return 1 if lost or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
