"""An initramfs with more files: a second archive behind the image's own, which the kernel unpacks over it.

So a machine has the names and authorities of its test, or programs of a hypervisor, without its own image or agent.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from harness.machine import DirectBoot
from harness.programs import run

LINKS = ("bin", "lib", "lib64", "sbin")  # to directories of /usr, which they must stay


def with_files(direct: DirectBoot, files: Mapping[str, str | bytes], folder: Path) -> DirectBoot:
    """The same boot, its initramfs longer by these files and their directories: path → content. All of them can be executed."""
    tree, initrd = folder / "initramfs", folder / "initrd-with-files.img"
    for path, content in files.items():
        place = tree / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        place.chmod(0o755)
    found = sorted(str(path.relative_to(tree)) for path in tree.rglob("*"))
    names = "\n".join(name for name in found if name not in LINKS)
    run(["sh", "-euc", f"cat {direct.initrd} >{initrd}; truncate -s %4 {initrd};"
         f" cd {tree}; cpio -o -H newc -R 0:0 --quiet >>{initrd}"], stdin=f"{names}\n")  # fmt: skip
    return replace(direct, initrd=initrd)
