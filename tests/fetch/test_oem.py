"""oem URLs: the look-aside directories, then the partition; what is refused."""

from pathlib import Path

import pytest

from ignition.config.model import Resource
from ignition.config.model.ignition import Verification
from ignition.errors import Failure, NotFound
from ignition.fetch import oem
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from tests.loop_devices import MakeLoop, make_ext4, mounts_of

NOWHERE = "/dev/disk/by-label/no-such-label"


@pytest.fixture
def aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The look-aside directory of this system; there is no partition."""
    directory = tmp_path / "share/oem"
    directory.mkdir(parents=True)
    monkeypatch.setenv("IGNITION_OEM_LOOKASIDE_DIR", str(directory))
    monkeypatch.setenv("IGNITION_OEM_DEVICE", NOWHERE)
    return directory


def read(url: str, root: str = "/", timeout_s: float = 0.05) -> bytes:
    return b"".join(oem.stream(url, root, timeout_s=timeout_s))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("oem:///config.ign", "/config.ign"),
        ("oem:/config.ign", "/config.ign"),
        ("OEM:///a/b", "/a/b"),
        ("oem://host/a", "/a"),
        ("oem:///a%20b%25%C3%A4", "/a b%ä"),
        ("oem:///ä", "/ä"),
        ("oem:///a?b#c", "/a"),
        ("oem:////a//b/", "/a/b"),
        ("oem:///../../etc/shadow", "/etc/shadow"),
        ("oem:///%2e%2e/%2e%2e/etc/shadow", "/etc/shadow"),
    ],
)
def test_path_of_an_oem_url(url: str, path: str) -> None:
    assert oem.file_path(url) == path


@pytest.mark.parametrize("url", ["oem:config.ign", "oem:", "oem://config.ign", "oem:?a"])
def test_oem_url_without_an_absolute_path_is_refused(url: str) -> None:
    with pytest.raises(Failure) as caught:
        oem.file_path(url)
    assert (caught.value.what, caught.value.fix) == ("the path of an oem URL must be absolute", "write oem:///path")


@pytest.mark.parametrize("url", ["oem:///%", "oem:///%2", "oem:///%zz"])
def test_bad_escape_is_refused(url: str) -> None:
    with pytest.raises(Failure, match=f"^{url}: a % is not followed by two hex digits"):
        oem.file_path(url)


def test_look_aside_directory_has_the_file(aside: Path) -> None:
    (aside / "units").mkdir()
    (aside / "units/a").write_text("aside")
    assert read("oem:///units/a") == b"aside"


def test_look_aside_directory_of_the_new_root_is_next(aside: Path, tmp_path: Path) -> None:
    new = tmp_path / "sysroot"
    inside = new / str(aside).lstrip("/")
    inside.mkdir(parents=True)
    (inside / "a").write_text("new root")
    (inside / "b").symlink_to("/etc/b")
    (new / "etc").mkdir()
    (new / "etc/b").write_text("resolved inside the root")
    assert read("oem:///a", str(new)) == b"new root"
    assert read("oem:///b", str(new)) == b"resolved inside the root"
    (aside / "a").write_text("this system")
    assert read("oem:///a", str(new)) == b"this system"


@pytest.mark.parametrize("path", ["../secret", "%2e%2e/secret", "sub/../../secret"])
def test_path_does_not_climb_out_of_the_look_aside_directory(aside: Path, path: str) -> None:
    (aside.parent / "secret").write_text("outside")
    with pytest.raises(Failure, match="no such device after 0.05 s"):
        read(f"oem:///{path}")


def test_directory_is_no_file(aside: Path) -> None:
    (aside / "a").mkdir()
    with pytest.raises(Failure) as caught:
        read("oem:///a")
    assert str(caught.value) == f"oem:///a: {aside}/a is a directory (fix: name a file)"


def test_missing_partition_is_waited_for(aside: Path) -> None:
    with pytest.raises(Failure) as caught:
        read("oem:///a")
    assert (caught.value.where, caught.value.what) == ("oem:///a", f"no such device after 0.05 s: {NOWHERE}")


@pytest.fixture
def partition(aside: Path, tmp_path: Path, make_loop: MakeLoop, monkeypatch: pytest.MonkeyPatch) -> str:
    """An OEM partition; the look-aside directory is there, and empty."""
    content = tmp_path / "content"
    (content / "dir").mkdir(parents=True)
    (content / "config.ign").write_text("from the partition")
    (content / "large").write_bytes(b"0123456789abcdef" * 65536)
    (content / "dir/up").symlink_to("../config.ign")
    (content / "out").symlink_to("../../etc/passwd")
    (content / "absolute").symlink_to("/etc/passwd")
    node = make_ext4(make_loop, content, "OEM")
    monkeypatch.setenv("IGNITION_OEM_DEVICE", node)
    return node


@pytest.mark.root
def test_file_of_the_partition_is_read_offline_and_nothing_stays_mounted(partition: str) -> None:
    with Fetcher(Settings(), offline=True) as fetcher:
        assert fetcher.read(Resource(source="oem:///config.ign")) == b"from the partition"
        assert fetcher.read(Resource(source="oem:///dir/up")) == b"from the partition"
    assert mounts_of(partition) == []


@pytest.mark.root
def test_look_aside_directory_comes_before_the_partition(partition: str, aside: Path) -> None:
    (aside / "config.ign").write_text("aside")
    assert read("oem:///config.ign", timeout_s=20) == b"aside"


@pytest.mark.root
def test_reader_that_gives_up_leaves_nothing_mounted(partition: str) -> None:
    pieces = oem.stream("oem:///large", "/")
    assert next(pieces).startswith(b"0123456789abcdef")
    assert mounts_of(partition) == []  # while the file is still open


@pytest.mark.root
def test_wrong_hash_of_a_file_of_the_partition_is_an_error(partition: str) -> None:
    wrong = Resource(source="oem:///large", verification=Verification(hash="sha512-" + "0" * 128))
    with pytest.raises(Failure, match="^oem:///large: the content's sha512 is ") as caught:
        Fetcher(Settings(), offline=True).read(wrong)
    assert "the config expects 000" in caught.value.what
    assert mounts_of(partition) == []


@pytest.mark.root
@pytest.mark.parametrize(
    ("path", "kind", "what"),
    [
        pytest.param("none", NotFound, "there is no file /none, neither in {aside} nor on {device}", id="missing"),
        pytest.param(
            "config.ign/x", NotFound, "there is no file /config.ign/x, neither in {aside} nor on {device}", id="below a file"
        ),
        pytest.param("dir", Failure, "/dir is a directory", id="directory"),
        pytest.param("out", Failure, "a symlink on the way leads out of the file system", id="link with .."),
        pytest.param("absolute", Failure, "a symlink on the way leads out of the file system", id="absolute link"),
    ],
)
def test_what_the_partition_does_not_give_is_named(
    partition: str, aside: Path, path: str, kind: type[Failure], what: str
) -> None:
    with pytest.raises(Failure) as caught:
        read(f"oem:///{path}", timeout_s=20)
    assert type(caught.value) is kind
    assert (caught.value.where, caught.value.what) == (f"oem:///{path}", what.format(aside=aside, device=partition))
    assert mounts_of(partition) == []


@pytest.mark.root
def test_partition_without_a_file_system_is_named(aside: Path, make_loop: MakeLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    node = make_loop(1)
    monkeypatch.setenv("IGNITION_OEM_DEVICE", node)
    with pytest.raises(Failure, match=f"^oem:///a: {node} cannot be mounted: "):
        read("oem:///a", timeout_s=20)
