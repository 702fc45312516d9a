"""verifies: an image that requires signatures boots with a clear-signed config as user data, whose file is signed beside its
URL, and keeps its serial on EFI-SYSTEM; a forged config at a URL ends the first boot with the reason, although the kernel
command line says verify=off. In the initramfs of that boot: configs at a URL and as user data that are good, forged, unsigned,
expired, of an unknown key, too old and of another digest.
"""

import hashlib
import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import disks, expected, filesystems, guest
from harness.case import Case
from harness.disks import GIB
from harness.initramfs import with_files
from harness.machine import DirectBoot
from harness.programs import find_program
from harness.programs import run as run_program
from harness.services.files import FileServer

TIMEOUT_S = 1200
EXPECTED_S = 120

FAILURE_S = 240.0
CONFIG = "opt/com.coreos/config"
KEYS = "/usr/lib/ignition/trusted.gpg"
SERIAL = 41
SIGNED_FILE = b"signed beside its URL\n"
PROBES = {
    "nodes": guest.nodes_command(["/etc/signed"]),
    "failed": "systemctl --failed --plain --no-legend",
    "journal": guest.JOURNAL,
}
BANNER = r"systemctl poweroff\n[\s\S]*# $"
LONG_AGO, SINCE_THEN = "20240101T000000", "20240301T000000"
# In the initramfs: one line for each case, `result NAME:` and what the stage left.
TRY = """#!/bin/sh
try() {
    rm -rf /run/try
    mkdir /run/try
    echo "$2" >/run/line
    IGNITION_KERNEL_CMDLINE_PATH=/run/line ignition -stage fetch -platform qemu -config-cache /run/try/cache \\
        -state-file /run/try/state -neednet /run/try/neednet >/dev/null 2>&1
    printf 'result %s: ' "$1"
    if [ -e /run/try/cache ]; then
        printf applied
    else
        while read -r line; do printf '%s ' "$line"; done </run/try/failure.txt
    fi
    echo
}
@TRIES@
echo 'all were tried'
"""

Sign = Callable[..., bytes]


def run(case: Case) -> None:
    """A boot that must succeed, and one that must not."""
    with gpg_home() as sign, FileServer() as server:
        url = f"http://10.0.2.2:{server.port}"
        server.put("/file", SIGNED_FILE)
        server.put("/file.sig", sign(SIGNED_FILE, "good", "--detach-sign"))
        good = config(url, case.key.public)
        applied(case, sign(good, "good", "--clear-sign"), sign("", "good", "--export"))
        refused(case, good, server, url, sign)


