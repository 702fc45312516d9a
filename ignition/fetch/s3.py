"""The schemes `s3` and `arn`: objects of Amazon S3, signed with the instance's role on the platform aws, else anonymous.

Source: docs/reference/ignition-config.md §5.8; https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. To find the
region of a bucket, the object is requested in the most likely one: S3 answers with the right region, and only if it does not, the
bucket itself is asked (HEAD).

Unlike Ignition: our own retries (429 and 5xx with jitter, Retry-After); expired keys are renewed, and a wrong clock is
compensated; the error has S3's own code and message.
"""

from __future__ import annotations

import re
import time
from _thread import allocate_lock
from collections.abc import Callable, Generator, Iterator

from ignition.errors import Failure, NotFound
from ignition.fetch import aws_signature, imds, s3_location
from ignition.fetch.request import TOO_MANY_REQUESTS, Request
from ignition.fetch.retry import Transient, http_date
from ignition.fetch.urls import shown
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.aws_signature import Credentials
    from ignition.fetch.engine import Fetcher
    from ignition.fetch.http import Client
    from ignition.fetch.request import Response
    from ignition.fetch.retry import Deadline
    from ignition.fetch.s3_location import Location


MOST_MOVES = 3
_MOVED = {301, 307, 400}  # 400: the signature or the request is for another region
_ENDED = {"ExpiredToken", "TokenRefreshRequired"}


class _Elsewhere(Exception):
    """The bucket is in that region; "" if S3 does not name it."""

    def __init__(self, region: str) -> None:
        super().__init__(region)
        self.region = region


class Store:
    """Access to S3 for one run: the machine's keys, the regions of buckets, the error of the clock. Threads may share it."""

    def __init__(self, platform: str, metadata: Callable[[], Fetcher]) -> None:
        self._machine = Machine(platform, metadata)
        self._regions: dict[str, str] = {}  # by bucket
        self._skew_s = 0.0  # of the machine's clock behind S3's

    def stream(
        self, url: str, client: Client, *, single: bool = False, deadline: Deadline | None = None
    ) -> Generator[bytes, None, None]:
        """The object's content, chunk by chunk. Raises NotFound or Failure with the URL (as it may be shown) as place."""
        location = s3_location.parse(url)
        try:
            yield from self._found(location, client, deadline or client.deadline(), single=single)
        except Failure as failure:
            failure.where = shown(url)
            raise

    def _found(self, location: Location, client: Client, deadline: Deadline, *, single: bool) -> Iterator[bytes]:
        region = location.region or self._regions.get(location.bucket) or location.hint or self._machine.region()
        for _ in range(MOST_MOVES):
            try:
                yield from client.stream(self._request(location, region), single=single, deadline=deadline)
            except _Elsewhere as elsewhere:
                region = elsewhere.region or self._ask_region(location, region, client, deadline)
                log.info(f"the bucket {location.bucket} is in the region {region}")
                self._regions[location.bucket] = region
            else:
                return
        raise Failure(
            f"S3 redirected the request from region to region {MOST_MOVES} times",
            fix="try again later if the bucket is new, or was moved",
        )

    def _request(self, location: Location, region: str) -> Request:
        def headers() -> dict[str, str]:
            return self._signed("GET", location, region)

        def judge(response: Response, text: str) -> Exception | None:
            return self._judge(response, text, location, region)

        return Request("GET", location.url(region), headers, judge=judge)

    def _signed(self, method: str, location: Location, region: str) -> dict[str, str]:
        credentials = self._machine.credentials()
        if credentials is None:
            return {}
        when = aws_signature.timestamp(time.time() + self._skew_s)
        scope = aws_signature.Scope(region)
        host, path = location.host(region), location.path()
        return aws_signature.signed_headers(method, host, path, location.query(), when, scope, credentials)

    def _ask_region(self, location: Location, region: str, client: Client, deadline: Deadline) -> str:
        """The region of a bucket according to its own response, whatever the status."""

        def judge(response: Response, _: str) -> Exception | None:
            found = _region_in(response, "")
            return _Elsewhere(found) if found else None

        try:
            for _ in client.stream(Request("HEAD", location.bucket_url(region), judge=judge), deadline=deadline):
                pass
        except _Elsewhere as elsewhere:
            if elsewhere.region != region:
                return elsewhere.region
        raise Failure("S3 has the bucket in another region and does not name it", fix="check the name of the bucket")

    def _judge(self, response: Response, text: str, location: Location, region: str) -> Exception | None:
        """The exception for a response other than success; None leaves it to the general rules."""
        status, code = response.status_code, _element(text, "Code")
        cause = f"HTTP status {status}: {code}: {_element(text, 'Message')}".rstrip(": ")
        if status in _MOVED and not location.region:
            found = _region_in(response, text)
            # 400 has many reasons: only another region in the answer makes it a redirect.
            if found not in {"", region} or (status != 400 and not found):
                return _Elsewhere(found)
        if status == 307:
            return Transient(cause)  # the bucket is new, and DNS is not up to date yet
        if code in _ENDED:
            self._machine.forget()
            return Transient(cause, fix="the role's keys have expired, and so have those that replaced them: check the role")
        if code == "RequestTimeTooSkewed":
            return self._clock_is_wrong(cause, response.headers.get("Date", ""))
        if status >= 500 or status == TOO_MANY_REQUESTS or not (code or status == 403):
            return None
        return self._refusal(status, cause)

    def _refusal(self, status: int, cause: str) -> Failure:
        if status == 404:
            return NotFound(cause, fix="check the names of bucket and object")
        if status != 403:
            return Failure(cause, fix="check the URL")
        if self._machine.credentials() is None:
            return Failure(
                f"{cause} (asked anonymously)", fix="make the object public, or assign the instance a role that may read it"
            )
        return Failure(cause, fix="allow s3:GetObject for the role of the instance")

    def _clock_is_wrong(self, cause: str, date: str) -> Exception:
        """Sign with the time of S3 from now on; a failure if that has been tried already."""
        date_s = http_date(date)
        skew_s = self._skew_s if date_s is None else date_s - time.time()
        fix = f"set this machine's clock, which says {aws_signature.timestamp(time.time())}"
        if abs(skew_s - self._skew_s) < 1:
            return Failure(cause, fix=fix)
        log.warning(f"this machine's clock is {abs(skew_s):.0f} s {'behind' if skew_s > 0 else 'ahead of'} that of S3")
        self._skew_s = skew_s
        return Transient(cause, fix=fix)


