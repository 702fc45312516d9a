"""What an installer or a vendor left on the OEM partition, in a PXE initramfs or on the boot partition."""

import json
import os
from collections.abc import Callable

import pytest

from ignition.errors import Failure, InvalidConfig
from ignition.rendering import vendor_configs
from ignition.rendering.render import load_for_stage
from tests.loop_devices import MakeLoop, make_ext4, make_loop, mounts_of
from tests.stages.conftest import Boot
from tests.stages.test_fetch import cached_files, config, file_named
from tests.stages.test_fetch_default_config import sources

__all__ = ["make_loop"]

Put = Callable[..., None]


@pytest.fixture
def put(boot: Boot) -> Put:
    """Put a text into a file of the vendor's directory of this system."""

    def write(path: str, text: str) -> None:
        target = boot.top / "share/oem" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    return write


def staged(boot: Boot) -> list[str]:
    loaded = load_for_stage(str(boot.run / "cache.json"), "metal")
    return [file.path for file in loaded.storage.files]


@pytest.mark.parametrize("platform", ["metal", "pxe", "file", "cloudsigma", "aws"])
def test_config_of_the_oem_is_the_users(boot: Boot, put: Put, platform: str) -> None:
    """Before the platform's own, also where that would need the network."""
    boot.config(file_named("platforms"))
    put("config.ign", file_named("oem"))
    boot.execute("fetch-offline", platform)
    assert cached_files(boot) == ["/oem"]
    assert sources(boot) == [("base", "system", False), ("user", "system", False)]


def test_config_of_2_x_is_translated(boot: Boot, put: Put) -> None:
    node = {"filesystem": "root", "path": "/etc/from-oem", "mode": 420, "contents": {"source": "data:,x"}}
    put("config.ign", json.dumps({"ignition": {"version": "2.2.0"}, "storage": {"files": [node]}}))
    boot.execute("fetch-offline", "metal")
    assert cached_files(boot) == ["/etc/from-oem"]


@pytest.mark.parametrize(
    ("present", "winner"),
    [
        (("usr", "oem"), "oem"),
        (("usr", "oem", "etc"), "etc"),
        (("usr", "oem", "etc", "run"), "run"),
        (("usr",), "usr"),
    ],
)
@pytest.mark.parametrize(("name", "oem_name"), [("user.ign", "config.ign"), ("default.ign", "base/default.ign")])
def test_it_comes_just_before_the_image(
    boot: Boot, put: Put, present: tuple[str, ...], winner: str, name: str, oem_name: str
) -> None:
    for place in present:
        if place == "oem":
            put(oem_name, file_named(place))
        else:
            boot.fragment(name, file_named(place), place)
    boot.execute("fetch-offline", "metal")
    assert cached_files(boot) == [f"/{winner}"]


@pytest.mark.parametrize("url", ["ignition.config.url", "coreos.config.url", "flatcar.config.url"])
def test_kernel_command_line_comes_first(boot: Boot, put: Put, url: str) -> None:
    put("config.ign", file_named("oem"))
    put("other.ign", file_named("other"))
    boot.cmdline(f"flatcar.first_boot=1 {url}=oem:///other.ign")
    boot.execute("fetch-offline", "metal")
    assert cached_files(boot) == ["/other"]


def test_base_counts_in_every_stage_as_that_of_the_image(boot: Boot, put: Put) -> None:
    boot.fragment("base.ign", file_named("image"))
    boot.fragment("base.d/10", file_named("fragment"))
    put("base/base.ign", file_named("oem"))
    put("config.ign", file_named("user"))
    boot.execute("fetch-offline", "metal")
    assert staged(boot) == ["/oem", "/fragment", "/user"]
    (boot.top / "share/oem/base/base.ign").unlink()  # the partition was made anew
    assert staged(boot) == ["/oem", "/fragment", "/user"]
    boot.execute("fetch", "metal")
    assert staged(boot) == ["/image", "/fragment", "/user"]


def test_higher_base_hides_that_of_the_oem(boot: Boot, put: Put) -> None:
    boot.fragment("base.ign", file_named("etc"), "etc")
    put("base/base.ign", file_named("oem"))
    boot.execute("fetch-offline", "metal")
    assert staged(boot) == ["/etc"]


def test_only_the_base_outlasts_the_stage(boot: Boot, put: Put) -> None:
    """A user's config has secrets."""
    put("config.ign", config(passwd={"users": [{"name": "a", "passwordHash": "secret"}]}))
    put("base/base.ign", file_named("oem"))
    boot.execute("fetch-offline", "metal")
    kept = [
        path for path in boot.top.rglob("*") if path.is_file() and "share" not in path.parts and b"secret" in path.read_bytes()
    ]
    assert sorted(kept) == [boot.run / "cache.json", boot.run / "texts"]


def test_broken_config_is_named_by_its_place(boot: Boot, put: Put) -> None:
    put("config.ign", "{")
    with pytest.raises(InvalidConfig, match=f"{boot.top}/share/oem/config.ign: error"):
        boot.execute("fetch-offline", "metal")


