"""W9, W10 and W28 for each option: the values that its page of systemd accepts get no advice, others do."""

import json

import pytest

from tests.config.advice.row import Advised, advised, file, files, unit, units

YES_OR_NO = "1 yes y true t on 0 no n false f off TRUE No"
WORDS = {  # systemd.service(5), systemd.kill(5), systemd.exec(5)
    "Type": "simple exec forking oneshot dbus notify notify-reload idle",
    "Restart": "no on-success on-failure on-abnormal on-watchdog on-abort always",
    "RestartMode": "normal direct debug",
    "ExitType": "main cgroup",
    "NotifyAccess": "none main exec all",
    "KillMode": "control-group process mixed none",
    "ProtectSystem": f"{YES_OR_NO} full strict",
    "ProtectHome": f"{YES_OR_NO} read-only tmpfs",
    "OOMPolicy": "continue stop kill",
    "RemainAfterExit": YES_OR_NO,
}
CONDITIONS = (  # systemd.unit(5)
    "ConditionPathExists ConditionPathExistsGlob ConditionPathIsDirectory ConditionPathIsSymbolicLink ConditionPathIsMountPoint "
    "ConditionPathIsReadWrite ConditionDirectoryNotEmpty ConditionFileNotEmpty ConditionFileIsExecutable"
)
WATCHED = "PathExists PathExistsGlob PathChanged PathModified DirectoryNotEmpty"  # systemd.path(5)
NEEDED = {  # kind → section, options of which it needs one, and the end of the message
    "timer": (
        "Timer",
        "OnActiveSec OnBootSec OnStartupSec OnUnitActiveSec OnUnitInactiveSec OnCalendar OnClockChange OnTimezoneChange",
        "OnActiveSec=, OnBootSec=, OnStartupSec= …",
    ),
    "path": ("Path", WATCHED, "PathExists=, PathExistsGlob=, PathChanged= …"),
    "socket": (
        "Socket",
        "ListenStream ListenDatagram ListenSequentialPacket ListenFIFO ListenSpecial ListenNetlink ListenMessageQueue "
        "ListenUSBFunction",
        "ListenStream=, ListenDatagram=, ListenSequentialPacket= …",
    ),
    "mount": ("Mount", "What", "What="),
}
VALUES = {"OnCalendar": "daily", "OnClockChange": "yes", "OnTimezoneChange": "yes", "What": "/dev/vdb"}


def of_unit(name: str, contents: str) -> list[Advised]:
    return advised(units(unit(name, contents, mark="")))


def of_service(*lines: str, unit_lines: tuple[str, ...] = ()) -> list[Advised]:
    return of_unit("a.service", "\n".join(["[Unit]", *unit_lines, "[Service]", *lines, ""]))


@pytest.mark.parametrize("option", WORDS)
def test_each_word_of_the_manual_page_is_accepted(option: str) -> None:
    needs = ["ExecStart=/bin/a"]
    lines = [f"{option}={word}" for word in WORDS[option].split()]
    assert of_service(*needs, *lines) == []
    [wrong] = of_service(*needs, f"{option}=surely")
    assert wrong.rule == "W28" and wrong.message.endswith("ignores 'surely'" if option == "RemainAfterExit" else "ignores it")


def test_words_are_listed_without_the_short_ones() -> None:
    [wrong] = of_service("ExecStart=/bin/a", "ProtectSystem=ful")
    assert wrong.fix == "did you mean full? one of yes, true, on, no, false, off, full, strict"


@pytest.mark.parametrize("value", "yes no ipv4 ipv6 v4 v6 both none".split())
def test_dhcp_of_a_network(value: str) -> None:
    assert of_network(f"[Network]\nDHCP={value}\n") == []
    assert [one.rule for one in of_network(f"[Network]\nDHCP={value}x\n")] == ["W28"]


@pytest.mark.parametrize("option", CONDITIONS.split())
def test_condition_has_an_absolute_path(option: str) -> None:
    assert of_service("ExecStart=/bin/a", unit_lines=(f"{option}=/a", f"{option}=!/a", f"{option}=|!/a", f"{option}=%t/a")) == []
    [wrong] = of_service("ExecStart=/bin/a", unit_lines=(f"{option}=|!a/b",))
    assert (wrong.rule, wrong.message) == ("W28", f"{option}= is not an absolute path: systemd ignores '|!a/b'")
    assert wrong.fix == "write |!/a/b"


@pytest.mark.parametrize(
    "option, right, wrong",
    [
        ("WorkingDirectory", ("/a", "-/a", "~", "-~"), ("a", "~/a")),
        ("RootDirectory", ("/a", "-/a"), ("a", "~")),
        ("RootImage", ("/a", "-/a"), ("-a",)),
        ("EnvironmentFile", ("/a", "-/a"), ("a", "-a")),
    ],
)
def test_path_of_a_service_is_absolute(option: str, right: tuple[str, ...], wrong: tuple[str, ...]) -> None:
    assert of_service("ExecStart=/bin/a", *(f"{option}={value}" for value in right)) == []
    found = of_service("ExecStart=/bin/a", *(f"{option}={value}" for value in wrong))
    assert [one.message for one in found] == [f"{option}= is not an absolute path: systemd ignores '{one}'" for one in wrong]


