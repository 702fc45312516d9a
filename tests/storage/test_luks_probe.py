"""What the stage sees of volumes on loop devices before it decides."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ignition.config.model import Resource
from ignition.config.model.storage import Clevis, Luks
from ignition.errors import Failure
from ignition.host.command import run
from ignition.host.root import Root
from ignition.operation import Context
from ignition.storage import luks
from ignition.storage import luks_operations as steps
from ignition.storage.luks_keys import Keys
from tests.loop_devices import MakeLoop

from .luks_images import GIVEN, SECRET, WHERE, Image, TangKeys, bind, bound, no_udev, tang_keys

__all__ = ["no_udev", "tang_keys"]
pytestmark = pytest.mark.root


class DataUrls:
    """A fetcher that has no network."""

    def read(self, resource: Resource) -> bytes:
        from ignition.config.dataurl import decode

        return decode(resource.source or "")


def probed(image: Image, node: str, tmp_path: Path, keys: Keys | None = None) -> luks.VolumeFacts:
    """The facts of a volume on a loop device, as the stage takes them."""
    config = image.volume.config.evolve(device=node)
    context = Context(Root(str(tmp_path / "root")), DataUrls())  # type: ignore[arg-type]
    return luks.probe((config,), context, keys or Keys())["data"]


@pytest.fixture
def on_loop(make_loop: MakeLoop) -> Callable[..., Image]:
    """A volume on a loop device."""

    def make(**members: Any) -> Image:
        return Image(Path(make_loop(24)), **members)

    return make


def test_facts_of_a_device_without_a_volume(on_loop: Callable[..., Image], tmp_path: Path) -> None:
    image = on_loop(key_file=GIVEN)
    facts = probed(image, image.node, tmp_path)
    assert (facts.node, facts.device, facts.binary, facts.header, facts.in_use) == (
        image.node, os.path.basename(image.node), None, None, "",
    )  # fmt: skip
    run(["mkfs.ext4", "-q", image.node], why="something else")
    assert probed(image, image.node, tmp_path).signature.format == "ext4"


@pytest.mark.parametrize(("key", "opens"), [(SECRET, True), ("other", False)])
def test_facts_say_whether_the_key_file_opens_it(
    on_loop: Callable[..., Image], tmp_path: Path, context: Context, key: str, opens: bool
) -> None:
    image = on_loop(key_file=GIVEN, label="x")
    steps.FormatVolume(image.volume).execute(context)
    image.volume.config = image.volume.config.evolve(key_file=Resource(source=f"data:,{key}"))
    facts = probed(image, image.node, tmp_path)
    assert facts.header is not None
    assert (facts.header.label, facts.key_opens, facts.is_unfinished) == ("x", opens, True)


def test_generated_key_is_looked_for_in_the_root(on_loop: Callable[..., Image], tmp_path: Path, context: Context) -> None:
    image = on_loop()
    steps.FormatVolume(image.volume).execute(context)
    assert not probed(image, image.node, tmp_path).key_opens
    (tmp_path / "root/etc/luks").mkdir(parents=True)
    (tmp_path / "root/etc/luks/data").write_bytes(image.keys.of("data"))
    known = Keys()
    assert probed(image, image.node, tmp_path, known).key_opens
    assert known.of("data") == image.keys.of("data")


def test_server_out_of_reach_is_not_asked_when_the_key_file_opens_it(
    on_loop: Callable[..., Image], tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch, tang_keys: TangKeys
) -> None:
    far = Clevis(tang=(tang_keys.server("http://127.0.0.1:1"),))
    image = on_loop(key_file=GIVEN, clevis=far)
    steps.FormatVolume(image.volume).execute(context)
    bind(image, bound(far), context, monkeypatch, base=str(tmp_path / "run"))
    steps.FinishVolume(image.volume).execute(context)
    facts = probed(image, image.node, tmp_path)
    assert (facts.key_opens, facts.unlocks_not) == (True, {0: ""})
    image.volume.config = image.volume.config.evolve(key_file=Resource())
    facts = probed(image, image.node, tmp_path)
    assert (facts.key_opens, list(facts.unlocks_not)) == (False, [0])
    assert facts.unlocks_not[0].startswith(f"trying slot 1: clevis luks unlock -d {image.node} -t 1: exit status")


def test_device_of_which_a_partition_is_mounted_is_in_use(
    make_loop: MakeLoop, tmp_path: Path, run_command: Callable[..., str]
) -> None:
    node = make_loop(24)
    run_command("parted", "-s", node, "mklabel", "gpt", "mkpart", "one", "ext4", "1MiB", "20MiB")
    run_command("mkfs.ext4", "-q", f"{node}p1")
    (tmp_path / "m").mkdir()
    run_command("mount", f"{node}p1", str(tmp_path / "m"))
    config = Luks(name="data", device=node, wipe_volume=True)
    facts = luks.probe((config,), Context(Root(str(tmp_path / "root")), DataUrls()), Keys())  # type: ignore[arg-type]
    with pytest.raises(Failure) as caught:
        luks.plan((config,), facts, Keys())
    assert caught.value.what == f"{node} is in use ({os.path.basename(node)}p1 is mounted on {tmp_path}/m)"
    assert caught.value.where == f"{WHERE}.device"
