"""W1 to W10 by example."""

import json

from tests.config.advice.row import (
    CONTENTS,
    IMAGE,
    INSTALL,
    KEPT,
    NAME,
    NO_EFFECT,
    NO_UNIT,
    SERVICE,
    Row,
    file,
    files,
    plain,
    service,
    unit,
    units,
)

UNITS = [
    Row(
        "W1",
        units(unit("sshdd.service", mark="name", more='"enabled": true')),
        NAME,
        f"unit is enabled, but {NO_UNIT}",
        f"did you mean sshd.service? {KEPT}",
        units(unit("sshd.service", more='"enabled": true')),
    ),
    Row(
        "W1",
        units(unit("Docker.socket", mark="name", more='"enabled": false')),
        NAME,
        f"unit is disabled, but {NO_UNIT}",
        f"did you mean docker.socket? {KEPT}",
        units(unit("my-own.socket", more='"enabled": false')),
    ),
    Row(
        "W1",
        units(unit("systemd-networkd-wait-onlin.service", mark="name", more='"mask": true')),
        NAME,
        f"unit is masked, but {NO_UNIT}",
        f"did you mean systemd-networkd-wait-online.service? {KEPT}",
        units(unit("some-other-thing.service", more='"mask": true'), unit("var.mount", more='"enabled": true')),
    ),
    Row(
        "W1",
        units(unit("my-own.service", mark="name", more='"enabled": true')),
        NAME,
        f"unit is enabled, but {NO_UNIT}",
        f"check the name, or add its contents; {KEPT}",
        units(unit("my-own.service", SERVICE + INSTALL, more='"enabled": true').replace("▸", "")),
    ),
    Row(
        "W1",
        units(unit("backup@home.timer", mark="name", more='"enabled": true')),
        NAME,
        "unit is enabled, but neither a unit of this name nor its template backup@.timer is known, "
        "and the config has no contents for it",
        f"check the name, or add its contents; {KEPT}",
        units(unit("serial-getty@ttyS1.service", more='"enabled": true')),
    ),
    Row(
        "W1",
        units(unit("web.service", mark="name", more='"enabled": true')),
        NAME,
        f"unit is enabled, but {NO_UNIT}",
        f"check the name, or add its contents; {KEPT}",
        units(unit("web.service", more='"enabled": true'))
        + ","
        + files(file("/etc/containers/systemd/web.container", "[Container]\n")),
    ),
    Row(
        "W1",
        units(unit("old.service", mark="name", more='"enable": true')),
        NAME,
        f"unit is enabled, but {NO_UNIT}",
        f"check the name, or add its contents; {KEPT}",
        units(unit("etcd-member.service", more='"enable": true')),
        version="2.0.0",
    ),
    Row(
        "W2",
        units(
            unit("my-own.service", mark="name", more='"dropins": [{"name": "a.conf", "contents": "[Unit]\\nDescription=a\\n"}]')
        ),
        NAME,
        f"drop-in for a unit that may not exist: {NO_UNIT}",
        f"check the name, or add its contents; {KEPT}",
        units(
            unit("docker.service", more='"dropins": [{"name": "a.conf", "contents": "[Unit]\\nDescription=a\\n"}]'),
            unit("my-.service", more='"dropins": [{"name": "a.conf", "contents": "[Unit]\\nDescription=a\\n"}]'),
        ),
    ),
    Row(
        "W3",
        units(unit("sshd.service", more='"enabled": true, "mask": ▸true')),
        "$.systemd.units.0.mask",
        "unit is enabled and masked: it cannot be started, and enabling has no effect",
        "leave out one of mask and enabled",
        units(unit("sshd.service", more='"enabled": false, "mask": true')),
    ),
    Row(
        "W4",
        units(unit("a.service", more='"enabled": ▸true')) + "," + files(file("/etc/systemd/system/a.service", SERVICE)),
        "$.systemd.units.0.enabled",
        f"unit is enabled, but its definition {NO_EFFECT}",
        "add an [Install] section, such as WantedBy=multi-user.target",
        units(unit("a.service", more='"enabled": true')) + "," + files(file("/etc/systemd/system/a.service", SERVICE + INSTALL)),
    ),
    Row(
        "W4",
        units(
            unit("a@b.timer", more='"enabled": ▸true'),
            plain(unit("a@.timer", "[Timer]\nOnBootSec=1\n")),
            plain(unit("a@.service", SERVICE)),
        ),
        "$.systemd.units.0.enabled",
        f"unit is enabled, but its template a@.timer {NO_EFFECT}",
        "add an [Install] section, such as WantedBy=multi-user.target",
        units(
            unit("a@b.timer", more=f'"enabled": true, "dropins": [{{"name": "i.conf", "contents": {json.dumps(INSTALL)}}}]'),
            plain(unit("a@.timer", "[Timer]\nOnBootSec=1\n")),
            plain(unit("a@.service", SERVICE)),
        ),
    ),
    Row(
        "W4",
        units(plain(unit("a@.service", SERVICE + INSTALL)).replace("{", '{"enabled": ▸true, ', 1)),
        "$.systemd.units.0.enabled",
        "a template is enabled without an instance: enabling has no effect",
        "enable an instance, such as a@NAME.service, or set DefaultInstance= in [Install]",
        units(plain(unit("a@.service", SERVICE + INSTALL + "DefaultInstance=b\n", more='"enabled": true'))),
    ),
]

