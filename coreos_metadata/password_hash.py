"""A password's hash for /etc/shadow: crypt(3) of libcrypt, SHA-512 as docs/reference/platforms.md §4.1 has it.

By ctypes: Python 3.13 has no crypt module any more, and a program that does it (openssl) would be a megabyte of the initramfs.
"""

import ctypes
import secrets
import string

from ignition.errors import Failure

LIBRARY = "libcrypt.so.1"
METHOD = "$6$rounds=10000$"
SALT_CHARACTERS = 16


def hashed(password: str) -> str:
    """crypt(5), with a new salt. Raises Failure where the library is missing or refuses."""
    salt = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(SALT_CHARACTERS))
    try:
        crypt = ctypes.CDLL(LIBRARY).crypt
    except OSError as error:
        raise Failure(f"{LIBRARY} is missing, so no password can be hashed", fix="add it to the image") from error
    crypt.restype, crypt.argtypes = ctypes.c_char_p, [ctypes.c_char_p, ctypes.c_char_p]
    found = crypt(password.encode(), f"{METHOD}{salt}".encode())
    if not found or not found.startswith(METHOD.encode()):
        raise Failure("the password cannot be hashed", fix="check that it has no NUL character")
    return str(found.decode())
