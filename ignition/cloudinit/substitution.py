"""Tokens such as `$private_ipv4` in user data. Source: docs/reference/coreos-cloudinit.md §9.

Better than the original: two equal tokens side by side are both replaced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ignition.host import reading
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cloudinit.datasources import Metadata


# For texts that are only validated: RFC 5737, RFC 3849.
EXAMPLES = {"public_ipv4": "192.0.2.1", "private_ipv4": "192.0.2.2", "public_ipv6": "2001:db8::1", "private_ipv6": "2001:db8::2"}
TOKENS = ("public_ipv4", "private_ipv4", "public_ipv6", "private_ipv6")
_TOKEN = lazy_pattern(rb"(\\?)(\$(public_ipv4|private_ipv4|public_ipv6|private_ipv6))")


def variable(token: str) -> str:
    """The variable of a token, in the environment and in /etc/environment: `public_ipv4` → `COREOS_PUBLIC_IPV4`."""
    return f"COREOS_{token.upper()}"


def values(metadata: Metadata, environment: Mapping[str, str]) -> dict[str, str]:
    """The address of each token: from the datasource, else from the environment, else ""."""
    return {token: getattr(metadata, token) or environment.get(variable(token), "") for token in TOKENS}


def substitute(text: bytes, addresses: Mapping[str, str]) -> bytes:
    """Replace tokens with addresses, including empty ones. A token behind a backslash stays, without the backslash."""

    def put(match: re.Match[bytes]) -> bytes:
        return match[2] if match[1] else addresses[match[3].decode()].encode()

    return _TOKEN.sub(put, text)


# /etc/environment with the machine's addresses. Source: docs/reference/coreos-cloudinit.md §16.

ENVIRONMENT_FILE = "/etc/environment"


def merged_environment(text: str, values: Mapping[str, str]) -> str:
    """The text with a line for each variable that has a value: its first line is replaced, or one is appended, sorted by name.

    Without any value the text is unchanged, including line ends.
    """
    missing = {name: value for name, value in values.items() if value}
    if not missing:
        return text
    lines = [line.removesuffix("\r") for line in reading.lines(text)]
    for number, line in enumerate(lines):
        name = line.partition("=")[0]
        if "=" in line and name in missing:
            lines[number] = f"{name}={missing.pop(name)}"
    lines += [f"{name}={missing[name]}" for name in sorted(missing)]
    return "".join(line + "\n" for line in lines)
