"""W20 and W22 to W31 by example: advice that depends on the image, and mistakes that are easily missed."""

from __future__ import annotations

from tests.config.advice.row import CONTENTS, KEY, Row, about, files, unit, units, user

ACCOUNT = "$.passwd.users.0."
LETTERS = "begin with a letter or _, continue with letters, digits, - and _, at most 32 characters"
SOME = "useradd of some systems refuses it after the disks have been written"
ELSE = "if your image has it, ignore this; otherwise add it to passwd."
UNKNOWN = "the config does not create it, and it is not in any known image: without it"
NOBODY_HAS = f"{UNKNOWN} the machine cannot be provisioned"
FILE = "$.storage.files.0."
CALENDAR = "write it as daily, Mon *-*-* 04:00 or *:0/15; systemd-analyze calendar checks it"
LEAVE = "if the machine has it, ignore this"


def name(text: str, wrong: str, kept: str) -> Row:
    return Row("W22", user(f'"name": ▸"{text}"'), ACCOUNT + "name", f"name {wrong}: {SOME}", LETTERS, user(f'"name": "{kept}"'))


ACCOUNTS = [
    Row(
        "W20",
        user('"name": "a", "uid": ▸1'),
        ACCOUNT + "uid",
        "uid 1 belongs to daemon or bin in the images of Debian and Fedora CoreOS and Flatcar: it cannot be assigned twice",
        "choose another uid, or leave it out",
        user('"name": "a", "uid": 500'),
    ),
    Row(
        "W20",
        user('"name": "a"', '{"name": "b", "uid": ▸1000}'),
        "$.passwd.users.1.uid",
        "uid 1000 is assigned on most systems to a, which comes first",
        "list accounts with explicit ids first",
        user('"name": "b", "uid": 1000', '{"name": "a"}', '{"name": "c", "system": true}', '{"name": "d", "uid": 900}'),
    ),
    name("a" * 33, "is longer than 32 bytes", "a" * 32),
    name("1000", "consists of digits and would be read as an id", "u1000"),
    name("..", "is ..", "a.."),
    name("ü", "has other characters than letters, digits, dot, - and _", "U_.-u"),
    name("a$b", "has other characters than letters, digits, dot, - and _", "a$"),
    Row(
        "W22",
        '"passwd": {"groups": [{"name": "a"}], "users": [{"name": ▸"a"}]}',
        ACCOUNT + "name",
        "groups.0 creates the group a: useradd cannot create the user's own group",
        'add "primaryGroup": "a"',
        '"passwd": {"groups": [{"name": "a"}, {"name": "core"}], '
        '"users": [{"name": "a", "primaryGroup": "a"}, {"name": "core"}]}',
    ),
    Row(
        "W22",
        user(f'"name": "a", "sshAuthorizedKeys": ["{KEY}"], "noCreateHome": ▸true'),
        ACCOUNT + "noCreateHome",
        "the home directory for the SSH keys is not created",
        "leave noCreateHome out, or the keys",
        user(f'"name": "core", "sshAuthorizedKeys": ["{KEY}"], "noCreateHome": true'),
    ),
    Row(
        "W22",
        user('"name": "a", "homeDir": "/srv/a"', '{"name": "b", "homeDir": ▸"/srv/a/"}'),
        "$.passwd.users.1.homeDir",
        "/srv/a is also the home of users.0, which comes first and owns it",
        "use a different home for each user",
        user('"name": "a", "homeDir": "/srv/a"', '{"name": "b", "homeDir": "/srv/b"}'),
    ),
    Row(
        "W22",
        user('"name": "a", "gecos": ▸"a\\tb"'),
        ACCOUNT + "gecos",
        "gecos has a control character: useradd of most systems refuses it",
        "remove it",
        user('"name": "a", "gecos": "Büro, 1"'),
    ),
    Row(
        "W23",
        user('"name": "a", "groups": ["sudo", ▸"wheell"]'),
        ACCOUNT + "groups.1",
        f"user is a member of group wheell: {UNKNOWN} the user is created, but not in the group",
        f"did you mean wheel? {ELSE}groups",
        user('"name": "a", "groups": ["sudo", "wheel", "docker", "a"], "primaryGroup": "users"').replace(', "a"]', "]"),
    ),
    Row(
        "W23",
        user('"name": "a", "primaryGroup": ▸"web"'),
        ACCOUNT + "primaryGroup",
        f"primary group of the user is web: {NOBODY_HAS}",
        f"{ELSE}groups",
        '"passwd": {"groups": [{"name": "web"}], "users": [{"name": "a", "primaryGroup": "web"}]}',
    ),
    Row(
        "W23",
        user('"name": "a", "groups": [▸"plugdev"]'),
        ACCOUNT + "groups.0",
        "user is a member of group plugdev: the config does not create it, and of known images only Debian has it",
        f"{ELSE}groups",
        user('"name": "b"', '{"name": "a", "groups": ["b", "100"]}'),
        level="info",
    ),
    Row(
        "W23",
        files('{"path": "/a", "user": {"name": ▸"joe"}}'),
        FILE + "user.name",
        f"file is owned by user joe: {NOBODY_HAS}",
        f"{ELSE}users",
        user('"name": "joe"') + "," + files('{"path": "/a", "user": {"name": "joe"}, "group": {"name": "joe"}}'),
    ),
    Row(
        "W23",
        '"passwd": {"users": [{"name": "core", "shouldExist": false}]}, '
        '"storage": {"files": [{"path": "/a", "group": {"name": ▸"core"}}]}',
        FILE + "group.name",
        "file is owned by group core: the config deletes it",
        f"{ELSE}groups",
        files('{"path": "/a", "group": {"name": "core"}}'),
    ),
    Row(
        "W22",
        user(f'"name": "nobody", "homeDir": "/srv/a", "sshAuthorizedKeys": ▸["{KEY}"]').replace("▸[", "[▸"),
        ACCOUNT + "sshAuthorizedKeys",
        "nobody is an account of the system, without a home directory for the SSH keys",
        "add the keys to another user",
        user(f'"name": "core", "sshAuthorizedKeys": ["{KEY}"]'),
    ),
]

