"""The units: what each stage of docs/architecture.md must say, and the order of a first boot that follows from all of them.

Order holds in systemd only through units that are started, too: the closure goes through the units of a first boot and no others.
"""

import os
import re
import shutil
import subprocess
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

from coreos_metadata import main as coreos_metadata
from coreos_metadata import usage
from dracut import platform_conditions
from ignition.cli import cloudinit, flags
from ignition.cli.ignition import STAGES
from ignition.cloudinit.datasources import table
from ignition.config import unit_syntax

TOP = Path(__file__).parent.parent.parent
INITRAMFS, SYSTEM = TOP / "dracut/35coreos-ignition", TOP / "dracut/system"
CLOUDINIT = SYSTEM / "cloudinit"
SUFFIXES = {".service", ".target", ".path", ".mount"}
UNITS = {path.name: path for folder in (INITRAMFS, SYSTEM, CLOUDINIT) for path in folder.iterdir() if path.suffix in SUFFIXES}
ALL_UNITS = sorted(UNITS)
IN_INITRD = sorted(name for name, path in UNITS.items() if path.parent == INITRAMFS)
OURS = ("ignition", "coreos", "user-c", "system-c", "media-", "oem-")
RUN = "/run/ignition"
LAUNCHERS = re.findall(r'^launcher "\$libexec(/\S+)"', (TOP / "dracut/install-launchers").read_text(), re.MULTILINE)
LAUNCHERS = [f"/usr/lib/coreos-ignition{name}" for name in LAUNCHERS]
# Beyond /etc/initrd-release, which all of them have.
CONDITIONS: dict[str, list[str]] = {
    "ignition-fetch-offline.service": [],
    "ignition-network.service": [f"ConditionPathExists={RUN}/neednet"],
    "ignition-fetch.service": [f"ConditionPathExists={RUN}/neednet", "ConditionPathExists=!/run/ignition.json"],
    "ignition-kargs.service": [f"ConditionPathExists={RUN}/need-kargs"],
    "ignition-begin.service": [],
    "ignition-disks.service": [f"ConditionPathExists={RUN}/need-disks"],
    "ignition-assemble.service": [f"ConditionPathExists={RUN}/hold"],
    "ignition-remount-sysroot.service": ["ConditionPathIsReadWrite=!/sysroot"],
    "ignition-grow.service": [],
    "ignition-mount.service": [f"ConditionPathExists={RUN}/need-mount"],
    "ignition-files.service": [],
    "ignition-quench.service": [],
}
STAGE_UNITS = list(CONDITIONS)
# Units of the companion that belong to a first boot; on most platforms their conditions leave them out.
NETWORK_START = "systemctl start ignition-network-down.service systemd-networkd.service systemd-resolved.service"
COMPANION = (
    "coreos-metadata-network-kargs.service",
    "coreos-metadata-ignition-fragment.service",
    "coreos-static-network.service",
    "coreos-metadata-hostname.service",
    "coreos-metadata-hostname-drive.service",
)
# Only where the boot loader has seen a flag.
FLAGGED = {"ignition-begin.service", "ignition-quench.service"}
# The seams that systemd dictates, earlier before later: systemd 252, bootup(7), units/initrd*, and sysroot.mount as
# systemd-fstab-generator writes it.
SYSTEMD = [
    ("systemd-udevd.service", "basic.target"),
    ("initrd-root-device.target", "sysroot.mount"),
    ("systemd-fsck-root.service", "sysroot.mount"),
    ("sysroot.mount", "initrd-root-fs.target"),
    ("initrd-root-fs.target", "initrd-parse-etc.service"),
    ("initrd-parse-etc.service", "initrd-fs.target"),
    ("initrd-root-fs.target", "initrd.target"),
    ("initrd-root-device.target", "initrd.target"),
    ("initrd-fs.target", "initrd.target"),
    ("basic.target", "initrd.target"),
    ("initrd.target", "initrd-cleanup.service"),
    ("initrd-cleanup.service", "initrd-switch-root.target"),
]


