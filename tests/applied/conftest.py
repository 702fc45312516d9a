"""What the tests of the record share with others: the files of a boot, loop devices."""

from tests.stages.conftest import boot, make_loop

__all__ = ["boot", "make_loop"]
