"""Writes the lists; as root, since one run needs a network namespace."""

from tests.loaded_modules import write

write()
