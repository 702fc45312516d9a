"""Reads one machine's metadata according to its platform's table. Each document is requested once."""

from __future__ import annotations

from collections.abc import Callable

from ignition.errors import Failure
from ignition.host import limits, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher
    from ignition.metadata.service import Get
    from ignition.metadata.table import Metadata


class Reader:
    """`fetcher` is for requests beside the documents of the place: other services, check-ins."""

    def __init__(self, metadata: Metadata, get: Get, fetcher: Fetcher) -> None:
        self.fetcher, self._metadata, self._get = fetcher, metadata, get
        self._texts: dict[str, str | None] = {}
        self._parsed: dict[str, object] = {}

    def text(self, path: str) -> str | None:
        """The document at a path; None if it does not exist. Bytes that are not UTF-8 become U+FFFD."""
        if path not in self._texts:
            body = self._get(path)
            self._texts[path] = None if body is None else body.decode("utf-8", "replace")
        return self._texts[path]

    def required(self, path: str) -> str:
        """The document at a path. Raises Failure if it does not exist."""
        found = self.text(path)
        if found is None:
            raise Failure("the platform's metadata has no such document", where=path, fix="ask the platform's support")
        return found

    def parsed(self, path: str, parse: Callable[[str], object]) -> object:
        """The parsed document at a path; None if it does not exist."""
        if path not in self._parsed:
            found = self.text(path)
            self._parsed[path] = None if found is None else parse(found)
        return self._parsed[path]

    def attributes(self) -> dict[str, str]:
        """Names and values of the attribute file; attributes that the machine lacks are omitted."""
        found: dict[str, str] = {}
        for attribute in self._metadata.attributes:
            value = attribute.value.read(self)
            for number, one in enumerate(value if isinstance(value, list) else [value]):
                if one is not None and (one or self._metadata.keeps_empty):
                    found |= dict.fromkeys(self._metadata.names(attribute, number), one)
        return found

    def hostname(self) -> str | None:
        """The machine's host name; None if it is absent or empty."""
        value = self._metadata.hostname
        found = value.read(self) if value else None
        return found.strip() or None if isinstance(found, str) else None

    def ssh_keys(self) -> list[str]:
        """Lines for an authorized_keys file."""
        found = self._metadata.ssh_keys(self) if self._metadata.ssh_keys else []
        if len(found) > limits.SSH_KEYS:
            log.warning(f"the platform has {len(found)} SSH keys: only the first {limits.SSH_KEYS} are used")
        return found[: limits.SSH_KEYS]
