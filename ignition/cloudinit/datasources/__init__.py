"""Where user data and metadata come from: one file per kind. Source: docs/reference/coreos-cloudinit.md §4 and §5."""

from ignition.cloudinit.datasources.service import Metadata
from ignition.cloudinit.findings import USER_DATA


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
