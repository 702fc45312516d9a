"""The document of facts: written, read, and refused with the place of what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from ignition.errors import Failure
from ignition.facts import document, formats, image, schema
from ignition.facts.document import Content, Device, Facts, Luks, Member, Node, Part, Table
from ignition.planning.tree import KnownTree, LiveTree, Recorder

FULL = Facts(
    devices=(
        Device(
            "/dev/vda",
            "disk",
            1 << 30,
            links=("/dev/disk/by-id/virtio-1",),
            content=Content(table="gpt"),
            contents=(Content("ext4", "a", "b", offset=1080),),
            table=Table("gpt", "0b54b0b6-54c2-4f5e-9a0d-3d3b0f1b6c01", 34, 2014, parts=(Part(1, 40, 8, "t", "g", "é"),)),
            serials=("1",),
        ),
        Device("/dev/vda1", "partition", 4096, below=("/dev/vda",), number=1, member=Member("u", "n", "raid1", 2, 7)),
        Device("/dev/vdb", "disk", 4096, luks=Luks(2, "l", "u", flags=("allow-discards",), tokens=(((1,), {"clevis": {}}),))),
    ),
    kernel_arguments="root=LABEL=ROOT",
    memory=1 << 30,
    nodes={
        "/etc": Node("directory", 0o755, names=("passwd",)),
        "/etc/none": None,
        "/etc/passwd": Node("file", text="root\udcff"),
    },
)


def test_document_is_read_as_it_was_written() -> None:
    assert schema.parse(document.text(FULL).encode(), "facts.json") == FULL


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (("devices", 0, "size"), "large", "$.devices[0].size"),
        (("devices", 0, "kind"), "floppy", "$.devices[0].kind"),
        (("nodes", "/etc", "kind"), "socket", "$.nodes./etc"),
        (("version",), 2, "$.version"),
        (("unknown",), 1, "$"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(path: tuple[Any, ...], value: object, where: str) -> None:
    found = json.loads(document.text(FULL))
    inner = found
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    with pytest.raises(Failure) as caught:
        schema.parse(json.dumps(found).encode(), "facts.json")
    assert caught.value.where.startswith(f"facts.json: {where}")
    assert caught.value.fix == "use the output of `ignition facts` of this version"


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(Failure, match="not JSON"):
        schema.parse(b"{", "facts.json")


def test_schema_is_one() -> None:
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(schema.schema())


def test_recorder_keeps_what_was_asked(tmp_path: Path) -> None:
    (tmp_path / "public").write_text("all may read this")
    (tmp_path / "secret").write_text("planted-secret")
    (tmp_path / "secret").chmod(0o600)
    recorder = Recorder(LiveTree(str(tmp_path)))
    recorder.names("/")
    for name in ("public", "secret"):
        recorder.read(f"/{name}")
    assert recorder.node("/none") is None
    text = document.text(Facts(nodes=recorder.nodes))
    assert "all may read this" in text
    assert "planted-secret" not in text
    known = KnownTree(schema.parse(text.encode(), "x").nodes)
    assert known.read("/public") == b"all may read this"
    assert known.node("/none/below") is None
    with pytest.raises(Failure, match="the facts do not have the content of /secret"):
        known.read("/secret")
    assert known.node("/never-asked") is None  # the names of its directory are known


def test_images_get_the_nodes_of_virtio(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(bytes(4096))
    found = image.named([str(tmp_path / "a"), f"/dev/sda={tmp_path / 'b'}", str(tmp_path / "c")])
    assert [one.node for one in found] == ["/dev/vda", "/dev/sda", "/dev/vdb"]


def test_image_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="the image cannot be read: No such file") as caught:
        formats.of(str(tmp_path / "none"))
    assert caught.value.where == str(tmp_path / "none")
