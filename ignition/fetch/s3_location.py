"""Locations of S3 objects: the URLs `s3://bucket/key?versionId=…` and `arn:partition:s3:…`, and the endpoints of regions.

Source: docs/reference/ignition-config.md §5.8; https://docs.aws.amazon.com/AmazonS3/latest/userguide/dual-stack-endpoints.html;
the suffixes of partitions are those of botocore's endpoints.json. Endpoints are dual-stack. A bucket that is not a DNS label
(dots, capitals) goes into the path, because a wildcard certificate covers one label. The key of an ARN is not percent-decoded, as
in Ignition.
"""

from __future__ import annotations

import re

from ignition.errors import Failure
from ignition.fetch import aws_signature
from ignition.fetch.urls import scheme, shown
from ignition.patterns import lazy_pattern

DEFAULT_REGION = "us-east-1"
REGION = lazy_pattern(r"[a-z]{2,8}(-[a-z0-9]+)+")
_HINTS = {"aws": DEFAULT_REGION, "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_SUFFIXES = {  # by the prefix of a region's name
    "cn-": "amazonaws.com.cn",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
}
_BUCKET = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_LABEL = lazy_pattern(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_ACCESS_POINT = lazy_pattern(r"[a-z0-9][a-z0-9-]{1,48}[a-z0-9]")
_FIX_ARN = "write arn:aws:s3:::BUCKET/KEY, or arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/object/KEY"


class Location:
    """An object. `region` is "" if S3 must be asked for it, starting in `hint` ("" without a hint).

    `account` is that of an access point; `bucket` is the name of the access point then.
    """

    def __init__(self, bucket: str, key: bytes, version: str, *, region: str = "", hint: str = "", account: str = "") -> None:
        self.bucket, self.key, self.version = bucket, key, version
        self.region, self.hint, self.account = region, hint, account

    def host(self, region: str) -> str:
        """The server of the object, if its bucket is in that region."""
        if self.account:
            return f"{self.bucket}-{self.account}.s3-accesspoint.dualstack.{region}.{_suffix(region)}"
        server = f"s3.dualstack.{region}.{_suffix(region)}"
        return f"{self.bucket}.{server}" if self._has_own_host() else server

    def path(self, *, whole_bucket: bool = False) -> str:
        """The path on the server, escaped as in the signature."""
        key = b"" if whole_bucket else self.key
        base = "/" if self._has_own_host() else f"/{self.bucket}/"
        return f"{base}{aws_signature.escaped(key, safe='/')}"

    def query(self) -> list[tuple[str, str]]:
        """The pairs of the query."""
        return [("versionId", self.version)] if self.version else []

    def url(self, region: str) -> str:
        """The URL of the request, in the spelling of the signature."""
        query = "&".join(f"{name}={aws_signature.escaped(value)}" for name, value in self.query())
        return f"https://{self.host(region)}{self.path()}{'?' if query else ''}{query}"

    def bucket_url(self, region: str) -> str:
        """The bucket's own URL."""
        return f"https://{self.host(region)}{self.path(whole_bucket=True)}"

    def _has_own_host(self) -> bool:
        return bool(self.account) or _LABEL.fullmatch(self.bucket) is not None


def parse(url: str) -> Location:
    """The object that a URL names. Raises Failure for a URL without bucket or key."""
    from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

    found = parse_qs(urlsplit(url).query, keep_blank_values=True).get("versionId", [""])
    version = found[0]
    rest = url.partition("#")[0].partition("?")[0]
    if scheme(url) == "arn":
        return _from_arn(rest, version, url)
    bucket, _, key = rest.partition("://")[2].partition("/")
    return _checked(Location(bucket, unquote_to_bytes(key).lstrip(b"/"), version), url, "write s3://BUCKET/KEY")


def _from_arn(text: str, version: str, url: str) -> Location:
    parts = text.split(":", 5)
    if len(parts) < 6 or parts[2] != "s3":
        raise Failure("not the ARN of an object in S3", where=shown(url), fix=_FIX_ARN)
    partition, region, account, resource = parts[1], parts[3], parts[4], parts[5]
    if not resource.startswith("accesspoint/"):
        bucket, _, key = resource.partition("/")
        return _checked(Location(bucket, key.lstrip("/").encode(), version, hint=_HINTS.get(partition, "")), url, _FIX_ARN)
    _, name, *more = resource.split("/")
    if len(more) < 2 or more[0] != "object":
        raise Failure("the ARN of an access point does not name an object", where=shown(url), fix=_FIX_ARN)
    if not region:
        raise Failure(
            "multi-region access points are not supported",
            where=shown(url),
            fix="name the bucket, or an access point of one region",
        )
    key = "/".join(more[1:]).lstrip("/")
    return _checked(Location(name, key.encode(), version, region=region, account=account), url, _FIX_ARN)


def _checked(location: Location, url: str, fix: str) -> Location:
    """The location, if all parts of its host name are valid: none of them may lead to another server. Raises Failure."""
    name = _ACCESS_POINT if location.account or location.region else _BUCKET
    usable = name.fullmatch(location.bucket) and re.fullmatch(r"\d{12}|", location.account)
    if not usable or not location.key or (location.region and not (REGION.fullmatch(location.region) and location.account)):
        raise Failure("the URL does not name a bucket and an object", where=shown(url), fix=fix)
    return location


def _suffix(region: str) -> str:
    return next((suffix for begin, suffix in _SUFFIXES.items() if region.startswith(begin)), "amazonaws.com")