def config(url: str, key: str, **about: Any) -> bytes:
    """A config with a remote file and a login."""
    validity = {"serial": SERIAL, **about}
    document = {
        "ignition": {"version": "3.5.0", "x-coreos": {"validity": validity}},
        "storage": {"files": [{"path": "/etc/signed", "contents": {"source": f"{url}/file"}}]},
        "passwd": {"users": [{"name": "root", "sshAuthorizedKeys": [key]}]},
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def applied(case: Case, signed: bytes, keys: bytes) -> None:
    """Signed user data: the machine comes up, and its serial is kept."""
    disk = case.system_disk("good", (disks.virtual_size(case.image.disk) // GIB + 2) * GIB)
    user_data = case.work / "good.asc"
    user_data.write_bytes(signed)
    direct = image(case, case.image.direct("coreos.first_boot=detected"), keys)
    with case.machine("good", [disk], direct=direct, fw_cfg={CONFIG: user_data}) as machine:
        ssh = machine.wait_for_login()
        guest.settle(ssh)
        seen = ssh.collect(PROBES)
        machine.quit()
    checks = case.checks("signed user data", machine)
    checks.equal("failed units", "", seen["failed"].text)
    node = guest.parse_nodes(seen["nodes"].text).get("/etc/signed")
    checks.equal("file that is signed beside its URL", expected.file(SIGNED_FILE.decode()), node)
    checks.contains("signatures in the journal", ["platform qemu: good signature of key", "/file.sig: good signature"],
                    " ".join(guest.parse_journal(seen["journal"].text).messages()))  # fmt: skip
    checks.equal("first-boot flag on EFI-SYSTEM", [], case.first_boot_files(disk))
    with case.esp(disk) as found:
        checks.equal("serial on EFI-SYSTEM", str(SERIAL), filesystems.fat_read(*found, "/coreos/config-serial").strip())
    checks.done()


def refused(case: Case, good: bytes, server: FileServer, url: str, sign: Sign) -> None:
    """A forged config: the screen says so, and at its shell every other way is tried."""
    forged = sign(good, "good", "--clear-sign").replace(b"/etc/signed", b"/etc/forged")
    digest = "sha512-" + hashlib.sha512(good).hexdigest()
    other = "sha512-" + hashlib.sha512(forged).hexdigest()
    server.put("/good", good)
    server.put("/good.sig", sign(good, "good", "--detach-sign"))
    server.put("/changed", good.replace(b"/etc/signed", b"/etc/forged"))
    server.put("/changed.sig", sign(good, "good", "--detach-sign"))
    server.put("/clear", sign(good, "good", "--clear-sign"))
    server.put("/forged", forged)
    server.put("/unsigned", good)
    server.put("/expired", sign(good, "expired", "--clear-sign"))
    server.put("/stranger", sign(good, "stranger", "--clear-sign"))
    server.put("/old", sign(config(url, case.key.public, expires="2024-06-01T00:00:00Z"), "good", "--clear-sign"))
    rows = {
        "good": ("/good", "", "applied"),
        "clear": ("/clear", "", "applied"),
        "digest": ("/good", f"ignition.config.digest={digest}", "applied"),
        "another digest": ("/good", f"ignition.config.digest={other}",
                           f"is {ends(digest)}, the kernel command line expects {ends(other)}"),
        "changed": ("/changed", "", "BAD signature"),
        "forged": ("/forged", "", "BAD signature"),
        "unsigned": ("/unsigned", "", "the config is not signed, and /usr/lib/ignition/config-verify of the image requires that"),
        "unsigned, off": ("/unsigned", "ignition.config.verify=off", "the config is not signed"),
        "expired": ("/expired", "", "has expired"),
        "stranger": ("/stranger", "", "which is not a key of this image"),
        "old": ("/old", "", "the config expired at 2024-06-01T00:00:00Z"),
        "user data": ("", "", "where: platform qemu what: BAD signature"),
    }  # fmt: skip
    lines = [
        f"try '{name}' '{f'ignition.config.url={url}{path}' if path else ''} {more}'" for name, (path, more, _) in rows.items()
    ]
    user_data = case.work / "forged.asc"
    user_data.write_bytes(forged)
    line = f"ignition.config.url={url}/forged ignition.config.verify=off"
    direct = case.image.direct("coreos.first_boot=detected", "ignition.failure=shell", line)
    direct = image(case, direct, sign("", "good", "expired", "--export"), TRY.replace("@TRIES@", "\n".join(lines)))
    disk = case.system_disk("forged", (disks.virtual_size(case.image.disk) // GIB + 2) * GIB)
    with case.machine("forged", [disk], direct=direct, fw_cfg={CONFIG: user_data}) as machine:
        text = machine.wait_for_console("ignition: first boot failed, giving a shell", FAILURE_S)
        machine.wait_for_sulogin(FAILURE_S)
        machine.type("\n", r"\n# $", FAILURE_S)
        answers = machine.type("try-configs\n", "all were tried", FAILURE_S)
        machine.quit()
    checks = case.checks("what is not signed", machine)
    screen = " ".join(text[text.index("The first boot failed") :].split())
    checks.contains("the screen", ["in the stage 'fetch'", "BAD signature", f"{url}/forged"], screen)
    results = dict(
        re.findall(r"^result ([a-z ,]+): (.*?)(?=^result|^all were)", answers.replace("\r", ""), re.MULTILINE | re.DOTALL)
    )
    checks.equal("tried", sorted(rows), sorted(results))
    for name, (_, _, says) in rows.items():
        seen = " ".join(results.get(name, "").split())
        # The screen is wrapped within long words.
        checks.true(name, says.replace(" ", "") in seen.replace(" ", ""), f"{says!r} in {seen!r}")
    checks.equal("first-boot flag on EFI-SYSTEM", ["first_boot"], case.first_boot_files(disk))
    checks.done()


def ends(digest: str) -> str:
    """As a screen shows it."""
    return f"{digest[: len('sha512-') + 12]}…{digest[-12:]}"


def image(case: Case, direct: DirectBoot, keys: bytes, script: str = "#!/bin/sh\n") -> DirectBoot:
    """The boot of an image that requires signatures: keys, gpgv and its libraries, as the dracut module would have added them."""
    gpgv = find_program("gpgv")
    libraries = re.findall(r"=> (/\S+)", run_program(["ldd", gpgv]))
    programs = {
        f"/usr{path}" if path.startswith("/lib") else path: Path(path).read_bytes() for path in libraries if "libc." not in path
    }
    files: dict[str, str | bytes] = {**programs, "/usr/bin/gpgv": Path(gpgv).read_bytes(), KEYS: keys}
    files |= {"/usr/lib/ignition/config-verify": "required\n", "/usr/bin/try-configs": script}
    return with_files(direct, files, case.work)


@contextmanager
def gpg_home() -> Iterator[Sign]:
    """The function `sign(text, *names, command)`: output of gpg, with keys that were made and used long ago."""
    home = Path(tempfile.mkdtemp(prefix="keys-"))  # the path of the agent's socket must be short
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""]

    def call(*arguments: str, text: bytes = b"", at: str = SINCE_THEN) -> bytes:
        argv = [*gpg, "--faked-system-time", at, *arguments]
        return subprocess.run(argv, input=text, capture_output=True, timeout=60, check=True).stdout

    def sign(text: bytes | str, *names_and_command: str) -> bytes:
        *names, command = names_and_command
        if command == "--export":
            return call("--export", *names)
        return call("--local-user", names[0], command, text=text if isinstance(text, bytes) else text.encode())

    try:
        for name, life in (("good", "never"), ("expired", "1y"), ("stranger", "never")):
            call("--quick-gen-key", name, "ed25519", "sign", life, at=LONG_AGO)
        yield sign
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], timeout=60, check=False)
        # The agent that ends removes its sockets meanwhile, which is an error for shutil.rmtree().
        subprocess.run(["rm", "-rf", str(home)], timeout=60, check=True)
