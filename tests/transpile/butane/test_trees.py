"""Local directories that become files, links and directories."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ignition.transpile.butane import Translation, translate
from ignition.transpile.butane.result import raw
from tests.transpile.butane.test_corpus import unpacked

EXISTS = "matching filesystem node has existing contents or different type"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A files directory with a tree of each kind of node that is allowed, and some outside of it."""
    files = tmp_path / "files"
    tree = files / "tree"
    (tree / "etc/empty").mkdir(parents=True)
    (tree / "etc/b").write_text("b\n")
    (tree / "etc/a").write_text("a\n")
    (tree / "run").write_text("#!/bin/sh\n")
    (tree / "run").chmod(0o744)
    (tree / "etc/link").symlink_to("../run")
    (files / "file").write_text("no tree\n")
    (tmp_path / "outside").mkdir()
    return files


def transpiled(files: Path | None, trees: str, more: str = "", version: str = "flatcar 1.2.0-experimental") -> Translation:
    variant, _, number = version.partition(" ")
    text = f"variant: {variant}\nversion: {number}\nstorage:\n  trees: {trees}\n{more}"
    return translate(text.encode(), name="x", files_dir=None if files is None else str(files))


def storage(done: Translation) -> dict[str, Any]:
    assert done.text, done
    made: dict[str, Any] = unpacked(json.loads(done.text))["storage"]
    return made


def file(path: str, text: str, mode: int, **more: Any) -> dict[str, Any]:
    return {"path": path, "contents": {"compression": "", "holds": text}, "mode": mode, **more}


def test_tree_is_read_in_lexical_order(files: Path) -> None:
    assert storage(transpiled(files, "[{local: tree}]", version="fcos 1.1.0")) == {
        "files": [file("/etc/a", "a\n", 0o644), file("/etc/b", "b\n", 0o644), file("/run", "#!/bin/sh\n", 0o755)],
        "links": [{"path": "/etc/link", "target": "../run"}],
    }


def test_tree_goes_below_its_path_after_the_document_s_own_entries(files: Path) -> None:
    more = "  files: [{path: /z}]\n"
    made = storage(transpiled(files, "[{local: /tree/etc/../etc/, path: /opt/it}]", more))
    assert [one["path"] for one in made["files"]] == ["/z", "/opt/it/a", "/opt/it/b"]
    assert made["links"] == [{"path": "/opt/it/link", "target": "../run"}]


def test_entries_without_contents_are_completed(files: Path) -> None:
    more = (
        "  files:\n"
        "    - {path: /etc/b, mode: 0600, user: {name: core}}\n"
        "    - {path: /run, overwrite: true}\n"
        "  links: [{path: /etc/link, hard: true}]\n"
    )
    assert storage(transpiled(files, "[{local: tree, file_mode: 0640}]", more)) == {
        "files": [
            file("/etc/b", "b\n", 0o600, user={"name": "core"}),
            file("/run", "#!/bin/sh\n", 0o640, overwrite=True),
            file("/etc/a", "a\n", 0o640),
        ],
        "links": [{"path": "/etc/link", "hard": True, "target": "../run"}],
    }


def test_owners_and_modes_apply_to_all_that_is_made(files: Path) -> None:
    owner = {"user": {"id": 500}, "group": {"name": "core"}}
    made = storage(transpiled(files, "[{local: tree, path: /srv, user: {id: 500}, group: {name: core}, dir_mode: 0700}]"))
    assert made["directories"] == [{"path": path, "mode": 0o700, **owner} for path in ("/srv", "/srv/etc", "/srv/etc/empty")]
    assert made["files"][0] == file("/srv/etc/a", "a\n", 0o644, **owner)
    assert made["links"] == [{"path": "/srv/etc/link", "target": "../run", **owner}]


@pytest.mark.parametrize("asked", ["user: {name: core}", "group: {id: 0}", "dir_mode: 0755"])
def test_directories_come_with_an_owner_or_a_mode_of_theirs(files: Path, asked: str) -> None:
    made = storage(transpiled(files, f"[{{local: tree/etc, path: /x, {asked}}}]"))
    assert [(one["path"], one["mode"]) for one in made["directories"]] == [("/x", 0o755), ("/x/empty", 0o755)]


