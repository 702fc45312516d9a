"""The modules that each program loads for a typical run: `python -m tests.loaded_modules` writes the lists, one file per run.

Each run is a process of its own, started as the launchers do, with a finder in front of Python's own that notes who imports what.
Neither modules that a bare interpreter has loaded already are listed, nor those that packages of others import first, which
differ from version to version. The lists are those of one version of Python: with another one, only our own modules are compared.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.programs import MODULES

TOP = Path(__file__).parents[2]
LISTS = Path(__file__).parent
COMMAND = "python -m tests.loaded_modules"
PYTHON = "/usr/bin/python3"
STAGES = ("fetch-offline", "fetch", "kargs", "disks", "mount", "files", "umount")
METADATA = "coreos-metadata"
USER_DATA = "#cloud-config\nwrite_files:\n- path: /etc/motd\n  content: hello\n"  # a host name would be this host's
AS_ROOT = ["unshare", "--user", "--map-root-user"] if os.geteuid() != 0 else []
LISTED_ON = (3, 11)  # version of Python, Debian 12's
_OURS = {"ignition", "coreos_metadata"}

Importer = tuple[str, str]  # name of the importing module, and `file:line` of the import
Loaded = dict[str, Importer]

_CHILD = """
import sys
known, loaded = set(sys.modules), {}
class Finder:
    def find_spec(name, path=None, target=None):
        frame = sys._getframe(1)
        while frame.f_code.co_filename.startswith("<frozen importlib") or frame.f_globals.get("__name__") == "importlib":
            frame = frame.f_back
        loaded.setdefault(name, (frame.f_globals["__name__"], f"{frame.f_code.co_filename}:{frame.f_lineno}"))
sys.meta_path.insert(0, Finder)
top, module, report, root = sys.argv[1:5]
sys.path[:0] = [top]
sys.path.append("/usr/lib/python3/dist-packages")
main = getattr(__import__(module, fromlist=["main"]), "main")
statuses = []
for words in " ".join(sys.argv[5:]).split(" ; "):
    sys.argv[1:] = words.split()
    statuses.append(main(root=root) if root else main())
found = {name: by for name, by in loaded.items() if name in sys.modules and name not in known}
import json
with open(report, "w") as file:
    json.dump([statuses, found], file)
"""
_SERVICE = """
import subprocess, sys
from tests.fetch.server import serving
from tests.netns import namespace
from tests.platforms.samples.aws import SAMPLE as sample
with namespace(sample.address), serving(sample.answers, None, (sample.address, 80)):
    sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)