PLACES = [
    *(
        Row(
            "W24",
            files(f'{{"path": ▸"{place}/x/y"}}'),
            FILE + "path",
            f"files below {place} do not survive the boot: {why}",
            fix,
            files('{"path": "/etc/x/y"}', f'{{"path": "{place}x/y"}}'),
        )
        for place, why, fix in (
            (
                "/proc",
                "the kernel's file system is mounted there",
                "let a unit, a sysctl.d, tmpfiles.d or udev rule create it at each boot",
            ),
            ("/dev", "devtmpfs is mounted there", "let a unit, a sysctl.d, tmpfiles.d or udev rule create it at each boot"),
            (
                "/run",
                "a tmpfs is mounted there, and /run is empty at each boot",
                "write it below /etc, or let systemd-tmpfiles create it: /etc/tmpfiles.d/NAME.conf",
            ),
            (
                "/tmp",
                "most systems mount a tmpfs there or empty it at boot",
                "write it below /opt, or let systemd-tmpfiles create it: /etc/tmpfiles.d/NAME.conf",
            ),
        )
    ),
    Row(
        "W24",
        files('{"path": ▸"/run/media/a"}'),
        FILE + "path",
        "files below /run do not survive the boot: a tmpfs is mounted there, and /run is empty at each boot",
        "write it below /etc, or let systemd-tmpfiles create it: /etc/tmpfiles.d/NAME.conf",
        '"storage": {"filesystems": [{"device": "/dev/a", "format": "xfs", "path": "/run/media"}], '
        '"files": [{"path": "/run/media/a"}]}',
    ),
    Row(
        "W25",
        files('{"path": ▸"/usr/local/bin/a", "contents": {"source": "data:,x"}}'),
        FILE + "path",
        "it is in a directory of programs, but it is not executable: its mode is 0644",
        'set "mode": 493, which is 0755',
        files(
            '{"path": "/usr/local/bin/a", "mode": 493}',
            '{"path": "/opt/bin/a.conf"}',
            '{"path": "/usr/local/bin/b", "append": []}',
        ),
    ),
    Row(
        "W25",
        files('{"path": "/srv/run", "mode": ▸384}')
        + ","
        + units(unit("a.service", "[Service]\nExecStart=-/srv/run x\n", mark="")),
        FILE + "mode",
        "a.service starts it, but it is not executable: its mode is 0600",
        'set "mode": 493, which is 0755',
        files('{"path": "/opt/bin/run", "mode": 384}')
        + ","
        + units(unit("a.service", "[Service]\nExecStart=/bin/sh /opt/bin/run\n", mark="")),
    ),
    Row(
        "W26",
        files('{"path": ▸"/etc/systemd/network/10-a.netwrok"}'),
        FILE + "path",
        "systemd-networkd reads only files that end in .link or .netdev or .network: 10-a.netwrok is ignored",
        "did you mean 10-a.network?",
        files('{"path": "/etc/systemd/network/10-a.network"}', '{"path": "/etc/systemd/network/10-a.network.d/a.conf"}'),
    ),
    Row(
        "W26",
        files('{"path": ▸"/etc/systemd/system/a.servcie"}'),
        FILE + "path",
        "systemd reads only files that end in .service or .socket or .device or .mount or .automount or .swap or .target or .path"
        " or .timer or .snapshot or .slice or .scope: a.servcie is ignored",
        "did you mean a.service?",
        files('{"path": "/etc/systemd/system/a.env"}'),
    ),
    Row(
        "W26",
        files('{"path": ▸"/etc/sysctl.d/99-a"}'),
        FILE + "path",
        "systemd-sysctl reads only files that end in .conf: 99-a is ignored",
        "name it 99-a.conf",
        files('{"path": "/etc/sysctl.d/99-a.conf"}', '{"path": "/etc/sysctl.d/README"}', '{"path": "/etc/sysctl.d/a.conf.bak"}'),
    ),
    Row(
        "W26",
        files('{"path": ▸"/etc/sudoers.d/a.b"}'),
        FILE + "path",
        "sudo ignores files with a dot in their name: a.b",
        "name it a-b",
        files('{"path": "/etc/sudoers.d/a-b"}'),
    ),
    Row(
        "W31",
        files('{"path": ▸"/etc/passwd", "contents": {"source": "data:,x"}}'),
        FILE + "path",
        "every system has a file there: without overwrite nothing is written",
        "set overwrite if all of it is to be replaced, or use append",
        files('{"path": "/etc/passwd", "append": [{"source": "data:,x"}]}', '{"path": "/etc/passwd2"}'),
    ),
    Row(
        "W31",
        files('{"path": ▸"/var/lib", "overwrite": true, "contents": {"source": "data:,x"}}'),
        FILE + "path",
        "every system has a directory there: its content would be deleted",
        "choose another path",
        '"storage": {"directories": [{"path": "/var/lib", "mode": 493}]}',
    ),
    Row(
        "W31",
        '"storage": {"links": [{"path": "/a", "hard": true, "target": ▸"/b"}]}',
        "$.storage.links.0.target",
        "the config does not write the target of the hard link: unless the image has it, the link cannot be created",
        "leave hard out, or write the file in the config",
        '"storage": {"files": [{"path": "/b"}], '
        '"links": [{"path": "/a", "hard": true, "target": "/b"}, {"path": "/c", "target": "/d"}]}',
    ),
]

