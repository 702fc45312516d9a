"""verifies: a config server that only answers 503 ends the first boot in bounded time with the reason on the console, and
the flag stays; meanwhile a line every 10 s says what it waits for, why, and for how long; when it answers 503 for a while and
then works, the same disk comes up: for the config and for files.
"""

import re
import time

from harness import disks, expected, guest
from harness.case import Case
from harness.disks import GIB, Disk
from harness.services.files import FOREVER, FileServer

TIMEOUT_S = 900
EXPECTED_S = 200
WAITS = True  # the agent, for two minutes between its tries

# The agent's limit for the config is two minutes; the rest is the machine's start.
FAILURE_S = 300.0
REFUSALS = 5
LINES = 3  # of progress, at least
# Time since the start, URL, reason, attempt, seconds left; the journal puts the time in front of what it forwards to the console.
WAIT = r"^\[ *([\d.]+)\] \S+ ignition: waiting for GET (\S+): (.*) \(attempt (\d+), (\d+) s left\)"
PATIENT, SLOW = "came after refusals\n", "came late\n"
PROBES = {
    "nodes": guest.nodes_command(["/etc/patient", "/etc/slow"]),
    "failed": "systemctl --failed --plain --no-legend",
    "result": f"cat {guest.RESULT}",
}


def run(case: Case) -> None:
    """A boot that must fail, then one that must be patient, on one disk."""
    disk = case.system_disk("system", (disks.virtual_size(case.image.disk) // GIB + 2) * GIB)
    with FileServer() as server:
        url = f"http://10.0.2.2:{server.port}/config.ign"
        direct = case.image.direct("coreos.first_boot=detected", f"ignition.config.url={url}")
        config = case.fill("config.ign", {"SSH_KEY": case.key.public, "HTTP_PORT": str(server.port)}).read_bytes()
        never_answers(case, server, disk, url)
        server.put("/config.ign", config, refuse=REFUSALS)
        server.put("/patient", PATIENT, refuse=REFUSALS)
        server.put("/slow", SLOW, delay_s=6)
        with case.machine("patient", [disk], direct=direct) as machine:
            ssh = machine.wait_for_login()
            guest.settle(ssh)
            seen = ssh.collect(PROBES)
            machine.cut_off()
        checks = case.checks("a server that works after a while", machine)
        asked = [status for _, status in server.asked("/config.ign")][-REFUSALS - 1 :]
        checks.equal("answers to requests for the config", [503] * REFUSALS + [200], asked)
        asked = [status for _, status in server.asked("/patient")]
        checks.equal("answers to requests for a file", [503] * REFUSALS + [200], asked)
    checks.equal("failed units", "", seen["failed"].text)
    nodes = guest.parse_nodes(seen["nodes"].text)
    checks.equal("file that was refused at first", expected.file(PATIENT), nodes.get("/etc/patient"))
    checks.equal("file that came late", expected.file(SLOW), nodes.get("/etc/slow"))
    checks.contains("result", '"userConfigProvided": true', seen["result"].text)
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(disk))
    checks.done()


def never_answers(case: Case, server: FileServer, disk: Disk, url: str) -> None:
    """The boot that must fail: in time, with the reason, and without a trace on the disk."""
    server.put("/config.ign", b"", refuse=FOREVER)
    direct = case.image.direct("coreos.first_boot=detected", f"ignition.config.url={url}")
    with case.machine("never", [disk], direct=direct) as machine:
        started = time.monotonic()
        text = machine.wait_for_console("ignition: first boot failed", FAILURE_S)
        seconds = time.monotonic() - started
        machine.quit()
    case.say(f"failed after {seconds:.0f} s and {len(server.asked('/config.ign'))} requests")
    checks = case.checks("a server that never works", machine)
    screen = " ".join(text[text.index("The first boot failed") :].split())
    checks.contains("stage, address and reason on the screen", ["in the stage 'fetch'", url, "503"], screen)
    waits = re.findall(WAIT, text, re.MULTILINE)
    attempts, left_s, at_s = [int(one[3]) for one in waits], [int(one[4]) for one in waits], [float(one[0]) for one in waits]
    checks.true("lines about the wait", len(waits) >= LINES, text[-3000:])
    checks.true("its object and reason", all(one[1] == url and "503" in one[2] for one in waits), waits)
    checks.equal("attempts", sorted(attempts), attempts)
    checks.equal("seconds left", sorted(left_s, reverse=True), left_s)
    pauses = [later - earlier for earlier, later in zip(at_s, at_s[1:], strict=False)]
    checks.true("10 s between lines, by the guest's clock", all(9 <= pause <= 30 for pause in pauses), at_s)
    case.say(f"{len(waits)} lines, seconds left: {left_s}")
    tries = len(server.asked("/config.ign"))
    checks.true("tries, with growing pauses", 10 <= tries <= 60, f"{tries} requests in {seconds:.0f} s")
    checks.equal("first-boot flag on EFI-SYSTEM", ["first_boot"], case.first_boot_files(disk))
    checks.done()