"""


def measured() -> dict[str, Loaded]:
    """Run → its modules, each with who imported it first. All runs but that of METADATA, which `of_metadata` has."""
    with _files() as top, ThreadPoolExecutor() as pool:
        columns = [pool.submit(column, top) for column in (_stages, _programs, _help)]
        return {name: loaded for column in columns for name, loaded in column.result().items()}


def of_metadata() -> Loaded:
    """coreos-metadata writes the attributes of a machine. Needs root, for a network namespace with a metadata service."""
    with _files() as top:
        words = ("--provider=aws", f"--attributes={top / 'attributes'}")
        return _run(top, "coreos-metadata", *words, before=[sys.executable, "-c", _SERVICE])


@contextmanager
def _files() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ignition-loaded-") as directory:
        top = Path(directory)
        (top / "root" / "etc").mkdir(parents=True)
        (top / "config.ign").write_text('{"ignition": {"version": "3.5.0"}}')
        (top / "user-data").write_text(USER_DATA)
        (top / "config.bu").write_text("variant: flatcar\nversion: 1.1.0\n")
        (top / "config.yaml").write_text("storage:\n  files:\n    - path: /etc/motd\n      filesystem: root\n")
        yield top


def _stages(top: Path) -> dict[str, Loaded]:
    flags = ["-platform", "file", "-root", str(top / "root"), "-log-to-stdout"]
    for flag, name in (("config-cache", "cache.json"), ("state-file", "state"), ("neednet", "neednet")):
        flags += [f"-{flag}", str(top / name)]
    return {f"ignition-{stage}": _run(top, "ignition", "-stage", stage, *flags) for stage in STAGES}


def _programs(top: Path) -> dict[str, Loaded]:
    return {
        "coreos-cloudinit": _run(top, "coreos-cloudinit", f"-from-file={top / 'user-data'}", before=AS_ROOT, root=top / "root"),
        "ignition-validate": _run(top, "ignition-validate", str(top / "config.ign")),
        "butane": _run(top, "butane", str(top / "config.bu")),
        "ct": _run(top, "ct", "-in-file", str(top / "config.yaml")),
    }


def _help(top: Path) -> dict[str, Loaded]:
    return {f"{name}--help": _run(top, name, "--version", ";", "--help") for name in MODULES}


def _run(top: Path, program: str, *words: str, before: list[str] | None = None, root: Path | str = "") -> Loaded:
    """`root`: the root of coreos-cloudinit, in place of this machine's."""
    with tempfile.NamedTemporaryFile(dir=top) as report:
        argv = [*(before or []), PYTHON, "-I", "-S", "-c", _CHILD, str(TOP), MODULES[program], report.name, str(root), *words]
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "IGNITION_CONFIG_FILE": str(top / "config.ign"),
            "IGNITION_ISSUE_DIR": str(top / "issue.d"),
        }
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, cwd=TOP)
        text = Path(report.name).read_text()
        statuses, found = json.loads(text) if text else (["none"], {})
    assert not any(statuses), f"{program} {' '.join(words)}: {statuses}\n{done.stdout}{done.stderr}"
    return {
        name: (importer, place.removeprefix(f"{TOP}/"))
        for name, (importer, place) in found.items()
        if not _is_of_others(importer, found) and _is_compared(name)
    }


def _is_compared(name: str) -> bool:
    return sys.version_info[:2] == LISTED_ON or name.partition(".")[0] in _OURS


def _is_of_others(importer: str, found: Loaded) -> bool:
    """Whether a package of others imported it, directly or through the standard library."""
    while importer in found and importer.partition(".")[0] not in _OURS:
        if importer.partition(".")[0] not in sys.stdlib_module_names:
            return True
        importer = found[importer][0]
    return False


def committed(name: str) -> set[str]:
    """The list of a run; empty if there is none."""
    path = LISTS / f"{name}.txt"
    return {module for module in path.read_text().split() if _is_compared(module)} if path.exists() else set()


def changes(name: str, loaded: Loaded, known: set[str]) -> str:
    """Modules that a run newly loads, with the imports that led there, and those that it no longer loads; "" without changes."""
    said = [f"{name} newly loads {_chain(module, loaded, known)}" for module in sorted(loaded.keys() - known)]
    said += [f"{name} no longer loads {module}" for module in sorted(known - loaded.keys())]
    return "\n".join([*said, f"If that is meant: {COMMAND}"] if said else [])


def _chain(module: str, loaded: Loaded, known: set[str]) -> str:
    """`ssl (ignition/fetch/faults.py:45 < ignition/fetch/http.py:12)`: back to the first module that was loaded before, too."""
    places = []
    importer = module
    while importer in loaded:
        importer, place = loaded[importer]
        places.append(place)
        if importer in known:
            break
    return f"{module} ({' < '.join(places)})"


def write() -> None:
    """All lists, as committed."""
    if sys.version_info[:2] != LISTED_ON:
        raise SystemExit(f"the lists are those of Python {'.'.join(map(str, LISTED_ON))}: write them there")
    found = {**measured(), METADATA: of_metadata()}
    for path in LISTS.glob("*.txt"):
        path.unlink()
    for name, loaded in found.items():
        (LISTS / f"{name}.txt").write_text("".join(f"{module}\n" for module in sorted(loaded)))
