"""W13: modes whose decimal digits look like an octal mode: 644 for 0644."""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config.advice.subject import advice
from ignition.config.model.storage import Directory, File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject
    from ignition.config.report import Finding

_USUAL_DIGITS = (0, 4, 5, 6, 7)  # write and execute permission only together with read permission
_USUAL_SPECIAL = (0, 1, 2, 4, 6)


def advise(subject: Subject) -> Iterator[Finding]:
    """Directories, then files. The mode is read from the text: before 3.6 the model lacks the special bits.

    A mode that looks octal is unusual even without them, so that the text is only read for few files.
    """
    storage = subject.config.storage
    lists: dict[str, tuple[Directory | File, ...]] = {"directories": storage.directories, "files": storage.files}
    for name, nodes in lists.items():
        for index, node in enumerate(nodes):
            if node.mode is None or is_usual(node.mode):
                continue
            path = ("storage", name, index, "mode")
            written = subject.written(path)
            if isinstance(written, int) and looks_octal(written):
                message = f"mode {written} is {written:#o} in octal, which is unusual: probably 0{written} is meant"
                yield advice("W13", path, message, f"modes are decimal: for 0{written} write {int(str(written), 8)}")


def looks_octal(mode: int) -> bool:
    """Whether the mode is unusual, but its digits read as octal are a usual one."""
    digits = str(mode)
    if len(digits) not in (3, 4) or digits.strip("01234567"):
        return False
    return is_usual(int(digits, 8)) and not is_usual(mode)


def looks_decimal(digits: str) -> bool:
    """Whether octal digits are an unusual mode, but a usual one as a decimal number."""
    return not (digits.strip("01234567") == "" and is_usual(int(digits, 8))) and int(digits) <= 0o7777 and is_usual(int(digits))


def is_usual(mode: int) -> bool:
    """Whether it is a common mode: the owner has all permissions of the group, and the group all those of others."""
    owner, group, others = mode >> 6 & 7, mode >> 3 & 7, mode & 7
    nested = group & ~owner == 0 and others & ~group == 0
    digits = all(digit in _USUAL_DIGITS for digit in (owner, group, others))
    # setuid and setgid only make sense on files that their owner may execute.
    return digits and nested and mode >> 9 in _USUAL_SPECIAL and (mode >> 9 == 0 or owner == 7)
