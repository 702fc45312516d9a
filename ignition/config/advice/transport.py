"""W16 and W17: secrets, and content that controls the machine, fetched over plain http or tftp.

Metadata services at link-local addresses and the machine itself are not reported: that traffic stays on the host. Tang is
designed for plain http. A hash protects content from being replaced, but not from being read.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config import url
from ignition.config.advice.subject import advice
from ignition.config.model.ignition import Resource
from ignition.config.model.storage import File
from ignition.config.report import Finding, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject
    from ignition.config.model import Config

_PLAIN = ("http", "tftp")
_NEAR = ("127.", "169.254.", "localhost", "[::1]", "[fe80:")
_SECRET_HEADERS = ("authorization", "cookie", "proxy-authorization")
_SECRET_WORDS_OF_HEADERS = ("token", "secret", "api-key", "apikey", "password")
_SECRET_ENDS = (
    ".key",
    "_key",
    ".p12",
    ".pfx",
    ".keytab",
    ".kubeconfig",
    "/id_rsa",
    "/id_ed25519",
    "/id_ecdsa",
    "/shadow",
    "/gshadow",
)
_SECRET_WORDS = ("password", "passwd", "secret", "token", "private")
_NO_SECRETS = ("/etc/passwd",)
_ROOTS = ("/etc/systemd/", "/etc/sudoers", "/etc/ssh/", "/etc/pam.d/", "/etc/cron", "/etc/udev/", "/etc/ld.so", "/etc/profile")
_EXECUTABLE, _FOR_OTHERS = 0o111, 0o077
_USE_HTTPS = "use https"
_USE_HASH = "use https, or set verification.hash"


def advise(subject: Subject) -> Iterator[Finding]:
    """References, certificates, keys, files."""
    for path, resource, secret, power in _resources(subject.config):
        source = resource.source or ""
        kind, where = url.scheme(source), (*path, "source")
        userinfo, _, host = source.partition("//")[2].partition("/")[0].rpartition("@")
        if kind not in _PLAIN or host.lower().startswith(_NEAR):
            continue
        if secret and not resource.extension.sealed:
            yield advice(
                "W16", where, f"{secret} is fetched over plain {kind}: anyone on the network path can read it", _USE_HTTPS
            )
        if userinfo.partition(":")[2]:
            message = f"a password in the URL is sent over plain {kind}: anyone on the network path can read it"
            yield advice("W16", where, message, _USE_HTTPS)
        for index, header in enumerate(resource.http_headers):
            name = header.name.lower()
            is_secret = name in _SECRET_HEADERS or any(word in name for word in _SECRET_WORDS_OF_HEADERS)
            if is_secret and header.value:
                message = f"header {header.name} is sent over plain http: anyone on the network path can read it"
                yield advice("W16", (*path, "httpHeaders", index, "value"), message, _USE_HTTPS)
        if power and not resource.verification.hash:
            message = f"{power} is fetched over plain {kind} without a hash: anyone on the network path can replace it"
            yield advice("W17", where, message, _USE_HASH)


def _resources(config: Config) -> Iterator[tuple[Path, Resource, str, str]]:
    """Path, resource, its secret if it has one, and the harm that a replaced one would do."""
    about = config.ignition
    for index, resource in enumerate(about.config.merge):
        yield ("ignition", "config", "merge", index), resource, "", "a config, which decides everything,"
    yield ("ignition", "config", "replace"), about.config.replace, "", "a config, which decides everything,"
    for index, resource in enumerate(about.security.tls.certificate_authorities):
        path: Path = ("ignition", "security", "tls", "certificateAuthorities", index)
        yield path, resource, "", "a certificate authority, on which https depends,"
    for index, volume in enumerate(config.storage.luks):
        yield ("storage", "luks", index, "keyFile"), volume.key_file, "the key of a volume", ""
    for index, file in enumerate(config.storage.files):
        here: Path = ("storage", "files", index)
        secret, power = _secret(file), _power(file)
        yield (*here, "contents"), file.contents, secret, power
        for number, fragment in enumerate(file.append):
            yield (*here, "append", number), fragment, secret, power


def _secret(file: File) -> str:
    # Mode 0000 is the default of 2.x and says nothing.
    if file.mode is not None and file.mode and not file.mode & _FOR_OTHERS:
        return f"a file that only its owner may read (mode {file.mode:04o})"
    name = file.path.lower()
    if file.path not in _NO_SECRETS and (name.endswith(_SECRET_ENDS) or any(word in name for word in _SECRET_WORDS)):
        return "a file that is secret by its name"
    return ""


def _power(file: File) -> str:
    if file.mode is not None and file.mode & _EXECUTABLE:
        return "a program"
    if file.path.startswith(_ROOTS) or "/.ssh/" in file.path:
        return "a file that decides what runs or who may log in"
    return ""
