"""Which modes look like octal ones without their zero. Source: docs/reference/config-transpiler.md §B13."""

import pytest

from ignition.transpile.butane.source_rules import is_usual, looks_decimal


@pytest.mark.parametrize("mode", [644, 600, 755, 400, 640, 4755, 664])
def test_decimal_digits_of_a_usual_mode(mode: int) -> None:
    assert looks_decimal(mode, of_directory=False)


@pytest.mark.parametrize("mode", [0, 0o644, 0o755, 0o600, 689, 8000, 7777, 70000, -644])
def test_what_is_usual_or_not_octal_at_all(mode: int) -> None:
    assert not looks_decimal(mode, of_directory=False)


@pytest.mark.parametrize(
    ("mode", "of_directory", "usual"),
    [
        (0, False, True),
        (0o644, False, True),
        (0o111, False, False),  # nobody may read it
        (0o464, False, False),  # the group has more than the owner
        (0o647, False, False),  # others have more than the group
        (0o300, False, False),  # written, but not read
        (0o744, False, False),  # run by the owner, and read by others who may not
        (0o754, False, False),
        (0o740, False, False),
        (0o755, False, True),
        (0o700, False, True),
        (0o4755, False, True),
        (0o2755, False, True),
        (0o4644, False, False),  # setuid, but nobody runs it
        (0o4777, False, False),  # setuid, and everybody writes it
        (0o1755, False, False),  # sticky
        (0o755, True, True),
        (0o644, True, False),  # nobody enters it
        (0o4755, True, False),  # setuid
        (0o1777, True, True),
        (0o2775, True, True),
        (0o1555, True, False),  # sticky, and nobody writes
    ],
)
def test_usual_mode(mode: int, of_directory: bool, usual: bool) -> None:
    assert is_usual(mode, of_directory=of_directory) is usual


def test_directories_are_not_files() -> None:
    assert looks_decimal(755, of_directory=True)
    assert not looks_decimal(644, of_directory=True)
