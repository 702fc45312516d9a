"""verifies: a config with three errors ends the first boot with all three on the console's screen, each with line, column
and path; the disk is not touched and the flag stays; after the served config has been mended, the same disk provisions.
"""

from harness import disks, expected, guest
from harness.case import Case
from harness.disks import GIB
from harness.services.files import FileServer

TIMEOUT_S = 720
EXPECTED_S = 110

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
}


def run(case: Case) -> None:
    """A boot that must fail, then one that must not, on one disk."""
    values: dict[str, str | int] = {"SSH_KEY": case.key.public}
    broken, mended = case.fill("broken.ign", values), case.fill("mended.ign", values)
    disk = case.system_disk("system", (disks.virtual_size(case.image.disk) // GIB + 2) * GIB)
    with FileServer() as server:
        url = f"ignition.config.url=http://10.0.2.2:{server.port}/config.ign"
        direct = case.image.direct("coreos.first_boot=detected", url)
        server.put("/config.ign", broken.read_bytes())
        with case.machine("broken", [disk], direct=direct) as machine:
            text = machine.wait_for_console("ignition: first boot failed", FAILURE_S)
            machine.quit()
        checks = case.checks("broken config", machine)
        screen = " ".join(text[text.index("The first boot failed") :].split())
        checks.contains("the stage on the screen", "in the stage 'fetch'", screen)
        for path, value in ERRORS.items():
            line, column = position(broken.read_text(encoding="utf-8"), value)
            checks.contains(f"error at {path} on the screen", f"{path}, line {line} col {column}: ", screen)
        checks.equal("first-boot flag on EFI-SYSTEM", ["first_boot"], case.first_boot_files(disk))
        checks.done()

        server.put("/config.ign", mended.read_bytes())
        with case.machine("mended", [disk], direct=direct) as machine:
            ssh = machine.wait_for_login()
            guest.settle(ssh)
            seen = ssh.collect(PROBES)
            machine.cut_off()
    checks = case.checks("mended config", machine)
    checks.equal("failed units", "", seen["failed"].text)
    checks.equal("file of the mended config", expected.file("yes\n"), guest.parse_nodes(seen["nodes"].text).get("/etc/mended"))
    checks.contains("result", '"userConfigProvided": true', seen["result"].text)
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(disk))
    checks.done()


def position(text: str, value: str) -> tuple[int, int]:
    """Line and column, counted from 1, of the first byte of a value in a config."""
    before = text[: text.index(value)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")
