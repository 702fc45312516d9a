"""verifies: encrypted volumes: key files from data: and http, generated keys, options, labels, UUIDs, discards; existing
volumes kept to the last bit, refused with message and location, or recreated; RAID, LUKS and ext4 on top of each other; crypttab
and key files; and keys that exist nowhere else. Clevis: case luks-clevis.
"""

import base64
from typing import Any

from harness import lab as labs
from harness import luks
from harness.case import Case
from harness.checks import Checks
from harness.disks import MIB
from harness.lab import STAGES, Blank, Lab
from harness.lab_result import Result
from harness.luks import QUICK
from harness.luks_lab import ALL, NOT_WANTED, SECRET, changed, close, config, digests, files_changed, key_file, steps, volume
from harness.services.files import FileServer
from harness.services.tang import GUESTS_VIEW
from harness.watch import watched

TIMEOUT_S = 1500
EXPECTED_S = 100

UUID = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
REMOTE = "planted-on-a-server-8f1c"
TANG = {"url": f"http://{GUESTS_VIEW}:1", "thumbprint": "T"}  # is not asked
CLOSED_ROOT = "/mnt/no-root"  # where no earlier run of the files stage left anything


def run(case: Case) -> None:
    """One boot for all."""
    blanks = [Blank(48 * MIB) for _ in range(7)]
    with FileServer() as server, labs.booted(case, blanks, plans=True) as lab:
        server.put("/key", REMOTE)
        keys(lab, f"http://{GUESTS_VIEW}:{server.port}")
        refused(lab)
        made_anew(lab)
        nested(lab)


def key_volumes(lab: Lab, server: str) -> dict[str, Any]:
    """A key in the config, one on a server, one that is generated."""
    given, remote, made = lab.disks[:3]
    return config(
        volume("given", given, keyFile=key_file(SECRET), label="my data", uuid=UUID.upper(), options=[*QUICK]),
        volume(
            "remote",
            remote,
            keyFile={"source": f"{server}/key"},
            discard=True,
            openOptions=["--perf-no_read_workqueue"],
            options=[*QUICK, "--subsystem", "own"],
        ),  # fmt: skip
        volume("made", made, options=["--sector-size", "4096"]),
        filesystems=[{"device": "/dev/mapper/given", "format": "ext4", "label": "inside"}],
    )


def keys(lab: Lab, server: str) -> None:
    """Made with three kinds of keys; a second run, and one after a reboot, change nothing."""
    disks = lab.disks[:3]
    with lab.scenario("keys", *disks) as checks:
        wanted = key_volumes(lab, server)
        with watched(lab, REMOTE) as processes:
            result = lab.provision(wanted, stages=ALL)
        checks.equal("failure", "", result.failure)
        checks.true("the watch sees programs", "cryptsetup" in processes.seen, processes.seen)
        checks.equal("processes with a key in their arguments or environment", [], processes.guilty)
        _judge_headers(lab, checks)
        _judge_root(lab, result, checks)
        before = digests(lab, disks)
        again = lab.provision(wanted, stages=ALL)
        checks.equal("what a second run changes", ([], []), (changed(again), files_changed(again)))
        checks.equal("disks after a second run", before, digests(lab, disks))
        close(lab, "given", "remote", "made")
        again = lab.provision(wanted)
        opened = [f"open {disk}: done" for disk in disks]
        checks.equal("what a run after a reboot does", opened, [step for step in changed(again) if "settle" not in step])
        checks.equal("disks after that", before, digests(lab, disks))
        checks.contains("flags without its header being written", "discards", lab.run("cryptsetup status remote").text)


def _judge_headers(lab: Lab, checks: Checks) -> None:
    given, remote, made = (luks.read(disk.image) for disk in lab.disks[:3])
    checks.equal("label, UUID, subsystem", ("my data", UUID, ""), (given.label, given.uuid, given.subsystem))
    checks.equal("subsystem of the config's options", "own", remote.subsystem)
    checks.equal("flags", ([], ["allow-discards", "no-read-workqueue"], []), (given.flags, remote.flags, made.flags))
    checks.equal("sectors", (512, 4096), (given.sector_size, made.sector_size))
    checks.equal("key slots", [["0"]] * 3, [header.slots for header in (given, remote, made)])
    checks.equal("derivation of a generated key", ["pbkdf2 1000"], made.derivations)
    checks.true("the key of the config opens it", luks.opens(lab.disks[0].image, SECRET.encode()))
    checks.true("the key of the server opens it", luks.opens(lab.disks[1].image, REMOTE.encode()))
    status = lab.must("cryptsetup status remote; blkid -p -o export /dev/mapper/given")
    checks.contains("open volumes", ["discards", "no_read_workqueue", "TYPE=ext4", "LABEL=inside"], status)


