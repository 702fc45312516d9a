"""verifies: a config with three errors ends the first boot with all three on the console's screen, each with line, column
and path; the disk is not touched and the flag stays; the machine reboots twice and stays the third time. There one Enter gives a
shell, in which the report, a validation and a plan work; a retry with the same config shows the screen and gives the shell again,
and one with a mended config provisions the machine, which comes up by itself and says where SSH answers. A machine without any
config says at its login prompt that nobody can log in. Each attempt sends its outcome; failed ones are recorded beside the flag,
until the last one succeeds.
"""

import json
import time
from typing import Any

from harness import disks, expected, filesystems, gpt, guest
from harness.case import Case
from harness.disks import GIB, Disk
from harness.machine import DirectBoot, Machine
from harness.services.files import FileServer

TIMEOUT_S = 1200
EXPECTED_S = 200

FAILURE_S = 240.0
# JSON path, and the text whose first byte is the position.
ERRORS = {
    "$.storage.files.0.path": '"relative/path"',
    "$.storage.files.1.mode": "99999",
    "$.systemd.units.0.name": '"no-suffix"',
}
PROBES = {
    "nodes": guest.nodes_command(["/etc/mended"]),
    "failed": "systemctl --failed --plain --no-legend",
    "result": f"cat {guest.RESULT}",
    "journal": guest.JOURNAL,
    "status": "ignition status -json",
    "notice": "cat /run/issue.d/50-ignition.issue 2>/dev/null || true",
    "ssh": "cat /run/issue.d/60-ignition-ssh.issue",
    "fingerprints": "for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $key; done",
    "secrets": "ls /run/ignition.json /run/ignition/texts /run/ignition/retry.* 2>/dev/null || true",
}
REPORT = "/report"
BANNER = r"systemctl poweroff\n[\s\S]*# $"
PROMPT = r"\n# $"
STAYS = "first boot failed 3 times with this config: staying here."


