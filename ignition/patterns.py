"""Regular expressions that are compiled when they are first used.

Each program is a short-lived process, and most of its runs match few of the patterns that its modules define: compiling one
takes 50 µs to 5 ms (CPython 3.11). `re` itself is loaded then, too: it takes as long as all of `ignition/host`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any, AnyStr


def lazy_pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, but a malformed pattern is noticed at its first use."""
    return _Late(text, flags)  # type: ignore[return-value]


class _Late:
    """Takes each attribute of the compiled pattern over when it is first asked for; from then on it costs nothing more."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        import re

        found = getattr(re.compile(self._text, self._flags), name)
        self.__dict__[name] = found
        return found
