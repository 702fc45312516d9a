"""Where the outcome of each attempt is sent, and how that server is reached: proxies, certificate authorities, time limits.

The config is gone when the outcome is known (it is removed before switch root), or was never there. So the fetch stage keeps its
section `ignition`, without references to other configs, in a file that only root may read.
"""

from __future__ import annotations

import os

from ignition.config.cache import dump, load
from ignition.config.known_values import REPORT_FORMATS
from ignition.config.model import Config
from ignition.errors import Failure
from ignition.fetch.settings import IGNITION_HEADERS, Settings
from ignition.host import atomic, cmdline, log, paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Resource

URL, FORMAT = "ignition.report.url", "ignition.report.format"
CLOUDEVENTS, JOURNAL = tuple(REPORT_FORMATS)
TOTAL_S = 15.0  # for everything that is sent
TRIES = 3
TRY_S = 3.0  # three of them fit into the total, after the random delay and with pauses of at most 0.6 and 1.2 s
UNIT = "ignition-report.service"  # of the real root
_WANTS = "multi-user.target.wants"
_UNITS = "/usr/lib/systemd/system"


class Receiver:
    """`format` is CLOUDEVENTS or JOURNAL."""

    def __init__(self, url: str, format: str, settings: Settings) -> None:
        self.url, self.format, self.settings = url, format, settings


def keep(config: Config, state_file: str = paths.STATE) -> None:
    """For the end of the attempt: what is needed of the config, and the link by which the real root starts its unit.

    Certificate authorities that are fetched with headers are left out: these headers are secrets of the config.
    """
    about = config.ignition
    trusted = tuple(one for one in about.security.tls.certificate_authorities if not _has_headers(one))
    security = about.security.evolve(tls=about.security.tls.evolve(certificate_authorities=trusted))
    kept = Config().ignition.evolve(security=security, proxy=about.proxy, extension=about.extension)
    atomic.write(paths.mark(state_file, paths.REPORT_TO), dump(Config(ignition=kept)), mode=0o600)
    wants = f"{paths.units_of_this_boot()}/{_WANTS}"
    os.makedirs(wants, mode=0o755, exist_ok=True)
    link = f"{wants}/{UNIT}"
    if not os.path.islink(link):
        os.symlink(f"{_UNITS}/{UNIT}", link)


def _has_headers(authority: Resource) -> bool:
    return bool(authority.http_headers)


def find(state_file: str = paths.STATE, *, url: str = "", format: str = "") -> Receiver | None:
    """The receiver that is given, that of the kernel command line, or that of the config; None without one. Raises Failure."""
    config, line = _kept(state_file), cmdline.read()
    named = config.ignition.extension.report
    url = url or cmdline.last(line, URL) or named.url or ""
    if not url:
        return None
    format = format or cmdline.last(line, FORMAT) or named.format or CLOUDEVENTS
    if format not in REPORT_FORMATS:
        log.warning(
            f"{FORMAT}={format} on the kernel command line is not one of {', '.join(REPORT_FORMATS)}: using {CLOUDEVENTS}"
        )
        format = CLOUDEVENTS
    settings = Settings.from_config(config).evolve(
        total_s=TOTAL_S,
        header_s=TRY_S,
        attempt_s=TRY_S,
        attempts=TRIES,
        first_pause_s=0.6,
        headers=tuple((name, value) for name, value in IGNITION_HEADERS if name == "User-Agent"),
    )
    return Receiver(url, format, settings)


def forget(state_file: str = paths.STATE) -> None:
    """Remove the kept part of the config: a proxy's URL may have a password."""
    try:
        os.unlink(paths.mark(state_file, paths.REPORT_TO))
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning(f"{paths.mark(state_file, paths.REPORT_TO)} cannot be removed: {error.strerror}")


def _kept(state_file: str) -> Config:
    path = paths.mark(state_file, paths.REPORT_TO)
    try:
        with open(path, "rb") as file:
            return load(file.read())
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise Failure(f"cannot be read: {error.strerror}", where=path) from error
