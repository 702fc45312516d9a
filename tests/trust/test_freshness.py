"""A config that is too old: its expiry, and its serial beside that of the last one."""

from pathlib import Path

import pytest

from ignition.config.model.extensions import Validity
from ignition.errors import Failure
from ignition.host import paths
from ignition.rendering import trusted
from ignition.trust import freshness
from tests.stages.conftest import Boot

NOON = 1_900_000_000.0  # 2030-03-17T17:46:40Z


@pytest.mark.parametrize("expires", ["2030-03-17T17:46:41Z", "2030-03-17T18:46:41+01:00", "2030-03-17t17:46:41z", None])
def test_config_that_is_still_valid(expires: str | None) -> None:
    freshness.check_expiry(Validity(expires=expires), "here", NOON)


@pytest.mark.parametrize("expires", ["2030-03-17T17:46:40Z", "2030-03-17T18:46:40+01:00", "1999-12-31T23:59:59Z"])
def test_config_that_has_expired(expires: str) -> None:
    with pytest.raises(Failure, match=r"here: \$\.ignition\.x-coreos\.validity\.expires: the config expired at ") as caught:
        freshness.check_expiry(Validity(expires=expires), "here", NOON)
    assert "the clock of this machine says 2030-03-17T17:46:40Z" in caught.value.what
    assert expires in caught.value.what


@pytest.mark.parametrize("kept", ["", "\n", "6\n", "7                   \n"])
def test_serial_that_is_not_lower(kept: str) -> None:
    freshness.check_serial(7, kept, "here")


@pytest.mark.parametrize("kept", ["8\n", "10\n"])
def test_serial_that_is_lower(kept: str) -> None:
    what = rf"here: .*serial: the config has serial 7, but one of serial {kept.strip()} was applied to this machine before"
    with pytest.raises(Failure, match=what):
        freshness.check_serial(7, kept, "here")


@pytest.mark.parametrize("kept", ["x\n", "-1\n", "9" * 30, "²\n", "\0\0\0\0"])
def test_kept_serial_that_cannot_be_read(kept: str) -> None:
    with pytest.raises(Failure, match="beside the flag: the serial of the last config cannot be read"):
        freshness.check_serial(7, kept, "here")


def config(validity: str) -> str:
    """A config with this validity."""
    return f'{{"ignition": {{"version": "3.5.0", "x-coreos": {{"validity": {validity}}}}}}}'


def test_stage_leaves_the_serial_for_the_end_of_the_boot(boot: Boot) -> None:
    boot.config(config('{"serial": 41, "expires": "2999-01-01T00:00:00Z"}'))
    boot.execute("fetch")
    assert (boot.run / paths.CONFIG_SERIAL).read_text() == "41\n"


def test_stage_refuses_an_expired_config(boot: Boot) -> None:
    boot.config(config('{"expires": "2001-01-01T00:00:00Z"}'))
    with pytest.raises(Failure, match="platform file: .*the config expired at 2001-01-01T00:00:00Z"):
        boot.execute("fetch")
    assert not (boot.run / "cache.json").exists()


def test_stage_refuses_an_older_config(boot: Boot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trusted, "_kept_serial", lambda: "42\n")
    boot.config(config('{"serial": 41}'))
    with pytest.raises(Failure, match="one of serial 42 was applied"):
        boot.execute("fetch")
    assert not (boot.run / "cache.json").exists()


def test_machine_without_a_flag_keeps_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "FLAGGED", str(tmp_path / "flagged"))
    assert trusted._kept_serial() == ""
