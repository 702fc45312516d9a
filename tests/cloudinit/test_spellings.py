"""Unit names and owners as people spell them: what the original, chown(1) and systemctl(1) take is taken."""

import os

import pytest

from ignition.cloudinit import files
from ignition.cloudinit.facts import Facts, Newcomers
from ignition.cloudinit.model import CloudConfig, User
from ignition.host.root import Root
from tests.cloudinit.conftest import Machine

HEAD = "#cloud-config\n"
PASSWD = "root:x:0:0::/root:/bin/sh\ncore:x:500:501::/home/core:/bin/sh\nann.lee:x:600:601::/home/ann:/bin/sh\n"
GROUP = "root:x:0:\nwheel:x:10:\nlee:x:11:\ndev.ops:x:12:\n"
# spelling → uid and gid, or what is missing
OWNERS = [
    ("", 0, 0),
    (":", 0, 0),
    ("root", 0, 0),
    ("root:root", 0, 0),
    ("root.root", 0, 0),
    ("core", 500, 0),
    ("core:", 500, 501),
    ("core.", 500, 501),
    ("core:wheel", 500, 10),
    ("core.wheel", 500, 10),
    (":wheel", 0, 10),
    (".wheel", 0, 10),
    ("500:10", 500, 10),
    ("500.10", 500, 10),
    ("+500:+10", 500, 10),
    ("1234", 1234, 0),
    ("ann.lee", 600, 0),
    ("ann.lee:", 600, 601),
    ("ann.lee.", 600, 601),
    ("ann.lee:wheel", 600, 10),
    ("ann.lee.wheel", 600, 10),
    ("ann.lee.dev.ops", 600, 12),
    ("core.dev.ops", 500, 12),
    ("core:dev.ops", 500, 12),
    ("new.wheel", "new", 10),
    ("new.new", "new", "new"),
]
UNKNOWN = [
    ("nobodys.root", "user nobodys.root"),
    ("root.nobodys", "user root.nobodys"),
    ("ann.core", "user ann.core"),
    ("root:nobodys", "group nobodys"),
    ("1234:", "login group of 1234"),
    ("+core", "user +core"),
    ("core:wheel:", "group wheel:"),
]


@pytest.fixture
def known(tmp_path: object) -> tuple[Facts, Newcomers]:
    os.makedirs(f"{tmp_path}/etc")
    for name, text in (("passwd", PASSWD), ("group", GROUP)):
        with open(f"{tmp_path}/etc/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    facts = Facts(Root.live(str(tmp_path)), asks_nss=False)
    facts.has_user_groups = True
    return facts, Newcomers([CloudConfig(users=(User(name="new"),))], facts)


@pytest.mark.parametrize("owner, user, group", OWNERS)
def test_owner(known: tuple[Facts, Newcomers], owner: str, user: int | str, group: int | str) -> None:
    assert files.unknown_owner(owner, *known) == ""
    found = [known[0].accounts.user(one.name) if one.name else None for one in files.owners_of(owner, *known)[:1]]
    first, second = files.owners_of(owner, *known)
    uid = found[0].uid if found[0] else first.id if first.id is not None else first.name
    of_group = known[0].accounts.group(second.name) if second.name else None
    gid = of_group.gid if of_group else second.id if second.id is not None else second.name
    assert (uid, gid) == (user, group)


@pytest.mark.parametrize("owner, missing", UNKNOWN)
def test_owner_that_is_unknown(known: tuple[Facts, Newcomers], owner: str, missing: str) -> None:
    assert files.unknown_owner(owner, *known) == missing


def test_a_file_of_root_root(machine: Machine) -> None:
    if os.geteuid() == 0:
        assert machine.run(HEAD + "write_files: [{path: /etc/f, owner: root.root, content: x}]\n").status == 0
        assert machine.text("/etc/f") == "x"


# name and members → files, calls
UNITS = [
    # Container Linux' own cloud-config of the OEM rackspace-onmetal has one of these.
    ("name: a.service.d/b.conf, runtime: true, content: x", "/run/systemd/system/a.service.d/b.conf", []),
    ("name: a.service.d/b.conf, content: x", "/etc/systemd/system/a.service.d/b.conf", []),
    ("name: a@.service.d/b.conf, content: x", "/etc/systemd/system/a@.service.d/b.conf", []),
    ("name: e.network.d/b.conf, content: x", "/etc/systemd/network/e.network.d/b.conf", ["systemctl restart -- NETWORKD"]),
    ("name: a.d/b.txt, content: x", "/etc/systemd/system/a.d/b.txt", []),
    ("name: sub/a.service, content: x", "/etc/systemd/system/sub/a.service", []),
    ("name: a, content: x", "/etc/systemd/system/a.service", []),
    ("name: a, content: x, command: start", "/etc/systemd/system/a.service", ["systemctl start -- a.service"]),
    ("name: a@b, content: x, command: start", "/etc/systemd/system/a@b.service", ["systemctl start -- a@b.service"]),
    (
        "name: a, content: x, enable: true",
        "/etc/systemd/system/a.service",
        ["systemctl --no-reload enable --force -- a.service"],
    ),
    ("name: a, drop_ins: [{name: b.conf, content: x}]", "/etc/systemd/system/a.service.d/b.conf", []),
]


@pytest.mark.parametrize("unit, path, calls", UNITS, ids=[unit for unit, _, _ in UNITS])
def test_unit_name(machine: Machine, unit: str, path: str, calls: list[str]) -> None:
    text = f"{HEAD}coreos: {{units: [{{{unit}}}]}}\n"
    ran = machine.run(text)
    assert ran.status == 0, ran.err
    assert machine.text(path) == "x"
    wanted = [call.replace("NETWORKD", "systemd-networkd.service") for call in calls]
    assert [call for call in ran.calls if call != "systemctl daemon-reload"] == wanted
    assert ("has no suffix: a" in ran.err) is ("name: a," in unit or "name: a@b," in unit)
    assert ("systemd reads drop-ins only as UNIT.d/NAME.conf" in ran.err) is ("b.txt" in unit or "sub/" in unit)
    again = machine.run(text)
    assert "nothing changed" in again.out or not [call for call in again.calls if "reload" in call]


def test_a_changed_drop_in_is_a_change_of_its_unit(machine: Machine) -> None:
    text = f"{HEAD}coreos: {{units: [{{name: a.service, command: restart}}, {{name: a.service.d/b.conf, content: CONTENT}}]}}\n"
    assert "systemctl restart -- a.service" in machine.run(text).calls
    assert "systemctl restart -- a.service" not in machine.run(text).calls
    assert "systemctl restart -- a.service" in machine.run(text.replace("CONTENT", "other")).calls


def test_a_masked_drop_in(machine: Machine) -> None:
    assert machine.run(f"{HEAD}coreos: {{units: [{{name: a.service.d/b.conf, mask: true}}]}}\n").status == 0
    assert os.readlink(machine.root / "etc/systemd/system/a.service.d/b.conf") == "/dev/null"
