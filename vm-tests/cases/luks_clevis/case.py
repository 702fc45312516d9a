"""verifies: encrypted volumes bound by clevis to a tang server, a TPM, some of both, and a custom pin: unlocked as later
boots do, without the generated keys, kept to the last bit; refused when they do not unlock or are bound otherwise; made again
after a power cut when nothing at hand unlocks them; crypttab without keys. Files and a key that are sealed to the server, to the
TPM or to both; without the TPM's state the reason is named.
"""

import base64
import json
import shlex
from typing import Any

from harness import lab as labs
from harness import luks
from harness.case import Case
from harness.checks import Checks
from harness.disks import MIB
from harness.hardware import Hardware
from harness.lab import Blank, Lab
from harness.luks import QUICK
from harness.luks_lab import ALL, NOT_WANTED, SECRET, changed, close, config, digests, files_changed, key_file, volume
from harness.services.tang import GUESTS_VIEW, Tang

TIMEOUT_S = 1500
EXPECTED_S = 130

FAR = f"http://{GUESTS_VIEW}:1"  # nobody listens there
WRONG = "A" * 43


def run(case: Case) -> None:
    """One boot for all."""
    with Tang(case.work / "tang") as tang:
        with labs.booted(case, [Blank(48 * MIB) for _ in range(5)], hardware=Hardware(tpm=case.tpm())) as lab:
            wrong_thumbprints(lab, tang)
            interrupted(lab, tang)
            bound(lab, tang)
            sealed(lab, tang)


def clevis_volumes(lab: Lab, tang: Tang) -> list[dict[str, Any]]:
    """Each way to bind one."""
    server = {"url": tang.url, "thumbprint": tang.thumbprint()}
    # A server that provisioning does not reach: its advertisement is all that is needed.
    far = {"url": FAR, "thumbprint": tang.thumbprint(), "advertisement": tang.advertisement()}
    members: dict[str, dict[str, Any]] = {
        "tang": {"clevis": {"tang": [server]}},
        "far": {"clevis": {"tang": [far]}},
        "both": {"clevis": {"tang": [server], "tpm2": True, "threshold": 2}, "discard": True},
        "either": {"clevis": {"tang": [server], "tpm2": True}},
        "own": {
            "clevis": {"custom": {"pin": "tpm2", "config": '{"pcr_bank":"sha256","pcr_ids":"7"}'}},
            "keyFile": key_file(SECRET),
            "options": [*QUICK],
        },
    }
    return [volume(name, disk, **more) for (name, more), disk in zip(members.items(), lab.disks, strict=False)]


def bound(lab: Lab, tang: Tang) -> None:
    """Bound, unlocked as later boots will; generated keys are gone; kept after a reboot; refused when it does not unlock."""
    with lab.scenario("bound") as checks:
        wanted = clevis_volumes(lab, tang)
        disks = lab.disks[: len(wanted)]
        result = lab.provision(config(*wanted), stages=ALL)
        checks.equal("failure", "", result.failure)
        tried = [str(row["path"]) for row in result.of("luks-unlock")]
        checks.equal("unlocked as later boots do", [str(disks[number]) for number in (0, 2, 3, 4)], tried)
        _judge_bindings(lab, tang, checks)
        _judge_bound_root(lab, checks)
        before = digests(lab, disks)
        again = lab.provision(config(*wanted), stages=ALL)
        checks.equal("what a second run changes", ([], []), (changed(again), files_changed(again)))
        checks.equal("disks after a second run", before, digests(lab, disks))
        close(lab, *(str(one["name"]) for one in wanted))
        _after_reboot(lab, tang, wanted, checks)
        checks.equal("disks in the end", before, digests(lab, disks))


def sealed(lab: Lab, tang: Tang) -> None:
    """A key of a volume, and files, that only this machine opens; then its TPM forgets its seed. The last scenario."""
    disk, plain = lab.disks[0], "planted-and-sealed"
    server = {"url": tang.url, "thp": tang.thumbprint()}
    with lab.scenario("sealed", disk) as checks:
        to_tpm, to_server = _seal(lab, plain, "tpm2", {}), _seal(lab, plain, "tang", server)
        to_both = _seal(lab, plain, "sss", {"t": 2, "pins": {"tang": [server], "tpm2": {}}})
        files = [
            {"path": f"/etc/{name}", "mode": 0o600, "contents": contents}
            for name, contents in (("of-server", to_server), ("of-both", to_both))
        ]
        wanted = config(volume("sealed", disk, keyFile=to_tpm, options=[*QUICK]), files=files)
        result = lab.provision(wanted, stages=ALL)
        checks.equal("failure", "", result.failure)
        found = lab.files(*(f"{labs.ROOT}{one['path']}" for one in files))
        checks.equal("contents", [["f", "600", plain]] * 2, [found.get(f"{labs.ROOT}{one['path']}") for one in files])
        lab.flush(disk)
        checks.true("the sealed key opens the volume", luks.opens(disk.image, plain.encode()))
        checks.lacks("records", plain, json.dumps(result.records))
        checks.lacks("journal and logs", plain, result.log + lab.run("journalctl --no-pager").text)
        checks.contains("who opened it", ["2 of 2: ", f"tang {tang.url}", "tpm2"], result.log)
        close(lab, "sealed")
        # As after a move to another board: its TPM has another seed.
        lab.must("tpm2_clear")
        lab.wipe(disk)
        result = lab.provision(wanted)
        checks.contains("another TPM", ["tried tpm2: ", "keyFile", "this machine's TPM did not make it"], result.message)
        checks.equal("the disk is as it was", [], changed(result))


