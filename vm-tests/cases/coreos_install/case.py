"""verifies: coreos-install on a running machine writes a signed image, packed with zstd, from a server to the second disk, with a
config on OEM and a kernel argument; a machine with that disk alone boots from it through GRUB, and provisions itself from OEM
before a network is there; ROOT has grown. Images that are forged or truncated, and an installation that is killed, leave a disk
without boot code and partition table.
"""

import random
import tempfile
from pathlib import Path

from harness import disks, gpt, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB, MIB, Disk
from harness.errors import HarnessError
from harness.lab import Blank, Lab, LabDisk, booted
from harness.prepared import partitioned
from harness.programs import run as program
from harness.services.files import FileServer

TIMEOUT_S = 900
EXPECTED_S = 220

HOST = "http://10.0.2.2"
KEYS, CONFIG, FIFO = "/run/publisher.asc", "/run/config.ign", "/run/image"
IMAGE_SIZE = 24 * MIB
SMALL = "label: gpt\n1 : start=2048, size=40960, name=small\n"
INSTALL = "coreos-install --key-file {keys} --device {disk} --image-url {host}:{port}/{name} {more} 2>&1"
# It gets half of an image, and is killed once the disk has lost its table.
KILL = f"""
rm -f {FIFO}; mkfifo {FIFO}
(cat /run/half; exec sleep 600) >{FIFO} &
feeder=$!
coreos-install --device {{disk}} --image-file {FIFO} --insecure --overwrite >/run/killed.log 2>&1 &
victim=$!
for n in $(seq 600); do
    if ! blkid -p {{disk}} >/dev/null && [ "$(head -c 512 {{disk}} | tr -d '\\0' | wc -c)" = 0 ]; then break; fi
    kill -0 $victim || break
    sleep 0.1
done
sleep 1
kill -KILL $victim; echo "killed: $?"
kill $feeder; wait; rm {FIFO}
"""
PROBES = {
    "host name": "cat /etc/hostname",
    "file": "cat /etc/app.conf; stat -c '%a %U' /etc/app.conf",
    "config on OEM": "mount -o ro /dev/disk/by-label/OEM /mnt; stat -c '%a %u:%g' /mnt/config.ign; umount /mnt",
    "command line": "cat /proc/cmdline",
    "root": "findmnt --noheadings --output SIZE --bytes /",
    "failed": "systemctl --failed --plain --no-legend",
    "table": "sgdisk --verify /dev/vda",
    "journal": guest.JOURNAL,
}


def run(case: Case) -> None:
    """A lab that installs two disks, and a boot of the first one."""
    keys = Keys()
    config = case.fill("config.ign", {"SSH_KEY": case.key.public})
    try:
        with FileServer() as server, booted(case, [Blank(6 * GIB), Blank(64 * MIB)]) as lab:
            for path, text in ((KEYS, keys.public()), (CONFIG, config.read_text(encoding="utf-8"))):
                lab.ssh.feed(f"cat >{path}", text)
            with lab.scenario("refusals") as checks:
                refusals(case, lab, lab.disks[1], server, keys, checks)
            with lab.scenario("installation") as checks:
                install(case, lab, lab.disks[0], server, keys, checks)
            installed = lab.disks[0].image
            lab.flush()
    finally:
        keys.forget()
    boot(case, Disk(installed, "raw"))


