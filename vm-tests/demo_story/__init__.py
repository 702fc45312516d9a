"""The parts of `make demo`: what it boots, and how it tells about it."""
