"""How the companion asks: the agent's transport, with the pauses and limits of the originals.

Source: docs/reference/platforms.md §4.2. Transient errors are retried, 404 is what the platform's table says, everything else
ends the run. Unlike the originals a request that can never succeed (401, 403) is not repeated.
"""

from __future__ import annotations

from ignition import __version__
from ignition.fetch.settings import Settings

SETTINGS = Settings(
    total_s=300.0,  # per request; the pauses below end it earlier unless the service hangs
    header_s=30.0,
    attempts=11,
    first_pause_s=1.0,
    success=(200,),
    headers=(("User-Agent", f"coreos-metadata/{__version__}"), ("Accept", "*/*"), ("Accept-Encoding", "identity")),
)
