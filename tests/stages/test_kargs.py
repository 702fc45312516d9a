"""The kargs stage: what its helper is given, and what is said when it is missing or fails."""

from pathlib import Path

import pytest

from ignition.config.model import Config, KernelArguments
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher, Settings
from ignition.host.root import Root
from ignition.operation import Context
from ignition.stages import kargs

CONFIG = Config(kernel_arguments=KernelArguments(should_exist=("a=1 b", "c"), should_not_exist=("quiet",)))


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(Root(str(tmp_path)), Fetcher(Settings.from_config(Config()), offline=True))


def helper(directory: Path, body: str) -> str:
    path = directory / kargs.HELPER
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_helper_gets_each_argument_as_one_word_wanted_ones_first(tmp_path: Path, context: Context) -> None:
    (operation,) = kargs.plan(CONFIG, helper(tmp_path, f'printf "<%s>" "$@" > {tmp_path}/given'))
    operation.execute(context)
    given = (tmp_path / "given").read_text()
    assert given == "<--should-exist><a=1 b><--should-exist><c><--should-not-exist><quiet>"


def test_no_kernel_arguments_no_operation() -> None:
    assert kargs.plan(Config()) == []


def test_missing_helper_is_the_images_fault(tmp_path: Path, context: Context) -> None:
    (operation,) = kargs.plan(CONFIG, str(tmp_path / kargs.HELPER))
    with pytest.raises(Failure) as caught:
        operation.execute(context)
    assert caught.value.where == "$.kernelArguments"
    assert caught.value.what == f"set the kernel arguments: the program {tmp_path}/{kargs.HELPER} is missing"
    assert caught.value.fix == "the image must bring ignition-kargs-helper for its boot loader"


def test_failing_helper_is_quoted(tmp_path: Path, context: Context) -> None:
    (operation,) = kargs.plan(CONFIG, helper(tmp_path, "echo no boot loader >&2; exit 4"))
    with pytest.raises(Failure) as caught:
        operation.execute(context)
    assert caught.value.where == "$.kernelArguments"
    assert caught.value.what == "the kernel arguments cannot be set: no boot loader"