def test_what_is_for_coreos_cloudinit_is_not_a_config(boot: Boot, put: Put) -> None:
    put("config.ign", "#cloud-config\n")
    boot.fragment("default.ign", file_named("default"))
    boot.execute("fetch-offline", "metal")
    assert cached_files(boot) == ["/default"]


def test_what_is_not_a_file_is_an_error(boot: Boot) -> None:
    (boot.top / "share/oem/config.ign").mkdir(parents=True)
    with pytest.raises(Failure) as caught:
        boot.execute("fetch-offline", "metal")
    assert caught.value.where == f"{boot.top}/share/oem/config.ign"
    assert caught.value.what.endswith("is a directory")


@pytest.fixture
def devices(boot: Boot, make_loop: MakeLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An OEM and a boot partition, with all that counts on either."""
    for name, files in (
        ("OEM", {"config.ign": "oem", "base/base.ign": "oem-base", "base/default.ign": "x", "ignition/config.ign": "wrong"}),
        ("BOOT", {"ignition/config.ign": "boot", "config.ign": "wrong", "base/base.ign": "wrong"}),
    ):
        content = boot.top / f"content-{name}"
        for path, file in files.items():
            (content / path).parent.mkdir(parents=True, exist_ok=True)
            (content / path).write_text(file_named(file))
        monkeypatch.setenv(f"IGNITION_{name}_DEVICE", make_ext4(make_loop, content, name))


@pytest.mark.root
@pytest.mark.parametrize("line", ["flatcar.first_boot=1 flatcar.oem.id=pxe", "ignition.firstboot root=LABEL=ROOT"])
def test_partitions_are_read(boot: Boot, devices: None, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setattr(vendor_configs, "WAIT_S", 0.05)
    boot.cmdline(line)
    boot.execute("fetch-offline", "metal")
    assert staged(boot) == ["/oem-base", "/oem"]
    assert mounts_of(os.environ["IGNITION_OEM_DEVICE"]) + mounts_of(os.environ["IGNITION_BOOT_DEVICE"]) == []
    monkeypatch.setenv("IGNITION_OEM_DEVICE", "/nonexistent")
    boot.execute("fetch-offline", "metal")
    assert staged(boot) == ["/boot"]


@pytest.mark.root
@pytest.mark.parametrize(
    "line", ["coreos.liveiso=x", "coreos.live.rootfs_url=http://127.0.0.1/x", "root=live:http://127.0.0.1/x", "squashfs"]
)
def test_system_in_memory_leaves_them_alone(boot: Boot, devices: None, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    if line == "squashfs":
        monkeypatch.setattr(vendor_configs, "SQUASHFS", __file__)
    boot.cmdline(line)
    boot.execute("fetch-offline", "metal")
    assert (cached_files(boot), staged(boot)) == ([], [])
    monkeypatch.setattr(vendor_configs, "OF_LIVE", {str(boot.top / "appended.ign"): "user.ign"})
    (boot.top / "appended.ign").write_text(file_named("appended"))
    boot.execute("fetch-offline", "metal")
    assert cached_files(boot) == ["/appended"]


def test_installed_system_with_the_same_kernel_is_not_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendor_configs, "SQUASHFS", __file__)
    assert not vendor_configs.is_live("mount.usr=PARTUUID=7130c94a-213a-4e5a-8e26-6cce9662f132 root=LABEL=ROOT")
    assert vendor_configs.is_live("root=LABEL=ROOT")  # PXE with a persistent root


@pytest.mark.root
def test_partition_that_cannot_be_mounted_is_a_warning(
    boot: Boot, make_loop: MakeLoop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Many a PC has a partition called OEM."""
    node = make_loop(1)
    monkeypatch.setenv("IGNITION_OEM_DEVICE", node)
    boot.config(file_named("platforms"))
    boot.execute("fetch-offline")
    assert cached_files(boot) == ["/platforms"]
    assert f"{node} cannot be mounted and is not searched for a config: " in capsys.readouterr().out


def test_disk_that_boots_is_waited_for(boot: Boot, monkeypatch: pytest.MonkeyPatch) -> None:
    """With slow disks the partitions come late; what the machine may not have is not waited for."""
    waited: list[list[str]] = []
    monkeypatch.setattr("ignition.host.devices.wait_for", lambda names, timeout_s: waited.append(names))
    boot.execute("fetch-offline", "metal")
    assert waited == []
    boot.cmdline("root=LABEL=ROOT")
    boot.execute("fetch-offline", "metal")
    assert waited == [["/dev/disk/by-label/ROOT"]]
    boot.execute("fetch", "metal")
    assert len(waited) == 1, "once is enough"
    flag = boot.top / "flagged"
    flag.touch()
    monkeypatch.setattr("ignition.host.paths.FLAGGED", str(flag))
    boot.execute("fetch-offline", "metal")
    assert waited[1:] == [["/dev/disk/by-label/EFI-SYSTEM"]]