class Keys:
    """The publisher's key pair, in a directory with a short path: gpg-agent has a socket there."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="gpg", dir="/tmp"))
        quiet = ["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
        self._base: list[str | Path] = ["gpg", "--homedir", self._home, *quiet]
        program([*self._base, "--quick-generate-key", "publisher <publisher@example.com>", "ed25519", "sign", "never"])

    def public(self) -> str:
        """For -k."""
        return program([*self._base, "--armor", "--export"])

    def sign(self, path: Path) -> bytes:
        """The detached signature of a file."""
        target = path.with_name(f"{path.name}.sig")
        program([*self._base, "--output", target, "--detach-sign", path], timeout_s=120)
        return target.read_bytes()

    def forget(self) -> None:
        """End the agent, and remove the keys."""
        program(["gpgconf", "--homedir", self._home, "--kill", "all"])
        # The agent that ends removes its sockets meanwhile, which is an error for shutil.rmtree().
        program(["rm", "-rf", self._home])


def command(lab_disk: LabDisk, server: FileServer, name: str, more: str = "") -> str:
    """That of an installation from the server."""
    return INSTALL.format(keys=KEYS, disk=lab_disk, host=HOST, port=server.port, name=name, more=more)


def refusals(case: Case, lab: Lab, disk: LabDisk, server: FileServer, keys: Keys, checks: Checks) -> None:
    """A small image: installed, then over it a killed installation, a forged and a truncated image."""
    small = partitioned(case.work / "small.raw", IMAGE_SIZE, SMALL).path
    with small.open("r+b") as file:
        file.write(b"\xeb\x63\x90")
        file.seek(2 * MIB)
        file.write(random.Random(1).randbytes(8 * MIB))
    data, signature = small.read_bytes(), keys.sign(small)
    forged = bytearray(data)
    forged[5 * MIB] ^= 1
    for name, body in (("good", data), ("forged", bytes(forged)), ("truncated", data[: 9 * MIB])):
        server.put(f"/{name}", body)
        server.put(f"/{name}.sig", signature)
    answer = lab.run(command(disk, server, "good"))
    checks.equal("good: status", 0, answer.status)
    checks.contains("good", f"{disk} is installed.", answer.text)
    lab.flush()
    checks.equal("good: partitions", ["small"], [part.label for part in gpt.read_table(disk.image).partitions.values()])
    answer = lab.run(command(disk, server, "good"))
    checks.equal("data on the disk: status", 1, answer.status)
    checks.contains("data on the disk", "the disk holds data that would be lost: partition 1 'small'", answer.text)
    checks.equal("plan: status", 3, lab.run(command(disk, server, "good", "--plan")).status)
    lab.must(f"head -c {IMAGE_SIZE // 2} {disk} >/run/half")
    checks.contains("killed", "killed: 0", lab.run(KILL.format(disk=disk), 180).text)
    lab.flush()
    checks.equal("killed: the beginning of the disk", bytes(MIB), disk.image.read_bytes()[:MIB])
    for name in ("forged", "truncated"):
        checks.equal(f"{name}: first a good one", 0, lab.run(command(disk, server, "good", "--overwrite")).status)
        answer = lab.run(command(disk, server, name, "--overwrite"))
        checks.equal(f"{name}: status", 1, answer.status)
        checks.contains(name, ["damaged, truncated or forged", "does not boot now"], answer.text)
        lab.flush()
        found = disk.image.read_bytes()
        checks.equal(f"{name}: the beginning of the disk", bytes(MIB), found[:MIB])
        checks.true(f"{name}: no backup of a table", b"EFI PART" not in found[-MIB:])


def install(case: Case, lab: Lab, disk: LabDisk, server: FileServer, keys: Keys, checks: Checks) -> None:
    """The case's own image."""
    packed = case.work / "image.raw.zst"
    raw = disks.raw_copy(case.image.disk, case.work / "image.raw")
    program(["zstd", "-q", "-1", "-T0", "-f", raw, "-o", packed], timeout_s=300)
    raw.unlink()
    server.put("/image.raw.zst", packed.read_bytes())
    server.put("/image.raw.zst.sig", keys.sign(packed))
    more = f"-i {CONFIG} -o pxe --append-karg installed_by=coreos-install"
    answer = lab.run(command(disk, server, "image.raw.zst", more), 600)
    case.say(answer.text)
    checks.equal("status", 0, answer.status)
    packed.unlink()
    if answer.status != 0:
        raise HarnessError(f"nothing to boot: {answer.text}")


def boot(case: Case, disk: Disk) -> None:
    """The first boot of the installed disk. It has a network card, for the login; nothing fetches a config."""
    with case.machine("installed", [disk]) as machine:
        ssh = machine.wait_for_login()
        state = guest.settle(ssh)
        seen = ssh.collect(PROBES)
        machine.cut_off()
    checks = case.checks("the installed machine", machine)
    checks.equal("state", "running", state)
    checks.equal("failed units", "", seen["failed"].text.strip())
    checks.equal("host name", "installed\n", seen["host name"].text)
    checks.equal("file", "from OEM\n600 root\n", seen["file"].text)
    checks.equal("config on OEM", "600 0:0\n", seen["config on OEM"].text)
    checks.contains("command line", ["installed_by=coreos-install", "coreos.oem.id=pxe"], seen["command line"].text)
    checks.true("ROOT has grown", int(seen["root"].text) > 3 * GIB, seen["root"].text)
    checks.contains("table", "No problems found", seen["table"].text)
    stages = guest.parse_journal(seen["journal"].text).stages()
    checks.true("without a network", "fetch-offline" in stages and "fetch" not in stages, stages)
    checks.done()
