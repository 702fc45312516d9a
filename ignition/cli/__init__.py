"""Flags and main() of each program: the only place that exits or prints."""
