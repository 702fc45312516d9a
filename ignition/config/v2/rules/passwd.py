"""V43: users."""

from ignition.config.record import camel_case
from ignition.config.rules import Context, error, rule
from ignition.config.v1.model import UserCreate
from ignition.config.v2.model import User

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(User, "V43", since="2.1.0")
def member_stands_in_one_place(user: User, _: Context) -> "Iterator[Finding]":
    if user.create is None:
        return
    for name, field in UserCreate.FIELDS.items():
        if getattr(user, name) != field.default:
            other = camel_case(name)
            yield error("", f"create cannot be used with {other}", f"leave one of create and {other} out")
