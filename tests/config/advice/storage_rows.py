"""W11 to W15 by example."""

from tests.config.advice.row import KEY, PARTS, Row, directories, disk, files, user

OWNER = '"user": {"name": "core"}'
ENTRY = '{{"path": "{}", "user": {{"name": "core"}}, "group": {{"name": "core"}}}}'
HOMES = [
    Row(
        "W11",
        files(f'{{"path": ▸"/home/core/.config/app/a.conf", {OWNER}}}'),
        "$.storage.files.0.path",
        "/home/core/.config and /home/core/.config/app will be created for it, owned by root: core cannot add anything to them",
        f"add to storage.directories: {ENTRY.format('/home/core/.config')}, {ENTRY.format('/home/core/.config/app')}",
        f'"storage": {{"directories": [{{"path": "/home/core/.config", {OWNER}}}], '
        f'"files": [{{"path": "/home/core/.config/a", {OWNER}}}]}}',
    ),
    Row(
        "W11",
        user('"name": "core", "homeDir": "/srv/core"') + ', "storage": {"links": [{"path": ▸"/srv/core/bin/a", "target": "/b"}]}',
        "$.storage.links.0.path",
        "/srv/core/bin will be created for it, owned by root: core cannot add anything to it",
        f"add to storage.directories: {ENTRY.format('/srv/core/bin')}",
        user('"name": "core", "homeDir": "/srv/core"') + ', "storage": {"links": [{"path": "/srv/core/a", "target": "/b"}]}',
    ),
    Row(
        "W11",
        files(f'{{"path": ▸"/home/core/.ssh/config", {OWNER}}}'),
        "$.storage.files.0.path",
        "/home/core/.ssh will be created for it, owned by root: core cannot add anything to it",
        f"add to storage.directories: {ENTRY.format('/home/core/.ssh')}",
        user(f'"name": "core", "sshAuthorizedKeys": ["{KEY}"]') + "," + files(f'{{"path": "/home/core/.ssh/config", {OWNER}}}'),
    ),
    Row(
        "W11",
        files(f'{{"filesystem": "root", "mode": 420, "path": ▸"/home/core/a/b", {OWNER}}}'),
        "$.storage.files.0.path",
        "/home/core/a will be created for it, owned by root: core cannot add anything to it",
        f"add to storage.directories: {ENTRY.format('/home/core/a')}",
        '"storage": {"directories": [{"filesystem": "root", "mode": 448, "path": "/home/core/a/c", ' + OWNER + "}], "
        '"files": [{"filesystem": "root", "mode": 420, "path": "/home/core/a/b", ' + OWNER + "}]}",
        version="2.3.0",
    ),
    Row(
        "W12",
        files('{"path": ▸"/home/core/a"}'),
        "$.storage.files.0.path",
        "file in the home of core will be owned by root",
        'add "user": {"name": "core"} and "group": {"name": "core"}; specify root if that is intended',
        files('{"path": "/home/core/a", "user": {"id": 0}}', '{"path": "/home/x", "mode": 420}'),
    ),
    Row(
        "W12",
        directories('{"filesystem": "root", "mode": 448, "path": ▸"/home/core/a"}'),
        "$.storage.directories.0.path",
        "directory in the home of core will be owned by root",
        'add "user": {"name": "core"} and "group": {"name": "core"}; specify root if that is intended',
        directories('{"filesystem": "root", "mode": 448, "path": "/home/core/a", "user": {"id": 0}}'),
        version="2.2.0",
    ),
]

