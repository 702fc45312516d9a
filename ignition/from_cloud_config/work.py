"""The state of one translation, which all translators share."""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.from_cloud_config.accounts import Accounts
    from ignition.from_cloud_config.output import Output
    from ignition.from_cloud_config.reading import Leftovers


class Options:
    """Facts that a document leaves open.

    `default_user`: the name of the image's default user; "" if it is not known. `packages`: install packages at the first boot.
    `disk_sizes`: device → size in MiB, for partitions in percent.
    """

    def __init__(self, default_user: str = "", *, packages: bool = False, disk_sizes: Mapping[str, int] | None = None) -> None:
        self.default_user, self.packages, self.disk_sizes = default_user, packages, dict(disk_sizes or {})


class Work:
    """Options, results and leftovers. `accounts` is complete before files are translated."""

    accounts: Accounts

    def __init__(self, options: Options, output: Output, leftovers: Leftovers) -> None:
        self.options, self.output, self.leftovers = options, output, leftovers
