"""Secrets that platforms give: user data, tokens, presigned URLs, guestinfo, the first user's password; and broken answers with one in it."""

import base64
import json

import pytest

from tests.fetch.server import Reply
from tests.platforms import samples
from tests.secrets.laboratory import ADDRESSES, RENDERED, Bench, leaks, secret_of

pytestmark = pytest.mark.root
# Those that answer without TLS and without a DHCP lease, at an address of the laboratory.
SERVICES = [
    name
    for name in samples.names()
    if (one := samples.load(name)).config_path and not one.tls_name and not one.leases and one.address in ADDRESSES
]
BODIES = {
    "config": '{{"ignition": {{"version": "3.4.0"}}, "passwd": {{"users": [{{"name": "core", "passwordHash": "{s}"}}]}}}}',
    "broken": '{{"ignition": {{"version": "3.4.0"}}, "passwd": {{"users": [{{"name": "core", "passwordHash": "{s}',
    "invalid": '{{"ignition": {{"version": "3.4.0"}}, "passwd": {{"users": [{{"name": ["{s}"], "passwordHash": "{s}"}}]}}}}',
    "cloud-config": "#cloud-config\npassword: {s}\n",
    "script": "#!/bin/sh\ncurl -H 'X-Auth: {s}'\n",
    "butane": "variant: flatcar\nversion: 1.1.0\npasswd: {{users: [{{name: core, password_hash: *{s}}}]}}\n",
    "neither": "{s}",
}
COMMANDS = ["-attributes", "-hostname", "-ssh-keys", "-network-units"]


def serve(bench: Bench, name: str, changes: dict[str, Reply]) -> None:
    for path, reply in {**samples.load(name).answers, **changes}.items():
        bench.lab.replies[path] = list(reply) if isinstance(reply, list) else [reply]


def as_the_service_has_it(name: str, body: bytes) -> bytes:
    """Azure's user data is in base64."""
    return base64.b64encode(body) if name == "azure" else body


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", SERVICES)
def test_user_data_stays_in_the_cache(bench: Bench, name: str, body: str) -> None:
    secret = secret_of(f"{name} {body}")
    path = samples.load(name).config_path or ""
    serve(bench, name, {path: Reply(body=as_the_service_has_it(name, BODIES[body].format(s=secret).encode()))})
    ran = bench.stage("fetch", platform=name, timeout="5s")
    assert ran.status in (0, 1), ran.words()
    assert leaks(ran, secret) == []
    assert bench.files_with(secret).items() <= RENDERED.items()


@pytest.mark.parametrize("status", [200, 401, 404, 500])
@pytest.mark.parametrize(("name", "path"), [("aws", "/latest/api/token"), ("akamai", "/v1/token")])
def test_token_of_a_service_is_sent_and_not_shown(bench: Bench, name: str, path: str, status: int) -> None:
    secret = secret_of(f"{name} token {status}")
    config = samples.load(name).config_path or ""
    serve(bench, name, {path: Reply(body=secret.encode()), config: Reply(status, b"{}")})
    ran = bench.stage("fetch", platform=name, timeout="5s")
    assert leaks(ran, secret) == []
    sent = [value for request in bench.lab.requests for value in request.headers.values()]
    assert secret in sent
    bench.lab.replies[path] = [Reply(500, secret.encode())]
    assert leaks(bench.stage("fetch", platform=name, timeout="5s"), secret) == []
    assert bench.files_with(secret) == {}


@pytest.mark.parametrize("name", SERVICES)
def test_error_page_of_a_service_is_not_quoted(bench: Bench, name: str) -> None:
    """Every answer that is no answer: gateways write what they were asked, with its token, into their pages."""
    secret = secret_of(f"{name} page")
    page = f"<html><body>no such token: {secret}</body></html>".encode()
    for status in (200, 403, 404, 500):
        serve(bench, name, {path: Reply(status, page) for path in samples.load(name).answers})
        assert leaks(bench.stage("fetch", platform=name, timeout="5s"), secret) == []
        if status != 200:
            ran = bench.start("coreos-metadata", f"--provider={name}", f"--attributes={bench.top}/attributes", "--check-in")
            assert leaks(ran, secret) == []
        assert set(bench.files_with(secret)) <= RENDERED.keys()