MODES = [
    *(
        Row(
            "W13",
            files(f'{{"path": "/a", "mode": ▸{mode}}}'),
            "$.storage.files.0.mode",
            f"mode {mode} is {mode:#o} in octal, which is unusual: probably 0{mode} is meant",
            f"modes are decimal: for 0{mode} write {int(str(mode), 8)}",
            files(
                *(f'{{"path": "/{good}", "mode": {good}}}' for good in (420, 493, 384, 448, 511, 1023, 2541, 292, 256, 416, 438))
            ),
            version="3.6.0",
        )
        for mode in (644, 755, 600, 700, 777, 1777, 400, 440, 640, 750, 2755)
    ),
    Row(
        "W13",
        directories('{"path": "/a", "mode": ▸755}'),
        "$.storage.directories.0.mode",
        "mode 755 is 0o1363 in octal, which is unusual: probably 0755 is meant",
        "modes are decimal: for 0755 write 493",
        directories('{"path": "/a", "mode": 493}'),
        version="3.4.0",
    ),
    Row(
        "W13",
        '"storage": {"files": [{"filesystem": "root", "path": "/a", "Mode": ▸644}]}',
        "$.storage.files.0.mode",
        "mode 644 is 0o1204 in octal, which is unusual: probably 0644 is meant",
        "modes are decimal: for 0644 write 420",
        '"storage": {"files": [{"filesystem": "root", "path": "/a", "mode": 420}]}',
        version="2.3.0",
    ),
]

PARTITIONS = [
    Row(
        "W14",
        disk('{"number": 1, "sizeMiB": 0}', '{▸"number": 2, "sizeMiB": 100}'),
        PARTS + "1",
        "no space is left: partitions.0 has no size and takes all free space of an empty disk",
        "set a size for partitions.0, or move it to the end",
        disk('{"number": 1, "sizeMiB": 100}', '{"number": 2, "sizeMiB": 0}'),
    ),
    Row(
        "W14",
        disk('{"number": 1, "startMiB": 1}', '{▸"number": 2, "startMiB": 500, "sizeMiB": 10}'),
        PARTS + "1",
        "no space is left: partitions.0 has no size and takes all free space of an empty disk",
        "set a size for partitions.0, or move it to the end",
        disk('{"number": 2, "startMiB": 500, "sizeMiB": 10}', '{"number": 1, "startMiB": 1}'),
    ),
    Row(
        "W14",
        disk('{▸"number": 0, "label": "a"}', '{"number": 2, "label": "b"}'),
        PARTS + "0",
        "no space is left: partitions.1 has no size and takes all free space of an empty disk",
        "set a size for partitions.1, or move it to the end",
        disk('{"number": 0, "label": "a"}', '{"number": 2, "label": "b"}', wipe=False),
    ),
    Row(
        "W14",
        disk('{"number": 1, "startMiB": 1, "sizeMiB": 100}', '{▸"number": 2, "startMiB": 50, "sizeMiB": 100}', wipe=False),
        PARTS + "1",
        "overlaps partitions.0 (MiB 1 to 101)",
        "move one of them, or make it smaller",
        disk('{"number": 1, "startMiB": 1, "sizeMiB": 100}', '{"number": 2, "startMiB": 101, "sizeMiB": 100}', wipe=False),
        version="2.3.0",
    ),
    Row(
        "W14",
        disk('{"number": 1, "sizeMiB": 100}', '{▸"number": 2, "startMiB": 50, "sizeMiB": 100}'),
        PARTS + "1",
        "overlaps partitions.0 (MiB 1 to 101)",
        "move one of them, or make it smaller",
        disk('{"number": 1, "sizeMiB": 100}', '{"number": 2, "sizeMiB": 100}'),
    ),
]

REFUSED_LATER = [
    Row(
        "W15",
        '"storage": {"links": [{▸"path": "/a"}]}',
        "$.storage.links.0.target",
        "the machine will refuse this: link has no target",
        "specify the target",
        '"storage": {"links": [{"path": "/a", "target": "b"}]}',
        version="3.0.0",
    ),
    Row(
        "W15",
        '{"ignition": {"version": "3.0.0", "config": {"merge": [{▸}]}}}',
        "$.ignition.config.merge.0",
        "the machine will refuse this: source is not given",
        "specify the URL",
        '{"ignition": {"version": "3.0.0", "config": {"merge": [{"source": "https://h/x"}]}}}',
        version="3.0.0",
    ),
]

ROWS = [*HOMES, *MODES, *PARTITIONS, *REFUSED_LATER]
