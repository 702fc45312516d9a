"""What is no config is named for what it is, with a remedy (docs/reference/ignition-config.md §1.3); what is one, never."""

import base64
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from ignition.config.parse import INVALID, UNKNOWN_VERSION, UNPARSABLE_VERSION, VALID, parse
from ignition.config.text.kinds import CLOUD_CONFIG, EMPTY, MULTIPART, SCRIPT

TOP = Path(__file__).parents[3]
MINIMAL = b'{"ignition": {"version": "3.5.0"}}'
CONFIG = MINIMAL.decode()

NO_BOM = "save it as UTF-8 without a byte order mark"
HEADER = "make #cloud-config the first line, alone and in lower case, if that is what it is"
ALMOST = "a cloud-config whose first line is not exactly #cloud-config"
BELOW = "a cloud-config with other lines before #cloud-config"
SCRIPTS = "send an Ignition config; a script's first two bytes are #!"
CLOUD_INIT = "send an Ignition config; ignition.config.merge fetches and joins several"
BUTANE = "translate it first: butane --strict FILE > config.ign"
CT = "translate it first: ct --in-file FILE --out-file config.ign"
YAML = "for Butane, name its variant and version; else write it as JSON, for instance with yq -o json"
PAGE = "the URL answers with a web page or an error: look at it in a browser"
BASE64 = "decode it first: base64 -d FILE"
NO_TEXT = "send a config as text, or packed with gzip or zstd"

URL_BASE64 = base64.urlsafe_b64encode(b'{"a": "\xff\xfe\xff?????????????????"}').rstrip(b"=")
GZIP_BASE64 = base64.b64encode(gzip.compress(MINIMAL, mtime=0))
CLOUD_BASE64 = base64.b64encode(b"#cloud-config\nusers: [{name: a}]")