def text_of(name: str) -> str:
    """A unit as dracut/install leaves it: with the conditions on its platforms."""
    return platform_conditions.expanded(UNITS[name].read_text())


def lines(name: str) -> list[str]:
    """The assignments of a unit."""
    return [line for line in text_of(name).splitlines() if "=" in line and not line.startswith("#")]


def values(name: str, key: str) -> list[str]:
    """All values of a list, blanks separating."""
    return [word for line in lines(name) if line.startswith(f"{key}=") for word in line.partition("=")[2].split()]


def started(*, flagged: bool) -> set[str]:
    """The units of a first boot."""
    ours = {"ignition-complete.target", *values("ignition-complete.target", "Requires")} | (FLAGGED if flagged else set())
    return ours | {unit for edge in SYSTEMD for unit in edge}


def order(*, flagged: bool) -> dict[str, set[str]]:
    """Of each unit of a first boot: the ones directly before it."""
    units = started(flagged=flagged)
    before: dict[str, set[str]] = {unit: set() for unit in units}
    edges = list(SYSTEMD)
    for name in units & UNITS.keys():
        edges += [(name, later) for later in values(name, "Before")] + [(earlier, name) for earlier in values(name, "After")]
    for earlier, later in edges:
        if earlier in units and later in units:
            before[later].add(earlier)
    return before


def comes_before(earlier: str, later: str, before: dict[str, set[str]]) -> bool:
    """Whether the order is settled, directly or through others."""
    seen: set[str] = set()
    todo = [later]
    while todo:
        for unit in before[todo.pop()] - seen:
            seen.add(unit)
            todo.append(unit)
    return earlier in seen


@pytest.mark.parametrize("name", ALL_UNITS)
def test_unit_parses(name: str) -> None:
    text = text_of(name)
    assert unit_syntax.problem(text) == ""
    assert {option.section for option in unit_syntax.parse(text)} <= {"Unit", "Service", "Install", "Path", "Mount"}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_knows_every_key_and_value(tmp_path: Path) -> None:
    for name in UNITS:
        (tmp_path / name).write_text(text_of(name))
    argv = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *(str(tmp_path / name) for name in ALL_UNITS)]
    said = subprocess.run(argv, capture_output=True, text=True, check=False).stderr.splitlines()
    # The programs are on the machines, not here; so is the OEM's partition.
    program = re.compile(
        r"[a-z-]+(@\w+)?\.service: Command /usr/(bin|lib/coreos-ignition|share/oem/bin)/[a-z-]+"
        r" is not executable: No such file or directory"
    )
    assert [line for line in said if str(tmp_path) in line or line.startswith(OURS)] == [
        line for line in said if program.fullmatch(line)
    ]


@pytest.mark.parametrize("name", STAGE_UNITS)
def test_stage_has_its_unit_with_its_conditions(name: str) -> None:
    conditions = [line for line in lines(name) if line.startswith(("Condition", "Assert"))]
    assert sorted(conditions) == sorted(["ConditionPathExists=/etc/initrd-release", *CONDITIONS[name]])


@pytest.mark.parametrize("name", STAGE_UNITS)
def test_stage_that_fails_leads_to_the_emergency_target(name: str) -> None:
    found = lines(name)
    expected = (
        "OnFailure=emergency.target",
        "OnFailureJobMode=isolate",
        "DefaultDependencies=no",
        "Before=ignition-complete.target",
        "Type=oneshot",
        "RemainAfterExit=yes",
        "EnvironmentFile=/run/ignition.env",
        "SyslogIdentifier=ignition",
    )
    assert [line for line in expected if line not in found] == []


@pytest.mark.parametrize("name", IN_INITRD)
def test_unit_of_the_initramfs_does_not_run_in_the_real_root(name: str) -> None:
    assert "ConditionPathExists=/etc/initrd-release" in lines(name)


