"""What user data is: a cloud-config, a script, an Ignition config, several of them in one mail-like text, or unknown.

Source: docs/reference/coreos-cloudinit.md §7. All of it is about bytes: what is no text is "unknown". What the agent leaves to
this program is said in config/text/kinds.py; an Ignition config is left to the agent.
"""

import json

from ignition.config.text import kinds, odd_input, packed
from ignition.errors import Failure

EMPTY, SCRIPT, CLOUD_CONFIG, MULTIPART = kinds.EMPTY, kinds.SCRIPT, kinds.CLOUD_CONFIG, kinds.MULTIPART
IGNITION, UNKNOWN = "ignition", "unknown"
MUST_BE = 'must be "#cloud-config" or begin with "#!"'
NAMES = {SCRIPT: "userdata.sh", CLOUD_CONFIG: "cloud-config.yaml", IGNITION: "ignition.json"}  # of what has none


class Part:
    """One piece of user data that is treated on its own. `kind`: one of the constants, but neither empty nor multipart."""

    def __init__(self, kind: str, name: str, text: bytes) -> None:
        self.kind, self.name, self.text = kind, name or NAMES.get(kind, "userdata.txt"), text

    def with_text(self, text: bytes) -> "Part":
        """The same piece, after substitution."""
        return Part(self.kind, self.name, text)


def unpacked(data: bytes) -> bytes:
    """Without gzip or zstd around it. Raises Failure for what is damaged or unfolds to too much."""
    return packed.unpack(data)


def kind(data: bytes) -> str:
    """One of the constants above."""
    return kinds.of(data) or (IGNITION if _is_ignition(data) else UNKNOWN)


def title(part: Part) -> str:
    """What a piece that is left alone is, for people."""
    return "unknown" if part.kind == UNKNOWN else odd_input.transpilable(part.text) or "an Ignition config"


def parts(data: bytes, problems: "list[Failure]") -> list[Part]:
    """The pieces in the order of the text; none for no data. What cannot be taken apart is missing, and told in `problems`."""
    from ignition.cloudinit import multipart

    found = kind(data)
    if found == EMPTY:
        return []
    if found == MULTIPART:
        try:
            return multipart.parts(data, problems)
        except Failure as failure:
            problems.append(failure)
            return []
    return [Part(found, "", data)]


def _is_ignition(data: bytes) -> bool:
    """Also YAML that the agent makes an Ignition config of."""
    if not data.lstrip().startswith(b"{"):
        return bool(odd_input.transpilable(data))
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return False
    if type(value.get("ignitionVersion")) is int:
        return True
    section = value.get("ignition")
    return isinstance(section, dict) and isinstance(section.get("version"), str)
