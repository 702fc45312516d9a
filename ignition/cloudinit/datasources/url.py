"""User data at a URL: `--from-url`, or `--from-proc-cmdline` for a URL on the kernel command line."""

from __future__ import annotations

from ignition.cloudinit.datasources import Datasource, http
from ignition.errors import Failure
from ignition.fetch.urls import shown
from ignition.host import cmdline, log

ARGUMENT = "cloud-config-url"  # also with underscores


class Url(Datasource):
    """Available once a GET succeeds; never, if it is not a URL."""

    name = "url"

    def __init__(self, url: str) -> None:
        self._url, self.where, self.final = url, shown(url), not http.is_url(url)
        self.called = self.where

    def available(self) -> bool:
        """One GET. Raises Failure with the reason if it fails."""
        with http.once() as client:
            http.get(client, self._url)
        return True

    def user_data(self) -> bytes:
        with http.fetcher() as client:
            return http.get(client, self._url)


class ProcCmdline(Datasource):
    """Available if the kernel command line has the argument; the URL is not checked before it is fetched."""

    name = "proc-cmdline"
    final = True

    def __init__(self, path: str = "") -> None:
        self._path, self.where = path, "the kernel command line"

    def available(self) -> bool:
        try:
            return bool(_argument(cmdline.read(self._path)))
        except OSError as error:
            log.warning(f"cannot read the kernel command line: {error}")
            return False

    def user_data(self) -> bytes:
        found = _argument(cmdline.read(self._path))
        if not found:
            raise Failure(f"no {ARGUMENT}=URL", where=self.where)
        return Url(found[-1]).user_data()


def _argument(text: str) -> list[str]:
    """The values of the argument, in order. As in the original, words are separated by single blanks, and quotes are ordinary."""
    found = []
    for token in text.strip().split(" "):
        key, equals, value = token.partition("=")
        if key.replace("_", "-") != ARGUMENT:
            continue
        if equals:
            found.append(value)
        else:
            log.warning(f"{ARGUMENT} on the kernel command line has no value: ignored")
    return found
