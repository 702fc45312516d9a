"""SELinux labels are set only where there is a policy and a program to apply it."""

import os

import pytest

from ignition.errors import Failure
from ignition.sysroot import labels

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
    assert labels.policy(context.root, labels.Initramfs(f"{context.root.path}/bin")) == name


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
        labels.policy(make_context({CONFIG: f"SELINUXTYPE={name}\n"}).root, labels.Initramfs())
    assert (caught.value.what, caught.value.where) == (f"SELINUXTYPE={name!r} is not the name of a policy", CONFIG)


def test_contexts_that_are_a_fifo_are_not_waited_for(make_context: MakeContext) -> None:
    context = make_context({"/etc/a": "", "/etc/selinux/targeted/contexts/files/": ""})
    os.mkfifo(f"{context.root.path}{CONTEXTS}")
    with pytest.raises(Failure, match=f"^{CONTEXTS}: it is not a regular file"):
        labels.relabel(context.root, "targeted", ["/etc/a"], program="/nowhere/setfiles")


ENFORCING = "SELINUX=enforcing\nSELINUXTYPE=targeted\n"
GENERATORS = "/usr/lib/systemd/system-generators"


@pytest.mark.parametrize(
    ("config", "command_line", "mode"),
    [
        pytest.param(ENFORCING, "", "enforcing", id="enforcing"),
        pytest.param("SELINUX=permissive\nSELINUXTYPE=targeted\n", "", "permissive", id="permissive"),
        pytest.param("SELINUX=disabled\nSELINUXTYPE=targeted\n", "", "", id="disabled"),
        pytest.param("SELINUX= Enforcing # now\nSELINUXTYPE=mls\n", "", "enforcing", id="as libselinux reads it"),
        pytest.param("SELINUX=DISABLED\nSELINUXTYPE=mls\n", "", "", id="in any case"),
        pytest.param("SELINUX=off\nSELINUX=enforcing\nSELINUXTYPE=mls\n", "", "enforcing", id="the first that is one"),
        pytest.param(" SELINUX=enforcing\n#SELINUX=enforcing\nSELINUXTYPE=mls\n", "", "permissive", id="no mode"),
        pytest.param("SELINUX=enforcing\n", "", "", id="no policy"),
        pytest.param(ENFORCING, "quiet selinux=0", "", id="off on the command line"),
        pytest.param(ENFORCING, "enforcing=0", "permissive", id="permissive on the command line"),
        pytest.param("SELINUX=permissive\nSELINUXTYPE=mls\n", "enforcing=1", "enforcing", id="enforcing on the command line"),
    ],
)
def test_mode_that_setfiles_is_missing_for(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch, config: str, command_line: str, mode: str
) -> None:
    context = make_context({CONFIG: config, "/bin/": "", "/cmdline": command_line, "/programs/setfiles": ""})
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", f"{context.root.path}/cmdline")
    assert labels.unset(context.root, labels.Initramfs(f"{context.root.path}/bin")) == mode
    os.chmod(f"{context.root.path}/programs/setfiles", 0o755)
    assert labels.unset(context.root, labels.Initramfs(f"{context.root.path}/programs")) == ""


def test_disabled_policy_is_not_applied(make_context: MakeContext) -> None:
    context = make_context({CONFIG: "SELINUX=disabled\nSELINUXTYPE=targeted\n", "/bin/setfiles": ""})
    os.chmod(f"{context.root.path}/bin/setfiles", 0o755)
    assert labels.policy(context.root, labels.Initramfs(f"{context.root.path}/bin")) == ""


@pytest.mark.parametrize(
    ("reader", "mark"),
    [
        ("selinux-autorelabel-generator.sh", "/.autorelabel"),
        ("selinux-autorelabel-generator", "/etc/selinux/.autorelabel"),
    ],
)
def test_root_that_labels_itself_gets_its_mark(make_context: MakeContext, reader: str, mark: str) -> None:
    context = make_context({CONFIG: ENFORCING, f"{GENERATORS}/{reader}": ""})
    (operation,) = labels.later(context.root, "enforcing")
    assert operation.describe().startswith(f"have the new root set SELinux labels when it boots ({mark})")
    assert not operation.already_there(context)
    operation.execute(context)
    assert operation.already_there(context)
    with open(context.root.path + mark, encoding="utf-8") as file:
        assert file.read() == "-F\n"


def test_root_that_does_not_is_refused_if_it_enforces(make_context: MakeContext, capsys: pytest.CaptureFixture[str]) -> None:
    context = make_context({CONFIG: ENFORCING})
    with pytest.raises(Failure, match="has no setfiles") as caught:
        labels.later(context.root, "enforcing")
    assert caught.value.where == CONFIG and caught.value.lasting
    assert labels.later(context.root, "permissive") == []
    assert "the policy of the new root is permissive" in capsys.readouterr().out
