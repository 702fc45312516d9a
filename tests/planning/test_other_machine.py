"""A plan is for the machine of the facts: nothing of this one decides."""

from typing import Any

import pytest

from ignition.config.parse import parse
from ignition.errors import Failure
from ignition.facts.document import Facts, Node
from ignition.fetch.engine import Fetcher, Settings
from ignition.planning.changes import Changes
from ignition.planning.stages import Planner
from ignition.planning.tree import KnownTree, Recorder

ROOT = Node("directory", 0o755)
DEFS = (
    "UID_MIN 5000\nUID_MAX 5003\nSYS_UID_MIN 300\nSYS_UID_MAX 310\nGID_MIN 7000\nSYS_GID_MAX 400\nUSERGROUPS_ENAB no\nUMASK 027\n"
)
USERADD = "GROUP=7100\nHOME=/var/home\nSHELL=/bin/zsh\n"
PASSWD = "root:x:0:0:root:/root:/bin/sh\nann:x:5001:7100::/var/home/ann:/bin/sh\nsvc:x:310:310::/:/bin/false\n"
GROUP = "root:x:0:\npeople:x:7100:\nsvc:x:310:\n"
FILES = {
    "/etc/passwd": PASSWD,
    "/etc/group": GROUP,
    "/etc/shadow": "root:*:1::::::\n",
    "/etc/login.defs": DEFS,
    "/etc/default/useradd": USERADD,
}


class Whole(KnownTree):
    """A root of which everything is known: other nodes do not exist."""

    def node(self, path: str) -> Node | None:
        return self._nodes.get(path)


def tree(files: dict[str, str], *directories: str) -> Whole:
    nodes: dict[str, Node | None] = {path: Node("file", 0o644, size=len(text), text=text) for path, text in files.items()}
    for path in (*files, *directories):
        parts = path.split("/")
        nodes |= {"/".join(parts[:count]) or "/": ROOT for count in range(1, len(parts))}
    return Whole(nodes | {path: ROOT for path in directories})


def planned(text: str, files: dict[str, str], *directories: str, arguments: str = "") -> tuple[Planner, Changes]:
    """The plan of a config for a machine with these files."""
    config = parse(text.encode()).config
    assert config is not None
    with Fetcher(Settings(), offline=True) as fetcher:
        planner = Planner(config, Facts(kernel_arguments=arguments), tree(files, *directories), fetcher, "qemu")
        changes = Changes.of(planner, str, shows_contents=False)
        planner.run(changes.seen)
    return planner, changes


def lines(planner: Planner, path: str) -> list[str]:
    return planner.overlay.read(path).decode().splitlines()


def test_ids_groups_and_homes_follow_the_settings_of_the_root() -> None:
    text = """{"ignition": {"version": "3.4.0"}, "passwd": {
      "groups": [{"name": "web"}, {"name": "daemons", "system": true}],
      "users": [{"name": "bob"}, {"name": "cron", "system": true},
                {"name": "eve", "shell": "/bin/sh", "primaryGroup": "web"}]}}"""
    planner, _ = planned(text, FILES)
    assert lines(planner, "/etc/passwd")[3:] == [
        "bob:x:5002:7100::/var/home/bob:/bin/zsh",
        "cron:x:309:7100::/var/home/cron:/bin/zsh",
        "eve:x:5003:7101::/var/home/eve:/bin/sh",
    ]
    assert lines(planner, "/etc/group")[3:] == ["web:x:7101:", "daemons:x:309:"]
    assert planner.overlay.node("/var/home/bob") == Node("directory", 0o750, 5002, 7100)


def test_user_gets_a_group_of_its_own_where_the_root_says_so() -> None:
    text = '{"ignition": {"version": "3.4.0"}, "passwd": {"users": [{"name": "bob"}, {"name": "eve", "noUserGroup": true}]}}'
    planner, _ = planned(text, FILES | {"/etc/login.defs": DEFS.replace("ENAB no", "ENAB yes")})
    # The number of the user, if it is free and in the range of groups: useradd(8); here it is below.
    assert lines(planner, "/etc/passwd")[3:] == [
        "bob:x:5002:7101::/var/home/bob:/bin/zsh",
        "eve:x:5003:7100::/var/home/eve:/bin/zsh",
    ]
    assert lines(planner, "/etc/group")[-1] == "bob:x:7101:"


def test_settings_of_another_distribution_are_found() -> None:
    files = {name: text for name, text in FILES.items() if name not in ("/etc/login.defs", "/etc/default/useradd")}
    files |= {"/usr/etc/login.defs": "UID_MIN 0x2000\nUSERGROUPS_ENAB yes\n", "/usr/etc/default/useradd": "SHELL=/bin/fish\n"}
    planner, _ = planned('{"ignition": {"version": "3.4.0"}, "passwd": {"users": [{"name": "bob"}]}}', files)
    assert lines(planner, "/etc/passwd")[-1] == "bob:x:8192:8192::/home/bob:/bin/fish"


