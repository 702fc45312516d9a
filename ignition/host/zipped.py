"""Packages in the one file of `make zipapp`, which has no directories that could be listed."""

from __future__ import annotations

from collections.abc import Iterable
from pkgutil import iter_modules  # 10 ms, and modules that an initramfs does without


def modules(package: Iterable[str]) -> list[str]:
    """`aws.py` and so on: the modules of a package with this __path__."""
    return [f"{module.name}.py" for module in iter_modules(package)]
