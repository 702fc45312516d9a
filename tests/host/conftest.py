"""Loop devices for the tests of mounting."""

from tests.loop_devices import make_loop

__all__ = ["make_loop"]
