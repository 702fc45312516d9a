"""A picture of first boots: one bar for each agent, from the kernel to sshd, with the parts of the boot."""

from collections.abc import Mapping, Sequence

from boots import svg
from boots.measure import Boot
from boots.table import TITLES, median

WIDTH, LEFT, TOP, BAR, GAP = 800, 170, 46, 30, 16
PARTS = (
    ("kernel", "#8a9bb0", "", "initrd"),
    ("initramfs", "#4878b0", "initrd", "root"),
    ("real root, to sshd", "#b8c9de", "root", "ssh"),
)


def draw(boots: Mapping[str, Sequence[Boot]]) -> str:
    """Medians, in seconds of the guest's clock."""
    longest = max(median(some, "ssh") for some in boots.values())
    across, bottom = (WIDTH - LEFT - 70) / longest, TOP + len(boots) * (BAR + GAP)
    parts = []
    for number, (title, colour, _, _) in enumerate(PARTS):
        x = LEFT + number * 160
        parts += [svg.bar(x, 12, 12, 12, colour), svg.text(x + 18, 23, title)]
    parts += svg.seconds(LEFT, TOP - 8, bottom, 0, longest, across, 2)
    for number, (name, some) in enumerate(boots.items()):
        y, total = TOP + number * (BAR + GAP), median(some, "ssh")
        parts.append(svg.text(LEFT - 8, y + BAR / 2 + 4, TITLES[name], end=True))
        for _, colour, begin, end in PARTS:
            since = median(some, begin) if begin else 0.0
            parts.append(svg.bar(LEFT + since * across, y, (median(some, end) - since) * across, BAR, colour))
        parts.append(svg.text(LEFT + total * across + 6, y + BAR / 2 + 4, f"{total:.2f} s"))
    return svg.page(WIDTH, bottom + 30, "Seconds of a first boot, from the start of the kernel to sshd", parts)
