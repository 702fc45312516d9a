"""The `ignition` section: version, references to other configs, and how to fetch; and Resource, which many sections use."""

from ignition.config.checks import Digest, Given, HttpUrl, NotEmpty, NotPlainHttp, OneOf, SpecVersion, Url, WithSource
from ignition.config.known_values import COMPRESSIONS, HASHES
from ignition.config.model.extensions import MEMBER, OURS, HeaderExtension, IgnitionExtension, ResourceExtension
from ignition.config.record import Record, spec

INTERNAL = "internal"  # the `since` of members that config texts cannot set


class Header(Record):
    """One HTTP request header (spec path: …httpHeaders[])."""

    KEY = "name"
    name: str = spec(
        "header name", default="", since="3.1.0", check=Given("R13", "header has no name", "name it, as in User-Agent")
    )
    value: str | None = spec(
        "header value; absent in a child config: the parent's header is removed",
        default=None,
        since="3.1.0",
        check=NotEmpty("R14", "header value is empty", "leave value out to remove a header that another config sets"),
    )
    extension: HeaderExtension = spec(OURS, default=HeaderExtension(), json=MEMBER)


class Verification(Record):
    """Verification of fetched content (spec path: …verification)."""

    hash: str | None = spec("digest of the decompressed content", default=None, check=Digest("R3", "R4", "R5", functions=HASHES))


class Resource(Record):
    """Content at a URL. Without `source` there is no content at all; with source "" it is empty."""

    KEY = "source"
    source: str | None = spec("URL; schemes by spec version", default=None, check=Url())
    compression: str | None = spec(
        '"" or gzip; not possible with S3', default=None, unset="", check=OneOf("R1", "unknown compression", COMPRESSIONS)
    )
    http_headers: tuple[Header, ...] = spec("extra request headers, http and https only", default=(), since="3.1.0")
    verification: Verification = spec("checked after decompression", default=Verification())
    extension: ResourceExtension = spec(OURS, default=ResourceExtension(), json=MEMBER)


_PLAIN_IN_3_0 = {"compression": "3.1.0"}  # where 3.0 knows only source and verification


class References(Record):
    """Other configs (spec path: ignition.config)."""

    merge: tuple[Resource, ...] = spec(
        "configs merged on top of this one, in order",
        default=(),
        each=WithSource("I2", "I3", since="3.1.0"),
        inner_since=_PLAIN_IN_3_0,
    )
    replace: Resource = spec("config that takes the place of this one", default=Resource(), inner_since=_PLAIN_IN_3_0)
    append: bool | None = spec(
        "2.x: lists of the configs in `merge` are appended, whatever their keys", default=None, since=INTERNAL
    )


class Timeouts(Record):
    """Limits of every fetch (spec path: ignition.timeouts)."""

    http_response_headers: int | None = spec("seconds to wait for response headers; 0 = no limit", default=None, unset=10)
    http_total: int | None = spec("seconds for a fetch with all retries; 0 = no limit", default=None, unset=0)


class Tls(Record):
    """Trust of the fetches (spec path: ignition.security.tls)."""

    certificate_authorities: tuple[Resource, ...] = spec(
        "PEM bundles trusted beside the system's",
        default=(),
        each=WithSource("I4", "I4", since="3.1.0"),
        inner_since=_PLAIN_IN_3_0,
    )


class Security(Record):
    """Spec path: ignition.security."""

    tls: Tls = spec("trust for https", default=Tls())


_PROXY_URL = HttpUrl("I6", "I7", "a proxy's")


class Proxy(Record):
    """Spec path: ignition.proxy."""

    http_proxy: str | None = spec("proxy URL for http", default=None, since="3.1.0", check=_PROXY_URL)
    https_proxy: str | None = spec("proxy URL for https", default=None, since="3.1.0", check=(_PROXY_URL, NotPlainHttp("I8")))
    no_proxy: tuple[str, ...] = spec("hosts, domains and networks reached directly", default=(), since="3.1.0")


class Ignition(Record):
    """Spec path: ignition."""

    version: str = spec("exact spec version", check=SpecVersion("I1"))
    config: References = spec("other configs", default=References())
    timeouts: Timeouts = spec("limits of fetches", default=Timeouts())
    security: Security = spec("trust for https", default=Security())
    proxy: Proxy = spec("proxies", default=Proxy(), since="3.1.0")
    extension: IgnitionExtension = spec(OURS, default=IgnitionExtension(), json=MEMBER)
    translated: bool | None = spec("a part of it is a 2.x config, which knew fewer rules", default=None, since=INTERNAL)