def test_architecture_names_every_stage_and_only_units_that_exist() -> None:
    text = (TOP / "docs/architecture.md").read_text().split("## Rooms")[0]
    drawn = [name for name in re.findall(r"^ (ignition-[a-z-]+\.service)", text, re.MULTILINE)]
    assert drawn == STAGE_UNITS
    assert set(re.findall(r"ignition-[a-z-]+\.(?:service|target)", text)) <= UNITS.keys()


def test_completion_requires_every_stage_and_the_companion() -> None:
    # The two that handle the flag are added by the generator.
    assert set(values("ignition-complete.target", "Requires")) == {*STAGE_UNITS, *COMPANION} - FLAGGED


@pytest.mark.parametrize("name", COMPANION)
def test_companion_that_fails_leads_to_the_emergency_target(name: str) -> None:
    expected = (
        "OnFailure=emergency.target",
        "OnFailureJobMode=isolate",
        "DefaultDependencies=no",
        "Before=ignition-complete.target",
    )
    assert [line for line in expected if line not in lines(name)] == []


def test_flag_goes_away_only_after_everything_that_changes_the_machine() -> None:
    changing = {f"ignition-{stage}.service" for stage in ("begin", "disks", "mount", "grow", "files")}
    assert set(values("ignition-quench.service", "Requires")) == changing
    assert changing <= set(values("ignition-quench.service", "After"))


@pytest.mark.parametrize("name", IN_INITRD)
def test_only_units_are_ordered_that_somebody_brings(name: str) -> None:
    ours = [unit for key in ("After", "Before", "Requires") for unit in values(name, key) if unit.startswith("ignition-")]
    assert [unit for unit in ours if unit not in UNITS] == []


def coreos_metadata_takes(arguments: str) -> bool:
    """Whether the companion's parsers accept the command line of a unit; variables and specifiers stand for something."""
    words = arguments.replace("${COREOS_METADATA_OPT_PROVIDER}", "--cmdline").split()
    command, words = coreos_metadata.PROGRAM.chosen(words)
    values, rest = flags.read(command.flags, words, command.dialect)
    usage.check(values)
    return not rest


def coreos_cloudinit_takes(arguments: str) -> bool:
    """Whether the flags of a unit's command are known and no word is left over."""
    values, rest = flags.read(cloudinit.FLAGS, arguments.split())
    return not rest and any(values[source.flag] for source in table.SOURCES) != bool(values["oem"])


@pytest.mark.parametrize("name", ALL_UNITS)
def test_command_exists(name: str) -> None:
    for line in lines(name):
        if not line.startswith("Exec"):
            continue
        program, _, rest = line.partition("=")[2].lstrip("-").partition(" ")
        if program == "/usr/bin/ignition" and rest not in ("verify -json", "outcome -send"):
            stage = re.match(r"(?:-stage ([a-z-]+) -platform \$\{PLATFORM_ID\}|grow) -root (?:/sysroot|/)$", rest)
            assert stage and (stage[1] is None or stage[1] in STAGES), line
        elif program == "/usr/bin/coreos-metadata":
            assert coreos_metadata_takes(rest), line
        elif program == "/usr/bin/coreos-cloudinit":
            assert coreos_cloudinit_takes(rest), line
        elif program in LAUNCHERS:
            assert INITRAMFS not in UNITS[name].parents, "not installed"
        elif program.startswith("/usr/lib/coreos-ignition/"):
            script = program.rpartition("/")[2]
            source = next(folder / script for folder in (INITRAMFS, SYSTEM) if (folder / script).exists())
            assert source.stat().st_mode & 0o111
            installer = INITRAMFS / "module-setup.sh" if INITRAMFS in UNITS[name].parents else TOP / "dracut/install"
            assert re.search(rf"[ /]{script}[\"; ]", installer.read_text()), "not installed"
        else:
            assert program.startswith(("/usr/bin/", "/usr/lib/systemd/", "/usr/share/oem/bin/"))