def _judge_root(lab: Lab, result: Result, checks: Checks) -> None:
    """crypttab, key files, and that the keys are nowhere else."""
    found = lab.files(*(f"{labs.ROOT}/etc/{name}" for name in ("crypttab", "luks", "luks/given", "luks/remote", "luks/made")))
    uuids = [luks.read(disk.image).uuid for disk in lab.disks[:3]]
    lines = [
        f"{name} UUID={uuid} /etc/luks/{name} luks,x-initrd.attach\n"
        for name, uuid in zip(("given", "remote", "made"), uuids, strict=True)
    ]
    checks.equal("crypttab", ["f", "600", "".join(lines)], found.get(f"{labs.ROOT}/etc/crypttab"))
    checks.equal("directory of keys", ["d", "700", "given made remote"], found.get(f"{labs.ROOT}/etc/luks"))
    checks.equal("key file of the config", ["f", "600", SECRET], found.get(f"{labs.ROOT}/etc/luks/given"))
    checks.equal("key file of the server", ["f", "600", REMOTE], found.get(f"{labs.ROOT}/etc/luks/remote"))
    kind, mode, generated = found.get(f"{labs.ROOT}/etc/luks/made", ["?", "?", ""])
    checks.equal("generated key", ("f", "600", 8192), (kind, mode, len(generated)))
    checks.true("the generated key opens it", luks.opens(lab.disks[2].image, generated.encode()))
    for key in (SECRET, REMOTE, generated[:64]):
        for form in (key, base64.b64encode(key.encode()).decode()[:40]):
            checks.lacks("what the stages said", form, result.log)
    planted = [REMOTE, base64.b64encode(REMOTE.encode()).decode().rstrip("="), generated[:64]]
    patterns = " ".join(f"-e '{text}'" for text in planted)
    where = lab.run(f"grep -rlF {patterns} /run /tmp /var/tmp {labs.ROOT}; journalctl | grep -cF {patterns}").text.split()
    checks.equal(
        "where the keys are", sorted([*(f"{labs.ROOT}/etc/luks/{name}" for name in ("made", "remote")), "0"]), sorted(where)
    )


def refused(lab: Lab) -> None:
    """The volumes of keys() are not the wanted ones: each reason, its place, and not a bit is changed."""
    given, remote, made, old, other = lab.disks[:5]
    with lab.scenario("refused", old, other) as checks:
        lab.must(
            f"mkfs.ext4 -q {other}; printf k | cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 -d - {old}"
        )
        lab.must("mkdir -p /mnt/in-use; mount -o ro,noload /dev/mapper/given /mnt/in-use")
        before = digests(lab, lab.disks[:5])
        for name, wanted, message, place in _refusals(lab):
            result = lab.provision(config(wanted), root=CLOSED_ROOT)
            checks.contains(name, [message, f"$.storage.luks.0{place}"], result.message)
            checks.equal(f"{name}: what it did", [], changed(result))
        lab.must("umount /mnt/in-use")
        checks.equal("disks after all that", before, digests(lab, lab.disks[:5]))


def _refusals(lab: Lab) -> list[tuple[str, dict[str, Any], str, str]]:
    """Name, volume, what the message must say, what of the volume it must name."""
    given, remote, made, old, other = lab.disks[:5]
    right: dict[str, Any] = {"keyFile": key_file(SECRET)}
    not_wanted = f"{given} {NOT_WANTED}"
    lost = "its key is to be generated, and ROOT has none in /etc/luks/made that opens it"
    in_use = "the volume is in use (mounted on /mnt/in-use) and cannot be recreated"
    anew: dict[str, Any] = {"wipeVolume": True}
    yubikey = {"custom": {"pin": "yubikey", "config": "{}"}}
    cex = "secure keys of IBM Crypto Express cards (s390x) are not supported"
    return [
        ("wrong key", volume("given", given, keyFile=key_file("x")), f"{not_wanted}the key file does not open it", ""),
        ("label", volume("given", given, label="y", **right), f"{not_wanted}its label is 'my data', not 'y'", ""),
        ("UUID", volume("given", given, uuid=UUID.replace("a", "c"), **right), f"its UUID is {UUID}, not cccccccc-", ""),
        ("discards", volume("given", given, discard=True, **right), f"{not_wanted}discards are not allowed in its header", ""),
        ("no discards", volume("remote", remote, keyFile=key_file(REMOTE)), "discards are allowed in its header", ""),
        ("not bound", volume("given", given, clevis={"tang": [TANG]}, **right), f"{not_wanted}clevis has not bound it", ""),
        ("lost key", volume("made", made), lost, ""),
        ("LUKS1", volume("old", old, **right), f"{old} holds a LUKS volume of version 1, not 2", ""),
        ("ext4", volume("other", other), f"{other} holds ext4 with UUID ", ""),
        ("in use", volume("given", given, **anew), in_use, ""),
        ("other name", volume("mine", given, **right), f"{given} is already open under another name: given", ".device"),
        ("taken name", volume("given", other, **anew), "/dev/mapper/given already exists, on", ".name"),
        ("no TPM", volume("other", other, clevis={"tpm2": True}, **anew), "this system lacks a TPM", ".clevis"),
        ("no pin", volume("other", other, clevis=yubikey, **anew), "this system lacks clevis-encrypt-yubikey", ".clevis"),
        ("empty key", volume("other", other, keyFile=key_file(""), **anew), "the key file is empty", ".keyFile"),
        ("cex", volume("other", other, cex={"enabled": True}, **anew), cex, ".cex.enabled"),
    ]


