"""/etc/environment with the machine's addresses. Source: docs/reference/coreos-cloudinit.md §16."""

from ignition.host import reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "/etc/environment"


def merged(text: str, values: "Mapping[str, str]") -> str:
    """The text with a line per variable that has a value: its first line is replaced, or one appended in order of the names.

    Without any value the text stays as it is, line ends included.
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
