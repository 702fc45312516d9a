"""Images of two suites of Debian: the packages of each, and the cases that run on them."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOP = Path(__file__).parent.parent.parent


def load(monkeypatch: pytest.MonkeyPatch, folder: str, name: str) -> ModuleType:
    """A script of vm-tests, whose modules are beside it."""
    monkeypatch.syspath_prepend(str(TOP / folder))
    spec = importlib.util.spec_from_file_location(f"script_{name}", TOP / folder / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_each_suite_has_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    root_tree = load(monkeypatch, "vm-tests/image", "root_tree")
    bookworm, trixie = (set(root_tree.packages(suite)) for suite in root_tree.SUITES)
    assert bookworm - trixie == {"libpython3.11"}
    assert trixie - bookworm == {"libpython3.13", "systemd-cryptsetup"}
    assert {name for name in bookworm if " " in name or "#" in name} == set()


def test_kernel_is_for_virtual_machines_or_any_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    root_tree = load(monkeypatch, "vm-tests/image", "root_tree")
    cloud, generic = (set(root_tree.packages("bookworm", kernel)) for kernel in ("cloud", "generic"))
    assert (cloud - generic, generic - cloud) == ({"linux-image-cloud-amd64"}, {"linux-image-amd64"})
    assert root_tree.mmdebstrap_arguments("bookworm", kernel="generic") != root_tree.mmdebstrap_arguments("bookworm")


def test_tests_need_the_python_of_the_suite() -> None:
    for suite, package in (("bookworm", "libpython3.11"), ("trixie", "libpython3.13")):
        listed = subprocess.run([TOP / ".ci/setup", "--list", suite], capture_output=True, text=True, check=True).stdout.split()
        assert [name for name in listed if name.startswith("libpython")] == [package]
    done = subprocess.run([TOP / ".ci/setup", "--list", "potato"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "potato is not supported" in done.stderr


@pytest.mark.parametrize(
    ("names", "suite", "labels"),
    [
        ([], None, ["both", "both@trixie", "one"]),
        ([], "trixie", ["both@trixie", "one@trixie"]),
        (["both"], None, ["both"]),
        (["both@trixie", "one"], None, ["both@trixie", "one"]),
        (["one", "both@bookworm"], "trixie", ["one@trixie", "both"]),
    ],
)
def test_cases_run_on_the_named_suite(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, names: list[str], suite: str | None, labels: list[str]
) -> None:
    run = load(monkeypatch, "vm-tests", "run")
    for name, more in (("both", 'ALSO_ON = ("trixie",)'), ("one", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "case.py").write_text(f'"""verifies: x"""\nTIMEOUT_S = EXPECTED_S = 1\nrun = None\n{more}\n')
    chosen = run.choose(run.find_cases(tmp_path), names, suite)
    assert [definition.label for definition in chosen] == labels
