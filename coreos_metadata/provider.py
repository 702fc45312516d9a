"""What a platform's metadata service offers, as a table; and the one engine that reads all of them.

Source: platforms reference 4.2 and 5. The transport is the agent's: transient errors are retried, 404 is "absent", everything
else ends the run. Unlike the originals a request that can never succeed (401, 403) is not repeated.
"""

from __future__ import annotations

from ignition import __version__
from ignition.errors import Failure, NotFound
from ignition.fetch.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ignition.fetch.engine import Fetcher

SETTINGS = Settings(
    total_s=300.0,  # per request; the pauses below end it earlier unless the service hangs
    header_s=30.0,
    attempts=11,
    first_pause_s=1.0,
    success=(200,),
    headers=(("User-Agent", f"coreos-metadata/{__version__}"), ("Accept", "*/*"), ("Accept-Encoding", "identity")),
)


class Attribute:
    """One row: where the value is and under which names it is written.

    `path` below the provider's base; `member` a member of the JSON object found there, else the whole text counts.
    `legacy`: Container Linux had the name, too.
    """

    def __init__(self, name: str, path: str, *, member: str = "", legacy: bool = True) -> None:
        self.name, self.path, self.member, self.legacy = name, path, member, legacy


class Provider:
    """A platform's table. `prefix` and `legacy_prefix` begin the names of the attribute file.

    `open_session` gives the headers of all further requests; `ssh_keys` reads the keys' lines through a Reader.
    """

    def __init__(
        self,
        *,
        base: str,
        prefix: str,
        legacy_prefix: str,
        attributes: Sequence[Attribute],
        hostname: str = "",
        ssh_keys: Callable[[Reader], list[str]] = lambda _: [],
        open_session: Callable[[Fetcher, str], dict[str, str]] = lambda *_: {},
    ) -> None:
        self.base, self.prefix, self.legacy_prefix = base, prefix, legacy_prefix
        self.attributes, self.hostname, self.ssh_keys, self.open_session = attributes, hostname, ssh_keys, open_session


class Reader:
    """Reads one machine's metadata. Opening it opens the session, as the originals do. `host` replaces that of the table."""

    def __init__(self, provider: Provider, fetcher: Fetcher, *, base: str = "") -> None:
        self._provider, self._fetcher, self._base = provider, fetcher, base or provider.base
        self._headers = provider.open_session(fetcher, self._base)
        self._texts: dict[str, str | None] = {}

    def text(self, path: str) -> str | None:
        """The document at a path; None if the service has none (404). Bytes that are no UTF-8 become U+FFFD."""
        if path not in self._texts:
            try:
                body = self._fetcher.get(f"{self._base}/{path}", self._headers)
                self._texts[path] = body.decode("utf-8", "replace")
            except NotFound:
                self._texts[path] = None
        return self._texts[path]

    def attributes(self) -> dict[str, str]:
        """Names and values of the attribute file; what the service does not have is left out."""
        found = {}
        for attribute in self._provider.attributes:
            value = self._value(attribute)
            if value is not None:
                found[self._provider.prefix + attribute.name] = value
                if attribute.legacy:
                    found[self._provider.legacy_prefix + attribute.name] = value
        return found

    def hostname(self) -> str | None:
        """The machine's host name; None if the service has none or an empty one."""
        return (self.text(self._provider.hostname) or "").strip() or None if self._provider.hostname else None

    def ssh_keys(self) -> list[str]:
        """Lines for an authorized_keys file."""
        return self._provider.ssh_keys(self)

    def _value(self, attribute: Attribute) -> str | None:
        text = self.text(attribute.path)
        if text is None or not attribute.member:
            return text
        value = _members(text, attribute.path).get(attribute.member)
        return None if value is None else str(value)


def _members(text: str, path: str) -> Mapping[str, object]:
    import json

    try:
        document = json.loads(text)
    except ValueError as error:
        raise Failure("the metadata service's answer is no JSON", where=path) from error
    if not isinstance(document, dict):
        raise Failure("the metadata service's answer is no JSON object", where=path)
    return document
