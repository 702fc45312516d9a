"""oem URLs on the way of a boot: config references and an authority without a network, contents from the new root, the cache."""

import json
from pathlib import Path

import pytest

from ignition.cli.ignition import main
from ignition.config import dataurl
from ignition.errors import Failure
from tests.fetch.certificates import Certificates
from tests.fetch.certificates import make as make_certificates
from tests.stages.conftest import Boot
from tests.stages.test_fetch import cached_files


@pytest.fixture
def aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The look-aside directory of this system; there is no OEM partition."""
    directory = tmp_path / "share/oem"
    directory.mkdir(parents=True)
    monkeypatch.setenv("IGNITION_OEM_LOOKASIDE_DIR", str(directory))
    return directory


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def old(*files: tuple[str, str], **about: object) -> str:
    nodes = [{"filesystem": "root", "path": path, "mode": 420, "contents": {"source": source}} for path, source in files]
    return json.dumps({"ignition": {"version": "2.2.0", **about}, "storage": {"files": nodes}})


@pytest.mark.parametrize("reference", [{"append": [{"source": "oem:///more.ign"}]}, {"replace": {"source": "oem:///more.ign"}}])
def test_reference_needs_no_network(boot: Boot, aside: Path, reference: dict[str, object]) -> None:
    (aside / "more.ign").write_text(old(("/more", "oem:///content")))
    boot.config(old(config=reference))
    boot.execute("fetch-offline")
    assert cached_files(boot) == ["/more"]
    assert boot.files() == {"cache.json", "config.sha512", "texts", "state", "operations.jsonl"}
    assert json.loads((boot.run / "state").read_text())["fetchedConfigs"][-1] == {
        "kind": "user",
        "source": "/more.ign",
        "referenced": True,
    }


def test_config_url_of_the_kernel_command_line_may_be_one(boot: Boot, aside: Path) -> None:
    (aside / "config.ign").write_text(old(("/a", "data:,a")))
    boot.cmdline("coreos.config.url=oem:///config.ign")
    boot.execute("fetch-offline")
    assert cached_files(boot) == ["/a"]


def test_authority_goes_into_the_cache(boot: Boot, aside: Path, certificates: Certificates) -> None:
    pem = certificates.authority
    (aside / "ca.pem").write_bytes(pem)
    boot.config(old(security={"tls": {"certificateAuthorities": [{"source": "oem:///ca.pem"}]}}))
    boot.execute("fetch-offline")
    assert dataurl.encode(pem) in json.dumps(boot.cache())


def test_unreadable_reference_ends_the_boot_and_asks_for_no_network(boot: Boot, aside: Path) -> None:
    (aside / "more.ign").mkdir()
    boot.config(old(config={"append": [{"source": "oem:///more.ign"}]}))
    with pytest.raises(Failure) as caught:
        boot.execute("fetch-offline")
    assert (caught.value.where, caught.value.what) == ("oem:///more.ign", f"{aside}/more.ign is a directory")
    assert boot.files() == {"operations.jsonl"}


@pytest.mark.root
def test_files_stage_reads_the_new_roots_directory(boot: Boot, aside: Path, tmp_path: Path) -> None:
    root = tmp_path / "sysroot"
    inside = root / str(aside).lstrip("/")
    inside.mkdir(parents=True)
    (inside / "content").write_text("of the new root")
    (root / "etc").mkdir()
    for name in ("passwd", "group"):
        (root / "etc" / name).write_text("root:x:0:\n" if name == "group" else "root:x:0:0::/root:/bin/sh\n")
    boot.config(old(("/etc/vendor", "oem:///content")))
    flags = ["-platform", "file", "-root", str(root), "-log-to-stdout", "-config-cache", str(boot.run / "cache.json")]
    flags += ["-state-file", str(boot.run / "state"), "-neednet", str(boot.run / "neednet")]
    assert [main(["-stage", stage, *flags]) for stage in ("fetch-offline", "files")] == [0, 0]
    assert (root / "etc/vendor").read_text() == "of the new root"
