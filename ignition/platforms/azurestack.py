"""Azure Stack Hub. Source: docs/reference/platforms.md §3.4, §5.1, §8, §10.3, §10.4."""

from __future__ import annotations

import os
from collections.abc import Callable

from ignition.errors import CommandFailed, Failure
from ignition.host import paths
from ignition.host.command import run
from ignition.metadata.config_source import ConfigSource
from ignition.metadata.drive import LIMIT_S, awaited
from ignition.metadata.table import Metadata
from ignition.metadata.values import Document
from ignition.metadata.xml_text import parse
from ignition.platforms import Platform
from ignition.platforms.azure import CONFIGURATION, CUSTOM_DATA, GOAL_STATE, INSTANCE, Fabric, check_in, discs, get, goal_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader


FORMATS = ("udf", "iso9660")
IDENTITY = Document(f"{INSTANCE}/Microsoft.Compute/identity?api-version=2019-03-11")


def _ssh_keys(reader: Reader) -> list[str]:
    url = goal_state(reader).findtext(f"{CONFIGURATION}/Certificates")
    if url is None:
        return []
    if not url.strip():
        raise Failure("the URL of the certificates is empty", where=GOAL_STATE.path, fix="ask the platform's support")
    return ssh_keys(lambda headers: get(reader.fetcher, url.strip(), headers), url.strip())


PLATFORM = Platform(
    "Azure Stack Hub",
    addresses=("169.254.169.254", "168.63.129.16"),
    closing="root and the group of the drive's device (Debian: `cdrom` or `disk`) can read it; detach the drive",
    each_boot=("check_in",),
    config=ConfigSource(
        f"{CUSTOM_DATA} on the provisioning drive", lambda _: awaited(discs(FORMATS), LIMIT_S), needs_network=False
    ),
    metadata=(
        Metadata(
            Fabric(),
            prefix="AZURESTACK_",
            hostname=IDENTITY.member("vmName"),
            ssh_keys=_ssh_keys,
            check_in=check_in,
        ),
    ),
)


# The SSH key of an Azure Stack machine, which the fabric provides only as a certificate.
#
# Source: docs/reference/platforms.md §8.
#
# The fabric encrypts a PKCS#12 file without a password for a certificate that we create. This needs OpenSSL's command:
# python3-cryptography of Debian 12 (38) cannot decrypt CMS, and would be another compiled package. Neither is in the initramfs,
# since keys are written on the running system.

HEADERS = {"x-ms-cipher-name": "DES_EDE3_CBC"}
CERTIFICATE_HEADER = "x-ms-guest-agent-public-x509-cert"
_SUBJECT = "/CN=LinuxTransport"
_DAYS = 365


def ssh_keys(ask: Callable[[dict[str, str]], bytes], where: str) -> list[str]:
    """The key, if there is one. `ask` gets the fabric's document with the given headers. Raises Failure at `where`."""
    from tempfile import TemporaryDirectory

    os.makedirs(paths.RUN, exist_ok=True)
    with TemporaryDirectory(dir=paths.RUN, prefix="azure-") as directory:  # 0700, in memory
        try:
            exchange = _Exchange(directory)
            answer = ask({**HEADERS, CERTIFICATE_HEADER: exchange.certificate()})
            found = exchange.keys(_message(answer, where))
        except CommandFailed as failure:
            failure.where = where
            raise
    if not all(key.startswith("ssh-rsa ") for key in found):
        raise Failure("the key in the certificate is not an RSA key", where=where, fix="use an RSA key for the machine")
    return found


def _message(document: bytes, where: str) -> bytes:
    """The encrypted message in the fabric's document."""
    from base64 import b64decode

    try:
        data = parse(document.decode("utf-8", "replace")).findtext("Data") or ""
        return b64decode("".join(data.split()), validate=True)
    except ValueError as error:
        raise Failure("not a document with certificates", where=where, fix="ask the platform's support") from error


class _Exchange:
    """Our key and certificate, and the fabric's answer, as files of a directory."""

    def __init__(self, directory: str) -> None:
        self._key, self._certificate, self._message, self._bundle, self._chain, self._public = (
            os.path.join(directory, name) for name in ("key", "certificate", "message", "bundle", "chain", "public")
        )

    def certificate(self) -> str:
        """A new certificate in the form of the header: PEM without its first and last line, and without line ends."""
        made = ["-newkey", "rsa:2048", "-nodes", "-keyout", self._key, "-out", self._certificate]
        argv = ["openssl", "req", "-x509", *made, "-subj", _SUBJECT, "-days", str(_DAYS)]
        run(argv, why="create a certificate for the fabric")
        with open(self._certificate, encoding="ascii") as file:
            return "".join(line.strip() for line in file if not line.startswith("-----"))

    def keys(self, message: bytes) -> list[str]:
        """The public key of the first certificate in the message, in OpenSSH's form."""
        with open(self._message, "wb") as file:
            file.write(message)
        argv = ["openssl", "cms", "-decrypt", "-inform", "DER", "-in", self._message, "-recip", self._certificate]
        run([*argv, "-inkey", self._key, "-out", self._bundle], why="decrypt the fabric's message")
        argv = ["openssl", "pkcs12", "-legacy", "-in", self._bundle, "-passin", "pass:", "-nokeys", "-cacerts"]
        run([*argv, "-out", self._chain], why="read the fabric's certificates")
        if os.path.getsize(self._chain) == 0:
            return []
        argv = ["openssl", "x509", "-in", self._chain, "-noout", "-pubkey", "-out", self._public]
        run(argv, why="read the first certificate")
        return [run(["ssh-keygen", "-i", "-m", "PKCS8", "-f", self._public], why="read the certificate's key").strip()]
