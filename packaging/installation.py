"""Puts staged files below DESTDIR, and removes exactly these again: the last step of `make install`, and `make uninstall`.

    installation.py install STAGE DESTDIR [RECORD]
    installation.py uninstall DESTDIR RECORD

RECORD is a file below DESTDIR that lists what was made there, a path in each line: files, and directories that did not exist
before, which end in a slash. It is removed with the rest. An installation over an older one removes those of its files that are
no longer installed. A directory with files of others stays, as they do; byte code goes with its module, whoever made it.
"""

import os
import shutil
import stat
import sys
from collections.abc import Iterable
from pathlib import Path


def install(stage: Path, destdir: Path, record: str) -> None:
    """Copy all staged files, each by one rename. Without a record, nothing can be uninstalled."""
    os.umask(0o022)
    staged = {f"/{path.relative_to(stage)}{'/' if is_directory(path) else ''}": path for path in sorted(stage.rglob("*"))}
    before = read(destdir, record) if record else set()
    remove(destdir, before - staged.keys())
    made = {record}
    destdir.mkdir(parents=True, exist_ok=True)
    for name, path in staged.items():  # a directory before the files in it
        target = below(destdir, name)
        if not is_directory(path):
            new = target.with_name(f".{target.name}.new")
            new.unlink(missing_ok=True)
            shutil.copy(path, new, follow_symlinks=False)
            if not path.is_symlink():  # whatever the umask was under which the sources were checked out
                new.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
            os.replace(new, target)
            made.add(name)
        elif not target.is_dir():
            target.mkdir()
            made.add(name)
        elif name in before:
            made.add(name)
    if record:
        below(destdir, record).write_text("".join(f"{name}\n" for name in sorted(made)), encoding="utf-8")


def is_directory(path: Path) -> bool:
    """Not a link to one."""
    return path.is_dir() and not path.is_symlink()


def uninstall(destdir: Path, record: str) -> None:
    """Remove what the record names."""
    names = read(destdir, record)
    if not names:
        sys.exit(f"uninstall: {below(destdir, record)} does not exist: nothing is installed there, or RECORD=0 was given")
    remove(destdir, names)


def read(destdir: Path, record: str) -> set[str]:
    """The names in the record; none without one."""
    try:
        return {*below(destdir, record).read_text(encoding="utf-8").splitlines()}
    except FileNotFoundError:
        return set()


def remove(destdir: Path, names: Iterable[str]) -> None:
    """Remove these files, and then those of the directories that are empty."""
    directories = [name for name in names if name.endswith("/")]
    for name in set(names) - set(directories):
        path = below(destdir, name)
        path.unlink(missing_ok=True)
        if path.suffix == ".py":
            cache = path.parent / "__pycache__"
            for compiled in cache.glob(f"{path.stem}.*.pyc"):
                compiled.unlink()
            remove_if_empty(cache)
    for name in sorted(directories, reverse=True):  # what is in a directory before it
        remove_if_empty(below(destdir, name))


def remove_if_empty(directory: Path) -> None:
    """Does nothing without it."""
    if directory.is_dir() and not any(directory.iterdir()):
        directory.rmdir()


def below(destdir: Path, name: str) -> Path:
    """The path of an installed name."""
    return destdir / name.strip("/")


def main(arguments: list[str]) -> None:
    """Do what the first argument says."""
    try:
        match arguments:
            case ["install", stage, destdir, *record]:
                install(Path(stage), Path(destdir or "/"), "".join(record))
            case ["uninstall", destdir, record]:
                uninstall(Path(destdir or "/"), record)
            case _:
                sys.exit(__doc__)
    except OSError as error:
        sys.exit(f"{arguments[0]}: {error.filename or ''}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
