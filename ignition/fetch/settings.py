"""Settings of fetches: limits, trust, proxies, default headers.

They come from the `ignition` section of a config (spec: ignition.timeouts, ignition.security.tls, ignition.proxy), or are set in
code for the metadata service of a platform.
"""

from ignition import __version__
from ignition.config.model import Config, Resource
from ignition.config.record import Record, spec

HEADER_S = 10.0  # coreos/ignition internal/resource/http.go: defaultHttpResponseHeaderTimeout
CONNECT_S = 30.0
HANDSHAKE_S = 10.0
TOTAL_S = 600.0  # Ignition has no limit here; but a machine that waits forever never reports why
ATTEMPT_IDLE_S = 60.0  # without a byte of the body: the transfer is dead

IGNITION_HEADERS = (
    ("User-Agent", f"Ignition/{__version__}"),
    ("Accept", "application/vnd.coreos.ignition+json;version=3.6.0, */*;q=0.1"),
    ("Accept-Encoding", "identity"),
)


class Settings(Record):
    """All settings of a fetch. Times are in seconds; None means no limit."""

    of_config: bool = spec("whether a config set these, so that fixes refer to it", default=False)
    total_s: float | None = spec("one fetch with all its attempts and pauses", default=TOTAL_S)
    header_s: float | None = spec("wait for all headers of a response", default=HEADER_S)
    attempts: int | None = spec("maximum number of attempts; None = as many as `total_s` allows", default=None)
    attempt_s: float | None = spec("one attempt up to the headers, connection included", default=None)
    first_pause_s: float = spec("pause after the first attempt, before jitter; doubles", default=0.2)
    longest_pause_s: float = spec("ceiling of the pauses", default=5.0)
    certificate_authorities: tuple[Resource, ...] = spec("PEM bundles trusted beside the system's", default=())
    http_proxy: str | None = spec("proxy URL for http", default=None)
    https_proxy: str | None = spec("proxy URL for https", default=None)
    no_proxy: tuple[str, ...] = spec("hosts, domains and networks reached directly", default=())
    success: tuple[int, ...] = spec("statuses that mean success", default=(200, 204))
    absent: tuple[int, ...] = spec("statuses that mean that the resource does not exist", default=(404,))
    headers: tuple[tuple[str, str], ...] = spec("sent with every request", default=IGNITION_HEADERS)

    @classmethod
    def from_config(cls, config: Config) -> "Settings":
        """The settings of a config. An unset total means 10 minutes; an explicit 0 means no limit."""
        about = config.ignition
        return cls(
            of_config=True,
            total_s=_limit(about.timeouts.http_total, TOTAL_S),
            header_s=_limit(about.timeouts.http_response_headers, HEADER_S),
            certificate_authorities=about.security.tls.certificate_authorities,
            http_proxy=about.proxy.http_proxy or None,
            https_proxy=about.proxy.https_proxy or None,
            no_proxy=about.proxy.no_proxy,
        )


def _limit(seconds: int | None, default: float) -> float | None:
    if seconds is None:
        return default
    return float(seconds) if seconds > 0 else None
