"""verifies: a machine on EC2 whose user data is a cloud-config: Ignition leaves it to coreos-cloudinit, which applies it with the
host name, keys and addresses of the metadata service, asked with a session token; the drive's unit stays out of it; and a second
cloud-config, which the kernel command line names.
"""

from harness import disks, guest
from harness.case import Case
from harness.checks import Checks
from harness.cloudinit import PROBES, judge_journal, log_in
from harness.disks import GIB
from harness.machine import metadata_nic
from harness.services.ec2 import DEFAULTS, Ec2
from harness.services.files import FileServer

TIMEOUT_S = 600
EXPECTED_S = 40

INSIDE, OUTSIDE = DEFAULTS["meta-data/local-ipv4"], "203.0.113.25"
BY_URL = "#cloud-config\nwrite_files:\n  - path: /etc/by-url\n    content: |\n      yes\n"
# The listing of a version is what the program asks for first.
VALUES = {**DEFAULTS, "meta-data/public-ipv4": OUTSIDE, "": "dynamic\nmeta-data\nuser-data"}
FACTS = {
    **PROBES,
    "peers": "cat /etc/app/peers",
    "environment": "cat /etc/environment",
    "by url": "cat /etc/by-url",
    "announced": "cat /run/announced",
    "hostname": "cat /etc/hostname",
    "drive": "systemctl show --property=LoadState --value user-configdrive.service",
    "platform": "systemctl show --property=ActiveState,Result oem-cloudinit.service",
}


def run(case: Case) -> None:
    """One boot."""
    drives = [case.system_disk("system", (disks.virtual_size(case.image.disk) // GIB + 2) * GIB)]
    user_data = case.fill("user-data.yml", {"SSH_KEY": case.key.public}).read_bytes()
    with Ec2(user_data, case.key.public, VALUES) as service, FileServer() as files:
        nic = metadata_nic(service.port)
        files.put("/by-url", BY_URL)
        url = f"cloud-config-url=http://{nic.host}:{files.port}/by-url"
        direct = case.image.direct("coreos.first_boot=detected", "coreos.oem.id=ec2", url)
        with case.machine("first", drives, direct=direct, nics=(nic,)) as machine:
            ssh = log_in(machine)
            guest.settle(ssh)
            seen = {name: answer.text for name, answer in ssh.collect(FACTS).items()}
            checks = case.checks("first boot", machine)
            checks.equal("who logs in with the platform's key", "core\n", machine.ssh("core").run("whoami").text)
            machine.cut_off()
    judge(seen, checks)
    judge_service(service, checks)
    checks.done()


def judge(seen: dict[str, str], checks: Checks) -> None:
    """The machine as user data and metadata say."""
    checks.equal("failed units", "", seen["failed"])
    checks.equal("targets", "active\nactive\n", seen["user-config"])
    checks.equal("file with addresses", f"inside {INSIDE}, outside {OUTSIDE}\n", seen["peers"])
    environment = f"COREOS_PRIVATE_IPV4={INSIDE}\nCOREOS_PUBLIC_IPV4={OUTSIDE}\n"
    checks.equal("environment", environment, seen["environment"])
    checks.equal("host name, up to its first dot", "ip-172-31-5-20\n", seen["hostname"])
    checks.equal("what the unit knew", f"{OUTSIDE} {INSIDE} ip-172-31-5-20\n", seen["announced"])
    checks.equal("file of the second cloud-config", "yes\n", seen["by url"])
    checks.equal("unit of the drive", "masked\n", seen["drive"])
    checks.equal("unit of the platform", "Result=success\nActiveState=active\n", seen["platform"])
    judge_journal(seen, ["oem-cloudinit.service", "user-cloudinit-proc-cmdline.service"], checks)


def judge_service(service: Ec2, checks: Checks) -> None:
    """Nothing was asked without a token, and the program asked in its version."""
    log = [(request.method, request.path, status) for request, status in service.log]
    checks.equal("requests without a valid token", [], [row for row in log if row[2] in (400, 401, 403, 405)])
    checks.true("the program asked for user data", ("GET", "/2009-04-04/user-data", 200) in log, log)
