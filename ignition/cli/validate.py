"""`ignition-validate FILE…|-`: what is wrong with configs, on standard output, with file, line, source line and caret.

Exit statuses as Ignition's program of that name (ignition-config.md 6.4 of the reference): 0 all valid (warnings are allowed),
1 some are not, 2 usage.
"""

import sys

from ignition import __version__
from ignition.cli.flags import Flag, UsageError, help_text, read
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ignition.config.parse import Parsed

FLAGS = (
    Flag("version", False, "print the version and exit"),
    Flag("help", False, "print this help and exit"),
    Flag("h", False, "the same"),
)
VALID, NOT_VALID, USAGE = 0, 1, 2
USAGE_TEXT = "usage: ignition-validate FILE…   say what is wrong with configs; - is standard input"
_STDIN = "-"


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Entry point; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        values, files = read(FLAGS, words)
    except UsageError as error:
        return _usage(str(error))
    if values["help"] or values["h"]:
        print(help_text(USAGE_TEXT, FLAGS))
        return VALID
    if values["version"]:
        print(f"Ignition {__version__}")
        return VALID
    if not files:
        return _usage("no file is named")
    # All files are looked at, also after one that is wrong.
    return max([_validate(name) for name in files])


def _validate(name: str) -> int:
    from ignition.config import packed
    from ignition.config.parse import VALID as VALID_CONFIG
    from ignition.config.parse import parse

    try:
        content = _text(name)
        text = packed.unpack(content)  # lines and columns are those of the unpacked text
    except (OSError, Failure) as error:
        print(f"ignition-validate: {name}: {error.strerror if isinstance(error, OSError) else error}", file=sys.stderr)
        return NOT_VALID
    parsed = parse(text, source="standard input" if name == _STDIN else name)
    if parsed.report.entries:
        print(parsed.report.rich(text, colour=sys.stdout.isatty()))
    print(_summary(parsed, packed.packing(content)), file=sys.stderr)
    return VALID if parsed.outcome == VALID_CONFIG else NOT_VALID


def _text(name: str) -> bytes:
    if name == _STDIN:
        return sys.stdin.buffer.read()
    with open(name, "rb") as file:
        return file.read()


def _summary(parsed: "Parsed", packing: str) -> str:
    levels = [entry.level for entry in parsed.report.entries]
    counts = [f"{levels.count(level)} {level}{'s' if levels.count(level) > 1 else ''}" for level in dict.fromkeys(levels)]
    facts = [f"spec {parsed.version}"] * bool(parsed.version) + [f"unpacked from {packing}"] * bool(packing)
    version = f" ({', '.join(facts)})" if facts else ""
    return f"{parsed.report.source}: {parsed.outcome}{version}{': ' if counts else ''}{', '.join(counts)}"


def _usage(message: str) -> int:
    print(f"ignition-validate: {message}\n\n{USAGE_TEXT}\n\nTry ignition-validate -help.", file=sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
