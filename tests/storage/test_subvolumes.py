"""btrfs subvolumes: made, kept and made the default, by the stages disks, mount and umount on a loop device."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ignition.config.model import Config, Storage
from ignition.config.model.extensions import FilesystemExtension, Subvolume
from ignition.config.model.storage import Filesystem
from ignition.errors import Failure
from ignition.host.root import Root
from ignition.operation import Context, Operation
from ignition.stages import mount, umount
from ignition.storage import mounting, subvolumes
from tests.loop_devices import mounts_of

from .conftest import MakeLoop
from .test_disks_on_loop import RunCommand, Stage, stage

__all__ = ["stage"]
HOME = Subvolume(path="/@home", mount_path="/home", mount_options=("noatime",))
INNER = Subvolume(path="/@home/inner/deep")
SYSTEM = Subvolume(path="/@", default=True)


def btrfs(node: str, *found: Subvolume, **members: object) -> Filesystem:
    made = Filesystem(device=node, format="btrfs", extension=FilesystemExtension(subvolumes=found))
    return made.evolve(**members)


def test_plan_has_one_operation_per_file_system_parents_first() -> None:
    entries = (Filesystem(device="/dev/a", format="ext4"), btrfs("/dev/b", INNER, HOME), btrfs("/dev/c"))
    assert [operation.describe() for operation in subvolumes.plan(entries)] == [
        "make the subvolumes /@home, /@home/inner/deep of /dev/b ($.storage.filesystems.1.x-coreos.subvolumes)"
    ]


@pytest.fixture
def node(make_loop: MakeLoop) -> str:
    return make_loop(128)


def listed(node: str, tmp_path: Path, run_command: RunCommand) -> tuple[list[str], str]:
    """(paths of all subvolumes, path of the default one)."""
    top = tmp_path / "top"
    top.mkdir(exist_ok=True)
    run_command("mount", "-o", "subvolid=5", node, str(top))
    found = sorted(line.split(" path ")[1] for line in run_command("btrfs", "subvolume", "list", str(top)).splitlines())
    default = run_command("btrfs", "subvolume", "get-default", str(top)).strip()
    run_command("umount", str(top))
    return found, default.partition(" path ")[2]


@pytest.mark.root
def test_subvolumes_are_made_once(stage: Stage, node: str, run_command: RunCommand, tmp_path: Path) -> None:
    storage = Storage(filesystems=(btrfs(node, INNER, HOME, SYSTEM),))
    stage.run(storage)
    assert stage.results == [("format", "done"), ("settle", "done"), ("make-subvolumes", "done")]
    assert listed(node, tmp_path, run_command) == (["@", "@home", "@home/inner/deep"], "@")
    stage.run(storage)
    assert stage.results == [("format", "already"), ("make-subvolumes", "already")]
    assert listed(node, tmp_path, run_command) == (["@", "@home", "@home/inner/deep"], "@")
    assert mounts_of(node) == []


@pytest.mark.root
def test_missing_ones_are_added_and_what_is_there_is_kept(
    stage: Stage, node: str, run_command: RunCommand, tmp_path: Path
) -> None:
    stage.run(Storage(filesystems=(btrfs(node, HOME),)))
    (tmp_path / "m").mkdir()
    run_command("mount", "-o", "subvol=@home", node, str(tmp_path / "m"))
    (tmp_path / "m/kept").write_text("kept")
    stage.run(Storage(filesystems=(btrfs(node, HOME, SYSTEM),)))  # mounted all the while
    assert stage.results == [("format", "already"), ("make-subvolumes", "done")]
    assert (tmp_path / "m/kept").read_text() == "kept"
    run_command("umount", str(tmp_path / "m"))
    assert listed(node, tmp_path, run_command) == (["@", "@home"], "@")


@pytest.mark.root
@pytest.mark.parametrize("kind", ["directory", "file", "symlink"])
def test_what_is_no_subvolume_is_refused(stage: Stage, node: str, run_command: RunCommand, tmp_path: Path, kind: str) -> None:
    stage.run(Storage(filesystems=(btrfs(node),)))
    (tmp_path / "m").mkdir()
    run_command("mount", node, str(tmp_path / "m"))
    run_command(*{"directory": ("mkdir",), "file": ("touch",), "symlink": ("ln", "-s", "/etc")}[kind], str(tmp_path / "m/@home"))
    run_command("umount", str(tmp_path / "m"))
    with pytest.raises(Failure) as caught:
        stage.run(Storage(filesystems=(btrfs(node, SYSTEM, HOME),)))
    assert (caught.value.what, caught.value.fix) == (
        "/@home already exists and is not a subvolume",
        "use another path for the subvolume",
    )
    assert caught.value.where == "$.storage.filesystems.0.x-coreos.subvolumes.1.path"
    assert mounts_of(node) == []


def execute(operations: list[Operation], context: Context) -> None:
    for operation in operations:
        assert not operation.already_there(context)
        operation.execute(context)
        assert operation.already_there(context)


@pytest.fixture
def root(tmp_path: Path, node: str, run_command: RunCommand) -> Iterator[Path]:
    path = tmp_path / "root"
    path.mkdir()
    yield path
    for target in reversed(mounts_of(node)):
        run_command("umount", target)


@pytest.mark.root
def test_subvolumes_are_mounted_below_the_new_root_and_unmounted(stage: Stage, node: str, root: Path) -> None:
    log = Subvolume(path="/@log", mount_path="/data/log")
    config = Config(storage=Storage(filesystems=(btrfs(node, log, HOME, path="/data"),)))
    stage.run(config.storage)
    context, made = Context(Root(str(root)), None), list[str]()  # type: ignore[arg-type]
    execute(mount.plan(config, mounting.probe(config.storage.filesystems, str(root)), made), context)
    assert made == ["/data", "/home", "/data/log"]
    assert all(os.path.ismount(root / path) for path in ("data", "home", "data/log"))
    (root / "home/mine").write_text("x")
    assert (root / "data/@home/mine").read_text() == "x"
    execute(umount.plan(config), context)
    assert mounts_of(node) == []
    assert not (root / "home/mine").exists()
