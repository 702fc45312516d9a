"""Rule O6: NUL characters. Paths, names, arguments and keys end at one. Contents, of units or files, may have them."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.report import Path

_CONTENTS = "contents"
ESCAPE = b"\\u0000"  # the only way that JSON has to say it


def strings(value: object, path: "Path" = ()) -> "Iterator[Path]":
    """The paths of all strings that have one and must not."""
    if isinstance(value, str):
        if "\0" in value:
            yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == _CONTENTS and isinstance(inner, str):
                continue
            yield from strings(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from strings(inner, (*path, index))