ORDER = (
    "basic.target",
    "ignition-fetch-offline.service",
    "ignition-network.service",
    "ignition-fetch.service",
    "ignition-kargs.service",
    "ignition-begin.service",
    "ignition-disks.service",
    "ignition-assemble.service",
    "initrd-root-device.target",
    "sysroot.mount",
    "ignition-remount-sysroot.service",
    "ignition-grow.service",
    "ignition-mount.service",
    "ignition-files.service",
    "initrd-parse-etc.service",
    "initrd-fs.target",
    "initrd.target",
    "initrd-cleanup.service",
    "initrd-switch-root.target",
)


@pytest.mark.parametrize("flagged", [True, False], ids=["detected", "without-flag"])
def test_stages_come_one_after_the_other(flagged: bool) -> None:
    before = order(flagged=flagged)
    chain = [unit for unit in ORDER if unit in before]
    assert set(ORDER) - set(chain) == (set() if flagged else {"ignition-begin.service"})
    assert [pair for pair in pairwise(chain) if not comes_before(*pair, before)] == []


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("systemd-udevd.service", "ignition-disks.service"),
        ("ignition-disks.service", "systemd-fsck-root.service"),
        ("initrd-root-fs.target", "ignition-grow.service"),
        ("initrd-root-fs.target", "ignition-mount.service"),
        ("initrd-root-fs.target", "ignition-files.service"),
        ("ignition-files.service", "ignition-quench.service"),
        ("ignition-quench.service", "ignition-complete.target"),
        ("ignition-quench.service", "initrd.target"),
        ("ignition-complete.target", "initrd.target"),
    ],
    ids=lambda unit: unit,
)
def test_seam_holds(earlier: str, later: str) -> None:
    before = order(flagged=True)
    assert comes_before(earlier, later, before)
    assert not comes_before(later, earlier, before)


@pytest.mark.parametrize("flagged", [True, False], ids=["detected", "without-flag"])
def test_order_has_no_cycle(flagged: bool) -> None:
    before = order(flagged=flagged)
    # Raises CycleError.
    sequence = list(TopologicalSorter(before).static_order())
    assert set(sequence) == started(flagged=flagged)


def test_leaving_the_initramfs_unmounts_and_then_removes_the_config() -> None:
    # Stop jobs go backwards: what starts after a unit stops before it; and both stop before the target that they start before.
    mount, offline = "ignition-mount.service", "ignition-fetch-offline.service"
    assert "initrd-switch-root.target" in values("ignition-complete.target", "Conflicts")
    for unit in (mount, offline):
        assert "initrd-switch-root.target" in values(unit, "Before")
    assert offline in values(mount, "After")
    assert "ExecStop=/usr/bin/ignition -stage umount -platform ${PLATFORM_ID} -root /sysroot" in lines(mount)
    assert "initrd-switch-root.target" in values(offline, "Conflicts")  # isolating it does not stop the unit: IgnoreOnIsolate=
    assert (
        "ExecStop=/usr/bin/rm -f /run/ignition.json /run/ignition/texts /run/ignition/retry.ign /run/ignition/retry.url"
        in lines(offline)
    )


KEPT = ("fetch-offline", "network", "network-ahead", "fetch", "kargs", "begin", "disks", "assemble", "network-down")


@pytest.mark.parametrize("name", [f"ignition-{unit}.service" for unit in KEPT])
def test_failure_keeps_what_a_retry_needs_and_the_switch_does_not(name: str) -> None:
    assert values(name, "IgnoreOnIsolate") == ["yes"]
    assert "initrd-switch-root.target" in values(name, "Conflicts")


def test_failure_undoes_what_stands_on_root() -> None:
    for name in ("ignition-remount-sysroot", "ignition-grow", "ignition-mount", "ignition-files", "ignition-quench"):
        assert values(f"{name}.service", "IgnoreOnIsolate") == []


