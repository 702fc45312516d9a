"""Amazon's Signature Version 4 for requests without a body.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html and the test suite published beside it
(https://docs.aws.amazon.com/general/latest/gr/signature-v4-test-suite.html). No SDK: it would not fit into an initramfs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of an empty body
_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials:
    """The keys of a role or user; `token` is "" for a user. `key_id` may be shown, the others are secrets."""

    def __init__(self, key_id: str, secret: str, token: str = "") -> None:
        self.key_id, self.secret, self.token = key_id, secret, token


class Scope:
    """The scope of a signature: a service in a region."""

    def __init__(self, region: str, service: str = "s3") -> None:
        self.region, self.service = region, service


def timestamp(seconds: float) -> str:
    """A time in the format of requests: 20150830T123600Z."""
    import time

    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def escaped(text: str | bytes, *, safe: str = "") -> str:
    """Percent-encoded as the signature requires: everything but letters, digits and `-._~`."""
    from urllib.parse import quote

    return quote(text, safe=safe + "-._~")


def canonical(method: str, path: str, query: Iterable[tuple[str, str]], headers: Mapping[str, str], payload: str) -> str:
    """The canonical form of a request, which is signed. `path` is escaped as sent; `payload` is the SHA-256 of the body."""
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
    """The header Authorization for a canonical request at a timestamp, which must be the x-amz-date of the request."""
    import hashlib
    import hmac

    day = when.partition("T")[0]
    limits = f"{day}/{scope.region}/{scope.service}/aws4_request"
    text = f"{_ALGORITHM}\n{when}\n{limits}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret}".encode()
    for part in (day, scope.region, scope.service, "aws4_request", text):
        key = hmac.digest(key, part.encode(), "sha256")
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
