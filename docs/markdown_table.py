"""Tables of Markdown."""

from collections.abc import Iterator

Row = tuple[str, ...]


def table(head: Row, rows: list[Row]) -> Iterator[str]:
    """Its lines, and an empty one."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""