# What the text is, with the place, and the remedy.
NAMED = [
    ("cloud-config after blank lines", b"\n \n#cloud-config\nusers: []\n", 3, 1, ALMOST, HEADER),
    ("cloud-config in another case", b"#Cloud-Config\nusers: []\n", 1, 1, ALMOST, HEADER),
    ("cloud-config with a blank", b"# cloud-config\nusers: []\n", 1, 1, ALMOST, HEADER),
    ("cloud-config with more", b"#cloud-config v1\r\nusers: []\r\n", 1, 1, ALMOST, HEADER),
    ("cloud-config below", b"# mine\n#cloud-config\na: 1\n", 1, 1, BELOW, HEADER),
    ("cloud-config of YAML", b"---\n#cloud-config\r\na: 1\n", 1, 1, BELOW, HEADER),
    ("no header", b"users:\n  - name: a\nx: y\n", 1, 1, "a cloud-config without its first line, #cloud-config", HEADER),
    ("script after a blank line", b"\n#!/bin/sh\n", 2, 1, "a script", SCRIPTS),
    ("include", b"#include\nhttp://127.0.0.1/\n", 1, 1, "user data for cloud-init", CLOUD_INIT),
    ("include-once", b"#include-once\n", 1, 1, "user data for cloud-init", CLOUD_INIT),
    ("part-handler", b"#part-handler\n", 1, 1, "user data for cloud-init", CLOUD_INIT),
    ("cloud-boothook", b"#cloud-boothook\n", 1, 1, "user data for cloud-init", CLOUD_INIT),
    ("cloud-config-archive", b"#cloud-config-archive\n- type: a\n", 1, 1, "user data for cloud-init", CLOUD_INIT),
    ("jinja", b"## template: jinja\n#cloud-config\n", 1, 1, "a template for cloud-init", CLOUD_INIT),
    ("powershell", b"#ps1_sysnative\nGet-Item\n", 1, 1, "a script for Windows", "send an Ignition config"),
    ("powershell tag", b"<powershell>\n", 1, 1, "a script for Windows", "send an Ignition config"),
    (
        *("mime", b'Content-Type: multipart/alternative; boundary="a"\nMIME-Version: 1.0\n', 1, 1),
        *("a MIME message, as cloud-init takes it", "send the part with the Ignition config alone"),
    ),
    (
        *("mime version", b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n", 1, 1),
        *("a MIME message, as cloud-init takes it", "send the part with the Ignition config alone"),
    ),
    (
        *("http", b"HTTP/1.1 200 OK\r\nServer: a\r\n\r\n{}", 1, 1),
        *("an HTTP response with its headers", "store its body alone (curl without -i)"),
    ),
    (
        *("pem", b"-----BEGIN RSA PRIVATE KEY-----\nMIIsecret\n", 1, 1),
        *("a key or a certificate (PEM)", "name it in ignition.security.tls or in a file's contents"),
    ),
    ("pgp", b"-----BEGIN PGP MESSAGE-----\n\nabc\n", 1, 1, "encrypted or signed (PGP)", "send the config itself"),
    ("url", b"https://user:secret@127.0.0.1/a\n", 1, 1, "a URL", "let a config fetch it: ignition.config.replace.source"),
    ("data url", b"data:;base64,e30=", 1, 1, "a data URL", "send the decoded data after its comma"),
    ("percent-encoded", b"%7B%22ignition%22%3A", 1, 1, "percent-encoded", "decode it first"),
    ("form", b"user-data=%7b%22ignition%22", 1, 1, "percent-encoded", "decode it first"),
    ("merge conflict", b"<<<<<<< HEAD\n{}\n", 1, 1, "a file with merge conflicts", "resolve them"),
    (
        *("unit", b"[Unit]\nDescription=a\n", 1, 1),
        *("a systemd unit or another INI file", "write it as a string: systemd.units[].contents"),
    ),
    ("butane", b"variant: fcos\nversion: 1.5.0\n", 1, 1, "a Butane config", BUTANE),
    ("butane, variant last", b"# a\n---\nstorage: {}\nversion: 1.1.0\nvariant: flatcar", 1, 1, "a Butane config", BUTANE),
    ("butane of one line", b"variant: fcos", 1, 1, "a Butane config", BUTANE),
    ("ct", b"storage:\n  files:\n    - path: /a\nsystemd:\n", 1, 1, "a Container Linux Config (YAML)", CT),
    ("ct of etcd", b"\r\netcd:\r\n  name: a\r\n", 2, 1, "a Container Linux Config (YAML)", CT),
    ("ct with timeouts", b"ignition:\n  timeouts:\n    http_total: 3\n", 1, 1, "a Container Linux Config (YAML)", CT),
    (
        *("spec 2 as YAML", b"ignition:\n  config: {}\n  version: 2.2.0\nstorage: {}\n", 1, 1),
        *("a config of Ignition's fields, but in YAML", "write it as JSON, for instance with yq -o json"),
    ),
    ("kubernetes", b"apiVersion: v1\nkind: Pod\n", 1, 1, "a Kubernetes manifest", "send an Ignition config"),
    ("yaml", b"a: 1\nb:\n  c: 2\n", 1, 1, "YAML", YAML),
    ("yaml list", b"- a\n- b\n", 1, 1, "YAML", YAML),
    ("html", b"<!DOCTYPE html>\n<html><title>404\n  Not Found</title>", 1, 1, "HTML or XML ('404 Not Found')", PAGE),
    ("html without a title", b" \n<html><p>secret</p>", 2, 1, "HTML or XML", PAGE),
    ("html, long title", b"<title>" + b"x" * 99 + b"</title>", 1, 1, f"HTML or XML ('{'x' * 60}')", PAGE),
    ("html, odd title", b"<title>a\x1b[31m\xff</title>", 1, 1, "HTML or XML ('a?[31m�')", PAGE),
    ("s3", b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Key>secret</Key>', 1, 1, "HTML or XML ('NoSuchKey')", PAGE),
    ("gzip", gzip.compress(MINIMAL), 1, 1, "gzip data", "store it unpacked"),
    ("zstd", zstandard.compress(MINIMAL), 1, 1, "zstd data", "store it unpacked"),
    ("xz", b"\xfd7zXZ\0\0\4", 1, 1, "xz data", NO_TEXT),
    ("bzip2", b"BZh91AY", 1, 1, "bzip2 data", NO_TEXT),
    ("zip", b"PK\x03\x04abc", 1, 1, "a zip archive", NO_TEXT),
    ("program", b"\x7fELF\2\1", 1, 1, "a program (ELF)", NO_TEXT),
    ("base64 of a config", base64.b64encode(MINIMAL), 1, 1, "base64 data of a JSON object", BASE64),
    ("base64 in lines", base64.encodebytes(MINIMAL * 9).replace(b"\n", b"\r\n"), 1, 1, "base64 data of a JSON object", BASE64),
    ("base64 for URLs", URL_BASE64, 1, 1, "base64 data of a JSON object", BASE64),
    ("base64 of gzip", GZIP_BASE64, 1, 1, "base64 data of gzip data of a JSON object", BASE64),
    ("base64 of zstd", base64.b64encode(zstandard.compress(MINIMAL)), 1, 1, "base64 data of zstd data", BASE64),
    ("base64 of a cut gzip", base64.b64encode(b"\x1f\x8b\x08" + bytes(30)), 1, 1, "base64 data of gzip data", BASE64),
    ("base64 of a cloud-config", CLOUD_BASE64, 1, 1, "base64 data of a cloud-config", BASE64),
    ("base64 of a script", base64.b64encode(b"#!/bin/sh\necho hello, world\n"), 1, 1, "base64 data of a script", BASE64),
    ("base64 of butane", base64.b64encode(b"variant: fcos\nversion: 1.5.0\n"), 1, 1, "base64 data of a Butane config", BASE64),
    ("base64 of whatever", base64.b64encode(bytes(range(90, 190))), 1, 1, "base64 data", BASE64),
]  # fmt: skip


@pytest.mark.parametrize("text, line, column, noun, fix", [pytest.param(*row[1:], id=row[0]) for row in NAMED])
def test_text_of_another_kind_is_named(text: bytes, line: int, column: int, noun: str, fix: str) -> None:
    parsed = parse(text)
    entry = parsed.report.entries[0]
    assert (parsed.outcome, len(parsed.report.entries)) == (INVALID, 1)
    assert str(entry) == f"error at line {line} col {column}: the text is {noun}, not an Ignition config"
    assert entry.fix == fix
    assert "secret" not in str(entry) + entry.fix


MARKED = [
    ("a config", MINIMAL, "the text begins with a byte order mark", NO_BOM),
    ("nothing", b"", "the text begins with a byte order mark", NO_BOM),
    ("a cloud-config", b"#cloud-config\n", f"the text is {ALMOST}, behind a byte order mark", f"{NO_BOM}; {HEADER}"),
    ("a script", b"#!/bin/sh\n", "the text is a script, behind a byte order mark", f"{NO_BOM}; {SCRIPTS}"),
    ("Butane", b"variant: fcos\n", "the text is a Butane config, behind a byte order mark", f"{NO_BOM}; {BUTANE}"),
]


@pytest.mark.parametrize("text, said, fix", [pytest.param(*row[1:], id=row[0]) for row in MARKED])
def test_byte_order_mark_is_named_with_what_follows(text: bytes, said: str, fix: str) -> None:
    parsed = parse(b"\xef\xbb\xbf" + text)
    assert (parsed.outcome, parsed.report.entries[0].message, parsed.report.entries[0].fix) == (INVALID, said, fix)
    assert (parsed.report.entries[0].line, parsed.report.entries[0].column) == ((1, 1))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", [CONFIG, "#cloud-config\n"], ids=["config", "cloud-config"])
def test_other_encoding_is_named_with_and_without_mark(encoding: str, text: str) -> None:
    parsed = parse(text.encode(encoding))
    name = encoding[:6].upper()
    assert (parsed.outcome, str(parsed.report)) == (INVALID, f"error at line 1 col 1: the text is {name}")
    assert parsed.report.entries[0].fix == NO_BOM


WHOLE = "fetch or copy it again, completely, or close the brackets"
COMMENT = "JSON has no comments; write Butane if you need them"
BEGINS = "a config is a JSON object and begins with {"
TEMPLATE = "fill in the template first"
CUT = "the text is cut off after line"
LONG = json.dumps({"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": f"/{number}"} for number in range(500)]}})
LONG_BROKEN = LONG.replace('"/300"}', '"/300" "mode"}').encode()
LONG_WITH_YAML = LONG.replace('"/300"}', '"variant: fcos\\n#cloud-config" x}').encode()
MODE, X = b'"mode"', b" x}"
NO_COMMA = "where a comma or the end of the object or list is expected"
DOUBLE = 'JSON has only double quotes: "'
# What the text is, message with the place, remedy.
BROKEN_JSON: list[tuple[str, bytes, str, str]] = [
    ("white space", b" \n\t", "line 2 col 1: the text consists of white space", "fetch or copy it again, completely"),
    ("bracket missing", MINIMAL[:-1], f"line 1 col 33: {CUT} 1 column 33: 1 bracket is open", WHOLE),
    (
        "cut in a string",
        b'{"ignition":\n {"version": "3.5',
        f"line 2 col 17: {CUT} 2 column 17, inside $.ignition: 2 brackets and a string are open",
        WHOLE,
    ),
    (
        "cut in a name",
        b'{"a": [1, {"bc',
        f"line 1 col 14: {CUT} 1 column 14, inside $.a.1: 3 brackets and a string are open",
        WHOLE,
    ),
    (
        "cut after a name",
        b'{"a": {"b": {"c": 1}, "d":\n',
        f"line 1 col 26: {CUT} 1 column 26, inside $.a: 2 brackets are open",
        WHOLE,
    ),
    ("cut in a literal", b'{"a": [{"b": tr', f"line 1 col 15: {CUT} 1 column 15, inside $.a.0: 3 brackets are open", WHOLE),
    ("cut in a number", b'{"a": -', f"line 1 col 7: {CUT} 1 column 7: 1 bracket is open", WHOLE),
    ("cut in a fraction", b'{"a": 1.', f"line 1 col 8: {CUT} 1 column 8: 1 bracket is open", WHOLE),
    ("cut in an exponent", b'{"a": 1e-', f"line 1 col 9: {CUT} 1 column 9: 1 bracket is open", WHOLE),
    ("cut in an escape", b'{"a": "\\u00', f"line 1 col 11: {CUT} 1 column 11: 1 bracket and a string are open", WHOLE),
    ("cut after a backslash", b'{"a": "b\\', f"line 1 col 9: {CUT} 1 column 9: 1 bracket and a string are open", WHOLE),
    ("one bracket", b"{", f"line 1 col 1: {CUT} 1 column 1: 1 bracket is open", WHOLE),
    ("one quote", b'"', f"line 1 col 1: {CUT} 1 column 1: a string is open", WHOLE),
    ("NUL bytes behind", MINIMAL + b"\0\0", "line 1 col 35: NUL bytes follow the config", "remove them"),
    ("NUL bytes only", bytes(9), "line 1 col 1: the text consists of NUL bytes", "write the config there again"),
    ("NUL byte inside", b'{"a":\0 1}', "line 1 col 6: invalid character '\\x00' where a value is expected", ""),
    ("comment", b'{"a": 1 // x\n}', "line 1 col 9: invalid character '/': a comment", COMMENT),
    ("comment before", b"/* x */\n" + MINIMAL, "line 1 col 1: invalid character '/': a comment", COMMENT),
    ("comment with #", b"{\n# x\n}", "line 2 col 1: invalid character '#': a comment", COMMENT),
    ("comment with # before", b"# x\n" + MINIMAL, "line 1 col 1: invalid character '#': a comment", COMMENT),
    ("comma at the end", b'{"a": 1,\n}', "line 2 col 1: invalid character '}' after a comma", "remove the comma"),
    ("two commas", b'{"a": [1,,]}', "line 1 col 10: invalid character ',' after the last member", "remove the comma"),
    ("comma in a list", b'{"a": [1, ] }', "line 1 col 11: invalid character ']' after a comma", "remove the comma"),
    ("single quotes", b"{'a': 1}", 'line 1 col 2: invalid character "\'": a single quote', DOUBLE),
    ("single quotes of a value", b"{\"a\": 'b'}", 'line 1 col 7: invalid character "\'": a single quote', DOUBLE),
    ("typographic quotes", "{“a”: 1}".encode(), "line 1 col 2: invalid character '“': a typographic quote", 'write it as "'),
    (
        "constant of Python",
        b'{"a": True}',
        "line 1 col 7: invalid character 'T': a constant of Python",
        "write true, false and null in lower case",
    ),
    (
        "no quotes",
        b"{variant: fcos}",
        "line 1 col 2: invalid character 'v' where a member's name in double quotes is expected",
        "names are in double quotes as well",
    ),
    ("shell's placeholder", b'{"a": ${b}}', "line 1 col 7: invalid character '$': a template's placeholder", TEMPLATE),
    ("jinja's placeholder", b'{"a": {{ b }}}', "line 1 col 8: invalid character '{': a template's placeholder", TEMPLATE),
    (
        "two objects",
        MINIMAL + b"\n" + MINIMAL,
        "line 2 col 1: another JSON text begins after the end of the config",
        "a config is one JSON object: join them with ignition.config.merge",
    ),
    ("bracket too many", MINIMAL + b"}\n", "line 1 col 35: a closing bracket too many", "remove it, or open one before it"),
    (
        "text behind",
        MINIMAL + b" tail",
        "line 1 col 36: there is text after the end of the config",
        "a config is one JSON object and nothing else",
    ),
    ("plain text", b"404 page not found\n", "line 1 col 1: invalid character '4': the text is not JSON", BEGINS),
    ("plain text with a colon", b"error: not found", "line 1 col 1: invalid character 'e': the text is not JSON", BEGINS),
    (
        "octal mode",
        b'{"files": [{"mode": 0644}]}',
        "line 1 col 22: invalid character '6' after a leading zero",
        "modes are decimal: for 0644 write 420",
    ),
    (
        "octal mode of Python",
        b'{"mode": 0o755}',
        "line 1 col 11: invalid character 'o' in a number",
        "modes are decimal: for 0755 write 493",
    ),
    ("leading zero", b'{"uid": 0501}', "line 1 col 10: invalid character '5' after a leading zero", "write 501"),
    ("leading zero of a list", b"[01]", "line 1 col 3: invalid character '1' after a leading zero", "write 1"),
    ("negative", b'{"uid": -007}', "line 1 col 11: invalid character '0' after a leading zero", "write -7"),
    ("hexadecimal", b'{"uid": 0x1F}', "line 1 col 10: invalid character 'x' in a number", "JSON numbers are decimal: write 31"),
    ("plus sign", b'{"uid": +5}', "line 1 col 9: invalid character '+' where a value is expected", "write 5"),
    ("binary", b'{"uid": 0b11}', "line 1 col 10: invalid character 'b' in a number", "JSON numbers are decimal: write 3"),
    ("octal", b'{"uid": 0o17}', "line 1 col 10: invalid character 'o' in a number", "JSON numbers are decimal: write 15"),
    (
        "negative and hexadecimal",
        b'{"uid": -0X1f}',
        "line 1 col 11: invalid character 'X' in a number",
        "JSON numbers are decimal: write -31",
    ),
    (
        "hexadecimal mode",
        b'{"mode": 0x1ff}',
        "line 1 col 11: invalid character 'x' in a number",
        "JSON numbers are decimal: write 511",
    ),
    ("octal mode in a list", b'{"mode": [0644]}', "line 1 col 12: invalid character '6' after a leading zero", "write 644"),
    ("two zeros", b'{"uid": 00}', "line 1 col 10: invalid character '0' after a leading zero", "write 0"),
    ("plus and zero", b'{"uid": +0}', "line 1 col 9: invalid character '+' where a value is expected", "write 0"),
    ("plus and leading zero", b'{"uid": +05}', "line 1 col 9: invalid character '+' where a value is expected", ""),
    *(
        (
            word,
            f'{{"a": {word}}}'.encode(),
            f"line 1 col 7: invalid character '{word[0]}': a constant of Python",
            "write true, false and null in lower case",
        )
        for word in ("False", "None")
    ),
    ("like a constant", b'{"a": Nonesuch}', "line 1 col 7: invalid character 'N' where a value is expected", ""),
    *(
        (
            f"quote {quote}",
            f'{{"a": {quote}b}}'.encode(),
            f"line 1 col 7: invalid character '{quote}': a typographic quote",
            'write it as "',
        )
        for quote in "‘’”„«»"
    ),
    *(
        (
            f"template {start}",
            f'{{"a": {start} b }}'.encode(),
            f"line 1 col 7: invalid character '{start[0]}': a template's placeholder",
            TEMPLATE,
        )
        for start in ("${", "<%")
    ),
    ("jinja's statement", b"{% if a %}{}", "line 1 col 2: invalid character '%': a template's placeholder", TEMPLATE),
    ("jinja's placeholder in a list", b"[{{ b }}]", "line 1 col 3: invalid character '{': a template's placeholder", TEMPLATE),
    (
        "unknown escape",
        b'{"a": "b\\q"}',
        "line 1 col 9: invalid character '\\\\' is not a JSON escape",
        "a backslash itself is written as \\\\",
    ),
    (
        "unknown code",
        b'{"a": "b\\u12g4"}',
        "line 1 col 10: invalid character 'u' is not a JSON escape",
        "a backslash itself is written as \\\\",
    ),
    (
        "line break in a string",
        b'{"a": "b\nc"}',
        "line 1 col 9: invalid character '\\n' in a string: it must be written as an escape such as \\n",
        "",
    ),
    ("no colon", b'{"a" 1}', "line 1 col 6: invalid character '1' where a colon is expected", ""),
    ("closing list too many", MINIMAL + b"]", "line 1 col 35: a closing bracket too many", "remove it, or open one before it"),
    (
        "list behind",
        MINIMAL + b" [1]",
        "line 1 col 36: another JSON text begins after the end of the config",
        "a config is one JSON object: join them with ignition.config.merge",
    ),
    (
        "cut in a second member",
        b'{"a": {"b": 1, "c',
        f"line 1 col 17: {CUT} 1 column 17, inside $.a: 2 brackets and a string are open",
        WHOLE,
    ),
    (
        "cut after a list",
        b'{"a": [1, [2], {"b": 1}, ',
        f"line 1 col 24: {CUT} 1 column 24, inside $.a: 2 brackets are open",
        WHOLE,
    ),
    ("one letter", b"t", "line 1 col 1: invalid character 't': the text is not JSON", BEGINS),
    ("long word", b"a" * 64, "line 1 col 1: invalid character 'a': the text is not JSON", BEGINS),
    ("hash", b"0123456789abcdef" * 8, "line 1 col 1: invalid character '0': the text is not JSON", BEGINS),
    ("not UTF-8", b"\xff\xfd", "line 1 col 1: invalid character '\ufffd': the text is not JSON", BEGINS),
    ("fault in a long config", LONG_BROKEN, f"line 1 col {LONG_BROKEN.index(MODE) + 1}: invalid character '\"' {NO_COMMA}", ""),
    ("fault beside YAML", LONG_WITH_YAML, f"line 1 col {LONG_WITH_YAML.index(X) + 2}: invalid character 'x' {NO_COMMA}", ""),
]


