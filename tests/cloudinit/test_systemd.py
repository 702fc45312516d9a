"""How systemctl's words are understood: a job that ended badly is logged, a call that was refused is an error."""

import pytest

from ignition.cloudinit import systemd
from ignition.cloudinit.apply import Changes
from ignition.cloudinit.systemd import RunCommand
from ignition.errors import CommandFailed
from ignition.operation import Context
from tests.platforms.programs import Programs, programs

__all__ = ["programs"]

JOBS = [  # of libsystemd-shared 252
    "Job for a.service failed because the control process exited with error code.\nSee journalctl.",
    "Job for a.mount failed.",
    "A dependency job for a.service failed. See 'journalctl -xe' for details.",
    "a.service is not active, cannot reload.",
    "Assertion failed on job for a.service.",
    "Operation on or unit type of a.service not supported on this system.",
    "Queued job for a.service was garbage collected.",
    "Unit a.service was started already once and can't be started again.",
    'Job failed. See "journalctl -xe" for details.',
    "Job for a.service canceled.",
    "Job for a.service timed out.",
    "Warning: The unit file of a.service changed on disk. Run 'systemctl daemon-reload'.\nJob for a.service canceled.",
]
REFUSALS = [
    "Failed to start a.service: Unit a.service not found.",
    "Failed to start a.service: Unit a.service is masked.",
    "Failed to reload a.service: Job type reload is not applicable for unit a.service.",
    "Failed to connect to bus: Host is down",
]


def execute(programs: Programs, words: str, context: Context) -> None:
    programs(systemctl=f'cat >&2 <<"END"\n{words}\nEND\nexit 1')
    RunCommand("coreos.units[0]", "a.service", "restart", Changes()).execute(context)


@pytest.fixture
def context() -> Context:
    return None  # type: ignore[return-value]  # commands act on the running systemd


@pytest.mark.parametrize("words", JOBS)
def test_failed_jobs_are_logged(programs: Programs, words: str, context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    execute(programs, words, context)
    assert "result of the job to restart a.service: failed" in capsys.readouterr().out


@pytest.mark.parametrize("words", REFUSALS)
def test_refused_calls_are_errors(programs: Programs, words: str, context: Context) -> None:
    with pytest.raises(CommandFailed) as caught:
        execute(programs, words, context)
    assert caught.value.where == "coreos.units[0]" and words in caught.value.what


VERBS = [
    ("start", "start"),
    ("stop", "stop"),
    ("restart", "restart"),
    ("reload", "reload"),
    ("try-restart", "try-restart"),
    ("reload-or-restart", "reload-or-restart"),
    ("reload-or-try-restart", "try-reload-or-restart"),
]


@pytest.mark.parametrize("verb, wanted", VERBS)
def test_commands_of_cloud_config_in_systemctls_words(programs: Programs, verb: str, wanted: str, context: Context) -> None:
    calls = programs(systemctl="")
    RunCommand("", "a.service", verb, Changes()).execute(context)
    assert calls.read_text() == f"systemctl {wanted} -- a.service\n"


# command, state, whether the run changed something → whether there is nothing to do
ALREADY = [
    ("start", "active", True, True),
    ("start", "inactive", False, False),
    ("start", "failed", False, False),
    ("stop", "inactive", True, True),
    ("stop", "failed", False, True),
    ("stop", "active", False, False),
    ("stop", "deactivating", False, False),
    ("restart", "active", False, True),
    ("restart", "active", True, False),
    ("restart", "inactive", False, False),
    ("reload", "active", False, True),
    ("reload-or-restart", "failed", False, False),
    ("try-restart", "inactive", True, True),
    ("try-restart", "active", True, False),
    ("reload-or-try-restart", "active", False, True),
]


@pytest.mark.parametrize("verb, state, is_changed, is_already", ALREADY)
def test_what_is_so_already(
    programs: Programs, verb: str, state: str, is_changed: bool, is_already: bool, context: Context
) -> None:
    programs(systemctl=f"echo LoadState=loaded; echo ActiveState={state}; echo Type=simple; echo Result=success")
    changes = Changes()
    if is_changed:
        changes.units.add("a.service")
    assert RunCommand("", "a.service", verb, changes).already_there(context) is is_already


def test_a_change_of_another_unit_is_no_reason() -> None:
    changes = Changes()
    changes.units.add("b.service")
    assert not changes.concern("a.service")
    changes.others.add("/etc/a.conf")
    assert changes.concern("a.service")


ENABLED = [
    ("echo enabled", "enabled", True),
    *((f"echo {word}", word, True) for word in ("static", "alias", "generated", "transient", "indirect")),  # systemctl(1)
    ("echo disabled; exit 1", "disabled", False),
    ("echo masked; exit 1", "masked", False),
    ("echo enabled-runtime", "enabled-runtime", False),
    ("echo not-found; exit 4", "", False),
    ("exit 1", "", False),
]


@pytest.mark.parametrize("script, wanted, is_there", ENABLED)
def test_enablement(programs: Programs, script: str, wanted: str, is_there: bool, context: Context) -> None:
    programs(systemctl=script)
    assert systemd.enablement("a.service") == wanted
    assert systemd.EnableUnit("", "a.service", runtime=False).already_there(context) is is_there


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *((one, True) for one in ("a", "a.service", r"a-b_c:d\\x2d@e.mount", "a.service.d/b.conf", "a/.b", "a" * 255)),
        *(
            (one, False)
            for one in (
                "",
                ".",
                "..",
                ".a.service",
                "a.service.",
                "a b.service",
                "ä.service",
                "/a",
                "a/",
                "a//b",
                "a/../b",
                "a" * 256,
            )
        ),
    ],
)
def test_name_of_a_unit(name: str, *, is_one: bool) -> None:
    assert systemd.is_name(name) == is_one


@pytest.mark.parametrize(
    ("name", "full", "owner"),
    [
        ("a", "a.service", "a"),
        ("a.socket", "a.socket", "a.socket"),
        ("a/b", "a/b", "a/b"),
        ("a.service.d/b.conf", "a.service.d/b.conf", "a.service"),
        ("a.service.d/b", "a.service.d/b", "a.service.d/b"),
        ("a.service/b.conf", "a.service/b.conf", "a.service/b.conf"),
        ("x/a.service.d/b.conf", "x/a.service.d/b.conf", "x/a.service"),
    ],
)
def test_name_with_its_suffix_and_its_unit(name: str, full: str, owner: str) -> None:
    assert (systemd.full_name(name), systemd.owner(name)) == (full, owner)
