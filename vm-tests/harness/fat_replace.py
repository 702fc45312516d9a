"""Runs in a guest (`python3 -`): replaces a file on FAT as the agent does, with the power failing before each step.

Prints a JSON list: the content of the file on a copy of the disk, one entry per step and one without a power cut.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

OLD, NEW = "old\n", "new\n" * 700
KINDS = {OLD: "old", NEW: "new"}
STEPS = ("open", "write", "fsync", "rename")


class PowerCut(BaseException):
    """Nothing happens after it, not even cleanup."""


def run(*argv: str) -> str:
    """A program of the guest."""
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def replace_until(path: Path, steps: int) -> bool:
    """Replaces the file with the power failing after so many steps; False when there are no more steps."""
    from ignition.boot_loader.replace import replace
    from ignition.host.dentry import Dentry

    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    real = {name: getattr(os, name) for name in (*STEPS, "unlink")}
    done: list[object] = []

    def watched(call: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **options: object) -> object:
            if len(done) >= steps:
                raise PowerCut
            done.append(call)
            return call(*arguments, **options)

        return step

    try:
        for name, call in real.items():
            setattr(os, name, watched(call))
        with suppress(PowerCut):
            replace(Dentry(directory, path.name, f"/{path.name}"), NEW.encode())
            return False
    finally:
        os.close(directory)
        for name, call in real.items():
            setattr(os, name, call)
    return True


def on_copy(image: Path, scratch: Path) -> str:
    """The file on a copy of the disk, whose file system is not unmounted, as after a power cut."""
    copy, target = scratch / "copy", scratch / "look"
    copy.write_bytes(image.read_bytes())
    target.mkdir(exist_ok=True)
    run("mount", "-t", "vfat", "-o", "loop,ro", str(copy), str(target))
    try:
        return (target / "kargs.cfg").read_text()
    except OSError as error:
        return f"damaged: {error}"
    finally:
        run("umount", str(target))


def main() -> None:
    """All steps, each on its own file system."""
    found, goes_on, steps = [], True, 0
    while goes_on:
        with tempfile.TemporaryDirectory(dir="/run") as directory:
            image, target = Path(directory) / "disk", Path(directory) / "at"
            with image.open("wb") as file:
                file.truncate(4 << 20)
            run("mkfs.fat", "-F", "32", "-s", "1", str(image))
            target.mkdir()
            run("mount", "-t", "vfat", "-o", "loop,dirsync,umask=0077", str(image), str(target))
            try:
                (target / "kargs.cfg").write_text(OLD)
                os.sync()
                goes_on = replace_until(target / "kargs.cfg", steps)
                found.append(on_copy(image, Path(directory)))
            finally:
                run("umount", str(target))
        steps += 1
    print(json.dumps(found))


if __name__ == "__main__":
    main()
