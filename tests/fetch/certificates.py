"""Certificates made by openssl for one test run: an authority, a server for localhost, and others that are out of date."""

import ssl
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Certificates(NamedTuple):
    """The authority as PEM, and contexts of servers."""

    authority: bytes
    server: ssl.SSLContext
    expired: ssl.SSLContext
    future: ssl.SSLContext
    other_name: ssl.SSLContext
    directory: Path

    def server_for(self, *names: str) -> ssl.SSLContext:
        """A context for the servers of these names (wildcards too)."""
        return _server_for(self.directory, names)

    def server_with(self, alternatives: str) -> ssl.SSLContext:
        """A context for localhost by its common name, with this subjectAltName; "" for none."""
        return _server(self.directory, "odd", "localhost", days=2, names=alternatives or "-")


@cache
def _server_for(directory: Path, names: tuple[str, ...]) -> ssl.SSLContext:
    return _server(directory, "more", names[0], days=2, names=",".join(f"DNS:{name}" for name in names))


def make(directory: Path) -> Certificates:
    """Keys and certificates below a directory."""
    key, authority = directory / "ca.key", directory / "ca.pem"
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=test authority", "-keyout", str(key), "-out", str(authority))  # fmt: skip
    return Certificates(
        authority=authority.read_bytes(),
        server=_server(directory, "server", "localhost", days=2, names="DNS:localhost,IP:127.0.0.1"),
        expired=_server(directory, "expired", "localhost", days=0),
        future=_future_server(directory),
        other_name=_server(directory, "other", "elsewhere.example", days=2),
        directory=directory,
    )


def server(directory: Path, name: str) -> ssl.SSLContext:
    """A server of this name, below the directory that `make` has used."""
    return _server(directory, name, name, days=2)


def _future_server(directory: Path) -> ssl.SSLContext:
    """One whose certificate is valid from 2090 on: `openssl x509` of OpenSSL 3.0 cannot make it, `openssl ca` can."""
    stem, settings = directory / "future", directory / "future.conf"
    (directory / "future.index").touch()
    settings.write_text(
        f"[ca]\ndefault_ca=a\n[a]\ndatabase={stem}.index\nnew_certs_dir={directory}\nrand_serial=yes\ndefault_md=sha256\n"
        "policy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n[e]\nsubjectAltName=DNS:localhost\n"
    )
    _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
             "-keyout", f"{stem}.key", "-out", f"{stem}.csr")  # fmt: skip
    signing = ["-cert", f"{directory}/ca.pem", "-keyfile", f"{directory}/ca.key", "-in", f"{stem}.csr", "-out", f"{stem}.pem"]
    times = ["-startdate", "20900101000000Z", "-enddate", "20910101000000Z"]
    _openssl("ca", "-batch", "-config", str(settings), *signing, *times)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{stem}.pem", f"{stem}.key")
    return context


def _server(directory: Path, stem: str, name: str, *, days: int, names: str = "") -> ssl.SSLContext:
    key, request, certificate = (directory / f"{stem}.{suffix}" for suffix in ("key", "csr", "pem"))
    extensions = directory / f"{stem}.ext"
    extensions.write_text("" if names == "-" else f"subjectAltName={names or f'DNS:{name}'}\n")
    _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
             "-keyout", str(key), "-out", str(request))  # fmt: skip
    _openssl("x509", "-req", "-in", str(request), "-CA", str(directory / "ca.pem"), "-CAkey", str(directory / "ca.key"),
             "-CAcreateserial", "-days", str(days), "-extfile", str(extensions), "-out", str(certificate))  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
