"""The map on the page, mounted in a place of its own, and what it hands on."""

from typing import Any

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.remote.webelement import WebElement

from tests.page_browser import Page

_MOUNT = """
    const done = arguments[arguments.length - 1];
    const place = document.createElement('section');
    document.querySelector('main').prepend(place);
    window.played = [];
    window.lists = [];
    const onPlay = (track) => window.played.push(track.id);
    const onList = (tracks, title) => window.lists.push([tracks.map((track) => track.id), title]);
    import(new URL('map.js', document.baseURI))
      .then(({ mountMap }) => mountMap(place, { onPlay, onList }))
      .then((map) => { window.map = map; done(''); }, (error) => done(String(error)));"""
_PIXELS = """
    const place = [...window.map.data.rows].indexOf(arguments[0]);
    const { x, y } = window.map.frame.pixels({ x: map.data.x[place], y: map.data.y[place] });
    return [x, y];"""
# of the points: how often each colour is there, in the order of the pixels' bytes
_COLOURS = """
    const { canvas, pixels } = window.map.canvas;
    const counts = {};
    for (const pixel of pixels) counts[pixel] = (counts[pixel] ?? 0) + 1;
    return Object.keys(counts).length;"""


class MapOnPage:
    """The map, as somebody uses it; rows are those of the index."""

    def __init__(self, page: Page):
        self.page = page
        page.open()
        failed = page.driver.execute_async_script(_MOUNT)
        assert failed == ""
        page.wait(lambda: self.n_colours() > 1)

    @property
    def overlay(self) -> WebElement:
        """What hands and keys go to."""
        return self.page.one(".map-overlay")

    def n_colours(self) -> int:
        return int(self.page.run(_COLOURS))

    def pixels(self, row: int) -> tuple[float, float]:
        """Where a point is on the screen, from the left and the top of the map."""
        x, y = self.page.run(_PIXELS, row)
        return x, y

    def actions(self) -> ActionChains:
        return ActionChains(self.page.driver, duration=20)

    def to(self, x: float, y: float) -> ActionChains:
        """Move the mouse to a place on the map."""
        size = self.overlay.size
        across, down = round(x - size["width"] / 2), round(y - size["height"] / 2)
        return self.actions().move_to_element_with_offset(self.overlay, across, down)

    def played(self) -> list[str]:
        return list(self.page.run("return window.played"))

    def lists(self) -> list[Any]:
        """Ids and title of each list that was made."""
        return list(self.page.run("return window.lists"))
