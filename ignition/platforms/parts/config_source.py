"""Where a platform keeps the user config: `http` for metadata services, ConfigSource itself for everything else."""

from __future__ import annotations

from ignition.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ignition.fetch.engine import Fetcher

    Session = Callable[[Fetcher], dict[str, str]]


class ConfigSource:
    """`fetch` gives the config's bytes, `b""` for "there is none here"; it raises Failure when the place itself is out of order.

    `says` is for docs/platforms.md. `remove` takes the config away after use (ignition-rmcfg), where the platform can.
    """

    def __init__(
        self,
        says: str,
        fetch: Callable[[Fetcher], bytes],
        *,
        needs_network: bool,
        remove: Callable[[], None] | None = None,
    ) -> None:
        self.says, self.fetch, self.needs_network, self.remove = says, fetch, needs_network, remove


def http(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    session: Session | None = None,
    decode: Callable[[bytes], bytes] = lambda body: body,
    missing_is_none: bool = True,
    also_retry: frozenset[int] = frozenset(),
    says: str = "",
) -> ConfigSource:
    """User data of a metadata service: one GET.

    `session` asks for more headers first, a token for example. `decode` turns the body into the config. A 404 means "none" if
    `missing_is_none`, else it ends the boot: there the service answers 200 for a machine without user data.
    """

    def fetch(fetcher: Fetcher) -> bytes:
        more = session(fetcher) if session else {}
        try:
            body = fetcher.get(url, {**(headers or {}), **more}, also_retry=also_retry)
        except NotFound:
            if not missing_is_none:
                raise
            return b""
        return decode(body) if body else b""

    return ConfigSource(says or url, fetch, needs_network=True)