def run(case: Case) -> None:
    """A boot that must fail, then one that must not, on one disk."""
    values: dict[str, str | int] = {"SSH_KEY": case.key.public}
    broken, mended = case.fill("broken.ign", values), case.fill("mended.ign", values)
    disk = case.system_disk("system", (disks.virtual_size(case.image.disk) // GIB + 2) * GIB)
    with FileServer() as server:
        here = f"http://10.0.2.2:{server.port}"
        urls = [f"ignition.config.url={here}/config.ign", f"ignition.report.url={here}{REPORT}"]
        direct = case.image.direct("coreos.first_boot=detected", "ignition.failure.timeout=5", *urls)
        server.put(REPORT, b"")
        server.put("/config.ign", broken.read_bytes())
        with case.machine("broken", [disk], direct=direct) as machine:
            text = machine.wait_for_console(r"rebooting in 5 s \(1 of 3\)", FAILURE_S)
            server.wait_for_count(REPORT, 1, FAILURE_S, alive=machine.alive)
            machine.quit()
        checks = case.checks("broken config", machine)
        screen = " ".join(text[text.index("The first boot failed") :].split())
        checks.contains("the stage on the screen", "in the stage 'fetch'", screen)
        for path, value in ERRORS.items():
            line, column = position(broken.read_text(encoding="utf-8"), value)
            checks.contains(f"error at {path} on the screen", f"{path}, line {line} col {column}: ", screen)
        checks.equal("first-boot flag on EFI-SYSTEM", ["first_boot"], case.first_boot_files(disk))
        checks.equal("recorded attempts", ["attempt 1 fetch"], recorded(case, disk))
        event = sent(server)[-1]
        checks.equal("content type of the event", "application/cloudevents+json; charset=UTF-8", event["content-type"])
        checks.equal("type of the event", ("1.0", "com.coreos.ignition.firstboot.failure"), (event["specversion"], event["type"]))
        checks.equal("attempt, stage and platform", (1, "fetch", "qemu"), facts(event))
        checks.contains("cause", list(ERRORS), event["data"]["failure"]["cause"])
        checks.true("MAC", bool(event["data"]["machine"]["macs"]), str(event["data"]["machine"]))
        checks.done()
        reboots(case, disk, direct)

        server.put("/mended.ign", mended.read_bytes())
        with case.machine("stays", [disk], direct=direct) as machine:
            stays(case, machine)
            server.wait_for_count(REPORT, 3, FAILURE_S, alive=machine.alive)
            shell(case, machine, here)
            server.wait_for_count(REPORT, 4, FAILURE_S, alive=machine.alive)
            machine.type(f"ignition retry --config {here}/mended.ign\n", "from the stage fetch on")
            ssh = machine.wait_for_login(give_up=False)
            guest.settle(ssh)
            server.wait_for_count(REPORT, 5, FAILURE_S, alive=machine.alive)
            machine.console.wait_for("SSH host key .*ED25519", FAILURE_S, alive=machine.alive)
            text = machine.console.text()
            seen = ssh.collect(PROBES)
            machine.cut_off()
        events = sent(server)
    checks = case.checks("mended config", machine)
    checks.equal("results", ["failure"] * 4 + ["success"], [event["data"]["result"] for event in events])
    checks.equal("attempt of the success", (5, None, "qemu"), facts(events[-1]))
    stages = sorted(stage["stage"] for stage in events[-1]["data"]["stages"])
    checks.equal("stages", ["fetch", "fetch-offline", "files", "grow"], stages)
    failed = json.loads(seen["status"].text)["failedAttempts"]
    checks.equal(
        "failed attempts in the status",
        [(number, "fetch") for number in (1, 2, 3, 4)],
        [(one["attempt"], one["stage"]) for one in failed],
    )
    checks.contains("screen of the last one", list(ERRORS), failed[-1]["screen"])
    checks.equal("recorded attempts", [], recorded(case, disk))
    checks.equal("failed units", "", seen["failed"].text)
    checks.equal("file of the mended config", expected.file("yes\n"), guest.parse_nodes(seen["nodes"].text).get("/etc/mended"))
    checks.contains("result", '"userConfigProvided": true', seen["result"].text)
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(disk))
    # The failed attempts are in the report of this boot.
    checks.contains("notice at the login prompt", "ignition report shows", " ".join(seen["notice"].text.split()))
    lines = seen["ssh"].text.splitlines()
    checks.contains("where SSH answers", "ignition: SSH answers at 10.0.2.15 (", lines[0])
    for kind in ("ECDSA", "ED25519"):  # the image has no others
        key = next((line for line in seen["fingerprints"].text.splitlines() if line.endswith(f"({kind})")), "")
        wanted = f"ignition: SSH host key {' '.join(key.split()[1:2])} ({kind})"
        checks.true(f"fingerprint {kind}", wanted in lines and wanted in text, f"{wanted!r} in {lines}, and on the console")
    checks.equal("secrets of the retry in /run", "", seen["secrets"].text)
    checks.done()
    says_that_nobody_can_log_in(case)


def reboots(case: Case, disk: Disk, direct: DirectBoot) -> None:
    """The second boot with the same fault: the count is on EFI-SYSTEM."""
    with case.machine("again", [disk], direct=direct) as machine:
        machine.wait_for_console(
            r"this is attempt 2 of the first boot; attempt 1 failed at [-0-9]+ [0-9:]+ UTC in the stage fetch: ", FAILURE_S
        )
        machine.wait_for_console(r"rebooting in 5 s \(2 of 3\)", FAILURE_S)
        machine.wait_for_console("first boot failed, rebooting now", FAILURE_S)
        machine.wait_for_end(FAILURE_S)


def stays(case: Case, machine: Machine) -> None:
    """The third one waits for a person."""
    text = machine.wait_for_console("Press Enter for a shell", FAILURE_S)
    time.sleep(3 * 5)  # three times as long as the boots before waited
    checks = case.checks("third time", machine)
    checks.contains("what the screen says", ["$.storage.files.0.path", STAYS], " ".join(text.split()))
    checks.true("the machine stays", machine.alive(), "it ended")
    checks.done()


def shell(case: Case, machine: Machine, url: str) -> None:
    """What a person at the console does: looks, checks a new config, and retries in vain."""
    checks = case.checks("shell", machine)
    banner = machine.type("\n", BANNER, FAILURE_S)
    checks.contains("three lines", ["read it again:", "try again:", "give up:"], banner.lower())
    report = machine.type("ignition report\n", PROMPT)
    checks.contains("report", ["fetch the config of platform qemu"], " ".join(report.split()))
    machine.type("echo '{}' >/run/x.ign\n", PROMPT)
    checks.contains("validation", "does not specify its spec version", machine.type("ignition-validate /run/x.ign\n", PROMPT))
    plan = machine.type(f"ignition plan {url}/mended.ign; echo status=$?\n", r"status=\d")
    checks.contains("plan", ["/etc/mended", "ROOT is not mounted", "status=2"], " ".join(plan.split()))
    machine.type("\n", PROMPT)
    again = machine.type("ignition retry\n", rf"{BANNER}", FAILURE_S)
    checks.contains(
        "screen after a retry in vain", ["from the failure on", "The first boot failed", "$.storage.files.0.path"], again
    )
    checks.done()


def sent(server: FileServer) -> list[dict[str, Any]]:
    """The events so far."""
    return [{**json.loads(request.body), "content-type": request.headers["content-type"]} for request, _ in server.asked(REPORT)]


def facts(event: dict[str, Any]) -> tuple[int, str | None, str]:
    """Attempt, failed stage and platform."""
    data = event["data"]
    return data["attempt"], (data["failure"] or {}).get("stage"), data["machine"]["platform"]


def recorded(case: Case, disk: Disk) -> list[str]:
    """Number and stage of each record beside the flag."""
    raw = case.raw(disk, "records")
    partition = gpt.read_table(raw).labelled("EFI-SYSTEM")
    names = [name for name in filesystems.fat_names(raw, partition, "/coreos") if name.startswith("failed-attempt")]
    headers = [filesystems.fat_read(raw, partition, f"/coreos/{name}").split("\n")[0].split() for name in names]
    raw.unlink()
    return sorted(f"{word} {number} {stage}" for word, number, _, stage, _ in headers)


def says_that_nobody_can_log_in(case: Case) -> None:
    """Without a config the stage reports it on the console, and agetty repeats the report above its prompt."""
    disk = case.system_disk("empty", (disks.virtual_size(case.image.disk) // GIB + 2) * GIB)
    with case.machine("empty", [disk], direct=case.image.direct("coreos.first_boot=detected")) as machine:
        text = machine.wait_for_console("login: ")
        machine.quit()
    checks = case.checks("no config", machine)
    prompt = " ".join(text[text.rindex("ignition: No Ignition config") :].replace("\n", " ").split())
    said = [
        "No Ignition config was given to this machine (platform qemu provided none: firmware config",
        "nobody can log in",
        "login:",
    ]
    checks.contains("above the prompt", said, prompt)
    # Both are wrapped to the width of a serial console, within this sentence.
    checks.true("on the console before", text.count("nobody can log") > 1, text[-2000:])
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(disk))
    checks.done()


def position(text: str, value: str) -> tuple[int, int]:
    """Line and column, counted from 1, of the first byte of a value in a config."""
    before = text[: text.index(value)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")
