"""The engine for content of every scheme: URL → verified, decompressed bytes.

Each scheme yields raw chunks; here they are decompressed, compared with the hash, and limited in time and size. Clients, stores
of clouds and certificate authorities are created at first use, since most stages fetch nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing

from ignition.config.url import can_show_scheme, unusable
from ignition.errors import Failure, NeedsNetwork, NotFound, StaysSealed
from ignition.fetch import content, retry
from ignition.fetch.request import Request
from ignition.fetch.settings import Settings
from ignition.fetch.urls import scheme, shown
from ignition.host import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol, TypeVar

    from ignition.config.model import Resource
    from ignition.fetch.http import Client
    from ignition.fetch.request import Judge
    from ignition.trust.policy import Policy

    class Writable(Protocol):
        """Anything with the `write` of a binary file."""

        def write(self, data: bytes, /) -> object: ...

    class Service(Protocol):
        """Access to the store of a cloud, made of the platform's ID and a function that returns a fetcher of metadata."""

        def __init__(self, platform: str, metadata: Callable[[], Fetcher]) -> None: ...

    Store = TypeVar("Store", bound=Service)


__all__ = ["Fetcher", "Settings"]

_LOCAL = frozenset({"", "data", "oem"})  # schemes without a network and a server, which take time
SUPPORTED = ("http", "https", "tftp", "s3", "arn", "gs", "data", "oem")
_FIX_URL = "write it as scheme://host:port/path, with special characters percent-encoded, such as %20"
SIGNATURES = (".sig", ".asc")  # beside a URL: binary, armored; gpgv(1) takes either under both names
METADATA_S = 15.0  # Ignition's limit for the region of an instance


