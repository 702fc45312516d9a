"""What a datasource says about the machine itself. Source: docs/reference/coreos-cloudinit.md §5.2."""

from ignition.config.record import Record, spec
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ignition.platforms.parts.network import Network


class NetworkConfig:
    """What a source says of the network. `format` is the word of --convert-netconf for it; `convert` raises Failure."""

    def __init__(self, format: str, convert: "Callable[[], Network]") -> None:
        self.format, self.convert = format, convert


class Metadata(Record):
    """All of it may be missing. Addresses are texts without a prefix length, "" where there is none."""

    hostname: str = spec("host name, as the service says it", default="")
    ssh_keys: tuple[str, ...] = spec("lines for the key file of the user core, in a fixed order", default=())
    public_ipv4: str = spec("address", default="")
    private_ipv4: str = spec("address", default="")
    public_ipv6: str = spec("address", default="")
    private_ipv6: str = spec("address", default="")
    network: NetworkConfig | None = spec("what the network conversion turns into units", default=None)
    problems: tuple[Failure, ...] = spec("why a part of the above is missing", default=())
