"""Writes the expected files of the corpus and the table of keys."""

from tests.from_cloud_config.corpus import write

write()
