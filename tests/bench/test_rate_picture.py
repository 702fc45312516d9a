"""The picture of rates: well-formed, to scale, with every name."""

import xml.etree.ElementTree as ET

from tests.bench.rate_picture import PANEL, draw

SVG = "{http://www.w3.org/2000/svg}"


def test_picture_has_a_bar_for_each_bin_that_is_not_empty() -> None:
    root = ET.fromstring(draw({"a": [900.0] * 4 + [50.0, 0.0], "b": [1.0, 0.0, 0.0, 0.0, 100.0, 25.0]}, 0.5, 1.0))
    bars = [bar for bar in root.iter(f"{SVG}rect") if bar.get("class") == "rate"]
    assert [float(bar.get("height", "")) for bar in bars] == [*[PANEL] * 4, PANEL / 2, PANEL / 100, PANEL, PANEL / 4]
    titles = [text.text for text in root.iter(f"{SVG}text") if text.get("class") == "title"]
    assert titles == ["requests per second: a (at the start 900)", "requests per second: b (at the start 1)"]
