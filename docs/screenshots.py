"""Takes the screenshots of pages in docs/images: `make screenshots`. Look at them before they are committed.

Each page is shown light and dark, 1280 and 400 pixels wide, in Chromium. The command fails if anything is wider than the window.
A page is a function in PAGES that returns its HTML, made from a committed sample. Needs, of Debian: chromium, chromium-driver,
python3-selenium, pngquant.
"""

from __future__ import annotations

import argparse
import base64
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

PROGRAMS = ("chromium", "chromedriver", "pngquant")
WIDTHS = (1280, 400)
SCHEMES = ("light", "dark")
TALLEST = 2000  # pixels of an image; the page goes on below
# Elements that reach beyond the window, but for those inside one that scrolls by itself or is not shown.
TOO_WIDE = """
return [...document.querySelectorAll('body *')].filter(element => {
  const box = element.getBoundingClientRect();
  return box.width && box.right > innerWidth + 1 && !element.closest('.scroll, .diff, .hidden, .skip, svg svg');
}).map(element => element.outerHTML.slice(0, 120));
"""


def report() -> str:
    """A report that was recorded by `make demo`, with a lost partition, warnings and an earlier attempt added by hand."""
    from ignition.reporting import page
    from ignition.reporting.report import read

    metadata = json.loads((SAMPLES / "metadata.json").read_text(encoding="utf-8"))
    return page.html(read(str(SAMPLES / "first_boot.json")), metadata)


def plan() -> str:
    """A plan for a machine whose second disk has a past, from its facts."""
    from ignition.cli import plan as command

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "plan.html"
        samples = HERE.parent / "tests" / "planning" / "samples"
        command.main([str(samples / "web.bu"), "-facts", str(samples / "web-1.json"), "-html", str(path)])
        return path.read_text(encoding="utf-8").replace(f"{samples}/", "")


SAMPLES = HERE.parent / "tests" / "reporting"
PAGES: dict[str, Callable[[], str]] = {"plan": plan, "report": report}


def main() -> int:
    """Entry point: the names of pages, or all."""
    parser = argparse.ArgumentParser(prog="screenshots.py", description="Takes screenshots of pages in a real browser.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"pages (default: all): {', '.join(PAGES)}")
    parser.add_argument("--into", type=Path, default=HERE / "images", metavar="DIR", help="where the images go")
    parser.add_argument("--page", type=Path, metavar="FILE", help="a page of your own instead")
    arguments = parser.parse_args()
    pages = {arguments.page.stem: arguments.page.read_text(encoding="utf-8")} if arguments.page else {}
    pages |= {name: PAGES[name]() for name in arguments.names or ([] if pages else PAGES)}
    return take(pages, arguments.into)


def take(pages: dict[str, str], into: Path) -> int:
    """An image for each page, width and scheme; 1 if something is too wide."""
    if importlib.util.find_spec("selenium") is None or not all(map(shutil.which, PROGRAMS)):
        print("screenshots: apt install chromium chromium-driver python3-selenium pngquant", file=sys.stderr)
        return 1
    from selenium import webdriver  # type: ignore[import-not-found,unused-ignore]  # not among the packages of .ci/setup

    into.mkdir(parents=True, exist_ok=True)
    options = webdriver.ChromeOptions()
    for option in ("--headless=new", "--no-sandbox", "--hide-scrollbars", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(option)  # type: ignore[no-untyped-call,unused-ignore]
    browser = webdriver.Chrome(options=options)
    failed = False
    try:
        for name, text in pages.items():
            with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                browser.get(f"file://{file.name}")
                for width in WIDTHS:
                    for scheme in SCHEMES:
                        failed |= shoot(browser, width, scheme, into / f"{name}-{scheme}-{width}.png")
    finally:
        browser.quit()
    return int(failed)


def shoot(browser, width: int, scheme: str, path: Path) -> bool:  # type: ignore[no-untyped-def]  # selenium has no types
    """One image; whether something is too wide."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    height = min(TALLEST, browser.execute_script("return document.documentElement.scrollHeight"))
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**metrics, "height": height})
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    # A palette of 64 colours makes it a quarter as large, which a clone of the repository pays for.
    palette = ["pngquant", "--speed=1", "--strip", "64", "-"]
    path.write_bytes(subprocess.run(palette, input=base64.b64decode(shot["data"]), stdout=subprocess.PIPE, check=True).stdout)
    wide = browser.execute_script(TOO_WIDE)
    print(f"{path} ({path.stat().st_size // 1024} KiB)", *(f"  too wide: {text}" for text in wide), sep="\n")
    return bool(wide)


if __name__ == "__main__":
    sys.exit(main())