def test_file_mode_alone_adds_no_directories(files: Path) -> None:
    made = storage(transpiled(files, "[{local: tree, file_mode: 0400}]"))
    assert "directories" not in made
    assert {one["mode"] for one in made["files"]} == {0o400}


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ("  files: [{path: /etc/a, contents: {inline: x}}]\n", "/etc/a"),
        ('  files: [{path: /etc/a, contents: {inline: ""}}]\n', "/etc/a"),
        ("  links: [{path: /etc/link, target: x}]\n", "/etc/link"),
        ("  links: [{path: /etc/a, target: x}]\n", "/etc/a"),
        ("  directories: [{path: /run}]\n", "/run"),
        ("  files: [{path: /etc/link}]\n", "/etc/link"),
    ],
    ids=["file with contents", "empty contents", "link with target", "link for file", "directory for file", "file for link"],
)
def test_what_says_something_else_is_refused(files: Path, more: str, path: str) -> None:
    done = transpiled(files, "[{local: tree}]", more)
    assert raw(done.report) == f"error at $.storage.trees.0, line 4 col 11: {EXISTS}: {path}\n"
    assert (done.text, done.failure) == (None, "source config is invalid")


def test_directory_of_the_document_clashes_with_one_that_is_made(files: Path) -> None:
    done = transpiled(files, "[{local: tree, dir_mode: 0755}]", "  directories: [{path: /etc, mode: 0700}]\n")
    assert raw(done.report) == f"error at $.storage.trees.0, line 4 col 11: {EXISTS}: /etc\n"


def test_two_trees_with_the_same_file(files: Path) -> None:
    done = transpiled(files, "[{local: tree}, {local: tree/etc, path: /etc}]")
    assert [entry.path for entry in done.report.entries] == ["$.storage.trees.1"] * 3


def test_other_nodes_are_refused_and_walking_goes_on(files: Path) -> None:
    os.mkfifo(files / "tree/etc/aa")
    done = transpiled(files, "[{local: tree}]", "  files: [{path: /run, contents: {inline: x}}]\n")
    assert [entry.message for entry in done.report.entries] == [
        "trees may only contain files, directories, and symlinks",
        f"{EXISTS}: /run",
    ]


@pytest.mark.parametrize(
    ("local", "message"),
    [
        ("absent", "stat FILES/absent: no such file or directory"),
        ("file", "root of tree must be a directory"),
        ("../outside", "local file path traverses outside the files directory"),
        ("tree/../../outside", "local file path traverses outside the files directory"),
    ],
)
def test_tree_that_is_none(files: Path, local: str, message: str) -> None:
    done = transpiled(files, f"[{{local: {local}}}, {{local: tree}}]")
    assert [entry.message.replace(str(files), "FILES") for entry in done.report.entries] == [message]


def test_tree_needs_local_and_a_files_directory(files: Path) -> None:
    assert raw(transpiled(files, "[{path: /a}]").report) == "error at $.storage.trees.0, line 4 col 11: local is required\n"
    done = transpiled(None, "[{local: tree}, {local: tree}]")
    assert raw(done.report) == (
        "error at $.storage.trees.0, line 4 col 11: local file paths are relative to a files directory that must be specified"
        " with -d/--files-dir\n"
    )
    assert "inline" in done.report.entries[0].fix


def test_directory_that_cannot_be_read_does_not_end_the_walk(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read every directory, so the system call is told to fail."""
    listdir = os.listdir

    def refusing(path: str) -> list[str]:
        if path.endswith("/etc"):
            raise PermissionError(13, "Permission denied")
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refusing)
    done = transpiled(files, "[{local: tree}]", "  files: [{path: /run, contents: {inline: x}}]\n")
    assert [entry.message.replace(str(files), "FILES") for entry in done.report.entries] == [
        "open FILES/tree/etc: permission denied",
        f"{EXISTS}: /run",
    ]


def test_root_that_is_a_link_becomes_a_link(files: Path) -> None:
    (files / "alias").symlink_to("tree")
    assert storage(transpiled(files, "[{local: alias, path: /it}]")) == {"links": [{"path": "/it", "target": "tree"}]}


def test_finding_about_a_tree_s_file_is_shown_at_the_tree(files: Path) -> None:
    (files / "tree/etc/systemd/system").mkdir(parents=True)
    (files / "tree/etc/systemd/system/a.service").write_text("x")
    more = 'systemd: {units: [{name: a.service, contents: "[Unit]"}]}\n'
    done = transpiled(files, "[{local: tree}]", more)
    assert raw(done.report) == (
        "error at $.storage.trees.0, line 4 col 11: the systemd section also writes a unit or drop-in to this path\n"
    )
