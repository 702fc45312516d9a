"""verifies: a config that encrypts ROOT, bound by clevis to a TPM and a tang server (both are needed), gets its contents into the
volume; the machine boots from it at once, and later without a person, when its disk has grown, too; without the tang server it
asks for a passphrase.
"""

from harness import disks, root_anew
from harness.case import Case
from harness.disks import GIB
from harness.hardware import Hardware
from harness.services.tang import Tang

TIMEOUT_S = 1500
EXPECTED_S = 390

PROBES = root_anew.PROBES | {
    "volume": "cryptsetup status root; cryptsetup luksDump $(cryptsetup status root | awk '/device:/ {print $2}')",
    "crypttab": "cat /etc/crypttab; ls /etc/luks 2>&1",
}


def run(case: Case) -> None:
    """Two boots through GRUB that come up, and one that must not."""
    size = (disks.virtual_size(case.image.disk) // GIB + 2) * GIB
    system = case.system_disk("system", size)
    hardware = Hardware(memory_mib=2560, tpm=case.tpm())
    with Tang(case.work / "tang") as tang:
        source = root_anew.config(case, {"TANG_URL": tang.url, "THUMBPRINT": tang.thumbprint()})
        with case.machine("first", [system], fw_cfg=source, hardware=hardware) as machine:
            seen = root_anew.look(machine, PROBES)
            machine.power_off()
        checks = case.checks("first boot", machine)
        root_anew.judge(seen, checks, format="ext4", least=size - 3 * GIB)
        root_anew.judge_first(seen, checks)
        wanted = ["is active", "type:    LUKS2", "secret-root", "allow-discards", "clevis"]
        checks.contains("the volume", wanted, seen["volume"].text)
        checks.lacks("the volume", "ignition-unfinished", seen["volume"].text)
        checks.matches("crypttab", r"^root UUID=\S+ none luks,_netdev,x-initrd.attach$", seen["crypttab"].text)
        checks.contains("no key file is left", "No such file", seen["crypttab"].text)
        checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(system))
        checks.done()
        checks = root_anew.boot_again(case, [system], "second", format="ext4", hardware=hardware)
        checks.done()
        tang.stop()
        with case.machine("without-tang", [system], hardware=hardware) as machine:
            machine.wait_for_console("Please enter passphrase for disk")
            machine.kill()
