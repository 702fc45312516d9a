"""pytest plugin (`-p tests.mutants.calls`): writes the tests that call each function of the product to the file named by $CALLS.

The result is {function: {test: seconds}}; a function is `path:qualified name`, and "" stands for all tests. Set-up that the tests
of a file share counts for each of them, and so do calls while the file is imported and its parameters are computed. Failed tests
are left out: they would notice any fault. Other processes are not traced.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType

import pytest

TOP = f"{Path(__file__).parent.parent.parent}/"
PRODUCT = tuple(f"{TOP}{package}/" for package in ("ignition", "coreos_metadata"))

_tests: dict[str, tuple[float, set[str]]] = {}
_shared: dict[str, set[str]] = {}
_codes: set[CodeType] = set()
_failed: set[str] = set()


def _trace(frame: FrameType, event: str, argument: object) -> None:
    """Without a local trace function: lines are not traced, which would cost more."""
    _codes.add(frame.f_code)


def _functions(codes: set[CodeType]) -> set[str]:
    found = [one for one in tuple(codes) if one.co_filename.startswith(PRODUCT) and one.co_qualname != "<module>"]
    return {f"{one.co_filename.removeprefix(TOP)}:{one.co_qualname}" for one in found}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _codes.clear()
    begin = time.monotonic()
    threading.settrace(_trace)
    sys.settrace(_trace)
    try:
        return (yield)
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type,unused-ignore]
        _tests[item.nodeid] = (time.monotonic() - begin, _functions(_codes))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    _codes.clear()
    sys.settrace(_trace)
    try:
        return (yield)
    finally:
        sys.settrace(None)
        if isinstance(collector, pytest.Module):
            _shared.setdefault(collector.nodeid, set()).update(_functions(_codes))


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> Iterator[None]:
    before = set(_codes)
    _codes.clear()
    try:
        return (yield)
    finally:
        if fixturedef.scope != "function":
            file = request.node.nodeid.partition("::")[0]
            _shared.setdefault(file, set()).update(_functions(_codes))
        _codes.update(before)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        _failed.add(report.nodeid)


def pytest_sessionfinish() -> None:
    found: dict[str, dict[str, float]] = {"": {}}
    for test in _tests.keys() - _failed:
        seconds, called = _tests[test]
        for function in ("", *called, *_shared.get(test.partition("::")[0], ())):
            found.setdefault(function, {})[test] = round(seconds, 3)
    Path(os.environ["CALLS"]).write_text(json.dumps(found), encoding="utf-8")
