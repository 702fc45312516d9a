"""Where user data and metadata come from: one file per kind. Source: docs/reference/coreos-cloudinit.md §4 and §5."""

from collections.abc import Callable

from ignition.cloudinit.findings import USER_DATA
from ignition.config.record import Record, spec
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.network.model import Network


# What a datasource says about the machine itself. Source: docs/reference/coreos-cloudinit.md §5.2.


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


class Datasource:
    """One place that may have user data. All three methods may raise Failure; what needs time may be called from a thread.

    `name` is what logs call the kind; `where` says which one it is, without secrets; `called` is what findings call the user
    data. `final`: a "no" of `available` is for ever, so nobody asks again.
    """

    name = ""
    where = ""
    called = USER_DATA
    final = False

    def available(self) -> bool:
        """Whether it is there now. One attempt only: the selection asks again."""
        raise NotImplementedError

    def user_data(self) -> bytes:
        """The user data, b"" for none."""
        raise NotImplementedError

    def metadata(self) -> Metadata:
        """What it says about the machine."""
        return Metadata()
