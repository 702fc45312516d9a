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


TODAY, LEGACY = "AFTERBURN_", "COREOS_"  # what all names begin with


class Attribute:
    """One row: today's name, the value, and Container Linux' name if that is another one (`legacy=""`: it had none).

    `{n}` in a name stands for the number of each value of a list, from 0.
    """

    def __init__(self, name: str, value: Value, *, legacy: str | None = None) -> None:
        self.name, self.value, self.legacy = name, value, name if legacy is None else legacy


class Metadata:
    """`prefix` and `legacy_prefix` follow AFTERBURN_ and COREOS_ in the names; without `legacy_prefix` there are only today's.

    `ssh_keys` gives the lines of an authorized_keys file; `network` what the outputs write for networkd and others; `check_in`
    tells the platform that the machine is up; `kernel_arguments` are for the initramfs' network, None for the image's default;
    `netplan` gives a document, None for none; `first_user` is whom `render-ignition` makes. `keeps_empty`: an attribute without
    content is written, too.
    `may_be_absent`: a machine without the place simply has no metadata.
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
        """The names that one value of an attribute is written under."""
        names = [f"{TODAY}{self.prefix}{attribute.name}"] if attribute.name else []
        if self.legacy_prefix and attribute.legacy:
            names.append(f"{LEGACY}{self.legacy_prefix}{attribute.legacy}")
        return [name.replace("{n}", str(number)) for name in names]

    @contextmanager
    def open(self, fetcher: Fetcher) -> Iterator[Reader]:
        """A reader of this machine's metadata. Raises NotHere if the machine does not have the place."""
        with self.place.open(fetcher) as get:
            yield Reader(self, get, fetcher)


@contextmanager
def opened(tables: Sequence[Metadata], fetcher: Fetcher) -> Iterator[tuple[Metadata, Reader]]:
    """The first table whose place the machine has, with its reader. Raises NotHere if it has none of them."""
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


# The user whom a platform creates on other systems (Azure's admin).


class FirstUser:
    """`password` is in clear, "" for none: it must be hashed before anything is written. Only what is a key counts.

    `was_given_keys`: also if none of them is one.
    """

    def __init__(self, name: str, ssh_keys: list[str], password: str) -> None:
        self.name, self.password, self.was_given_keys = name, password, bool(ssh_keys)
        self.ssh_keys = key_lines.keys(ssh_keys, f"SSH keys of user {name}", whole=True)
