"""Every platform with an HTTP service, at the service's real address, in a network namespace of the test's own.

What it answers comes of samples/: the config and the metadata; what becomes of 404, empty, late, failing and broken answers; and
that requests carry the headers without which the real service refuses them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import pytest

from ignition import platforms
from ignition.errors import Failure, NeedsNetwork
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.metadata.reader import Reader
from ignition.metadata.table import opened
from ignition.network import dhcp
from tests.fetch.server import Reply, Server, serving
from tests.netns import namespace
from tests.platforms import samples
from tests.platforms.drives import Machine, machine
from tests.platforms.samples import CONFIG, Sample
from tests.platforms.tls import named

__all__ = ["machine"]
pytestmark = pytest.mark.root
QUICK = Settings(first_pause_s=0.01, longest_pause_s=0.01, total_s=3.0, attempts=6)
ALL = samples.names()
CONFIGURED = [name for name in ALL if samples.load(name).config_path is not None]
DESCRIBED = [name for name in ALL if samples.load(name).attributes is not None]


@pytest.fixture(autouse=True)
def no_drives(machine: Machine) -> None:
    """Platforms with a service and a drive have only the service here."""


@contextmanager
def service(sample: Sample, changes: Mapping[str, Reply | list[Reply]] | None = None) -> Iterator[Server]:
    """The platform's service, with other answers for some paths."""
    answers = {**sample.answers, **(changes or {})}
    with ExitStack() as stack:
        stack.enter_context(namespace(sample.address, *sample.more_addresses))
        stack.enter_context(leases(sample.leases))
        context = stack.enter_context(named(sample.tls_name, sample.address)) if sample.tls_name else None
        address = "" if sample.more_addresses else sample.address
        yield stack.enter_context(serving(answers, context, (address, 443 if context else 80)))


@contextmanager
def leases(files: Mapping[str, str]) -> Iterator[Path]:
    """networkd's leases."""
    with TemporaryDirectory() as directory, mock.patch.object(dhcp, "LEASES", directory):
        for name, content in files.items():
            Path(directory, name).write_text(content)
        yield Path(directory)


def config_of(name: str) -> bytes:
    with Fetcher(QUICK, offline=False) as fetcher:
        return platforms.config_source(name).fetch(fetcher)


def read(name: str, what: Callable[[Reader], object]) -> object:
    settings = QUICK.evolve(success=(200,))
    with Fetcher(settings, offline=False) as fetcher, opened(platforms.metadata(name), fetcher) as (_, reader):
        return what(reader)


def described(reader: Reader) -> tuple[dict[str, str], str | None, list[str]]:
    return reader.attributes(), reader.hostname(), reader.ssh_keys()


def attributes_of(name: str) -> dict[str, str]:
    found = read(name, lambda reader: reader.attributes())
    assert isinstance(found, dict)
    return found


def expected(sample: Sample) -> tuple[Mapping[str, str] | None, str | None, list[str]]:
    return sample.attributes, sample.hostname, sample.ssh_keys


@pytest.mark.parametrize("name", CONFIGURED)
def test_config_is_fetched(name: str) -> None:
    sample = samples.load(name)
    with service(sample) as server:
        assert config_of(name) == CONFIG
        assert server.requests[-1].headers["User-Agent"].startswith("Ignition/")


@pytest.mark.parametrize("name", DESCRIBED)
def test_metadata_is_read(name: str) -> None:
    sample = samples.load(name)
    with service(sample):
        assert read(name, described) == expected(sample)


@pytest.mark.parametrize("name", CONFIGURED)
def test_service_that_is_not_ready_is_waited_for(name: str) -> None:
    sample = samples.load(name)
    late = {path: [Reply(503), Reply(500), reply] for path, reply in sample.answers.items()}
    with service(sample, late):
        assert config_of(name) == CONFIG


@pytest.mark.parametrize("name", DESCRIBED)
def test_metadata_that_is_not_ready_is_waited_for(name: str) -> None:
    sample = samples.load(name)
    with service(sample, {path: [Reply(503), reply] for path, reply in sample.answers.items()}):
        assert read(name, described) == expected(sample)


@pytest.mark.parametrize("status", [200, 204])
@pytest.mark.parametrize("name", CONFIGURED)
def test_empty_user_data_is_no_config(name: str, status: int) -> None:
    sample = samples.load(name)
    with service(sample, {str(sample.config_path): Reply(status)}):
        assert config_of(name) == b""


@pytest.mark.parametrize("name", CONFIGURED)
def test_absent_user_data(name: str) -> None:
    sample = samples.load(name)
    with service(sample, {str(sample.config_path): Reply(404)}):
        if sample.none_if_404:
            assert config_of(name) == b""
            return
        with pytest.raises(Failure, match="HTTP status 404") as caught:
            config_of(name)
        assert caught.value.where == sample.config_place


@pytest.mark.parametrize("name", CONFIGURED)
def test_refused_request_fails_with_its_place(name: str) -> None:
    sample = samples.load(name)
    with (
        service(sample, {str(sample.config_path): Reply(401)}) as server,
        pytest.raises(Failure, match="HTTP status 401") as caught,
    ):
        config_of(name)
    assert caught.value.where == sample.config_place
    assert server.paths().count(str(sample.config_path)) == 1


@pytest.mark.parametrize("name", CONFIGURED)
def test_broken_body_fails_with_its_place(name: str) -> None:
    sample = samples.load(name)
    with service(sample, {str(sample.config_path): Reply(body=b"{", announced=100)}), pytest.raises(Failure) as caught:
        config_of(name)
    assert caught.value.where == sample.config_place


@pytest.mark.parametrize("name", ALL)
def test_real_service_would_take_the_requests(name: str) -> None:
    sample = samples.load(name)
    with service(sample) as server:
        if sample.config_path is not None:
            config_of(name)
        if sample.attributes is not None:
            read(name, described)
        for path, headers in sample.demands.items():
            seen = [request for request in server.requests if not path or request.path == path]
            assert seen, f"{path} was not asked for"
            for request in seen:
                lower = {key.lower(): value for key, value in request.headers.items()}
                assert {key: lower.get(key.lower()) for key in headers} == dict(headers), request.path


@pytest.mark.parametrize(("name", "path"), [(name, path) for name in DESCRIBED for path in samples.load(name).optional])
def test_what_a_machine_does_not_have_is_left_out(name: str, path: str) -> None:
    sample = samples.load(name)
    with service(sample, {path: Reply(404)}):
        found = read(name, lambda reader: reader.attributes())
    assert isinstance(found, dict)
    whole = dict(sample.attributes or {})
    assert found.items() < whole.items()


@pytest.mark.parametrize("name", CONFIGURED)
def test_needs_the_network(name: str) -> None:
    source = platforms.config_source(name)
    if not source.needs_network:  # a drive would do
        with Fetcher(QUICK, offline=True) as fetcher, pytest.raises(NeedsNetwork):
            source.fetch(fetcher)