def test_facts_hold_the_settings_that_a_plan_depends_on() -> None:
    text = '{"ignition": {"version": "3.4.0"}, "passwd": {"users": [{"name": "bob"}]}}'
    config = parse(text.encode()).config
    assert config is not None
    recorder = Recorder(tree(FILES))
    with Fetcher(Settings(), offline=True) as fetcher:
        Planner(config, Facts(), recorder, fetcher, "qemu").run(lambda _: None)
        planner = Planner(config, Facts(), KnownTree(recorder.nodes), fetcher, "qemu")
        planner.run(lambda _: None)
    assert lines(planner, "/etc/passwd")[-1] == "bob:x:5002:7100::/var/home/bob:/bin/zsh"


def test_file_of_a_new_user_has_its_number() -> None:
    file = '{"path": "/srv/x", "user": {"name": "bob"}, "group": {"name": "people"}}'
    text = f'{{"ignition": {{"version": "3.4.0"}}, "passwd": {{"users": [{{"name": "bob"}}]}}, "storage": {{"files": [{file}]}}}}'
    _, changes = planned(text, FILES)
    change = next(change for _, change in changes.entries if change.name == "/srv/x")
    assert {"uid 5002", "gid 7100"} <= set(change.details)


NAMED = """{"ignition": {"version": "2.3.0"}, "storage": {
  "filesystems": [{"name": "here", "path": "%s"}],
  "files": [{"filesystem": "here", "path": "/hosts", "mode": 420, "contents": {"source": "data:,x"}},
            {"filesystem": "here", "path": "/new", "mode": 420}]}}"""


def test_named_file_system_of_the_new_root_is_looked_up_there() -> None:
    planner, changes = planned(NAMED % "/sysroot/etc", FILES | {"/etc/hosts": "x"})
    assert {one.name: one.sign for _, one in changes.entries} == {"/hosts": "=", "/new": "+"}
    assert not [one for one in planner.machine.unknown if "initramfs" in one]


def test_named_file_system_of_the_initramfs_is_not_that_of_this_machine() -> None:
    """This machine has /etc/hosts, and the initramfs of the other one is not known."""
    planner, changes = planned(NAMED % "/etc", FILES | {"/etc/hosts": "x"})
    assert {one.name: one.sign for _, one in changes.entries} == {"/hosts": "+", "/new": "+"}
    assert "/etc is a directory of the initramfs: it is assumed to be empty" in planner.machine.unknown


def test_node_in_the_way_on_a_named_file_system_fails_as_in_the_boot() -> None:
    text = (NAMED % "/sysroot/etc").replace('"path": "/hosts"', '"path": "/hosts", "overwrite": false')
    with pytest.raises(Failure, match=r"/hosts exists and is not a regular file"):
        planned(text, FILES, "/etc/hosts")


def test_symlink_out_of_a_named_file_system_is_refused() -> None:
    top = tree(FILES)
    top._nodes = {**top._nodes, "/etc/out": Node("link", 0o777, target="/srv")}
    config = parse((NAMED % "/sysroot/etc").replace("/new", "/out/new").encode()).config
    assert config is not None
    with Fetcher(Settings(), offline=True) as fetcher, pytest.raises(Failure, match="leads out of the file system"):
        Planner(config, Facts(), top, fetcher, "qemu").run(lambda _: None)


POLICY = {"/etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=targeted\n"}
WRITES = '{"ignition": {"version": "3.4.0"}, "storage": {"files": [{"path": "/etc/x"}]}}'


@pytest.mark.parametrize("place", ["/usr/sbin/setfiles", "/sbin/setfiles"])
def test_labels_are_set_by_the_program_of_the_other_machine(place: str) -> None:
    planner, changes = planned(WRITES, FILES | POLICY | {place: ""})
    assert [one.operation.kind for one in changes.steps][-1] == "relabel"
    assert "the initramfs is assumed to have setfiles, as ROOT has" in planner.machine.unknown


def test_machine_without_setfiles_fails_as_in_the_boot() -> None:
    with pytest.raises(Failure, match="the new root enforces its policy without being able to relabel itself"):
        planned(WRITES, FILES | POLICY)


@pytest.mark.parametrize("argument", ["selinux=0", "enforcing=0"])
def test_policy_follows_the_kernel_arguments_of_the_other_machine(argument: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", "/nonexistent")  # those of this machine would be an error
    planner, changes = planned(WRITES, FILES | POLICY, arguments=f"root=LABEL=ROOT {argument}")
    assert not any(one.operation.kind.startswith("relabel") for one in changes.steps)
    assert "the initramfs is assumed not to have setfiles, as ROOT does not have it" in planner.machine.unknown


@pytest.mark.parametrize(("arguments", "unless"), [("", ""), ("coreos.autologin", ", unless coreos.autologin on the kernel")])
def test_ways_to_log_in_are_those_of_the_other_machine(
    arguments: str, unless: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "passwd.hashed-password.root").write_text("")
    monkeypatch.setattr("ignition.stages.login._CREDENTIALS", str(credentials))
    planner, _ = planned(WRITES, FILES, arguments=arguments)
    assert any(
        one.startswith(f"No user of this machine has an SSH key or a password: nobody can log in{unless}")
        for one in planner.machine.unknown
    )
    assert not any("credential" in one for one in planner.machine.unknown)
