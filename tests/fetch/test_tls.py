"""Trust: the system's authorities and those of the config, and what is said when a certificate is not accepted."""

import hashlib
import re
import ssl
from typing import NamedTuple

import pytest

from ignition.config import dataurl
from ignition.config.model import Resource
from ignition.config.model.ignition import Verification
from ignition.errors import Failure
from ignition.fetch import names
from ignition.fetch.content import pem_certificates as pem_blocks
from ignition.fetch.engine import Fetcher
from ignition.fetch.faults import about_clock
from ignition.fetch.settings import Settings
from tests.fetch.certificates import Certificates
from tests.fetch.server import Reply, serving

ONCE = Settings(attempts=1)


def trusting(*authorities: bytes) -> Settings:
    return ONCE.evolve(certificate_authorities=tuple(Resource(source=dataurl.encode(pem)) for pem in authorities))


def test_server_of_a_configured_authority_is_trusted(certificates: Certificates) -> None:
    with serving({"/a": Reply(body=b"secure")}, certificates.server) as server:
        with Fetcher(trusting(certificates.authority), offline=False) as fetcher:
            assert fetcher.read(Resource(source=f"{server.url}/a")) == b"secure"


def test_server_is_trusted_by_its_address_too(certificates: Certificates) -> None:
    with serving({"/a": Reply(body=b"secure")}, certificates.server) as server:
        with Fetcher(trusting(certificates.authority), offline=False) as fetcher:
            assert fetcher.read(Resource(source=f"https://127.0.0.1:{server.server_port}/a")) == b"secure"


def test_address_that_is_not_in_the_certificate_is_refused(certificates: Certificates) -> None:
    with serving({"/a": Reply(body=b"never")}, certificates.other_name) as server:
        with Fetcher(trusting(certificates.authority), offline=False) as fetcher, pytest.raises(Failure, match="doesn't match"):
            fetcher.read(Resource(source=f"https://127.0.0.1:{server.server_port}/a"))


def test_bundle_with_comments_and_several_certificates_is_trusted(certificates: Certificates) -> None:
    bundle = "# Größe\n".encode() + certificates.authority + b"\n\ntext\n" + certificates.authority + b"\n\n"
    with serving({"/a": Reply(body=b"secure")}, certificates.server) as server:
        with Fetcher(trusting(bundle), offline=False) as fetcher:
            assert fetcher.read(Resource(source=f"{server.url}/a")) == b"secure"


def test_authority_is_fetched_and_verified(certificates: Certificates) -> None:
    import hashlib

    digest = hashlib.sha512(certificates.authority).hexdigest()
    with (
        serving({"/ca": Reply(body=certificates.authority)}) as plain,
        serving({"/a": Reply(body=b"s")}, certificates.server) as server,
    ):
        authority = Resource(source=f"{plain.url}/ca", verification=Verification(hash=f"sha512-{digest}"))
        with Fetcher(ONCE.evolve(certificate_authorities=(authority,)), offline=False) as fetcher:
            assert fetcher.read(Resource(source=f"{server.url}/a")) == b"s"
            fetcher.read(Resource(source=f"{server.url}/a"))
        assert plain.paths() == ["/ca"]


def test_authority_stays_trusted_when_the_settings_change(certificates: Certificates) -> None:
    with serving({"/a": Reply(body=b"secure")}, certificates.server) as server:
        with Fetcher(ONCE, offline=False) as fetcher:
            fetcher.apply(trusting(certificates.authority))
            fetcher.apply(ONCE)
            assert fetcher.read(Resource(source=f"{server.url}/a")) == b"secure"


def test_authority_without_certificate_is_refused() -> None:
    with Fetcher(ONCE, offline=False) as fetcher, pytest.raises(Failure) as caught:
        fetcher.apply(trusting(b"no PEM here"))
    assert caught.value.what == "the content has no PEM certificate"
    assert caught.value.where == "data:…"


def test_certificate_block_without_end_does_not_count() -> None:
    with pytest.raises(Failure, match="the content has no PEM certificate"):
        pem_blocks(b"-----BEGIN CERTIFICATE-----\nMIIB", "here")


def test_authority_that_is_damaged_is_refused() -> None:
    broken = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    with Fetcher(trusting(broken), offline=False) as fetcher, pytest.raises(Failure) as caught:
        fetcher.read(Resource(source="https://127.0.0.1:1/a"))
    assert caught.value.what == "the certificate authority is malformed"
    assert caught.value.where == "data:…"