def test_network_goes_down_after_its_daemons_and_before_the_switch() -> None:
    down = "ignition-network-down.service"
    # Before at the start is after at the stop.
    daemons = {"systemd-networkd.socket", "systemd-networkd.service", "systemd-resolved.service", "initrd-switch-root.target"}
    assert daemons <= set(values(down, "Before"))
    assert "initrd-switch-root.target" in values(down, "Conflicts")
    assert f"systemctl start {down} systemd-networkd.service" in (INITRAMFS / "network-up").read_text()


def test_network_starts_ahead_without_holding_anything_up() -> None:
    unit = "ignition-network-ahead.service"
    # It waits neither for the offline stage nor for anything that the stage waits for; the network unit finds its work done.
    assert values(unit, "After") == ["systemd-udevd.service", "systemd-tmpfiles-setup.service"]
    assert "ignition-network.service" in values(unit, "Before")
    # No boot fails because of it: it is wanted, its command may fail, and no failure leads to the emergency target.
    assert unit in values("ignition-complete.target", "Wants")
    assert [line for line in lines(unit) if line.startswith("ExecStart=")] == [f"ExecStart=-/usr/bin/{NETWORK_START}"]
    assert not values(unit, "OnFailure")
    # network-up starts the same, and gives the kernel's arguments to systemd before.
    assert NETWORK_START in UNITS[unit].with_name("network-up").read_text()


@pytest.mark.parametrize("word", ["ip", "nameserver", "rd.route", "ifname", "bond", "bridge", "vlan"])
def test_arguments_about_the_network_are_read_before_it_starts(word: str) -> None:
    assert f"ConditionKernelCommandLine=!{word}" in lines("ignition-network-ahead.service")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize(
    ("words", "starts"),
    [
        pytest.param("quiet root=LABEL=ROOT", True, id="none of them"),
        pytest.param("ip=dhcp", False, id="plain"),
        pytest.param("ip", False, id="without a value"),
        pytest.param('"ip=dhcp"', False, id="quoted"),
        pytest.param('ip="192.0.2.1::192.0.2.254:24::eth0:none"', False, id="quoted value"),
        pytest.param("'nameserver=192.0.2.1'", False, id="in single quotes"),
        pytest.param('"bond=bond0:eth0,eth1', False, id="quote that is not closed"),
        pytest.param('quiet="a ip=dhcp"', True, id="inside another value"),
        pytest.param("skip=1 rd.ip=1 ipx=1 IP=dhcp ip.x=1", True, id="other names"),
    ],
)
def test_systemd_finds_arguments_about_the_network_however_they_are_written(words: str, starts: bool) -> None:
    """SYSTEMD_PROC_CMDLINE replaces the kernel command line in all of systemd's programs."""
    conditions = [line for line in lines("ignition-network-ahead.service") if line.startswith("ConditionKernelCommandLine=!")]
    environment = {**os.environ, "SYSTEMD_PROC_CMDLINE": f"ro {words} rd.shell=0"}
    done = subprocess.run(["systemd-analyze", "condition", *conditions], env=environment, capture_output=True, check=False)
    assert (done.returncode == 0) == starts, done.stderr


def test_screen_comes_before_the_shell() -> None:
    assert {"emergency.service", "emergency.target"} <= set(values("ignition-emergency.service", "Before"))
    assert "ConditionPathExists=/run/ignition.env" in lines("ignition-emergency.service")


def test_every_later_boot_looks_for_room_without_python() -> None:
    found = lines("ignition-growroot.service")
    condition = found.index("ExecCondition=/usr/lib/coreos-ignition/root-can-grow")
    assert condition < found.index("ExecStart=/usr/bin/ignition grow -root /")
    # The mark of an interrupted growth goes away only after success.
    assert "ExecStartPost=/usr/bin/mv -f /var/lib/ignition/growing /var/lib/ignition/grown" in found
    assert "growing=${IGNITION_GROWING_MARK:-/var/lib/ignition/growing}" in (SYSTEM / "root-can-grow").read_text()


