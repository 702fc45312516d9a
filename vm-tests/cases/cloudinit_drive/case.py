"""verifies: a machine without a config for Ignition that has a cloud-config on a config drive, and another in its OEM partition:
the OEM's is applied first, users can log in, units, drop-ins, files, host name and /etc/environment exist, the journal names the
program; then --from-file by hand (one change, one restart, then none), a broken file (no change at all), one with a refused unit
(only its host name and user are applied), files of installers, and a bond with a VLAN under an invalid host name.
"""

import base64
import gzip
import json

from harness import disks, expected, gpt, guest
from harness.case import Case
from harness.checks import Checks
from harness.cloudinit import PROBES, judge_journal, log_in
from harness.disks import GIB, Disk
from harness.machine import Nic
from harness.prepared import add_to_ext4
from harness.ssh import Ssh

TIMEOUT_S = 900
EXPECTED_S = 100

OEM_UNIT = r"system-cloudinit@usr-share-oem-cloud\x2dconfig.yml.service"
SETUP = "#!/bin/sh\nprintf 'COREOS_PUBLIC_IPV4=203.0.113.7\\nCOREOS_PRIVATE_IPV4=10.0.2.15\\n' >>$1\n"
GREETING = "10.0.2.15 greets 203.0.113.7, not $public_ipv4\n"
READ = f"{GREETING}from-the-drop-in\n"
PACKED = b"line\n" * 1000
NODES = {
    "/etc/said-by": expected.file("user\n"),
    "/run/seen-by-oem": expected.file("oem\n"),
    "/run/seen-by-its-drop-in": expected.file("oem\n"),
    "/etc/app/packed": expected.file(PACKED),
    "/var/lib/reader": expected.file(READ),
}
FIRST = {
    **PROBES,
    "nodes": guest.nodes_command(list(NODES)),
    "greeting": "stat --format='%a %U:%G' /etc/app/greeting",
    "environment": "cat /etc/environment",
    "hostname": "hostname; cat /etc/hostname",
    "oem": "cat /etc/oem-release",
    "elroy": "id --name --groups elroy; getent passwd elroy | cut -d: -f5",
    "units": guest.units_command(["reader.service", "oem.service", "systemd-timesyncd.service"]),
    "mounts": guest.mounts_command(),
    "cards": "ls -d /sys/class/net/e*",
}
REFUSED = """#cloud-config
hostname: refused-1
users:
  - name: fixer
    shell: bash
    ssh_authorized_keys:
      - |
        # two keys in one entry
        @SSH_KEY@
        ssh-new AAAA of a type that nobody knows
write_files:
  - path: /etc/said-by
    content: refused
coreos:
  update:
    group: beta
  units:
    - name: a unit without a name
"""
BY_HAND = "coreos-cloudinit --from-file=/root/by-hand.yml 2>&1"
# Of everything that a run could change: contents, and when a unit was last started.
STARTED = "systemctl show --property=ActiveEnterTimestampMonotonic --value reader oem"
STATE = f"cat /etc/app/greeting /etc/said-by /var/lib/reader; {STARTED}"
CARDS = [
    Nic(),
    *(Nic(f"52:54:00:12:34:0{one}", f"10.0.{one}.0/24", f"10.0.{one}.2", f"10.0.{one}.3", f"10.0.{one}.15") for one in (3, 4)),
]


