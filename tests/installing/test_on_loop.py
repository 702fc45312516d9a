"""`coreos-install` as a whole, on loop devices: what is on the disk afterwards, and that nothing boots before all is good."""

import json
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ignition.cli import install
from tests.installing.images import BOOT_CODE, MIB, OEM_START, PACK, ROOT_START, SIZE, Keys, Server, program, read
from tests.loop_devices import MakeLoop

pytestmark = pytest.mark.root

CONFIG = '{"ignition": {"version": "3.5.0"}}'


@contextmanager
def mounted(node: str, tmp_path: Path) -> Iterator[Path]:
    """A partition, read-only."""
    folder = tmp_path / "mounted"
    folder.mkdir(exist_ok=True)
    program("mount", "-o", "ro", node, folder)
    try:
        yield folder
    finally:
        program("umount", folder)


def publish(server: Server, keys: Keys, data: bytes, path: str = "/image") -> str:
    """The URL of an image and its signature."""
    server.served.files |= {path: data, f"{path}.sig": keys.sign(data)}
    return f"{server.url}{path}"


def is_blank(node: str) -> bool:
    """Neither boot code nor a table: at the beginning nothing at all, and no backup at the end."""
    size = int(program("blockdev", "--getsize64", node))
    return read(node, 0, MIB) == bytes(MIB) and read(node, size - 512, 8) != b"EFI PART"