@pytest.mark.parametrize(
    ("kind", "what", "fix"),
    [
        pytest.param(
            "server", "unable to get local issuer certificate", r"add the server's CA to .*certificateAuthorities", id="authority"
        ),
        pytest.param(
            "expired", "certificate has expired", r"this machine's clock says \d{4}-\d\d-\d\d \d\d:\d\d UTC: ", id="clock"
        ),
        pytest.param(
            "future",
            "certificate is not yet valid",
            r"this machine's clock says \d{4}-\d\d-\d\d \d\d:\d\d UTC, which is probably too early: set it",
            id="clock behind",
        ),
        pytest.param("other_name", "hostname 'localhost' doesn't match 'elsewhere.example'", "use a name that", id="name"),
    ],
)
def test_certificate_that_is_not_accepted_is_explained(certificates: Certificates, kind: str, what: str, fix: str) -> None:
    context: ssl.SSLContext = getattr(certificates, kind)
    settings = (ONCE if kind == "server" else trusting(certificates.authority)).evolve(of_config=True)
    with serving({"/a": Reply(body=b"never")}, context) as server:
        with Fetcher(settings, offline=False) as fetcher, pytest.raises(Failure) as caught:
            fetcher.read(Resource(source=f"{server.url}/a?token=secret"))
    assert caught.value.what.startswith("the server's TLS certificate is not accepted: ")
    assert what in caught.value.what
    assert re.match(fix, caught.value.fix)
    assert caught.value.where == f"{server.url}/a"


def test_what_no_config_can_change_is_not_said_to_be_the_configs(certificates: Certificates) -> None:
    """The first config, and a platform's metadata, are fetched before there is a config."""
    with serving({"/a": Reply(body=b"never")}, certificates.server) as server:
        with Fetcher(ONCE, offline=False) as fetcher, pytest.raises(Failure) as caught:
            fetcher.read(Resource(source=f"{server.url}/a"))
    assert caught.value.fix == (
        "add the server's CA to those of the image and its initramfs, or name another server with the kernel argument"
        " ignition.config.url="
    )


@pytest.mark.parametrize(
    ("now", "behind", "text"),
    [
        pytest.param(
            0, True, r"this machine's clock says 1970-01-01 00:00 UTC, which is before this program was made \(20.*\): set it"
        ),
        pytest.param(
            0, False, r"this machine's clock says 1970-01-01 00:00 UTC, which is before this program was made \(20.*\): set it"
        ),
        pytest.param(4e9, True, r"this machine's clock says 2096-10-02 07:06 UTC, which is probably too early: set it"),
        pytest.param(4e9, False, r"this machine's clock says 2096-.* UTC: if that is wrong, set it, else renew the certificate"),
    ],
    ids=["reset, not yet valid", "reset, expired", "not yet valid", "expired"],
)
def test_clock_that_cannot_be_right_is_told(now: float, behind: bool, text: str) -> None:
    assert re.fullmatch(text, about_clock(now, behind=behind))


def test_plain_http_on_a_tls_port_is_explained(certificates: Certificates) -> None:
    with serving({"/a": Reply(body=b"never")}) as server:
        with Fetcher(ONCE, offline=False) as fetcher, pytest.raises(Failure) as caught:
            fetcher.read(Resource(source=f"{server.url}/a".replace("http:", "https:")))
    assert caught.value.what.startswith("TLS: WRONG_VERSION_NUMBER (1 attempt in ")
    assert caught.value.fix == "check that the server speaks TLS on this port"


class NamesCase(NamedTuple):
    """subjectAltName of a certificate, the host that was asked for, and what is said ("" if it is accepted)."""

    alternatives: tuple[tuple[str, str], ...]
    host: str
    problem: str