OF_CLC = "ignition storage systemd networkd passwd etcd flannel docker update locksmith".split()
OF_CLOUD_CONFIG = (  # of cloud-init and coreos-cloudinit
    "users groups packages package_update package_upgrade write_files runcmd bootcmd coreos ssh_authorized_keys ssh_pwauth "
    "hostname fqdn manage_etc_hosts chpasswd timezone"
).split()


@pytest.mark.parametrize(
    "text, noun, fix",
    [
        *((f"{key}:\n  a: b\n", "a Container Linux Config (YAML)", CT) for key in OF_CLC),
        *((f"{key}: a\n", "a Container Linux Config (YAML)", CT) for key in OF_CLC),
        *((f"{key}:\n  a: b\nnosuch: c\n", "a Container Linux Config (YAML)", CT) for key in OF_CLC),
        *((f"{key}: a\nnosuch: b\n", "a cloud-config without its first line, #cloud-config", HEADER) for key in OF_CLOUD_CONFIG),
        ("nosuch: a\nother: b\n", "YAML", YAML),
        ("- a\n- b\n", "YAML", YAML),
        ("variant: fcos", "a Butane config", BUTANE),
        (
            "ignition:\n  version: 3.5.0\n",
            "a config of Ignition's fields, but in YAML",
            "write it as JSON, for instance with yq -o json",
        ),
        ("apiVersion: v1\nkind: Pod\n", "a Kubernetes manifest", "send an Ignition config"),
        ("# a comment\n\n%YAML 1.2\n---\nvariant: fcos\n", "a Butane config", BUTANE),
        ('"variant": fcos\nb: c\n', "YAML", YAML),
    ],
)
def test_yaml_is_known_by_its_keys(text: str, noun: str, fix: str) -> None:
    [entry] = parse(text.encode()).report.entries
    assert (entry.message, entry.fix) == (f"the text is {noun}, not an Ignition config", fix)


