"""Headers of LUKS2 volumes, read from the image files of disks on this host by cryptsetup and blkid."""

import base64
import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.programs import find_program, run

# For volumes that are not about key derivation: Argon2 needs many seconds in an emulated machine.
QUICK = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000")
HEADER_BYTES = 16 << 20


@dataclass(frozen=True)
class Header:
    """label and similar members are "" if absent; metadata is the JSON area."""

    label: str
    subsystem: str
    uuid: str
    metadata: dict[str, Any]

    @property
    def flags(self) -> list[str]:
        """The flags applied on activation, such as allow-discards."""
        return sorted(self.metadata["config"].get("flags", []))

    @property
    def slots(self) -> list[str]:
        """Numbers of the key slots."""
        return sorted(self.metadata["keyslots"])

    @property
    def derivations(self) -> list[str]:
        """How each key slot derives its key, in the order of slots: "pbkdf2 1000"."""
        found = [self.metadata["keyslots"][slot]["kdf"] for slot in self.slots]
        return [f"{kdf['type']} {kdf.get('iterations', kdf.get('time'))}" for kdf in found]

    @property
    def sector_size(self) -> int:
        """Of the encrypted data, in bytes."""
        return int(self.metadata["segments"]["0"]["sector_size"])

    @property
    def bindings(self) -> list[Any]:
        """The pins of clevis tokens, as returned by described()."""
        tokens = [self.metadata["tokens"][number] for number in sorted(self.metadata["tokens"])]
        return [described(token["jwe"]["protected"]) for token in tokens if token["type"] == "clevis"]


def read(image: Path) -> Header:
    """The header of a volume that fills a disk."""
    text = run(["blkid", "-p", "-o", "export", image])
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    metadata = json.loads(run(["cryptsetup", "luksDump", "--dump-json-metadata", image]))
    return Header(fields.get("LABEL", "").replace("\\ ", " "), fields.get("SUBSYSTEM", ""), fields["UUID"], metadata)


def described(protected: str) -> Any:
    """The pin of a JWE's protected header: "tpm2", "tang URL", or ["2 of", part, part] for a threshold."""
    clevis = json.loads(base64.urlsafe_b64decode(protected + "=" * (-len(protected) % 4)))["clevis"]
    pin, members = clevis["pin"], clevis.get(clevis["pin"]) or {}
    if pin == "sss":
        return [f"{members['t']} of", *sorted(described(jwe.partition(".")[0]) for jwe in members["jwe"])]
    return f"tang {members['url']}" if pin == "tang" else pin


def opens(image: Path, key: bytes) -> bool:
    """Whether a key opens the volume."""
    argv = [find_program("cryptsetup"), "open", "--test-passphrase", "--key-file=-", str(image)]
    return subprocess.run(argv, input=key, capture_output=True, timeout=120, check=False).returncode == 0


def digest(image: Path, size: int = -1) -> str:
    """SHA-256 of a disk, or of its first bytes: HEADER_BYTES for the header alone."""
    with image.open("rb") as file:
        return hashlib.sha256(file.read(size)).hexdigest()
