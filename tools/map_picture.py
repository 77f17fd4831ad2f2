"""Take the picture of the map that the documentation shows, in headless Chromium.

::

    python -m tools.map_picture [--data-dir data] [--out docs/map.png]

Serves the index of DATA_DIR for as long as it takes, opens the map and draws around some
tracks, which are listed below it. Chromium and chromedriver have to be installed.
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from selenium.webdriver.common.action_chains import ActionChains

from api.app import create_app
from recommender.settings import Settings
from tests.page_browser import Page, chromium
from tests.page_server import serving

WIDTH, HEIGHT = 1280, 1500
CORNERS = 24
# what is drawn around, in shares of the map's width and height
MIDDLE, RADIUS = (0.79, 0.42), 0.1


def take(page: Page, out: Path) -> None:
    """Draw around tracks, and take the picture."""
    page.open("#/map", width=WIDTH, height=HEIGHT)
    page.wait(lambda: page.text(".map-count"))
    overlay = page.one(".map-overlay")
    size = overlay.size
    radius = RADIUS * size["width"]
    turns = [2 * math.pi * corner / CORNERS for corner in range(CORNERS + 1)]
    spots = [(radius * math.cos(turn), radius * math.sin(turn)) for turn in turns]
    middle = [(share - 0.5) * size[side] for share, side in zip(MIDDLE, size, strict=True)]
    at = [(round(middle[0] + x), round(middle[1] + y)) for x, y in spots]
    page.button("Draw around tracks").click()
    drawing = ActionChains(page.driver, duration=5)
    drawing.move_to_element_with_offset(overlay, *at[0]).click_and_hold()
    for before, after in pairwise(at):
        drawing.move_by_offset(after[0] - before[0], after[1] - before[1])
    drawing.release().perform()
    page.wait(lambda: page.texts("#tracks .row-title"))
    page.run("document.activeElement.blur(); scrollTo(0, 0)")
    page.driver.save_screenshot(str(out))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="(data)")
    parser.add_argument("--out", type=Path, default=Path("docs/map.png"), help="(docs/map.png)")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        listeners = f"sqlite:///{folder}/listeners.db"
        app = create_app(Settings(data_dir=given.data_dir, listeners_url=listeners))
        with serving(app) as url, chromium(Path(folder) / "profile") as driver:
            page = Page(driver, url)
            page.command("Emulation.setScrollbarsHidden", {"hidden": True})
            take(page, given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
