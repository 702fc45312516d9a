"""verifies: the recipes of docs/recipes boot as they stand there, and the commands of their sections "What to check" print what
the pages say, after the first boot and after a later one. Recipes that do not exclude each other share a machine: their documents
are merged by one config. Those that recreate ROOT have a machine each.

Only values that depend on the run are inserted: names of disks, so that each recipe has its own, and addresses of servers.

RECIPES=hostname,lvm in the environment boots these recipes alone, each in the group that it belongs to.
"""

import json
import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from harness import disks, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB, Disk
from harness.errors import HarnessError
from harness.hardware import Hardware
from harness.machine import Machine, Nic
from harness.services.documents import Documents
from harness.services.tang import GUESTS_VIEW, Tang

sys.path += [str(Path(__file__).resolve().parents[3] / "docs"), str(Path(__file__).resolve().parents[3])]
from recipe_page import MIGRATED, Recipe, migrated, recipes, translated  # noqa: E402 - the module is beside the pages

TIMEOUT_S = 3600
EXPECTED_S = 900

CONFIG = "opt/com.coreos/config"
TANG_URL, THUMBPRINT = "http://tang.example.com", "kXSyHLGkJwVfH9mUoXk5hB9oCmfn5TlYDmQwzUDKMqM"
BASE_SERVER, BASE = "https://config.example.com", "/base.ign"
# A later boot skips these units, which have done their work.
ONCE = ("ca-certificates", "run-once")
# The cards of the pages, each in the network that its recipe assumes; the first one of a machine is for the login.
STATIC = Nic("52:54:00:aa:00:01", "192.0.2.0/24", "192.0.2.1", "192.0.2.53", "192.0.2.99")
BONDED = Nic("52:54:00:aa:00:02", "10.0.3.0/24", "10.0.3.2", "10.0.3.3", "10.0.3.15", beside=("52:54:00:aa:00:03",))
TAGGED = Nic("52:54:00:aa:00:04", "10.0.4.0/24", "10.0.4.2", "10.0.4.3", "10.0.4.15")


@dataclass(frozen=True)
class Group:
    """Recipes that share a machine: each with the texts of its page that other texts stand for."""

    name: str
    recipes: Mapping[str, Mapping[str, str]]
    disks: int
    nics: Sequence[Nic] = (Nic(),)
    memory_mib: int = 2048
    compared: bool = True  # with its plan, as the case root-luks is not either

    @property
    def reboots(self) -> bool:
        """Whether the first boot sets kernel arguments, and starts again with them."""
        return "kernel-arguments" in self.recipes

    def only(self, names: Collection[str]) -> "Group":
        """The group with these of its recipes."""
        return replace(self, recipes={name: own for name, own in self.recipes.items() if name in names})


TOGETHER = Group(
    "together",
    {
        "user-ssh-key": {},
        "user-password": {},
        "hostname": {},
        "static-address": {},
        "vlan": {},
        "time-zone": {},
        "kernel-arguments": {},
        "kernel-modules": {},
        "sysctl": {},
        "swap-file": {},
        "registries": {},
        "run-once": {},
        "timer": {},
        "data-disk": {},
        "keep-data": {"/dev/vdb": "/dev/vdc"},
        "raid1-data": {"/dev/vdc": "/dev/vde", "/dev/vdb": "/dev/vdd"},
        "luks-tpm2": {"/dev/vdb": "/dev/vdf"},
        "luks-tang": {"/dev/vdb": "/dev/vdg"},
        "btrfs-subvolumes": {"/dev/vdb": "/dev/vdh"},
        "lvm": {"/dev/vdb": "/dev/vdi"},
        "from-container-linux": {"/dev/vdb": "/dev/vdj"},
    },
    disks=9,
    nics=(Nic(), STATIC, TAGGED),
)
# The VLAN has the default route, as the static address of the others has.
MIRRORED = Group("raid1-root", {"raid1-root": {}, "bond-vlan": {}}, disks=1, nics=(Nic(), BONDED))
ENCRYPTED = Group("luks-root", {"luks-root": {}, "fleet": {}}, disks=0, memory_mib=2560, compared=False)
FROM_CLOUD_INIT = Group(MIGRATED, {MIGRATED: {}, "ca-certificates": {}, "proxy": {}}, disks=1)
GROUPS = (TOGETHER, MIRRORED, ENCRYPTED, FROM_CLOUD_INIT)