LUKS = '"luks": [{"name": "data", "device": "/dev/vdb"}]'
DISK = '"disks": [{"device": "/dev/vda", "wipeTable": true, "partitions": [{"number": 1, "label": "data"}]}]'
RAID = '"raid": [{"name": "md0", "level": "raid1", "devices": ["/dev/vdc", "/dev/vdd"]}]'


def device(made: str, wrong: str, meant: str, message: str = "") -> Row:
    filesystem = '"storage": {{{}, "filesystems": [{{"device": {}"{}", "format": "xfs"}}]}}'
    message = message or f"nothing in the config creates {wrong}"
    fix = f"did you mean {meant}? {LEAVE}" if meant else "name one of its partitions: 1"
    kept = filesystem.format(made, "", meant or "/dev/vda1")
    return Row("W27", filesystem.format(made, "▸", wrong), "$.storage.filesystems.0.device", message, fix, kept)


DEVICES = [
    device(LUKS, "/dev/mapper/dta", "/dev/mapper/data"),
    device(RAID, "/dev/md/md1", "/dev/md/md0"),
    device(DISK, "/dev/disk/by-partlabel/dta", "/dev/disk/by-partlabel/data"),
    device(DISK, "/dev/disk/by-label/data", "/dev/disk/by-partlabel/data"),
    device(DISK, "/dev/vda2", "", "/dev/vda is wiped, and the config has no partition 2"),
    Row(
        "W27",
        f'"storage": {{{LUKS}}}, ' + units(unit("a.mount", "[Mount]\nWhat=/dev/mapper/dtaa\nWhere=/a\n", mark="contents")),
        CONTENTS,
        "nothing in the config creates /dev/mapper/dtaa",
        f"did you mean /dev/mapper/data? {LEAVE}",
        f'"storage": {{{LUKS}}}, ' + units(unit("a.mount", "[Mount]\nWhat=/dev/mapper/data\nWhere=/a\n", mark="")),
    ),
    Row(
        "W29",
        about('"config": {"merge": [▸{"source": "https://a/"}], "replace": {"source": "https://b/"}}'),
        "$.ignition.config.merge",
        "replace takes the place of this whole config: the configs of merge are never fetched",
        "leave one of the two out",
        about('"config": {"replace": {"source": "https://b/"}}'),
    ),
    Row(
        "W30",
        '"storage": {"luks": [{"device": "/dev/a", "name": ▸"a b"}]}',
        "$.storage.luks.0.name",
        "the name breaks its line of /etc/crypttab, or is changed below /dev/mapper",
        "use letters, digits, and . _ - + = : @",
        '"storage": {"luks": [{"device": "/dev/a", "name": "a-b+c"}]}',
    ),
    Row(
        "W30",
        '"storage": {"filesystems": [{"device": "/dev/a", "format": "vfat", "label": ▸"a.b"}]}',
        "$.storage.filesystems.0.label",
        "label has a character that mkfs of vfat refuses in most versions",
        "use letters, digits, - and _",
        '"storage": {"filesystems": [{"device": "/dev/a", "format": "xfs", "label": "a.b"}]}',
    ),
]


