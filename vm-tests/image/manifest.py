"""The contents of an image, as JSON: docs/image-manifest-schema.json.

A build leaves its parts beside the disk (image.json); the manifest of a set adds the files.
"""

import json
import re
from pathlib import Path
from typing import Any

import root_tree
from tools import BuildError, run

PARTS = "image.json"


def write_parts(folder: Path, root: Path, raw: Path, kernel: str, epoch: int) -> None:
    """Describe a built image: its packages and its partition table."""
    _write(folder, {**_parts(root, kernel, epoch), "disk": partition_table(raw)})


def write_packages(folder: Path, root: Path, kernel: str, epoch: int) -> None:
    """Describe a root without a disk."""
    _write(folder, _parts(root, kernel, epoch))


def read_parts(folder: Path) -> dict[str, Any]:
    """The description that a build has left."""
    return dict(json.loads((folder / PARTS).read_text(encoding="utf-8")))


def epoch_of(folder: Path) -> int:
    """SOURCE_DATE_EPOCH of a build."""
    return int(read_parts(folder)["sourceDateEpoch"])


def _parts(root: Path, kernel: str, epoch: int) -> dict[str, Any]:
    return {
        "version": agent_version(),
        "kernel": kernel,
        "sourceDateEpoch": epoch,
        "packages": packages(root),
    }


def agent_version() -> str:
    """The version of the agent in the image."""
    found = re.search(r'(?m)^__version__ = "(.+)"$', (root_tree.REPOSITORY / "ignition/__init__.py").read_text(encoding="utf-8"))
    if found is None:
        raise BuildError("ignition/__init__.py does not have a version")
    return found[1]


def packages(root: Path) -> list[dict[str, str]]:
    """The installed packages of a root, by name, as dpkg-query(1) lists them."""
    form = "${db:Status-Abbrev}\\t${Package}\\t${Version}\\t${Architecture}\\n"
    rows = [line.split("\t") for line in run(["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f", form]).splitlines()]
    names = ("name", "version", "architecture")
    return sorted(
        (dict(zip(names, row[1:], strict=True)) for row in rows if row[0].startswith("ii")), key=lambda one: one["name"]
    )


def partition_table(raw: Path) -> dict[str, Any]:
    """Size of a disk in bytes, and its partitions; start and size in bytes."""
    table = json.loads(run(["sfdisk", "--json", str(raw)]))["partitiontable"]
    sector = int(table["sectorsize"])
    partitions = [
        {
            "number": int(re.search(r"\d+$", one["node"])[0]),  # type: ignore[index]  # sfdisk always has one
            "label": one["name"],
            "start": one["start"] * sector,
            "size": one["size"] * sector,
            "type": one["type"].lower(),
            "uuid": one["uuid"].lower(),
        }
        for one in table["partitions"]
    ]
    return {"size": raw.stat().st_size, "label": table["label"], "id": table["id"].lower(), "partitions": partitions}


def _write(folder: Path, content: dict[str, Any]) -> None:
    (folder / PARTS).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
