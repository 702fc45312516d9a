"""What holds for every test: no traffic leaves this machine, and tests that need root say so instead of failing oddly."""

import ctypes
import gc
import os
import socket
from collections.abc import Iterator

import hypothesis
import pytest

from tests import netns

LOCAL = ("127.", "::1", "localhost")
CLONE_NEWNS = 0x00020000  # linux/sched.h
MS_REC, MS_PRIVATE = 16384, 1 << 18  # linux/mount.h


# What hypothesis draws is the same in every run, and takes as long as it takes: by default, an example of more than 0.2 s is an
# error, which a busy machine makes of any. New examples are for `make fuzz`.
hypothesis.settings.register_profile(
    "steady", derandomize=True, deadline=None, database=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("steady")


class LeftTheMachine(BaseException):
    """A test tried to reach another host. Not an Exception, so that no broad handler under test can hide it."""


def pytest_configure() -> None:
    """Each worker has its own mounts: `unshare --mount` of another would copy them, and a copy keeps a device busy."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        raise OSError(ctypes.get_errno(), "a mount namespace for the tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs root where there is none, and say so."""
    if os.geteuid() == 0:
        return
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(pytest.mark.skip(reason="needs root (loop devices, network namespaces, ownership)"))


def pytest_collection_finish() -> None:
    """The garbage collector need not look at thousands of tests each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_traffic_leaves_this_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections to other hosts fail the test. Network namespaces of root tests are other processes."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        local = netns.inside or self.family not in (socket.AF_INET, socket.AF_INET6) or str(address[0]).startswith(LOCAL)  # type: ignore[index]
        if not local:
            raise LeftTheMachine(f"connection to {address!r}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield


@pytest.fixture(autouse=True)
def login_prompt_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the files stage leaves for agetty is not of the machine that the tests run on."""
    monkeypatch.setenv("IGNITION_ISSUE_DIR", str(tmp_path_factory.getbasetemp() / "issue.d"))


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    """Where and under which stage a test logs ends with the test."""
    from ignition.host import log

    before = (log._Settings.stage, log._Settings.to_stdout)
    log.configure(stage="", to_stdout=False)
    yield
    log.divert(None)
    log.echo(None)
    log._Settings.stage, log._Settings.to_stdout = before
