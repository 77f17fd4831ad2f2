"""Filters of what is shown, and what the index is said to be."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.page_browser import Page, chromium
from tests.page_catalog import tone
from tests.page_index import EXACT, GRAPH, UNMEASURED
from tests.page_server import StandIn, create_app, serving
from tests.page_spaces import MUSICNN, PANNS

SEED = "tone-005"
SEED_NAME = "Paper Lanterns by Kitto"
TITLES = "#tracks .row-title"
AMBIENT = ["Salt Meadow", "Undertow", "Harbour Lights"]


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    return StandIn(tmp_path_factory.mktemp("tones"))


@pytest.fixture(scope="module")
def shared_page(backend: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    profile = tmp_path_factory.mktemp("profile")
    with serving(create_app(backend)) as url, chromium(profile) as driver:
        yield Page(driver, url)


@pytest.fixture
def page(shared_page: Page, backend: StandIn) -> Page:
    backend.index, backend.spaces = EXACT, [MUSICNN]
    backend.asked.clear()
    return shared_page


def unfold(page: Page) -> None:
    page.one("#filters-toggle").click()


def fill(page: Page, **texts: str) -> None:
    """Type into the form and apply it."""
    for name, text in texts.items():
        page.one(f"#filter-{name}").clear()
        page.one(f"#filter-{name}").send_keys(text)
    page.button("Apply").click()


def shows(page: Page, titles: list[str]) -> None:
    page.wait(lambda: page.texts(TITLES) == titles)


def hash_of(page: Page) -> str:
    return str(page.run("return location.hash"))


def test_filters_go_into_the_question_and_the_address(page: Page, backend: StandIn) -> None:
    page.open(f"#similar={SEED}")
    unfold(page)
    fill(page, genre="Folk; ambient", tag="slow", year_from="2000", year_to="2016")
    shows(page, ["Whistling at Noon", "Harbour Lights"])
    asked = {"genre": ("Folk", "ambient"), "tag": ("slow",), "year_from": 2000, "year_to": 2016}
    assert backend.asked[-1] == {"track_id": SEED, "limit": 20} | asked
    assert hash_of(page).startswith(f"#similar={SEED}&genre=Folk")
    words = "Filters: genre Folk; ambient · tagged slow · from 2000 · to 2016"
    assert page.text("#filtered-by") == words
    assert page.focused().text == "Apply"
    assert "2 tracks" in page.text("#status")


def test_an_address_with_filters_opens_filtered(page: Page, backend: StandIn) -> None:
    page.open(f"#similar={SEED}&artist=KITTO&album=small+hours&duration_max=330&cap=1")
    shows(page, ["Slow Elevator"])
    assert backend.asked[-1]["duration_max"] == 330
    assert "by KITTO · on small hours · up to 5.5\xa0min" in page.text("#filtered-by")
    unfold(page)
    assert page.one("#filter-duration_max").get_attribute("value") == "5.5"


def test_filters_stay_from_track_to_track_and_back_undoes_them(page: Page) -> None:
    page.open(f"#similar={SEED}")
    unfold(page)
    fill(page, genre="ambient")
    shows(page, AMBIENT)
    page.button("Sounds like this: Undertow by Low Tide Orchestra").click()
    shows(page, ["Harbour Lights", "Salt Meadow"])
    assert page.one("#filters").is_displayed()
    page.driver.back()
    shows(page, AMBIENT)
    page.driver.back()
    page.wait(lambda: len(page.texts(TITLES)) == 20)
    assert page.one("#filter-genre").get_attribute("value") == ""
    assert not page.one("#filtered").is_displayed()


def test_filters_are_cleared_at_once(page: Page) -> None:
    page.open(f"#similar={SEED}&genre=ambient&year_to=2016&cap=1")
    assert page.text("#filters-count") == "2"
    page.button("Clear filters").click()
    page.wait(lambda: len(page.texts(TITLES)) > 3)
    assert hash_of(page) == f"#similar={SEED}&cap=1"
    assert page.focused().get_attribute("id") == "filters-toggle"


def test_it_is_said_that_nothing_fits(page: Page) -> None:
    page.open(f"#similar={SEED}&genre=polka")
    assert page.one("#empty").is_displayed()
    assert page.text("#empty-text") == "No track fits these filters."
    assert page.text("#status") == "No track fits these filters."
    page.button("Clear filters").click()
    page.wait(lambda: len(page.texts(TITLES)) == 20)


def test_every_version_of_a_recording_can_be_asked_for(page: Page, backend: StandIn) -> None:
    page.open(f"#similar={SEED}")
    unfold(page)
    page.button("Every version of a recording").click()
    page.button("Apply").click()
    page.wait(lambda: page.text("#filtered-by") == "Filters: every version of a recording")
    page.settle()
    assert backend.asked[-1]["duplicates"] == "keep"


def test_the_artist_of_what_is_shown_can_be_left_out(page: Page, backend: StandIn) -> None:
    page.open(f"#similar={SEED}")
    assert "Slow Elevator" in page.texts(TITLES)
    unfold(page)
    page.button("Not this artist").click()
    page.button("Apply").click()
    page.wait(lambda: "Slow Elevator" not in page.texts(TITLES))
    assert backend.asked[-1]["exclude_artist"] == ("Kitto",)
    page.button("Sounds like this: Night Bus to Malmö by Mara Lindqvist").click()
    page.wait(lambda: "Slow Elevator" in page.texts(TITLES))
    assert backend.asked[-1]["exclude_artist"] == ("Mara Lindqvist",)
    assert "Copper Wire" not in page.texts(TITLES)


def test_clips_are_filtered_as_well(page: Page, backend: StandIn, tmp_path: Path) -> None:
    clip = tmp_path / "humming.wav"
    clip.write_bytes(tone(440.0, seconds=2))
    page.open("#clip=&genre=ambient&year_to=2016&other_artists=1")
    page.one("#clip-file").send_keys(str(clip))
    shows(page, AMBIENT[1:])
    assert backend.asked[-1] == {"limit": 20, "genre": ("ambient",), "year_to": 2016}
    assert page.text("#filtered-by") == "Filters: genre ambient · to 2016"
    assert page.complaints() == []


def test_a_tag_that_is_unknown_is_refused_beside_the_form(page: Page, backend: StandIn) -> None:
    backend.spaces = [MUSICNN, PANNS]
    page.open(f"#similar={SEED}&space=panns:layer=last")
    unfold(page)
    fill(page, tag="jazzz")
    words = "Tag: jazzz is unknown in this space; it has guitar, slow"
    page.wait(lambda: page.text("#filters-problem") == words)
    assert page.text("#view-title") == "Paper Lanterns"
    assert page.texts(TITLES) == []
    assert page.focused().get_attribute("id") == "filter-tag"
    assert page.focused().get_attribute("aria-invalid") == "true"
    assert not page.one("#alert-box").is_displayed()
    fill(page, tag="guitar")
    page.wait(lambda: page.texts(TITLES))
    assert page.text("#filters-problem") == ""


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ("year_from=1990&year_to=1980", "Year to: 1980 is below year from 1990"),
        ("year_from=soon", "Year from: it must be a whole number from 1 to 9999"),
    ],
)
def test_an_address_that_asks_for_no_years_is_refused_in_words(
    page: Page, filters: str, words: str
) -> None:
    page.open(f"#similar={SEED}&{filters}")
    assert page.one("#filters-problem").text.startswith(words)
    assert page.one("#filters-problem").get_attribute("role") == "alert"


def test_the_form_is_used_from_the_keyboard(page: Page) -> None:
    page.open(f"#similar={SEED}")
    page.one("#view-title").click()
    while page.focused().get_attribute("id") != "filters-toggle":
        assert page.focused().get_attribute("id") != "save"
        page.focused().send_keys(Keys.TAB)
    page.focused().send_keys(Keys.ENTER)
    assert page.focused().get_attribute("aria-expanded") == "true"
    while page.focused().get_attribute("id") != "filter-genre":
        page.focused().send_keys(Keys.TAB)
    page.focused().send_keys("ambient", Keys.ENTER)
    shows(page, AMBIENT)
    page.focused().send_keys(Keys.ESCAPE)
    assert page.focused().get_attribute("id") == "filters-toggle"
    assert not page.one("#filters").is_displayed()


def test_every_field_is_named(page: Page) -> None:
    page.open(f"#similar={SEED}")
    unfold(page)
    names = [field.accessible_name for field in page.all("#filters input")]
    texts = ["Genre", "Tag", "Artist", "Album", "Year from", "Year to", "Longest, in minutes"]
    shapes = ["Most of an album", "Diversity", "Nothing near to everything"]
    shapes.append("Every version of a recording")
    assert names == [*texts, "Not this artist", *shapes]


def test_the_catalog_is_not_filtered(page: Page) -> None:
    page.open("#q=&genre=ambient")
    assert page.text("#legend") == "60 tracks"
    assert not page.one("#filters-toggle").is_displayed()
    assert not page.one("#filtered").is_displayed()


def test_what_the_index_finds_is_told_when_asked(page: Page, backend: StandIn) -> None:
    backend.index = GRAPH
    page.open()
    assert not page.one("#index-spaces").is_displayed()
    page.one("#index-info").send_keys(Keys.ENTER)
    page.wait(lambda: page.one("#index-spaces").is_displayed())
    facts = dict(zip(page.texts(".facts dt"), page.texts(".facts dd"), strict=True))
    assert facts == {
        "Kind": "hnsw",
        "Recall@10": "98.9\xa0% of exact search",
        "Recall@100": "97.9\xa0%",
        "In lists of neighbours": "99.6\xa0%",
        "A search": "0.052\xa0ms",
        "A vector of 200 numbers": "1,084 bytes",
    }
    assert page.texts(".curve thead th") == ["Effort", "Recall@10", "Recall@100", "ms a search"]
    assert page.texts(".curve .served > *") == ["32, as served", "99.1\xa0%", "98.1\xa0%", "0.052"]
    assert "it is hnsw" in page.text("#index-spaces .credit")
    page.focused().send_keys(Keys.ESCAPE)
    assert not page.one("#index-spaces").is_displayed()
    assert page.focused().get_attribute("id") == "index-info"
    assert page.complaints() == []


@pytest.mark.parametrize("index", [EXACT, UNMEASURED], ids=["measured", "unmeasured"])
def test_exact_search_is_called_that(
    page: Page, backend: StandIn, index: dict[str, object]
) -> None:
    backend.index = index
    page.open()
    page.one("#index-info").click()
    assert page.texts(".facts dd")[0] == "exact search"
    assert "Recall" not in page.text("#index-spaces")
    assert page.all(".curve") == []
    page.one("#view-title").click()
    page.wait(lambda: not page.one("#index-spaces").is_displayed())


def test_a_phone_has_room_for_filters_and_index(page: Page, backend: StandIn) -> None:
    backend.index = GRAPH
    page.open(f"#similar={SEED}&genre={'w' * 200}", width=360, height=740)
    unfold(page)
    page.one("#index-info").click()
    assert page.one("#filter-genre").is_displayed()
    assert page.one("#index-spaces").is_displayed()
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    left, right = page.run(
        "const box = document.getElementById('index-spaces').getBoundingClientRect();"
        "return [box.left, document.documentElement.clientWidth - box.right]"
    )
    assert left >= 0
    assert right >= 0
