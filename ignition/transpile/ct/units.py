"""The text of generated drop-ins. Source: docs/reference/config-transpiler.md §A6.1 and §A7."""

from __future__ import annotations

from ignition.transpile.ct import dynamic

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
METADATA = "coreos-metadata.service"
METADATA_KEYS = "coreos-metadata-sshkeys@.service"
OVERRIDE = "20-clct-provider-override.conf"


class Dropin:
    """Another command line for a service. `arguments`: by the member that each comes from; `environment`: `NAME=value`;
    `after`: lines behind the command.
    """

    def __init__(self, command: str, arguments: dict[str, str]) -> None:
        self.command, self.arguments = command, arguments
        self.environment: list[str] = []
        self.after: list[str] = []

    def text(self, platform: dynamic.Platform) -> str:
        """The text with dynamic data expanded to the platform's variables. Raises dynamic.Unavailable."""
        is_dynamic = any(map(dynamic.is_used, self.arguments.values()))
        arguments = [dynamic.expanded(name, value, platform) for name, value in self.arguments.items()]
        lines = [f"[Unit]\nRequires={METADATA}\nAfter={METADATA}\n"] if is_dynamic else []
        lines.append("[Service]")
        if is_dynamic:
            lines.append("EnvironmentFile=/run/metadata/coreos")
        lines += [f'Environment="{one}"' for one in self.environment]
        lines += ["ExecStart=", " \\\n  ".join([f"ExecStart={self.command}", *arguments]), *self.after]
        return "\n".join(lines)


def provider_override(platform: str) -> str:
    """The drop-in that sets the platform of coreos-metadata."""
    return f"[Service]\nEnvironment=COREOS_METADATA_OPT_PROVIDER=--provider={platform}"


def quoted(text: str) -> str:
    """The text quoted like Go's %q."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of !!binary that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
