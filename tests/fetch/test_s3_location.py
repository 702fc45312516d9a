"""Where s3 and arn URLs lead. The expected URLs of servers are those that botocore 1.44 made with use_dualstack_endpoint."""

import pytest

from ignition.errors import Failure
from ignition.fetch import s3_location
from ignition.fetch.urls import shown


@pytest.mark.parametrize(
    ("url", "region", "expected"),
    [
        ("s3://my-bucket/a%20b/c+d", "us-east-1", "https://my-bucket.s3.dualstack.us-east-1.amazonaws.com/a%20b/c%2Bd"),
        ("s3://my.bucket/a%20b/c+d", "eu-west-1", "https://s3.dualstack.eu-west-1.amazonaws.com/my.bucket/a%20b/c%2Bd"),
        ("s3://UPPER/a%20b/c+d", "us-east-1", "https://s3.dualstack.us-east-1.amazonaws.com/UPPER/a%20b/c%2Bd"),
        ("s3://my-bucket/a", "cn-north-1", "https://my-bucket.s3.dualstack.cn-north-1.amazonaws.com.cn/a"),
        ("s3://b-b-b/a", "us-gov-west-1", "https://b-b-b.s3.dualstack.us-gov-west-1.amazonaws.com/a"),
        ("s3://my-bucket/a", "us-iso-east-1", "https://my-bucket.s3.dualstack.us-iso-east-1.c2s.ic.gov/a"),
        (
            "arn:aws:s3:us-west-2:123456789012:accesspoint/my-ap/object/a b/c+d",
            "us-west-2",
            "https://my-ap-123456789012.s3-accesspoint.dualstack.us-west-2.amazonaws.com/a%20b/c%2Bd",
        ),
        (
            "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/my-ap/object/a",
            "cn-north-1",
            "https://my-ap-123456789012.s3-accesspoint.dualstack.cn-north-1.amazonaws.com.cn/a",
        ),
        ("arn:aws:s3:::my-bucket/dir/a%20b", "us-east-1", "https://my-bucket.s3.dualstack.us-east-1.amazonaws.com/dir/a%2520b"),
        ("s3://my-bucket///a//b", "us-east-1", "https://my-bucket.s3.dualstack.us-east-1.amazonaws.com/a//b"),
        ("s3://my-bucket/a/../b/./c", "us-east-1", "https://my-bucket.s3.dualstack.us-east-1.amazonaws.com/a/../b/./c"),
        (
            "s3://my-bucket/a?x=y&versionId=3%2B4&versionId=5#f",
            "us-east-1",
            "https://my-bucket.s3.dualstack.us-east-1.amazonaws.com/a?versionId=3%2B4",
        ),
        ("S3://my-bucket/%e9", "us-east-1", "https://my-bucket.s3.dualstack.us-east-1.amazonaws.com/%E9"),
    ],
)
def test_url_of_the_server(url: str, region: str, expected: str) -> None:
    assert s3_location.parse(url).url(region) == expected


@pytest.mark.parametrize(
    ("url", "region", "hint"),
    [
        ("s3://bucket/a", "", ""),
        ("arn:aws:s3:::bucket/a", "", "us-east-1"),
        ("arn:aws-cn:s3:::bucket/a", "", "cn-north-1"),
        ("arn:aws-us-gov:s3:::bucket/a", "", "us-gov-west-1"),
        ("arn:aws-iso:s3:::bucket/a", "", ""),
        ("arn:aws:s3:eu-west-1:123456789012:accesspoint/name/object/a", "eu-west-1", ""),
    ],
)
def test_region_or_a_hint(url: str, region: str, hint: str) -> None:
    location = s3_location.parse(url)
    assert (location.region, location.hint) == (region, hint)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3:///a", "the URL does not name a bucket and an object"),
        ("s3://bucket", "the URL does not name a bucket and an object"),
        ("s3://bucket//", "the URL does not name a bucket and an object"),
        ("s3://user@bucket/a", "the URL does not name a bucket and an object"),
        ("s3://evil.example:443/a", "the URL does not name a bucket and an object"),
        ("s3://b%2Fc/a", "the URL does not name a bucket and an object"),
        ("arn:aws:s3:::bucket", "the URL does not name a bucket and an object"),
        ("arn:aws:s3:r#.evil/:1:accesspoint/name/object/a", "not the ARN of an object in S3"),
        ("arn:aws:s3:evil.example:123456789012:accesspoint/name/object/a", "the URL does not name a bucket and an object"),
        ("arn:aws:s3:us-east-1:12:accesspoint/name/object/a", "the URL does not name a bucket and an object"),
        ("arn:aws:s3:us-east-1::accesspoint/name/object/a", "the URL does not name a bucket and an object"),
        ("arn:aws:s3:us-east-1:123456789012:accesspoint/evil.example/object/a", "the URL does not name a bucket and an object"),
        ("arn:aws:s3:us-east-1:123456789012:accesspoint/name/object", "the ARN of an access point does not name an object"),
        ("arn:aws:s3:us-east-1:123456789012:accesspoint/name/thing/a", "the ARN of an access point does not name an object"),
        (
            "arn:aws:s3::123456789012:accesspoint/x.mrap/object/a",
            "multi-region access points are not supported",
        ),
        ("arn:aws:sqs:::bucket/a", "not the ARN of an object in S3"),
        ("arn:aws:s3:bucket/a", "not the ARN of an object in S3"),
    ],
)
def test_url_that_names_no_object_is_refused(url: str, message: str) -> None:
    with pytest.raises(Failure) as caught:
        s3_location.parse(url)
    assert caught.value.what == message
    assert caught.value.where == shown(url)
    assert caught.value.fix
