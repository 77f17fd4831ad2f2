"""The page of a service with several spaces: who hears is chosen, kept, and told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.page_browser import Page, chromium
from tests.page_catalog import tone
from tests.page_server import StandIn, create_app, serving
from tests.page_spaces import MUSICNN, OPENL3, OPENL3_ENV, PANNS

SEED = "tone-005"
SEED_NAME = "Paper Lanterns by Kitto"
TITLES = "#tracks .row-title"
# musicnn hears what is near in pitch, panns what is far, and both agree on extremes
NEAR, FAR = ["Night Bus to Malmö", "Slow Elevator"], ["Loop 59", "Loop 58"]
FUSED = ["Night Bus to Malmö", "Loop 59", "Loop 58", "Slow Elevator"]


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
    backend.spaces = [MUSICNN, PANNS]
    return shared_page


def select(page: Page) -> Select:
    return Select(page.one("#space"))


def shows(page: Page, titles: list[str]) -> None:
    """Wait until the list begins with these."""
    page.wait(lambda: page.texts(TITLES)[: len(titles)] == titles)


def choice(page: Page) -> str | None:
    return select(page).first_selected_option.get_attribute("textContent")


def hash_of(page: Page) -> str:
    return str(page.run("return location.hash"))


def test_one_embedder_is_no_choice(page: Page, backend: StandIn) -> None:
    backend.spaces = [MUSICNN]
    page.open(f"#similar={SEED}")
    assert not page.one("#space").is_displayed()
    assert "heard by musicnn" in page.text("#index-info")
    assert page.texts("#tracks .places") == []


def test_every_embedder_is_offered_and_last_all_of_them(page: Page) -> None:
    page.open()
    assert not page.one("#space").is_displayed()
    assert "heard by 2 embedders" in page.text("#index-info")
    page.open(f"#similar={SEED}")
    assert page.one("#space").accessible_name == "Heard by"
    assert page.texts("#space option") == ["musicnn", "panns", "all together"]
    assert choice(page) == "musicnn"


def test_options_are_named_where_they_tell_embedders_apart(page: Page, backend: StandIn) -> None:
    backend.spaces = [OPENL3, OPENL3_ENV, PANNS]
    page.open(f"#similar={SEED}")
    names = ["openl3", "openl3:content=env", "panns", "all together"]
    assert page.texts("#space option") == names


def test_another_embedder_hears_otherwise(page: Page) -> None:
    page.open(f"#similar={SEED}")
    shows(page, NEAR)
    select(page).select_by_visible_text("panns")
    shows(page, FAR)
    assert hash_of(page) == f"#similar={SEED}&space=panns%3Alayer%3Dlast"
    assert "Bars begin at 0.50" in page.text("#legend")
    assert page.focused().get_attribute("id") == "space"
    select(page).select_by_visible_text("musicnn")
    shows(page, NEAR)
    assert hash_of(page) == f"#similar={SEED}"


def test_all_together_say_where_each_put_a_match(page: Page) -> None:
    page.open(f"#similar={SEED}")
    select(page).select_by_visible_text("all together")
    shows(page, FUSED)
    assert page.texts("#tracks .places")[:2] == [
        "Places: musicnn\xa01 · panns\xa058",
        "Places: musicnn\xa059 · panns\xa01",
    ]
    assert page.text("#legend").startswith("A full bar is first with every embedder")
    meter = "const m = document.querySelector('.meter'); return [m.textContent, %s]"
    share = "m.querySelector('.bar').style.getPropertyValue('--share')"
    assert page.run(meter % share) == ["Score 0.76", "75.85%"]
    assert "guitar 80\xa0%" in page.texts("#tracks .chip")
    assert page.complaints() == []


def test_the_choice_survives_a_reload_and_the_way_back(page: Page) -> None:
    page.open(f"#similar={SEED}")
    select(page).select_by_visible_text("all together")
    shows(page, FUSED)
    page.driver.refresh()
    page.settle()
    assert page.texts(TITLES)[:4] == FUSED
    assert choice(page) == "all together"
    page.run("location.hash = '#q='")
    page.wait(lambda: page.text("#view-title") == "All tracks")
    page.driver.back()
    shows(page, FUSED)
    assert choice(page) == "all together"


@pytest.mark.parametrize("space", ["panns%3Alayer%3Dlast+musicnn", f"{MUSICNN.id}%2B{PANNS.id}"])
def test_an_address_may_name_spaces_in_any_way(page: Page, space: str) -> None:
    page.open(f"#similar={SEED}&space={space}")
    assert page.texts(TITLES)[:4] == FUSED
    assert choice(page) == "all together"


def test_some_of_many_can_be_asked_by_address(page: Page, backend: StandIn) -> None:
    backend.spaces = [MUSICNN, PANNS, OPENL3]
    page.open(f"#similar={SEED}&space=musicnn%2Bpanns:layer=last")
    assert page.texts(TITLES)[:4] == FUSED
    assert choice(page) == "musicnn + panns"
    select(page).select_by_visible_text("musicnn")
    shows(page, NEAR)
    assert page.texts("#space option") == ["musicnn", "panns", "openl3", "all together"]


def test_the_choice_goes_along_to_other_views(page: Page, tmp_path: Path) -> None:
    page.open(f"#similar={SEED}&space=panns:layer=last&cap=1")
    page.button("Sounds like this: Loop 59 by Sampler 3").click()
    page.wait(lambda: page.text("#view-title") == "Loop 59")
    assert choice(page) == "panns"
    assert page.texts(TITLES)[0] == "Harbour Lights"
    clip = tmp_path / "humming.wav"
    clip.write_bytes(tone(440.0, seconds=2))
    page.one("#clip-file").send_keys(str(clip))
    page.wait(lambda: page.text("#view-title") == "humming.wav")
    assert page.texts(TITLES)[0] == "Loop 59"
    select(page).select_by_visible_text("all together")
    shows(page, ["Redshift", "Loop 59"])
    assert hash_of(page) == "#clip=&cap=1&space=musicnn%2Bpanns%3Alayer%3Dlast"
    assert page.complaints() == []


def test_searching_keeps_the_choice(page: Page) -> None:
    page.open(f"#similar={SEED}&space=panns:layer=last")
    page.one("#search").send_keys("lanterns")
    page.wait(lambda: page.texts(TITLES) == ["Paper Lanterns"])
    page.button(f"Sounds like this: {SEED_NAME}").click()
    shows(page, FAR)


def test_a_space_that_is_not_served_is_explained_and_left(page: Page) -> None:
    page.open(f"#similar={SEED}&space=musicnn%2Byamnet")
    page.wait(lambda: "space=yamnet is not served; use one of" in page.text("[role=alert]"))
    assert choice(page) == "musicnn"
    assert "space" not in hash_of(page)
    assert page.texts(TITLES) == []
    page.button("Ask the default embedder").click()
    shows(page, NEAR)
    assert not page.one("#alert-box").is_displayed()


def test_a_space_that_went_is_no_longer_offered(page: Page, backend: StandIn) -> None:
    page.open(f"#similar={SEED}")
    backend.spaces = [MUSICNN, OPENL3]
    select(page).select_by_visible_text("panns")
    page.wait(lambda: page.one("#alert-box").is_displayed())
    page.wait(lambda: page.texts("#space option") == ["musicnn", "openl3", "all together"])
    select(page).select_by_visible_text("openl3")
    shows(page, ["Harbour Lights"])


def test_the_choice_is_made_from_the_keyboard(page: Page) -> None:
    page.open(f"#similar={SEED}")
    page.one("#view-title").click()
    while page.focused().get_attribute("id") != "space":
        assert page.focused().get_attribute("id") != "save"
        page.focused().send_keys(Keys.TAB)
    page.focused().send_keys(Keys.ARROW_DOWN)
    shows(page, FAR)
    page.focused().send_keys(Keys.ARROW_DOWN)
    shows(page, FUSED)
    assert page.complaints() == []


def test_a_phone_has_room_for_the_choice(page: Page, backend: StandIn) -> None:
    backend.spaces = [MUSICNN, OPENL3, OPENL3_ENV, PANNS]
    page.open(f"#similar={SEED}&space=openl3:content=env", width=360, height=740)
    assert page.one("#space").is_displayed()
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    select(page).select_by_visible_text("all together")
    page.wait(lambda: page.texts("#tracks .places"))
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
