"""`coreos-cloudinit -plan`: the display of `ignition plan`, its statuses, and that it touches nothing."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cloudinit.conftest import A, Machine
from tests.cloudinit.test_apply import EVERYTHING
from tests.schemas import valid

TOP = Path(__file__).resolve().parents[2]
HEAD = "#cloud-config\n"
USER = f"""#cloud-config
users:
  - name: ann
    passwd: $6$abc$def
    groups: [sudo]
    ssh_authorized_keys: [{A}]
write_files:
  - path: /srv/note
    owner: ann:ann
    content: hello
  - path: /etc/token
    permissions: "0600"
    content: planted-secret
"""


def plan_of(machine: Machine, text: str, *flags: str) -> tuple[int, Any]:
    ran = machine.run(text, "--plan", "--json", *flags)
    assert ran.calls == []
    return ran.status, valid("plan", ran.out)


def named(plan: Any) -> dict[tuple[str, str], Any]:
    return {(one["kind"], one["name"]): one for one in plan["changes"]}


def test_plan_changes_nothing_and_foresees(machine: Machine) -> None:
    machine.put("/etc/a", "hello\n")
    (machine.root / "etc/a").chmod(0o600)
    before = machine.tree()
    ran = machine.run(EVERYTHING, "--plan")
    assert (ran.status, ran.calls, machine.tree()) == (2, [], before)
    data = machine.root.parent / "user-data"
    found = {" ".join(line.split()) for line in ran.out.splitlines()}
    for line in (
        f"~ host name node-1 instead of {os.uname().nodename} ({data}:2:1)",
        f"= file /etc/a ({data}:6:5)",
        f"+ file /opt/bin/b mode 0755, uid {os.geteuid()}, gid {os.getegid()}, 3 bytes ({data}:10:5)",
        f"+ file /etc/systemd/system/a.service.d/10-b.conf mode 0644, uid 0, gid 0, 26 bytes ({data}:41:11)",
        f"~ unit a.service enable unit a.service ({data}:34:7)",
        f"~ unit locksmithd.service state not-found → masked ({data}:16:3)",
        f"+ file /run/systemd/system/etcd2.service.d/20-cloudinit.conf mode 0644, uid 0, gid 0, 124 bytes ({data}:26:3)",
        '+NAME="X \\"the\\" OEM"',
        f"+ action start unit a.service ({data}:34:7)",
        "+ action reload the unit files of systemd",
    ):
        assert line in found, ran.out
    assert re.fullmatch(
        r"Plan: \d+ to add, \d+ to change, \d+ to run, \d+ as they are; nothing is lost\.", ran.out.splitlines()[-1]
    )


def test_every_operation_of_the_run_is_in_the_plan(machine: Machine) -> None:
    _, plan = plan_of(machine, EVERYTHING)
    assert machine.run(EVERYTHING).status == 0
    records = [json.loads(line) for line in machine.text("/run/coreos-cloudinit/operations.jsonl").splitlines()]
    planned = [(one["operation"], one["what"], one["path"], one["already"]) for one in plan["operations"]]
    assert [(one["operation"], one["what"], one["path"], one["result"] == "already") for one in records] == planned


def test_second_run_has_nothing_to_do(machine: Machine) -> None:
    text = (
        HEAD
        + "write_files:\n- {path: /etc/f, content: x}\ncoreos:\n  units:\n  - {name: a.service, command: start, enable: true}\n"
    )
    assert plan_of(machine, text)[0] == 2
    assert machine.run(text).status == 0
    status, plan = plan_of(machine, text)
    assert (status, {one["change"] for one in plan["changes"]}) == (0, {"same"})
    assert machine.run(text, "--plan").out.splitlines()[-1] == "Plan: 4 as they are; nothing is lost."


@pytest.fixture(autouse=True)
def usergroups(machine: Machine) -> None:
    machine.put("/etc/login.defs", "USERGROUPS_ENAB yes\n")


def test_new_user_owns_the_files_that_come_later(machine: Machine) -> None:
    status, plan = plan_of(machine, USER)
    changes = named(plan)
    assert status == 2
    assert (changes["user", "ann"]["change"], changes["user", "ann"]["groups"]["added"]) == ("add", ["sudo"])
    assert changes["user", "ann"]["place"].endswith("user-data:3:5")
    assert changes["SSH keys", "/home/ann/.ssh/authorized_keys"]["uid"] == changes["file", "/srv/note"]["uid"] == 1000
    assert changes["file", "/srv/note"]["diff"] == ["+hello"]
    assert changes["action", "set the passwords of users ann"]["place"].endswith("user-data:3:5")


def test_contents_that_only_some_may_read_are_shown_on_request(machine: Machine) -> None:
    assert "planted-secret" not in machine.run(USER, "--plan").out
    assert "content not shown (--show-contents)" in machine.run(USER, "--plan").out
    assert "+planted-secret" in machine.run(USER, "--plan", "--show-contents").out


def test_keys_are_added_to_those_that_exist(machine: Machine) -> None:
    machine.put("/home/core/.ssh/authorized_keys", "ssh-ed25519 AAAA old\n")
    text = HEAD + f"ssh_authorized_keys: [{A}]\n"
    change = named(plan_of(machine, text)[1])["SSH keys", "/home/core/.ssh/authorized_keys"]
    assert (change["change"], change["details"][-1]) == ("change", "2 keys")
    assert machine.run(text).status == 0
    assert named(plan_of(machine, text)[1])["SSH keys", "/home/core/.ssh/authorized_keys"]["change"] == "same"


def test_symlink_of_a_user_is_refused_as_in_the_run(machine: Machine) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to give a symlink to another user")
    (machine.root / "home/core/etc").symlink_to("/etc")
    os.chown(machine.root / "home/core/etc", 12345, 12345, follow_symlinks=False)
    text = HEAD + "write_files:\n- {path: /home/core/etc/f, content: x}\n"
    message = "a symlink on the way belongs to uid 12345, and leads to a file of another user"
    status, plan = plan_of(machine, text)
    assert status == 1 and message in plan["failure"]["what"]
    ran = machine.run(text)
    assert ran.status == 1 and message in ran.out


def test_errors_of_the_run_are_all_in_the_plan_with_their_places(machine: Machine) -> None:
    text = (
        HEAD
        + "hostname: web-1\nwrite_files:\n- {path: /etc/f, permissions: rw}\ncoreos:\n  units:\n  - {name: a, command: startt}\n"
    )
    status, plan = plan_of(machine, text)
    data = machine.root.parent / "user-data"
    assert status == 1
    assert [one["where"] for one in plan["failures"]] == [f"{data}:4:18", f"{data}:7:15"]
    assert plan["failure"] == plan["failures"][0]
    assert plan["failure"]["what"].startswith("cannot apply: ")
    # The login part is applied all the same, and the plan says so.
    assert named(plan)["host name", "web-1"]["change"] == "change"
    assert ("file", "/etc/f") not in named(plan)
    ran = machine.run(text, "--plan")
    assert ran.out.splitlines()[-1] == "Plan: incomplete, since the run would fail."
    assert "only users, keys and host name of the user data are applied" in ran.err


def test_forgiven_error_is_a_note(machine: Machine) -> None:
    ran = machine.run(b"\x00\x01", "--plan", "--ignore-failure")
    assert (ran.status, ran.out.splitlines()[-1]) == (0, "Plan: nothing to do; nothing is lost.")
    assert "note: ignored: cannot apply user-data: unrecognized user-data" in ran.out


def test_ignition_config_is_a_note(machine: Machine) -> None:
    status, plan = plan_of(machine, '{"ignition": {"version": "3.4.0"}}')
    assert (status, plan["changes"], plan["notes"]) == (0, [], ["Detected an Ignition config. Exiting..."])


def test_page_has_everything_in_it(machine: Machine) -> None:
    page = machine.root.parent / "plan.html"
    assert machine.run(USER, "--plan", f"--html={page}").status == 2
    text = page.read_text()
    assert "/srv/note" in text and "set the passwords of users ann" in text and "coreos-cloudinit, planned" in text
    assert "planted-secret" not in text
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", text)


def test_page_that_cannot_be_written_is_a_failure(machine: Machine) -> None:
    ran = machine.run(USER, "--plan", "--html=/nonexistent/plan.html")
    assert ran.status == 1
    assert "/nonexistent/plan.html: the page cannot be written: No such file or directory" in ran.err


@pytest.mark.parametrize("flag", ["-json", "-html=x", "-show-contents"])
def test_flags_of_the_plan_need_it(machine: Machine, flag: str) -> None:
    ran = machine.run(HEAD, flag)
    assert ran.status == 2
    assert f"{flag.partition('=')[0]} needs -plan" in ran.err


def test_accounts_of_nss_may_own_files(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that this machine knows only by NSS: the plan for its whole root asks there, as the run does."""
    from ignition.cloudinit import facts
    from ignition.host.root import Root

    known = facts.probe(Root.live(str(machine.root)), asks_nss=True)
    assert known.has_user("daemon") and known.uid("daemon") == 1
    assert not facts.probe(Root.live(str(machine.root)), asks_nss=False).has_user("daemon")


def test_nothing_is_opened_for_writing(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is missing")
    data, log = tmp_path / "user-data", tmp_path / "strace"
    file = '{path: /etc/planned-only, content: x, permissions: "4755"}'  # with a warning
    data.write_text(f"{HEAD}hostname: web-1\nwrite_files:\n- {file}\nusers:\n- {{name: planned}}\n")
    calls = (
        "trace=open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,symlinkat,linkat,chmod,fchmodat"
    )
    argv = ["strace", "-f", "-o", str(log), "-e", calls, sys.executable, "-B", "-m", "ignition.cli.cloudinit"]
    done = subprocess.run([*argv, f"-from-file={data}", "-plan"], cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "+ file  /etc/planned-only" in done.stdout
    changing = r"O_WRONLY|O_RDWR|O_CREAT|(creat|mkdir(at)?|rename(at2?)?|unlink(at)?|symlinkat|linkat|f?chmod(at)?)\("
    written = [line for line in log.read_text().splitlines() if re.search(changing, line)]
    assert [line for line in written if "/dev/null" not in line and "ENOENT" not in line] == []
