"""SELinux labels are set only where there is a policy and a program to apply it."""

import os

import pytest

from ignition.errors import Failure
from ignition.system import labels

from .conftest import MakeContext

CONFIG = "/etc/selinux/config"
CONTEXTS = "/etc/selinux/targeted/contexts/files/file_contexts"


@pytest.mark.parametrize(
    ("tree", "programs", "name"),
    [
        pytest.param({CONFIG: "SELINUX=enforcing\nSELINUXTYPE=targeted\n"}, ["setfiles"], "targeted", id="policy and program"),
        pytest.param({CONFIG: "SELINUXTYPE = mls\n # SELINUXTYPE=targeted\n"}, ["setfiles"], "", id="no assignment"),
        pytest.param({CONFIG: "SELINUXTYPE=targeted\n"}, [], "", id="no program"),
        pytest.param({}, ["setfiles"], "", id="no policy, as on Debian"),
        pytest.param({"/etc/selinux/semanage.conf": ""}, ["setfiles"], "", id="only the configuration of a tool"),
    ],
)
def test_policy_of_a_root(make_context: MakeContext, tree: dict[str, str], programs: list[str], name: str) -> None:
    context = make_context({**tree, **{f"/bin/{program}": "" for program in programs}, "/bin/": ""})
    for program in programs:
        os.chmod(f"{context.root.path}/bin/{program}", 0o755)
    assert labels.policy(context.root, f"{context.root.path}/bin") == name


def test_nothing_is_run_for_what_is_not_there(make_context: MakeContext) -> None:
    labels.relabel(make_context({}).root, "targeted", ["/missing"], program="/nowhere/setfiles")


def test_present_paths_are_passed_below_the_root_with_links_on_the_way_followed(make_context: MakeContext) -> None:
    context = make_context(
        {"/etc/a": "", CONTEXTS: "", "/l": "-> /etc", "/bin/setfiles": '#!/bin/sh\necho "$@" > "$3/args"\ncat > "$3/input"\n'}
    )
    program = f"{context.root.path}/bin/setfiles"
    os.chmod(program, 0o755)
    labels.relabel(context.root, "targeted", ["/l/a", "/missing", "/etc"], program=program)
    top = context.root.path
    with open(f"{top}/input", encoding="utf-8") as file:
        assert file.read() == f"{top}/etc/a\0{top}/etc\0"
    with open(f"{top}/args", encoding="utf-8") as file:
        assert file.read() == f"-vF0 -r {top} {top}{CONTEXTS} -f -\n"


@pytest.mark.parametrize("name", ["../../../tmp/x", "a/b", "", ".hidden", "x y"])
def test_name_of_a_policy_is_a_directory_of_its_own(make_context: MakeContext, name: str) -> None:
    with pytest.raises(Failure) as caught:
        labels.policy(make_context({CONFIG: f"SELINUXTYPE={name}\n"}).root)
    assert (caught.value.what, caught.value.where) == (f"SELINUXTYPE={name!r} is not the name of a policy", CONFIG)


def test_contexts_that_are_a_fifo_are_not_waited_for(make_context: MakeContext) -> None:
    context = make_context({"/etc/a": "", "/etc/selinux/targeted/contexts/files/": ""})
    os.mkfifo(f"{context.root.path}{CONTEXTS}")
    with pytest.raises(Failure, match=f"^{CONTEXTS}: it is not a regular file"):
        labels.relabel(context.root, "targeted", ["/etc/a"], program="/nowhere/setfiles")
