"""Order of mounts, what a mount point may be, and real mounts on loop devices."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.config.model.extensions import FilesystemExtension, Subvolume
from ignition.config.model.storage import Filesystem
from ignition.errors import CommandFailed, Failure
from ignition.host import mounts
from ignition.host.root import Root
from ignition.operation import Context
from ignition.storage import mounting
from ignition.storage.mounting import Mount, Unmount, missing_directories, mount_at, mounted, probe, to_mount

FIX = "use a path of real directories"


def filesystem(path: str | None, format: str = "ext4") -> Filesystem:
    return Filesystem(device=f"/dev/{path}", path=path, format=format)


def test_parents_are_mounted_before_children_and_the_rest_in_config_order() -> None:
    entries = [filesystem("/b/c/d"), filesystem("/b"), filesystem("/"), filesystem("/a"), filesystem("/b/c")]
    assert [(place, entry.path) for place, entry in to_mount(tuple(entries))] == [
        ("$.storage.filesystems.2", "/"),
        ("$.storage.filesystems.1", "/b"),
        ("$.storage.filesystems.3", "/a"),
        ("$.storage.filesystems.4", "/b/c"),
        ("$.storage.filesystems.0", "/b/c/d"),
    ]


def test_subvolumes_are_mounted_among_the_others() -> None:
    found = (
        Subvolume(path="/@log", mount_path="/b/log", mount_options=("noatime", "x")),
        Subvolume(path="/@none"),
        Subvolume(path="/@b", mount_path="/b"),
    )
    extension = FilesystemExtension(subvolumes=found)
    data = Filesystem(device="/dev/x", format="btrfs", mount_options=("own",), extension=extension)
    entries = (data, filesystem("/b/log/c"), data.evolve(device="/dev/y", format="swap"))
    assert [(place, entry.device, entry.path, entry.mount_options) for place, entry in to_mount(entries)] == [
        ("$.storage.filesystems.0.x-coreos.subvolumes.2", "/dev/x", "/b", ("subvol=/@b",)),
        ("$.storage.filesystems.0.x-coreos.subvolumes.0", "/dev/x", "/b/log", ("subvol=/@log", "noatime", "x")),
        ("$.storage.filesystems.1", "/dev//b/log/c", "/b/log/c", ()),
    ]


def test_what_has_no_path_or_cannot_be_mounted_is_left_out() -> None:
    entries = [filesystem(None), filesystem(""), filesystem("/s", "swap"), filesystem("/n", "none"), filesystem("/f", "")]
    assert to_mount(tuple(entries)) == []
    assert len(to_mount((filesystem("/v", "virtiofs"),))) == 1


def test_missing_directories_are_named_as_the_new_root_sees_them(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    assert missing_directories(str(tmp_path), "/var/lib/data") == ["/var/lib", "/var/lib/data"]
    assert missing_directories(str(tmp_path), "/var") == []


@pytest.mark.parametrize("kind", ["a symlink", "not a directory"])
def test_mount_point_behind_something_else_than_directories_is_refused(tmp_path: Path, kind: str) -> None:
    obstacle = tmp_path / "var"
    if kind == "a symlink":
        obstacle.symlink_to("/tmp")
    else:
        obstacle.write_text("")
    with pytest.raises(Failure) as caught:
        missing_directories(str(tmp_path), "/var/lib")
    assert (caught.value.what, caught.value.fix) == (f"cannot mount on /var/lib: {obstacle} is {kind}", FIX)


def test_unmounted_directory_is_no_mount_point(tmp_path: Path, context: Context) -> None:
    assert mount_at(str(tmp_path)) is None
    assert Unmount(filesystem(str(tmp_path)), "$").already_there(context)
    assert mount_at("/proc") is not None


@pytest.fixture
def device(make_loop: Callable[..., str], run_command: Callable[..., str]) -> str:
    node = make_loop(64)
    run_command("mkfs.ext4", "-q", node)
    return node


@pytest.mark.root
def test_filesystem_is_mounted_and_unmounted(device: str, tmp_path: Path) -> None:
    context, made = Context(Root(str(tmp_path / "root")), None), []  # type: ignore[arg-type, var-annotated]
    os.mkdir(tmp_path / "root")
    entry = Filesystem(device=device, path="/var/data", format="ext4", mount_options=("noatime", "nodev"))
    mount, unmount = Mount(entry, "$.storage.filesystems.0", made), Unmount(entry, "$.storage.filesystems.0")
    old = os.umask(0o077)
    try:
        assert not mount.already_there(context)
        mount.execute(context)
    finally:
        os.umask(old)
    assert made == ["/var", "/var/data"]
    assert (tmp_path / "root/var").stat().st_mode & 0o7777 == 0o755
    assert "noatime" in Path("/proc/self/mountinfo").read_text().split(f"{tmp_path}/root/var/data")[1].splitlines()[0]
    assert mount.already_there(context)
    assert not unmount.already_there(context)
    unmount.execute(context)
    assert mount_at(f"{tmp_path}/root/var/data") is None


@pytest.mark.root
def test_filesystem_that_cannot_be_mounted_names_its_place(tmp_path: Path, make_loop: Callable[..., str]) -> None:
    context = Context(Root(str(tmp_path)), None)  # type: ignore[arg-type]
    node = make_loop(8)
    with pytest.raises(
        CommandFailed, match=f"mounting {node} on {tmp_path}/x: mount -t ext4 {node} {tmp_path}/x: exit status 32"
    ) as caught:
        Mount(Filesystem(device=node, path="/x", format="ext4"), "$.storage.filesystems.3", []).execute(context)
    assert caught.value.where == "$.storage.filesystems.3"


@pytest.mark.root
@pytest.mark.parametrize("format", ["ext4", "xfs", None], ids=["format given", "other format given", "formats tried"])
def test_filesystem_is_mounted_for_the_length_of_a_block(device: str, tmp_path: Path, format: str | None) -> None:
    with mounted(device, format, base=str(tmp_path)) as directory:
        Path(directory, "file").write_text("content")
        assert mount_at(directory) is not None
    assert list(tmp_path.glob("mount-*")) == []
    with mounted(device, format, ("ro",), base=str(tmp_path)) as directory:
        assert Path(directory, "file").read_text() == "content"


@pytest.mark.root
def test_temporary_mount_goes_when_the_block_fails(device: str, tmp_path: Path) -> None:
    with pytest.raises(KeyError), mounted(device, "ext4", base=str(tmp_path)) as directory:
        raise KeyError
    assert mount_at(directory) is None
    assert list(tmp_path.glob("mount-*")) == []


@pytest.mark.root
@pytest.mark.parametrize(
    "format, tried", [(None, "ext4, btrfs, xfs, vfat"), ("xfs", "xfs, ext4, btrfs, vfat")], ids=["none", "xfs"]
)
def test_device_without_a_filesystem_cannot_be_mounted_as_anything(
    make_loop: Callable[..., str], tmp_path: Path, format: str | None, tried: str
) -> None:
    node = make_loop(8)
    with pytest.raises(Failure) as caught, mounted(node, format, base=str(tmp_path)):
        pass
    said, _, why = caught.value.what.partition("; ")
    assert said == f"{node} cannot be mounted as any of {tried}"
    assert why.startswith(f"as {format or 'ext4'}: mount: ") and node in why
    assert caught.value.fix == "format it, or name another device"
    assert list(tmp_path.glob("mount-*")) == []


def test_what_is_mounted_from_no_device_keeps_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    present = [mounts.parse(f"1 1 0:{n} / {target} rw - {format} {source} rw")[0] for n, target, format, source in (
        (1, "/new/var/log", "tmpfs", "tmpfs"), (2, "/new", "ext4", "/dev/null"), (3, "/run", "tmpfs", "tmpfs"),
    )]  # fmt: skip
    monkeypatch.setattr(mounts, "current", lambda: present)
    assert probe((), "/new").present == {"/var/log": "tmpfs", "/": "/dev/null"}


@pytest.mark.parametrize(("format", "options"), [("ext4", ("noatime", "ro")), ("", ())])
def test_mount_makes_its_directories_and_notes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str, options: tuple[str, ...]
) -> None:
    ran: list[object] = []
    monkeypatch.setattr(mounting, "mount", lambda *given: ran.append(given))
    (tmp_path / "var").mkdir(mode=0o700)
    made: list[str] = ["/earlier"]
    wanted = Filesystem(device="/dev/x", path="/var/lib/data", format=format or None, mount_options=options)
    operation = Mount(wanted, "$.storage.filesystems.0", made)
    context = Context(Root(str(tmp_path)), None)  # type: ignore[arg-type]
    assert (operation.path, operation.place) == ("/var/lib/data", "$.storage.filesystems.0")
    assert operation.describe() == "mount /dev/x on /var/lib/data ($.storage.filesystems.0)"
    before = os.umask(0o077)
    try:
        operation.execute(context)
    finally:
        os.umask(before)
    assert ran == [("/dev/x", f"{tmp_path}/var/lib/data", format, options)]
    assert made == ["/earlier", "/var/lib", "/var/lib/data"]
    assert [(tmp_path / name).stat().st_mode & 0o7777 for name in ("var", "var/lib", "var/lib/data")] == [0o700, 0o755, 0o755]


def test_mount_that_is_there_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to("/dev/null")
    lines = [
        f"1 0 8:1 / {tmp_path}/{name} rw - ext4 {source} rw"
        for name, source in (("a", "/dev/null"), ("b", "/dev/zero"), ("b", "/dev/null"), ("c", "/dev/zero"))
    ]
    monkeypatch.setattr(mounts, "current", lambda: mounts.parse("\n".join(lines)))
    context = Context(Root(str(tmp_path)), None)  # type: ignore[arg-type]

    def is_there(path: str) -> tuple[bool, bool]:
        wanted = Filesystem(device=f"{tmp_path}/link", path=path, format="ext4")
        return Mount(wanted, "$", []).already_there(context), Unmount(wanted, "$").already_there(context)

    assert is_there("/a") == (True, False)
    assert is_there("/b") == (True, False)  # the later one covers the earlier one
    assert is_there("/c") == (False, False)
    assert is_there("/d") == (False, True)


def test_unmount_runs_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr(mounting, "run", lambda argv, **_: ran.append(" ".join(argv)))
    operation = Unmount(Filesystem(device="/dev/x", path="/var", format="ext4"), "$.storage.filesystems.0")
    assert operation.describe() == "unmount /var ($.storage.filesystems.0)"
    operation.execute(Context(Root("/sysroot"), None))  # type: ignore[arg-type]
    assert ran == ["umount /sysroot/var"]


@pytest.mark.parametrize(
    ("format", "tried"), [("xfs", ["xfs", "ext4", "btrfs", "vfat"]), (None, ["ext4", "btrfs", "xfs", "vfat"])]
)
def test_formats_of_spec_2_are_tried_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str | None, tried: list[str]
) -> None:
    asked: list[str] = []

    def mount(device: str, target: str, format: str, options: tuple[str, ...], **_: object) -> None:
        asked.append(format)
        error = CommandFailed("no", status=32)
        error.stderr = "wrong fs type\nmore"
        raise error

    monkeypatch.setattr("ignition.host.temporary_mount.mount", mount)
    with pytest.raises(Failure) as caught, mounted("/dev/x", format, base=str(tmp_path / "run")):
        pass
    assert asked == tried
    assert caught.value.what == f"/dev/x cannot be mounted as any of {', '.join(tried)}; as {tried[0]}: wrong fs type"
    assert caught.value.fix == "format it, or name another device"
    assert os.listdir(tmp_path / "run") == []
