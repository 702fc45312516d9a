"""From a config to the settings of a fetch."""

import pytest

from ignition.config.model import Config, Ignition, Resource
from ignition.config.model.ignition import Proxy, Security, Timeouts, Tls
from ignition.fetch.settings import Settings


def config(**about: object) -> Config:
    return Config(ignition=Ignition(version="3.5.0", **about))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("timeouts", "total_s", "header_s"),
    [
        pytest.param(Timeouts(), 600.0, 10.0, id="unset: finite"),
        pytest.param(Timeouts(http_total=30, http_response_headers=5), 30.0, 5.0, id="set"),
        pytest.param(Timeouts(http_total=0, http_response_headers=0), None, None, id="0: none"),
    ],
)
def test_limits(timeouts: Timeouts, total_s: float | None, header_s: float | None) -> None:
    settings = Settings.from_config(config(timeouts=timeouts))
    assert (settings.total_s, settings.header_s) == (total_s, header_s)


def test_trust_and_proxies_are_taken_over() -> None:
    authorities = (Resource(source="https://example.com/ca"),)
    settings = Settings.from_config(
        config(
            security=Security(tls=Tls(certificate_authorities=authorities)),
            proxy=Proxy(http_proxy="http://a", https_proxy="", no_proxy=("b",)),
        )
    )
    assert settings.certificate_authorities == authorities
    assert (settings.http_proxy, settings.https_proxy, settings.no_proxy) == ("http://a", None, ("b",))


def test_a_config_without_any_has_the_defaults_of_ignition() -> None:
    settings = Settings.from_config(config())
    assert settings == Settings(of_config=True)
    assert (settings.success, settings.absent) == ((200, 204), (404,))
    assert (settings.attempts, settings.first_pause_s, settings.longest_pause_s) == (None, 0.2, 5.0)
    assert (settings.http_proxy, settings.https_proxy, settings.no_proxy) == (None, None, ())
    assert not Settings().of_config


@pytest.mark.parametrize(("given", "limit"), [(-1, None), (1, 1.0)])
def test_negative_limit_is_none(given: int, limit: float | None) -> None:
    assert Settings.from_config(config(timeouts=Timeouts(http_total=given))).total_s == limit
