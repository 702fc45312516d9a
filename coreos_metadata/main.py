"""`coreos-metadata`: writes what the platform's metadata says about this machine.

Flags of Afterburn and of Container Linux' coreos-metadata (platforms reference 4.1), with one dash or two. Exit status 0, or 1
for every error, usage included.
"""

from __future__ import annotations

import sys

from coreos_metadata.outputs import attributes, hostname, ssh_keys
from coreos_metadata.transport import SETTINGS
from ignition import __version__, platforms
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.host import cmdline, log
from ignition.platforms.parts.metadata import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from typing import NoReturn

PROGRAM = "coreos-metadata"
SUCCESS, FAILED = 0, 1
PLATFORM_OPTION = "ignition.platform.id"  # the first counts
OLD_PLATFORM_OPTIONS = ("flatcar.oem.id", "coreos.oem.id")  # the last counts


class UsageError(Exception):
    """The command line makes no sense."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    words = modern(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    try:
        options = parser.parse_args(words)
        if options.help or options.version:
            return _print(parser.format_help() if options.help else f"{PROGRAM} {__version__}\n")
        _check(options)
    except UsageError as error:
        return _complain(f"{error}\n{parser.format_usage()}")
    log.configure(stage="", to_stdout=False, identifier=PROGRAM)
    try:
        run(options)
    except Failure as failure:
        return _complain(str(failure))
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}")
    return SUCCESS


def run(options: Namespace) -> None:
    """Read and write what is asked for, in Afterburn's order; the first failure ends it and what was written before stays."""
    tables = platforms.metadata(options.provider or provider_of(cmdline.read()))
    if not (options.attributes or options.ssh_keys or options.hostname):
        log.warning("nothing is asked for: give at least one of --attributes, --ssh-keys, --hostname")
    with Fetcher(SETTINGS, offline=False) as fetcher, opened(tables, fetcher) as (table, reader):
        if options.attributes:
            attributes.write(options.attributes, reader.attributes())
        if options.ssh_keys:
            ssh_keys.write(options.ssh_keys, reader.ssh_keys(), skip_bad=table.skips_bad_keys)
        if options.hostname:
            name = reader.hostname()
            if name is not None:
                hostname.write(options.hostname, name)


def provider_of(text: str) -> str:
    """The platform id on the kernel command line. Raises Failure if there is none."""
    name = cmdline.first(text, PLATFORM_OPTION) or next(
        (found for option in OLD_PLATFORM_OPTIONS if (found := cmdline.last(text, option))), ""
    )
    if not name:
        raise Failure(
            "the kernel command line names no platform", fix=f"add {PLATFORM_OPTION}=, or use --provider instead of --cmdline"
        )
    return name


def modern(words: Sequence[str]) -> list[str]:
    """The words as the one parser knows them: without `multi`, long flags with two dashes."""
    rest = list(words[1:] if words[:1] == ["multi"] else words)
    return [f"-{word}" if len(word) > 2 and word[0] == "-" and word[1] != "-" else word for word in rest]


def _parser() -> ArgumentParser:
    from argparse import SUPPRESS, ArgumentParser

    class Parser(ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise UsageError(message)

    parser = Parser(
        prog=PROGRAM, description="Write what the platform says about this machine.", add_help=False, allow_abbrev=False
    )
    parser.add_argument("--provider", metavar="ID", default="", help=f"the platform: {', '.join(platforms.known('metadata'))}")
    parser.add_argument("--cmdline", action="store_true", help="take the platform from the kernel command line")
    parser.add_argument("--attributes", metavar="FILE", default="", help="write an environment file")
    parser.add_argument("--output", dest="attributes", metavar="FILE", help=SUPPRESS)  # its name until 0.3
    parser.add_argument("--ssh-keys", metavar="USER", default="", help="write the SSH keys of this user")
    parser.add_argument("--hostname", metavar="FILE", default="", help="write the host name")
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("--help", "-h", action="store_true", help="print this help and exit")
    return parser


def _check(options: Namespace) -> None:
    if options.provider and options.cmdline:
        raise UsageError("--provider and --cmdline exclude each other")
    if not (options.provider or options.cmdline):
        raise UsageError("one of --provider and --cmdline is required")


def _print(text: str) -> int:
    print(text, end="")
    return SUCCESS


def _complain(text: str) -> int:
    print(f"{PROGRAM}: {text}", file=sys.stderr)
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
