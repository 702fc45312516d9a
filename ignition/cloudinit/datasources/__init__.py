"""Datasources, which provide user data and metadata: one module per kind.

Source: docs/reference/coreos-cloudinit.md §4 and §5.
"""

from collections.abc import Callable

from ignition.cloudinit.findings import USER_DATA
from ignition.config.record import Record, spec
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Network


class NetworkConfig:
    """The network description of a datasource. `format` is its name for --convert-netconf; `convert` raises Failure."""

    def __init__(self, format: str, convert: "Callable[[], Network]") -> None:
        self.format, self.convert = format, convert


class Metadata(Record):
    """A datasource's metadata (docs/reference/coreos-cloudinit.md §5.2). Any member may be missing.

    Addresses are texts without a prefix length.
    """

    hostname: str = spec("host name, as the service returns it", default="")
    ssh_keys: tuple[str, ...] = spec("lines for the key file of the user core, in a fixed order", default=())
    public_ipv4: str = spec("address", default="")
    private_ipv4: str = spec("address", default="")
    public_ipv6: str = spec("address", default="")
    private_ipv6: str = spec("address", default="")
    network: NetworkConfig | None = spec("the network description, which the network conversion turns into units", default=None)
    problems: tuple[Failure, ...] = spec("why a member above is missing", default=())


class Datasource:
    """A place that may have user data. All three methods may raise Failure; `available` is called from a thread of its own.

    `name`: of the kind, in logs; `where`: identifies the instance, without secrets; `called`: name of the user data in findings.
    `final`: if it is unavailable once, it stays so, and is not asked again.
    """

    name = ""
    where = ""
    called = USER_DATA
    final = False

    def available(self) -> bool:
        """Whether it is available now. It makes one attempt; select.py repeats it."""
        raise NotImplementedError

    def user_data(self) -> bytes:
        """The user data, b"" if there is none."""
        raise NotImplementedError

    def metadata(self) -> Metadata:
        """The metadata about the machine."""
        return Metadata()