@pytest.mark.parametrize("option", WATCHED.split())
def test_watched_path_is_absolute(option: str) -> None:
    assert of_unit("sshd.path", f"[Path]\n{option}=/a\n") == []
    assert [one.fix for one in of_unit("sshd.path", f"[Path]\n{option}=a\n")] == ["write /a"]


@pytest.mark.parametrize("kind", NEEDED)
def test_unit_needs_one_of_its_options(kind: str) -> None:
    section, options, listed = NEEDED[kind]
    name = "srv.mount" if kind == "mount" else f"sshd.{kind}"
    fixed = "[Unit]\nDescription=a\n" + ("[Mount]\nWhere=/srv\n" if kind == "mount" else "")
    for option in options.split():
        value = VALUES.get(option, "5min" if kind == "timer" else "/a")
        assert of_unit(name, f"{fixed}[{section}]\n{option}={value}\n") == [], option
    [missing] = of_unit(name, fixed)
    assert (missing.rule, missing.path) == ("W9", "$.systemd.units.0.contents")
    assert missing.message == f"{kind} has none of {listed}: systemd refuses to load it"


def test_drop_in_may_hold_the_option_and_needs_none() -> None:
    dropin = {"name": "b.conf", "contents": "[Timer]\nOnBootSec=5min\n"}
    more = f'"dropins": [{json.dumps(dropin)}]'
    assert advised(units(unit("sshd.timer", "[Unit]\nDescription=a\n", more, mark=""))) == []
    other = {**dropin, "contents": "[Unit]\nDescription=a\n"}
    assert advised(units(unit("fstrim.timer", more=f'"dropins": [{json.dumps(other)}]'))) == []


@pytest.mark.parametrize("value", ["%i", "$A", "a%%b"])
def test_values_with_specifiers_and_variables_are_not_checked(value: str) -> None:
    assert of_service("ExecStart=/bin/a", f"WorkingDirectory={value}", f"RestartSec={value}") == []


@pytest.mark.parametrize("value, quoted", [("b" * 40, f"'{'b' * 40}'"), ("b" * 41, "the value"), ("b\x7fc", "the value")])
def test_long_and_odd_values_are_not_quoted(value: str, quoted: str) -> None:
    [wrong] = of_service("ExecStart=/bin/a", f"RemainAfterExit={value}")
    assert wrong.message == f"RemainAfterExit= is not a boolean: systemd ignores {quoted}"


@pytest.mark.parametrize(
    "value, right", [("0", True), ("77777", True), ("777777", False), ("8", False), ("", True), ("u=rwx", False)]
)
def test_mode_is_octal(value: str, *, right: bool) -> None:
    assert [one.rule for one in of_service("ExecStart=/bin/a", f"UMask={value}")] == ([] if right else ["W28"])


def of_network(contents: str, name: str = "a.network") -> list[Advised]:
    return advised(files(file(f"/etc/systemd/network/{name}", contents)))


@pytest.mark.parametrize(
    "section, option, right, wrong",
    [
        ("Network", "Address", ("10.0.0.2/24", "10.0.0.2", "2001:db8::2/64"), ("10.0.0.2/33", "10.0.0", "router")),
        ("Address", "Address", ("10.0.0.2/24", "fe80::1"), ("10.0.0.256",)),
        ("Network", "Gateway", ("10.0.0.1", "fe80::1", "_dhcp4", "_ipv6ra"), ("10.0.0.1/24", "_dhcp")),
        ("Route", "Gateway", ("10.0.0.1", "_dhcp4"), ("10.0.0", "gateway")),
        ("Route", "Destination", ("anything",), ()),
        ("DHCPServer", "MaxLeaseTimeSec", ("5 Minuten",), ()),
    ],
)
def test_address_of_a_network(section: str, option: str, right: tuple[str, ...], wrong: tuple[str, ...]) -> None:
    assert of_network("".join(f"[{section}]\n{option}={value}\n" for value in right)) == []
    found = of_network("".join(f"[{section}]\n{option}={value}\n" for value in wrong))
    assert [one.message for one in found] == [f"{option}= is not an address: networkd ignores '{value}'" for value in wrong]
    form = "10.0.0.2/24 or 2001:db8::2/64" if option == "Address" else "10.0.0.1 or fe80::1"
    assert {one.fix for one in found} <= {f"write it as {form}"}