class Fetcher:
    """Fetches resources. Threads may share one: connections are kept alive and reused.

    `offline`: every scheme but `data`, `oem` and the empty URL raises NeedsNetwork. `root` is the path of the new root, in which
    `oem` looks as well. `platform` is the current ID of the platform that the machine runs on: there it has an identity for the
    stores of that cloud (aws, azure, gcp). `opens`: sealed content is opened, as only the machine does that is provisioned; else
    it raises StaysSealed. `policy`: if it requires signatures, content without a hash is only given out once the signature beside
    its URL is good.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        offline: bool,
        root: str = "/",
        platform: str = "",
        clock: retry.Clock | None = None,
        opens: bool = False,
        policy: Policy | None = None,
    ) -> None:
        from _thread import RLock  # `threading` costs 2 ms at import, and most stages fetch nothing

        self.offline, self._root, self._platform, self.opens, self.policy = offline, root, platform, opens, policy
        self._settings, self._clock = settings, clock or retry.Clock()
        self._lock = RLock()
        self._client: Client | None = None
        self._closed = False
        self._stores: dict[type, Any] = {}  # they cache identities and regions, and outlive a change of settings
        self._authorities: dict[str, str] = {}  # PEM text by source: authorities remain trusted, as in Ignition

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle connections. Remote content cannot be fetched after that."""
        with self._lock:
            self._use_new_connections()
            self._closed = True

    def _use_new_connections(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    def apply(self, settings: Settings) -> None:
        """Use other settings from now on. New certificate authorities are fetched with the previous settings."""
        if settings == self._settings:
            return
        new = self._missing(settings, self)
        with self._lock:
            self._use_new_connections()
            self._authorities |= new
            self._settings = settings

    def read(self, resource: Resource, *, single: bool = False, is_config: bool = False, as_served: bool = False) -> bytes:
        """The whole content, verified and decompressed; `b""` for an empty or missing URL. `single`: one attempt only.

        `is_config`: its signature is the caller's to check (rendering/trusted.py); `as_served`: the same, and it is neither
        decompressed nor compared with its hash, see `unpacked`. Raises NeedsNetwork, NotFound or Failure with the URL (as it may
        be shown) as place.
        """
        with closing(self._pieces(resource, single=single, signed=not (is_config or as_served), as_served=as_served)) as pieces:
            return _whole(pieces, resource.source or "")

    def unpacked(self, resource: Resource, served: bytes) -> bytes:
        """Content that was read as served, now decompressed, compared with its hash, and opened. Raises Failure."""
        try:
            pieces = content.verified(resource, content.decompressed(resource, [served] if served else []))
            if resource.extension.sealed:
                return self._opened_whole(resource, pieces, single=False)
            return _whole(pieces, resource.source or "")
        except Failure as failure:
            failure.where = failure.where or shown(resource.source or "")
            raise

    @property
    def requires_signatures(self) -> bool:
        """Whether the policy demands them."""
        return self.policy is not None and self.policy.required

    def must_be_signed(self, resource: Resource) -> bool:
        """Whether the policy demands a signature: for content that is elsewhere, and that no hash of the config binds."""
        source = resource.source or ""
        return self.requires_signatures and bool(source) and scheme(source) != "data" and not resource.verification.hash

    def signature(self, resource: Resource) -> tuple[bytes, str] | None:
        """The signature beside the URL of a resource, and its place; None if there is none. It is not checked here."""
        for suffix in SIGNATURES:
            url = beside(resource.source or "", suffix)
            try:
                return self.read(resource.evolve(source=url, compression=None), as_served=True), shown(url)
            except NotFound:
                continue
        return None

    def copy_to(self, resource: Resource, file: Writable) -> None:
        """Write the content, verified and decompressed, piece by piece into an open file.

        Raises as `read`; the caller must then discard the pieces written so far.
        """
        written = self.as_written(resource)
        if written is not None:  # most files: a chain of generators would take as long as writing them
            file.write(written)
            return
        with closing(self._pieces(resource)) as pieces:
            for piece in pieces:
                file.write(piece)

    @staticmethod
    def as_written(resource: Resource) -> bytes | None:
        """The content that is in the URL itself, and neither packed, verified nor sealed; None for any other. Raises Failure."""
        return content.as_written(resource)

    def opened(self, sealed: bytes, where: str = "", *, single: bool = False) -> bytes:
        """The plain text of a sealed value, a JWE that clevis opens. Waits for the tang servers that it needs, unless `single`.

        Raises StaysSealed, NeedsNetwork or Failure at `where`, never with the plain text.
        """
        from ignition.fetch import sealed as opening  # few configs have sealed content

        try:
            settings = self._settings.evolve(attempts=1) if single else self._settings
            return opening.opened(sealed, settings, self._clock, self._answers, offline=self.offline, may_open=self.opens)
        except Failure as failure:
            failure.where = failure.where or where
            raise

    def opened_text(self, sealed: str, where: str) -> str:
        """The same of a value that is one line of text. Raises Failure at `where` for anything else, too."""
        from ignition.fetch import sealed as opening

        return opening.line(self.opened(sealed.encode("utf-8", "surrogatepass"), where), where)

    def _answers(self, url: str) -> bool:
        """Whether a server answers now, with any status."""
        from ignition.config.model import Resource
        from ignition.errors import NotFound

        try:
            self.read(Resource(source=url), single=True)
        except NotFound:
            return True
        except Failure:
            return False
        return True

    def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        also_retry: frozenset[int] = frozenset(),
        privileged_port: bool = False,
    ) -> bytes:
        """GET from a metadata service; with `privileged_port` from a source port below 1024. Raises NotFound for 404."""
        return self._whole(Request("GET", url, headers, also_retry=also_retry, privileged_port=privileged_port))

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        body: bytes = b"",
        also_retry: frozenset[int] = frozenset(),
        judge: Judge | None = None,
    ) -> bytes:
        """The body of a response from a metadata service; statuses in `also_retry` are retried like 503.

        `body` is sent with every attempt. Any 2xx is success unless the method is GET. `judge`: see Request.
        """
        return self._whole(Request(method, url, headers, body=body, also_retry=also_retry, judge=judge))

    def _whole(self, request: Request) -> bytes:
        _check(request.url)  # it may come from a document of the platform
        with closing(self._http(request.url).stream(request)) as pieces:
            return _whole(pieces, request.url)

    def _pieces(
        self, resource: Resource, *, single: bool = False, signed: bool = True, as_served: bool = False
    ) -> Generator[bytes, None, None]:
        if not resource.source:
            return  # no content: the hash is not checked, as in Ignition
        settings, name = self._settings, scheme(resource.source)
        limit_s = None if name in _LOCAL else settings.total_s
        deadline = retry.Deadline(self._clock, limit_s, of_config=settings.of_config)
        try:
            # Closed at once, even after an error: otherwise the connection would live as long as the traceback.
            with closing(self._raw(resource, name, deadline, single=single)) as served:
                raw: Iterable[bytes] = served
                if signed and self.policy is not None and self.must_be_signed(resource):
                    raw = self._checked(resource, served, self.policy)
                if as_served:
                    yield from _timely(raw, deadline)
                    return
                pieces = _timely(content.verified(resource, content.decompressed(resource, raw)), deadline)
                if resource.extension.sealed:
                    yield self._opened_whole(resource, pieces, single=single)
                else:
                    yield from pieces
        except Failure as failure:
            failure.where = failure.where or shown(resource.source)
            raise

    def _opened_whole(self, resource: Resource, pieces: Iterable[bytes], *, single: bool) -> bytes:
        if not self.opens:
            raise StaysSealed("its content is sealed: only the machine that is provisioned opens it")
        return self.opened(_whole(pieces, resource.source or "", limits.SEALED, "sealed content"), single=single)

    def _checked(self, resource: Resource, served: Iterable[bytes], policy: Policy) -> Generator[bytes, None, None]:
        """The content as served, with a check of the signature beside its URL at the end."""
        from ignition.trust import gpgv

        found = self.signature(resource)
        if found is None:
            raise Failure(
                f"neither verification.hash nor a signature beside the URL, and {policy.because} requires one",
                fix="add the hash of the content (sha512sum FILE), or put its signature beside it (gpg --detach-sign FILE)",
                lasting=True,
            )
        return gpgv.checked(served, found[0], policy.keyrings, found[1])

    def _raw(self, resource: Resource, name: str, deadline: retry.Deadline, *, single: bool) -> Generator[bytes, None, None]:
        url = resource.source or ""
        if name not in _LOCAL:
            _check(url)
        match name:
            # The first two work offline as well.
            case "data":
                return content.data_stream(url)
            case "oem":
                from ignition.fetch import oem

                return oem.stream(url, self._root)
            case "http" | "https":
                return self._web(resource, deadline, single=single)
            case "":
                raise Failure("not a URL: the scheme is missing", where=shown(url), fix=f"use one of: {', '.join(SUPPORTED)}")
            case _ if self.offline:
                raise NeedsNetwork(f"{shown(url)} needs the network")
            case "tftp":
                from ignition.fetch import tftp

                settings = self._settings.evolve(attempts=1) if single else self._settings
                return tftp.stream(url, settings, self._clock, deadline=deadline)
            case "s3" | "arn":
                from ignition.fetch import s3

                return self._store(s3.Store).stream(url, self._http(url), single=single, deadline=deadline)
            case "gs":
                from ignition.fetch import gs

                return self._store(gs.Store).stream(url, self._http(url), single=single, deadline=deadline)
            case other:
                said = f"the scheme {other!r}" if can_show_scheme(url) else "its scheme"
                raise Failure(f"{said} is not supported", where=shown(url), fix=f"use one of: {', '.join(SUPPORTED)}")

    def _web(self, resource: Resource, deadline: retry.Deadline, *, single: bool) -> Generator[bytes, None, None]:
        url, headers, verified = resource.source or "", self._headers(resource), bool(resource.verification.hash)
        client = self._http(url)
        if self._platform == "azure":
            from ignition.fetch import azure_blob

            return self._store(azure_blob.Store).stream(url, headers, client, single=single, deadline=deadline, verified=verified)
        return client.stream(Request("GET", url, headers, verified=verified), single=single, deadline=deadline)

    def _headers(self, resource: Resource) -> dict[str, str]:
        """The configured headers by name; the last of several with the same name counts. Sealed values are opened."""
        headers = {}
        for index, header in enumerate(resource.http_headers):
            sealed = header.extension.sealed_value
            if sealed is not None and not self.offline:  # offline the request is refused anyway
                headers[header.name] = self.opened_text(sealed, f"{shown(resource.source or '')} httpHeaders.{index}")
            elif header.value is not None or sealed is not None:
                headers[header.name] = header.value or ""
            else:
                raise Failure(
                    f"header {header.name!r} has no value",
                    where=shown(resource.source or ""),
                    fix="a header without a value only removes one of a parent config: add a value, or remove the header",
                )
        return headers

    def _http(self, url: str) -> Client:
        if self.offline:
            raise NeedsNetwork(f"{shown(url)} needs the network")
        from ignition.fetch.http import Client

        with self._lock:
            if self._closed:
                raise Failure("the request comes too late: the fetcher is closed", where=shown(url))
            if self._client is None:
                self._client = Client(self._settings, self._trusted, self._clock)
            return self._client

    def _store(self, kind: type[Store]) -> Store:
        with self._lock:
            if kind not in self._stores:
                self._stores[kind] = kind(self._platform, self._metadata)
            store: Store = self._stores[kind]
        return store

    def _metadata(self) -> Fetcher:
        """A fetcher for the cloud's service about the machine itself: without a proxy, with a short time limit."""
        return Fetcher(Settings(total_s=METADATA_S), offline=False, clock=self._clock)  # answers are not resources

    def _trusted(self) -> dict[str, str]:
        """PEM texts for a new client. Those of the first settings are fetched over connections that trust only the system's."""
        plain_settings = self._settings.evolve(certificate_authorities=())
        with Fetcher(
            plain_settings,
            offline=self.offline,
            root=self._root,
            platform=self._platform,
            clock=self._clock,
            opens=self.opens,
            policy=self.policy,
        ) as plain:
            self._authorities |= self._missing(self._settings, plain)
        return {shown(source): pem for source, pem in self._authorities.items()}

    def _missing(self, settings: Settings, fetcher: Fetcher) -> dict[str, str]:
        """The authorities of the settings that have not been fetched yet, by source."""
        found = {}
        for authority in settings.certificate_authorities:
            if authority.extension.sealed and not self.opens:
                continue  # whoever plans or renders trusts what the workstation does
            if authority.source and authority.source not in self._authorities:
                found[authority.source] = content.pem_certificates(fetcher.read(authority), shown(authority.source))
        return found


def beside(url: str, suffix: str) -> str:
    """The URL of a file beside another: the suffix ends the path, before the query and the fragment (RFC 3986 §3)."""
    ends = min((place for mark in "?#" if (place := url.find(mark)) >= 0), default=len(url))
    return f"{url[:ends]}{suffix}{url[ends:]}"


def _check(url: str) -> None:
    if wrong := unusable(url) or ("" if scheme(url) else "has no scheme"):
        raise Failure(f"not a usable URL: it {wrong}", where=shown(url), fix=_FIX_URL)


def _timely(pieces: Iterable[bytes], deadline: retry.Deadline) -> Iterable[bytes]:
    for piece in pieces:
        deadline.check()  # a few bytes that arrived in time may decompress for hours
        yield piece


def _whole(pieces: Iterable[bytes], url: str, most: int = limits.IN_MEMORY, expected: str = "a config") -> bytes:
    """The content as a whole, in memory. Raises Failure if it is too large for that."""
    kept, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > most:
            raise Failure(
                f"more than {most // limits.MIB} MiB where {expected} is expected",
                where=shown(url),
                fix="check the URL; fetch large contents as files of their own",
            )
        kept.append(piece)
    return b"".join(kept)
