"""Errors of a VM test. A failed expectation is not a fault of the harness, so they are different exceptions."""


class Failed(Exception):
    """The machine is not what the case expects: the message says what was expected, what was seen, and where to look."""


class HarnessError(Exception):
    """The test could not be carried out: a program, a port or the image is missing."""
