"""What a datasource says about the machine itself. Source: coreos-cloudinit.md 5.2."""

from ignition.config.record import Record, spec


class Metadata(Record):
    """All of it may be missing. Addresses are texts without a prefix length, "" where there is none."""

    hostname: str = spec("host name, as the service says it", default="")
    ssh_keys: tuple[str, ...] = spec("lines for the key file of the user core, in a fixed order", default=())
    public_ipv4: str = spec("address", default="")
    private_ipv4: str = spec("address", default="")
    public_ipv6: str = spec("address", default="")
    private_ipv6: str = spec("address", default="")
    network: object = spec("what the network conversion of this source reads: bytes, an object or None", default=None)
