"""The page, used as people use it, in headless Chromium."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.page_browser import Page, chromium
from tests.page_catalog import HOSTILE_TITLE, ToneTrack, tone
from tests.page_server import StandIn, create_app, serving

SEED = "tone-005"
SEED_NAME = "Paper Lanterns by Kitto"
TITLES = "#tracks .row-title"


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    return StandIn(tmp_path_factory.mktemp("tones"))


@pytest.fixture(scope="module")
def live_server(backend: StandIn) -> Iterator[str]:
    with serving(create_app(backend)) as url:
        yield url


@pytest.fixture(scope="module")
def shared_page(live_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield Page(driver, live_server)


@pytest.fixture
def page(shared_page: Page, backend: StandIn) -> Page:
    backend.published, backend.generation, backend.why = True, "g", {}
    shared_page.open()
    return shared_page


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "humming.wav"
    path.write_bytes(tone(440.0, seconds=2))
    return path


def test_browsing_lists_everything_page_by_page(page: Page) -> None:
    assert page.text("#legend") == "60 tracks"
    assert len(page.texts(TITLES)) == 50
    page.one("#more").click()
    page.wait(lambda: len(page.texts(TITLES)) == 60)
    assert not page.one("#more").is_displayed()
    assert page.focused().accessible_name.startswith("Play ")


def test_a_list_begins_anew_when_another_index_is_published_meanwhile(
    page: Page, backend: StandIn
) -> None:
    backend.generation = "newer"
    page.one("#more").click()
    page.wait(lambda: page.focused().id == page.one("#view-title").id)
    assert len(page.texts(TITLES)) == 50
    page.one("#more").click()
    page.wait(lambda: len(page.texts(TITLES)) == 60)


def test_searching_narrows_the_list_as_letters_are_typed(page: Page) -> None:
    page.one("#search").send_keys("lanterns")
    page.wait(lambda: page.texts(TITLES) == ["Paper Lanterns"])
    assert page.run("return location.hash") == "#q=lanterns"
    page.one("#search").clear()
    page.one("#search").send_keys("nobody is called this")
    page.wait(lambda: page.one("#empty").is_displayed())
    assert "Nothing is called that" in page.text("#status")


def test_a_composer_is_named_who_is_not_the_artist(page: Page) -> None:
    page.open("#q=nocturne")
    assert page.texts("#tracks .row-line") == [
        "Ines Abascal · Clara Vieuxtemps · Prepared · 2014 · Classical"
    ]
    page.open("#q=redshift")
    assert page.texts("#tracks .row-line") == ["Parallax Drive · Outrun the Sun · 2020 · Synthwave"]


def test_an_older_search_never_overwrites_a_newer_one(page: Page) -> None:
    delay_first = """
        const original = window.fetch;
        window.fetch = async (url, init) => {
          if (String(url).includes('q=kitto')) await new Promise((done) => setTimeout(done, 400));
          return original(url, init);
        };"""
    page.run(delay_first)
    page.run("location.hash = '#q=kitto'")
    page.run("location.hash = '#q=redshift'")
    page.wait(lambda: page.texts(TITLES) == ["Redshift"])
    page.driver.execute_async_script("setTimeout(arguments[0], 600)")
    assert page.texts(TITLES) == ["Redshift"]


def test_a_track_plays_pauses_and_seeks(page: Page) -> None:
    page.button("Play Étude for a Broken Piano by Ines Abascal").click()
    page.wait(lambda: page.seconds() > 0)
    assert page.text("#player-title") == "Étude for a Broken Piano"
    page.one("#player-toggle").click()
    page.wait(lambda: page.run("return document.getElementById('audio').paused"))
    seek = page.one("#player-seek")
    seek.send_keys(Keys.END, Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    page.wait(lambda: page.seconds() == 9)
    assert seek.get_attribute("aria-valuetext") == "0:09 of 0:12"
    page.one("#player-toggle").click()
    page.wait(lambda: page.seconds() > 9)
    assert page.complaints() == []


def test_the_next_track_follows_by_itself(page: Page) -> None:
    page.button("Play Étude for a Broken Piano by Ines Abascal").click()
    page.wait(lambda: page.seconds() > 0)
    page.run("const a = document.getElementById('audio'); a.currentTime = a.duration - 0.1")
    page.wait(lambda: page.text("#player-title") == "Nocturne in Rust")
    page.one("#player-previous").click()
    page.wait(lambda: page.text("#player-title") == "Étude for a Broken Piano")


def test_sounds_like_this_shows_matches_and_back_returns(page: Page) -> None:
    page.button(f"Sounds like this: {SEED_NAME}").click()
    page.wait(lambda: page.text("#view-title") == "Paper Lanterns")
    assert page.texts(TITLES)[:2] == ["Night Bus to Malmö", "Slow Elevator"]
    assert page.texts("#tracks .number")[0] == "0.95"
    assert "guitar 80\xa0%" in page.texts("#tracks .chip")
    assert page.focused().text == "Paper Lanterns"
    assert page.text("#seed-credit") == "Kitto, “Paper Lanterns” · CC BY 4.0"
    page.driver.back()
    page.wait(lambda: page.text("#view-title") == "All tracks")


TEMPO = {"bpm": 120.3, "seed_bpm": 118.0}
SEGMENT = {"start_seconds": 4.0, "end_seconds": 9.0, "similarity": 0.98}


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ({}, []),
        ({"tempo": None, "key": None, "level": None, "segment": None, "hub_corrected": False}, []),
        ({"tempo": TEMPO | {"close": True}}, ["similar tempo, 120 to 118\xa0BPM"]),
        ({"tempo": TEMPO | {"seed_bpm": 120, "close": True}}, ["same tempo, 120\xa0BPM"]),
        ({"tempo": TEMPO | {"seed_bpm": 80, "close": False}}, ["other tempo, 120 to 80\xa0BPM"]),
        (
            {"key": {"key": "A minor", "seed_key": "C major", "related": True}},
            ["related key, A minor to C major"],
        ),
        (
            {"key": {"key": "A minor", "seed_key": "A minor", "related": True}},
            ["same key, A minor"],
        ),
        (
            {"level": {"level_dbfs": -20.0, "difference_db": -3.2}, "hub_corrected": True},
            ["3\xa0dB quieter"],
        ),
        ({"level": {"level_dbfs": -20.0, "difference_db": 0.4}}, ["as loud"]),
        ({"segment": SEGMENT | {"same_recording": False}}, ["Most alike at 0:04–0:09"]),
        ({"segment": SEGMENT | {"same_recording": True}}, ["This very recording, at 0:04–0:09"]),
    ],
)
def test_a_match_says_why_in_words_as_far_as_that_is_known(
    page: Page, backend: StandIn, why: dict[str, object], words: list[str]
) -> None:
    backend.why = why
    page.open(f"#similar={SEED}")
    assert page.texts("#tracks .reasons")[:1] == words
    is_corrected = page.text("#legend").endswith("; tracks near to everything are put back")
    assert is_corrected == why.get("hub_corrected", False)


def test_where_a_match_is_most_alike_is_played_from_there(page: Page, backend: StandIn) -> None:
    backend.why = {"segment": SEGMENT | {"same_recording": False}}
    page.open(f"#similar={SEED}")
    page.one("#tracks .moment").click()
    page.wait(lambda: page.seconds() >= 4)
    assert page.text("#player-title") == page.texts(TITLES)[0]
    assert page.complaints() == []


def test_an_address_opens_its_view_and_keeps_the_artist_cap(page: Page) -> None:
    page.open(f"#similar={SEED}")
    assert page.text(TITLES).count("Loop") > 7
    page.button("At most 1 per artist").click()
    page.wait(lambda: len(page.texts(TITLES)) == 14)
    page.driver.refresh()
    page.settle()
    assert len(page.texts(TITLES)) == 14
    assert page.one("#cap").is_selected()


def test_a_chosen_clip_finds_look_alikes_and_can_be_played(page: Page, clip: Path) -> None:
    page.one("#clip-file").send_keys(str(clip))
    page.wait(lambda: page.text("#view-title") == "humming.wav")
    assert page.texts(TITLES)[0] == "Redshift"
    assert page.texts("#tracks .number")[0] == "0.97"
    page.button("Play humming.wav by Your clip").click()
    page.wait(lambda: page.seconds() > 0)
    assert page.run("return document.getElementById('audio').src").startswith("blob:")
    assert page.complaints() == []


DROP = """
    const bytes = Uint8Array.from(atob(arguments[0]), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], 'dropped.wav', {type: 'audio/wav'}));
    for (const name of arguments[1]) document.querySelector('h1').dispatchEvent(
      new DragEvent(name, {dataTransfer: transfer, bubbles: true, cancelable: true}));"""


def test_a_clip_can_be_dropped_anywhere(page: Page) -> None:
    content = base64.b64encode(tone(440.0, seconds=1)).decode()
    page.run(DROP, content, ["dragenter", "dragover"])
    assert page.one("#drop").is_displayed()
    page.run(DROP, content, ["drop"])
    page.wait(lambda: page.texts("#tracks .number"))
    assert page.text("#view-title") == "dropped.wav"
    assert not page.one("#drop").is_displayed()


def test_a_bad_clip_is_explained_in_an_alert(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear music")
    page.one("#clip-file").send_keys(str(path))
    page.wait(lambda: "is not audio" in page.text("[role=alert]"))
    assert page.one("#alert-box [role=alert]").is_displayed()
    assert page.text("#alert-title") == "Unsupported media"
    page.button("Dismiss").click()
    assert not page.one("#alert-box").is_displayed()


def test_an_unknown_track_is_explained_and_can_be_tried_again(page: Page, backend: StandIn) -> None:
    late = ToneTrack(900, "Late Arrival", "Nobody", "")
    page.open(f"#similar={late.id}")
    assert f"track_id={late.id} is not in the catalog" in page.text("[role=alert]")
    backend.tracks.append(late)
    page.button("Try again").click()
    page.wait(lambda: page.text("#view-title") == "Late Arrival")
    backend.tracks.remove(late)
    assert not page.one("#alert-box").is_displayed()


def test_without_an_index_the_page_says_how_to_make_one(page: Page, backend: StandIn) -> None:
    backend.published = False
    page.open()
    assert "python -m indexer reindex" in page.one("#unindexed").text
    backend.published = True
    page.button("Check again").click()
    page.wait(lambda: len(page.texts(TITLES)) == 50)
    assert not page.one("#unindexed").is_displayed()


def test_the_page_fills_by_itself_once_there_is_an_index(page: Page, backend: StandIn) -> None:
    backend.published = False
    page.open()
    page.wait(lambda: page.one("#unindexed").is_displayed())
    backend.published = True
    page.wait(lambda: len(page.texts(TITLES)) == 50)
    assert not page.one("#unindexed").is_displayed()


def test_everything_works_from_the_keyboard_alone(page: Page) -> None:
    body = page.one("body")
    body.send_keys(Keys.TAB)
    assert page.focused().get_attribute("id") == "skip"
    while page.focused().get_attribute("id") != "search":
        page.focused().send_keys(Keys.TAB)
    page.focused().send_keys("kitto")
    page.wait(lambda: page.texts(TITLES) == ["Paper Lanterns", "Slow Elevator"])
    page.focused().send_keys(Keys.ARROW_DOWN)
    page.focused().send_keys(Keys.ARROW_DOWN)
    assert page.focused().accessible_name == "Play Slow Elevator by Kitto"
    page.focused().send_keys(Keys.ARROW_UP)
    page.focused().send_keys(Keys.ENTER)
    page.wait(lambda: page.seconds() > 0)
    assert page.focused().accessible_name == f"Pause {SEED_NAME}"
    page.focused().send_keys(Keys.TAB)
    page.focused().send_keys(Keys.ENTER)
    page.wait(lambda: page.text("#view-eyebrow") == "Sounds like")
    assert page.focused().get_attribute("id") == "view-title"


def test_a_strangers_title_is_text_and_nothing_else(page: Page) -> None:
    page.one("#search").send_keys("onerror")
    page.wait(lambda: page.texts(TITLES) == [HOSTILE_TITLE])
    page.open("#similar=tone-012")
    assert page.text("#view-title") == HOSTILE_TITLE
    assert page.all("main img") == []
    assert page.driver.title == "Soundalike"


@pytest.mark.parametrize("fragment", ["", f"#similar={SEED}", "#similar=tone-012", "#clip"])
def test_a_phone_never_scrolls_sideways(page: Page, fragment: str) -> None:
    page.open(fragment, width=360, height=740)
    for disc in page.all(".row > .disc")[:1]:
        disc.click()
        page.wait(lambda: page.one("#player").is_displayed())
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    assert page.complaints() == []


def test_the_console_stays_clean_under_the_strict_policy(page: Page) -> None:
    page.open(f"#similar={SEED}&cap=1")
    page.button("Play Redshift by Parallax Drive").click()
    page.wait(lambda: page.seconds() > 0)
    assert page.complaints() == []
