"""Secrets in URLs: user, password, query and fragment, in every scheme and in odd spellings, wherever a config or a person names one.

A path is shown (docs/fetching.md): who puts a secret there shows it to every server on the way.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fetch.server import Reply
from tests.secrets.laboratory import HOST, RENDERED, SCREEN, Bench, leaks, secret_of

pytestmark = pytest.mark.root

GOOD = '{"ignition": {"version": "3.4.0"}}'
# {s}: the secret, {h}: the host of our server, which answers at /x.
WELL_FORMED = {
    "password": "http://user:{s}@{h}/x",
    "user": "http://{s}@{h}/x",
    "user-without-password": "http://{s}:@{h}/x",
    "query": "http://{h}/x?token={s}",
    "query-name": "http://{h}/x?{s}",
    "second-of-the-query": "http://{h}/x?a=b&sig={s}#f",
    "query-without-path": "http://{h}?token={s}",
    "fragment": "http://{h}/x#{s}",
    "fragment-with-query": "http://{h}/x#a?b={s}",
    "upper-case": "HTTP://user:{s}@{h}/x",
    "mixed-case": "hTTp://user:{s}@{h}/x?t={s}",
    "at-in-query": "http://{h}/x?mail=a@{s}",
    "colon-in-password": "http://user:a:{s}@{h}/x",
    "escaped-at": "http://user%40a:{s}%40b@{h}/x",
    "slash-in-query": "http://{h}/x?a=/b//{s}",
    "port": "http://user:{s}@{h}:80/x",
    "https": "https://user:{s}@{h}/x?t={s}",
    "tftp": "tftp://user:{s}@{h}/x?t={s}",
    "s3": "s3://bucket/x?versionId={s}",
    "s3-fragment": "s3://bucket/x#{s}",
    "s3-user": "s3://user:{s}@bucket/x",
    "arn": "arn:aws:s3:::bucket/x?versionId={s}",
    "gs": "gs://user:{s}@bucket/x?t={s}",
    "signed-blob": "http://{h}/x?sv=2022-11-02&se=2030-01-01&sig={s}%3D",
    "signed-object": "http://{h}/x?X-Amz-Credential=AKIA%2F20250101&X-Amz-Signature={s}&X-Amz-Security-Token={s}",
}
ODD = {
    "no-slash": "http:user:{s}@{h}/x",
    "one-slash": "http:/user:{s}@{h}/x",
    "three-slashes": "http:///user:{s}@{h}/x",
    "no-scheme": "//user:{s}@{h}/x",
    "nothing-but-user": "user:{s}@{h}/x",
    "blank-before": " http://user:{s}@{h}/x",
    "blank-in-password": "http://user:a {s}@{h}/x",
    "bad-escape": "http://user:{s}%zz@{h}/x",
    "bad-port": "http://user:{s}@{h}:port/x",
    "port-of-the-password": "http://user:{s}",
    "open-bracket": "http://user:{s}@[::1/x",
    "two-ats": "http://user:a@{s}@{h}/x",
    "slash-in-password": "http://user:a/{s}@{h}/x",
    "question-in-password": "http://user:a?{s}@{h}/x",
    "hash-in-password": "http://user:a#{s}@{h}/x",
    "backslashes": "http:\\\\user:{s}@{h}\\x",
    "line-feed": "http://user:{s}\n@{h}/x",
    "nul": "http://user:{s}\x00@{h}/x",
    "other-scheme": "ftp://user:{s}@{h}/x?t={s}",
    "ssh": "ssh://user:{s}@{h}/x",
    "file": "file://user:{s}@{h}/x?t={s}",
    "scheme-of-two": "git+https://user:{s}@{h}/x",
    "data-base64": "data:;base64,{s}!!",
    "data-escape": "data:,{s}%zz",
    "data-no-comma": "data:{s}",
    "data-media-type": "data:{s};x,y",
    "data-upper-case": "DATA:,{s}",
    "arn-cut-off": "arn:aws:s3?{s}",
    "arn-other": "arn:aws:iam::1:user/x?{s}",
    "s3-empty-version": "s3://user:{s}@bucket/x?versionId=",
    "oem-relative": "oem:x?{s}",
    "unicode": "http://usér:{s}@{h}/x",
    "semicolon": "http://{h}/x;?jsessionid={s};a",
}
FORMS = {**WELL_FORMED, **ODD}
Place = Callable[[str], dict[str, Any]]
HASH = "sha512-" + "0" * 128


def with_resource(make: Callable[[dict[str, Any]], dict[str, Any]]) -> Place:
    """A place of a resource in a config of spec 3.4.0."""
    return lambda url: {"ignition": {"version": "3.4.0"}, **make({"source": url})}


def about(members: dict[str, Any]) -> dict[str, Any]:
    return {"ignition": {"version": "3.4.0", **members}}


def file_with(contents: dict[str, Any]) -> dict[str, Any]:
    return {"storage": {"files": [{"path": "/opt/a", **contents}]}}


PLACES: dict[str, Place] = {
    "merge": with_resource(lambda resource: about({"config": {"merge": [resource]}})),
    "replace": with_resource(lambda resource: about({"config": {"replace": resource}})),
    "contents": with_resource(lambda resource: file_with({"contents": resource})),
    "authority": with_resource(lambda resource: about({"security": {"tls": {"certificateAuthorities": [resource]}}})),
    "key-file": with_resource(lambda resource: {"storage": {"luks": [{"name": "a", "device": "/dev/a", "keyFile": resource}]}}),
    "proxy": lambda url: about({"proxy": {"httpProxy": url, "httpsProxy": url}, "config": {"merge": [{"source": f"http://{HOST}/y"}]}}),
    "tang": lambda url: {
        "ignition": {"version": "3.4.0"},
        "storage": {"luks": [{"name": "a", "device": "/dev/a", "clevis": {"tang": [{"url": url, "thumbprint": "x"}]}}]},
    },
}  # fmt: skip
FEW = ("append", "hash", "header")  # what fetches in the same way: with some forms only


def url_of(form: str, secret: str) -> str:
    return FORMS[form].format(s=secret, h=HOST)


def boot(bench: Bench, secret: str, config: str) -> None:
    """Fetch and, if that ends well, files: nothing that can be read shows the secret."""
    bench.give("config", config)
    ran = bench.stage("fetch", timeout="1s")
    assert ran.status in (0, 1), ran.words()
    assert leaks(ran, secret) == []
    if ran.status == 0:
        assert leaks(bench.stage("files"), secret) == []
        assert set(bench.files_with(secret)) <= RENDERED.keys() | {"root/opt/a"}
    else:
        assert bench.files_with(secret) == {}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", PLACES)
def test_url_in_a_config(bench: Bench, place: str, form: str) -> None:
    secret = secret_of(f"{place} {form}")
    bench.answer("/x", GOOD)
    boot(bench, secret, json.dumps(PLACES[place](url_of(form, secret))))


@pytest.mark.parametrize("form", [one for one in FORMS if not one.startswith(("blank", "line-feed", "nul"))])
@pytest.mark.parametrize("option", ["ignition.config.url", "coreos.config.url"])
def test_url_on_the_kernel_command_line(bench: Bench, option: str, form: str) -> None:
    """/proc/cmdline itself is for all to read, until the next boot; what the log keeps is for longer."""
    secret = secret_of(f"{option} {form}")
    bench.answer("/x", GOOD)
    bench.command_line = f"ro {option}={url_of(form, secret)} quiet"
    ran = bench.stage("fetch", timeout="1s")
    assert ran.status in (0, 1), ran.words()
    assert leaks(ran, secret) == []
    assert bench.files_with(secret) == {}


@pytest.mark.parametrize("reply", [
    pytest.param(Reply(404), id="404"),
    pytest.param(Reply(500), id="500"),
    pytest.param(Reply(302, headers={"Location": "http://127.0.0.1/elsewhere?token={s}"}), id="redirect-nowhere"),
    pytest.param(Reply(302, headers={"Location": "http://user:{s}@127.0.0.1/x?token={s}"}), id="redirect-loop"),
    pytest.param(Reply(302, headers={"Location": "ftp://user:{s}@127.0.0.1/x?token={s}"}), id="redirect-scheme"),
    pytest.param(Reply(302, headers={"Location": "http:/user:{s}@127.0.0.1/x"}), id="redirect-odd"),
    pytest.param(Reply(200, b"{s}"), id="not-a-config"),
    pytest.param(Reply(200, b"{{{s}"), id="broken-json"),
    pytest.param(Reply(200, b"<html>{s}</html>"), id="error-page"),
    pytest.param(Reply(200, b"short", announced=100), id="cut-off"),
    pytest.param(Reply(raw=b"nonsense {s}\r\n\r\n"), id="not-http"),
])  # fmt: skip
@pytest.mark.parametrize("place", ["merge", "contents", "command-line", "hash", "header"])
def test_answer_that_is_wrong(bench: Bench, place: str, reply: Reply) -> None:
    """Neither what was asked for nor what was answered is shown."""
    secret = secret_of(f"{place} {reply.status} {reply.body!r} {reply.headers} {reply.raw!r}")
    headers = {name: value.format(s=secret) for name, value in reply.headers.items()}
    body, raw = (text and text.decode().format(s=secret).encode() for text in (reply.body, reply.raw))
    bench.answer("/x", reply._replace(headers=headers, body=body or b"", raw=raw))
    url = f"http://user:{secret}@{HOST}/x?token={secret}"
    resource: dict[str, Any] = {"source": url}
    if place == "hash":
        resource["verification"] = {"hash": HASH}
    if place == "header":
        resource = {"source": f"http://{HOST}/x", "httpHeaders": [{"name": "Authorization", "value": f"Bearer {secret}"}]}
    config = file_with({"contents": resource}) if place in ("contents", "hash") else {}
    config |= about({"config": {"merge": [resource]}} if place in ("merge", "header") else {})
    if place == "command-line":
        bench.command_line = f"ignition.config.url={url}"
    bench.give("config", json.dumps(config))
    ran = bench.stage("fetch", timeout="1s")
    assert leaks(ran, secret) == []
    if place in ("contents", "hash"):
        assert ran.status == 0, ran.words()
        ran = bench.stage("files")
        assert leaks(ran, secret) == []
        assert set(bench.files_with(secret)) <= RENDERED.keys() | {"root/opt/a"}
    else:
        assert bench.files_with(secret) == {}
    assert ran.status in (0, 1), ran.words()


@pytest.mark.parametrize("form", FORMS)
def test_url_that_a_person_types(bench: Bench, form: str) -> None:
    """`ignition render URL`: the terminal's log is not the place for it. A word that is not a URL is a file's name."""
    secret = secret_of(f"render {form}")
    bench.answer("/x", GOOD)
    url = url_of(form, secret)
    if "\x00" in url:
        return  # no argument can have it
    ran = bench.start("ignition", "render", "-fetch-timeout=1s", url)
    assert ran.status in (0, 1), ran.words()
    assert leaks(ran, secret, shown_on=SCREEN if form in NAMES_OF_FILES else ()) == []


NAMES_OF_FILES = ("no-scheme", "blank-before", "data-upper-case")  # the last is the config itself


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("flag", ["-from-url"])
def test_url_of_cloudinit(bench: Bench, flag: str, form: str) -> None:
    secret = secret_of(f"{flag} {form}")
    bench.answer("/x", "#cloud-config\n")
    url = url_of(form, secret)
    if "\x00" in url:
        return  # no argument can have it
    ran = bench.start(
        "coreos-cloudinit", f"{flag}={url}", "-ignore-failure", root=str(bench.root), environment={"JOURNAL_STREAM": "1:2"}
    )
    assert ran.status in (0, 1), ran.words()
    assert leaks(ran, secret) == []
    assert bench.files_with(secret) == {}
