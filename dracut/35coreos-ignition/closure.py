#!/usr/bin/python3
"""The Python modules and programs that the agent needs in an initramfs: computed from the imports, never listed by hand.

Runs at dracut time with the interpreter that the initramfs will have. Our own packages are read as source, including imports
inside functions; foreign modules are imported once, and all modules loaded by that are their closure. Foreign imports that only
happen later, inside functions, are listed in LATER. Not done here: shared libraries (resolved by dracut's installer) and the
verification of the result (module-setup.sh imports every module inside the new tree).
"""

import argparse
import ast
import importlib.util
import json
import os
import pkgutil
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

OWN = ("ignition", "coreos_metadata")
# Imported by the standard library inside functions: host names, dates, tracebacks. A module of the key brings those of the value.
LATER: dict[str, tuple[str, ...]] = {
    "sys": ("encodings.ascii", "encodings.latin_1", "encodings.utf_16", "encodings.utf_16_le", "encodings.utf_8", "traceback"),
    "socket": ("encodings.idna", "encodings.punycode"),
    "_datetime": ("_strptime",),
    "time": ("_strptime",),
    "requests": ("idna",),
}
# For people at a desk: no stage reaches these modules, nor all that only they import.
ABSENT = (
    "ignition.cli.arm",
    "ignition.cli.doctor",
    "ignition.cli.facts",
    "ignition.cli.from_cloud_config",
    "ignition.cli.reset",
    "ignition.cli.schema",
    "ignition.cli.seal",
    "ignition.cli.simulate",
    "ignition.cli.status",
    "ignition.cli.validation.sarif",
    "ignition.cli.verify",
    "ignition.config.advice",
    "ignition.display.page",
    "ignition.facts.image",
    "ignition.facts.schema",
    "ignition.host.netlink",
    "ignition.host.zipped",
    "ignition.planning.images",
    "ignition.planning.page",
    "ignition.reporting.page",
)
# Of two modules of which `requests` needs one, and which it only uses to guess encodings, the larger one.
INSTEAD = {"chardet": "charset_normalizer"}
# The standard library imports them for archives and does without them where they are missing: no config is packed so.
UNUSED = ("bz2", "lzma")
# Read by the package when it is imported.
DATA: dict[str, tuple[str, ...]] = {"jsonschema": ("schemas/*.json",)}
# Opened by ctypes: no import names them, and the module's own code proves that they are found.
OPENED: dict[str, tuple[str, str]] = {
    "pyudev": ("libudev.so.1", "pyudev.Context()"),
    "coreos_metadata.render_ignition": ("libcrypt.so.1", "coreos_metadata.render_ignition.hashed_password('proof')"),
}
# Run in a fresh interpreter: executes the import statements, prints every module that is loaded after them.
PROBE = """
import importlib, importlib.machinery, importlib.util, json, sys
for name, other in INSTEAD.items():
    if importlib.util.find_spec(other):
        sys.modules[name] = None
sys.modules.update(dict.fromkeys(UNUSED))
missing = []
for statement, guarded in json.load(sys.stdin):
    try:
        exec(statement, {})
    except (ImportError, LookupError) as error:
        if not guarded:
            missing.append(f"{statement}: {error}")
later = LATER
done = set()
while done != set(sys.modules):
    for name in set(sys.modules) - done:
        done.add(name)
        for extra in later.get(name, ()):
            importlib.import_module(extra)
found = {}
for name, module in sys.modules.items():
    frozen = getattr(getattr(module, "__spec__", None), "loader", None) is importlib.machinery.FrozenImporter
    if not frozen and getattr(module, "__file__", None):
        found[name] = module.__file__
print(json.dumps({"missing": missing, "found": found}))
"""


class ClosureError(Exception):
    """The closure cannot be computed; the image build must fail."""


