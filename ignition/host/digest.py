"""SHA-512 of a config, for log and marks."""


def sha512(content: bytes) -> str:
    """Hexadecimal digest.

    hashlib loads OpenSSL, which costs 4 ms of every first boot; CPython's own implementation is built into the interpreter.
    """
    try:
        from _sha512 import sha512 as function  # type: ignore[import-not-found,unused-ignore]  # CPython <= 3.11
    except ImportError:
        from hashlib import sha512 as function
    return str(function(content).hexdigest())