DNS, ADDRESS = "DNS", "IP Address"
NAMES = [
    NamesCase(((DNS, "a.example"),), "a.example", ""),
    NamesCase(((DNS, "A.Example"),), "a.eXample", ""),
    NamesCase(((DNS, "a.example."),), "a.example", ""),
    NamesCase(((DNS, "a.example"), (DNS, "b.example")), "b.example", ""),
    NamesCase(((DNS, "*.example"),), "a.example", ""),
    NamesCase(((DNS, "*.example"),), "a.b.example", "doesn't match"),
    NamesCase(((DNS, "*.example"),), "example", "doesn't match"),
    NamesCase(((DNS, "*.example"),), ".example", "doesn't match"),
    NamesCase(((DNS, "go*.example"),), "good.example", "doesn't match"),
    NamesCase(((DNS, "*d.example"),), "good.example", "doesn't match"),
    NamesCase(((DNS, "a.*.example"),), "a.b.example", "doesn't match"),
    NamesCase(((DNS, "*"),), "a", "doesn't match"),
    NamesCase(((DNS, "*.*.example"),), "a.b.example", "doesn't match"),
    NamesCase(((DNS, "a.example\0.evil.example"),), "a.example", "doesn't match"),
    NamesCase((("URI", "http://a.example"), ("email", "a.example")), "a.example", "doesn't match"),
    NamesCase(((ADDRESS, "127.0.0.1"),), "127.0.0.1", ""),
    NamesCase(((ADDRESS, "0:0:0:0:0:0:0:1"),), "::1", ""),
    NamesCase(((ADDRESS, "FE80:0:0:0:0:0:0:1"),), "fe80::1%eth0", ""),
    NamesCase(((ADDRESS, "127.0.0.2"),), "127.0.0.1", "IP address '127.0.0.1' doesn't match '127.0.0.2'"),
    NamesCase(((DNS, "127.0.0.1"),), "127.0.0.1", "it has '127.0.0.1' as a DNS name, not as an IP address"),
    NamesCase(((DNS, "*.0.0.1"),), "127.0.0.1", "doesn't match"),
    NamesCase(((ADDRESS, "127.0.0.1"),), "localhost", "hostname 'localhost' doesn't match '127.0.0.1'"),
    NamesCase((), "a.example", "it has no subjectAltName, and the common name does not count"),
    NamesCase(((DNS, "\x1b[31m"),), "a", r"'\\x1b[31m'"),
    NamesCase(((DNS, "x"),) * 9, "a", "either of 'x', 'x', 'x', 'x', 'x', …"),
]


@pytest.mark.parametrize("case", NAMES, ids=[f"{case.host} {case.alternatives[:2]!r}" for case in NAMES])
def test_names_of_certificates_as_rfc_9525_wants_them(case: NamesCase) -> None:
    certificate = {"subject": ((("commonName", case.host),),), "subjectAltName": case.alternatives}
    if not case.problem:
        names.check(certificate, case.host)
        return
    with pytest.raises(names.WrongName) as caught:
        names.check(certificate, case.host)
    assert case.problem in caught.value.args[0]


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        pytest.param("", "it has no subjectAltName, and the common name does not count", id="common name only"),
        pytest.param("DNS:local*", "hostname 'localhost' doesn't match 'local*'", id="part of a label"),
        pytest.param("DNS:127.0.0.1", "hostname 'localhost' doesn't match '127.0.0.1'", id="address as a name"),
    ],
)
def test_certificate_whose_name_does_not_count_is_refused(certificates: Certificates, kind: str, what: str) -> None:
    context = certificates.server_with(kind)
    with serving({"/a": Reply(body=b"never")}, context) as server:
        with Fetcher(trusting(certificates.authority), offline=False) as fetcher, pytest.raises(Failure) as caught:
            fetcher.read(Resource(source=f"{server.url}/a"))
        assert server.requests == []
    assert what in caught.value.what


DIGEST = "sha256-" + hashlib.sha256(b"plain").hexdigest()


def test_redirect_from_https_to_http_is_refused(certificates: Certificates) -> None:
    with serving({"/a": Reply(body=b"plain")}) as plain:
        there = {"Location": f"http://u:SECRET@127.0.0.1:{plain.server_port}/a?t=SECRET"}
        with serving({"/a": Reply(302, headers=there)}, certificates.server) as server:
            with Fetcher(trusting(certificates.authority), offline=False) as fetcher:
                for ask in (lambda url: fetcher.read(Resource(source=url)), fetcher.get):
                    with pytest.raises(Failure) as caught:
                        ask(f"{server.url}/a")
                    assert caught.value.what == (
                        f"redirect from https to http://127.0.0.1:{plain.server_port}/a: "
                        "without TLS an attacker could change the content"
                    )
                    assert caught.value.fix == "use a server that stays with https, or add a verification.hash to the resource"
        assert plain.requests == []


def test_redirect_from_https_to_http_is_followed_for_what_has_a_hash(certificates: Certificates) -> None:
    with serving({"/a": Reply(body=b"plain")}) as plain:
        with serving({"/a": Reply(302, headers={"Location": f"{plain.url}/a"})}, certificates.server) as server:
            with Fetcher(trusting(certificates.authority), offline=False) as fetcher:
                resource = Resource(source=f"{server.url}/a", verification=Verification(hash=DIGEST))
                assert fetcher.read(resource) == b"plain"