@dataclass
class Imports:
    """The imports of one source file."""

    modules: set[str] = field(default_factory=set)  # "a.b" of `import a.b` and of `from a.b import c`: they must exist
    names: set[str] = field(default_factory=set)  # "a.b.c" of `from a.b import c`: perhaps a module
    packages: set[str] = field(default_factory=set)  # packages one of whose modules is imported by a name made at run time
    statements: set[tuple[str, bool]] = field(default_factory=set)  # foreign import statements; True: an ImportError is handled


class ImportReader(ast.NodeVisitor):
    """Collects the imports of one of our modules, anywhere in the file."""

    def __init__(self, name: str, *, is_package: bool) -> None:
        self.imports = Imports()
        self._name = name
        self._package = name if is_package else name.rpartition(".")[0]
        self._guarded = 0

    def visit_If(self, node: ast.If) -> None:
        """Imports for type checkers only are never executed."""
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            self._visit_all(node.orelse)
        else:
            self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> None:
        """An import whose failure is handled is optional."""
        handled = any(_catches_import_error(handler) for handler in node.handlers)
        self._guarded += handled
        self._visit_all(node.body)
        self._guarded -= handled
        self._visit_all([*node.handlers, *node.orelse, *node.finalbody])

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        """`import a.b`"""
        for alias in node.names:
            if _is_own(alias.name):
                self.imports.modules.add(alias.name)
            else:
                self.imports.statements.add((f"import {alias.name}", bool(self._guarded)))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """`from a.b import c`: c may be a module or a name."""
        base = importlib.util.resolve_name("." * node.level + (node.module or ""), self._package)
        names = [alias.name for alias in node.names]
        if _is_own(base):
            self.imports.modules.add(base)
            self.imports.names.update(f"{base}.{name}" for name in names)
        else:
            self.imports.statements.add((f"from {base} import {', '.join(names)}", bool(self._guarded)))

    def visit_Call(self, node: ast.Call) -> None:
        """`import_module(…)` with a name, or with a name that begins with a package's; and codecs, which are modules as well."""
        function = node.func
        called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if called == "import_module" and node.args:
            self._dynamic(node.args[0], node.lineno)
        codecs = [keyword.value for keyword in node.keywords if keyword.arg == "encoding"]
        codecs += node.args[:1] if called in ("encode", "decode") else []
        for codec in codecs:
            if isinstance(codec, ast.Constant) and isinstance(codec.value, str):
                self.imports.statements.add((f"import codecs; codecs.lookup({codec.value!r})", False))
        self.generic_visit(node)

    def _dynamic(self, argument: ast.expr, line: int) -> None:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            self.visit_Import(ast.Import(names=[ast.alias(name=argument.value)]))
            return
        package = self._prefix(argument)
        if not package.endswith(".") or not _is_own(package.rstrip(".")):
            raise ClosureError(f"{self._name}:{line}: what does import_module() import? Begin its f-string with a package's name")
        self.imports.packages.add(package.rstrip("."))

    def _prefix(self, argument: ast.expr) -> str:
        """The constant beginning of an f-string, up to its last dot."""
        if not isinstance(argument, ast.JoinedStr):
            return ""
        text = ""
        for part in argument.values:
            if isinstance(part, ast.Constant):
                text += str(part.value)
            elif isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name):
                text += {"__name__": self._name, "__package__": self._package}.get(part.value.id, "")
                if part.value.id not in ("__name__", "__package__"):
                    break
            else:
                break
        return text[: text.rfind(".") + 1]


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(node, ast.Name) and node.id in ("ImportError", "ModuleNotFoundError", "Exception") for node in caught)


def _is_own(name: str) -> bool:
    return name.partition(".")[0] in OWN


def _parents(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]


