"""A platform's metadata as a table: names of the attribute file, host name, SSH keys, network, check-in."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

from ignition.platforms.parts.place import NotHere
from ignition.platforms.parts.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ignition.fetch.engine import Fetcher
    from ignition.platforms.parts.first_user import FirstUser
    from ignition.platforms.parts.network import Network
    from ignition.platforms.parts.place import Place
    from ignition.platforms.parts.values import Value

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
