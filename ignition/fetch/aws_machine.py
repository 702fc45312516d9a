"""Who the machine is to Amazon: its role's keys and its region, asked once and only on the platform aws."""

from __future__ import annotations

from _thread import allocate_lock

from ignition.errors import Failure, NotFound
from ignition.fetch import imds, s3_location
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ignition.fetch.aws_signature import Credentials
    from ignition.fetch.engine import Fetcher


class Machine:
    """Nobody if it does not run there or has no role. Threads may share it."""

    def __init__(self, platform: str, metadata: Callable[[], Fetcher]) -> None:
        self._is_aws, self._metadata = platform == "aws", metadata
        self._lock = allocate_lock()
        self._region = ""
        self._credentials: list[Credentials | None] = []  # empty: not asked yet

    def region(self) -> str:
        """Where it runs; the default one if it does not run there or does not know."""
        with self._lock:
            if self._is_aws and not self._region:
                try:
                    with self._metadata() as fetcher:
                        self._region = imds.region(fetcher)
                except Failure as failure:
                    log.warning(f"the instance's region is not known, beginning with {s3_location.DEFAULT_REGION}: {failure}")
            if not s3_location.REGION.fullmatch(self._region):
                self._region = s3_location.DEFAULT_REGION
            return self._region

    def credentials(self) -> Credentials | None:
        """The keys of its role, None to go on without."""
        with self._lock:
            if not self._credentials:
                self._credentials = [self._ask() if self._is_aws else None]
            return self._credentials[0]

    def forget(self) -> None:
        """The keys have ended: ask for others next time."""
        with self._lock:
            self._credentials = []

    def _ask(self) -> Credentials | None:
        try:
            with self._metadata() as fetcher:
                return imds.credentials(fetcher)
        except NotFound:
            log.info("the instance has no role: S3 is asked anonymously")
        except Failure as failure:
            log.warning(f"the instance's role could not be had, S3 is asked anonymously: {failure}")
        return None
