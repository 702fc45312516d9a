"""The section `docker`: a drop-in of docker.service. Source: docs/reference/config-transpiler.md §A6.3."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

UNIT, DROPIN = "docker.service", "20-clct-docker.conf"


def dropin(flags: "Sequence[str]") -> str:
    """Flags as they are."""
    return f'[Service]\nEnvironment="DOCKER_OPTS={" ".join(flags)}"'
