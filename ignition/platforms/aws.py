"""Amazon EC2. Source: platforms reference 3.1 and 3.2. A session token first (IMDSv2), without one where the service has none.

Unlike Ignition nothing is asked before the config is looked for elsewhere: a config on the kernel command line needs no service.
"""

from __future__ import annotations

from ignition.fetch import imds
from ignition.platforms import Platform, get_or_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher


def fetch(fetcher: Fetcher, *, base: str = imds.BASE) -> bytes:
    """The instance's user data."""
    return get_or_none(fetcher, f"{base}/2019-10-01/user-data", imds.token_headers(fetcher, base=base))


PLATFORM = Platform(needs_network=True, fetch=fetch)
