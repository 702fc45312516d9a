"""GUIDs in GPT's byte order, compared with the uuid module of the standard library."""

import uuid

import pytest

from ignition.storage import guid

EFI_SYSTEM = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
EFI_SYSTEM_ON_DISK = bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b")


def test_guid_of_the_efi_system_partition_is_as_on_every_disk() -> None:
    assert guid.to_bytes(EFI_SYSTEM.upper()) == EFI_SYSTEM_ON_DISK
    assert guid.to_text(EFI_SYSTEM_ON_DISK) == EFI_SYSTEM


@pytest.mark.parametrize("text", ["", "c12a7328", f"{EFI_SYSTEM}-00", EFI_SYSTEM.replace("c12a", "xxxx")])
def test_guid_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unpack|base 16"):
        guid.to_bytes(text)


def test_random_guid_is_of_version_4() -> None:
    drawn = {guid.random() for _ in range(64)}
    assert len(drawn) == 64
    for raw in drawn:
        parsed = uuid.UUID(bytes_le=raw)
        assert (parsed.version, parsed.variant) == (4, uuid.RFC_4122)


def test_derived_guid_depends_on_seed_and_name_alone() -> None:
    first = guid.derived(b"seed", "0:data")
    assert first == guid.derived(b"seed", "0:data")
    assert len({first, guid.derived(b"other", "0:data"), guid.derived(b"seed", "1:data")}) == 3
    parsed = uuid.UUID(bytes_le=first)
    assert (parsed.version, parsed.variant) == (8, uuid.RFC_4122)


def test_derived_guid_never_changes() -> None:
    """A newer agent must recognise the partitions that an older one was creating when the power failed."""
    assert guid.to_text(guid.derived(b"seed", "0:data")) == "b5cb8d14-3b4c-83af-b615-71067c98d742"
