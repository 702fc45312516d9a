"""Partitions, file systems and the growth of ROOT: pure planning beside the operations."""