def run(case: Case) -> None:
    """A machine for each group: its first boot, and a later one."""
    pages = {recipe.name: recipe for recipe in (*recipes(), migrated())}
    base = translated(pages["fleet"].documents[1].text, "fleet")
    with Tang(case.work / "tang") as tang, Documents({BASE: base}) as server:
        values = {TANG_URL: tang.url, THUMBPRINT: tang.thumbprint(), BASE_SERVER: f"http://{GUESTS_VIEW}:{server.port}"}
        here = {f"{GUESTS_VIEW}:{server.port}": f"127.0.0.1:{server.port}"}
        for group in chosen(os.environ.get("RECIPES", "")):
            boot(case, group, adapted(group, pages, values), here)


def chosen(names: str) -> list[Group]:
    """The groups with those of their recipes that this list names, separated by commas; all for an empty list.

    HarnessError for a name that no group has.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    booted = [name for group in GROUPS for name in group.recipes]
    if unknown := [name for name in wanted if name not in booted]:
        raise HarnessError(f"RECIPES: no recipe named {', '.join(unknown)} is booted; there are: {', '.join(booted)}")
    return [group for group in (group.only(wanted or booted) for group in GROUPS) if group.recipes]


def adapted(group: Group, pages: Mapping[str, Recipe], values: Mapping[str, str]) -> list[Recipe]:
    """The pages of a group with the names and addresses of this run."""
    found = []
    for name, own in group.recipes.items():
        text = pages[name].text
        for there, this in (*own.items(), *values.items()):
            text = text.replace(there, this)
        found.append(Recipe(name, text))
    return found


def config(members: Iterable[Recipe], key: str) -> str:
    """A config that merges the recipes' documents, as they are, and lets root log in."""
    sources = [data_url(recipe.documents[0].text) for recipe in members]
    root = {"name": "root", "sshAuthorizedKeys": [key]}
    ignition = {"version": "3.5.0", "config": {"merge": [{"source": source} for source in sources]}}
    return json.dumps({"ignition": ignition, "passwd": {"users": [root]}})


def data_url(text: str) -> str:
    """Percent-encoded, so that the address of a server can be replaced in it for the plan."""
    return f"data:,{quote(text, safe='/:.')}"


def boot(case: Case, group: Group, members: Sequence[Recipe], here: Mapping[str, str]) -> None:
    """The first boot and a later one; the checks of the pages after each."""
    size = (disks.virtual_size(case.image.disk) // GIB + 2) * GIB
    drives: list[Disk] = [case.system_disk(f"{group.name}-system", size)]
    # As large as the system's: a half of a mirror of ROOT must hold it.
    drives += [disks.blank(case.work / f"{group.name}-{number}.qcow2", size) for number in range(group.disks)]
    hardware = Hardware(memory_mib=group.memory_mib, tpm=case.tpm(group.name))
    path = case.work / f"{group.name}.ign"
    path.write_text(config(members, case.key.public), encoding="utf-8")
    source = {CONFIG: path}
    plan = case.foresee(drives, path, here=here, hardware=hardware) if group.compared else None
    if group.reboots:
        with case.machine(f"{group.name}-kargs", drives, nics=group.nics, fw_cfg=source, hardware=hardware) as machine:
            machine.wait_for_reboot()
    with case.machine(f"{group.name}-first", drives, nics=group.nics, fw_cfg=source, hardware=hardware, foreseen=plan) as machine:
        first = judge(case.checks(f"{group.name}, first boot", machine), machine, members)
        machine.power_off()
    with case.machine(f"{group.name}-later", drives, nics=group.nics, hardware=hardware) as machine:
        lasting = [recipe for recipe in members if recipe.name not in ONCE]
        later = judge(case.checks(f"{group.name}, later boot", machine), machine, lasting)
        machine.cut_off()
    first.done()
    later.done()
    case.say(f"booted as their pages say: {', '.join(group.recipes)}")


def judge(checks: Checks, machine: Machine, members: Iterable[Recipe]) -> Checks:
    """The machine is up, and the commands of the pages print what the pages say. Returns the checks, which are not done."""
    ssh = machine.wait_for_login()
    checks.equal("state of the system", "running", guest.settle(ssh))
    commands = {f"{recipe.name}: $ {check.command}": check for recipe in members for check in recipe.checks}
    seen = ssh.collect(
        {name: check.command for name, check in commands.items()} | {"failed": "systemctl --failed --plain --no-legend"}
    )
    checks.equal("failed units", "", seen.pop("failed").text)
    for name, answer in seen.items():
        output = commands[name].output.strip()
        checks.true(name, commands[name].matches(answer.text), f"{answer.text}\nand the page says:\n{output}")
    return checks