def _source(name: str) -> Path | None:
    """The source of one of our modules; None if there is no such module (it was a name inside one)."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)


def own_modules(entries: Iterable[str]) -> tuple[dict[str, Path], set[tuple[str, bool]]]:
    """Sources of our modules that `entries` reach, by name, and the foreign import statements in them."""
    found: dict[str, Path] = {}
    statements: set[tuple[str, bool]] = set()
    todo = [parent for entry in entries for parent in _parents(entry)]
    for entry in entries:
        if _source(entry) is None:
            raise ClosureError(f"no module {entry} is installed for {sys.executable}")
    while todo:
        name = todo.pop()
        source = None if name in found or name in ABSENT else _source(name)
        if source is None:
            continue
        found[name] = source
        reader = ImportReader(name, is_package=source.name == "__init__.py")
        reader.visit(ast.parse(source.read_bytes(), str(source)))
        statements |= reader.imports.statements
        for module in reader.imports.modules:
            if _source(module) is None:
                raise ClosureError(f"{name} imports {module}, and there is no such module")
        reached = reader.imports.modules | reader.imports.names
        reached |= {module for package in reader.imports.packages for module in _members(package)}
        todo += [parent for module in reached for parent in _parents(module)]
    return found, statements


def _members(package: str) -> list[str]:
    source = _source(package)
    if source is None:
        raise ClosureError(f"no package {package}")
    return [package, *(f"{package}.{member.name}" for member in pkgutil.iter_modules([str(source.parent)]))]


def foreign_modules(statements: Iterable[tuple[str, bool]]) -> dict[str, Path]:
    """Files of the modules that are loaded after a bare start and these import statements. Raises ClosureError if one is missing.

    Built-in and frozen modules do not have files.
    """
    # -I: the image's own packages only, nothing from the environment or the current directory.
    probe = PROBE
    for name, value in (("LATER", LATER), ("INSTEAD", INSTEAD), ("UNUSED", UNUSED)):
        probe = probe.replace(name, repr(value))
    done = subprocess.run(
        [sys.executable, "-I", "-c", probe],
        input=json.dumps(sorted(statements)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ClosureError(f"the probe failed: {done.stderr.strip()}")
    answer = json.loads(done.stdout)
    if answer["missing"]:
        raise ClosureError("not installed here, but imported: " + "; ".join(answer["missing"]))
    return {name: Path(file) for name, file in answer["found"].items()}


class Installer:
    """Copies a closure below a tree, keeping paths: sources are replaced by bytecode, data is copied unchanged."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self.extensions: list[str] = []  # shared objects: for dracut's installer, which follows their libraries

    def compiled(self, source: Path) -> None:
        """Bytecode in place of the source, which it is never checked against."""
        target = self._below(source.with_suffix(".pyc"))
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(source), cfile=str(target), dfile=str(source), doraise=True, optimize=2, invalidation_mode=mode)

    def copied(self, file: Path) -> None:
        """A data file, unchanged."""
        target = self._below(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)

    def foreign(self, name: str, file: Path) -> None:
        """One foreign module of any kind."""
        if file.suffix == ".so":
            self.extensions.append(str(file))
        elif file.suffix == ".py":
            self.compiled(file)
            for pattern in DATA.get(name, ()):
                for data in file.parent.glob(pattern):
                    self.copied(data)
        else:
            raise ClosureError(f"{name}: no way to install {file}")

    def own(self, source: Path) -> None:
        """One of our modules, and the data files next to it."""
        self.compiled(source)
        if source.name == "__init__.py":
            for file in source.parent.glob("*.json"):
                self.copied(file)

    def _below(self, path: Path) -> Path:
        return self._tree / path.relative_to("/")


def library(name: str) -> str:
    """The file of a shared library, as the dynamic linker would find it."""
    for line in subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout.splitlines():
        if line.split()[0] == name:
            return line.rpartition(" => ")[2]
    raise ClosureError(f"the library {name} is not installed")


def imports_of_script(script: Path) -> set[tuple[str, bool]]:
    """The import statements of a script, which uses foreign modules only."""
    reader = ImportReader(script.name, is_package=False)
    reader.visit(ast.parse(script.read_bytes(), str(script)))
    return reader.imports.statements


