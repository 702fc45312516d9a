"""A separate certificate authority for each run, so that https is tested without real keys."""

from pathlib import Path

from harness.programs import run


def make_certificate(folder: Path, addresses: list[str]) -> tuple[Path, Path]:
    """A self-signed certificate for IP addresses and names, and its key; the certificate is the authority to trust."""
    certificate, key = folder / "server.pem", folder / "server.key"
    names = ",".join(f"{'IP' if address[0].isdigit() else 'DNS'}:{address}" for address in addresses)
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=vm-tests", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", certificate])  # fmt: skip
    return certificate, key
