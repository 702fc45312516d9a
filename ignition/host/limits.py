"""How much of what others made is taken at most. Each limit is named once, here; docs/fetching.md and docs/configs.md list them.

They are far above what machines need, and low enough for one with 1 GiB of memory.
"""

from __future__ import annotations

MIB = 1 << 20

IN_MEMORY = 64 * MIB  # bytes of a config, key, certificate or metadata document, fetched or unpacked
UNPACKED = 256 * MIB  # bytes of all packed files of a cloud-config; each has IN_MEMORY, although it goes to the disk by pieces
PACKED_LAYERS = 2  # a tool that packs what is packed already is common; more is a mistake or an attack
YAML_TEXT = 8 * MIB  # bytes of a YAML document, and of all its scalars once aliases are unfolded
YAML_NODES = 200_000  # values of a YAML document, unfolded
METADATA_TEXT = 16 * MIB  # bytes of a JSON or XML document of a platform
METADATA_NODES = 200_000  # its elements or values
NESTED = 100  # levels of a YAML, JSON or XML document
FINDINGS = 1000  # listed of a config, of each level; the rest is counted

REDIRECTS = 20
HEADER_BYTES = MIB  # of one answer: interim answers, those of a proxy, and trailers included
LOCATION = 16 * 1024  # characters of a redirect's target
TOKEN = 16 * 1024  # bytes of an access token; Azure's have 2 KiB
CONFIGS = 256 * MIB  # bytes, unpacked, of all configs that a config refers to
REFERENCED_CONFIGS = 500  # merged, appended or replacing ones of one machine
REFERENCE_DEPTH = 32  # configs that lead to each other
SSH_KEYS = 1000  # of one platform
