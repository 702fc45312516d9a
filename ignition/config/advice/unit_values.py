"""W9 and W28: values that systemd refuses: it ignores the option, or does not load the unit at all.

Only values that every systemd since 245 refuses are reported; those with specifiers (%) or variables ($) are not checked.
Sources: systemd.syntax(7), systemd.time(7), systemd.unit(5) and the pages of each kind of unit; src/shared/calendarspec.c,
src/basic/time-util.c and src/core/{mount,automount,swap,timer,path,socket}.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ignition.config.advice.subject import advice
from ignition.config.advice.unit_files import UnitText
from ignition.config.advice.unit_options import inside
from ignition.config.suggest import closest
from ignition.config.unit_names import escaped, unescaped
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject
    from ignition.config.report import Finding
    from ignition.config.unit_syntax import Option

_YES, _NO = ("1", "yes", "y", "true", "t", "on"), ("0", "no", "n", "false", "f", "off")
_BOOLEANS = frozenset(  # not ProtectHostname, which takes names since 257
    "Accept AllowIsolate Broadcast DefaultDependencies DynamicUser FlushPending ForceUnmount FreeBind GuessMainPID "
    "IgnoreOnIsolate IgnoreSIGPIPE KeepAlive LazyUnmount LockPersonality MakeDirectory MemoryDenyWriteExecute NoDelay "
    "NoNewPrivileges PassCredentials PassSecurity Persistent PrivateDevices PrivateNetwork ProtectClock "
    "ProtectKernelLogs ProtectKernelModules ProtectKernelTunables ReadWriteOnly RefuseManualStart RefuseManualStop "
    "RemainAfterElapse RemainAfterExit RemoveIPC RemoveOnStop RestrictRealtime RestrictSUIDSGID RootDirectoryStartOnly "
    "SELinuxContextFromNet SendSIGHUP SendSIGKILL SloppyOptions StopWhenUnneeded SyslogLevelPrefix Transparent TTYReset "
    "TTYVHangup TTYVTDisallocate WakeSystem Writable".split()
)
_TIMES = frozenset(
    "AccuracySec DeferAcceptSec JobRunningTimeoutSec JobTimeoutSec KeepAliveIntervalSec KeepAliveTimeSec OnActiveSec OnBootSec "
    "OnStartupSec OnUnitActiveSec OnUnitInactiveSec PollLimitIntervalSec RandomizedDelaySec RestartMaxDelaySec RestartSec "
    "RuntimeMaxSec StartLimitIntervalSec TimeoutAbortSec TimeoutIdleSec TimeoutSec TimeoutStartSec TimeoutStopSec "
    "TriggerLimitIntervalSec WatchdogSec".split()
)
_MODES = frozenset(
    "CacheDirectoryMode ConfigurationDirectoryMode DirectoryMode LogsDirectoryMode RuntimeDirectoryMode SocketMode "
    "StateDirectoryMode UMask".split()
)
# (section, option) → accepted values; "" is any section.
_WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("Service", "Type"): ("simple", "exec", "forking", "oneshot", "dbus", "notify", "notify-reload", "idle"),
    ("Service", "Restart"): ("no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always"),
    ("Service", "RestartMode"): ("normal", "direct", "debug"),
    ("Service", "ExitType"): ("main", "cgroup"),
    ("Service", "NotifyAccess"): ("none", "main", "exec", "all"),
    ("", "KillMode"): ("control-group", "process", "mixed", "none"),
    ("Service", "ProtectSystem"): (*_YES, *_NO, "full", "strict"),
    ("Service", "ProtectHome"): (*_YES, *_NO, "read-only", "tmpfs"),
    ("Service", "OOMPolicy"): ("continue", "stop", "kill"),
    ("Network", "DHCP"): (*_YES, *_NO, "ipv4", "ipv6", "v4", "v6", "both", "none"),
}
_CONDITIONS = (
    "ConditionPathExists ConditionPathExistsGlob ConditionPathIsDirectory ConditionPathIsSymbolicLink ConditionPathIsMountPoint "
    "ConditionPathIsReadWrite ConditionDirectoryNotEmpty ConditionFileNotEmpty ConditionFileIsExecutable"
)
# Option → characters that may precede its absolute path.
_ABSOLUTE = {
    **dict.fromkeys("WorkingDirectory RootDirectory RootImage EnvironmentFile".split(), "-"),
    **dict.fromkeys("PathExists PathExistsGlob PathChanged PathModified DirectoryNotEmpty Where".split(), ""),
    **dict.fromkeys(_CONDITIONS.split(), "|!"),
}
_WITH_A_NAME = {"mount": ("Mount", "Where"), "automount": ("Automount", "Where"), "swap": ("Swap", "What")}
# Options of which a unit needs at least one to be loaded, and the fix.
_NEEDED = {
    "mount": ("Mount", ("What",), "add What=/dev/…"),
    "timer": (
        "Timer",
        (
            *(f"On{one}Sec" for one in ("Active", "Boot", "Startup", "UnitActive", "UnitInactive")),
            "OnCalendar",
            "OnClockChange",
            "OnTimezoneChange",
        ),
        "add OnCalendar=daily, or OnBootSec=15min",
    ),
    "path": (
        "Path",
        ("PathExists", "PathExistsGlob", "PathChanged", "PathModified", "DirectoryNotEmpty"),
        "add PathChanged=/path",
    ),
    "socket": (
        "Socket",
        tuple(f"Listen{one}" for one in "Stream Datagram SequentialPacket FIFO Special Netlink MessageQueue USBFunction".split()),
        "add ListenStream=8080",
    ),
}


def advise(subject: Subject) -> Iterator[Finding]:
    """Units of the manager, then those of networkd; in each the options in order."""
    for name, texts in subject.unit_files.texts.items():
        yield from _loads(name, texts)
    for text in (*subject.unit_files.all(), *subject.unit_files.network):
        for option in text.options:
            if option.value and not any(one in option.value for one in "%$") and (wrong := _wrong(text, option)):
                message, fix = wrong
                yield advice("W28", text.path, f"{option.name}= {message}", fix, inside(subject, text, option))


def _loads(name: str, texts: list[UnitText]) -> Iterator[Finding]:
    own = texts[0]
    section, options, fix = _NEEDED.get(own.kind, ("", (), ""))
    if own.is_dropin or not options or any(text.first(section, one) for text in texts for one in options):
        return
    if not own.options and own.kind != "mount":
        return  # malformed, which is a finding of its own, or empty
    yield advice("W9", own.path, f"{own.kind} has none of {', '.join(f'{one}=' for one in options[:3])}"
                 f"{' …' if len(options) > 3 else ''}: systemd refuses to load it", fix)  # fmt: skip


def _wrong(text: UnitText, option: Option) -> tuple[str, str] | None:
    """Why systemd refuses the value, and the fix."""
    section, name, value = option.section, option.name, option.value
    if _WITH_A_NAME.get(text.kind) == (section, name) and value.startswith("/"):
        return _misnamed(text, value)
    words = _WORDS.get((section, name)) or _WORDS.get(("", name), ())
    if words:
        return _not_a_word(value, words) if value.lower() not in words else None
    if section == "Timer" and name == "OnCalendar":
        return _not_a_time(value)
    if name in _BOOLEANS and value.lower() not in _YES + _NO:
        return f"is not a boolean: systemd ignores {_shown(value)}", "write yes or no"
    if name in _TIMES and not is_timespan(value):
        return f"is not a time span: systemd ignores {_shown(value)}", "write it as 30s, 5min, 2h 30min or infinity"
    if name in _MODES and not re.fullmatch("[0-7]{1,5}", value):
        return f"is not an octal mode: systemd ignores {_shown(value)}", "write it as 0755"
    if name in _ABSOLUTE:
        bare = value.lstrip(_ABSOLUTE[name])
        if bare and not bare.startswith("/") and (name, bare) != ("WorkingDirectory", "~"):
            return f"is not an absolute path: systemd ignores {_shown(value)}", f"write {value[: -len(bare)]}/{bare}"
    return _not_an_address(section, name, value) if text.kind == "network" else None


def _not_a_word(value: str, words: tuple[str, ...]) -> tuple[str, str]:
    near = closest(value, words)
    fix = f"{f'did you mean {near}? ' if near else ''}one of {', '.join(one for one in words if len(one) > 1)}"
    return f"does not accept {_shown(value)}: systemd ignores it", fix


def _misnamed(text: UnitText, value: str) -> tuple[str, str] | None:
    wanted = f"{escaped(value)}.{text.kind}"
    # Names of instances have specifiers, and systemd refuses .. for another reason.
    if wanted == text.unit or "@" in text.unit or ".." in value.split("/"):
        return None
    option = _WITH_A_NAME[text.kind][1]
    path = unescaped(text.unit.rpartition(".")[0])
    return (
        f"is {_shown(value)}, but the unit is named {text.unit}: systemd refuses to load it",
        f"name the unit {wanted}, or write {option}={path}",
    )


def _not_an_address(section: str, name: str, value: str) -> tuple[str, str] | None:
    import ipaddress

    if (section, name) not in (("Network", "Address"), ("Address", "Address"), ("Network", "Gateway"), ("Route", "Gateway")):
        return None
    if name == "Gateway" and value in ("_dhcp4", "_ipv6ra"):
        return None
    try:
        if name == "Address":
            ipaddress.ip_interface(value)
        else:
            ipaddress.ip_address(value)
    except ValueError:
        form = "10.0.0.2/24 or 2001:db8::2/64" if name == "Address" else "10.0.0.1 or fe80::1"
        return f"is not an address: networkd ignores {_shown(value)}", f"write it as {form}"
    return None


def _shown(value: str) -> str:
    """The value if it may be quoted: short words are hardly secrets."""
    return f"'{value}'" if len(value) <= 40 and value.isprintable() else "the value"


_UNITS = (
    "seconds second sec s minutes minute min months month M msec ms m hours hour hr h days day d weeks week w years year y "
    "usec us µs μs"
)
_UNIT = "|".join(sorted(_UNITS.split(), key=len, reverse=True))
_SPAN = lazy_pattern(rf"(?:\s*(?:\d+(?:\.\d*)?|\.\d+)\s*(?:{_UNIT})?)+\s*", re.ASCII)


def is_timespan(text: str) -> bool:
    """As parse_sec() of systemd reads it."""
    return text.strip() == "infinity" or bool(_SPAN.fullmatch(text))


_WORDS_OF_TIME = frozenset(
    "minutely hourly daily monthly annually yearly anually weekly quarterly "
    "biannually bi-annually semiannually semi-annually".split()
)
_DAYS = "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun"
_DAY = rf"(?:{'|'.join(_DAYS.split())})"
_WEEKDAYS = lazy_pattern(rf"{_DAY}(?:(?:\.\.|-|,){_DAY})*,?(?: +|$)")
_NUMBER = r"\d+(?:\.\.\d+)?(?:/\d+)?"
_CHAIN = rf"(?:\*|{_NUMBER}(?:,{_NUMBER})*)"
_SECOND = r"\d+(?:\.\d+)?(?:\.\.\d+(?:\.\d+)?)?(?:/\d+(?:\.\d+)?)?"
_SECONDS = rf"(?:\*|{_SECOND}(?:,{_SECOND})*)"
_DATE = lazy_pattern(rf"(?:(?P<year>{_CHAIN})(?P<a>[-~]))?(?P<month>{_CHAIN})(?P<b>[-~])(?P<day>{_CHAIN})(?: +|$)")
_TIME = lazy_pattern(rf"(?P<hour>{_CHAIN}):(?P<minute>{_CHAIN})(?::(?P<second>{_SECONDS}))?")
_RANGES = {"year": (0, 2200), "month": (1, 12), "day": (1, 31), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}
# With a slash, or one of the few names without one, most of them capitals: Europe/Berlin, UTC, CET, EST5EDT, Japan.
_ZONE = lazy_pattern(r"\s(?:[Uu][Tt][Cc]|[A-Z][A-Za-z0-9+_-]*(?:/[A-Za-z0-9+_-]+)+|[A-Z][A-Z0-9+-]+|[A-Z][a-z]{3,})$")


def is_calendar_event(text: str) -> bool:
    """As calendar_spec_from_string() of systemd reads it, with any word as a time zone: they depend on the image."""
    rest = text.strip()
    rest = _ZONE.sub("", rest).rstrip().lower()
    if rest in _WORDS_OF_TIME or re.fullmatch(r"@\d+(?:\.\d+)?", rest):
        return True
    found = _WEEKDAYS.match(rest)
    is_empty = not rest
    rest = rest[found.end() :] if found else rest
    members: dict[str, str | None] = {}
    if date := _DATE.match(rest):
        if date["a"] == "~":
            return False
        members |= date.groupdict()
        rest = rest[date.end() :]
    if rest:
        time = _TIME.fullmatch(rest)
        if not time:
            return False
        members |= time.groupdict()
    return not is_empty and all(_in_range(name, value) for name, value in members.items() if name in _RANGES and value)


def _in_range(name: str, chain: str) -> bool:
    low, high = _RANGES[name]
    for one in chain.split(","):
        first, _, last = one.partition("/")[0].partition("..")
        ends = [float(number) for number in (first, last) if number not in ("", "*")]
        if ends != sorted(ends) or not all(low <= number < high + 1 for number in ends):
            return False
    return True


def _not_a_time(value: str) -> tuple[str, str] | None:
    if is_calendar_event(value):
        return None
    near = closest(value, sorted(_WORDS_OF_TIME), alike=0.75)
    forms = "write it as daily, Mon *-*-* 04:00 or *:0/15; systemd-analyze calendar checks it"
    fix = f"did you mean {near}? {forms}" if near else forms
    return f"is not a calendar event: systemd ignores {_shown(value)}", fix
