"""Modes whose decimal digits somebody meant to be octal: `644` for `0644`. Source: docs/reference/config-transpiler.md §B13."""

_CLASSES = (6, 3, 0)  # how far the bits of owner, group and others are shifted
_SETUID, _SETGID, _STICKY = 0o4000, 0o2000, 0o1000
_READ, _WRITE, _RUN = 4, 2, 1


def looks_decimal(mode: int, *, of_directory: bool) -> bool:
    """Whether it is unusual and would be usual if its decimal digits were octal."""
    digits = str(mode)
    if not 0 <= mode <= 7777 or digits.strip("01234567"):
        return False
    return not is_usual(mode, of_directory=of_directory) and is_usual(int(digits, 8), of_directory=of_directory)


def is_usual(mode: int, *, of_directory: bool) -> bool:
    """Whether people give such permissions."""
    if mode == 0:
        return True
    classes = tuple(mode >> shift & 7 for shift in _CLASSES)
    return _is_graded(classes) and (_suits_directory(mode, classes) if of_directory else _suits_file(mode, classes))


def _is_graded(classes: tuple[int, ...]) -> bool:
    owner, group, others = classes
    if not any(one & _READ for one in classes) or group & ~owner or others & ~group:
        return False
    if any(one & (_WRITE | _RUN) and not one & _READ for one in classes):
        return False
    # Whoever may run it while all below him who can read may not: no program is given out like that.
    return not any(
        classes[place] & _RUN
        and any(lesser & _READ for lesser in classes[place + 1 :])
        and not any(lesser & _RUN for lesser in classes[place + 1 :])
        for place in range(len(classes))
    )


def _suits_directory(mode: int, classes: tuple[int, ...]) -> bool:
    if not any(one & _RUN for one in classes) or mode & _SETUID:
        return False
    return not mode & (_SETGID | _STICKY) or any(one & _WRITE for one in classes)


def _suits_file(mode: int, classes: tuple[int, ...]) -> bool:
    if mode & _STICKY:
        return False
    return not mode & (_SETUID | _SETGID) or (any(one & _RUN for one in classes) and not classes[-1] & _WRITE)
