"""The arrows between the rooms go one way (docs/architecture.md), and a stage imports only what it needs."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
# room → rooms it may import from (itself and OF_ALL always)
OF_ALL = {"ignition.json_codec", "ignition.json_schema", "ignition.patterns"}
MAY_IMPORT = {
    "ignition": set(),
    "ignition.errors": set(),
    "ignition.json_codec": set(),
    "ignition.json_schema": set(),
    "ignition.patterns": set(),
    "ignition.config": {"ignition.errors", "ignition.host.limits"},
    "ignition.host": {"ignition", "ignition.errors"},
    "ignition.host.limits": set(),
    "ignition.transpile": {"ignition.errors", "ignition.config", "ignition.host"},
    "ignition.from_cloud_config": {"ignition.errors", "ignition.config", "ignition.host", "ignition.transpile"},
    "ignition.trust": {"ignition.errors", "ignition.config", "ignition.host"},
    "ignition.fetch": {"ignition", "ignition.errors", "ignition.config", "ignition.host", "ignition.trust"},
    "ignition.operation": {"ignition.errors", "ignition.host", "ignition.fetch"},
    "ignition.boot_loader": {"ignition.errors", "ignition.host"},
    "ignition.network": {"ignition.errors", "ignition.host"},
    "ignition.metadata": {"ignition.errors", "ignition.config", "ignition.host", "ignition.fetch", "ignition.network"},
    "ignition.platforms": {
        "ignition.errors",
        "ignition.config",
        "ignition.host",
        "ignition.fetch",
        "ignition.metadata",
        "ignition.network",
    },
    "ignition.storage": {"ignition.errors", "ignition.config", "ignition.host", "ignition.operation"},
    "ignition.applied": {
        "ignition.errors",
        "ignition.applied.record",
        "ignition.config",
        "ignition.display",
        "ignition.host",
        "ignition.operation",
        "ignition.stages",
        "ignition.storage",
        "ignition.sysroot",
    },
    # Written by the stages.
    "ignition.applied.record": {"ignition.errors", "ignition.config", "ignition.host", "ignition.operation"},
    "ignition.display": {"ignition", "ignition.errors", "ignition.host"},
    "ignition.facts": {"ignition.errors", "ignition.config", "ignition.host", "ignition.storage"},
    "ignition.planning": {
        "ignition",
        "ignition.applied",
        "ignition.errors",
        "ignition.config",
        "ignition.display",
        "ignition.facts",
        "ignition.fetch",
        "ignition.host",
        "ignition.operation",
        "ignition.stages",
        "ignition.storage",
        "ignition.sysroot",
    },
    "ignition.reporting": {"ignition", "ignition.errors", "ignition.display", "ignition.host"},
    "ignition.arming": {
        "ignition.errors",
        "ignition.host",
        "ignition.operation",
        "ignition.provisioned",
        "ignition.sysroot",
        "ignition.trust",
    },
    "ignition.installing": {
        "ignition.boot_loader",
        "ignition.display",
        "ignition.errors",
        "ignition.fetch",
        "ignition.host",
        "ignition.operation",
        "ignition.storage",
        "ignition.trust",
    },
    "ignition.provisioned": {
        "ignition.boot_loader",
        "ignition.errors",
        "ignition.host",
        "ignition.operation",
        "ignition.stages",
        "ignition.storage",
        "ignition.sysroot",
    },
    "ignition.sysroot": {
        "ignition.errors",
        "ignition.config",
        "ignition.host",
        "ignition.fetch",
        "ignition.operation",
        "ignition.storage",
    },
    "ignition.cloudinit": {
        "ignition",
        "ignition.errors",
        "ignition.config",
        "ignition.host",
        "ignition.fetch",
        "ignition.operation",
        "ignition.platforms",
        "ignition.sysroot",
        "ignition.metadata",
        "ignition.network",
    },
    "ignition.rendering": {
        "ignition",
        "ignition.errors",
        "ignition.config",
        "ignition.host",
        "ignition.fetch",
        "ignition.platforms",
        "ignition.transpile",
        "ignition.trust",
    },
    "ignition.stages": {
        "ignition",
        "ignition.applied.record",
        "ignition.errors",
        "ignition.config",
        "ignition.host",
        "ignition.fetch",
        "ignition.operation",
        "ignition.platforms",
        "ignition.storage",
        "ignition.sysroot",
        "ignition.outcome.receiver",
        "ignition.transpile",
        "ignition.rendering",
        "ignition.trust",
    },
    "ignition.simulation": {
        "ignition",
        "ignition.errors",
        "ignition.config",
        "ignition.host",
        "ignition.fetch",
        "ignition.operation",
        "ignition.sysroot",
        "ignition.stages",
        "ignition.rendering",
    },
    "ignition.outcome": {
        "ignition",
        "ignition.errors",
        "ignition.config",
        "ignition.host",
        "ignition.fetch",
        "ignition.stages",
    },
    # Only loaded where a receiver is named.
    "ignition.outcome.receiver": {"ignition.errors", "ignition.config", "ignition.host", "ignition.fetch"},
    # The frame of the programs, which the companion has as well.
    "ignition.cli.flags": {"ignition.platforms"},
    "ignition.cli.program": {"ignition", "ignition.errors", "ignition.host", "ignition.cli.flags"},
    "coreos_metadata": {
        "ignition",
        "ignition.cli.flags",
        "ignition.cli.program",
        "ignition.errors",
        "ignition.fetch",
        "ignition.host",
        "ignition.config",
        "ignition.metadata",
        "ignition.network",
        "ignition.platforms",
    },
}
# Modules that no stage of a minimal config may load: each costs 5 to 280 ms of every boot.
HEAVY = {
    "argparse",
    "dataclasses",
    "inspect",
    "jinja2",
    "jsonschema",
    "logging",
    "parted",
    "pyroute2",
    "pyudev",
    "requests",
    "ssl",
    "urllib3",
    "yaml",
    "zstandard",
}


def room(module: str) -> str:
    """The room of a module: its first two names, or the package itself; a table of numbers is one of its own."""
    if module in MAY_IMPORT:
        return module
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "ignition" else parts[0]


def imports(path: Path) -> set[str]:
    """The modules of ours that a file imports, at the top or inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            package = TOP / node.module.replace(".", "/")
            inside = {
                name
                for name in submodules
                if (TOP / (name.replace(".", "/") + ".py")).exists() or (TOP / name.replace(".", "/")).is_dir()
            }
            found |= inside or {node.module}
            assert package.exists() or package.with_suffix(".py").exists() or room(node.module) not in MAY_IMPORT, node.module
    return {name for name in found if name.split(".")[0] in ("ignition", "coreos_metadata")}