def run(case: Case) -> None:
    """One boot, and commands of a person on it."""
    system = case.system_disk("system", (disks.virtual_size(case.image.disk) // GIB + 2) * GIB)
    prepare_oem(case, system)
    drives = [system, drive(case)]
    direct = case.image.direct("coreos.first_boot=detected")
    with case.machine("first", drives, direct=direct, nics=CARDS) as machine:
        ssh = log_in(machine)
        guest.settle(ssh)
        seen = {name: answer.text for name, answer in ssh.collect(FIRST).items()}
        checks = case.checks("first boot", machine)
        judge(seen, checks)
        checks.equal("who logs in", "elroy\n", machine.ssh("elroy").run("whoami").text)
        by_hand(case, ssh, checks)
        refused(case, ssh, machine.ssh("fixer"), checks)
        installed(ssh, checks)
        convert(case, ssh, [path.rpartition("/")[2] for path in seen["cards"].split()][1:], checks)
        machine.cut_off()
    checks.done()


def prepare_oem(case: Case, system: Disk) -> None:
    """The OEM's cloud-config and its program for /etc/environment, in its partition."""
    raw = case.raw(system, "before")
    files = {"cloud-config.yml": (case.folder / "oem.yml").read_text(encoding="utf-8"), "bin/coreos-setup-environment": SETUP}
    add_to_ext4(system, raw, gpt.read_table(raw).labelled("OEM"), files, case.work / "oem")
    raw.unlink()


def drive(case: Case) -> Disk:
    """The config drive; the host name of its metadata gives way to the user data's."""
    values = {"SSH_KEY": case.key.public, "PACKED": base64.b64encode(gzip.compress(PACKED)).decode()}
    meta = {
        "uuid": "83679162-1378-4288-a2d4-70e13ec132aa",
        "hostname": "not-this-one",
        "public_keys": {"mykey": f"{case.key.public}\n"},
    }
    files: dict[str, str | bytes] = {
        "openstack/latest/user_data": case.fill("user-data.yml", values).read_bytes(),
        "openstack/latest/meta_data.json": json.dumps(meta),
    }
    return disks.disc(case.work / "drive.iso", "config-2", files)


def judge(seen: dict[str, str], checks: Checks) -> None:
    """The machine as the two cloud-configs ask for."""
    checks.equal("failed units", "", seen["failed"])
    checks.equal("targets", "active\nactive\n", seen["user-config"])
    nodes = guest.parse_nodes(seen["nodes"])
    for path, node in NODES.items():
        checks.equal(path, node, nodes.get(path))
    checks.equal("mode and owner of the greeting", "640 root:sudo\n", seen["greeting"])
    checks.equal("environment", "COREOS_PUBLIC_IPV4=203.0.113.7\nCOREOS_PRIVATE_IPV4=10.0.2.15\n", seen["environment"])
    checks.equal("host name", "drive-1\ndrive-1\n", seen["hostname"])
    checks.contains("the OEM's description", ["ID=vm-test\n", 'NAME="The OEM of a test"\n'], seen["oem"])
    checks.equal("groups and name of elroy", "elroy sudo\nElroy\n", seen["elroy"])
    states = {name: (unit["ActiveState"], unit["UnitFileState"]) for name, unit in guest.parse_units(seen["units"]).items()}
    checks.equal("reader.service", ("active", "enabled"), states.get("reader.service"))
    checks.equal("oem.service", "active", states.get("oem.service", ("", ""))[0])
    checks.equal("a unit that is to stop", "inactive", states.get("systemd-timesyncd.service", ("", ""))[0])
    mounts = guest.parse_mounts(seen["mounts"])
    checks.equal("drive", "config-2", mounts.get("/media/configdrive", {}).get("label"))
    checks.equal("OEM partition", "OEM", mounts.get("/usr/share/oem", {}).get("label"))
    judge_journal(seen, [OEM_UNIT, "user-configdrive.service"], checks)


def by_hand(case: Case, ssh: Ssh, checks: Checks) -> None:
    """`--from-file`: one file and one unit change, then nothing, and of a broken file nothing at all."""
    ssh.feed("cat >/root/by-hand.yml", (case.folder / "by-hand.yml").read_text(encoding="utf-8"))
    before = ssh.run(STATE).text.splitlines()
    first = ssh.run(BY_HAND)
    between = ssh.run(STATE).text.splitlines()
    second = ssh.run(BY_HAND)
    after = ssh.run(STATE).text.splitlines()
    checks.equal("status of both runs", (0, 0), (first.status, second.status))
    checks.equal("files", ["changed by hand", "user", *READ.splitlines(), "changed by hand", "from-the-drop-in"], between[:-3])
    checks.contains("what the first run did", "coreos-cloudinit: 2 changes made, 2 already in place", first.text)
    checks.true("reader.service alone was restarted", before[-3] != between[-3] and before[-1] == between[-1], (before, between))
    checks.equal("the second run changed nothing", between, after)
    checks.contains("and reports it", "coreos-cloudinit: nothing changed, 4 already in place", second.text)
    broken = "#cloud-config\nhostname: broken\nwrite_files:\n  - path: /etc/said-by\n    content: broken\n  bad: [\n"
    ssh.feed("cat >/root/by-hand.yml", broken)
    third = ssh.run(f"{BY_HAND}; status=$?; {STATE}; hostname; exit $status")
    checks.equal("status for a broken file", 1, third.status)
    checks.equal("number of messages with the location of the error", 1, third.text.count("/root/by-hand.yml:6:"))
    checks.equal("nothing of it was applied", [*after, "drive-1"], third.text.splitlines()[-len(after) - 1 :])
    checks.matches(
        "a person's runs are in the journal", "changes made", ssh.run("journalctl -b _EXE=/usr/bin/coreos-cloudinit").text
    )


def refused(case: Case, ssh: Ssh, fixer: Ssh, checks: Checks) -> None:
    """A document that is refused: its user can log in and mend it."""
    before = ssh.run(STATE).text
    ssh.feed("cat >/root/by-hand.yml", REFUSED.replace("@SSH_KEY@", case.key.public))
    ran = ssh.run(BY_HAND)
    checks.equal("status for a document that is refused", 1, ran.status)
    checks.contains("reasons for the refusal", ["shell must be an absolute path", "not a valid unit name"], ran.text)
    checks.equal("nothing else of it was applied", before, ssh.run(STATE).text)
    checks.equal("its host name", "refused-1\n", ssh.run("hostname").text)
    checks.equal("who can mend it", "fixer\n", fixer.run("whoami").text)
    mended = "#cloud-config\nhostname: drive-1\ncoreos:\n  update: {group: beta, reboot-strategy: off}\n"
    ssh.feed("cat >/root/by-hand.yml", mended)
    checks.equal("status with coreos.update", 0, ssh.run(BY_HAND).status)
    update = ssh.run("cat /etc/coreos/update.conf; hostname").text
    checks.equal("update.conf from nothing", "GROUP=beta\nREBOOT_STRATEGY=off\ndrive-1\n", update)


def installed(ssh: Ssh, checks: Checks) -> None:
    """Files where installers leave them are applied as soon as they appear; an empty one starts its service once."""
    unit = r"user-cloudinit@var-lib-{}\x2dinstall-user_data"
    text = "#cloud-config\nwrite_files:\n  - path: /etc/installed\n    content: |\n      yes\n"
    ssh.run("mkdir -p /var/lib/coreos-install /var/lib/flatcar-install; touch /var/lib/flatcar-install/user_data")
    ssh.feed("cat >/var/lib/coreos-install/new; mv /var/lib/coreos-install/new /var/lib/coreos-install/user_data", text)
    for system in ("coreos", "flatcar"):
        service = f"{unit.format(system)}.service"
        ssh.run(f"for second in $(seq 60); do systemctl is-active '{service}' && break; sleep 1; done")
        states = guest.parse_units(ssh.run(guest.units_command([service, service.replace(".service", ".path")])).text)
        checks.equal(f"units of {system}'s installer", ["active"] * 2, [state.get("ActiveState") for state in states.values()])
    checks.equal("file of the installer's cloud-config", "yes\n", ssh.run("cat /etc/installed").text)
    log = ssh.run(
        "journalctl --boot --quiet --output=cat --unit='user-cloudinit@var-lib-flatcar*' _EXE=/usr/bin/coreos-cloudinit"
    ).text
    checks.equal("how often the empty file was looked at", 1, log.count("checking availability"))


def convert(case: Case, ssh: Ssh, cards: list[str], checks: Checks) -> None:
    """A network in Debian's words: two cards in a bond, a VLAN upon it; and a second conversion, which finds it so."""
    text = (case.folder / "interfaces").read_text(encoding="utf-8").replace("@ONE@", cards[0]).replace("@TWO@", cards[1])
    ssh.run("mkdir -p /root/drive/openstack/latest /root/drive/openstack/content")
    ssh.feed("cat >/root/drive/openstack/content/0000", text)
    meta = {"hostname": "My VM (test)", "network_config": {"content_path": "/content/0000", "name": "network_config"}}
    ssh.feed("cat >/root/drive/openstack/latest/meta_data.json", json.dumps(meta))
    command = "coreos-cloudinit --from-configdrive=/root/drive --convert-netconf=debian 2>&1"
    first = ssh.run(command)
    ssh.run("/usr/lib/systemd/systemd-networkd-wait-online --interface=bond0.5 --timeout=60")
    links = {link["ifname"]: link for link in json.loads(ssh.run("ip -details -json address").text)}
    route = ssh.run("ip route show 203.0.113.0/24").text
    second = ssh.run(command)
    checks.equal("status of both conversions", (0, 0), (first.status, second.status))
    bond, vlan = links.get("bond0", {}), links.get("bond0.5", {})
    info = bond.get("linkinfo", {})
    checks.equal(
        "bond",
        ("bond", "active-backup", 100),
        (info.get("info_kind"), *(info.get("info_data", {}).get(key) for key in ("mode", "miimon"))),
    )
    checks.equal("cards of the bond", ["bond0"] * 2, [links.get(card, {}).get("master") for card in cards])
    info = vlan.get("linkinfo", {})
    checks.equal("VLAN", ("vlan", 5, "bond0"), (info.get("info_kind"), info.get("info_data", {}).get("id"), vlan.get("link")))
    found = [[one["local"] for one in link.get("addr_info", []) if one["family"] == "inet"] for link in (bond, vlan)]
    checks.equal("addresses", [["192.0.2.10"], ["198.51.100.10"]], found)
    checks.contains("route", "via 198.51.100.1 dev bond0.5", route)
    checks.contains("the second conversion", "nothing changed", second.text)
    names = ssh.run("hostname; hostnamectl --static; hostnamectl --pretty").text
    checks.equal("names of the machine", "my-vm-test\nmy-vm-test\nMy VM (test)\n", names)
    checks.equal("failed units in the end", "", ssh.run("systemctl --failed --plain --no-legend").text)
