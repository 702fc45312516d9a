"""Same inputs, same bytes: times, identifiers, and the name of the first file that differs."""

import os
import py_compile
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.image.conftest import Builder

EPOCH = 1_700_000_000
LATER, EARLIER = EPOCH + 5_000, EPOCH - 5_000
MIB = 1 << 20


def tree(folder: Path) -> Path:
    """A root with a file that is younger than the sources, and one that is older."""
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/young").write_text("young\n")
    (folder / "etc/old").write_text("old\n")
    (folder / "etc/link").symlink_to("old")
    (folder / "etc/shadow").write_text("root:*:20000:0:99999:7:::\ncore:!:20100:0:99999:7:::\nnobody:*::0:99999:7:::\n")
    for name in ("etc/passwd-", "var/cache/ldconfig/aux-cache", "var/log/dpkg.log"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{time.time_ns()}\n")
    os.utime(folder / "etc/young", (LATER, LATER))
    os.utime(folder / "etc/old", (LATER, EARLIER))
    return folder


def test_no_file_is_younger_than_the_sources(builder: Builder, tmp_path: Path) -> None:
    root = tree(tmp_path / "root")
    builder("reproducible").normalise(root, EPOCH)
    times = {path.relative_to(root).as_posix(): path.lstat() for path in [root, *root.rglob("*")]}
    assert {name for name, status in times.items() if status.st_mtime == EARLIER} == {"etc/old"}
    assert {status.st_mtime for name, status in times.items() if name != "etc/old"} == {EPOCH}
    # Reading a file would change the other time again.
    assert times["etc/young"].st_mode & 0o777 == 0o644
    assert not {"etc/passwd-", "var/cache/ldconfig/aux-cache", "var/log/dpkg.log"} & times.keys()


def test_passwords_were_changed_on_the_day_of_the_sources(builder: Builder, tmp_path: Path) -> None:
    root = tree(tmp_path / "root")
    builder("reproducible").normalise(root, EPOCH)
    day = EPOCH // 86_400
    expected = f"root:*:{day}:0:99999:7:::\ncore:!:{day}:0:99999:7:::\nnobody:*::0:99999:7:::\n"
    assert (root / "etc/shadow").read_text() == expected


def test_day_of_mdadms_configuration_is_that_of_the_sources(builder: Builder, tmp_path: Path) -> None:
    texts = []
    for day in ("Mon, 30 Nov 2026 20:09:11 +0000", "Tue, 01 Dec 2026 03:13:59 +0000"):
        path = tree(tmp_path / day) / "etc/mdadm/mdadm.conf"
        path.parent.mkdir()
        path.write_text(f"HOMEHOST <system>\n\n# This configuration was auto-generated on {day} by mkconf\n")
        builder("reproducible").normalise(tmp_path / day, EPOCH)
        texts.append(path.read_text())
    assert texts[0] == texts[1]
    written = datetime.fromtimestamp(EPOCH, UTC).strftime("%d %b %Y %H:%M:%S +0000")
    assert texts[0].startswith("HOMEHOST <system>\n") and f" {written} by mkconf\n" in texts[0]


def test_roots_of_two_days_before_the_sources_are_the_same(builder: Builder, tmp_path: Path) -> None:
    """Files that the installation of packages makes are older than the sources if the root comes from the cache."""
    reproducible, roots = builder("reproducible"), []
    for name, begun in (("one", EPOCH - 3_000), ("two", EPOCH - 1_000)):
        root = tree(tmp_path / name)
        (root / "begun").touch()
        for path, seconds in (("begun", begun), ("etc/young", begun + 50), ("etc/shadow", begun - 5), ("etc", begun + 50)):
            os.utime(root / path, (seconds, seconds))
        os.utime(root / "etc/link", (begun + 50, begun + 50), follow_symlinks=False)
        reproducible.touch_generated(root)
        reproducible.normalise(root, EPOCH)
        roots.append(root)
    assert reproducible.first_difference(*roots) == ""
    assert {path.name: path.lstat().st_mtime for path in (roots[0] / "etc").iterdir()} == {
        "young": EPOCH, "link": EPOCH, "shadow": EPOCH, "old": EARLIER,
    }  # fmt: skip
    assert not (roots[0] / "begun").exists()
    with pytest.raises(builder("tools").BuildError, match="the root does not say when its packages were installed"):
        reproducible.touch_generated(roots[0])


def test_root_does_not_depend_on_the_epoch(builder: Builder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is kept for other ones; Python would compile with hashes, not times, where the variable is set (PEP 552)."""
    root_tree, seen = builder("root_tree"), []

    def run(argv: list[str], *, env: dict[str, str]) -> None:
        seen.append(env)
        Path(argv[-1]).touch()

    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH))
    monkeypatch.setattr(root_tree, "run", run)
    root_tree.bootstrap(tmp_path / "root.tar", "bookworm")
    assert [("SOURCE_DATE_EPOCH" in env, env["INITRD"]) for env in seen] == [(False, "No")]
    assert (tmp_path / "root.tar").exists()


def test_byte_code_still_belongs_to_its_source(builder: Builder, tmp_path: Path) -> None:
    source = tmp_path / "root/module.py"
    source.parent.mkdir()
    source.write_text("VALUE = 1\n")
    os.utime(source, (LATER, LATER))
    compiled = tmp_path / "root/module.pyc"
    mode = py_compile.PycInvalidationMode.TIMESTAMP
    py_compile.compile(str(source), str(compiled), doraise=True, invalidation_mode=mode)
    builder("reproducible").clamp(tmp_path / "root", EPOCH)
    assert int.from_bytes(compiled.read_bytes()[8:12], "little") == EPOCH == source.stat().st_mtime
    # A hash in place of the time stays.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), str(compiled), doraise=True, invalidation_mode=mode)
    before = compiled.read_bytes()
    builder("reproducible").clamp(tmp_path / "root", EARLIER)
    assert compiled.read_bytes() == before


def make_disk(builder: Builder, folder: Path, *, extra: str = "") -> Path:
    """A disk with an ext4 at 1 MiB, made of a new copy of the same files."""
    root, image = tree(folder / "root"), folder / "disk.raw"
    if extra:
        (root / "etc/extra").write_text(extra)
    builder("reproducible").normalise(root, EPOCH)
    with image.open("wb") as file:
        file.truncate(64 * MIB)
    layout = builder("layout")
    row = layout.Partition(9, "ROOT", "", "", 32 * layout.MIB, start=layout.MIB)
    builder("disk")._ext4(image, row, root, EPOCH)
    return image


def test_file_systems_made_at_different_times_are_the_same(builder: Builder, tmp_path: Path) -> None:
    images = [make_disk(builder, tmp_path / name) for name in ("one", "two")]
    assert images[0].read_bytes() == images[1].read_bytes()


def test_file_system_is_sound_and_has_no_time_of_its_own(builder: Builder, tmp_path: Path) -> None:
    image = make_disk(builder, tmp_path / "one")
    device = f"{image}?offset={MIB}"
    alone = tmp_path / "alone.raw"
    alone.write_bytes(image.read_bytes()[MIB : 33 * MIB])
    done = subprocess.run(["e2fsck", "-f", "-n", alone], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    environment = {**os.environ, "TZ": "UTC"}
    for name in ("/", "/etc", "/etc/young", "/etc/old", "/etc/link", "/lost+found"):
        argv = ["debugfs", "-R", f"stat {name}", device]
        told = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment).stdout
        times = {
            line.split(":")[0].strip(): line.split(": ")[1].split(":")[0] for line in told.splitlines() if "time: 0x" in line
        }
        assert {times[field] for field in ("ctime", "atime", "crtime")} == {hex(EPOCH)}, name
        assert times["mtime"] == hex(EARLIER if name == "/etc/old" else EPOCH), name


def test_first_file_that_differs_is_named(builder: Builder, tmp_path: Path) -> None:
    reproducible = builder("reproducible")
    roots = [tree(tmp_path / name) for name in ("one", "two")]
    for root in roots:
        reproducible.normalise(root, EPOCH)
    assert reproducible.first_difference(*roots) == ""
    (roots[1] / "etc/young").write_text("yOung\n")
    os.utime(roots[1] / "etc/young", (EPOCH, EPOCH))
    assert reproducible.first_difference(*roots) == "etc/young: content from byte 1"
    (roots[0] / "etc/old").chmod(0o600)
    assert reproducible.first_difference(*roots) == "etc/old: mode: 0o100600 and 0o100644"
    (roots[1] / "etc/link").unlink()
    (roots[1] / "etc/link").symlink_to("young")
    os.utime(roots[1] / "etc/link", (EPOCH, EPOCH), follow_symlinks=False)
    os.utime(roots[1] / "etc", (EPOCH, EPOCH))
    assert reproducible.first_difference(*roots) == "etc/link: target: old and young"
    (roots[1] / "bin").mkdir()
    assert reproducible.first_difference(*roots) == "bin: only in one of them"


def test_file_that_differs_is_found_in_the_disks(builder: Builder, tmp_path: Path) -> None:
    disk, reproducible, layout = builder("disk"), builder("reproducible"), builder("layout")
    trees = []
    for name, extra in (("one", "a"), ("two", "b")):
        image = make_disk(builder, tmp_path / name, extra=extra)
        trees.append(tmp_path / name / "taken-out")
        trees[-1].mkdir()
        disk.take_out(image, layout.Partition(9, "ROOT", "", "", 0, start=layout.MIB), trees[-1])
    assert reproducible.first_difference(*trees) == "etc/extra: content from byte 0"


def test_builds_are_compared_without_what_tests_keep_beside_them(
    builder: Builder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    build = builder("build")

    def build_into(directory: Path, kernel: str) -> Path:
        directory.mkdir(parents=True)
        (directory / "image.json").write_text('{"packages": {}}')
        (directory / "vmlinuz").write_text(kernel)
        return directory

    monkeypatch.setattr(build, "_build_from_new_root", lambda scratch, suite, kernel: build_into(scratch, "kernel"))
    for name, kernel in (("same", "kernel"), ("other", "another kernel")):
        built = build_into(tmp_path / name, kernel)
        (built / "initrd.cpio").touch()
        (built / "lab-0").mkdir()
    build.check_reproducible(tmp_path, "bookworm", "cloud", tmp_path / "same")
    with pytest.raises(builder("tools").BuildError, match="a second build of the same sources differs: vmlinuz"):
        build.check_reproducible(tmp_path, "bookworm", "cloud", tmp_path / "other")


@pytest.mark.parametrize("value", ["yesterday", "12", "-5"])
def test_odd_epoch_is_refused(builder: Builder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    with pytest.raises(builder("tools").BuildError, match=f"^SOURCE_DATE_EPOCH={value}: expected seconds since 1970"):
        builder("reproducible").epoch(tmp_path, ["x"])


def test_epoch_is_that_of_the_environment_or_of_the_last_commit(
    builder: Builder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    epoch = builder("reproducible").epoch
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH))
    assert epoch(tmp_path, ["x"]) == EPOCH
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    # As unpacked from a release, without git.
    for name, seconds in (("x", EARLIER), ("z", LATER)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (seconds, seconds))
    assert epoch(tmp_path, ["x"]) == EARLIER
    assert epoch(tmp_path, ["x", "z", "absent"]) == LATER
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", tmp_path, "init", "-q"], check=True)
    for name, seconds in (("x", EPOCH), ("y", LATER)):
        (tmp_path / name).touch()
        subprocess.run(["git", "-C", tmp_path, "add", name], check=True)
        environment = {**os.environ, "GIT_COMMITTER_DATE": f"{seconds} +0000"}
        subprocess.run(["git", "-C", tmp_path, *identity, "commit", "-q", "-m", name], check=True, env=environment)
    # A commit to other files does not make another image.
    assert epoch(tmp_path, ["x"]) == EPOCH