def install(tree: Path, entries: list[str], scripts: list[Path]) -> tuple[list[str], list[str]]:
    """Install the closure of both below `tree`; returns (lines of the proof, shared objects still to install)."""
    own, statements = own_modules(entries)
    foreign = foreign_modules(statements.union(*map(imports_of_script, scripts)))
    installer = Installer(tree)
    for source in own.values():
        installer.own(source)
    for name, file in foreign.items():
        installer.foreign(name, file)
    # The landmark by which the interpreter finds its library; the module itself is frozen into it.
    installer.compiled(Path(os.__file__))
    proof = [f"import {name}" for name in [*sorted(own), *sorted(foreign)]]
    for name in sorted((own.keys() | foreign.keys()) & OPENED.keys()):
        installer.extensions.append(library(OPENED[name][0]))
        proof.append(OPENED[name][1])
    return proof, installer.extensions


def chosen_features(configured: str) -> list[str]:
    """Names of the features that an initramfs gets: the configured ones, or all for which the image has the programs.

    Raises ClosureError for an unknown name, and for a configured feature whose programs are not installed.
    """
    from ignition.host.features import CONFIGURATION, FEATURES, VARIABLE

    missing = {name: [program for program in one.programs if not shutil.which(program)] for name, one in FEATURES.items()}
    names = configured.replace(",", " ").split()
    if not names:
        names = [name for name in FEATURES if not missing[name]]
    for name in names:
        if name not in FEATURES:
            raise ClosureError(f'{VARIABLE} in {CONFIGURATION}: unknown feature "{name}"; known are: {", ".join(FEATURES)}')
    chosen = sorted({*names, *(other for name in names for other in FEATURES[name].needs)})
    for name in chosen:
        if missing[name]:
            what, fix = f"{', '.join(missing[name])} not installed", f"install {FEATURES[name].package}, or remove the feature"
            raise ClosureError(f'feature "{name}" of {VARIABLE}: {what}: {fix}')
    return chosen


def programs(*, required: bool, features: Collection[str]) -> list[str]:
    """Names of the external programs that the agent starts; the optional ones without those of other features."""
    from ignition.host.features import of_program
    from ignition.host.programs import PROGRAMS

    found = (name for name, is_required in PROGRAMS.items() if is_required == required)
    return sorted(name for name in found if (of_program(name) or "") in {"", *features})


def main() -> int:
    """Entry point: `install TREE --entry MODULE …`, `features NAMES` or `programs required|optional`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    installing = commands.add_parser("install", help="copy the closure; prints the shared objects that remain to be copied")
    installing.add_argument("tree", type=Path)
    installing.add_argument("--entry", action="append", required=True, help="module with a main()")
    installing.add_argument(
        "--script", action="append", default=[], type=Path, help="program of foreign modules, not copied here"
    )
    installing.add_argument("--proof", type=Path, required=True, help="write a program here that fails if a module is missing")
    choosing = commands.add_parser("features", help="names of the features that the initramfs gets")
    choosing.add_argument("configured", help="value of ignition_features; empty: all that the image has programs for")
    listing = commands.add_parser("programs", help="names of the external programs")
    listing.add_argument("which", choices=("required", "optional"))
    listing.add_argument("--features", default="", help="names of the features that the initramfs gets")
    arguments = parser.parse_args()
    try:
        if arguments.command == "features":
            print("\n".join(chosen_features(arguments.configured)))
        elif arguments.command == "programs":
            print("\n".join(programs(required=arguments.which == "required", features=arguments.features.split())))
        else:
            proof, extensions = install(arguments.tree, arguments.entry, arguments.script)
            arguments.proof.write_text("\n".join(proof) + "\n", encoding="utf-8")
            print("\n".join(extensions))
    except (ClosureError, ImportError, SyntaxError, py_compile.PyCompileError) as error:
        print(f"closure.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
