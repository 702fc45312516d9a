"""Boots a lab to try things in by hand: `python3 vm-tests/lab.py [--disk SPEC ...] [--sync]`. Ctrl-C ends it.

A disk is SIZE[,bus=virtio|scsi|nvme][,sector=4096][,serial=TEXT][,product=TEXT], SIZE in MiB; without any there are four of
1 GiB, one of them with sectors of 4096 bytes, one NVMe. There are a TPM and two tang servers. In the guest: `lab CONFIG [STAGE
...]` runs stages on a config file.
"""

import argparse
import shlex
import shutil
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from harness import lab as labs
from harness.case import Case
from harness.disks import MIB
from harness.errors import Failed, HarnessError
from harness.hardware import Hardware
from harness.image import SUITE
from harness.services.tang import Tang
from run import choose_image

DISKS = ("1024", "1024", "1024,sector=4096", "1024,bus=nvme")
# For users of the guest: runs stages as Lab.provision() does.
LAB_PROGRAM = """#!/bin/sh
# lab CONFIG [STAGE ...]: stages (fetch-offline, disks) on a config; state in a new folder of /run/lab
set -eu
config=$(realpath "$1"); shift
folder=$(mktemp -d /run/lab/by-hand-XXXX)
export IGNITION_CONFIG_FILE="$config"
for stage in ${*:-fetch-offline disks}; do
    ignition -stage="$stage" -platform=file -root=/mnt/root -log-to-stdout -config-cache="$folder/ignition.json" \\
        -neednet="$folder/neednet" -state-file="$folder/state"
    [ "$stage" != fetch-offline ] || [ -e "$folder/ignition.json" ] || ignition -stage=fetch -platform=file -root=/mnt/root \\
        -log-to-stdout -config-cache="$folder/ignition.json" -neednet="$folder/neednet" -state-file="$folder/state"
done
"""


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="lab.py", description="Boots a machine with blank disks to try configs on.")
    parser.add_argument("--disk", action="append", metavar="SPEC", help="SIZE in MiB[,bus=scsi|nvme][,sector=4096][,serial=TEXT]")
    parser.add_argument("--sync", action="store_true", help="run the agent of these sources, on the newest image as it is")
    parser.add_argument("--suite", default=SUITE, metavar="SUITE", help="of Debian (default: %(default)s)")
    parser.add_argument("--image", type=Path, metavar="DIR", help="a folder of the image cache (default: built from the sources)")
    return parser.parse_args()


def blank(spec: str) -> labs.Blank:
    """A disk from its description. Raises HarnessError for a malformed or unsupported description."""
    size, *words = spec.split(",")
    try:
        given = {"bus": "virtio", "sector": "512", "serial": "", "product": ""} | dict(word.split("=", 1) for word in words)
        return labs.Blank(int(size) * MIB, given["bus"], int(given["sector"]), given["serial"], given["product"])
    except ValueError as error:
        raise HarnessError(f"--disk {spec}: {error}") from error


def show(lab: labs.Lab, servers: list[Tang]) -> None:
    """Print how to log in, and the available disks and servers."""
    lab.ssh.feed("cat >/usr/local/bin/lab && chmod +x /usr/local/bin/lab", LAB_PROGRAM)
    print(f"log in:  {shlex.join(replace(lab.machine.ssh(), shared=None).argv())}")
    for disk in lab.disks:
        how = disk.disk.attachment
        print(f"disk:    {disk.node}  {disk.image.stat().st_size // MIB} MiB, {how.sector_size}-byte sectors, {disk.image}")
    for server in servers:
        print(f"tang:    {server.url}  thumbprint {server.thumbprint()}")
    print("TPM 2.0: /dev/tpmrm0\nguest:   lab CONFIG [STAGE ...]\nCtrl-C ends it.", flush=True)


def main() -> int:
    """The exit status."""
    options = parse()
    folder = Path(tempfile.mkdtemp(prefix="ignition-lab-"))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        case = Case("lab", folder, folder, choose_image(options, options.suite))
        blanks = [blank(spec) for spec in options.disk or DISKS]
        with Tang(folder / "tang-1") as one, Tang(folder / "tang-2") as two:
            with labs.booted(case, blanks, hardware=Hardware(tpm=case.tpm())) as lab:
                show(lab, [one, two])
                assert lab.machine.process is not None
                lab.machine.process.wait()
    except KeyboardInterrupt:
        pass
    except (Failed, HarnessError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
