"""The order in which devices are made of other devices of a config."""

from hypothesis import given
from hypothesis import strategies as st

from ignition.config import stacking
from ignition.config.model.storage import Luks, Raid

GRAPHS = st.integers(1, 7).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, size - 1), max_size=3), min_size=size, max_size=size)
)


@given(GRAPHS)
def test_what_others_are_made_of_comes_first(below: list[list[int]]) -> None:
    done: set[int] = set()
    for wave in stacking.waves(below):
        assert wave == sorted(wave)
        assert not done.intersection(wave)
        assert all(done.issuperset(below[one]) for one in wave)
        done.update(wave)
    way = stacking.cycle(below)
    assert (way == []) is (len(done) == len(below))
    assert all(after in below[one] for one, after in zip(way, way[1:] + way[:1], strict=True))
    assert not way or way[0] == min(way)


def test_arrays_are_known_by_path_and_by_name() -> None:
    arrays = (
        Raid(name="outer", level="raid0", devices=("/dev/md/inner1", "/dev/md127")),
        Raid(name="inner1", level="raid1", devices=("/dev/vdb", "/dev/vdc")),
        Raid(name="/dev/md127", level="raid1", devices=("/dev/vdd", "/dev/vde")),
    )
    assert stacking.below_arrays(arrays) == [[1, 2], [], []]
    assert stacking.waves(stacking.below_arrays(arrays)) == [[1, 2], [0]]


def test_volumes_are_known_by_both_paths() -> None:
    volumes = (
        Luks(name="a", device="/dev/mapper/b"),
        Luks(name="b", device="/dev/disk/by-id/dm-name-c"),
        Luks(name="c", device="/dev/vdb"),
        Luks(name="d"),
    )
    assert stacking.waves(stacking.below_volumes(volumes)) == [[2, 3], [1], [0]]
