"""Writes the one file that runs all programs with any Python from 3.11: `python3 packaging/pyz/build.py FILE`; see `make zipapp`.

A zip file that Python executes (docs.python.org, "zipapp"): our packages, main.py, and the libraries of requirements.txt with
their licences. Libraries come from the package index, and are checked by their digests. Two builds have the same bytes: names are
sorted, times and modes are constant.
"""

import argparse
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
OWN = ("ignition", "coreos_metadata")
SHEBANG = b"#!/usr/bin/env python3\n"
# Files of Python 3.11 on the most common machines: those of others differ in the compiled modules, which are left out.
WHEELS = "--python-version=3.11 --implementation=cp --platform=manylinux2014_x86_64 --only-binary=:all:".split()
NOT_RUN = (".so", ".pyc", ".pyi", ".pyx", ".c", ".h")
LICENCES = ("LICEN", "COPYING", "NOTICE", "METADATA")


def main() -> None:
    """Build it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path)
    file = parser.parse_args().file
    if not find_spec("pip"):
        sys.exit("build.py: pip is missing (fix: apt install python3-pip)")
    with TemporaryDirectory() as directory:
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile", "--require-hashes"]
        argv = [sys.executable, "-m", "pip", "install", *options, *WHEELS, f"--target={directory}"]
        if subprocess.run([*argv, f"--requirement={HERE / 'requirements.txt'}"], check=False).returncode:
            sys.exit("build.py: the libraries could not be downloaded")
        write(file, {**libraries(Path(directory)), **own(), "__main__.py": HERE / "main.py", "LICENSE": TOP / "LICENSE"})


def libraries(directory: Path) -> dict[str, Path]:
    """Name in the file → source, of what pip has put there: modules, data and licences."""
    found = {}
    for name, path in files(directory):
        top = name.partition("/")[0]
        is_about = top.endswith(".dist-info")
        is_wanted = any(word in name.upper() for word in LICENCES) if is_about else top != "bin" and "/tests/" not in name
        if is_wanted and not name.endswith(NOT_RUN):
            found[name] = path
    return found


def own() -> dict[str, Path]:
    """Name in the file → source, of our packages."""
    return {f"{top}/{name}": path for top in OWN for name, path in files(TOP / top) if not name.endswith(NOT_RUN)}


def files(directory: Path) -> Iterator[tuple[str, Path]]:
    """All files below, by relative name."""
    for path in directory.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(directory)), path


def write(file: Path, content: dict[str, Path]) -> None:
    """Name in the file → source. The file appears when it is complete."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    with open(new, "wb") as stream:
        stream.write(SHEBANG)
        with zipfile.ZipFile(stream, "w") as archive:
            for name in sorted(content):
                entry = zipfile.ZipInfo(name)  # of 1980
                entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
                archive.writestr(entry, content[name].read_bytes(), compresslevel=9)
    os.chmod(new, 0o755)
    os.replace(new, file)


if __name__ == "__main__":
    main()
