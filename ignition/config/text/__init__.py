"""The text of a config: its kind, decompression, syntax, and the positions of values in it."""
