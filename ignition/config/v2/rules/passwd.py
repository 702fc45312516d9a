"""V42 and V43: users."""

from ignition.config.record import camel_case
from ignition.config.rules import Context, error, rule, warning
from ignition.config.v2.model import User, UserCreate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(User, "V42", since="2.1.0")
def create_is_deprecated(user: User, _: Context) -> "Iterator[Finding]":
    """V42, and V43 for each member that stands in both places."""
    if user.create is None:
        return
    yield warning("create", "create is deprecated", "give its members to the user itself")
    for name, field in UserCreate.FIELDS.items():
        if getattr(user, name) != field.default:
            yield error(
                "", f"create cannot be used with {camel_case(name)}", f"leave one of create and {camel_case(name)} out", "V43"
            )