def table(node: str) -> dict[int, dict[str, object]]:
    """The partitions that sfdisk reads, by number; it complains about a damaged or misplaced backup."""
    done = subprocess.run(["sfdisk", "--json", node], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    found = json.loads(done.stdout)["partitiontable"]["partitions"]
    return {int(part["node"].rpartition("p")[2]): part for part in found}


@pytest.mark.parametrize("format", PACK)
def test_image_from_a_server(
    format: str, image: bytes, keys: Keys, server: Server, make_loop: MakeLoop, capsys: pytest.CaptureFixture[str]
) -> None:
    node = make_loop(64)
    url = publish(server, keys, PACK[format](image))
    assert install.main(["-d", node, "-u", url, "-k", str(keys.public)]) == 0
    assert capsys.readouterr().out == (f"{node} is installed. Remove the medium that this system was started from, and reboot.\n")
    for start, length in ((OEM_START, 8), (ROOT_START, 12)):
        assert read(node, start * MIB, length * MIB) == image[start * MIB : (start + length) * MIB]
    assert read(node, 0, 440) == image[:440]
    assert {number: part["name"] for number, part in table(node).items()} == {6: "OEM", 9: "ROOT"}
    assert "\nNo problems found." in program("sgdisk", "--verify", node)
    assert read(node, 64 * MIB - 512, 8) == b"EFI PART"
    assert b"EFI PART" not in read(node, (SIZE - 1) * MIB, 2 * MIB)
    assert {Path(one).name for one in Path("/sys/class/block").glob(f"{Path(node).name}p*")} == {
        f"{Path(node).name}p6",
        f"{Path(node).name}p9",
    }


def test_everything_beside_the_image(
    image: bytes, keys: Keys, make_loop: MakeLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make_loop(64)
    files = {"image.raw": image, "image.raw.sig": keys.sign(image), "c.ign": CONFIG.encode(), "c.yml": b"#cloud-config\n"}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    network = tmp_path / "network"
    (network / "20-lan.network.d").mkdir(parents=True)
    for name, mode in (("10-own.network", 0o644), ("20-lan.network", 0o644), ("30-wg.netdev", 0o640), ("README", 0o644)):
        (network / name).write_text(f"# {name}\n")
        (network / name).chmod(mode)
    (network / "20-lan.network.d/mtu.conf").write_text("# mtu\n")
    words = ["-i", f"{tmp_path}/c.ign", "-c", f"{tmp_path}/c.yml", "-o", "ec2", "-n", "--network-dir", str(network)]
    assert install.main(["-d", node, "-f", f"{tmp_path}/image.raw", "-k", str(keys.public), *words]) == 0
    with mounted(f"{node}p6", tmp_path) as oem:
        assert (oem / "config.ign").read_text() == CONFIG
        status = (oem / "config.ign").stat()
        assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (0o600, 0, 0)
        assert (oem / "grub.cfg").read_text() == '# of the vendor\nset linux_append=x\nset oem_id="ec2"\n'
    with mounted(f"{node}p9", tmp_path) as root:
        assert (root / "var/lib/coreos-install/user_data").read_text() == "#cloud-config\n"
        folder = root / "etc/systemd/network"
        assert (folder / "10-own.network").read_text() == "[Match]\n"
        assert (folder / "20-lan.network").read_text() == "# 20-lan.network\n"
        assert (folder / "20-lan.network.d/mtu.conf").read_text() == "# mtu\n"
        secret = (folder / "30-wg.netdev").stat()
        assert (secret.st_mode & 0o7777, secret.st_gid) == (0o640, 4711)
        assert not (folder / "README").exists()


def changed(data: bytes, at: int) -> bytes:
    """One bit is flipped."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("at", [0, 100, 2 * MIB + 5, SIZE * MIB - 1])
def test_flipped_bit_never_boots(
    at: int, image: bytes, keys: Keys, server: Server, make_loop: MakeLoop, capsys: pytest.CaptureFixture[str]
) -> None:
    node = make_loop(64)
    url = publish(server, keys, image)
    server.served.files["/image"] = changed(image, at)
    assert install.main(["-d", node, "-u", url, "-k", str(keys.public)]) == 1
    error = capsys.readouterr().err
    assert "the signature is not of these bytes: they are damaged, truncated or forged" in error
    assert f"{node} does not boot now: install it again" in error
    assert is_blank(node)


def test_image_of_a_stranger_never_boots(
    image: bytes, keys: Keys, other_keys: Keys, server: Server, make_loop: MakeLoop, capsys: pytest.CaptureFixture[str]
) -> None:
    node = make_loop(64)
    url = publish(server, other_keys, image)
    assert install.main(["-d", node, "-u", url, "-k", str(keys.public)]) == 1
    assert "which is not a trusted key" in capsys.readouterr().err
    assert is_blank(node)
    assert install.main(["-d", node, "-u", url, "-k", str(other_keys.public)]) == 0


def test_truncated_download_never_boots(
    image: bytes, keys: Keys, server: Server, make_loop: MakeLoop, capsys: pytest.CaptureFixture[str]
) -> None:
    node = make_loop(64)
    url = publish(server, keys, image)
    server.served.files["/image"] = image[: 5 * MIB]
    assert install.main(["-d", node, "-u", url, "-k", str(keys.public)]) == 1
    assert "damaged, truncated or forged" in capsys.readouterr().err
    assert is_blank(node)
    # Nobody has signed it: then the table tells.
    assert install.main(["-d", node, "-u", url, "--insecure"]) == 1
    assert "the image ends before its last partition" in capsys.readouterr().err
    assert is_blank(node)


def test_kill_in_the_middle_never_boots(
    image: bytes, keys: Keys, server: Server, make_loop: MakeLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends after half of the image, as by SIGKILL or a power cut: nothing runs after it."""
    node = make_loop(64)
    url = publish(server, keys, image)

    class Killed(BaseException):
        pass

    from ignition.installing.writing import Writer

    write = Writer.write

    def dying(self: Writer, data: bytes) -> None:
        if self.position > 12 * MIB:
            raise Killed
        write(self, data)

    monkeypatch.setattr(Writer, "write", dying)
    with pytest.raises(Killed):
        install.main(["-d", node, "-u", url, "-k", str(keys.public)])
    assert is_blank(node)
    assert read(node, ROOT_START * MIB, MIB) == image[ROOT_START * MIB : (ROOT_START + 1) * MIB]


def test_local_image_is_verified_before_the_disk_is_touched(
    image: bytes, keys: Keys, make_loop: MakeLoop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = make_loop(64)
    program("mke2fs", "-q", "-F", "-t", "ext4", "-L", "mine", node)
    before = read(node, 0, 64 * MIB)
    path = tmp_path / "image.xz"
    path.write_bytes(changed(PACK["xz"](image), 12))
    (tmp_path / "image.xz.sig").write_bytes(keys.sign(PACK["xz"](image)))
    assert install.main(["-d", node, "-f", str(path), "-k", str(keys.public), "--overwrite"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"coreos-install: {path}: BAD signature of key ")
    assert "the signature is not of these bytes" in error
    assert read(node, 0, 64 * MIB) == before


def test_broken_download_is_resumed(image: bytes, keys: Keys, server: Server, make_loop: MakeLoop) -> None:
    node = make_loop(64)
    data = PACK["gz"](image)
    url = publish(server, keys, data)
    server.served.cuts["/image"] = [len(data) // 3, 1000, 0, len(data) // 3]
    assert install.main(["-d", node, "-u", url, "-k", str(keys.public)]) == 0
    asked = [(asked, condition) for path, asked, condition in server.served.requests if path == "/image"]
    first, second = len(data) // 3, len(data) // 3 + 1000
    assert asked == [
        ("", ""),
        (f"bytes={first}-", '"1"'),
        (f"bytes={second}-", '"1"'),
        (f"bytes={second}-", '"1"'),
        (f"bytes={second + first}-", '"1"'),
    ]
    assert read(node, ROOT_START * MIB, 12 * MIB) == image[ROOT_START * MIB : (ROOT_START + 12) * MIB]


def test_data_is_refused_with_a_list_of_it(
    image: bytes, keys: Keys, server: Server, make_loop: MakeLoop, capsys: pytest.CaptureFixture[str]
) -> None:
    node = make_loop(64)
    program("sfdisk", "--quiet", node, stdin="label: gpt\n1 : size=8MiB, name=photos\n2 : name=empty\n")
    program("mke2fs", "-q", "-F", "-t", "ext4", "-L", "pictures", "-E", f"offset={MIB}", node, "8M")
    before = read(node, 0, 64 * MIB)
    words = ["-d", node, "-u", publish(server, keys, image), "-k", str(keys.public)]
    assert install.main(words) == 1
    error = capsys.readouterr().err
    assert error.startswith(
        f"coreos-install: {node}: the disk holds data that would be lost: partition 1 'photos' with ext4 labelled 'pictures'"
    )
    assert "; partition 2 'empty' (fix: look at it with --plan" in error
    assert install.main([*words, "--plan"]) == 3
    shown = capsys.readouterr().out
    assert "lost: partition 1 'photos' with ext4 labelled 'pictures'" in shown
    assert "refused without --overwrite" in shown
    assert f"  write {server.url}/image to {node} and verify it\n" in shown
    assert read(node, 0, 64 * MIB) == before
    assert install.main([*words, "--overwrite"]) == 0
    assert set(table(node)) == {6, 9}


def test_plan_for_a_blank_disk(
    image: bytes, keys: Keys, server: Server, make_loop: MakeLoop, capsys: pytest.CaptureFixture[str]
) -> None:
    node = make_loop(64)
    assert install.main(["-d", node, "-u", publish(server, keys, image), "-k", str(keys.public), "--plan"]) == 2
    shown = capsys.readouterr().out
    assert f"{node}, 64 MiB\n" in shown
    assert [line.split()[:3] for line in shown.splitlines() if line.startswith("  + ")] == [
        ["+", "6", "OEM"],
        ["+", "9", "ROOT"],
    ]
    assert read(node, 0, 64 * MIB) == bytes(64 * MIB)


def test_disk_in_use_is_refused(
    image: bytes, keys: Keys, server: Server, make_loop: MakeLoop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = make_loop(64)
    program("mke2fs", "-q", "-F", "-t", "ext4", node)
    words = ["-d", node, "-u", publish(server, keys, image), "-k", str(keys.public), "--overwrite"]
    with mounted(node, tmp_path) as folder:
        before = read(node, 0, 64 * MIB)
        assert install.main(words) == 1
        assert f"coreos-install: {node}: the disk is in use (mounted on {folder})" in capsys.readouterr().err
        assert install.main([*words, "--plan"]) == 1
        assert f"refused as long as the disk is in use (mounted on {folder})" in capsys.readouterr().out
        assert read(node, 0, 64 * MIB) == before


@pytest.mark.parametrize("fails", [False, True])
def test_kept_partitions(
    fails: bool, image: bytes, keys: Keys, server: Server, make_loop: MakeLoop, capsys: pytest.CaptureFixture[str]
) -> None:
    """One by its number, one by its label, whose number the image needs; also where the installation fails."""
    node = make_loop(96)
    script = "label: gpt\n1 : size=4MiB\n9 : start=51200, size=4MiB, name=data\n12 : start=61440, size=8MiB, name=more\n"
    program("sfdisk", "--quiet", node, stdin=script)
    old = table(node)
    content = random.Random(2).randbytes(8 * MIB)
    with open(node, "r+b") as file:
        file.seek(51200 * 512)
        file.write(content[: 4 * MIB])
        file.seek(61440 * 512)
        file.write(content)
    url = publish(server, keys, image)
    if fails:
        server.served.files["/image"] = changed(image, 7 * MIB)
    words = ["-d", node, "-u", url, "-k", str(keys.public), "--overwrite", "--keep-partitions", "da*", "--keep-partitions", "12"]
    assert install.main(words) == (1 if fails else 0)
    new = table(node)
    if fails:
        assert {number: part["name"] for number, part in new.items()} == {9: "data", 12: "more"}
        assert read(node, 0, 440) == bytes(440)
    else:
        assert {number: part["name"] for number, part in new.items()} == {6: "OEM", 9: "ROOT", 12: "more", 13: "data"}
    assert new[12] == old[12]
    assert {**new[9 if fails else 13], "node": ""} == {**old[9], "node": ""}
    assert read(node, 51200 * 512, 4 * MIB) == content[: 4 * MIB]
    assert read(node, 61440 * 512, 8 * MIB) == content


def test_partition_in_the_way_is_kept_once_it_was_moved(
    image: bytes, keys: Keys, server: Server, make_loop: MakeLoop, capsys: pytest.CaptureFixture[str]
) -> None:
    """The remedy of the error is run as it stands; the partition then begins at the very sector behind the image's ROOT."""
    node = make_loop(64)
    program("sfdisk", "--quiet", node, stdin="label: gpt\n1 : size=8MiB, name=photos\n9 : start=61440, name=late\n")
    content = random.Random(4).randbytes(8 * MIB)
    with open(node, "r+b") as file:
        file.seek(MIB)
        file.write(content)
    url = publish(server, keys, image)
    words = ["-d", node, "-u", url, "-k", str(keys.public), "--overwrite", "--keep-partitions", "photos"]
    assert install.main(words) == 1
    remedy = capsys.readouterr().err.partition(" by: ")[2].strip().removesuffix(")")
    subprocess.run(["sh", "-euc", remedy], check=True, capture_output=True)
    assert install.main(words) == 0
    new = table(node)
    assert {number: part["name"] for number, part in new.items()} == {1: "photos", 6: "OEM", 9: "ROOT"}
    behind = int(str(new[9]["start"])) + int(str(new[9]["size"]))
    assert new[1]["start"] == behind
    assert read(node, behind * 512, 8 * MIB) == content


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            ["--keep-partitions", "1"],
            "partition 1 ('photos', sectors 2048 to 18431) lies where the image does, which needs all sectors up to 45055"
            " (fix: after a backup, move partition 1 by: echo 45056 | sfdisk --move-data -N 1 {node})",
            id="overlaps",
        ),
        pytest.param(["--keep-partitions", "9"], "the image has a partition 9 of its own ('ROOT')", id="number is taken"),
        pytest.param(["--keep-partitions", "x*"], "--keep-partitions x*: {node} does not have such a partition", id="absent"),
        pytest.param(["--append-karg", "a=b"], "--append-karg: the image does not have an EFI system partition", id="no ESP"),
        pytest.param(["-i", "{tmp}/cloud"], "{tmp}/cloud: not an Ignition config (fix: pass a cloud-config by -c)", id="kind"),
        pytest.param(["-i", "{tmp}/bad.ign"], "{tmp}/bad.ign", id="invalid config"),
        pytest.param(["-c", "{tmp}/bad.ign"], "{tmp}/bad.ign: an Ignition config (fix: pass it by -i)", id="not a cloud-config"),
        pytest.param(["-c", "{tmp}/rubbish"], 'must be "#cloud-config" or begin with', id="invalid cloud-config"),
        pytest.param(["-k", "{tmp}/cloud"], "{tmp}/cloud: not a file of OpenPGP public keys", id="not keys"),
        pytest.param(["-n", "--network-dir", "{tmp}/none"], "--copy-network: there are no files of networkd", id="no network"),
        pytest.param(["--append-karg", "coreos.first_boot=1"], "reserved for the boot loader", id="magic"),
    ],
)
def test_refusals_leave_the_disk_alone(
    words: list[str],
    message: str,
    image: bytes,
    keys: Keys,
    server: Server,
    make_loop: MakeLoop,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    node = make_loop(64)
    program("sfdisk", "--quiet", node, stdin="label: gpt\n1 : size=8MiB, name=photos\n9 : start=61440, name=late\n")
    before = read(node, 0, 64 * MIB)
    (tmp_path / "cloud").write_text("#cloud-config\n")
    (tmp_path / "rubbish").write_text("rubbish\n")
    (tmp_path / "bad.ign").write_text('{"ignition": {"version": "9.9.9"}}')
    given = [word.replace("{tmp}", str(tmp_path)) for word in words]
    own = ["-k", str(keys.public)] if "-k" not in given else []
    assert install.main(["-d", node, "-u", publish(server, keys, image), "--overwrite", *own, *given]) == 1
    assert message.replace("{tmp}", str(tmp_path)).replace("{node}", node) in capsys.readouterr().err
    assert read(node, 0, 64 * MIB) == before


@pytest.mark.parametrize(
    ("mib", "sector_size", "message"),
    [
        (16, 512, "the disk is too small: it has 16777216 bytes, and the image needs 25165824"),
        (64, 4096, "not an image of a disk with a GPT and sectors of 4096 bytes"),
    ],
)
def test_disk_that_the_image_does_not_fit(
    mib: int, sector_size: int, message: str, image: bytes, keys: Keys, server: Server, make_loop: MakeLoop,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    node = make_loop(mib, sector_size=sector_size)
    assert install.main(["-d", node, "-u", publish(server, keys, image), "-k", str(keys.public)]) == 1
    assert message in capsys.readouterr().err
    assert read(node, 0, mib * MIB) == bytes(mib * MIB)


def test_error_page_never_reaches_the_disk(
    keys: Keys, server: Server, make_loop: MakeLoop, capsys: pytest.CaptureFixture[str]
) -> None:
    node = make_loop(64)
    url = publish(server, keys, b"<html>not here</html>")
    assert install.main(["-d", node, "-u", url, "-k", str(keys.public)]) == 1
    assert f"coreos-install: {url}: not an image of a disk with a GPT" in capsys.readouterr().err
    del server.served.files["/image.sig"]
    assert install.main(["-d", node, "-u", url, "-k", str(keys.public)]) == 1
    assert f"{url}.sig: HTTP status 404" in capsys.readouterr().err
    assert read(node, 0, 64 * MIB) == bytes(64 * MIB)


def test_old_data_does_not_shine_through_the_holes(image: bytes, keys: Keys, server: Server, make_loop: MakeLoop) -> None:
    """The zeros of an image are zeros on the disk, whatever was there before."""
    node = make_loop(64)
    with open(node, "r+b") as file:
        file.write(b"\xff" * (64 * MIB))
    assert install.main(["-d", node, "-u", publish(server, keys, image), "-k", str(keys.public)]) == 0
    assert read(node, ROOT_START * MIB, 12 * MIB) == image[ROOT_START * MIB : (ROOT_START + 12) * MIB]
    assert BOOT_CODE == read(node, 0, len(BOOT_CODE))


def test_partition_is_not_a_disk(make_loop: MakeLoop, capsys: pytest.CaptureFixture[str]) -> None:
    node = make_loop(64)
    program("sfdisk", "--quiet", node, stdin="label: gpt\n1 : size=8MiB\n")
    program("partx", "--add", node)
    assert install.main(["-d", f"{node}p1", "-f", "/dev/null", "--insecure"]) == 1
    assert f"coreos-install: {node}p1: partition 1 of {node}, not a disk (fix: name the disk)" in capsys.readouterr().err


def test_links_lead_to_disk_and_partition(
    image: bytes, make_loop: MakeLoop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As those of /dev/disk: by-id of a disk, by-label of a partition. LABEL= of fstab is not the name of a device."""
    node = make_loop(64)
    (tmp_path / "image").write_bytes(image)
    (tmp_path / "by-id").symlink_to(node)
    words = ["-f", str(tmp_path / "image"), "--insecure"]
    assert install.main(["-d", str(tmp_path / "by-id"), "--plan", *words]) == 2
    assert f"erase boot code and partition table of {node}\n" in capsys.readouterr().out
    assert install.main(["-d", "LABEL=ROOT", *words]) == 1
    assert "LABEL=ROOT: no such device (fix: check the device's name" in capsys.readouterr().err
    assert install.main(["-d", str(tmp_path / "by-id"), *words]) == 0
    (tmp_path / "by-label").symlink_to(f"{node}p6")
    assert install.main(["-d", str(tmp_path / "by-label"), "--overwrite", *words]) == 1
    assert f"{tmp_path}/by-label: partition 6 of {node}, not a disk (fix: name the disk)" in capsys.readouterr().err
