"""Limits on input from others. Each is named once, here; docs/fetching.md and docs/configs.md list those that users may meet.

They are far above the needs of real machines, and low enough for one with 1 GiB of memory.
"""

from __future__ import annotations

MIB = 1 << 20

IN_MEMORY = 64 * MIB  # bytes of a config, key, certificate or metadata document, fetched or unpacked
UNPACKED = 256 * MIB  # bytes of all packed files of a cloud-config; each has IN_MEMORY, although it is written in pieces
PACKED_LAYERS = 2  # tools that pack a packed text again are common; a third layer is a mistake or an attack
YAML_TEXT = 8 * MIB  # bytes of a YAML document, and of all its scalars once aliases are expanded
YAML_NODES = 200_000  # values of a YAML document, aliases expanded
METADATA_TEXT = 16 * MIB  # bytes of a JSON or XML document of a platform
METADATA_NODES = 200_000  # its elements or values
NESTED = 100  # levels of a YAML, JSON or XML document
FINDINGS = 1000  # listed per config and level; the rest is counted
SYSTEM_FILE = 8 * MIB  # bytes of a file of a root that is read as text: passwd with 100,000 users
SEALED = MIB  # bytes of a sealed value in base64url: a key, a password, a certificate with its key
UNIT_FILE = MIB  # bytes; real units have some hundred
SSHD_CONFIG = MIB  # bytes of each of its files
CHUNK = MIB  # bytes of a file that is copied or compared in pieces

REDIRECTS = 20
HEADER_BYTES = MIB  # of one response, including interim responses, those of a proxy, and trailers
LOCATION = 16 * 1024  # characters of a redirect's target
TOKEN = 16 * 1024  # bytes of an access token; Azure's have 2 KiB
CONFIGS = 256 * MIB  # bytes, unpacked, of all configs that a config refers to
REFERENCED_CONFIGS = 500  # merged, appended or replacing configs of one machine
REFERENCE_DEPTH = 32  # configs that refer to each other
SSH_KEYS = 1000  # of one platform
