"""A platform's metadata as a table: names of the attribute file, host name, SSH keys, network, check-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from ignition.errors import NotHere
from ignition.host import key_lines
from ignition.metadata.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher
    from ignition.metadata.service import Place
    from ignition.metadata.values import Value
    from ignition.network.model import Network


TODAY, LEGACY = "AFTERBURN_", "COREOS_"  # prefixes of all names


class Attribute:
    """One row: today's name, the value, and Container Linux' name if it differs (`legacy=""`: it did not have the attribute).

    `{n}` in a name stands for the number of each value of a list, from 0.
    """

    def __init__(self, name: str, value: Value, *, legacy: str | None = None) -> None:
        self.name, self.value, self.legacy = name, value, name if legacy is None else legacy


class Metadata:
    """`prefix` and `legacy_prefix` follow AFTERBURN_ and COREOS_ in the names; without `legacy_prefix` there are only today's.

    `ssh_keys` returns lines of an authorized_keys file; `network` is written for networkd, NetworkManager or netplan; `check_in`
    reports to the platform that the machine is up; `kernel_arguments` configure the initramfs' network, None for the image's
    default; `netplan` returns netplan's document, if the platform has one; `first_user` is the user that `render-ignition`
    creates. `keeps_empty`: empty attributes are written. `may_be_absent`: a machine without the place has no metadata, which is
    not an error.
    """

    def __init__(
        self,
        place: Place,
        *,
        prefix: str,
        legacy_prefix: str = "",
        attributes: Sequence[Attribute] = (),
        hostname: Value | None = None,
        ssh_keys: Callable[[Reader], list[str]] | None = None,
        network: Callable[[Reader], Network] | None = None,
        check_in: Callable[[Reader], None] | None = None,
        kernel_arguments: Callable[[Reader], str | None] | None = None,
        netplan: Callable[[Reader], object] | None = None,
        first_user: Callable[[Reader], FirstUser | None] | None = None,
        keeps_empty: bool = True,
        may_be_absent: bool = False,
    ) -> None:
        self.place, self.prefix, self.legacy_prefix, self.attributes = place, prefix, legacy_prefix, attributes
        self.hostname, self.ssh_keys, self.network, self.check_in = hostname, ssh_keys, network, check_in
        self.kernel_arguments, self.netplan, self.first_user = kernel_arguments, netplan, first_user
        self.keeps_empty, self.may_be_absent = keeps_empty, may_be_absent

    def names(self, attribute: Attribute, number: int = 0) -> list[str]:
        """The names of one value of an attribute: today's and, with a `legacy_prefix`, Container Linux'."""
        names = [f"{TODAY}{self.prefix}{attribute.name}"] if attribute.name else []
        if self.legacy_prefix and attribute.legacy:
            names.append(f"{LEGACY}{self.legacy_prefix}{attribute.legacy}")
        return [name.replace("{n}", str(number)) for name in names]

    @contextmanager
    def open(self, fetcher: Fetcher) -> Iterator[Reader]:
        """A reader of this machine's metadata. Raises NotHere if the machine lacks the place."""
        with self.place.open(fetcher) as get:
            yield Reader(self, get, fetcher)


@contextmanager
def opened(tables: Sequence[Metadata], fetcher: Fetcher) -> Iterator[tuple[Metadata, Reader]]:
    """The first table whose place the machine has, with its reader. Raises NotHere, with every reason, if it has none of them."""
    missing = []
    with ExitStack() as stack:
        for table in tables:
            try:
                reader = stack.enter_context(table.open(fetcher))
            except NotHere as reason:
                missing.append(str(reason))
                continue
            yield table, reader
            return
    raise NotHere("; ".join(missing))


class FirstUser:
    """The user that a platform creates on other systems (Azure's admin). Lines of `ssh_keys` that are not keys are dropped.

    `password` is plain text, "" for none: hash it before anything is written. `was_given_keys`: whether there were lines at all.
    """

    def __init__(self, name: str, ssh_keys: list[str], password: str) -> None:
        self.name, self.password, self.was_given_keys = name, password, bool(ssh_keys)
        self.ssh_keys = key_lines.keys(ssh_keys, f"SSH keys of user {name}", whole=True)
