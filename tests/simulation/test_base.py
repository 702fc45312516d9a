"""What is copied from a base: the parts that the stage depends on, with owners, and nothing from elsewhere."""

import os
from pathlib import Path

import pytest

from .conftest import NOBODY, Place, file, ignition
from .test_simulate import HASH, KEY

ACCOUNTS = {
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\ncore:x:500:500::/home/core:/bin/bash\n",
    "/etc/group": "root:x:0:\ncore:x:500:\ndocker:x:233:\n",
}
NOTHING = ignition()


def test_parts_of_an_image(place: Place) -> None:
    image = place.tree(
        "image",
        {
            **ACCOUNTS,
            "/etc/deep/er/file": "x",
            "/home": "-> var/home",
            "/var/home/core/.bashrc": "mine",
            "/var/cache/large": "not needed",
            "/usr/lib/systemd/system/docker.service": "[Install]\nWantedBy=multi-user.target\n",
            "/usr/lib/systemd/system-preset/90-x.preset": "disable *\n",
            "/usr/bin/tool": "not needed",
            "/usr/share/other": "not needed",
            "/lib": "-> usr/lib",
            "/opt/app/old": "old",
            "/opt/app/other": "not needed",
        },
    )
    config = ignition(storage={"files": [{"path": "/opt/app/old", "append": [{"source": "data:,%2Bnew"}]}]})
    assert place.run(config, "-base", image)[0] == 0
    root = place.out / "root"
    assert place.text("/opt/app/old") == "old+new"
    assert (os.readlink(root / "home"), os.readlink(root / "lib")) == ("var/home", "usr/lib")
    assert place.text("/etc/deep/er/file") == "x"
    assert place.text("/usr/lib/systemd/system/docker.service").startswith("[Install]")
    missing = ["var/cache", "usr/bin", "usr/share/other", "opt/app/other", "var/home/core"]
    assert [path for path in missing if (root / path).exists()] == []
    nodes = place.nodes()
    assert "operation" not in nodes["/etc/deep/er/file"] and nodes["/opt/app/old"]["operation"] == "write-file"
    assert place.manifest()["base"] == image


def test_units_of_the_image_are_enabled_by_links(place: Place) -> None:
    image = place.tree("image", {**ACCOUNTS, "/usr/lib/systemd/system/d.service": "[Install]\nWantedBy=multi-user.target\n"})
    config = ignition(systemd={"units": [{"name": "d.service", "enabled": True}]})
    status, out, _ = place.run(config, "-base", image, "-assert", place.put("a", '{"units": {"d.service": {"enabled": true}}}'))
    assert (status, "warning" in out) == (0, False)
    assert "/etc/systemd/system/multi-user.target.wants/d.service" in place.nodes()


@pytest.mark.root
def test_existing_user_is_changed(place: Place) -> None:
    image = place.tree(
        "image", {**ACCOUNTS, "/home/core/.ssh/authorized_keys": "old key\n", "/etc/shadow": "core:*:1:0:99999:7:::\n"}
    )
    for path in ("home/core", "home/core/.ssh", "home/core/.ssh/authorized_keys"):
        os.chown(f"{image}/{path}", 500, 500)
    user = {"name": "core", "groups": ["docker"], "sshAuthorizedKeys": [KEY], "passwordHash": HASH, "shell": "/bin/zsh"}
    assert place.run(ignition(passwd={"users": [user]}), "-base", image)[0] == 0
    assert "core:x:500:500::/home/core:/bin/zsh\n" in place.text("/etc/passwd")
    assert "docker:x:233:core\n" in place.text("/etc/group")
    assert place.text("/etc/shadow").startswith(f"core:{HASH}:")
    assert place.text("/home/core/.ssh/authorized_keys") == f"{KEY}\n"


