"""The outcome of a first boot leaves the machine: neither contents of the config nor secrets are in it, nor in what is kept for it."""

import json

import pytest

from tests.fetch.server import Reply
from tests.secrets.laboratory import HOST, Bench, forms_of, leaks, secret_of

pytestmark = pytest.mark.root


def config(secret: str, **more: object) -> str:
    """With a secret in contents, in a password, and in the URL of the receiver."""
    here = {"source": f"data:,{secret}"}
    about = {
        "version": "3.5.0",
        "x-coreos": {"report": {"url": f"http://user:{secret}@{HOST}/hook?token={secret}#{secret}"}},
    }
    users = [{"name": "core", "passwordHash": f"$6$salt${secret}"}]
    files = [{"path": "/etc/secret", "mode": 0o600, "contents": here}, *more.get("files", [])]  # type: ignore[misc]
    return json.dumps({"ignition": about, "passwd": {"users": users}, "storage": {"files": files}})


@pytest.mark.parametrize("result", ["success", "failure"])
@pytest.mark.parametrize("format", ["cloudevents", "journal"])
def test_outcome_has_no_secret(bench: Bench, result: str, format: str) -> None:
    secret = secret_of(f"{result} {format}")
    wrong = {"path": "/etc/passwd/inside", "contents": {"source": f"data:,{secret}"}}
    bench.give("config", config(secret, files=[wrong] if result == "failure" else []))
    bench.answer("/hook", Reply(204))
    bench.answer("/hook/upload", Reply(202))
    bench.give("initrd-release", "")
    bench.give("programs/journalctl", "#!/bin/sh\necho __CURSOR=x\n").chmod(0o755)
    units = bench.top / "units"
    environment = {"IGNITION_RUN_UNITS": str(units)}
    assert bench.stage("fetch-offline", environment=environment).status == 0
    assert (units / "multi-user.target.wants/ignition-report.service").is_symlink()
    ran = bench.stage("files", environment=environment)
    assert (ran.status, leaks(ran, secret)) == (int(result == "failure"), [])
    if result == "failure":
        environment["IGNITION_INITRD_RELEASE"] = str(bench.given / "initrd-release")
    # The receiver's URL is the only secret that is kept, for root alone.
    kept = bench.run_directory / "report-to.json"
    assert kept.stat().st_mode & 0o777 == 0o600 and kept.read_text().count(secret) == 3

    sending = ["outcome", "-send", f"-state-file={bench.run_directory / 'state'}", f"-format={format}"]
    ran = bench.start("ignition", *sending, environment=environment)
    assert (ran.status, leaks(ran, secret)) == (0, []), ran.words()
    bodies = [request.body for request in bench.lab.requests]
    assert len(bodies) == 1 and not any(form in bodies[0] for form in forms_of(secret))
    if format == "cloudevents":
        assert json.loads(bodies[0])["data"]["result"] == result
    ran = bench.start("ignition", *sending[:1], sending[2], environment=environment)
    assert (json.loads(ran.streams["stdout"])["result"], leaks(ran, secret)) == (result, [])
    assert kept.exists() == (result == "failure")