# Units whose work may last as long as it likes, and why.
WITHOUT_LIMIT = {
    "ignition-fetch.service": "each fetch has a deadline of its own, which a config may take away",
    "ignition-emergency.service": "waits for a person",
}
SERVICES = sorted(name for name in ALL_UNITS if name.endswith(".service"))
SPAN = re.compile(r"(\d+)(s|min|h|d)$")


def limit(name: str) -> str:
    """How long a unit may start: `infinity`, or a span."""
    found = [line.partition("=")[2] for line in lines(name) if line.startswith(("TimeoutStartSec=", "TimeoutSec="))]
    assert len(found) == 1, found
    return found[0]


NOBODY_WAITS_FOR = "ignition-ssh-notice.service"  # a oneshot unit would hold up multi-user.target


@pytest.mark.parametrize("name", SERVICES)
def test_start_has_a_limit_because_a_oneshot_unit_has_none_by_itself(name: str) -> None:
    if name == NOBODY_WAITS_FOR:
        assert {"Type=exec", "RuntimeMaxSec=10min"} <= set(lines(name))
        return
    assert "Type=oneshot" in lines(name)  # systemd.service(5), TimeoutStartSec=: for other types there is a default
    if name in WITHOUT_LIMIT:
        assert limit(name) == "infinity"
    else:
        assert SPAN.match(limit(name)), limit(name)


@pytest.mark.parametrize("name", [name for name in SERVICES if "cloudinit" not in name and "user-c" not in name])
def test_limit_has_its_reason_beside_it(name: str) -> None:
    text = UNITS[name].read_text().splitlines()
    for at, line in enumerate(text):
        if line.startswith("TimeoutStartSec="):
            assert text[at - 1].startswith("# "), "say why"


def test_docs_have_the_limit_of_each_unit() -> None:
    text = (TOP / "docs/boot.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z@-]+\.service)` \| (\w+) \|", text, re.MULTILINE))
    for name in SERVICES:
        if "TimeoutStartSec=" in UNITS[name].read_text() and name != "ignition-network-down.service":
            assert rows.pop(name, "") == limit(name), name
    assert rows == {}


def test_hanging_stage_is_longer_than_what_it_waits_for() -> None:
    # The limits of programs must say what was slow before systemd ends the unit without a word.
    from ignition.stages import kargs
    from ignition.storage import filesystems, luks_operations, root_contents
    from ignition.storage.grow import operations as grow

    seconds = {"s": 1, "min": 60, "h": 3600, "d": 86400}
    for name, needed in {
        "ignition-disks.service": luks_operations.FORMAT_TIMEOUT_S
        + 2 * root_contents.COPY_TIMEOUT_S
        + filesystems.MKFS_TIMEOUT_S,
        "ignition-grow.service": 5 * grow.GROW_TIMEOUT_S,
        "ignition-kargs.service": kargs._TIMEOUT_S + 180,
    }.items():
        number, unit = SPAN.fullmatch(limit(name)).groups()  # type: ignore[union-attr]  # the test above
        assert int(number) * seconds[unit] > needed


def test_stages_that_stay_after_a_failure_require_those_before_them() -> None:
    """IgnoreOnIsolate= keeps waiting jobs as well: the failure of a stage must end them in another way."""
    kept = [name for name in STAGE_UNITS if "IgnoreOnIsolate=yes" in lines(name)]
    assert kept == STAGE_UNITS[: STAGE_UNITS.index("ignition-assemble.service") + 1]
    reached: dict[str, set[str]] = {}
    for number, name in enumerate(kept):
        direct = required(name)
        reached[name] = direct.union(*(reached[unit] for unit in direct & reached.keys()))
        assert set(kept[:number]) <= reached[name]


def required(name: str) -> set[str]:
    """The units that a stage requires on a first boot with a flag."""
    said = [unit for line in lines(name) if line.startswith("Requires=") for unit in line.partition("=")[2].split()]
    generator = (INITRAMFS / "ignition-generator").read_text()
    return {*said, *re.findall(rf"^ *require (\S+) {re.escape(name)}$", generator, re.MULTILINE)}
