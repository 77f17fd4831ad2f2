"""Lists for the listener of the page, on the real service: likes, dislikes, reasons, moods."""

from collections import Counter
from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.page_browser import Page, chromium
from tests.page_catalog import HOSTILE_TITLE
from tests.page_listener import press, stored, told
from tests.page_styles import HOSTILE_ID, publish_styles, styles_service

TITLES = "#tracks .row-title"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    data_dir = publish_styles(tmp_path_factory.mktemp("styles"))
    profile = tmp_path_factory.mktemp("profile")
    with styles_service(data_dir) as url, chromium(profile) as driver:
        yield Page(driver, url)


def styles(page: Page) -> Counter[str]:
    return Counter(title.split()[0] for title in page.texts(TITLES))


def search_and_press(page: Page, *names: str) -> None:
    for name in names:
        title = name.partition(": ")[2].partition(" by ")[0]
        page.open_view(f"#q={title}")
        press(page, name)


def test_a_stranger_is_unknown_and_gets_a_start_that_says_so(page: Page) -> None:
    page.open("#/you")
    assert page.text("#view-eyebrow") == "A start for strangers"
    assert "stand for all" in page.text("#warnings")
    assert len(styles(page)) >= 4
    assert page.texts("#tracks .number") == []
    assert "Before, nothing is remembered" in page.one("#you-empty").text
    assert stored(page) == {}
    assert page.complaints() == []


def test_likes_make_the_list_and_each_match_says_why(page: Page) -> None:
    page.open()
    search_and_press(page, "Like: Ska 00 by Ska Band 0", "Like: Fado 01 by Fado Band 1")
    page.button("For you 2").click()
    page.wait(lambda: page.text("#view-eyebrow") == "Recommended")
    assert set(styles(page)) == {"Ska", "Fado"}
    assert "Ska 00" not in page.texts(TITLES)
    reasons = page.texts("#tracks .reasons")
    assert any("Because of “Ska 00”, which you like" in reason for reason in reasons)
    assert any("like, the 2nd largest of your interests" in reason for reason in reasons)
    assert [(event["track_id"], event["kind"]) for event in told(page)] == [
        ("ska00", "like"),
        ("fado01", "like"),
    ]


def test_every_opinion_changes_the_list_without_a_reload(page: Page) -> None:
    page.open()
    search_and_press(page, "Like: Ska 00 by Ska Band 0")
    page.open_view("#/you")
    page.run("window.same = true")
    assert set(styles(page)) == {"Ska"}
    first = page.texts(TITLES)[0]
    name = page.run("return document.querySelector('#tracks .like').ariaLabel")
    page.one("#tracks .like").send_keys(Keys.ENTER)
    page.wait(lambda: first not in page.texts(TITLES))
    assert name == f"Like: {first} by Ska Band {int(first[-2:]) % 5}"
    assert page.focused().get_attribute("class") == "round like"
    assert page.texts("#you-like-list .row-title") == ["Ska 00", first]
    page.one("#tracks .dislike").click()
    page.wait(lambda: page.texts("#you-dislike-list .row-title"))
    assert page.run("return window.same") is True
    assert page.complaints() == []


def test_three_dislikes_take_a_style_away_and_taking_them_back_returns_it(page: Page) -> None:
    page.open()
    likes = [f"Like: {style} 0{n} by {style} Band {n}" for style in ("Ska", "Doom") for n in (0, 1)]
    search_and_press(page, *likes)
    page.open_view("#/you")
    assert set(styles(page)) == {"Ska", "Doom"}
    search_and_press(page, *(f"Dislike: Doom 1{n} by Doom Band {n}" for n in (0, 1, 2)))
    page.open_view("#/you")
    assert set(styles(page)) == {"Ska"}
    for _ in range(3):
        page.one("#you-dislike-list button.plain").click()
    page.wait(lambda: styles(page)["Doom"] > 5)
    assert {event["kind"] for event in told(page)} == {"like"}


def test_an_opinion_is_taken_back_by_the_same_button_and_turned_by_the_other(page: Page) -> None:
    page.open("#q=Fado 03")
    press(page, "Like: Fado 03 by Fado Band 3")
    assert page.button("Like: Fado 03 by Fado Band 3").get_attribute("aria-pressed") == "true"
    press(page, "Dislike: Fado 03 by Fado Band 3")
    assert [event["kind"] for event in told(page)] == ["dislike"]
    press(page, "Dislike: Fado 03 by Fado Band 3")
    assert told(page) == []
    assert page.texts(".entry") == []