def _region_in(response: Response, text: str) -> str:
    found = response.headers.get("x-amz-bucket-region", "") or _element(text, "Region")
    return found if s3_location.REGION.fullmatch(found) else ""


def _element(text: str, name: str) -> str:
    """The text of an element of S3's error document, on one line; "" without one."""
    found = re.search(f"<{name}>([^<]*)</{name}>", text)
    return " ".join(found[1].split())[:200] if found else ""


class Machine:
    """The machine's identity at Amazon: the keys of its role and its region, requested once, and only on the platform aws.

    Anonymous elsewhere, and without a role. Threads may share it.
    """

    def __init__(self, platform: str, metadata: Callable[[], Fetcher]) -> None:
        self._is_aws, self._metadata = platform == "aws", metadata
        self._lock = allocate_lock()
        self._region = ""
        self._credentials: list[Credentials | None] = []  # empty: not asked yet

    def region(self) -> str:
        """The region that the machine runs in; the default one elsewhere, and if the region cannot be determined."""
        with self._lock:
            if self._is_aws and not self._region:
                try:
                    with self._metadata() as fetcher:
                        self._region = imds.region(fetcher)
                except Failure as failure:
                    log.warning(f"the instance's region is unknown, starting with {s3_location.DEFAULT_REGION}: {failure}")
            if not s3_location.REGION.fullmatch(self._region):
                self._region = s3_location.DEFAULT_REGION
            return self._region

    def credentials(self) -> Credentials | None:
        """The keys of the role; None for anonymous requests."""
        with self._lock:
            if not self._credentials:
                self._credentials = [self._ask() if self._is_aws else None]
            return self._credentials[0]

    def forget(self) -> None:
        """Drop expired keys: the next use requests others."""
        with self._lock:
            self._credentials = []

    def _ask(self) -> Credentials | None:
        try:
            with self._metadata() as fetcher:
                return imds.credentials(fetcher)
        except NotFound:
            log.info("the instance has no role: S3 is asked anonymously")
        except Failure as failure:
            log.warning(f"cannot obtain the instance's role, S3 is asked anonymously: {failure}")
        return None