@pytest.mark.parametrize("text", ["apiVersion: v1", "kind: Pod", "nosuch: a", "- a", "a:b\nc:d\n", "1: a\n2: b\n"])
def test_other_text_is_not_called_yaml(text: str) -> None:
    [entry] = parse(text.encode()).report.entries
    assert "the text is not JSON" in entry.message


@pytest.mark.parametrize(
    "content, noun",
    [
        (b'  {"a": "bcdefghijklmnopqrstuvwxyz"}', " of a JSON object"),
        (b"#!/bin/sh\necho A1 to everybody here\n", " of a script"),
        (b"#cloud-config\nusers: [{name: a}]\n0", " of a cloud-config"),
        (b"variant: fcos\nversion: 1.5.0\n# abcde", " of a Butane config"),
        (b"<!doctype html><title>Not found</title>", " of HTML or XML ('Not found')"),
        (gzip.compress(b"#!/bin/sh\n", mtime=0), " of gzip data of a script"),
        (zstandard.compress(MINIMAL), " of zstd data"),
        (bytes(range(140, 180)), ""),
    ],
)
def test_base64_is_named_with_what_is_in_it(content: bytes, noun: str) -> None:
    for text in (base64.b64encode(content), base64.urlsafe_b64encode(content).rstrip(b"="), base64.encodebytes(content)):
        [entry] = parse(text).report.entries
        assert (entry.message, entry.fix) == (f"the text is base64 data{noun}, not an Ignition config", BASE64)


