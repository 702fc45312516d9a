"""What is particular about Azure Stack: its SSH key comes as a certificate, encrypted for ours. OpenSSL plays the fabric."""

import base64
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.host import paths
from ignition.platforms import azurestack
from tests.fetch.server import Reply
from tests.platforms import samples
from tests.platforms.drives import machine
from tests.platforms.samples.azure import GOAL_STATE
from tests.platforms.samples.azurestack import CERTIFICATES, CERTIFICATES_PATH
from tests.platforms.test_samples import read, service

__all__ = ["machine"]
pytestmark = [pytest.mark.root, pytest.mark.usefixtures("machine")]
SAMPLE = samples.load("azurestack")
GOAL = "/machine/?comp=goalstate"
WHERE = "http://fabric/certificates"


def openssl(*arguments: str, cwd: Path) -> str:
    return subprocess.run(["openssl", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout


class Fabric:
    """Answers as the real one: a PKCS#12 file without password, encrypted with Triple DES for the certificate in the header."""

    def __init__(self, top: Path, *, key: str = "rsa:2048", certificates: str = "chain.pem") -> None:
        self._top, self.headers = top, dict[str, str]()
        for name, kind in (("own", "rsa:2048"), ("chain", key)):
            more = ["-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else []
            made = ["-newkey", kind, *more, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem"]
            openssl("req", "-x509", *made, "-subj", f"/CN={name}", cwd=top)
        more = ["-certfile", certificates] if certificates else []
        pack = ["-legacy", "-inkey", "own.key", "-in", "own.pem", *more, "-passout", "pass:", "-out", "bundle"]
        openssl("pkcs12", "-export", *pack, cwd=top)

    def key(self) -> str:
        (self._top / "pub").write_text(openssl("x509", "-in", "chain.pem", "-noout", "-pubkey", cwd=self._top))
        argv = ["ssh-keygen", "-i", "-m", "PKCS8", "-f", "pub"]
        return subprocess.run(argv, cwd=self._top, check=True, capture_output=True, text=True).stdout.strip()

    def answer(self, headers: dict[str, str]) -> bytes:
        self.headers = headers
        body = headers[azurestack.CERTIFICATE_HEADER]
        (self._top / "recipient.pem").write_text(f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        openssl(
            "cms",
            "-encrypt",
            "-binary",
            "-des3",
            "-outform",
            "DER",
            "-in",
            "bundle",
            "-out",
            "cms",
            "recipient.pem",
            cwd=self._top,
        )
        data = base64.encodebytes((self._top / "cms").read_bytes()).decode()
        return f"<CertificatesFile><Version>2012-11-30</Version><Data>{data}</Data></CertificatesFile>".encode()


@pytest.fixture(autouse=True)
def run_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert shutil.which("openssl"), "install openssl: .ci/setup"
    monkeypatch.setattr(paths, "RUN", str(tmp_path / "run"))
    return tmp_path / "run"


def test_key_of_the_first_certificate_of_the_chain(tmp_path: Path, run_directory: Path) -> None:
    fabric = Fabric(tmp_path)
    (key,) = azurestack.ssh_keys(fabric.answer, WHERE)
    assert key == fabric.key()
    assert re.fullmatch(r"ssh-rsa [A-Za-z0-9+/=]+", key)
    assert fabric.headers["x-ms-cipher-name"] == "DES_EDE3_CBC"
    ours = openssl("x509", "-in", "recipient.pem", "-noout", "-subject", "-ext", "basicConstraints", cwd=tmp_path)
    assert "CN=LinuxTransport" in ours.replace(" ", "")  # with blanks before OpenSSL 3.2
    assert list(run_directory.iterdir()) == []


def test_message_without_further_certificate_has_no_key(tmp_path: Path) -> None:
    assert azurestack.ssh_keys(Fabric(tmp_path, certificates="").answer, WHERE) == []


def test_certificate_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        azurestack.ssh_keys(Fabric(tmp_path, key="ec").answer, WHERE)
    assert (caught.value.what, caught.value.where) == ("the key in the certificate is not an RSA key", WHERE)


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (b"{}", "not a document with certificates"),
        (b"<CertificatesFile><Data>?</Data></CertificatesFile>", "not a document with certificates"),
        (b"<CertificatesFile/>", "decrypt the fabric's message: openssl cms .*"),
        (b"<CertificatesFile><Data>e30=</Data></CertificatesFile>", "decrypt the fabric's message: openssl cms .*"),
    ],
)
def test_wrong_answer_is_named(answer: bytes, what: str, run_directory: Path) -> None:
    with pytest.raises(Failure) as caught:
        azurestack.ssh_keys(lambda _: answer, WHERE)
    assert re.match(what, caught.value.what)
    assert caught.value.where == WHERE
    assert list(run_directory.iterdir()) == []


def test_fabric_is_asked_with_a_certificate() -> None:
    changes = {GOAL: Reply(body=GOAL_STATE.encode()), CERTIFICATES_PATH: Reply(body=b"<a/>")}
    with service(SAMPLE, changes) as server, pytest.raises(Failure) as caught:
        read("azurestack", lambda reader: reader.ssh_keys())
    assert caught.value.where.endswith(CERTIFICATES_PATH)
    (request,) = [one for one in server.requests if one.path == CERTIFICATES_PATH]
    assert len(base64.b64decode(request.headers["x-ms-guest-agent-public-x509-cert"], validate=True)) > 700
    assert request.headers["x-ms-version"] == "2012-11-30"


def test_empty_address_of_certificates_is_refused() -> None:
    goal = GOAL_STATE.replace(CERTIFICATES, "<Certificates/>")
    with service(SAMPLE, {GOAL: Reply(body=goal.encode())}), pytest.raises(Failure) as caught:
        read("azurestack", lambda reader: reader.ssh_keys())
    assert (caught.value.what, caught.value.where) == ("the URL of the certificates is empty", "machine/?comp=goalstate")
