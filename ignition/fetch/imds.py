"""Amazon's instance metadata service: the session token of version 2, which the agent and the companion both need.

Source: platforms reference 3.2; https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
"""

from __future__ import annotations

from ignition.errors import NotFound
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher

BASE = "http://169.254.169.254"
TOKEN_TTL_S = 21600  # six hours, the most that the service grants


def token_headers(fetcher: Fetcher, *, base: str = BASE) -> dict[str, str]:
    """The request header with a session token; empty when the service is of version 1 (404). Raises Failure otherwise."""
    try:
        token = fetcher.request("PUT", f"{base}/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_TTL_S)})
    except NotFound:
        log.info("the metadata service knows no tokens: using version 1")
        return {}
    return {"X-aws-ec2-metadata-token": token.decode("latin-1")}