def value(rule: str, unit_name: str, text: str, message: str, fix: str, kept: str, kept_name: str = "") -> Row:
    return Row(
        rule,
        units(unit(unit_name, text, mark="contents")),
        CONTENTS,
        message,
        fix,
        units(unit(kept_name or unit_name, kept, mark="")),
    )


VALUES = [
    value(
        "W28",
        "srv-data.mount",
        "[Mount]\nWhat=/dev/a\nWhere=/srv/dta\n",
        "Where= is '/srv/dta', but the unit is named srv-data.mount: systemd refuses to load it",
        "name the unit srv-dta.mount, or write Where=/srv/data",
        "[Mount]\nWhat=/dev/a\nWhere=/srv/my-data/\n",
        r"srv-my\\x2ddata.mount",
    ),
    value(
        "W28",
        "srv.automount",
        "[Automount]\nWhere=/srv/a\n",
        "Where= is '/srv/a', but the unit is named srv.automount: systemd refuses to load it",
        "name the unit srv-a.automount, or write Where=/srv",
        "[Automount]\nWhere=/srv\n",
    ),
    value(
        "W28",
        "dev-sda2.swap",
        "[Swap]\nWhat=/dev/sda3\n",
        "What= is '/dev/sda3', but the unit is named dev-sda2.swap: systemd refuses to load it",
        "name the unit dev-sda3.swap, or write What=/dev/sda2",
        "[Swap]\nWhat=/dev/sda2\n",
    ),
    *(
        value(
            "W28",
            "sshd.timer",
            f"[Timer]\nOnCalendar={wrong}\n",
            f"OnCalendar= is not a calendar event: systemd ignores '{wrong}'",
            f"{near}{CALENDAR}",
            f"[Timer]\nOnCalendar={kept}\n",
        )
        for wrong, near, kept in (
            ("every day", "", "daily"),
            ("dayly", "did you mean daily? ", "Mon..Fri *-*-* 04:00:00 Europe/Berlin"),
            ("25:00", "", "*:0/15"),
            ("2025-13-01", "", "*-02~03"),
            ("Mo 10:00", "", "Sat,Sun 10..12:30"),
        )
    ),
    *(
        value(
            "W28",
            "a.service",
            f"[Service]\nExecStart=/bin/a\n{option}={wrong}\n",
            f"{option}= {message}",
            fix,
            f"[Service]\nExecStart=/bin/a\n{option}={kept}\n",
        )
        for option, wrong, message, fix, kept in (
            ("RemainAfterExit", "ja", "is not a boolean: systemd ignores 'ja'", "write yes or no", "TRUE"),
            (
                "RestartSec",
                "5 Minuten",
                "is not a time span: systemd ignores '5 Minuten'",
                "write it as 30s, 5min, 2h 30min or infinity",
                "1h 5min 2.5s",
            ),
            ("UMask", "0999", "is not an octal mode: systemd ignores '0999'", "write it as 0755", "022"),
            ("WorkingDirectory", "srv", "is not an absolute path: systemd ignores 'srv'", "write /srv", "-~"),
            (
                "Type",
                "onshot",
                "does not accept 'onshot': systemd ignores it",
                "did you mean oneshot? one of simple, exec, forking, oneshot, dbus, notify, notify-reload, idle",
                "notify",
            ),
        )
    ),
    value(
        "W9",
        "sshd.timer",
        "[Timer]\nPersistent=yes\n",
        "timer has none of OnActiveSec=, OnBootSec=, OnStartupSec= …: systemd refuses to load it",
        "add OnCalendar=daily, or OnBootSec=15min",
        "[Timer]\nOnBootSec=5min\n",
    ),
]

ROWS = [*ACCOUNTS, *PLACES, *DEVICES, *VALUES]
