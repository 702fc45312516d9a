"""Sealed secrets: after a boot only their destination has them, and commands that people run never do.

Sealed by clevis' pin null, which needs neither a server nor a TPM: only the plain text is searched for, and its JWE does not show
it either.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.sealing.tang import seal
from tests.secrets.laboratory import RENDERED, Bench, leaks, secret_of

pytestmark = pytest.mark.root
PRIVATE = 0o600


def jwe(plain: str) -> str:
    return seal("null", {}, plain.encode())


def resource(text: str) -> dict[str, Any]:
    return {"source": f"data:,{text}", "x-coreos": {"sealed": True}}


def config(**sections: Any) -> dict[str, Any]:
    return {"ignition": {"version": "3.5.0"}, **sections}


def file(**members: Any) -> dict[str, Any]:
    return config(storage={"files": [{"path": "/opt/a", "mode": PRIVATE, **members}]})


def merged(secret: str) -> dict[str, Any]:
    inner = file(contents={"source": f"data:,{secret}"})
    return config(ignition={"version": "3.5.0", "config": {"merge": [resource(jwe(json.dumps(inner)))]}})


def header(secret: str) -> dict[str, Any]:
    members = {"name": "Authorization", "x-coreos": {"sealedValue": jwe(secret)}}
    return file(contents={"source": "http://127.0.0.1/x", "httpHeaders": [members]})


# name → the config for a secret, and the files that may have it in the end, with the bits of others they may have
PLACES: dict[str, tuple[Callable[[str], dict[str, Any]], dict[str, int]]] = {
    "contents": (lambda secret: file(contents=resource(jwe(secret))), {"root/opt/a": PRIVATE}),
    "append": (lambda secret: file(append=[resource(jwe(secret))]), {"root/opt/a": PRIVATE}),
    "password": (
        lambda secret: config(passwd={"users": [{"name": "core", "x-coreos": {"sealedPasswordHash": jwe(f"$6$s${secret}")}}]}),
        {"root/etc/shadow": 0o640},
    ),
    "header": (header, {}),
    "merge": (merged, {**RENDERED, "root/opt/a": PRIVATE}),
}
# The same secrets where they do not fit: two lines as a password or header, a merged text that is not a config.
WRONG: dict[str, Callable[[str], dict[str, Any]]] = {
    "lines-as-password": lambda secret: config(
        passwd={"users": [{"name": "core", "x-coreos": {"sealedPasswordHash": jwe(f"{secret}\n{secret}")}}]}
    ),
    "colon-in-password": lambda secret: config(
        passwd={"users": [{"name": "core", "x-coreos": {"sealedPasswordHash": jwe(f"x:{secret}")}}]}
    ),
    "lines-as-header": lambda secret: header(f"{secret}\r\nX-Other: {secret}"),
    "merged-text": lambda secret: config(
        ignition={"version": "3.5.0", "config": {"merge": [resource(jwe(f'{{"ignition": {secret}}}'))]}}
    ),
    "damaged": lambda secret: file(contents=resource(f"{jwe(secret)[:-4]}AAAA")),
}


@pytest.mark.parametrize("place", PLACES)
def test_boot_brings_a_sealed_secret_to_its_destination_alone(bench: Bench, place: str) -> None:
    secret, (build, allowed) = secret_of(f"sealed {place}"), PLACES[place]
    bench.answer("/x", "content")
    bench.give("config", json.dumps(build(secret)))
    for stage in ("fetch", "files"):
        ran = bench.stage(stage)
        assert ran.status == 0, ran.words()
        assert leaks(ran, secret) == []
    found = bench.files_with(secret)
    assert {path: mode for path, mode in found.items() if mode & ~allowed.get(path, 0)} == {}
    assert [path for path in allowed if path.startswith("root/") and path not in found] == []
    if place == "header":
        assert bench.lab.requests[-1].headers["Authorization"] == secret
    assert leaks(bench.stage("umount"), secret) == []
    assert {path for path in bench.files_with(secret) if not path.startswith("root/")} == set()


@pytest.mark.parametrize("place", WRONG)
def test_boot_that_fails_does_not_show_it(bench: Bench, place: str) -> None:
    secret = secret_of(f"sealed wrongly {place}")
    bench.answer("/x", "content")
    bench.give("config", json.dumps(WRONG[place](secret)))
    runs = [bench.stage("fetch")]
    if runs[0].status == 0:
        runs.append(bench.stage("files"))
    assert runs[-1].status == 1, runs[-1].words()
    assert [leaks(ran, secret) for ran in runs] == [[]] * len(runs)
    assert bench.files_with(secret) == {}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("command", ["validate", "render", "simulate"])
def test_commands_for_people_do_not_open_it(bench: Bench, command: str, place: str) -> None:
    secret = secret_of(f"sealed {command} {place}")
    bench.answer("/x", "content")
    path = bench.give("config.ign", json.dumps(PLACES[place][0](secret)))
    words: dict[str, tuple[str, list[Any]]] = {
        "validate": ("ignition-validate", ["-json", path]),
        "render": ("ignition", ["render", path]),
        "simulate": ("ignition", ["simulate", path, "-into", bench.top / "into"]),
    }
    program, arguments = words[command]
    ran = bench.start(program, *arguments)
    assert ran.status == 0, ran.words()
    assert b"clevis" not in ran.streams["started"]
    assert leaks(ran, secret) == []
    assert bench.files_with(secret) == {}
    if command == "simulate":
        words_of_it = b"is left out here: " if place == "merge" else b"not simulated: "
        assert words_of_it in ran.streams["stdout"] + ran.streams["stderr"]


def test_many_files_are_opened_side_by_side(bench: Bench) -> None:
    secrets = [secret_of(f"sealed beside others {number}") for number in range(12)]
    files = [{"path": f"/opt/{number}", "mode": PRIVATE, "contents": resource(jwe(one))} for number, one in enumerate(secrets)]
    bench.give("config", json.dumps(config(storage={"files": files})))
    for stage in ("fetch", "files"):
        ran = bench.stage(stage)
        assert ran.status == 0, ran.words()
    assert [(bench.root / f"opt/{number}").read_text() for number in range(12)] == secrets
    assert [leaks(ran, one) for one in secrets] == [[]] * 12
