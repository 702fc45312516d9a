"""A program loses one library: it starts without it, and everything else in it works as before."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "dracut/35coreos-ignition/without_library.py"
LIBRARY = """
const char *surplus_name(void) { return "surplus"; }
const char *surplus_other(void) { return "other"; }
"""
VERSIONS = "SURPLUS_1 { global: surplus_name; surplus_other; local: *; };"
PROGRAM = """
#include <math.h>
#include <stdio.h>
#include <string.h>
const char *surplus_name(void);
const char *surplus_other(void);
int main(int count, char **words) {
    if (count > 1 && !strcmp(words[1], "surplus")) return !puts(surplus_name()) || !puts(surplus_other());
    printf("%.2f\\n", pow(count + 1.0, 0.5));
    return 0;
}
"""


def build(at: Path, *, versioned: bool, order: str) -> Path:
    """A program with a library of its own, and with libm before or behind it."""
    (at / "library.c").write_text(LIBRARY)
    (at / "library.map").write_text(VERSIONS)
    (at / "program.c").write_text(PROGRAM)
    script = [f"-Wl,--version-script={at}/library.map"] if versioned else []
    shared = ["cc", "-shared", "-fPIC", "-Wl,-soname,libsurplus.so.1", *script]
    subprocess.run([*shared, "-o", at / "libsurplus.so.1", at / "library.c"], check=True)
    libraries = {"own": [str(at / "libsurplus.so.1")], "m": ["-lm"]}
    chosen = [word for name in order.split() for word in libraries[name]]
    subprocess.run(["cc", "-pie", "-fPIE", "-Wl,-z,now", "-o", at / "program", at / "program.c", *chosen], check=True)
    return at / "program"


def output(program: Path, *words: str, path: Path | None = None) -> str:
    environment = {"LD_LIBRARY_PATH": str(path)} if path else {}
    return subprocess.run([program, *words], env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("versioned", [True, False], ids=["versioned", "plain"])
@pytest.mark.parametrize("order", ["own m", "m own"])
def test_copy_starts_without_the_library(tmp_path: Path, versioned: bool, order: str) -> None:
    program, copy = build(tmp_path, versioned=versioned, order=order), tmp_path / "copy"
    assert output(program, "surplus", path=tmp_path) == "surplus\nother\n"
    subprocess.run([SCRIPT, program, "libsurplus", "surplus_", copy], check=True)
    (tmp_path / "libsurplus.so.1").unlink()
    with pytest.raises(subprocess.CalledProcessError):
        output(program)
    assert output(copy) == "1.41\n"
    assert "libsurplus" not in subprocess.run(["ldd", copy], capture_output=True, text=True, check=True).stdout
    done = subprocess.run([copy, "surplus"], capture_output=True, check=False)
    assert done.returncode < 0, "the code that is never reached crashes"


@pytest.mark.parametrize("content", [b"#!/bin/sh\n", b"\x7fELF\x01" + bytes(200), b"\x7fELF\x02\x01" + bytes(200), b""])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "program").write_bytes(content)
    argv = [str(SCRIPT), str(tmp_path / "program"), "lib", "x", str(tmp_path / "copy")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith(f"without_library.py: {tmp_path}/program: ")
    assert not (tmp_path / "copy").exists()
