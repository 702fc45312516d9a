"""The command `render-ignition`: fragments of a base config from the platform's metadata (Azure).

Source: docs/reference/platforms.md §4.1.

hostname.ign has the host name; user.ign the first user with SSH keys and, if the platform has one, a hashed password.
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import string

from coreos_metadata.transport import SETTINGS
from coreos_metadata.usage import command, provider
from ignition import platforms
from ignition.cli.flags import DIRECTORIES, Flag, UsageError
from ignition.errors import Failure, NotHere
from ignition.fetch.engine import Fetcher
from ignition.host import hostnames, log
from ignition.host.root import put
from ignition.metadata.table import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values
    from ignition.metadata.table import FirstUser


VERSION = "3.0.0"
PUBLIC, SECRET = 0o644, 0o600


PROGRAM = command(
    "render-ignition",
    "write fragments of a base config from the platform's metadata",
    (
        Flag("render-ignition-dir", "", "directory for hostname.ign and user.ign (required)", value="DIR", offers=DIRECTORIES),
        Flag("disable-hostname-fragment", False, "do not write hostname.ign"),
        Flag("disable-user-fragment", False, "do not write user.ign"),
    ),
    usage=("--provider ID|--cmdline --render-ignition-dir DIR [options]",),
)


def run(values: Values) -> None:
    """Write the fragments that the platform has data for. As in Afterburn, raises Failure on platforms without a first user."""
    if not values["render-ignition-dir"]:
        raise UsageError("--render-ignition-dir is required")
    name = provider(values)
    tables = platforms.metadata(name)
    if not any(table.first_user for table in tables):
        raise Failure(f"platform {name!r} is not supported by render-ignition", fix=f"use one of: {', '.join(_supported())}")
    if values["disable-hostname-fragment"] and values["disable-user-fragment"]:
        log.warning("both fragments are disabled; nothing is written")
        return
    with Fetcher(SETTINGS, offline=False) as fetcher:
        try:
            with opened(tables, fetcher) as (table, reader):
                hostname = None if values["disable-hostname-fragment"] else reader.hostname()
                user = table.first_user(reader) if table.first_user and not values["disable-user-fragment"] else None
        except NotHere as reason:
            raise Failure(str(reason), where=f"platform {name}", fix="check how the machine was set up") from reason
    if user and not (user.password or user.ssh_keys) and user.was_given_keys:
        what = f"none of the SSH keys of user {user.name} is valid"
        raise Failure(what, where=f"platform {name}", fix="correct them at the platform")
    # As Afterburn's fragment: unlike with --hostname, a long name stays whole, and systemd cuts it when it reads the file.
    hostname = hostnames.of_platform(hostname, cut=False) if hostname else ""
    if hostname:
        _write(values["render-ignition-dir"], "hostname.ign", with_hostname(hostname), mode=PUBLIC)
    if user and (user.ssh_keys or user.password):
        _write(values["render-ignition-dir"], "user.ign", with_user(user), mode=SECRET if user.password else PUBLIC)


def _supported() -> list[str]:
    """The platforms that have a first user."""
    return [name for name in platforms.ids() if any(table.first_user for table in platforms.module(name).metadata)]


def _write(directory: str, name: str, config: dict[str, object], *, mode: int) -> None:
    put(os.path.join(directory, name), f"{json.dumps(config, indent=2)}\n".encode(), mode=mode)
    log.info(f"wrote {os.path.join(directory, name)}")


def with_hostname(name: str) -> dict[str, object]:
    """A config that writes /etc/hostname."""
    # As Afterburn: everything except letters and digits is escaped, including characters that a URL allows.
    source = "data:," + "".join(one if one.isalnum() else f"%{ord(one):02X}" for one in name)  # ASCII: it is a host name
    file = {"path": "/etc/hostname", "mode": PUBLIC, "overwrite": True, "contents": {"source": source}}
    return {"ignition": {"version": VERSION}, "storage": {"files": [file]}}


def with_user(user: FirstUser) -> dict[str, object]:
    """A config that creates the user; the password is hashed."""
    entry: dict[str, object] = {"name": user.name}
    if user.ssh_keys:
        entry["sshAuthorizedKeys"] = user.ssh_keys
    if user.password:
        entry["passwordHash"] = hashed_password(user.password)
    return {"ignition": {"version": VERSION}, "passwd": {"users": [entry]}}


# A password's hash for /etc/shadow: crypt(3) of libcrypt, SHA-512 as docs/reference/platforms.md §4.1 has it.
#
# Through ctypes: Python 3.13 removed the crypt module, and a program for it (openssl) would add a megabyte to the initramfs.

LIBRARY = "libcrypt.so.1"
METHOD = "$6$rounds=10000$"
SALT_CHARACTERS = 16


def hashed_password(password: str) -> str:
    """The hash (crypt(5)), with a new salt. Raises Failure if the library is missing or refuses."""
    salt = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(SALT_CHARACTERS))
    try:
        crypt = ctypes.CDLL(LIBRARY).crypt
    except OSError as error:
        raise Failure(f"{LIBRARY} is missing: passwords cannot be hashed", fix="add it to the image") from error
    crypt.restype, crypt.argtypes = ctypes.c_char_p, [ctypes.c_char_p, ctypes.c_char_p]
    found = crypt(password.encode(), f"{METHOD}{salt}".encode())
    # libcrypt refuses long ones, and reads up to a NUL: the rest would not be part of the password.
    if "\0" in password or not found or not found.startswith(METHOD.encode()):
        raise Failure("the password cannot be hashed", fix="use one of at most 511 bytes, without NUL characters")
    return str(found.decode())
