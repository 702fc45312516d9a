"""The search finds what is there: a laboratory that sees nothing would prove nothing."""

import base64
import json

import pytest

from tests.secrets.laboratory import Bench, Ran, forms_of, leaks, secret_of

pytestmark = pytest.mark.root


def test_each_form_is_found_wherever_it_begins() -> None:
    secret = secret_of("x")
    for before in range(6):
        text = base64.b64encode(b"-" * before + secret.encode() + b"---")
        assert any(form in text for form in forms_of(secret)), before
    assert len({*forms_of(secret)}) == 7
    assert all(len(form) > 15 for form in forms_of(secret))


def test_streams_of_a_run_are_seen(bench: Bench) -> None:
    secret = secret_of("seen")
    ran = bench.start("ignition", f"-stage={secret}", "-platform=file")
    assert leaks(ran, secret) != [] and leaks(ran, secret, shown_on=("stderr",)) == []
    ran = bench.start("coreos-metadata", f"--provider={secret}", "--attributes=/nowhere")
    assert ran.status == 1 and leaks(ran, secret, shown_on=("stderr",)) == []


def test_journal_programs_and_files_are_seen(bench: Bench) -> None:
    secret = secret_of("user")
    user = {"name": f"{secret.lower()}.x", "gecos": secret}  # the dot: users with ordinary names are created without a program
    file = {"path": f"/etc/{secret}", "mode": 0o644, "contents": {"source": f"data:,{secret}"}}
    config = {"ignition": {"version": "3.4.0"}, "passwd": {"users": [user]}, "storage": {"files": [file]}}
    bench.give("config", json.dumps(config))
    assert bench.stage("fetch-offline").status == 0
    ran = bench.stage("files")
    assert ran.status == 0, ran.words()
    found = {line.partition(":")[0] for line in leaks(ran, secret)}
    assert found == {"journal", "started"}
    assert bench.files_with(secret)[f"root/etc/{secret}"] == 0o644
    assert bench.files_with(secret)["ignition.json"] == 0o600


def test_kill_leaves_what_was_being_written(bench: Bench) -> None:
    secret = secret_of("kill")
    file = {"path": "/opt/a", "contents": {"source": f"data:,{secret}"}}
    bench.give("config", json.dumps({"ignition": {"version": "3.4.0"}, "storage": {"files": [file]}}))
    assert bench.stage("fetch-offline").status == 0
    found: dict[str, Ran] = {}
    for moment in range(1, 40):
        ran = bench.stage("files", kill_at=moment)
        if ran.status == 0:
            break
        assert ran.status == -9, ran.words()
        found |= {path: ran for path in bench.files_with(secret) if ".ignition-" in path}
    assert ran.status == 0 and found
