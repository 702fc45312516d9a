"""What the pictures have in common: text, bars, an axis of seconds. Nothing to install."""

from collections.abc import Iterable
from xml.sax.saxutils import escape

STYLE = "text{font:13px sans-serif;fill:#333}.small{font-size:11px}.axis{stroke:#999;fill:none}.grid{stroke:#ddd}"


def text(x: float, y: float, content: str, *, end: bool = False, small: bool = False) -> str:
    """A text that begins at x, or ends there."""
    attributes = (' text-anchor="end"' if end else "") + (' class="small"' if small else "")
    return f'<text x="{x:.1f}" y="{y:.1f}"{attributes}>{escape(content)}</text>'


def bar(x: float, y: float, width: float, height: float, colour: str, title: str = "") -> str:
    """A rectangle; the title shows up under the pointer."""
    inside = f"><title>{escape(title)}</title></rect>" if title else "/>"
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}" fill="{colour}"{inside}'


def seconds(left: float, top: float, bottom: float, begin: float, end: float, across: float, step: float) -> list[str]:
    """Grid lines with their seconds, and the axes."""
    parts, second = [], -(-begin // step) * step
    while second <= end:
        x = left + (second - begin) * across
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{second:g} s</text>')
        second += step
    return [*parts, f'<path class="axis" d="M{left} {top}V{bottom}H{left + (end - begin) * across:.1f}"/>']


def page(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """The whole picture."""
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
    ]
    return "\n".join([*head, *parts, "</svg>", ""])
