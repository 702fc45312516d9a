"""An initramfs with more files: a second archive behind the image's own, which the kernel unpacks over it.

So a machine has the names and authorities of its test, or programs of a hypervisor, without its own image or agent.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from harness.machine import DirectBoot
from harness.programs import run


def with_files(direct: DirectBoot, files: Mapping[str, str | bytes], folder: Path) -> DirectBoot:
    """The same boot, its initramfs longer by these files: path → content. All of them can be executed."""
    tree, initrd = folder / "initramfs", folder / "initrd-with-files.img"
    for path, content in files.items():
        place = tree / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        place.chmod(0o755)
    # Directories are left out: links like /bin must stay links.
    names = "\n".join(path.lstrip("/") for path in files)
    run(["sh", "-euc", f"cat {direct.initrd} >{initrd}; truncate -s %4 {initrd};"
         f" cd {tree}; cpio -o -H newc -R 0:0 --quiet >>{initrd}"], stdin=f"{names}\n")  # fmt: skip
    return replace(direct, initrd=initrd)
