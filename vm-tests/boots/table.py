"""The figures as a table, and the bars."""

import statistics
from collections.abc import Mapping, Sequence

from boots.measure import Boot

TITLES = {
    "nothing": "no agent",
    "ours": "coreos-ignition",
    "ignition": "ignition (Debian)",
    "cloud-init": "cloud-init (Debian)",
}
COLUMNS = {
    "login": "console login",
    "ssh": "sshd",
    "finished": "all jobs done",
    "agent": "agent's units",
    "cpu": "processor",
}
BEGIN, END = "<!-- make bench-boot BENCH_BOOT=--document -->", "<!-- end -->"
# Of what cloud-init adds.
SHARE_OF_CLOUD_INIT = 1 / 3

Boots = Mapping[str, Sequence[Boot]]


def median(boots: Sequence[Boot], name: str) -> float:
    """Seconds."""
    return float(statistics.median(getattr(boot, name) for boot in boots))


def lines(boots: Boots) -> list[str]:
    """Markdown: medians in seconds, and the least and the most of several runs."""
    rows = [
        f"| first boot with | {' | '.join(COLUMNS.values())} |",
        f"|---|{'---|' * len(COLUMNS)}",
    ]
    for name, some in boots.items():
        cells = [f"{median(some, column):.2f}{_spread(some, column)}" for column in COLUMNS]
        rows.append(f"| {TITLES[name]} | {' | '.join(cells)} |")
    return rows


def _spread(boots: Sequence[Boot], name: str) -> str:
    values = [getattr(boot, name) for boot in boots]
    return f" ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else ""


def added(boots: Boots, name: str, column: str) -> float:
    """Seconds that an agent adds."""
    return median(boots[name], column) - median(boots["nothing"], column)


def missed(boots: Boots) -> list[str]:
    """What is slower than it should be: we add no more than Ignition does, and at most a third of what cloud-init adds."""
    found = []
    for column, title in (("ssh", "sshd"), ("login", "a login"), ("cpu", "processor time")):
        ours, ignition, cloud_init = (added(boots, name, column) for name in ("ours", "ignition", "cloud-init"))
        if ours > ignition:
            found.append(f"{title}: {ours:.2f} s added, Ignition adds {ignition:.2f} s")
        if ours > cloud_init * SHARE_OF_CLOUD_INIT:
            found.append(
                f"{title}: {ours:.2f} s added, a third of what cloud-init adds is {cloud_init * SHARE_OF_CLOUD_INIT:.2f} s"
            )
    return found


def inserted(page: str, rows: Sequence[str]) -> str:
    """The page with the rows between the marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n".join([f"{before}{BEGIN}", *rows, f"{END}{after}"])