def test_opinions_outlive_a_reload(page: Page) -> None:
    page.open("#q=Fado 03")
    press(page, "Like: Fado 03 by Fado Band 3")
    page.driver.refresh()
    page.settle()
    assert page.button("Like: Fado 03 by Fado Band 3").get_attribute("aria-pressed") == "true"
    assert page.texts("#you-like-list .row-title") == ["Fado 03"]
    assert page.text("#you-count") == "1"


def test_the_bar_of_what_plays_likes_and_dislikes_too(page: Page) -> None:
    page.open("#q=Drone 2")
    page.button("Play Drone 20 by Drone Band 0").click()
    page.wait(lambda: page.one("#player-opinions .like").is_displayed())
    page.one("#player-opinions .like").click()
    page.wait(lambda: page.texts("#you-like-list .row-title") == ["Drone 20"])
    pressed = page.all("[aria-label='Like: Drone 20 by Drone Band 0'][aria-pressed=true]")
    assert len(pressed) == 2


def test_the_first_opinion_says_what_is_remembered_from_now_on(page: Page) -> None:
    page.open("#q=Fado 1")
    assert not page.one("#news").is_displayed()
    page.button("Like: Fado 10 by Fado Band 0").click()
    page.wait(lambda: page.one("#news").is_displayed())
    assert "the server remembers" in page.text("#status")
    page.button("Fine").click()
    assert not page.one("#news").is_displayed()
    press(page, "Like: Fado 11 by Fado Band 1")
    assert not page.one("#news").is_displayed()


def test_the_mood_is_in_the_address_and_gives_other_mixes(page: Page) -> None:
    page.open("#q=Ska 0")
    press(page, "Like: Ska 00 by Ska Band 0")
    page.button("For you 1").click()
    page.wait(lambda: page.text("#view-title") == "For you")
    page.settle()
    sure = page.texts(TITLES)
    page.button("Another mix").click()
    page.wait(lambda: page.texts(TITLES) != sure)
    assert page.run("return location.hash") == "#/you?surprise=0.3&seed=1"
    assert page.text("#mood-surprise-value") == "30\xa0%"
    Select(page.one("#mood-novelty")).select_by_visible_text("Known only")
    page.wait(lambda: page.texts(TITLES) == ["Ska 00"])
    page.driver.refresh()
    page.settle()
    assert page.texts(TITLES) == ["Ska 00"]
    page.open("#/you?half_life_days=17")
    assert Select(page.one("#mood-half_life_days")).first_selected_option.text == "17 days"
    names = [field.accessible_name for field in page.all("#mood select, #mood input")]
    assert names[0] == "Tracks"
    assert names[2] == "What you played counts half after"
    assert page.complaints() == []


def test_the_artists_that_are_liked_can_be_left_out(page: Page) -> None:
    page.open("#q=Ska 0")
    press(page, "Like: Ska 00 by Ska Band 0")
    page.run("location.hash = '#/you?other_artists=1&genre=ska'")
    page.wait(lambda: page.text("#filtered-by") == "Filters: genre ska · not the artists i like")
    page.settle()
    assert not any("Ska Band 0" in line for line in page.texts("#tracks .row-line"))


def test_a_strangers_title_is_text_in_reasons_and_panels(page: Page) -> None:
    page.open("#q=onerror")
    page.one("#tracks .like").click()
    page.run("location.hash = '#/you'")
    page.wait(lambda: any(HOSTILE_TITLE in text for text in page.texts("#tracks .reasons")))
    assert page.texts("#you-like-list .row-title") == [HOSTILE_TITLE]
    page.run("location.hash = arguments[0]", f"#/path?from={HOSTILE_ID}&to=ska00&steps=3")
    page.wait(lambda: page.text("#view-title").startswith(HOSTILE_TITLE))
    assert page.all("main img") == page.all("aside img") == []
    assert page.complaints() == []


@pytest.mark.parametrize("view", ["/you", "/path?from=ska00&to=doom00"])
def test_a_phone_never_scrolls_sideways(page: Page, view: str) -> None:
    page.open(f"#{view}", width=360, height=740)
    page.one("#tracks .disc").click()
    page.one("#tracks .like").send_keys(Keys.ENTER)
    page.wait(lambda: page.one("#you-known").is_displayed())
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
