"""A cache of earlier builds, keyed by all of their inputs; concurrent callers wait for one build."""

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

KEPT_IMAGES = 3  # older ones are removed: each takes about 1.5 GiB


def default_folder(suite: str) -> Path:
    """The default directory for builds of a suite of Debian."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "/var/cache") / "coreos-ignition" / suite


def digest(texts: Iterable[str], trees: Iterable[Path] = ()) -> str:
    """Of these texts, and of names, modes and contents of all files below these trees."""
    state = hashlib.sha256()
    for text in texts:
        state.update(text.encode() + b"\0")
    for tree in trees:
        files = [tree] if tree.is_file() else sorted(path for path in tree.rglob("*") if path.is_file())
        for file in files:
            if file.suffix == ".pyc" or any(part.startswith(".") and part.endswith("cache") for part in file.parts):
                continue
            state.update(f"{file.relative_to(tree.parent)} {file.stat().st_mode:o}\0".encode())
            state.update(file.read_bytes())
    return state.hexdigest()[:16]


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Held while something in `folder` is looked up or built. The kernel releases it if the process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def forget_old(folder: Path, prefix: str, keep: Path) -> list[Path]:
    """The entries named `prefix`-… beyond the newest KEPT_IMAGES, for the caller to remove; never `keep`."""
    entries = sorted(folder.glob(f"{prefix}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path for path in entries[KEPT_IMAGES:] if path != keep]