def test_accounts_are_deleted(place: Place) -> None:
    image = place.tree("image", {**ACCOUNTS, "/home/core/x": ""})
    config = ignition(
        passwd={"users": [{"name": "core", "shouldExist": False}], "groups": [{"name": "docker", "shouldExist": False}]}
    )
    assert place.run(config, "-base", image)[0] == 0
    assert "core" not in place.text("/etc/passwd") and "docker" not in place.text("/etc/group")


def test_account_of_the_image_outside_of_etc(place: Place) -> None:
    image = place.tree(
        "image",
        {
            "/etc/passwd": "root:x:0:0::/root:/bin/sh\n",
            "/etc/group": "root:x:0:\n",
            "/etc/nsswitch.conf": "passwd: files altfiles\ngroup: files altfiles\n",
            "/usr/lib/passwd": "core:x:500:500::/home/core:/bin/bash\n",
            "/usr/lib/group": "core:x:500:\ndocker:x:233:\n",
        },
    )
    assert place.run(ignition(passwd={"users": [{"name": "core", "groups": ["docker"]}]}), "-base", image)[0] == 0
    assert "core:x:500:500:" in place.text("/etc/passwd") and "docker:x:233:core\n" in place.text("/etc/group")


@pytest.mark.root
def test_owner_of_the_base_counts_as_root(place: Place) -> None:
    image = Path(place.tree("image", {**ACCOUNTS, "/etc/mine": "", "/etc/other": ""}))
    for path in (image, *image.rglob("*")):
        os.chown(path, 1234, 1235)
    os.chown(image / "etc/other", 7, 8)
    assert place.run(NOTHING, "-base", str(image))[0] == 0
    owners = {path: (node["uid"], node["gid"]) for path, node in place.nodes().items()}
    assert (owners["/etc/mine"], owners["/etc/passwd"], owners["/etc/other"]) == ((0, 0), (0, 0), (7, 8))


@pytest.mark.root
def test_parts_that_cannot_be_read_are_named(place: Place) -> None:
    image = Path(
        place.tree("image", {**ACCOUNTS, "/etc/shadow": "core:secret:1::::::\n", "/etc/closed/x": "", "/etc/skel/.x": ""})
    )
    (image / "etc/shadow").chmod(0o600)
    (image / "etc/closed").chmod(0o700)
    status, out, err = place.run_as_nobody(ignition(passwd={"users": [{"name": "ann"}]}), "-base", str(image))
    assert status == 0, err
    assert f"not simulated: {image}/etc/shadow, which is not readable\n" in out
    assert f"not simulated: {image}/etc/closed, which is not readable\n" in out
    assert place.text("/etc/shadow").startswith("root:*:::::::\ncore:*:::::::\nann:*:")
    assert {(place.out / "root/home/ann/.x").lstat().st_uid} == {NOBODY}
    assert place.nodes()["/home/ann/.x"]["user"] == "ann"


def test_special_files_are_left_out(place: Place) -> None:
    image = Path(place.tree("image", ACCOUNTS))
    os.mkfifo(image / "etc/pipe")
    assert place.run(NOTHING, "-base", str(image))[0] == 0
    assert "/etc/pipe" not in place.nodes()


def test_loop_of_symlinks_in_the_base(place: Place) -> None:
    image = place.tree("image", {**ACCOUNTS, "/a": "-> b", "/b": "-> a", "/usr/lib/systemd/system": "-> system"})
    assert place.run(NOTHING, "-base", image)[0] == 0
    assert place.nodes()["/a"]["target"] == "b"


def test_base_that_contains_the_result_is_refused(place: Place) -> None:
    image = Path(place.tree("image", ACCOUNTS))
    place.top = image / "etc"
    status, _, err = place.run(ignition(storage={"files": [file("/a")]}), "-base", str(image))
    assert status == 1 and "the base would be copied into itself (fix: choose a directory elsewhere)" in err


def test_base_that_does_not_exist(place: Place) -> None:
    status, _, err = place.run(NOTHING, "-base", str(place.top / "none"))
    assert status == 1 and f"{place.top}/none: directory does not exist" in err
    assert place.manifest()["result"] == "failed"