@pytest.mark.parametrize(
    "text, noun",
    [
        ("<!DOCTYPE html>", "HTML or XML"),
        ("<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "HTML or XML ('NoSuchKey')"),
        ("<html><h1 class='a'>404\n Not  Found</h1>", "HTML or XML ('404 Not Found')"),
        (f"<html><title>{'a' * 61}</title>", f"HTML or XML ('{'a' * 60}')"),
        ("<html><title>a\x1bb</title>", "HTML or XML ('a?b')"),
    ],
)
def test_page_is_named_with_its_title(text: str, noun: str) -> None:
    [entry] = parse(text.encode()).report.entries
    assert (entry.message, entry.fix) == (f"the text is {noun}, not an Ignition config", PAGE)


def test_page_that_is_not_utf_8() -> None:
    [entry] = parse(b"<title>x\xe9</title>").report.entries
    assert entry.message == "the text is HTML or XML ('x\ufffd'), not an Ignition config"


@pytest.mark.parametrize("text, said, fix", [pytest.param(*row[1:], id=row[0]) for row in BROKEN_JSON])
def test_broken_json_is_explained(text: bytes, said: str, fix: str) -> None:
    parsed = parse(text)
    assert (parsed.outcome, str(parsed.report)) == (INVALID, f"error at {said}")
    assert parsed.report.entries[0].fix == fix


NO_CONFIG = [
    pytest.param(b"", EMPTY, "info: the config is empty", id="empty"),
    pytest.param(b"#cloud-config", CLOUD_CONFIG, "warning: this is a cloud-config, not an Ignition config", id="cloud-config"),
    pytest.param(b"#cloud-config \r\na: 1", CLOUD_CONFIG, "warning: this is a cloud-config, not an Ignition config", id="CRLF"),
    pytest.param(b"#!/bin/sh\ntrue\n", SCRIPT, "warning: this is a script, not an Ignition config", id="script"),
    pytest.param(
        b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n",
        MULTIPART,
        "warning: this is a MIME message of several parts, not an Ignition config: coreos-cloudinit applies the supported ones",
        id="multipart",
    ),
]


@pytest.mark.parametrize("text, outcome, said", NO_CONFIG)
def test_user_data_without_a_config_is_no_error(text: bytes, outcome: str, said: str) -> None:
    parsed = parse(text)
    assert (parsed.outcome, str(parsed.report), parsed.report.fatal) == (outcome, said, False)


@pytest.mark.parametrize("text", [row[1] for row in NAMED], ids=[row[0] for row in NAMED])
def test_config_that_contains_such_a_text_is_valid(text: bytes) -> None:
    contents = "data:;base64," + base64.b64encode(text).decode()
    plain = text.decode("latin-1").replace("\0", "")
    data = {
        "ignition": {"version": "3.5.0"},
        "storage": {"files": [{"path": "/a", "contents": {"source": contents}}]},
        "passwd": {"users": [{"name": "a", "sshAuthorizedKeys": [plain]}]},
    }
    parsed = parse(json.dumps(data).encode())
    assert (parsed.outcome, str(parsed.report)) == (VALID, "")


LIST = "accepted are 2.0.0 to 2.4.0, 3.0.0 to 3.6.0 and 3.7.0-experimental"
ALL_THREE = f"write all three numbers, without v or blanks: {LIST}"
NEWER = "nothing newer than 3.7.0-experimental is supported: write 3.6.0 if its fields are enough"
VERSIONS = [
    ("3.6.0-experimental", UNKNOWN_VERSION, "write 3.6.0"),
    ("2.3.0-dev", UNKNOWN_VERSION, "write 2.3.0"),
    ("3.5.0+b", UNKNOWN_VERSION, "write 3.5.0"),
    ("3.7.0", UNKNOWN_VERSION, "it is still experimental: write 3.7.0-experimental, or 3.6.0"),
    ("3.5.1", UNKNOWN_VERSION, "specs have no patch releases: write 3.5.0"),
    ("3.8.0", UNKNOWN_VERSION, NEWER),
    ("3.8.0-experimental", UNKNOWN_VERSION, NEWER),
    ("4.0.0", UNKNOWN_VERSION, NEWER),
    ("2.5.0", UNKNOWN_VERSION, LIST),
    ("0.1.0", UNKNOWN_VERSION, LIST),
    ("1.0.0", UNKNOWN_VERSION, f'spec 1 is chosen by "ignitionVersion": 1; {LIST}'),
    ("v3.5.0", UNPARSABLE_VERSION, "write 3.5.0"),
    (" 3.5.0", UNPARSABLE_VERSION, "write 3.5.0"),
    ("3.5.0\n", UNPARSABLE_VERSION, "write 3.5.0"),
    ("3.5", UNPARSABLE_VERSION, "write 3.5.0"),
    ("V2.2", UNPARSABLE_VERSION, "write 2.2.0"),
    ("3.9", UNPARSABLE_VERSION, ALL_THREE),
    ("3", UNPARSABLE_VERSION, "write 3.0.0"),
    ("latest", UNPARSABLE_VERSION, ALL_THREE),
]


@pytest.mark.parametrize("version, outcome, fix", VERSIONS, ids=[row[0].strip(" \n") + str(len(row[0])) for row in VERSIONS])
def test_other_version_is_refused_with_what_to_write(version: str, outcome: str, fix: str) -> None:
    parsed = parse(json.dumps({"ignition": {"version": version}, "passwd": {}}).encode())
    message = f"{version!r} is not a version" if outcome == UNPARSABLE_VERSION else f"spec version {version} is not supported"
    assert (parsed.outcome, str(parsed.report)) == (outcome, f"error at $.ignition.version, line 1 col 26: {message}")
    assert (parsed.report.entries[0].fix, parsed.config) == (fix, None)


def test_version_of_thousands_of_digits_is_refused() -> None:
    parsed = parse(b'{"ignition": {"version": "%s.0.0"}}' % (b"1" * 5000))
    assert (parsed.outcome, parsed.report.entries[0].fix) == (UNKNOWN_VERSION, NEWER)
    assert parsed.report.entries[0].message == f"spec version {'1' * 40} is not supported"


BEGIN = 'begin the config with {"ignition": {"version": "3.5.0"}}'
VERSIONLESS = [
    pytest.param(b"{}", "$.ignition.version, line 1 col 2: the config does not specify its spec version", BEGIN, id="object"),
    pytest.param(
        b'{"ignition": {"version": ""}}',
        "$.ignition.version, line 1 col 26: the config does not specify its spec version",
        BEGIN,
        id="empty version",
    ),
    pytest.param(
        b'{"variant": "fcos", "version": "1.5.0"}',
        "$.variant, line 1 col 13: this is a Butane config written as JSON",
        BUTANE,
        id="Butane",
    ),
    pytest.param(
        b'{"apiVersion": "v1", "kind": "Pod"}',
        "$.kind, line 1 col 30: this is a Kubernetes manifest, not an Ignition config",
        BEGIN,
        id="Kubernetes",
    ),
]


@pytest.mark.parametrize("text, said, fix", VERSIONLESS)
def test_object_without_version_is_named(text: bytes, said: str, fix: str) -> None:
    parsed = parse(text)
    assert (parsed.outcome, str(parsed.report)) == (UNPARSABLE_VERSION, f"error at {said}")
    assert parsed.report.entries[0].fix == fix


def test_config_with_a_member_called_variant_is_valid() -> None:
    parsed = parse(b'{"ignition": {"version": "3.5.0"}, "variant": "fcos"}')
    assert (parsed.outcome, len(parsed.report.entries)) == (VALID, 1)
    assert str(parsed.report).startswith("warning at $.variant")


def test_naming_costs_a_good_config_nothing() -> None:
    script = f"import sys; from ignition.config.parse import parse; parse({MINIMAL!r}); print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=TOP).stdout
    assert "ignition.config.text.json_text" in loaded
    assert not [name for name in ("odd_input", "json_errors", "odd_version") if f"ignition.config.text.{name}" in loaded]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"---\n\n\n" * 20_000 + b"=", id="document marks"),
        pytest.param(b"ignition:\n" + b"      \n" * 20_000, id="blanks"),
        pytest.param(b"ignition:\n" + b"      a" * 20_000, id="one long line"),
        pytest.param(b"<title" * 20_000, id="open tags"),
        pytest.param(b'{"' + b"\\" * 200_001, id="backslashes"),
        pytest.param(b"Aa0" * 60_000 + b"!", id="almost base64"),
        pytest.param(b'{"a": -' + b"1" * 200_000 + b".", id="digits"),
    ],
)
def test_naming_takes_no_time_out_of_proportion(text: bytes) -> None:
    """Were one of the patterns to backtrack, this would take hours: no clock is needed."""
    assert parse(text).outcome == INVALID
