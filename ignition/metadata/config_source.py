"""The source of a platform's user config: `http` for metadata services, ConfigSource itself for everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ignition.errors import Failure, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher

    Session = Callable[[Fetcher], dict[str, str]]


class ConfigSource:
    """`fetch` returns the config's bytes, `b""` if there is no config; it raises Failure if the source itself fails.

    `says` describes it in docs/platforms.md. `remove` deletes the config after use (ignition-rmcfg), where the platform can.
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
    privileged_port: bool = False,
    says: str = "",
) -> ConfigSource:
    """User data of a metadata service: one GET.

    `session` requests additional headers first, a token for example. `decode` turns the body into the config. A 404 means "no
    config" if `missing_is_none`; otherwise it fails the boot, since such a service answers 200 for a machine without user data.
    `also_retry`: statuses that the service returns while it starts. `privileged_port`: the service recognises root by a source
    port below 1024.
    """

    def fetch(fetcher: Fetcher) -> bytes:
        more = session(fetcher) if session else {}
        try:
            body = fetcher.get(url, {**(headers or {}), **more}, also_retry=also_retry, privileged_port=privileged_port)
        except NotFound:
            if not missing_is_none:
                raise
            return b""
        try:
            return decode(body) if body else b""
        except Failure as failure:
            failure.where = failure.where or url
            raise

    return ConfigSource(says or url, fetch, needs_network=True)


def base64(body: bytes) -> bytes:
    """Decoded base64; line breaks in it are ignored, as in Go's decoder. Raises Failure."""
    from base64 import b64decode

    try:
        return b64decode(body.replace(b"\n", b"").replace(b"\r", b""), validate=True)
    except ValueError as error:
        raise Failure("the user data is not base64", fix="encode the config with base64") from error
