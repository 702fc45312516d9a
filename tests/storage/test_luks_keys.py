"""Keys: where they are, and that they are nowhere else."""

import os
import stat
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.host.root import Root
from ignition.storage import luks_keys
from ignition.storage.luks_keys import Keys, checked, key_file
from tests.loop_devices import MakeLoop, make_ext4, make_loop, mounts_of

__all__ = ["make_loop"]


def test_generated_key_is_random_hexadecimal_digits_as_ignitions() -> None:
    keys = Keys()
    one, two = keys.generate("a"), keys.generate("b")
    assert len(one) == 8192
    assert set(one) <= set(b"0123456789abcdef")
    assert one != two
    assert keys.of("a") == one


def test_any_bytes_survive_the_state_file() -> None:
    keys = Keys()
    keys.put("data", bytes(range(256)))
    state = keys.persisted()
    assert state["data"].startswith("data:;base64,")
    assert Keys(state).get("data") == bytes(range(256))


def test_dropped_key_is_not_persisted() -> None:
    keys = Keys({"data": "data:,KEY"})
    keys.drop("data")
    keys.drop("data")
    assert (keys.persisted(), keys.get("data")) == ({}, None)
    with pytest.raises(Failure) as caught:
        keys.of("data")
    assert caught.value.what == "the key of volume data is lost"
    assert caught.value.fix == "this is a bug in ignition, please report it"


@pytest.mark.parametrize(
    ("key", "what", "fix"),
    [
        pytest.param(b"", "the key file is empty", "serve the key there, or omit keyFile: then a key is generated", id="empty"),
        pytest.param(
            bytes((8 << 20) + 1), "the key file has 8388609 bytes, cryptsetup accepts 8388608", "use a shorter key", id="too long"
        ),
    ],
)
def test_key_that_cryptsetup_does_not_take_is_refused(key: bytes, what: str, fix: str) -> None:
    with pytest.raises(Failure) as caught:
        checked(key)
    assert (caught.value.what, caught.value.fix) == (what, fix)


def test_longest_key_is_taken() -> None:
    assert len(checked(bytes(luks_keys.MOST_BYTES))) == 8 << 20


def test_key_file_is_for_its_owner_alone_and_goes_away(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with key_file(b"\0KEY\n\xff", base=str(tmp_path / "run")) as path:
            assert Path(path).read_bytes() == b"\0KEY\n\xff"
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
            assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    finally:
        os.umask(before)
    assert list((tmp_path / "run").iterdir()) == []


def test_key_file_goes_away_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(Failure), key_file(b"KEY", base=str(tmp_path)):
        raise Failure("no")
    assert list(tmp_path.iterdir()) == []


def test_key_of_a_mounted_root_is_found(tmp_path: Path) -> None:
    (tmp_path / "etc/luks").mkdir(parents=True)
    (tmp_path / "etc/luks/data").write_bytes(b"KEY")
    (tmp_path / "etc/luks/directory").mkdir()
    (tmp_path / "etc/luks/link").symlink_to("/etc/luks/data")
    found = luks_keys.find_root_key(["data", "absent", "directory", "link"], Root(str(tmp_path)))
    assert found == {"data": b"KEY", "link": b"KEY"}


def command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Root:
    """A root that nothing is mounted at yet."""
    (tmp_path / "cmdline").write_text(text)
    (tmp_path / "sysroot").mkdir()
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    return Root(str(tmp_path / "sysroot"))


@pytest.mark.root
def test_key_of_a_root_that_is_not_mounted_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_loop: MakeLoop) -> None:
    (tmp_path / "content/etc/luks").mkdir(parents=True)
    (tmp_path / "content/etc/luks/data").write_bytes(b"KEY")
    node = make_ext4(make_loop, tmp_path / "content", "TEST-ROOT")
    root = command_line(tmp_path, monkeypatch, f"quiet root={node} rw")
    assert luks_keys.find_root_key(["data", "absent"], root) == {"data": b"KEY"}
    assert mounts_of(node) == []


@pytest.mark.root
def test_root_that_cannot_be_mounted_has_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_loop: MakeLoop) -> None:
    assert luks_keys.find_root_key(["data"], command_line(tmp_path, monkeypatch, f"root={make_loop(16)}")) == {}


@pytest.mark.parametrize("text", ["root=LABEL=no-such-root", "root=nfs", "quiet"])
def test_root_that_is_not_up_has_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert luks_keys.find_root_key(["data"], command_line(tmp_path, monkeypatch, text)) == {}


def test_without_a_name_nothing_is_looked_at(tmp_path: Path) -> None:
    assert luks_keys.find_root_key([], Root(str(tmp_path / "absent"))) == {}
