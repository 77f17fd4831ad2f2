"""Paths, playlists and the map of the page, on the real service."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.page_browser import Page, chromium
from tests.page_styles import publish_styles, styles_service

TITLES = "#tracks .row-title"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_styles(tmp_path_factory.mktemp("styles"))


@pytest.fixture(scope="module")
def shared_page(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    profile = tmp_path_factory.mktemp("profile")
    with styles_service(data_dir) as url, chromium(profile) as driver:
        yield Page(driver, url)


@pytest.fixture
def page(shared_page: Page, tmp_path: Path) -> Page:
    folder = {"behavior": "allow", "downloadPath": str(tmp_path)}
    shared_page.command("Browser.setDownloadBehavior", folder)
    return shared_page


def test_a_path_leads_from_a_match_and_is_played_through(page: Page) -> None:
    page.open("#similar=ska00")
    page.wait(lambda: len(page.texts(TITLES)) == 20)
    last = page.texts(TITLES)[-1]
    page.all("#tracks a[title='Path to this']")[-1].click()
    page.wait(lambda: page.text("#view-eyebrow") == "Path")
    stops = page.texts(TITLES)
    assert (stops[0], stops[-1], len(stops)) == ("Ska 00", last, 10)
    assert page.focused().get_attribute("id") == "view-title"
    assert page.one("#path-from").get_attribute("value") == "Ska 00 by Ska Band 0"
    hops = page.texts("#tracks .number")
    assert len(hops) == 9
    assert all(0.5 < float(hop) <= 1 for hop in hops)
    page.button("Play all").click()
    page.wait(lambda: page.seconds() > 0)
    page.run("const a = document.getElementById('audio'); a.currentTime = a.duration - 0.1")
    page.wait(lambda: page.text("#player-title") == stops[1])
    assert page.complaints() == []


def choose(page: Page, field: str, words: str) -> None:
    page.one(f"#path-{field}").click()
    page.focused().send_keys(words)
    page.wait(lambda: page.one(f"#path-{field}-found").is_displayed())


def test_both_ends_are_searched_for_with_the_keyboard(page: Page) -> None:
    page.open("#/path")
    assert page.text("#empty-text") == "Choose where the path begins, and where it ends."
    choose(page, "from", "doom 07")
    page.focused().send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    page.wait(lambda: page.text("#empty-text") == "Choose where it ends.")
    choose(page, "to", "fado 1")
    assert page.focused().get_attribute("aria-expanded") == "true"
    page.focused().send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    active = page.focused().get_attribute("aria-activedescendant")
    name = page.one(f"#{active}").text
    page.focused().send_keys(Keys.ENTER)
    page.wait(lambda: len(page.texts(TITLES)) == 10)
    assert page.texts(TITLES)[0] == "Doom 07"
    assert name.startswith(page.texts(TITLES)[-1])
    assert page.focused().get_attribute("id") == "path-to"
    assert page.one("#path-to").get_attribute("value") == name


def test_a_choice_is_made_with_a_click_and_left_with_escape(page: Page) -> None:
    page.open("#/path?from=ska00")
    choose(page, "to", "fado 02")
    page.one("#path-to-found li").click()
    page.wait(lambda: page.texts(TITLES)[-1:] == ["Fado 02"])
    choose(page, "from", "drone")
    page.focused().send_keys(Keys.ESCAPE)
    assert not page.one("#path-from-found").is_displayed()
    page.focused().send_keys(Keys.TAB)
    assert page.one("#path-from").get_attribute("value") == "Ska 00 by Ska Band 0"


def test_a_path_has_as_many_tracks_as_asked_for_and_turns_around(page: Page) -> None:
    page.open("#/path?from=ska00&to=fado00&steps=4&genre=ska")
    there = page.texts(TITLES)
    assert len(there) == 4
    assert page.text("#filtered-by") == "Filters: genre ska"
    page.button("Turn around").click()
    page.wait(lambda: page.texts(TITLES) == there[::-1])
    assert "from=fado00&to=ska00&steps=4" in page.run("return location.hash")


def test_ends_that_are_not_there_or_the_same_are_explained(page: Page) -> None:
    page.open("#/path?from=ska00&to=nowhere")
    assert "nowhere" in page.text("#alert-detail")
    page.open("#/path?from=ska00&to=ska00")
    assert page.one("#alert-box").is_displayed()
    assert page.one("#path-form").is_displayed()


@pytest.mark.parametrize("kind", ["XSPF", "JSPF", "M3U"])
def test_lists_are_saved_in_the_form_that_is_chosen(page: Page, tmp_path: Path, kind: str) -> None:
    page.open("#/path?from=ska00&to=fado00&steps=3")
    Select(page.one("#save-format")).select_by_visible_text(kind)
    page.button("Save as playlist").click()
    suffix = {"M3U": "m3u8"}.get(kind, kind.lower())
    file = tmp_path / f"From Ska Band 0 - Ska 00 to Fado Band 0 - Fado 00.{suffix}"
    page.wait(file.exists)
    text = page.wait(lambda: file.read_text(encoding="utf-8"))
    assert text.index("ska00/audio") < text.index("fado00/audio")


def test_what_is_recommended_is_saved_by_the_server_too(page: Page, tmp_path: Path) -> None:
    page.open("#/you?genre=doom")
    Select(page.one("#save-format")).select_by_visible_text("JSPF")
    page.button("Save as playlist").click()
    file = tmp_path / "Recommended.jspf"
    page.wait(lambda: file.exists() and file.stat().st_size)
    tracks = json.loads(file.read_text(encoding="utf-8"))["playlist"]["track"]
    assert [track["title"] for track in tracks] == page.texts(TITLES)


def test_a_page_of_the_catalog_is_saved_as_it_is(page: Page, tmp_path: Path) -> None:
    page.open("#q=fado 0")
    assert not page.one("#save-format").is_displayed()
    page.button("Save as playlist").click()
    file = tmp_path / "soundalike.m3u8"
    page.wait(lambda: file.exists() and file.stat().st_size)
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["#EXTM3U", f"#EXTINF:12,Fado Band 0 - {page.texts(TITLES)[0]}"]
    assert len(lines) == 1 + 2 * len(page.texts(TITLES))


def test_the_options_of_lists_are_in_the_filter_form(page: Page) -> None:
    page.open("#similar=ska00&max_per_album=2&diversity=0.3&hub_correction=1")
    assert len(page.texts(TITLES)) == 20
    assert page.text("#filtered-by") == (
        "Filters: at most 2 of an album · unlike each other (0.3) · nothing near to everything"
    )
    page.button("Filters 3").click()
    assert page.one("#filter-max_per_album").get_attribute("value") == "2"
    assert page.text("#diversity-value") == "0.3"
    assert page.one("#filter-hub_correction").is_selected()
    page.button("Clear filters").click()
    page.wait(lambda: page.run("return location.hash") == "#similar=ska00")


def test_the_map_says_when_it_cannot_be_shown(page: Page) -> None:
    page.command("Network.enable", {})
    page.command("Network.setBlockedURLs", {"urls": ["*/map.js"]})
    page.open("#/map")
    page.wait(lambda: "The map cannot be shown" in page.text("#map-problem"))
    assert page.text("#view-title") == "Map"
    page.command("Network.setBlockedURLs", {"urls": []})


STAND_IN_MAP = """
    export function mountMap(place, { onPlay, onList }) {
      const track = (id) => ({ id, title: id, artist: "Ska Band 0", duration_seconds: 12 });
      const button = (text, click) => {
        const made = document.createElement("button");
        made.textContent = text;
        made.addEventListener("click", click);
        place.append(made);
      };
      button("a point", () => onPlay(track("ska00")));
      button("a loop", () => onList([track("ska00"), track("ska05")], "2 tracks around here"));
    }"""


def test_a_click_on_the_map_plays_and_what_is_drawn_around_is_listed(
    data_dir: Path, page: Page
) -> None:
    with styles_service(data_dir, STAND_IN_MAP) as url:
        page = Page(page.driver, url)
        page.open("#/map")
        page.wait(lambda: page.all("#map-canvas button"))
        page.button("a point").click()
        page.wait(lambda: page.text("#player-title") == "ska00")
        page.button("a loop").click()
        page.wait(lambda: page.texts(TITLES) == ["ska00", "ska05"])
        assert page.text("#legend") == page.text("#status") == "2 tracks around here"
        assert page.one("#save").is_displayed()
        assert not page.one("#save-format").is_displayed()
        page.open_view("#similar=ska00")
        assert not page.one("#map").is_displayed()
        page.open_view("#/map")
        assert len(page.all("#map-canvas button")) == 2


def test_where_no_audio_is_given_nothing_offers_to_play(
    data_dir: Path, page: Page, tmp_path: Path
) -> None:
    with styles_service(data_dir, serve_audio=False) as url:
        silent = Page(page.driver, url)
        silent.open("#similar=ska00")
        assert len(silent.texts(TITLES)) == 20
        assert silent.all("button.disc") == []
        assert not silent.one("#play-all").is_displayed()
        silent.button("Save as playlist").click()
        file = tmp_path / "Sounds like Ska Band 0 - Ska 00.m3u8"
        silent.wait(lambda: file.exists() and file.stat().st_size)
        assert "\nska" in file.read_text(encoding="utf-8")
        silent.open("#q=ska 0")
        assert not silent.one("#save").is_displayed()
        silent.one("#search").send_keys(Keys.ARROW_DOWN)
        assert silent.focused().text == "Sounds like this"
