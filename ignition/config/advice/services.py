"""W9 and W10: services that systemd refuses to load, and command lines that do not do what they seem to.

Source: systemd.service(5), and the checks of systemd when it loads a service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ignition.config.advice import known_units
from ignition.config.advice.subject import advice
from ignition.config.advice.unit_files import UnitText
from ignition.config.advice.unit_options import inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject
    from ignition.config.report import Finding
    from ignition.config.unit_syntax import Option

COMMANDS = ("ExecStart", "ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost", "ExecReload", "ExecCondition")
_PREFIXES = "@-:+!|"
_SHELL = {"|", "||", "&&", "&", ">", ">>", "<", "2>&1", "2>", "&>"}
_YES = ("1", "yes", "y", "true", "t", "on")
# Services with one ExecStart=, of which only one is allowed: a drop-in would add a second one.
_ONE_COMMAND = frozenset(
    f"{name}.service"
    for name in (
        "chronyd containerd crio docker etcd etcd-member etcd2 flanneld getty@ kubelet locksmithd NetworkManager nginx "
        "serial-getty@ ssh sshd systemd-journald systemd-logind systemd-networkd systemd-resolved systemd-timesyncd "
        "systemd-udevd update-engine zincati"
    ).split()
)


def advise(subject: Subject) -> Iterator[Finding]:
    """Service by service."""
    for name, texts in subject.unit_files.texts.items():
        if known_units.kind_of(name) == "service":
            yield from _loads(subject, name, texts)
    for text in subject.unit_files.all():
        yield from _command_lines(subject, text)


def _loads(subject: Subject, name: str, texts: list[UnitText]) -> Iterator[Finding]:
    own = texts[0]
    if own.is_dropin:
        template = known_units.template(name) or name
        if name in _ONE_COMMAND or template in _ONE_COMMAND:
            yield from _second_command(subject, name, texts, commands=1)
        return
    yield from _second_command(subject, name, texts, commands=0)
    if _value(texts, "ExecStart") or _value(texts, "SuccessAction", "Unit"):
        return
    lasts = (_value(texts, "RemainAfterExit") or "").lower() in _YES
    may_lack = _value(texts, "Type") == "oneshot" and lasts and _value(texts, "ExecStop")
    if not may_lack:
        fix = "add ExecStart=/path/to/program"
        yield advice("W9", own.path, "service has no ExecStart: systemd refuses to load it", fix)


def _value(texts: list[UnitText], name: str, section: str = "Service") -> str:
    values = [text.first(section, name) for text in texts]
    return next((value for value in reversed(values) if value), "")


def _second_command(subject: Subject, name: str, texts: list[UnitText], commands: int) -> Iterator[Finding]:
    if _value(texts, "Type") == "oneshot":
        return
    for text in texts:
        for option in text.options:
            if (option.section, option.name) != ("Service", "ExecStart"):
                continue
            # An empty assignment resets the list.
            commands = commands + 1 if option.value else 0
            if commands == 2:
                message = f"a second ExecStart of {name}: systemd refuses to load it unless it is of Type=oneshot"
                fix = "put an empty ExecStart= before it, which resets the list, or use ExecStartPre="
                yield advice("W9", text.path, message, fix, inside(subject, text, option))


def program_of(option: Option) -> str:
    """The program that a command line starts."""
    return option.value.split()[0].lstrip(_PREFIXES).strip("\"'")


def _command_lines(subject: Subject, text: UnitText) -> Iterator[Finding]:
    for option in text.options:
        if option.name not in COMMANDS or not option.value:
            continue
        words = option.value.split()[1:]
        bare = program_of(option)
        place = inside(subject, text, option)
        # A bare name is fine: systemd searches a fixed PATH. So are specifiers and variables.
        if "/" in bare and not bare.startswith(("/", "%", "$")):
            message = f"{option.name} runs a program by a relative path: systemd refuses that"
            yield advice("W10", text.path, message, "write the absolute path", place)
        found = next((word for word in _unquoted(words) if word in _SHELL), "")
        if found:
            message = f"{option.name} has {found} as an argument: systemd does not start a shell, so the program gets it verbatim"
            yield advice("W10", text.path, message, "write /bin/sh -c '…'", place)


def _unquoted(words: list[str]) -> list[str]:
    """Words outside quotes."""
    rest = re.sub(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", "''", " ".join(words))
    return rest.split() if rest.count('"') == 0 and rest.count("'") % 2 == 0 else []
