"""Amazon's Signature Version 4 for requests without a body.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html and the test suite published beside it
(https://docs.aws.amazon.com/general/latest/gr/signature-v4-test-suite.html). No SDK: it would not fit into an initramfs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of no bytes
_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials:
    """Keys of a role or user; `token` is "" for a user's. `key_id` may be shown, the others are secrets."""

    def __init__(self, key_id: str, secret: str, token: str = "") -> None:
        self.key_id, self.secret, self.token = key_id, secret, token


class Scope:
    """What a signature is good for: a service in a region."""

    def __init__(self, region: str, service: str = "s3") -> None:
        self.region, self.service = region, service


def timestamp(seconds: float) -> str:
    """A point in time as requests carry it: 20150830T123600Z."""
    import time

    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def escaped(text: str | bytes, *, safe: str = "") -> str:
    """Percent-encoded as the signature wants it: all but letters, digits and `-._~`."""
    from urllib.parse import quote

    return quote(text, safe=safe + "-._~")


def canonical(method: str, path: str, query: Iterable[tuple[str, str]], headers: Mapping[str, str], payload: str) -> str:
    """The request in the only form that is signed. `path` is escaped as it is sent; `payload` is the body's SHA-256."""
    pairs = sorted((escaped(name), escaped(value)) for name, value in query)
    named = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
    return "\n".join(
        (
            method,
            path or "/",
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{value}" for name, value in named),
            "",
            ";".join(name for name, _ in named),
            payload,
        )
    )


def authorization(request: str, when: str, scope: Scope, credentials: Credentials) -> str:
    """The header Authorization for a canonical request at a timestamp, which the request's x-amz-date must be."""
    import hashlib

    day = when.partition("T")[0]
    limits = f"{day}/{scope.region}/{scope.service}/aws4_request"
    text = f"{_ALGORITHM}\n{when}\n{limits}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret}".encode()
    for part in (day, scope.region, scope.service, "aws4_request", text):
        key = _hmac(key, part)
    signed = request.rsplit("\n", 2)[1]
    return f"{_ALGORITHM} Credential={credentials.key_id}/{limits}, SignedHeaders={signed}, Signature={key.hex()}"


def signed_headers(
    method: str, host: str, path: str, query: Iterable[tuple[str, str]], when: str, scope: Scope, credentials: Credentials
) -> dict[str, str]:
    """All headers that a request to S3 needs beside Host."""
    headers = {"x-amz-content-sha256": EMPTY, "x-amz-date": when}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    request = canonical(method, path, query, {"host": host, **headers}, EMPTY)
    return {**headers, "Authorization": authorization(request, when, scope, credentials)}


def _hmac(key: bytes, text: str) -> bytes:
    import hmac

    return hmac.digest(key, text.encode(), "sha256")
