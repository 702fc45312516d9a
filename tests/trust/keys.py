"""Keys and signatures for tests, made by gpg(1) in a home of their own."""

import os
import subprocess
from pathlib import Path

# Long before any test runs, so that keys may expire between then and now.
MADE, SIGNED = "20240101T000000", "20240301T000000"


class Keys:
    """A home of gpg with keys, by the names of their owners.

    good, other: of the image; stranger: not of the image; expired, revoked: of the image, and no longer valid; with-subkey: it
    certifies alone, and a subkey of it signs.
    """

    def __init__(self, home: Path) -> None:
        self._environment = {"PATH": os.environ["PATH"], "GNUPGHOME": str(home), "LC_ALL": "C", "TZ": "UTC"}
        for name, life in (("good", "never"), ("other", "never"), ("stranger", "never"), ("expired", "1y"), ("revoked", "never")):
            self.gpg("--quick-gen-key", f"{name} <{name}@example.com>", "ed25519", "sign", life, at=MADE)
        self.gpg("--quick-gen-key", "with-subkey <with-subkey@example.com>", "ed25519", "cert", "never", at=MADE)
        self.gpg("--quick-add-key", self.fingerprint("with-subkey"), "ed25519", "sign", "never", at=MADE)

    revoked_clear = revoked_beside = b""

    def gpg(self, *arguments: str, text: bytes = b"", at: str = "") -> bytes:
        """The output of gpg. `at`: the time that it believes in."""
        clock = ["--faked-system-time", at] if at else []
        argv = ["gpg", "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "", *clock, *arguments]
        done = subprocess.run(argv, input=text, capture_output=True, check=False, env=self._environment)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def stop(self) -> None:
        """End the agent that gpg has started for this home."""
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True, env=self._environment)

    def fingerprint(self, name: str) -> str:
        """That of a key."""
        lines = self.gpg("--list-keys", "--with-colons", f"<{name}@example.com>").decode().splitlines()
        return next(line.split(":")[9] for line in lines if line.split(":")[0] == "fpr")

    def revoke(self, home: Path) -> None:
        """Revoke the key "revoked", by the certificate that gpg made with it."""
        text = (home / f"openpgp-revocs.d/{self.fingerprint('revoked')}.rev").read_text(encoding="utf-8")
        self.gpg("--import", text=text.replace("\n:-----BEGIN", "\n-----BEGIN").encode())

    def public(self, *names: str) -> bytes:
        """The public keys, as a key file of an image has them."""
        return self.gpg("--export", *(f"<{name}@example.com>" for name in names))

    def clear(self, text: bytes, *names: str, at: str = SIGNED, options: tuple[str, ...] = ()) -> bytes:
        """The text, clear-signed by these keys."""
        return self.gpg(*options, *_by(names or ("good",)), "--clear-sign", text=text, at=at)

    def beside(self, text: bytes, *names: str, at: str = SIGNED, options: tuple[str, ...] = ()) -> bytes:
        """A detached signature of the text by these keys."""
        return self.gpg(*options, *_by(names or ("good",)), "--detach-sign", text=text, at=at)


def _by(names: tuple[str, ...]) -> list[str]:
    return [word for name in names for word in ("--local-user", f"<{name}@example.com>")]
