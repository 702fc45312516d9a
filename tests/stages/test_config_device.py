"""A config on a labelled device that the kernel command line names."""

from pathlib import Path

import pytest

from ignition.errors import Failure, NotFound
from ignition.rendering import config_device
from tests.fetch.server import Reply, serving
from tests.loop_devices import MakeLoop, make_ext4, make_loop, mounts_of
from tests.stages.conftest import Boot
from tests.stages.test_fetch import cached_files, file_named

__all__ = ["make_loop"]
BOTH = "ignition.config.device=CONFIG ignition.config.path=/a/config.ign"


@pytest.fixture
def device(tmp_path: Path, make_loop: MakeLoop) -> str:
    """A device with a config, known as CONFIG in `tmp_path`."""
    content = tmp_path / "content"
    (content / "a").mkdir(parents=True)
    (content / "a/config.ign").write_text(file_named("from-the-device"))
    (content / "out").symlink_to("/etc/passwd")
    node = make_ext4(make_loop, content, "CONFIG")
    (tmp_path / "CONFIG").symlink_to(node)
    return node


@pytest.mark.root
@pytest.mark.parametrize("path", ["/a/config.ign", "a/config.ign", "/../a/./config.ign"])
def test_config_is_read_and_the_device_unmounted(device: str, tmp_path: Path, path: str) -> None:
    place, content = config_device.read("CONFIG", path, devices=str(tmp_path))
    assert (place, content) == (f"{path} on the device labelled CONFIG", file_named("from-the-device").encode())
    assert mounts_of(device) == []


@pytest.mark.root
@pytest.mark.parametrize(
    ("path", "kind", "what"),
    [
        ("/none", NotFound, "there is no file /none"),
        ("/a", Failure, "/a is a directory"),
        ("/out", Failure, "a symlink on the way leads out of the file system"),
    ],
)
def test_file_that_cannot_be_read_is_an_error(device: str, tmp_path: Path, path: str, kind: type[Failure], what: str) -> None:
    with pytest.raises(Failure) as caught:
        config_device.read("CONFIG", path, devices=str(tmp_path))
    assert type(caught.value) is kind
    assert (caught.value.where, caught.value.what) == (f"kernel command line: {path} on the device labelled CONFIG", what)
    assert mounts_of(device) == []


def test_missing_device_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        config_device.read("NONE", "/a", devices=str(tmp_path), timeout_s=0.05)
    assert caught.value.where == "kernel command line: /a on the device labelled NONE"
    assert caught.value.what == f"no such device after 0.05 s: {tmp_path}/NONE"


@pytest.mark.parametrize("label", ["a/b", "../sda1", "/dev/sda1", ".", ".."])
def test_label_is_one_component_of_a_path(label: str) -> None:
    with pytest.raises(Failure) as caught:
        config_device.read(label, "/a")
    assert caught.value.where == "kernel command line"
    assert caught.value.what == (
        f"ignition.config.device={label} is not the label of a file system: it must be one component of a path"
    )


@pytest.mark.parametrize(
    ("option", "what"),
    [
        ("ignition.config.device=CONFIG", "ignition.config.device= is given without ignition.config.path="),
        ("ignition.config.path=/a", "ignition.config.path= is given without ignition.config.device="),
        ("ignition.config.path=/a ignition.config.device=", "ignition.config.path= is given without ignition.config.device="),
    ],
)
@pytest.mark.parametrize("stage", ["fetch-offline", "fetch"])
def test_one_option_alone_is_an_error(boot: Boot, stage: str, option: str, what: str) -> None:
    boot.cmdline(f"quiet {option}")
    boot.config(file_named("platform"))
    with pytest.raises(Failure) as caught:
        boot.execute(stage)
    assert (caught.value.where, caught.value.what) == ("kernel command line", what)
    assert boot.files() == {"operations.jsonl"}


@pytest.mark.parametrize("stage", ["fetch-offline", "fetch"])
def test_device_comes_before_user_ign_and_the_platform(boot: Boot, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    asked = []

    def read(label: str, path: str) -> tuple[str, bytes]:
        asked.append((label, path))
        return "the place", file_named("device").encode()

    monkeypatch.setattr(config_device, "read", read)
    boot.cmdline(f"ignition.config.device=OLD {BOTH} ignition.config.path=")
    boot.fragment("user.ign", file_named("system"))
    boot.config(file_named("platform"))
    boot.execute(stage)
    assert asked == [("CONFIG", "/a/config.ign")]
    assert cached_files(boot) == ["/device"]
    assert '"source": "cmdline"' in (boot.run / "state").read_text()


def test_url_wins_over_the_device_with_a_warning(boot: Boot, capsys: pytest.CaptureFixture[str]) -> None:
    with serving({"/config.ign": Reply(body=file_named("url").encode())}) as server:
        boot.cmdline(f"{BOTH} ignition.config.url={server.url}/config.ign")
        boot.execute("fetch")
    assert cached_files(boot) == ["/url"]
    ignored = (
        "ignition.config.device= and ignition.config.path= on the kernel command line are ignored: a config URL is given, too"
    )
    assert f"WARNING  : {ignored}\n" in capsys.readouterr().out


def test_config_on_a_device_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate((64 << 20) + 1)
    monkeypatch.setattr(config_device, "open_on_device", lambda *_, **__: (tmp_path / "large").open("rb"))
    with pytest.raises(Failure, match="on the device labelled A: more than 64 MiB where a config is expected"):
        config_device.read("A", "/large")
