"""Metadata services over HTTP: one document is the user data, a table reads the others.

Source: docs/reference/coreos-cloudinit.md §5, §6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from ignition.cloudinit.datasources import Datasource, Metadata, NetworkConfig, http
from ignition.errors import Failure, NotFound
from ignition.fetch.urls import shown
from ignition.host import log
from ignition.metadata import table as parts
from ignition.metadata.reader import Reader
from ignition.metadata.service import Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher
    from ignition.metadata.service import Place
    from ignition.metadata.ssh_keys import Keys
    from ignition.metadata.values import Value

    Session = Callable[[Fetcher, str], dict[str, str]]  # requests, at a base URL, headers for all further requests


class Table:
    """The values of Metadata in the documents. `addresses` have the names of its members."""

    def __init__(
        self,
        *,
        hostname: Value | None = None,
        ssh_keys: Keys | None = None,
        addresses: Mapping[str, Value] | None = None,
        network: Callable[[Reader], NetworkConfig | None] | None = None,
    ) -> None:
        self._hostname, self._ssh_keys, self._addresses, self._network = hostname, ssh_keys, addresses or {}, network

    def read(self, place: Place, client: Fetcher) -> Metadata:
        """All available values, and why others are missing. Raises Failure if neither host name nor keys can be read."""
        table = parts.Metadata(place, prefix="", hostname=self._hostname, ssh_keys=self._ssh_keys)
        with table.open(client) as reader:
            # Host name and keys first: they let people log in.
            readers: dict[str, Callable[[], object]] = {"hostname": reader.hostname, "ssh_keys": lambda: tuple(reader.ssh_keys())}
            readers |= {name: partial(value.read, reader) for name, value in self._addresses.items()}
            if self._network:
                readers["network"] = partial(self._network, reader)
            found: dict[str, object] = {}
            problems: list[Failure] = []
            for name, read in readers.items():
                try:
                    found[name] = read()
                except Failure as failure:
                    problems.append(failure)
                    if len(problems) > 1 and not found:
                        raise  # each may have taken minutes, and the rest does not let people log in
            return Metadata(problems=tuple(problems)).evolve(**{name: one for name, one in found.items() if one})


class MetadataService(Datasource):
    """`check`, `data` and `documents` are paths below the base URL: for the availability check, the user data and the metadata.

    Documents that the service does not have (4xx) are empty.
    """

    def __init__(
        self,
        name: str,
        base: str,
        *,
        check: str,
        data: str,
        documents: str,
        table: Table,
        headers: Mapping[str, str] | None = None,
        session: Session | None = None,
    ) -> None:
        self._base = base if base.endswith("/") else f"{base}/"
        self.name, self.where, self.final = name, shown(self._base), not http.is_url(base)
        self._check, self._data, self._documents = self._base + check, self._base + data, self._base + documents
        self._table, self._fixed, self._session = table, headers or {}, session
        self._found: dict[str, str] | None = None  # headers of a request that the service has answered

    def available(self) -> bool:
        """One GET, after the session's request, whose headers are kept once the service has answered."""
        with http.once() as client:
            headers = self._ask(client)
            try:
                http.get(client, self._check, headers)
            except Failure as failure:
                log.info(f"{self.name}: not available yet: {failure}")
                return False
        self._found = headers
        return True

    def user_data(self) -> bytes:
        """Also b"" if the service answers that there is none."""
        with http.fetcher() as client:
            try:
                return http.get(client, self._data, self._headers())
            except NotFound:
                return b""

    def metadata(self) -> Metadata:
        """Raises Failure for documents that cannot be read."""
        with http.fetcher() as client:
            return self._table.read(Service(self._documents.removesuffix("/"), headers=self._headers()), client)

    def _headers(self) -> dict[str, str]:
        if self._found is None:
            with http.once() as client:
                self._found = self._ask(client)
        return self._found

    def _ask(self, client: Fetcher) -> dict[str, str]:
        return {**self._fixed, **(self._session(client, self._base.removesuffix("/")) if self._session else {})}
