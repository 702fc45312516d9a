"""What enters the initramfs: closure.py finds it in the imports, wherever they are, and fails by name for what is missing."""

import ast
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOP = Path(__file__).parent.parent.parent
CLOSURE = TOP / "dracut/35coreos-ignition/closure.py"


def load() -> ModuleType:
    """closure.py is a script beside module-setup.sh, in no package."""
    spec = importlib.util.spec_from_file_location("closure", CLOSURE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    # Its dataclass looks its own module up.
    sys.modules["closure"] = module
    spec.loader.exec_module(module)
    return module


closure = load()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package that counts as ours; its name is `own_` and the directory's."""
    name = f"own_{tmp_path.name}".replace("-", "_")
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.setattr(closure, "OWN", (name,))
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    return folder


def write(package: Path, **sources: str) -> None:
    """Modules of the package; `OWN` in a source is its name."""
    for name, source in sources.items():
        (package / f"{name}.py").write_text(source.replace("OWN", package.name))


def own(package: Path, entry: str = "main") -> set[str]:
    """Names of the modules found, without the package's."""
    found, _ = closure.own_modules([f"{package.name}.{entry}"])
    return {name.removeprefix(package.name).lstrip(".") for name in found}


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("import OWN.late", id="top"),
        pytest.param("def run():\n    from OWN.late import work", id="function"),
        pytest.param("def run():\n    from OWN import late", id="function-from-package"),
        pytest.param("from . import late", id="relative"),
        pytest.param("from .late import work", id="relative-name"),
        pytest.param("class Stage:\n    def run(self):\n        import OWN.late as l", id="method"),
        pytest.param("try:\n    pass\nfinally:\n    import OWN.late", id="finally"),
        pytest.param("from importlib import import_module\nimport_module('OWN.late')", id="by-name"),
        pytest.param("import importlib\ndef f(x):\n    importlib.import_module(f'OWN.{x}')", id="by-name-made-at-run-time"),
        pytest.param("import importlib\ndef f(x):\n    importlib.import_module(f'{__package__}.{x}')", id="by-own-package"),
        pytest.param("TYPE_CHECKING = False\nif TYPE_CHECKING:\n    pass\nelse:\n    import OWN.late", id="not-for-types"),
    ],
)
def test_import_is_found_wherever_it_stands(package: Path, source: str) -> None:
    write(package, main=source, late="def work(): ...")
    assert own(package) == {"", "main", "late"}


def test_imports_of_what_is_imported_are_followed(package: Path) -> None:
    write(package, main="def run():\n    import OWN.second", second="def run():\n    import OWN.third", third="import OWN.main")
    assert own(package) == {"", "main", "second", "third"}


def test_import_for_type_checkers_is_not_followed(package: Path) -> None:
    write(package, main="TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import OWN.late", late="")
    assert own(package) == {"", "main"}


def test_module_that_nothing_imports_stays_out(package: Path) -> None:
    write(package, main="", late="")
    assert own(package) == {"", "main"}


def test_missing_module_of_ours_is_named_with_its_importer(package: Path) -> None:
    write(package, main="def run():\n    import OWN.gone")
    with pytest.raises(closure.ClosureError) as caught:
        own(package)
    assert str(caught.value) == f"{package.name}.main imports {package.name}.gone, and there is no such module"


def test_missing_entry_is_named(package: Path) -> None:
    with pytest.raises(closure.ClosureError) as caught:
        own(package, "gone")
    assert str(caught.value) == f"no module {package.name}.gone is installed for {sys.executable}"


def test_import_by_a_name_that_nobody_knows_fails_with_its_line(package: Path) -> None:
    write(package, main="import importlib\n\ndef f(x):\n    importlib.import_module(x)")
    with pytest.raises(closure.ClosureError) as caught:
        own(package)
    expected = f"{package.name}.main:4: what does import_module() import? Begin its f-string with a package's name"
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("def f():\n    import json.tool", ("import json.tool", False), id="import"),
        pytest.param("from json import dumps, loads", ("from json import dumps, loads", False), id="from"),
        pytest.param("try:\n    import gone\nexcept ImportError:\n    pass", ("import gone", True), id="handled"),
        pytest.param("try:\n    import gone\nexcept OSError:\n    pass", ("import gone", False), id="another-error-is-handled"),
        pytest.param("b''.decode('cp437')", ("import codecs; codecs.lookup('cp437')", False), id="codec"),
        pytest.param("open('x', encoding='cp437')", ("import codecs; codecs.lookup('cp437')", False), id="encoding"),
    ],
)
def test_foreign_import_becomes_a_statement(source: str, expected: tuple[str, bool]) -> None:
    reader = closure.ImportReader("ignition.main", is_package=False)
    reader.visit(ast.parse(source))
    assert reader.imports.statements == {expected}


