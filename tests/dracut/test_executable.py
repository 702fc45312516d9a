"""The executable of coreos-cloudinit: a process of that name, isolated like every launcher, with or without Python's library."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

DRACUT = Path(__file__).parent.parent.parent / "dracut"
# Stands in for the program: says what it is run by.
SCRIPT = """
import json, os, sys
json.dump({
    "exe": os.readlink("/proc/self/exe"), "arguments": sys.argv[1:], "isolated": sys.flags.isolated, "no_site": sys.flags.no_site,
    "executable": sys.executable, "packages": bool(__import__("pyudev")), "path": sys.path,
}, sys.stdout)
sys.exit(7)
"""


def build(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """install-launchers below a folder, which is a prefix then."""
    argv = [str(DRACUT / "install-launchers"), str(folder / "bin"), str(folder / "lib/coreos-ignition")]
    return subprocess.run(argv, capture_output=True, text=True, check=True, env={**os.environ, **environment})


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prefix = tmp_path_factory.mktemp("prefix")
    assert build(prefix, {}).stderr == ""
    script = prefix / "lib/coreos-ignition/coreos-cloudinit"
    first, *_ = script.read_text().splitlines()
    script.write_text(f"{first}\nimport sys\nsys.path.append('/usr/lib/python3/dist-packages')\n{SCRIPT}")
    return prefix / "bin/coreos-cloudinit"


def said(program: Path, *arguments: str, environment: dict[str, str] | None = None) -> dict[str, object]:
    """What the script found out."""
    done = subprocess.run([str(program), *arguments], capture_output=True, check=False, env={**os.environ, **(environment or {})})
    assert done.returncode == 7, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_process_has_the_path_of_the_program(program: Path) -> None:
    found = said(program, "--from-file=é", "-", "")
    assert found["exe"] == str(program)
    assert found["arguments"] == ["--from-file=é", "-", ""]
    # What starts Python again by this name gets Python.
    assert found["executable"] == "/usr/bin/python3"


def test_extension_modules_find_the_interpreter(program: Path) -> None:
    assert said(program)["packages"] is True


def test_environment_decides_nothing(program: Path, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('taken from the environment')")
    found = said(program, environment={"PYTHONPATH": str(tmp_path), "PYTHONHOME": str(tmp_path)})
    assert (found["isolated"], found["no_site"]) == (1, 1)
    assert str(tmp_path) not in str(found["path"])


# Says that it was loaded, and ends the program.
EVIL = """
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void loaded(void) { if (write(2, "EVIL", 4)) _exit(66); _exit(66); }
int Py_BytesMain(int argc, char **argv) { (void)argc, (void)argv; return 66; }
"""


@pytest.mark.parametrize("value", [":", ".", "{folder}", "{folder}:"])
def test_library_path_of_the_environment_chooses_no_library(program: Path, tmp_path: Path, value: str) -> None:
    (tmp_path / "evil.c").write_text(EVIL)
    python = os.path.basename(os.path.realpath("/usr/bin/python3"))
    needed = subprocess.run(["ldd", os.path.realpath("/usr/bin/python3")], capture_output=True, text=True, check=True).stdout
    names = {
        f"lib{python}.so.1.0",
        "libc.so.6",
        "libdl.so.2",
        *(line.split()[0] for line in needed.splitlines() if " => " in line),
    }
    assert len(names) > 4
    for name in names:
        argv = ["cc", "-shared", "-fPIC", "-nostartfiles", "-o", str(tmp_path / name), str(tmp_path / "evil.c")]
        subprocess.run(argv, check=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": value.format(folder=tmp_path)}
    done = subprocess.run([str(program)], capture_output=True, check=False, env=environment, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (7, b"")
    assert json.loads(done.stdout)["isolated"] == 1


@pytest.mark.skipif(not shutil.which("readelf"), reason="binutils is not installed")
def test_program_is_hardened_as_debian_s_are(program: Path) -> None:
    def readelf(*options: str) -> str:
        argv = ["readelf", "--wide", *options, str(program)]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    header, segments, dynamic = readelf("--file-header"), readelf("--program-headers"), readelf("--dynamic")
    symbols = readelf("--dyn-syms")
    assert "DYN (Position-Independent Executable file)" in header
    assert "GNU_RELRO" in segments and "BIND_NOW" in dynamic and "PIE" in dynamic
    assert [line for line in segments.splitlines() if "RWE" in line or ("GNU_STACK" in line and "RWE" in line)] == []
    assert "__stack_chk_fail" in symbols
    assert "__snprintf_chk" in symbols or "__realpath_chk" in symbols
    # DT_RPATH and not DT_RUNPATH, which LD_LIBRARY_PATH precedes; one absolute directory.
    assert "(RUNPATH)" not in dynamic
    (paths,) = [line.split("[")[1].rstrip("]") for line in dynamic.splitlines() if "(RPATH)" in line]
    assert paths.startswith("/") and ":" not in paths
    if os.uname().machine == "x86_64":
        # ENDBR64 of -fcf-protection; the note for the loader is missing where libc's own start files have none (Debian 12).
        assert b"\xf3\x0f\x1e\xfa" in program.read_bytes()


def test_name_in_the_process_list_is_the_programs(program: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    shutil.copytree(program.parent.parent, prefix)
    (prefix / "lib/coreos-ignition/coreos-cloudinit").write_text("import sys; sys.stdin.read()")
    with subprocess.Popen([str(prefix / "bin/coreos-cloudinit")], stdin=subprocess.PIPE) as running:
        deadline = time.monotonic() + 10
        while (name := Path(f"/proc/{running.pid}/comm").read_text()) != "coreos-cloudini\n" and time.monotonic() < deadline:
            time.sleep(0.01)
        assert running.stdin
        running.stdin.close()
    assert name == "coreos-cloudini\n"  # the kernel keeps 15 characters


def test_without_the_library_the_interpreter_runs_the_same_script(program: Path, tmp_path: Path) -> None:
    # The dynamic loader looks for libraries of this name only where nothing is.
    blind = tmp_path / "coreos-cloudinit.c"
    blind.write_text((DRACUT / "coreos-cloudinit.c").read_text().replace('"%s/lib%s.so.1.0"', '"%s/lib%s.so.missing"'))
    other = tmp_path / "bin/coreos-cloudinit"
    other.parent.mkdir()
    shutil.copytree(program.parent.parent / "lib", tmp_path / "lib")
    subprocess.run(["cc", "-o", str(other), '-DPYTHON_LIBRARIES="/usr/lib"', str(blind), "-ldl"], check=True)
    found = said(other, "--version")
    assert found["arguments"] == ["--version"]
    assert str(found["exe"]).startswith("/usr/bin/python3")


def test_without_a_compiler_there_is_the_script_and_a_message(tmp_path: Path) -> None:
    stderr = build(tmp_path, {"CC": "/nonexistent/cc"}).stderr
    assert "without a C compiler" in stderr and "--identifier=coreos-cloudinit" in stderr
    assert (tmp_path / "bin/coreos-cloudinit").read_text().startswith("#!/usr/bin/python3 -IS\n")
