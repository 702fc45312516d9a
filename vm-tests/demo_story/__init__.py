"""The parts of `make demo`: the machine that it boots, and the report on it."""