def made_anew(lab: Lab) -> None:
    """With wipeVolume an open volume, LUKS1 and ext4 give way; what no files stage finished is made once more."""
    given, _, _, old, other = lab.disks[:5]
    with lab.scenario("recreated") as checks:
        wanted = config(
            volume("given", given, wipeVolume=True, keyFile=key_file("new"), options=[*QUICK]),
            volume("old", old, wipeVolume=True),
            volume("other", other, wipeVolume=True),
        )
        result = lab.provision(wanted, root=CLOSED_ROOT)
        made = [f"{step} {disk}: done" for disk in (old, other) for step in ("format", "open")]
        anew = [f"{step} {given}: done" for step in ("close", "format", "open")]
        checks.equal("what it did", [*anew, *made], [step for step in steps(result) if "settle" not in step])
        checks.equal("failure", "", result.failure)
        lab.flush()
        first = [luks.read(disk.image) for disk in (given, old, other)]
        checks.true("it is another volume", first[0].uuid != UUID, first[0].uuid)
        checks.equal("marks until the keys are in ROOT", ["ignition-unfinished"] * 3, [header.subsystem for header in first])
        kept = config(*({**one, "wipeVolume": False} for one in wanted["storage"]["luks"]))
        again = lab.provision(kept, root=CLOSED_ROOT, stages=ALL)
        lab.flush()
        second = [luks.read(disk.image) for disk in (given, old, other)]
        checks.equal("volume whose key is known", first[0].uuid, second[0].uuid)
        checks.true("volumes whose keys were lost", all(a.uuid != b.uuid for a, b in zip(first[1:], second[1:], strict=True)))
        checks.equal("marks in the end", [""] * 3, [header.subsystem for header in second])
        checks.equal("failure of the second run", "", again.failure)


def nested(lab: Lab) -> None:
    """RAID, LUKS, ext4 with a file; all of it is used as it is afterwards, running or stopped."""
    disks = lab.disks[5:7]
    with lab.scenario("nested", *disks) as checks:
        wanted = config(
            volume("vault", "/dev/md/pool", discard=True),
            raid=[{"name": "pool", "level": "raid1", "devices": [str(disk) for disk in disks]}],
            filesystems=[{"device": "/dev/mapper/vault", "format": "ext4", "path": "/srv", "label": "vault"}],
            files=[{"path": "/srv/note", "contents": {"source": "data:,kept%0A"}}],
        )
        lab.new_root()
        first = lab.provision(wanted, stages=(*STAGES, "mount", "files"))
        checks.equal("failure", "", first.failure)
        kinds = [f"{row['operation']}: {row['result']}" for row in first.records if row["stage"] == "disks"]
        checks.true(
            "from below",
            kinds.index("create-array: done") < kinds.index("luks-format: done") < kinds.index("format: done"),
            kinds,
        )
        tree = lab.must(
            f"lsblk --noheadings --list --output TYPE {disks[0]}; findmnt --noheadings --output SOURCE {labs.ROOT}/srv"
        )
        checks.equal("layers", sorted(["disk", "raid1", "crypt", "/dev/mapper/vault"]), sorted(tree.split()))
        again = lab.provision(wanted, stages=(*STAGES, "mount", "files"))
        checks.equal("what a second run changes", ([], []), (changed(again), files_changed(again)))
        lab.must(f"umount {labs.ROOT}/srv; cryptsetup close vault; mdadm --stop /dev/md/pool")
        after = lab.provision(wanted, stages=(*STAGES, "mount"))
        ran = [step for step in changed(after) if "settle" not in step]
        checks.equal("what a run after a reboot does", ["assemble-array /dev/md/pool: done", "open /dev/md/pool: done"], ran)
        checks.equal("the file", "kept\n", lab.must(f"cat {labs.ROOT}/srv/note"))
        lab.new_root()