@pytest.mark.parametrize("program", ["metadata", "stage"])
def test_document_that_is_cut_off_is_not_quoted(bench: Bench, program: str) -> None:
    """Of AWS' credentials, which S3 needs."""
    secret = secret_of(f"credentials {program}")
    role = "/2021-01-03/meta-data/iam/security-credentials/"
    credentials = json.dumps({"AccessKeyId": "AKIA", "SecretAccessKey": secret, "Token": secret})[:-1].encode()
    serve(bench, "aws", {role: Reply(body=b"role"), f"{role}role": Reply(body=credentials)})
    bench.answer(
        "/2019-10-01/user-data", json.dumps({"ignition": {"version": "3.4.0", "config": {"merge": [{"source": "s3://b/x"}]}}})
    )
    if program == "stage":
        ran = bench.stage("fetch", platform="aws", timeout="2s")
    else:
        ran = bench.start("coreos-metadata", "--provider=aws", f"--attributes={bench.top}/attributes")
    assert leaks(ran, secret) == []
    assert bench.files_with(secret) == {}


GUESTINFO = {
    "data": {"ignition.config.data": BODIES["config"]},
    "broken": {"ignition.config.data": BODIES["broken"]},
    "unknown-encoding": {"ignition.config.data": "{s}", "ignition.config.data.encoding": "rot13"},
    "not-base64": {"ignition.config.data": "{s}!!", "ignition.config.data.encoding": "base64"},
    "not-gzip": {"ignition.config.data": "{s}", "ignition.config.data.encoding": "gzip"},
    "url": {"coreos.config.url": "http://u:{s}@127.0.0.1/x?t={s}"},
    "environment": {"ovfenv": "<Environment><Property key='guestinfo.ignition.config.data' value='{s}'"},
}  # fmt: skip


@pytest.mark.parametrize("case", GUESTINFO)
def test_guestinfo_is_not_shown(bench: Bench, case: str) -> None:
    secret = secret_of(f"guestinfo {case}")
    for name, text in GUESTINFO[case].items():
        bench.give(f"programs/guestinfo/{name}", text.format(s=secret))
    ran = bench.stage("fetch", platform="vmware", timeout="2s")
    assert ran.status in (0, 1), ran.words()
    assert leaks(ran, secret) == []
    assert bench.files_with(secret).items() <= RENDERED.items()


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("where", ["base.d", "user.ign", "base.platform.d"])
def test_config_of_the_image_is_not_shown(bench: Bench, where: str, body: str) -> None:
    secret = secret_of(f"{where} {body}")
    place = {"base.d": "base.d/a.ign", "user.ign": "user.ign", "base.platform.d": "base.platform.d/file/a.ign"}[where]
    bench.give(f"system/{place}", BODIES[body].format(s=secret))
    bench.give("config", '{"ignition": {"version": "3.4.0"}}')
    for stage in ("fetch", "files"):
        ran = bench.stage(stage)
        assert ran.status in (0, 1), ran.words()
        assert leaks(ran, secret) == []
    assert set(bench.files_with(secret)) <= RENDERED.keys() | {"root/etc/shadow"}


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "AWS_SECRET_ACCESS_KEY", "TOKEN"])
@pytest.mark.parametrize("program", ["ignition", "coreos-cloudinit"])
def test_environment_goes_no_further(bench: Bench, program: str, variable: str) -> None:
    """No program that is started inherits it, no log shows it."""
    secret = secret_of(f"{program} {variable}")
    given = {variable: f"http://u:{secret}@127.0.0.1:9", variable.lower(): f"http://u:{secret}@127.0.0.1:9"}
    bench.give("config", json.dumps({"ignition": {"version": "3.4.0"}, "passwd": {"users": [{"name": "new"}]}}))
    if program == "ignition":
        assert bench.stage("fetch", environment=given).status == 0
        ran = bench.stage("files", environment=given)
        assert ran.status == 0 and ran.streams["started"], ran.words()
    else:
        data = bench.give("user-data", "#cloud-config\nusers: [{name: core, passwd: x}]\n")
        ran = bench.start(
            "coreos-cloudinit", f"-from-file={data}", environment={"JOURNAL_STREAM": "1:2", **given}, root=str(bench.root)
        )
    assert leaks(ran, secret) == []
    assert bench.files_with(secret) == {}