REFERENCES = [
    Row(
        "W5",
        service(SERVICE + "[Install]\nWantedBy=multi-user.targett.target\n"),
        CONTENTS,
        "WantedBy= names multi-user.targett.target: no unit of this name is known; without it nothing starts the unit",
        f"check the name, or define the unit; {IMAGE}",
        plain(service(SERVICE + INSTALL)),
    ),
    Row(
        "W5",
        service("[Unit]\nAfter=network-onlin.target\n" + SERVICE),
        CONTENTS,
        "After= names network-onlin.target: no unit of this name is known",
        f"did you mean network-online.target? {IMAGE}",
        plain(service("[Unit]\nAfter=my-own-thing.service network-online.target -.mount %i.service dev-vda.device\n" + SERVICE)),
    ),
    Row(
        "W5",
        service("[Unit]\nRequires=dokker.service\n" + SERVICE),
        CONTENTS,
        "Requires= names dokker.service: no unit of this name is known; without it the unit cannot start",
        f"did you mean docker.service? {IMAGE}",
        plain(units(unit("a.service", "[Unit]\nRequires=b.service\n" + SERVICE), unit("b.service", SERVICE))),
    ),
    Row(
        "W5",
        service(SERVICE + "[Install]\nWantedBy=multi-user\n"),
        CONTENTS,
        "WantedBy= names multi-user, which is not a unit name: the type is missing",
        "write multi-user.target",
        plain(service(SERVICE + "[Install]\nWantedBy=multi-user.target default.target\n")),
    ),
    Row(
        "W5",
        units(unit("a.timer", "[Timer]\nOnBootSec=1\n")),
        CONTENTS,
        "timer starts a.service, but no unit of this name is known: the config does not define it",
        "define it, or name another unit with Unit=",
        plain(units(unit("a.timer", "[Timer]\nOnBootSec=1\nUnit=docker.service\n"))),
    ),
    Row(
        "W5",
        units(unit("a.socket", "[Socket]\nListenStream=1\nAccept=yes\n"), plain(unit("a.service", SERVICE))),
        CONTENTS,
        "socket starts a@.service, but no unit of this name is known: the config does not define it",
        "define it, or name another unit with Service=",
        plain(units(unit("a.socket", "[Socket]\nListenStream=1\nAccept=no\n"), unit("a.service", SERVICE))),
    ),
]