def modules() -> list[Path]:
    """All modules with a room that has rules."""
    return [p for top in ("ignition", "coreos_metadata") for p in sorted((TOP / top).rglob("*.py"))]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(TOP).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_arrows_go_one_way(path: Path) -> None:
    own = room(module_name(path))
    if own == "ignition.cli":
        return  # may import all
    assert own in MAY_IMPORT, f"a new room {own}: give it a line here and in docs/architecture.md"
    # A room named whole includes its parts that have rules of their own; "ignition" is the package's own __init__ alone.
    named = MAY_IMPORT[own] - {"ignition"} | {own} | OF_ALL
    allowed = {other for other in MAY_IMPORT if any(f"{other}.".startswith(f"{one}.") for one in named)} | MAY_IMPORT[own]
    assert {name for name in imports(path) if room(name) not in allowed | {own}} == set()


def graph() -> dict[str, set[str]]:
    """Module → modules of ours that it imports when it runs, at the top or inside functions; not those of TYPE_CHECKING."""
    paths = {module_name(path): path for path in modules()}
    found: dict[str, set[str]] = {}
    for name, path in paths.items():
        tree = ast.parse(path.read_text())
        typing = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        needed: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and id(node) not in typing:
                submodules = {f"{node.module}.{alias.name}" for alias in node.names} & paths.keys()
                # Names of a package's own __init__ beside submodules of it: it is needed, too.
                needed |= submodules if len(submodules) == len(node.names) else submodules | {node.module}
        found[name] = needed & paths.keys() - {name}
    return found


def test_no_circle_of_imports() -> None:
    """Lazy imports included: a circle that a function hides is found by the person who moves the import."""
    edges = graph()
    while True:
        imported = set().union(*edges.values())
        kept = {name: needed & edges.keys() for name, needed in edges.items() if needed & edges.keys() and name in imported}
        if kept == edges:
            break
        edges = kept
    assert {name: sorted(needed) for name, needed in edges.items()} == {}, "these import each other"


def test_only_one_module_starts_programs() -> None:
    starters = {
        module_name(path)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import) and any(alias.name == "subprocess" for alias in node.names)
    }
    assert starters == {"ignition.host.command"}


@pytest.mark.parametrize("stage", ["fetch", "files"])
def test_stage_of_minimal_config_loads_nothing_heavy(stage: str, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "config.ign").write_text('{"ignition": {"version": "3.5.0"}}')
    flags = ["-platform", "file", "-root", str(tmp_path / "root"), "-log-to-stdout"]
    for flag, name in (("-config-cache", "cache.json"), ("-state-file", "state"), ("-neednet", "neednet")):
        flags += [flag, str(tmp_path / name)]
    script = (
        "import json, sys\n"
        "sys.path[:0] = [sys.argv[1]]\n"
        "sys.path.append('/usr/lib/python3/dist-packages')\n"
        "from ignition.cli.ignition import main\n"
        "status = main(['-stage', 'fetch', *sys.argv[3:]])\n"
        "if sys.argv[2] != 'fetch': status = status or main(['-stage', sys.argv[2], *sys.argv[3:]])\n"
        "print(json.dumps([status, sorted(sys.modules)]))\n"
    )
    argv = ["/usr/bin/python3", "-I", "-S", "-c", script, str(TOP), stage, *flags]
    environment = {"IGNITION_CONFIG_FILE": str(tmp_path / "config.ign"), "IGNITION_ISSUE_DIR": str(tmp_path / "issue.d")}
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment)
    status, loaded = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, done.stdout
    assert HEAVY & set(loaded) == set()


def test_this_interpreter_is_debians_or_sees_its_packages() -> None:
    import parted

    assert parted.__file__.startswith("/usr/lib/python3/"), f"{sys.executable}: run .ci/setup"
