"""Sealed values in stages of a boot: the network is requested, files and passwords are written, and nothing shows the secret."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ignition.config import dataurl, needs_network
from ignition.config.cache import dump, load
from ignition.config.merge import merge
from ignition.config.model import Config, Resource
from ignition.config.model.extensions import ResourceExtension
from ignition.config.parse import parse
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.host.root import Root
from ignition.operation import Context
from ignition.rendering import render
from ignition.rendering.parsing import Reader
from ignition.stages import files
from ignition.storage import needed_features
from ignition.sysroot.files import PutFile
from ignition.sysroot.users import SetSealedPassword
from tests.sealing.conftest import QUICK
from tests.sealing.tang import Tang, seal

SECRET = "Sesame"
HASH = f"$6$salt${SECRET}"
TPM = "eyJjbGV2aXMiOnsicGluIjoidHBtMiJ9fQ..aXY.dGV4dA.dGFn"


def resource(text: str) -> dict[str, Any]:
    return {"source": dataurl.encode(text.encode()), "x-coreos": {"sealed": True}}


def config(**sections: Any) -> Config:
    parsed = parse(json.dumps({"ignition": {"version": "3.5.0"}, **sections}).encode())
    assert parsed.config is not None, parsed.report.entries
    return parsed.config


def one_file(**members: Any) -> Config:
    return config(storage={"files": [{"path": "/etc/key", **members}]})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    top = tmp_path / "root"
    (top / "etc").mkdir(parents=True)
    (top / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\ncore:x:1000:1000::/home/core:/bin/sh\n")
    (top / "etc/shadow").write_text("root:*:19000:0:99999:7:::\ncore:*:19000:0:99999:7:::\n")
    (top / "etc/group").write_text("root:x:0:\ncore:x:1000:\n")
    (top / "etc/gshadow").write_text("root:*::\ncore:!::\n")
    return top


def planned(found: Config, root: Path, kind: type) -> Any:
    facts = files.probe(found, Root(str(root)), state_file="", platform="", uuids={}, volumes=())
    return next(one for one in files.plan(found, facts) if isinstance(one, kind))


def test_sealed_content_replaces_a_file_and_its_digest_is_recorded(tang: Tang, root: Path, fetcher: Fetcher) -> None:
    found = one_file(mode=0o600, overwrite=True, contents=resource(seal("tang", tang.config(), SECRET.encode())))
    (root / "etc/key").write_text("old")
    operation, context = planned(found, root, PutFile), Context(Root(str(root)), fetcher)
    assert operation.describe() == "write file /etc/key"
    assert operation.sealed == f"tang {tang.url}"
    assert operation.content(context) is None
    assert not operation.complete(context)
    assert (root / "etc/key").read_text() == SECRET
    assert (root / "etc/key").stat().st_mode & 0o777 == 0o600
    left = next(iter(operation.leaves(context)))
    assert left.members["sha256"] == hashlib.sha256(SECRET.encode()).hexdigest()


def test_file_of_an_interrupted_attempt_is_not_a_conflict(tang: Tang, root: Path, fetcher: Fetcher) -> None:
    found = one_file(contents=resource(seal("tang", tang.config(), SECRET.encode())))
    context = Context(Root(str(root)), fetcher)
    for _ in range(2):
        planned(found, root, PutFile).complete(context)
    assert (root / "etc/key").read_text() == SECRET
    (root / "etc/key").write_text("another")
    with pytest.raises(Failure, match="already exists with other content"):
        planned(found, root, PutFile).complete(context)


def test_sealed_fragment_is_appended(tang: Tang, root: Path, fetcher: Fetcher) -> None:
    (root / "etc/key").write_text("old ")
    found = one_file(append=[resource(seal("tang", tang.config(), SECRET.encode()))])
    planned(found, root, PutFile).complete(Context(Root(str(root)), fetcher))
    assert (root / "etc/key").read_text() == f"old {SECRET}"


def test_sealed_password_is_set(tang: Tang, root: Path, fetcher: Fetcher) -> None:
    text = seal("tang", tang.config(), f"{HASH}\n".encode())
    found = config(passwd={"users": [{"name": "core", "x-coreos": {"sealedPasswordHash": text}}]})
    operation = planned(found, root, SetSealedPassword)
    assert operation.describe() == f"set the sealed password of user core (tang {tang.url})"
    operation.complete(Context(Root(str(root)), fetcher))
    assert f"core:{HASH}:" in (root / "etc/shadow").read_text()


def test_password_that_does_not_open_is_named(tang: Tang, root: Path, fetcher: Fetcher) -> None:
    text = seal("tang", tang.config(), HASH.encode())
    found = config(passwd={"users": [{"name": "core", "x-coreos": {"sealedPasswordHash": text}}]})
    tang.make_keys()
    with pytest.raises(Failure) as caught:
        planned(found, root, SetSealedPassword).complete(Context(Root(str(root)), fetcher))
    assert caught.value.where == "$.passwd.users.0.x-coreos.sealedPasswordHash"


def test_merged_config_is_opened_and_its_digest_is_not_logged(
    tang: Tang, fetcher: Fetcher, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = json.dumps({"ignition": {"version": "3.5.0"}, "passwd": {"users": [{"name": "core", "passwordHash": HASH}]}})
    found = config(ignition={"version": "3.5.0", "config": {"merge": [resource(seal("tang", tang.config(), inner.encode()))]}})
    merged, _ = render.follow(found, "here", fetcher, Reader())
    assert merged.passwd.users[0].password_hash == HASH
    shown = capsys.readouterr()
    assert hashlib.sha512(inner.encode()).hexdigest() not in shown.out + shown.err


def test_people_see_the_config_without_what_a_sealed_one_merges(tang: Tang) -> None:
    found = config(
        ignition={"version": "3.5.0", "config": {"merge": [resource(seal("tang", tang.config(), b"{}"))]}},
        storage={"files": [{"path": "/a"}]},
    )
    with Fetcher(QUICK, offline=False) as planning:
        merged, _ = render.follow(found, "here", planning, Reader())
    assert [one.path for one in merged.storage.files] == ["/a"]


def test_sealed_authority_is_kept_without_the_hash_of_its_jwe(tang: Tang, fetcher: Fetcher) -> None:
    pem = b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
    authority = {**resource(seal("tang", tang.config(), pem))}
    found = config(ignition={"version": "3.5.0", "security": {"tls": {"certificateAuthorities": [authority]}}})
    kept = render._with_own_authorities(found, fetcher).ignition.security.tls.certificate_authorities
    assert kept == (Resource(source=dataurl.encode(pem)),)


@pytest.mark.parametrize("member", ["contents", "password"])
def test_network_is_requested_for_a_tang_server_only(member: str, tang: Tang) -> None:
    to_server = seal("tang", tang.config(), b"x")

    def asked(text: str) -> str | None:
        if member == "contents":
            return needs_network.reason(one_file(contents=resource(text)))
        return needs_network.reason(config(passwd={"users": [{"name": "u", "x-coreos": {"sealedPasswordHash": text}}]}))

    place = {"contents": "$.storage.files.0.contents", "password": "$.passwd.users.0.x-coreos.sealedPasswordHash"}[member]
    assert asked(to_server) == f"{place} is sealed to a pin that needs it"
    assert asked(TPM) is None


@pytest.mark.parametrize(
    ("sections", "place"),
    [
        ({"storage": {"files": [{"path": "/a", "contents": resource(TPM)}]}}, "$.storage.files.0.contents.x-coreos.sealed"),
        (
            {"passwd": {"users": [{"name": "u", "x-coreos": {"sealedPasswordHash": TPM}}]}},
            "$.passwd.users.0.x-coreos.sealedPasswordHash",
        ),
        (
            {
                "storage": {
                    "files": [
                        {
                            "path": "/a",
                            "contents": {
                                "source": "http://h/",
                                "httpHeaders": [{"name": "A", "x-coreos": {"sealedValue": TPM}}],
                            },
                        }
                    ]
                }
            },
            "$.storage.files.0.contents.httpHeaders.0.x-coreos.sealedValue",
        ),
    ],
)
def test_initramfs_without_clevis_refuses_it(sections: dict[str, Any], place: str) -> None:
    with pytest.raises(Failure) as caught:
        needed_features.check(config(**sections), frozenset({"luks"}))
    assert caught.value.where == place
    assert 'without the feature "clevis"' in caught.value.what
    needed_features.check(config(**sections), frozenset({"luks", "clevis"}))


def test_child_adds_a_sealed_header_and_keeps_its_name() -> None:
    def with_header(**members: Any) -> Config:
        header = {"name": "A", **members}
        return one_file(contents={"source": "http://h/", "httpHeaders": [header]})

    merged = merge(with_header(value="plain"), with_header(**{"x-coreos": {"sealedValue": TPM}}))
    header = merged.storage.files[0].contents.http_headers[0]
    assert (header.value, header.extension.sealed_value) == (None, TPM)


def test_cache_of_the_stages_keeps_the_members() -> None:
    found = one_file(contents=resource(TPM))
    assert load(dump(found)).storage.files[0].contents.extension == ResourceExtension(sealed=True)