@pytest.mark.parametrize(
    "name, contents, message",
    [
        ("srv.mount", "[Mount]\nWhat=/dev/vdb\nWhere=srv\n", "Where= is not an absolute path: systemd ignores 'srv'"),
        ("srv.mount", "[Mount]\nWhat=/dev/vdb\nWhere=/srv/\n", ""),
        ("srv-a.mount", "[Mount]\nWhat=/dev/vdb\nWhere=/srv/../a\n", ""),  # refused for another reason
        ("srv@a.mount", "[Mount]\nWhat=/dev/vdb\nWhere=/srv/b\n", ""),  # a template
        ("dev-vdb.swap", "[Swap]\nWhat=LABEL=a\n", ""),
        ("srv.automount", "[Automount]\nWhere=/a\n", "Where= is '/a', but the unit is named srv.automount"),
    ],
)
def test_name_of_a_mount(name: str, contents: str, message: str) -> None:
    assert [one.message[: len(message)] for one in of_unit(name, contents)] == ([message] if message else [])


# W10: command lines.


@pytest.mark.parametrize("option", "ExecStart ExecStartPre ExecStartPost ExecStop ExecStopPost ExecReload ExecCondition".split())
def test_command_line_of_each_option(option: str) -> None:
    kept = ["Type=oneshot", "ExecStart=/bin/a"]
    assert of_service(*kept, f"{option}=/bin/b x") == []
    found = of_service(*kept, f"{option}=bin/b", f"{option}=/bin/b > /c")
    assert [(one.rule, one.message.partition(":")[0]) for one in found] == [
        ("W10", f"{option} runs a program by a relative path"),
        ("W10", f"{option} has > as an argument"),
    ]
    assert [one.fix for one in found] == ["write the absolute path", "write /bin/sh -c '…'"]


@pytest.mark.parametrize("word", "| || && & > >> < 2>&1 2> &>".split())
def test_syntax_of_a_shell_is_not_interpreted(word: str) -> None:
    [found] = of_service(f"ExecStart=/bin/a b {word} /bin/c")
    assert (
        found.message == f"ExecStart has {word} as an argument: systemd does not start a shell, so the program gets it verbatim"
    )
    for kept in (
        f"/bin/a '{word}'",
        f'/bin/a "x {word} y"',
        f'/bin/a "\\" {word}"',
        f"/bin/a 'it\\' {word} ok'",
        f"/bin/a b{word}",
    ):
        assert of_service(f"ExecStart={kept}") == [], kept


@pytest.mark.parametrize("command", ["a b/c", "@/bin/a b", "-:+!|/bin/a", "%h/bin/a", "$A/b", "'/bin/a b'"])
def test_program_that_systemd_finds(command: str) -> None:
    assert of_service(f"ExecStart={command}") == []


@pytest.mark.parametrize(
    "lines, is_loaded",
    [
        (["Type=oneshot", "SuccessAction=poweroff"], False),  # an option of [Unit]
        (["Type=oneshot", "RemainAfterExit=yes", "ExecStop=/bin/a"], True),
        (["Type=oneshot", "RemainAfterExit=ON", "ExecStop=/bin/a"], True),
        (["Type=oneshot", "RemainAfterExit=no", "ExecStop=/bin/a"], False),
        (["Type=simple", "RemainAfterExit=yes", "ExecStop=/bin/a"], False),
        (["Type=oneshot", "RemainAfterExit=yes"], False),
        (["Type=oneshot", "ExecStop=/bin/a"], False),
        (["Type=oneshot", "Type=simple", "RemainAfterExit=yes", "ExecStop=/bin/a"], False),  # the last one counts
        (["Type=simple", "Type=oneshot", "RemainAfterExit=yes", "ExecStop=/bin/a"], True),
    ],
)
def test_service_without_a_command(lines: list[str], *, is_loaded: bool) -> None:
    assert [one.rule for one in of_service(*lines) if one.rule == "W9"] == ([] if is_loaded else ["W9"])


def test_unit_with_a_success_action_needs_no_command() -> None:
    assert of_service("Type=oneshot", unit_lines=("SuccessAction=poweroff",)) == []


@pytest.mark.parametrize(
    "lines, refused",
    [
        (["ExecStart=/a", "ExecStart=/b"], 1),
        (["ExecStart=/a", "ExecStart=/b", "ExecStart=/c"], 1),  # once
        (["ExecStart=/a", "ExecStart=", "ExecStart=/b"], 0),
        (["ExecStart=/a", "ExecStart=", "ExecStart=/b", "ExecStart=/c"], 1),
        (["Type=oneshot", "ExecStart=/a", "ExecStart=/b"], 0),
        (["ExecStart=/a", "ExecStartPre=/b", "ExecStartPost=/c"], 0),
    ],
)
def test_second_command(lines: list[str], refused: int) -> None:
    assert [one.rule for one in of_service(*lines)] == ["W9"] * refused


@pytest.mark.parametrize(
    "name, refused",
    [
        *(
            (f"{one}.service", 1)
            for one in "docker sshd containerd kubelet etcd update-engine getty@tty1 serial-getty@ttyS0".split()
        ),
        ("rpc-statd.service", 0),  # how many commands it has is not known
    ],
)
def test_command_that_a_drop_in_adds(name: str, refused: int) -> None:
    dropin = json.dumps({"name": "b.conf", "contents": "[Service]\nExecStart=/bin/a\n"})
    assert [one.rule for one in advised(units(unit(name, more=f'"dropins": [{dropin}]')))] == ["W9"] * refused
