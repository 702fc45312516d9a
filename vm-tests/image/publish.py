"""A set of images to publish: every format, the PXE set, a manifest, SHA512SUMS, and a detached signature beside each file."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import formats
import manifest
import pxe
from tools import BuildError, run, step

RELEASES = {"bookworm": "12", "trixie": "13"}
# Those that are large without it are compressed. The first one is that of the article, which coreos-install verifies and writes.
SUFFIXES = (".raw.bz2", ".raw.xz", ".raw.zst", ".qcow2", ".vmdk", ".vhd.zst", ".vhdx.zst")
SUMS, MANIFEST, SIGNATURE, PUBLIC_KEY = "SHA512SUMS", "manifest.json", ".sig", "signing-key.asc"


def image_name(suite: str, kernel: str) -> str:
    """The beginning of the names of a set: coreos-ignition-debian12, or coreos-ignition-debian12-generic."""
    return f"coreos-ignition-debian{RELEASES[suite]}" + ("" if kernel == "cloud" else f"-{kernel}")


def write(built: Path, network: Path, target: Path, suite: str, kernel: str, key: str = "") -> None:
    """Replace `target` by the set of a built image and a built PXE set; key: of gpg, "" for a set without signatures.

    The directory appears complete or not at all.
    """
    name = image_name(suite, kernel)
    target.parent.mkdir(parents=True, exist_ok=True)
    parts = manifest.read_parts(built)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".set-") as scratch:
        folder = Path(scratch) / "set"
        folder.mkdir()
        for suffix in SUFFIXES:
            with step(f"writing {name}{suffix}"):
                formats.write(built / "disk.qcow2", folder / f"{name}{suffix}", parts["sourceDateEpoch"])
        for file in pxe.FILES:
            shutil.copyfile(network / file, folder / f"{name}-pxe-{file}")
        script = folder / f"{name}-pxe-{pxe.SCRIPT}"
        script.write_text(pxe.renamed(script.read_text(encoding="ascii"), f"{name}-pxe-"), encoding="ascii")
        finish(folder, {"suite": suite, "flavour": kernel, **parts}, key)
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)


def finish(folder: Path, about: dict[str, object], key: str = "") -> None:
    """Manifest, sums and signatures for the files of a directory."""
    with step("summing up" + (" and signing" if key else "")):
        files = [{"name": path.name, "size": path.stat().st_size, "sha512": digest(path)} for path in sorted(folder.iterdir())]
        text = json.dumps({**about, "files": files}, indent=2)
        (folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8")
        lines = [f"{digest(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
        (folder / SUMS).write_text("".join(lines), encoding="ascii")
        if key:
            for path in sorted(folder.iterdir()):
                sign(path, key)
            (folder / PUBLIC_KEY).write_text(run(["gpg", "--batch", "--armor", "--export", "--", key]), encoding="ascii")


def digest(path: Path) -> str:
    """The SHA-512 digest of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha512").hexdigest()


def check_key(key: str) -> None:
    """Raises BuildError unless gpg has that secret key."""
    try:
        run(["gpg", "--batch", "--quiet", "--list-secret-keys", "--", key])
    except BuildError as error:
        raise BuildError(
            f"KEY={key}: your gpg does not have that secret key; `gpg --list-secret-keys` lists those it has"
        ) from error


def sign(path: Path, key: str) -> None:
    """Write the detached binary signature FILE.sig, which `gpg --verify FILE.sig` checks."""
    signature = path.with_name(path.name + SIGNATURE)
    argv = ["gpg", "--batch", "--yes", "--quiet", "--local-user", key, "--detach-sign", "--output", str(signature)]
    run([*argv, "--", str(path)])