OPTIONS = [
    Row(
        "W6",
        service(SERVICE + "[Innstall]\nWantedBy=multi-user.target\n"),
        CONTENTS,
        "a .service file has no section [Innstall]: systemd ignores it (used in line 4 of the unit)",
        "did you mean [Install]?",
        plain(service(SERVICE + "[X-Install]\nWantedBy=multi-user.target\n")),
    ),
    Row(
        "W6",
        units(unit("a.target", "[Unit]\nDescription=a\n[Service]\nExecStart=/bin/true\n")),
        CONTENTS,
        "a .target file has no section [Service]: systemd ignores it (used in line 4 of the unit)",
        "[Service] belongs in a .service file",
        plain(units(unit("a.target", "[Unit]\nDescription=a\n"))),
    ),
    Row(
        "W6",
        files(file("/etc/systemd/network/a.network", "[Match]\nName=a\n[Netwerk]\nDHCP=yes\n", "▸")),
        "$.storage.files.0.contents.source",
        "a .network file has no section [Netwerk]: systemd ignores it (used in line 4 of the unit)",
        "did you mean [Network]?",
        files(
            file("/etc/systemd/network/a.network", "[Match]\nName=a\n[Network]\nDHCP=yes\n[SR-IOV]\nVirtualFunction=1\n"),
            file("/etc/systemd/network/a.netdev", "[NetDev]\nName=a\nKind=wireguard\n[WireGuardPeer]\nPublicKey=a\n"),
            file("/etc/systemd/network/a.link", "[Match]\nMACAddress=a\n[Link]\nName=b\n"),
        ),
    ),
    Row(
        "W7",
        '"networkd": {"units": [{"name": "a.network", "contents": ▸"[Match]\\nNanme=a\\n"}]}',
        "$.networkd.units.0.contents",
        "[Match] has no option Nanme: systemd ignores it (line 2 of the unit)",
        "did you mean Name?",
        '"networkd": {"units": [{"name": "a.network", "contents": "[Match]\\nName=a\\n"}]}',
        version="2.1.0",
    ),
    Row(
        "W7",
        service(SERVICE + "execStartPre=/bin/true\n"),
        CONTENTS,
        "[Service] has no option execStartPre: systemd ignores it (line 3 of the unit)",
        "write ExecStartPre",
        plain(service(SERVICE + "ExecStartPre=/bin/true\nX-Mine=1\n")),
    ),
    Row(
        "W7",
        service(SERVICE + "After=network.target\n"),
        CONTENTS,
        "[Service] has no option After: systemd ignores it (line 3 of the unit)",
        "it belongs in [Unit]",
        plain(service("[Unit]\nAfter=network.target\n" + SERVICE)),
    ),
    Row(
        "W7",
        service(SERVICE + "Colour=red\n"),
        CONTENTS,
        "[Service] has no option Colour: systemd ignores it (line 3 of the unit)",
        "custom options begin with X-",
        plain(service(SERVICE + "# Colour=red\n")),
    ),
    Row(
        "W7",
        units(unit("docker.service", more='"dropins": [{"name": "a.conf", "contents": ▸"[Service]\\nEnvironmend=A=b\\n"}]')),
        "$.systemd.units.0.dropins.0.contents",
        "[Service] has no option Environmend: systemd ignores it (line 2 of the unit)",
        "did you mean Environment?",
        units(unit("docker.service", more='"dropins": [{"name": "a.conf", "contents": "[Service]\\nEnvironment=A=b\\n"}]')),
    ),
    Row(
        "W8",
        service("# a\nDescription=a\n" + SERVICE),
        CONTENTS,
        "text before the first section: systemd ignores it",
        "put it below a [Section] line",
        plain(service("# a\n\n; b\n[Unit]\nDescription=a\n" + SERVICE)),
    ),
]

NO_EXEC = "service has no ExecStart: systemd refuses to load it"
SECOND = "systemd refuses to load it unless it is of Type=oneshot"
EMPTY_FIX = "put an empty ExecStart= before it, which resets the list, or use ExecStartPre="
SERVICES = [
    Row(
        "W9",
        service("[Service]\nType=simple\n"),
        CONTENTS,
        NO_EXEC,
        "add ExecStart=/path/to/program",
        plain(service("[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/bin/true\n")),
    ),
    Row(
        "W9",
        service("[Unit]\nDescription=a\n"),
        CONTENTS,
        NO_EXEC,
        "add ExecStart=/path/to/program",
        plain(
            units(
                unit(
                    "a.service",
                    "[Unit]\nDescription=a\n",
                    more=f'"dropins": [{{"name": "b.conf", "contents": {json.dumps(SERVICE)}}}]',
                )
            )
        ),
    ),
    Row(
        "W9",
        service(SERVICE + "ExecStart=/bin/false\n"),
        CONTENTS,
        f"a second ExecStart of a.service: {SECOND}",
        EMPTY_FIX,
        plain(service(SERVICE + "ExecStart=/bin/false\nType=oneshot\n")),
    ),
    Row(
        "W9",
        units(unit("docker.service", more=f'"dropins": [{{"name": "a.conf", "contents": ▸{json.dumps(SERVICE)}}}]')),
        "$.systemd.units.0.dropins.0.contents",
        f"a second ExecStart of docker.service: {SECOND}",
        EMPTY_FIX,
        units(
            unit(
                "docker.service",
                more='"dropins": [{"name": "a.conf", "contents": "[Service]\\nExecStart=\\nExecStart=/bin/true\\n"}]',
            )
        ),
    ),
    Row(
        "W10",
        service("[Service]\nExecStart=-./bin/run\n"),
        CONTENTS,
        "ExecStart runs a program by a relative path: systemd refuses that",
        "write the absolute path",
        plain(service("[Service]\nExecStart=-/bin/run ./a\nExecStop=kill $MAINPID\n")),
    ),
    Row(
        "W10",
        service("[Service]\nExecStart=/bin/a \\\n  b && /bin/c\n"),
        CONTENTS,
        "ExecStart has && as an argument: systemd does not start a shell, so the program gets it verbatim",
        "write /bin/sh -c '…'",
        plain(service("[Service]\nExecStart=/bin/sh -c 'a | b && c > \"d\"'\n")),
    ),
]

ROWS = [*UNITS, *REFERENCES, *OPTIONS, *SERVICES]