def _seal(lab: Lab, plain: str, pin: str, members: dict[str, Any]) -> dict[str, Any]:
    """The resource that a person makes of it on this machine."""
    text = lab.must(f"printf %s {shlex.quote(plain)} | clevis encrypt {pin} {shlex.quote(json.dumps(members))}")
    source = f"data:;base64,{base64.b64encode(text.encode()).decode()}"
    return {"source": source, "x-coreos": {"sealed": True}}


def wrong_thumbprints(lab: Lab, tang: Tang) -> None:
    """A server with other keys than the config says: refused, and the volume is made once the config is right."""
    disk = lab.disks[0]
    with lab.scenario("wrong thumbprints") as checks:
        wrong = {"url": tang.url, "thumbprint": WRONG}
        for name, server in (("live", wrong), ("advertisement", {**wrong, "advertisement": tang.advertisement()})):
            result = lab.provision(config(volume("tang", disk, clevis={"tang": [server]})))
            checks.contains(name, ["binding tang", "$.storage.luks.0", "tang-show-keys"], result.message)


def interrupted(lab: Lab, tang: Tang) -> None:
    """Power fails before the files stage, without a server that would unlock the volume: bound() recreates it."""
    far = clevis_volumes(lab, tang)[1]
    with lab.scenario("interrupted", lab.disks[1]) as checks:
        checks.equal("failure", "", lab.provision(config(far)).failure)
        close(lab, "far")
        lab.flush(lab.disks[1])
        checks.equal("mark", "ignition-unfinished", luks.read(lab.disks[1].image).subsystem)


def _judge_bindings(lab: Lab, tang: Tang, checks: Checks) -> None:
    headers = [luks.read(disk.image) for disk in lab.disks[:5]]
    live, far = f"tang {tang.url}", f"tang {FAR}"
    bound: list[Any] = [["1 of", live], ["1 of", far], ["2 of", live, "tpm2"], ["1 of", live, "tpm2"], "tpm2"]
    checks.equal("bindings", [[each] for each in bound], [header.bindings for header in headers])
    checks.equal("key slots: the generated keys are gone", [["1"]] * 4 + [["0", "1"]], [header.slots for header in headers])
    checks.equal("marks", [""] * 5, [header.subsystem for header in headers])
    checks.equal("discards", ["allow-discards"], headers[2].flags)
    checks.contains("discards of volumes that clevis opened", "discards", lab.run("cryptsetup status both").text)
    checks.true("a key file of the config stays", luks.opens(lab.disks[4].image, SECRET.encode()))


def _judge_bound_root(lab: Lab, checks: Checks) -> None:
    """crypttab without keys, and no key anywhere."""
    table, keys_at, state = f"{labs.ROOT}/etc/crypttab", f"{labs.ROOT}/etc/luks", f"{lab.folder()}/state/state"
    found = lab.files(table, keys_at, state)
    lines = [line.split() for line in found[table][2].splitlines()]
    options = {
        name: f"luks,{'' if name == 'own' else '_netdev,'}x-initrd.attach" for name in ("tang", "far", "both", "either", "own")
    }
    checks.equal(
        "crypttab", [[name, "none", options[name]] for name in options], [[name, key, how] for name, _, key, how in lines]
    )
    uuids = [f"UUID={luks.read(disk.image).uuid}" for disk in lab.disks[:5]]
    checks.equal("UUIDs in crypttab", uuids, [uuid for _, uuid, _, _ in lines])
    checks.true("there are no key files", keys_at not in found, found)
    checks.lacks("state", "luksPersistKeyFiles", found[state][2])
    checks.equal("keys in files of /run", "", lab.run("find /run -name 'key-*'").text)


def _after_reboot(lab: Lab, tang: Tang, wanted: list[dict[str, Any]], checks: Checks) -> None:
    """Everything is closed: each is kept and opened if it unlocks, first without the tang server, then with it."""
    tang_only, _, _, either, own = wanted
    impatient = config(tang_only)
    impatient["ignition"]["timeouts"] = {"httpTotal": 2}
    tang.stop()
    gone = lab.provision(impatient)
    checks.contains("no tang server", [NOT_WANTED + "clevis cannot unlock it (", "$.storage.luks.0"], gone.message)
    enough = lab.provision(config(either))
    checks.equal("what the TPM alone unlocks", [f"unlock {lab.disks[3]}: done"], changed(enough))
    tang.start()
    rekeyed = lab.provision(config({**tang_only, "clevis": {"tang": [{"url": tang.url, "thumbprint": WRONG}]}}))
    checks.contains("bound to other keys", f"no key of the server that it is bound to has thumbprint {WRONG}", rekeyed.message)
    again = lab.provision(config(tang_only, own))
    expected = [f"unlock {lab.disks[0]}: done", f"open {lab.disks[4]}: done"]
    checks.equal("volumes opened with the server", expected, changed(again))
