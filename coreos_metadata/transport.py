"""The agent's transport with the pauses and limits of the originals.

Source: docs/reference/platforms.md §4.2. Transient errors are retried, 404 is up to the platform's table, and everything else
fails the run. Unlike in the originals, a request that cannot succeed (401, 403) is not repeated.
"""

from __future__ import annotations

from ignition import __version__
from ignition.fetch.settings import Settings

SETTINGS = Settings(
    total_s=300.0,  # per request; reached only if the service hangs, since the attempts below end earlier
    header_s=30.0,
    attempts=11,
    first_pause_s=1.0,
    success=(200,),
    headers=(("User-Agent", f"coreos-metadata/{__version__}"), ("Accept", "*/*"), ("Accept-Encoding", "identity")),
)
