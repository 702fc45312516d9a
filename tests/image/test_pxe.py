"""The PXE set: the root as squashfs and its digest, the script for iPXE, and what the initramfs does with them."""

import hashlib
import importlib.machinery
import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from ignition.errors import Failure
from tests.image.conftest import IMAGE, Builder

EPOCH = 1_700_000_000
LIVE = IMAGE / "files/live"


@pytest.fixture
def live_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program of the initramfs, whose files are in a directory here."""
    loader = importlib.machinery.SourceFileLoader("live_root", str(LIVE / "live-root"))
    spec = importlib.util.spec_from_loader("live_root", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    for name, path in (("LOADED", "loaded"), ("DIGEST", "digest"), ("IMAGE", "image"), ("NETWORK_UP", "true")):
        monkeypatch.setattr(module, name, str(tmp_path / path))
    (tmp_path / "true").symlink_to("/bin/true")
    (tmp_path / "digest").write_text(hashlib.sha512(b"root").hexdigest() + "\n")
    return module


def test_same_root_gives_the_same_bytes(builder: Builder, tmp_path: Path) -> None:
    pxe, reproducible = builder("pxe"), builder("reproducible")
    digests = []
    for name in ("one", "two"):
        root = tmp_path / name
        (root / "etc").mkdir(parents=True)
        for number in range(50):
            (root / f"etc/{number}").write_text(f"{number}\n" * 1000)
        reproducible.clamp(root, EPOCH)
        digests.append(pxe.pack(root, tmp_path / f"{name}.squashfs", EPOCH))
    assert digests[0] == digests[1] == hashlib.sha512((tmp_path / "two.squashfs").read_bytes()).hexdigest()
    listed = subprocess.run(["unsquashfs", "-l", tmp_path / "one.squashfs"], capture_output=True, text=True, check=True).stdout
    assert "squashfs-root/etc/49" in listed


def test_script_hands_uuid_and_address_to_the_config_server(builder: Builder, tmp_path: Path) -> None:
    builder("pxe").write_script(tmp_path)
    script = (tmp_path / "boot.ipxe").read_text()
    assert script.startswith("#!ipxe\n")
    assert "coreos.config.url=${config}uuid=${uuid}&mac=${mac:hexhyp}" in script
    assert "coreos.live.rootfs_url=${base-url}root.squashfs" in script
    # The kernel of UEFI finds it by this name.
    assert "initrd=initrd.img " in script and "initrd --name initrd.img ${base-url}initrd.img\n" in script


def test_script_of_a_set_names_its_files(builder: Builder, tmp_path: Path) -> None:
    pxe = builder("pxe")
    pxe.write_script(tmp_path)
    script = pxe.renamed((tmp_path / "boot.ipxe").read_text(), "name-pxe-")
    for name in ("vmlinuz", "initrd.img", "root.squashfs"):
        assert f"${{base-url}}name-pxe-{name}" in script and f"${{base-url}}{name}" not in script


def test_root_comes_from_the_url_or_the_boot_loader(
    live_root: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def say(line: str) -> None:
        monkeypatch.setattr(live_root.cmdline, "read", lambda: line)

    say("quiet coreos.live.rootfs_url=http://a/1 coreos.live.rootfs_url=http://a/2")
    assert live_root.source() == "http://a/2"
    say("quiet")
    with pytest.raises(Failure) as caught:
        live_root.source()
    assert caught.value.what == "the root is unknown"
    assert caught.value.where == "the kernel command line"
    assert caught.value.fix == f"add coreos.live.rootfs_url=URL, or let the boot loader load the root as {tmp_path}/loaded"
    (tmp_path / "loaded").touch()
    assert live_root.source() == ""


def test_root_of_the_boot_loader_is_checked_and_its_memory_is_freed(live_root: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "loaded").write_bytes(b"root")
    live_root.load("")
    assert (tmp_path / "image").read_bytes() == b"root"
    assert not (tmp_path / "loaded").exists()


def test_root_of_another_build_is_refused(live_root: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "loaded").write_bytes(b"rooT")
    with pytest.raises(Failure) as caught:
        live_root.load("")
    assert caught.value.what == "the root was altered, or is not the one of this initramfs"
    assert caught.value.where == str(tmp_path / "loaded")
    assert caught.value.fix == "load kernel, initramfs and root of one build, from a server that you trust"
    assert not caught.value.lasting  # the next boot may get the right one


def test_downloaded_root_is_checked(live_root: ModuleType, tmp_path: Path) -> None:
    live_root.load("data:,root")
    assert (tmp_path / "image").read_bytes() == b"root"


@pytest.mark.parametrize("content", ["rooT", "roo", "root%0A", ""])
def test_altered_download_is_refused(live_root: ModuleType, content: str) -> None:
    with pytest.raises(Failure) as caught:
        live_root.load(f"data:,{content}")
    assert caught.value.what == "the root was altered, or is not the one of this initramfs"
    assert caught.value.where == f"data:,{content}"


def test_too_little_memory_is_named(live_root: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loaded").write_bytes(b"root")
    monkeypatch.setattr(live_root, "IMAGE", "/dev/full/none")
    with pytest.raises(Failure) as caught:
        live_root.load("")
    assert caught.value.what == "cannot store the root: Not a directory"
    assert caught.value.fix == "add memory to the machine"


def test_units_are_sound() -> None:
    units = {name: (LIVE / name).read_text() for name in ("coreos-live-root.service", "sysroot.mount")}
    # A stopped service must not take the root along, and the overlay needs what the service has made.
    assert "\nRequires=" not in units["sysroot.mount"] and "After=coreos-live-root.service\n" in units["sysroot.mount"]
    assert "lowerdir=/run/live/lower,upperdir=/run/live/upper,workdir=/run/live/work" in units["sysroot.mount"]
    assert (LIVE / "live-root").stat().st_mode & 0o111 == (LIVE / "module-setup.sh").stat().st_mode & 0o111 == 0o111
