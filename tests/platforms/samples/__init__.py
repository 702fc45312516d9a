"""Samples of each platform's service or drive, and the expected results: one module per platform, with the platform's name.

Source: docs/reference/platforms.md §10. `SAMPLE` for a service (test_samples.py) and `DRIVES` (test_drives.py) are all that a new
platform needs here.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

from tests.fetch.server import Reply

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKikukUoIgBsoKwjac1Cs5k+xlQKUlsYq6sVS744rHJl core@example"
CONFIG = b'{"ignition":{"version":"3.0.0"}}'
LINK_LOCAL = "169.254.169.254"

Answers = Mapping[str, Reply | list[Reply]]


class Sample:
    """One platform. `answers` are of its service at port 80 of `address`, by path; with `tls_name` at port 443, by that name.

    `config_path` is the request whose answer is the user config; None if the service has none. `none_if_404`: a 404 there means
    no config, else it ends the boot. `optional`: paths that a machine need not have (404). `demands`: headers without which the
    real service refuses, by path; "" stands for every path, None for "must not be there". `leases`: networkd's files, by
    number of the interface. `more_addresses`: where the same answers are given, too.
    """

    def __init__(
        self,
        answers: Mapping[str, str | bytes | Reply],
        *,
        address: str = LINK_LOCAL,
        more_addresses: tuple[str, ...] = (),
        tls_name: str = "",
        config_path: str | None = None,
        config_body: bytes = CONFIG,
        none_if_404: bool = True,
        attributes: Mapping[str, str] | None = None,
        hostname: str | None = None,
        ssh_keys: list[str] | None = None,
        optional: tuple[str, ...] = (),
        demands: Mapping[str, Mapping[str, str | None]] | None = None,
        leases: Mapping[str, str] | None = None,
    ) -> None:
        self.answers = {path: _reply(body) for path, body in answers.items()}
        self.tls_name, self.url = tls_name, f"https://{tls_name}" if tls_name else f"http://{address}"
        self.address, self.more_addresses = address, more_addresses
        self.config_path, self.none_if_404 = config_path, none_if_404
        if config_path is not None:
            self.answers[config_path] = Reply(body=config_body)
        self.attributes: Mapping[str, str] | None = attributes
        self.hostname, self.ssh_keys = hostname, ssh_keys or []
        self.optional, self.demands, self.leases = optional, demands or {}, leases or {}

    @property
    def config_place(self) -> str:
        """The place in failures: the URL without query."""
        return f"{self.url}{(self.config_path or '').partition('?')[0]}"


class DriveSample:
    """A platform whose documents are on a drive: path → content.

    `config_path` is the file that is the user config; None if there is none. `absent_is_none`: without the drive there is no
    config, else that ends the boot. `required`: metadata files that must be there.
    """

    def __init__(
        self,
        label: str,
        files: Mapping[str, str | bytes],
        *,
        config_path: str | None = None,
        absent_is_none: bool = False,
        attributes: Mapping[str, str] | None = None,
        hostname: str | None = None,
        ssh_keys: list[str] | None = None,
        required: tuple[str, ...] = (),
    ) -> None:
        self.label, self.config_path, self.absent_is_none, self.required = label, config_path, absent_is_none, required
        self.files = {path: content.encode() if isinstance(content, str) else content for path, content in files.items()}
        if config_path is not None:
            self.files[config_path] = CONFIG
        self.attributes, self.hostname, self.ssh_keys = attributes, hostname, ssh_keys or []


def _reply(body: str | bytes | Reply) -> Reply:
    if isinstance(body, Reply):
        return body
    return Reply(body=body.encode() if isinstance(body, str) else body)


def _modules() -> dict[str, ModuleType]:
    """By platform id."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    return {name.replace("_", "-"): import_module(f"{__name__}.{name}") for name in names}


def names() -> list[str]:
    """The platforms with a service."""
    return [name for name, module in _modules().items() if hasattr(module, "SAMPLE")]


def load(name: str) -> Sample:
    """The sample of a platform's service."""
    sample: Sample = _modules()[name].SAMPLE
    return sample


def drives() -> list[tuple[str, DriveSample]]:
    """Platform ids with each of their drives."""
    return [(name, drive) for name, module in _modules().items() for drive in getattr(module, "DRIVES", ())]
