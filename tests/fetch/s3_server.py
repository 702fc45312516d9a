"""A stand-in for Amazon S3 that is strict about signatures: it checks each with botocore, which shares no code with ours.

It answers under the real host names and knows buckets in regions, public and private objects, versions, access points, the errors
for a wrong region, keys that ended and wrong clocks (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
"""

import re
import ssl
import threading
from calendar import timegm
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import strptime
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ADDRESS = "10.45.0.3"
HOST = re.compile(
    r"(?:(?P<point>[a-z0-9-]+)-(?P<account>\d{12})\.s3-accesspoint|(?:(?P<bucket>[a-z0-9-]+)\.)?s3)"
    r"\.dualstack\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
)
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>\w+)/(?P<day>\d+)/(?P<region>[\w-]+)/s3/aws4_request, "
    r"SignedHeaders=(?P<names>[\w;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


class Key(NamedTuple):
    """The keys with which a machine signs."""

    id: str = "ASIAEXAMPLE"
    secret: str = "secret/of+the+role"
    token: str = "token+of/the+role=="


class Bucket(NamedTuple):
    """`objects` by key, or by (key, version). `moved` is how S3 says that it is in another region."""

    objects: Mapping[str | tuple[str, str], bytes]
    region: str = "us-east-1"
    public: bool = False
    moved: str = "301"  # "silent": 301 without region; "malformed": 400 as for a signature of another region


class Seen(NamedTuple):
    """One request as it came."""

    method: str
    host: str
    path: str
    signed: bool


class S3Server(ThreadingHTTPServer):
    """`failures` are answered first, one status each; `silent` leaves the reasons out of refusals.

    `ended` tokens are refused; `now` is S3's clock, in seconds since 1970.
    """

    daemon_threads = True

    def __init__(self, buckets: Mapping[str, Bucket], context: ssl.SSLContext) -> None:
        super().__init__((ADDRESS, 443), _Handler)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.buckets, self.key = buckets, Key()
        self.failures: list[int] = []
        self.silent = False
        self.ended: set[str] = set()
        self.now: float | None = None
        self.seen: list[Seen] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Broken connections are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: S3Server

    def answer(self) -> None:
        host, signed = self.headers["Host"], "Authorization" in self.headers
        self.server.seen.append(Seen(self.command, host, self.path, signed))
        found = HOST.fullmatch(host)
        if found is None:
            return self.refuse(400, "InvalidURI")
        if self.server.failures:
            return self.refuse(self.server.failures.pop(0), "SlowDown")
        path = unquote(urlsplit(self.path).path)[1:]
        name, key = (found["bucket"] or found["point"], path)
        if name is None:
            name, _, key = path.partition("/")
        bucket = self.server.buckets.get(name)
        if bucket is None:
            return self.refuse(404, "NoSuchBucket")
        if bucket.region != found["region"]:
            return self.redirect(bucket)
        if wrong := self.signature_problem(bucket.region) if signed else "":
            return self.refuse(400 if wrong == "ExpiredToken" else 403, wrong)
        if not signed and not bucket.public:
            return self.refuse(403, "AccessDenied")
        return self.give(bucket, key)

    do_GET = do_HEAD = answer

    def give(self, bucket: Bucket, key: str) -> None:
        version = parse_qs(urlsplit(self.path).query).get("versionId", [""])[0]
        content = bucket.objects.get((key, version) if version else key)
        if content is None:
            return self.refuse(404, "NoSuchVersion" if version else "NoSuchKey")
        return self.reply(200, content, {})

    def signature_problem(self, region: str) -> str:
        """The error code for a wrong signature, "" for a right one."""
        found = AUTHORIZATION.fullmatch(self.headers["Authorization"])
        when = self.headers.get("X-Amz-Date", "")
        if found is None or found["region"] != region or not when.startswith(found["day"]):
            return "AuthorizationHeaderMalformed"
        if self.headers.get("X-Amz-Security-Token", "") in self.server.ended:
            return "ExpiredToken"
        if self.server.now is not None and abs(timegm(strptime(when, "%Y%m%dT%H%M%SZ")) - self.server.now) > 900:
            return "RequestTimeTooSkewed"
        key = self.server.key
        if found["id"] != key.id:
            return "InvalidAccessKeyId"
        names = found["names"].split(";")
        sent = {name.lower() for name in self.headers if name.lower().startswith("x-amz-")}
        if not sent <= set(names) or "host" not in names:
            return "AccessDenied"  # S3 wants all of its own headers signed
        request = AWSRequest(self.command, f"https://{self.headers['Host']}{self.path}", {n: self.headers[n] for n in names})
        request.context["timestamp"] = when
        signer = S3SigV4Auth(Credentials(key.id, key.secret, key.token), "s3", region)
        expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        right = expected == found["signature"] and self.headers["X-Amz-Security-Token"] == key.token
        return "" if right else "SignatureDoesNotMatch"

    def redirect(self, bucket: Bucket) -> None:
        where = {"x-amz-bucket-region": bucket.region} if self.command == "HEAD" or bucket.moved == "301" else {}
        if bucket.moved == "malformed":
            return self.refuse(400, "AuthorizationHeaderMalformed", where, f"<Region>{bucket.region}</Region>")
        return self.refuse(301, "PermanentRedirect", where)

    def refuse(self, status: int, code: str, headers: Mapping[str, str] | None = None, more: str = "") -> None:
        text = f'<?xml version="1.0"?>\n<Error><Code>{code}</Code><Message>Message of\n{code}</Message>{more}</Error>'
        self.reply(status, b"" if self.server.silent else text.encode(), headers or {})

    def reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(timestamp if timestamp is not None else self.server.now, usegmt=True)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""


@contextmanager
def s3_serving(buckets: Mapping[str, Bucket], context: ssl.SSLContext) -> Iterator[S3Server]:
    """A running server; the network namespace has its address."""
    with S3Server(buckets, context) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
