"""`coreos-install` beside `curl | dd conv=fsync`: an image of 1.5 GiB that cannot be packed, from one server to one loop device.

curl and dd verify nothing: a third figure is that of the same pipe with `tee` to gpgv.

    python -m tests.bench.installing [--mib N] [--runs N]

Needs root, bash, curl, gpg and three times the image's size on the disk below --folder. They alternate, and the fastest run of
each counts: other work on the machine only makes them slower. CPU time is that of the programs and their children: with gpgv for
coreos-install, without it for the pipe, whose shell does not wait for it.
"""

from __future__ import annotations

import argparse
import http.server
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.installing.images import make_keys, program

TOP = Path(__file__).parents[2]
MIB = 1 << 20
BAR = 0.8  # of dd's speed
DD = "curl --silent --fail {url} | dd of={disk} bs=1M iflag=fullblock conv=fsync status=none"
VERIFIED = (
    "curl --silent --fail {url} | tee >(gpgv --quiet --keyring {ring} {image}.sig - 2>/dev/null)"
    " | dd of={disk} bs=1M iflag=fullblock conv=fsync status=none; wait"
)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files by sendfile(2): the server must not be the bottleneck."""

    protocol_version = "HTTP/1.1"

    def copyfile(self, source: Any, outputfile: Any) -> None:
        outputfile.flush()
        self.connection.sendfile(source)

    def log_message(self, *_: object) -> None:
        pass


def serve(folder: Path) -> http.server.ThreadingHTTPServer:
    """A server of a folder, in a thread: the bench itself only waits."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def make_image(path: Path, mib: int) -> None:
    """A GPT with one partition of random bytes."""
    with path.open("wb") as file:
        file.truncate(mib * MIB)
    script = f"label: gpt\n1 : start=2048, size={(mib - 2) * 2048}, name=ROOT\n"
    program("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", path, stdin=script)
    with path.open("r+b") as file:
        file.seek(MIB)
        for _ in range(mib - 2):
            file.write(os.urandom(MIB))


def measured(argv: Sequence[str]) -> tuple[float, float]:
    """(seconds, CPU seconds) of a program with its children."""
    before, begin = os.times(), time.monotonic()
    subprocess.run(argv, check=True, cwd=TOP, stdout=subprocess.DEVNULL)
    seconds, after = time.monotonic() - begin, os.times()
    return seconds, after.children_user + after.children_system - before.children_user - before.children_system


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=1536)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch, tempfile.TemporaryDirectory(prefix="gpg") as home:
        folder = Path(scratch)
        image = folder / "image.raw"
        make_image(image, arguments.mib)
        keys = make_keys(Path(home) / "a", "bench")
        program("gpg", "--homedir", keys.home, "--batch", "--detach-sign", image)
        ring = folder / "keys.gpg"
        program("gpg", "--homedir", keys.home, "--batch", "--output", ring, "--export")
        with (folder / "disk").open("wb") as file:
            file.truncate((arguments.mib + 64) * MIB)
        disk = program("losetup", "--find", "--show", folder / "disk").strip()
        server = serve(folder)
        url = f"http://127.0.0.1:{server.server_address[1]}/image.raw"
        ours = [sys.executable, "-m", "ignition.cli.install", "-d", disk, "-u", url, "-k", str(keys.public), "--overwrite"]
        try:
            found = []
            for _ in range(arguments.runs):
                pipes = [
                    measured(["sh", "-c", DD.format(url=url, disk=disk)]),
                    measured(["bash", "-c", VERIFIED.format(url=url, disk=disk, ring=ring, image=image)]),
                ]
                found.append((*pipes, measured(ours)))
                names = ("dd", "tee to gpgv and dd", "coreos-install")
                one_by_one = zip(names, found[-1], strict=True)
                print("  " + "; ".join(f"{name} {seconds:.1f} s, CPU {cpu:.1f} s" for name, (seconds, cpu) in one_by_one))
        finally:
            server.shutdown()
            program("gpgconf", "--homedir", keys.home, "--kill", "all")
            program("partx", "--delete", disk)
            program("losetup", "--detach", disk)
            shutil.rmtree(keys.home, ignore_errors=True)
    plain_s, verified_s, own_s = (min(run[column][0] for run in found) for column in range(3))
    ratio = plain_s / own_s
    print(f"coreos-install has {ratio:.2f} of dd's speed, and {verified_s / own_s:.2f} of that with gpgv; the bar is {BAR}")
    return 0 if ratio >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