def test_foreign_closure_has_what_is_imported_only_later() -> None:
    found = closure.foreign_modules({("import socket", False), ("import json", False)})
    assert {"json.decoder", "socket", "encodings.idna", "stringprep", "traceback"} <= found.keys()
    assert "xml" not in found
    assert found["json.decoder"] == Path(importlib.import_module("json.decoder").__file__ or "")


def test_missing_foreign_module_is_named() -> None:
    with pytest.raises(
        closure.ClosureError, match=r"^not installed here, but imported: import gone_1: No module named 'gone_1'$"
    ):
        closure.foreign_modules({("import gone_1", False)})


def test_missing_foreign_module_is_passed_over_where_the_code_handles_it() -> None:
    assert "gone_1" not in closure.foreign_modules({("import gone_1", True)})


def test_own_module_becomes_bytecode_without_the_place_of_its_source(tmp_path: Path) -> None:
    source = tmp_path / "package/__init__.py"
    source.parent.mkdir()
    source.write_text("ANSWER = 42\n")
    (source.parent / "schema.json").write_text("{}")
    tree = tmp_path / "tree"
    closure.Installer(tree).own(source)
    below = tree / source.parent.relative_to("/")
    assert sorted(path.name for path in below.iterdir()) == ["__init__.pyc", "schema.json"]


