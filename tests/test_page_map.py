"""The map in headless Chromium, over the real service."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.keys import Keys

from api.app import create_app
from recommender.settings import Settings
from tests.builders import Entry, entry, publish_entries
from tests.page_browser import Page, chromium
from tests.page_map import MapOnPage
from tests.page_server import PAGE_FOLDER, serving
from tests.test_page_colours import _contrast, _palettes

PER_CROWD = 60
TAGS = ((0.9, 0.1, 0.0), (0.1, 0.8, 0.0))


def crowded_catalog() -> list[Entry]:
    """Two crowds of tracks, a jazz and a rock one; each sounds most like itself."""
    rng = np.random.default_rng(1)
    entries = []
    for crowd, genre in enumerate(("Jazz", "Rock")):
        for number in range(PER_CROWD):
            vector = 4.0 * np.eye(4)[crowd] + rng.normal(size=4)
            made = entry(
                f"{genre.lower()}-{number:02}",
                vector.tolist(),
                tags=TAGS[crowd],
                title=f"{genre} {number}",
                artist="<b>Ada</b>",
                genre=genre,
                year=1960 + number,
            )
            entries.append(made)
    return entries


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("map")
    publish_entries(folder / "data", crowded_catalog())
    app = create_app(Settings(data_dir=folder / "data", clip_workers=1, poll_seconds=0.05))
    with serving(app) as url, chromium(folder / "profile") as driver:
        yield Page(driver, url)


@pytest.fixture
def shown(page: Page) -> Iterator[MapOnPage]:
    yield MapOnPage(page)
    assert page.complaints() == []


def test_every_track_is_drawn_in_the_colours_of_the_legend(shown: MapOnPage, page: Page) -> None:
    assert page.text(".map-count") == "120 tracks"
    assert [re.sub(r"\s+", " ", text) for text in page.texts(".map-legend button")] == [
        "jazz 60 tracks",
        "rock 60 tracks",
    ]
    # the ground, two colours, and the edges of discs between
    assert shown.n_colours() >= 3


def test_a_click_plays_the_track_under_it(shown: MapOnPage, page: Page) -> None:
    shown.to(*shown.pixels(7)).click().perform()
    assert page.wait(shown.played) == ["jazz-07"]


def test_a_click_beside_all_tracks_plays_nothing(shown: MapOnPage, page: Page) -> None:
    spots = [shown.pixels(row) for row in range(2 * PER_CROWD)]
    corners = [(x, y) for x in (5, 300, 600) for y in (60, 250, 500)]
    free = max(corners, key=lambda one: min(math.dist(one, other) for other in spots))
    shown.to(*free).click().perform()
    shown.to(*shown.pixels(3)).click().perform()
    assert page.wait(shown.played) == ["jazz-03"]


def test_what_is_pointed_at_is_named_as_text(shown: MapOnPage, page: Page) -> None:
    shown.to(*shown.pixels(70)).perform()
    page.wait(lambda: page.one(".map-tip").is_displayed())
    assert page.text(".map-tip bdi") == "Rock 10 by <b>Ada</b>"
    assert page.text(".map-tip span") == "rock"


def test_a_line_that_is_drawn_around_tracks_makes_a_list(shown: MapOnPage, page: Page) -> None:
    spots = [shown.pixels(row) for row in range(PER_CROWD)]
    left, right = min(x for x, _ in spots) - 8, max(x for x, _ in spots) + 8
    top, bottom = min(y for _, y in spots) - 8, max(y for _, y in spots) + 8
    page.one(".map-button[aria-pressed]").click()
    corners = [(right, top), (right, bottom), (left, bottom)]
    action = shown.to(left, top).click_and_hold()
    at = (left, top)
    for corner in corners:
        action = action.move_by_offset(round(corner[0] - at[0]), round(corner[1] - at[1]))
        at = corner
    action.release().perform()
    [[ids, title]] = page.wait(shown.lists)
    assert {f"jazz-{number:02}" for number in range(PER_CROWD)} <= set(ids)
    assert title == f"{len(ids)} tracks drawn around, mostly jazz"
    assert page.one(".map-button[aria-pressed]").get_attribute("aria-pressed") == "false"
    assert shown.played() == []


def test_shift_and_a_drag_around_nothing_lists_nothing(shown: MapOnPage, page: Page) -> None:
    action = shown.actions().key_down(Keys.SHIFT)
    action.move_to_element_with_offset(shown.overlay, 0, 0).click_and_hold()
    action.move_by_offset(3, 0).move_by_offset(0, 3).release().key_up(Keys.SHIFT).perform()
    assert (shown.lists(), shown.played()) in ([[], []], ([], []))


def test_dragging_moves_the_map_and_the_wheel_brings_it_closer(
    shown: MapOnPage, page: Page
) -> None:
    page.one(".map-button[aria-label='Zoom in']").click()
    before = shown.pixels(0)
    shown.to(300, 300).click_and_hold().move_by_offset(20, 10).move_by_offset(
        20, 10
    ).release().perform()
    after = shown.pixels(0)
    assert (after[0] - before[0], after[1] - before[1]) == pytest.approx((40, 20), abs=1)
    closer = page.run("return window.map.frame.zoom")
    shown.actions().scroll_by_amount(0, 0).perform()
    page.run(
        "window.map.parts.overlay.dispatchEvent(new WheelEvent('wheel', {deltaY: -300, "
        "clientX: 400, clientY: 500, cancelable: true}))"
    )
    assert page.run("return window.map.frame.zoom") > 1.5 * closer
    page.one(".map-button[aria-label='Show all of the map']").click()
    assert page.run("return window.map.frame.zoom") == pytest.approx(1.0)
    assert shown.played() == []


def test_two_fingers_bring_it_closer(shown: MapOnPage, page: Page) -> None:
    box = page.run("return window.map.parts.overlay.getBoundingClientRect().toJSON()")

    def touch(kind: str, *spots: tuple[float, float]) -> None:
        points = [{"x": box["x"] + x, "y": box["y"] + y, "id": i} for i, (x, y) in enumerate(spots)]
        page.command("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (300, 200))
    touch("touchStart", (300, 200), (400, 200))
    for gap in (140, 180, 220):
        touch("touchMove", (350 - gap / 2, 200), (350 + gap / 2, 200))
    touch("touchEnd")
    assert page.run("return window.map.frame.zoom") > 1.5
    assert shown.played() == []


def test_the_keyboard_goes_from_track_to_track_plays_and_lists(
    shown: MapOnPage, page: Page
) -> None:
    shown.overlay.send_keys(Keys.ARROW_RIGHT)
    first = page.wait(lambda: page.text(".map-tip bdi"))
    x = page.run("return map.data.x[map.focused]")
    shown.overlay.send_keys(Keys.ARROW_RIGHT)
    page.wait(lambda: page.text(".map-tip bdi") not in ("", first))
    assert page.run("return map.data.x[map.focused]") > x
    shown.overlay.send_keys(Keys.ENTER)
    [played] = page.wait(shown.played)
    spoken = page.run("return map.parts.status.textContent")
    assert spoken.startswith(played.replace("-0", " ").replace("-", " ").capitalize())
    shown.overlay.send_keys("l")
    [[ids, title]] = page.wait(shown.lists)
    assert ids[0] == played
    assert title.startswith("25 tracks around a track, mostly ")
    shown.overlay.send_keys("+")
    assert page.run("return map.frame.zoom") == pytest.approx(1.6)
    shown.overlay.send_keys("0")
    assert page.run("return map.frame.zoom") == pytest.approx(1.0)


def test_a_group_of_the_legend_stands_out_until_it_is_pressed_again(
    shown: MapOnPage, page: Page
) -> None:
    page.run("document.querySelector('.map-legend button').focus()")
    page.focused().send_keys(Keys.ENTER)
    assert page.focused().get_attribute("aria-pressed") == "true"
    page.focused().send_keys(Keys.ENTER)
    assert page.focused().get_attribute("aria-pressed") == "false"


def test_colours_may_stand_for_decades(shown: MapOnPage, page: Page) -> None:
    page.run("const s = map.parts.colour; s.value = 'year'; s.dispatchEvent(new Event('change'))")
    page.wait(lambda: "1960s" in page.text(".map-legend"))
    assert len(page.all(".map-legend button")) == 6


def test_a_map_of_an_index_that_is_gone_is_fetched_anew(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    publish_entries(tmp_path / "data", crowded_catalog())
    app = create_app(Settings(data_dir=tmp_path / "data", clip_workers=1, poll_seconds=0.05))
    with serving(app) as url, chromium(tmp_path / "profile") as driver:
        page = Page(driver, url)
        shown = MapOnPage(page)
        name = publish_entries(tmp_path / "data", crowded_catalog()[:90])
        page.wait(
            lambda: page.run("return fetch('index').then((a) => a.json())")["generation"] == name
        )
        shown.to(*shown.pixels(7)).click().perform()
        page.wait(lambda: page.text(".map-count") == "90 tracks")


def test_colours_of_points_keep_apart_from_the_ground() -> None:
    text = (PAGE_FOLDER / "map.css").read_text()
    blocks = re.findall(r"\.map-stage, \.map-legend \{(.*?)\}", text, re.DOTALL)
    assert len(blocks) == len(_palettes()) == 2
    for block in blocks:
        colours = dict(re.findall(r"--map-(\w+): (#[0-9a-f]{6});", block))
        ground = colours.pop("ground")
        faint = colours.pop("faint")
        assert _contrast(faint, ground) < _contrast(colours.pop("others"), ground)
        assert len(set(colours.values())) == 10
        assert all(_contrast(colour, ground) >= 3 for colour in colours.values())
