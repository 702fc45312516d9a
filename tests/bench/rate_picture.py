"""A picture of rates over time as SVG text: one panel above the other, the same scales, nothing to install."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

START_S = 2.0
WIDTH, PANEL, GAP, LEFT, TOP = 800, 180, 50, 60, 40
_STYLE = (
    "text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.axis{stroke:#999;fill:none}.grid{stroke:#eee}"
    ".rate{fill:#4878b0}.outage{fill:#f6e3e0}"
)


def draw(series: Mapping[str, Sequence[float]], bin_s: float, outage_s: float) -> str:
    """Bars of rates (per second, a bin of `bin_s` each) for each name; the time of the outage is shaded."""
    seconds = max(len(rates) for rates in series.values()) * bin_s
    # At the start all come at once: that would make everything after it flat, so it is cut off.
    highest = max(max(rates[int(START_S / bin_s) :], default=1.0) for rates in series.values())
    height = TOP + len(series) * (PANEL + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for number, (name, rates) in enumerate(series.items()):
        parts += _panel(name, rates, TOP + number * (PANEL + GAP), (seconds, highest), bin_s, outage_s)
    return "\n".join([*parts, "</svg>", ""])


def _panel(name: str, rates: Sequence[float], top: float, scale: tuple[float, float], bin_s: float, outage_s: float) -> list[str]:
    seconds, highest = scale
    across, bottom = (WIDTH - LEFT - 20) / seconds, top + PANEL
    begin = max(rates[: int(START_S / bin_s)])
    parts = [
        f'<text class="title" x="{LEFT}" y="{top - 8}">requests per second: {name} (at the start {begin:,.0f})</text>',
        f'<rect class="outage" x="{LEFT}" y="{top}" width="{outage_s * across:.1f}" height="{PANEL}"/>',
        f'<text x="{LEFT + outage_s * across - 4:.1f}" y="{top + 14}" text-anchor="end">half of the machines get 503</text>',
    ]
    for part in (0.5, 1.0):
        y = bottom - part * PANEL
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - 20}" y2="{y}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{part * highest:,.0f}</text>')
    for index, rate in enumerate(rates):
        tall = min(rate, highest) / highest * PANEL
        if tall:
            x, width = LEFT + index * bin_s * across, max(0.5, bin_s * across - 0.5)
            parts.append(f'<rect class="rate" x="{x:.1f}" y="{bottom - tall:.1f}" width="{width:.1f}" height="{tall:.1f}"/>')
    for second in range(0, int(seconds) + 1, 2):
        parts.append(f'<text x="{LEFT + second * across:.1f}" y="{bottom + 16}" text-anchor="middle">{second} s</text>')
    return [*parts, f'<path class="axis" d="M{LEFT} {top}V{bottom}H{WIDTH - 20}"/>']