@pytest.mark.parametrize("suffix", [".txt", ".dll"])
def test_foreign_module_of_another_make_fails_by_name(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(closure.ClosureError, match=rf"^odd: no way to install /odd\{suffix}$"):
        closure.Installer(tmp_path).foreign("odd", Path(f"/odd{suffix}"))


def test_shared_object_is_left_to_the_installer_of_dracut(tmp_path: Path) -> None:
    installer = closure.Installer(tmp_path)
    installer.foreign("_lib", Path("/usr/lib/python3/_lib.so"))
    assert installer.extensions == ["/usr/lib/python3/_lib.so"]
    assert list(tmp_path.iterdir()) == []


def test_missing_library_is_named() -> None:
    with pytest.raises(closure.ClosureError, match=r"^the library libgone\.so\.9 is not installed$"):
        closure.library("libgone.so.9")


def run(*arguments: str, path: Path = TOP) -> subprocess.CompletedProcess[str]:
    """closure.py as module-setup.sh calls it, with the packages of `path`."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(path)}
    argv = [sys.executable, str(CLOSURE), *arguments]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("which", "required"), [("required", True), ("optional", False)])
def test_programs_are_those_of_the_table(tmp_path: Path, which: str, required: bool) -> None:
    table = tmp_path / "ignition/host/programs.py"
    table.parent.mkdir(parents=True)
    table.write_text('PROGRAMS = {"mkfs.new": True, "a-tool": True, "perhaps": False, "of-luck": False}\n')
    (table.parent / "features.py").write_text('def of_program(name): return "luck" if name == "of-luck" else None\n')
    expected = "a-tool\nmkfs.new\n" if required else "perhaps\n"
    assert run("programs", which, path=tmp_path).stdout == expected
    of_feature = "" if required else "of-luck\n"
    assert run("programs", which, "--features", "luck other", path=tmp_path).stdout == of_feature + expected


def features(configured: str, programs: Path, *installed: str) -> tuple[int, list[str], str]:
    """`closure.py features` on an image with these programs."""
    programs.mkdir()
    for name in installed:
        (programs / name).symlink_to("/bin/true")
    environment = {"PATH": str(programs), "PYTHONPATH": str(TOP)}
    argv = [sys.executable, str(CLOSURE), "features", configured]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.split(), done.stderr


def test_features_are_all_that_the_image_has_programs_for(tmp_path: Path) -> None:
    # xfs_growfs and jose are missing.
    installed = ("mdadm", "cryptsetup", "clevis", "mkfs.xfs", "mkfs.fat")
    assert features("", tmp_path / "bin", *installed) == (0, ["luks", "mellanox", "raid", "vfat"], "")


def test_configured_features_and_those_that_they_need_are_chosen(tmp_path: Path) -> None:
    installed = ("mdadm", "cryptsetup", "clevis", "jose", "lvm")
    assert features(" clevis  raid ", tmp_path / "bin", *installed) == (0, ["clevis", "luks", "raid"], "")


def chosen(configuration: str, programs: Path) -> tuple[str, str]:
    """(the features that module-setup.sh chooses, the fatal error) for a file of dracut's configuration, which bash reads."""
    programs.mkdir()
    for name in ("mdadm", "cryptsetup", "mkfs.xfs", "xfs_growfs"):
        (programs / name).symlink_to("/bin/true")
    script = f"""
dfatal() {{ echo "FATAL $*" >&2; }}
moddir={CLOSURE.parent}
{configuration}
. {CLOSURE.parent}/module-setup.sh
choose_features
echo "<$features>"
"""
    environment = {"PATH": str(programs), "PYTHONPATH": str(TOP)}
    done = subprocess.run(["/bin/bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    return done.stdout.strip(), done.stderr


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param('ignition_features="raid xfs"', id="spaces"),
        pytest.param('ignition_features="raid,xfs"', id="comma"),
        pytest.param('ignition_features=" raid, xfs, "', id="comma and spaces"),
        pytest.param("ignition_features='raid\txfs'", id="tab"),
        pytest.param('ignition_features="\n    raid\n    xfs\n"', id="lines"),
        pytest.param('ignition_features="raid \\\n    xfs"', id="continued line"),
        pytest.param("ignition_features=raid,xfs", id="unquoted"),
        pytest.param('ignition_features+=" raid "\nignition_features+=" xfs "', id="several files that each add one"),
        pytest.param("ignition_features=(raid xfs)", id="array"),
        pytest.param('ignition_features="xfs raid xfs"', id="repeated"),
    ],
)
def test_features_may_be_listed_as_words_are_in_dracuts_configuration(tmp_path: Path, configuration: str) -> None:
    assert chosen(configuration, tmp_path / "bin") == ("<raid xfs>", "")


@pytest.mark.parametrize("configuration", ["", "ignition_features=", 'ignition_features=" "', "ignition_features=()"])
def test_all_features_are_chosen_if_none_is_listed(tmp_path: Path, configuration: str) -> None:
    assert chosen(configuration, tmp_path / "bin") == ("<luks mellanox raid xfs>", "")


@pytest.mark.parametrize(
    ("configuration", "unknown"),
    [
        pytest.param("ignition_features=\"'raid' xfs\"", "'raid'", id="quoted twice"),
        pytest.param('ignition_features="raid;xfs"', "raid;xfs", id="semicolon"),
        pytest.param('ignition_features="RAID"', "RAID", id="upper case"),
    ],
)
def test_unknown_feature_ends_the_build_and_the_known_ones_are_listed(tmp_path: Path, configuration: str, unknown: str) -> None:
    told, error = chosen(configuration, tmp_path / "bin")
    assert told == ""
    known = "btrfs, clevis, luks, lvm, mellanox, raid, selinux, tools, vfat, xfs"
    assert f'unknown feature "{unknown}"; known are: {known}\n' in error
    assert "FATAL coreos-ignition: failed: false closure.py features" in error


@pytest.mark.parametrize(
    ("configured", "message"),
    [
        pytest.param(
            "raid lucks",
            'ignition_features in /etc/dracut.conf.d: unknown feature "lucks"; known are: '
            "btrfs, clevis, luks, lvm, mellanox, raid, selinux, tools, vfat, xfs",
            id="unknown",
        ),
        pytest.param(
            "raid xfs",
            'feature "xfs" of ignition_features: xfs_growfs not installed: install xfsprogs, or remove the feature',
            id="not-installed",
        ),
        pytest.param(
            "clevis",
            'feature "luks" of ignition_features: cryptsetup not installed: install cryptsetup-bin, or remove the feature',
            id="needed-by-another",
        ),
    ],
)
def test_feature_that_cannot_be_had_fails_the_build(tmp_path: Path, configured: str, message: str) -> None:
    installed = ("mdadm", "mkfs.xfs", "clevis", "jose")
    assert features(configured, tmp_path / "bin", *installed) == (1, [], f"closure.py: {message}\n")


def test_commands_for_a_desk_are_left_out() -> None:
    found, statements = closure.own_modules(["ignition.cli.ignition", "ignition.cli.validate"])
    absent: tuple[str, ...] = (
        "ignition.cli.schema",
        "ignition.transpile.schema",
        "ignition.cloudinit",
        "ignition.reporting.page",
    )
    absent += (
        "ignition.reporting.schema",
        "ignition.display.page",
        "ignition.cli.verify",
        "ignition.config.advice.units",
        "ignition.facts.image",
    )
    assert not [name for name in found if name.startswith(absent)]
    # Each brings 90 kB or more.
    large = ("decimal", "jinja2", "dataclasses", "dissect", "pyroute2", "jsonschema")
    assert not [statement for statement, _ in statements if any(name in statement for name in large)]
    # For the shell of a failed boot.
    shell = {"ignition.reporting.text", "ignition.cli.plan", "ignition.cli.retry", "ignition.cli.validation.human"}
    assert shell <= found.keys()


def test_of_two_modules_that_guess_encodings_only_the_smaller_is_copied() -> None:
    found = closure.foreign_modules([("import requests", False)])
    assert "charset_normalizer" in found and "chardet" not in found


def test_packers_that_no_config_uses_are_not_copied() -> None:
    found = closure.foreign_modules([("import shutil, zipfile, gzip", False)])
    assert {"shutil", "zipfile", "gzip"} <= found.keys() and not {"bz2", "_bz2", "lzma", "_lzma"} & found.keys()


def test_imports_of_scripts_are_copied(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/usr/bin/python3\nimport colorsys\n")
    proof, _ = closure.install(tmp_path / "tree", ["ignition.errors"], [tmp_path / "script"])
    assert "import colorsys" in proof
    assert list((tmp_path / "tree").rglob("colorsys.pyc"))


def test_missing_module_ends_the_installation_with_its_name(tmp_path: Path) -> None:
    package = tmp_path / "ignition"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "main.py").write_text("def run():\n    import ignition.gone\n")
    done = run("install", str(tmp_path / "tree"), "--entry=ignition.main", f"--proof={tmp_path}/proof.py", path=tmp_path)
    assert (done.returncode, done.stderr) == (1, "closure.py: ignition.main imports ignition.gone, and there is no such module\n")
    assert not (tmp_path / "proof.py").exists()


def test_agent_is_complete_without_its_sources() -> None:
    found, statements = closure.own_modules(["ignition.cli.ignition"])
    # Imported by name only, and inside functions only.
    stages = {f"ignition.stages.{path.stem}" for path in (TOP / "ignition/stages").glob("*.py") if path.stem != "__init__"}
    platforms = {
        f"ignition.platforms.{path.stem}" for path in (TOP / "ignition/platforms").glob("*.py") if path.stem != "__init__"
    }
    assert stages and platforms
    assert stages | platforms <= found.keys()
    assert any("requests" in statement for statement, _ in statements)
    assert not any(name.startswith("coreos_metadata") for name in found)


def module_setup(tmp_path: Path, programs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs must_have() of module-setup.sh for one program; dracut's functions are stand-ins that do as dracut's do."""
    script = f"""
set -u
initdir={tmp_path}/initramfs
dfatal() {{ echo "FATAL $*" >&2; }}
find_binary() {{ [[ {programs["found"]} == yes ]] && echo "/usr/bin/$1"; }}
inst_multiple() {{ {programs["installs"]}; }}
. {CLOSURE.parent}/module-setup.sh
must_have a-tool
echo installed
"""
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)


# dracut's inst_multiple says what is missing and goes on, or even copies nothing without a word.
COPIES = "mkdir -p $initdir/usr/bin && touch $initdir/usr/bin/$1"


def test_required_program_that_is_there_is_installed(tmp_path: Path) -> None:
    done = module_setup(tmp_path, {"found": "yes", "installs": COPIES})
    assert (done.returncode, done.stdout) == (0, "installed\n")


@pytest.mark.parametrize(
    ("found", "installs", "said"),
    [
        pytest.param("no", "true", "false a-tool is not installed", id="not-on-the-machine"),
        pytest.param("yes", "true", "false /usr/bin/a-tool did not get into the initramfs", id="not-copied"),
        pytest.param("yes", "false", "inst_multiple a-tool", id="installer-fails"),
    ],
)
def test_required_program_that_is_missing_fails_the_build(tmp_path: Path, found: str, installs: str, said: str) -> None:
    done = module_setup(tmp_path, {"found": found, "installs": installs})
    assert done.returncode == 1
    assert "installed\n" not in done.stdout
    assert f"FATAL coreos-ignition: failed: {said}\n" in done.stderr


def test_agent_can_read_yaml_in_the_initramfs() -> None:
    found, statements = closure.own_modules(["ignition.cli.ignition"])
    assert {"ignition.transpile.user_data", "ignition.transpile.ct.run", "ignition.transpile.butane"} <= found.keys()
    assert ("import yaml", False) in statements
