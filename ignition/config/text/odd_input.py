"""The kind of a text that is not JSON, by its beginning, with a fix for each. Only used after decoding has failed.

Also: unsupported and missing spec versions.

Sources: docs/reference/ignition-config.md §1.3; docs/reference/config-transpiler.md §A4 and §B3 (keys of YAML front ends);
cloud-init's list of user data formats. Nothing of a text is quoted except the title of an error page, which configs do not have.
"""

import re

from ignition.config import suggest
from ignition.config.record import Record, spec
from ignition.config.text import kinds
from ignition.config.text.packed import gunzip_start, packing
from ignition.config.versions import NEWEST, SPEC_2, SPEC_3
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Path


_BLANK = b" \t\r\n"
_UTF_8_BOM = b"\xef\xbb\xbf"
_HEAD = 64 * 1024  # bytes that are examined
_SHOWN = 60  # characters of a title

_NO_BOM = "save it as UTF-8 without a byte order mark"
_FOR_CLOUD_INIT = "send an Ignition config; ignition.config.merge fetches and joins several"
_TO_JSON = "write it as JSON, for instance with yq -o json"
_BUTANE = "translate it first: butane --strict FILE > config.ign"
_CT = "translate it first: ct --in-file FILE --out-file config.ign"

# The first bytes; longer ones before their own beginnings.
_ENCODINGS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_NO_MARK = (
    (rb"[^\0]\0\0\0", "UTF-32"),
    (rb"\0\0\0[^\0]", "UTF-32"),
    (rb"[^\0]\0[^\0]\0", "UTF-16"),
    (rb"\0[^\0]\0[^\0]", "UTF-16"),
)
_BINARY = (
    (b"\xfd7zXZ\0", "xz data"),
    (b"BZh", "bzip2 data"),
    (b"\x04\x22\x4d\x18", "lz4 data"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x7fELF", "a program (ELF)"),
)
_CLOUD_CONFIG = "make #cloud-config the first line, alone and in lower case, if that is what it is"
# The first non-blank line: pattern (any case), kind of the text, fix.
_FIRST_LINES = (
    (rb"#cloud-(config-archive|config-jsonp|boothook)\b", "user data for cloud-init", _FOR_CLOUD_INIT),
    (rb"#(include(-once)?|part-handler|upstart-job)\b", "user data for cloud-init", _FOR_CLOUD_INIT),
    (rb"##\s*template\s*:", "a template for cloud-init", _FOR_CLOUD_INIT),
    (rb"#\s*cloud-config\b", "a cloud-config whose first line is not exactly #cloud-config", _CLOUD_CONFIG),
    (rb"#ps1|<powershell>|rem cmd\b|<script>", "a script for Windows", "send an Ignition config"),
    (rb"#!", "a script", "send an Ignition config; a script's first two bytes are #!"),
    (rb"mime-version:|content-type:", "a MIME message, as cloud-init takes it", "send the part with the Ignition config alone"),
    (rb"http/[0-9.]+ [0-9]", "an HTTP response with its headers", "store its body alone (curl without -i)"),
    (rb"-----begin pgp ", "encrypted or signed (PGP)", "send the config itself"),
    (rb"-----begin [a-z0-9 ]+-----", "a key or a certificate (PEM)", "name it in ignition.security.tls or in a file's contents"),
    (rb"(https?|s3|gs|tftp|oem)://\S+\s*$", "a URL", "let a config fetch it: ignition.config.replace.source"),
    (rb"data:[^\s,]*,", "a data URL", "send the decoded data after its comma"),
    (rb"[a-z-]*=?%7b", "percent-encoded", "decode it first"),
    (rb"<{7} |={7}$|>{7} ", "a file with merge conflicts", "resolve them"),
    (rb"\[[a-z][a-z0-9 ]*\]\s*$", "a systemd unit or another INI file", "write it as a string: systemd.units[].contents"),
)  # fmt: skip
_XML_TITLE = lazy_pattern(rb"<(title|code|h1)\b[^>]{0,200}>([^<]*)", re.IGNORECASE)
_YAML_KEY = lazy_pattern(rb"(?:[A-Za-z_][\w./-]*|\"[^\"\n]*\")[ \t]*:(?:\s|$)")
_YAML_IN_A_ROW = lazy_pattern(rb"^([A-Za-z_][\w-]*)[ \t]*:(?:\s|$)", re.MULTILINE)
_YAML_VERSION = lazy_pattern(rb"^ignition[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*?[ \t]+version[ \t]*:", re.MULTILINE)
_OF_CLC = {"ignition", "storage", "systemd", "networkd", "passwd", "etcd", "flannel", "docker", "update", "locksmith"}
_OF_CLOUD_CONFIG = {
    *("users", "groups", "packages", "package_update", "package_upgrade", "write_files", "runcmd", "bootcmd", "coreos"),
    *("ssh_authorized_keys", "ssh_pwauth", "hostname", "fqdn", "manage_etc_hosts", "chpasswd", "timezone"),
}
_BASE64 = lazy_pattern(rb"(?:[A-Za-z0-9+/]+|[A-Za-z0-9_-]+)={0,2}")
_HEX = lazy_pattern(rb"[0-9a-fA-F]+")
_LEAST_BASE64 = 32  # shorter ones may be words


A_BUTANE_CONFIG, A_CONTAINER_LINUX_CONFIG = "a Butane config", "a Container Linux Config (YAML)"


class Odd(Record):
    """The kind of a text."""

    noun: str = spec("follows `the text is`")
    fix: str = spec("how to fix it")


def named(text: bytes) -> tuple[str, int, str] | None:
    """Message, offset, fix; None if it looks like JSON or is unknown."""
    encoding = next((name for mark, name in _ENCODINGS if text.startswith(mark)), "")
    # Two characters of ASCII are enough: no other text begins with NUL bytes in turn.
    encoding = encoding or next((name for pattern, name in _NO_MARK if re.match(pattern, text, re.DOTALL)), "")
    if encoding:
        return f"the text is {encoding}", 0, _NO_BOM
    marked = text.startswith(_UTF_8_BOM)
    body = text[len(_UTF_8_BOM) :] if marked else text
    start = len(body) - len(body.lstrip(_BLANK))
    looks = (_binary, _first_line, _markup, _yaml, _base64)
    odd = next((odd for look in looks if (odd := look(body[start:]))), None)
    if marked:
        if odd:
            return f"the text is {odd.noun}, behind a byte order mark", 0, f"{_NO_BOM}; {odd.fix}"
        return "the text begins with a byte order mark", 0, _NO_BOM
    return (f"the text is {odd.noun}, not an Ignition config", start, odd.fix) if odd else None


def transpilable(text: bytes) -> str:
    """A_BUTANE_CONFIG or A_CONTAINER_LINUX_CONFIG if the text is one, by its keys; else ""."""
    # A part of a MIME message may be a Butane config.
    odd = None if kinds.of(text) or text.startswith(b"#cloud-config") else _yaml(text.removeprefix(_UTF_8_BOM).lstrip(_BLANK))
    return odd.noun if odd and odd.noun in (A_BUTANE_CONFIG, A_CONTAINER_LINUX_CONFIG) else ""


def _binary(text: bytes) -> Odd | None:
    if name := packing(text):
        return Odd(noun=f"{name} data", fix="store it unpacked")
    fix = "send a config as text, or packed with gzip or zstd"
    return next((Odd(noun=noun, fix=fix) for magic, noun in _BINARY if text.startswith(magic)), None)


def _first_line(text: bytes) -> Odd | None:
    line = text[:_HEAD].partition(b"\n")[0]
    for pattern, noun, fix in _FIRST_LINES:
        if re.match(pattern, line, re.IGNORECASE):
            return Odd(noun=noun, fix=fix)
    return None


def _markup(text: bytes) -> Odd | None:
    if not re.match(rb"<[!?A-Za-z]", text):
        return None
    found = _XML_TITLE.search(text[:_HEAD])
    title = " ".join(found[2].decode("utf-8", "replace").split()) if found else ""
    shown = "".join(character if character.isprintable() else "?" for character in title)[:_SHOWN]
    noun = f"HTML or XML ({shown!r})" if shown else "HTML or XML"
    return Odd(noun=noun, fix="the URL answers with a web page or an error: look at it in a browser")


def _yaml(text: bytes) -> Odd | None:
    head = text[:_HEAD]
    lines = head.splitlines()
    for line in lines:
        if re.match(rb"#\s*cloud-config\s*$", line, re.IGNORECASE):
            return Odd(noun="a cloud-config with other lines before #cloud-config", fix=_CLOUD_CONFIG)
        if line.strip() and not line.startswith((b"#", b"---", b"%YAML")):
            is_list = line.startswith(b"- ") and len(lines) > 1
            return _yaml_of_keys(head, len(lines) > 1) if is_list or _YAML_KEY.match(line) else None
    return None


def _yaml_of_keys(head: bytes, has_more_lines: bool) -> Odd | None:
    keys = {key.decode() for key in _YAML_IN_A_ROW.findall(head)}
    if "variant" in keys:
        return Odd(noun=A_BUTANE_CONFIG, fix=_BUTANE)
    if _YAML_VERSION.search(head):
        return Odd(noun="a config of Ignition's fields, but in YAML", fix=_TO_JSON)
    if keys and keys <= _OF_CLC:
        return Odd(noun=A_CONTAINER_LINUX_CONFIG, fix=_CT)
    if {"apiVersion", "kind"} <= keys:
        return Odd(noun="a Kubernetes manifest", fix="send an Ignition config")
    if keys & _OF_CLOUD_CONFIG:
        return Odd(noun="a cloud-config without its first line, #cloud-config", fix=_CLOUD_CONFIG)
    if keys & _OF_CLC and has_more_lines:
        return Odd(noun=A_CONTAINER_LINUX_CONFIG, fix=_CT)  # with a misspelt key
    if not has_more_lines:
        return None  # such as "error: not found"
    return Odd(noun="YAML", fix=f"for Butane, name its variant and version; else {_TO_JSON}")


def _base64(text: bytes) -> Odd | None:
    compact = text.translate(None, b"\r\n")
    # Hex digits, such as a hash, would also be valid base64.
    if len(compact) < _LEAST_BASE64 or not _BASE64.fullmatch(compact) or _HEX.fullmatch(compact):
        return None
    inside = _inside(compact[:_HEAD])
    # Random data of this length has letters of both cases and digits.
    if not inside and not all(re.search(kind, compact[:_HEAD]) for kind in (rb"[a-z]", rb"[A-Z]", rb"[0-9]")):
        return None  # a long word
    return Odd(noun=f"base64 data{inside}", fix="decode it first: base64 -d FILE")


def _inside(compact: bytes) -> str:
    """The kind of base64 data, by the first bytes."""
    import binascii

    start = compact.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    content = binascii.a2b_base64(start[: len(start) // 4 * 4])
    name = packing(content)
    if name == "gzip":
        return f" of gzip data{_called(gunzip_start(content, _HEAD) or b'')}"
    return f" of {name} data" if name else _called(content)


def _called(content: bytes) -> str:
    start = content.lstrip(_BLANK)
    if start.startswith(b"{"):
        return " of a JSON object"
    if start.startswith(b"#cloud-config"):
        return " of a cloud-config"
    if start.startswith(b"#!"):
        return " of a script"
    odd = _first_line(start) or _markup(start) or _yaml(start)
    return f" of {odd.noun}" if odd else ""


# An unsupported or missing spec version: path, message and fix. Only loaded to refuse a config.
#
# Source: docs/reference/ignition-config.md §1.1 to §1.3.

_ACCEPTED = (*SPEC_2, *SPEC_3)
_STABLES = _ACCEPTED[:-1]
_STABLE = SPEC_3[-2]
_LIST = f"accepted are {SPEC_2[0]} to {SPEC_2[-1]}, {SPEC_3[0]} to {_STABLE} and {NEWEST}"
_VERSION: "Path" = ("ignition", "version")
_NUMBER = "ignitionVersion"  # of spec 1
_SHOWN_VERSION = 40  # characters of a version
_BEGIN = 'begin the config with {"ignition": {"version": "3.5.0"}}'  # also accepted by engines several years old


def refused_version(data: object, said: str, version: str, number: int | None) -> "tuple[Path, str, str]":
    """Path, message, fix. `said` is the version in the text, `version` the semantic version, `number` that of spec 1."""
    if number is not None:
        return (_NUMBER,), f"{_NUMBER} can only be 1", f"write 1, or for a later spec ignition.version: {_LIST}"
    if not said:
        return _absent(data)
    if version:
        return _VERSION, f"spec version {version[:_SHOWN_VERSION]} is not supported", _unknown(version)
    meant = suggest.version(said)
    fix = f"write {meant}" if meant else f"write all three numbers, without v or blanks: {_LIST}"
    return _VERSION, f"{said[:_SHOWN_VERSION]!r} is not a version", fix


def _absent(data: object) -> "tuple[Path, str, str]":
    keys = set(data) if isinstance(data, dict) else set()
    if "variant" in keys and "ignition" not in keys:
        return ("variant",), "this is a Butane config written as JSON", "translate it first: butane --strict FILE > config.ign"
    if {"apiVersion", "kind"} <= keys:
        return ("kind",), "this is a Kubernetes manifest, not an Ignition config", _BEGIN
    return _VERSION, "the config does not specify its spec version", _BEGIN


def _unknown(version: str) -> str:
    """The fix for an unsupported version."""
    bare = re.split("[-+]", version)[0]
    major, minor, _ = bare.split(".")
    if bare in _ACCEPTED:
        return f"write {bare}"
    if bare == NEWEST.partition("-")[0]:
        return f"it is still experimental: write {NEWEST}, or {_STABLE}"
    if any(known.startswith(f"{major}.{minor}.") for known in _STABLES):
        return f"specs have no patch releases: write {major}.{minor}.0"
    if major == "1":
        return f'spec 1 is chosen by "{_NUMBER}": 1; {_LIST}'
    if len(major) > 1 or major >= _STABLE[0]:
        return f"nothing newer than {NEWEST} is supported: write {_STABLE} if its fields are enough"
    return _LIST
