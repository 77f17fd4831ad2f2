"""A listener of the page, on the real service: likes, dislikes, plays, and being forgotten."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.page_browser import Page, chromium
from tests.page_catalog import HOSTILE_TITLE
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


def stored(page: Page) -> dict[str, Any]:
    """What the browser remembers."""
    return dict(json.loads(page.run("return localStorage.getItem('soundalike.listener')") or "{}"))


def told(page: Page) -> list[dict[str, Any]]:
    """Events that the server has of this browser, oldest first."""
    listener = stored(page)["id"]
    events = httpx.get(f"{page.url}listeners/{listener}/events").json()["events"]
    return list(reversed(events))


def press(page: Page, name: str) -> None:
    """Press a like or dislike, and wait until the server knows and the list has followed."""
    page.button(name).click()
    page.run("document.getElementById('news').hidden = true")
    page.wait(lambda: stored(page)["outbox"] == [])
    page.settle()


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


def play(page: Page, name: str, seconds: float) -> None:
    """Play a track for some of its seconds, faster than it is."""
    page.button(f"Play {name}").send_keys(Keys.ENTER)
    page.run("document.getElementById('audio').playbackRate = 4")
    page.wait(lambda: page.seconds() > seconds)


def test_plays_and_skips_are_told_with_the_seconds_that_were_heard(page: Page) -> None:
    page.open("#q=Drone 1")
    press(page, "Like: Drone 10 by Drone Band 0")
    play(page, "Drone 11 by Drone Band 1", 7)
    play(page, "Drone 12 by Drone Band 2", 2)
    page.button("Next track").click()
    page.wait(lambda: len(told(page)) == 3)
    _, listen, skip = told(page)
    assert (listen["track_id"], listen["kind"]) == ("drone11", "listen")
    assert 6 <= listen["seconds_played"] <= 12
    assert (skip["track_id"], skip["kind"]) == ("drone12", "skip")
    assert 1 <= skip["seconds_played"] < 6


def test_what_is_played_is_told_when_the_page_is_left(page: Page) -> None:
    page.open("#q=Drone 1")
    press(page, "Like: Drone 10 by Drone Band 0")
    listener = stored(page)["id"]
    play(page, "Drone 14 by Drone Band 4", 7)
    page.driver.get(f"{page.url}icon.svg")
    events = f"{page.url}listeners/{listener}/events"
    page.wait(lambda: len(httpx.get(events).json()["events"]) == 2)


def test_nothing_is_told_of_somebody_without_opinions(page: Page) -> None:
    page.open("#q=Drone 1")
    play(page, "Drone 11 by Drone Band 1", 7)
    page.button("Play Drone 12 by Drone Band 2").send_keys(Keys.ENTER)
    page.wait(lambda: page.text("#player-title") == "Drone 12")
    assert stored(page) == {}


def test_the_bar_of_what_plays_likes_and_dislikes_too(page: Page) -> None:
    page.open("#q=Drone 2")
    page.button("Play Drone 20 by Drone Band 0").click()
    page.wait(lambda: page.one("#player-opinions .like").is_displayed())
    page.one("#player-opinions .like").click()
    page.wait(lambda: page.texts("#you-like-list .row-title") == ["Drone 20"])
    pressed = page.all("[aria-label='Like: Drone 20 by Drone Band 0'][aria-pressed=true]")
    assert len(pressed) == 2


OFFLINE = """
    const kept = window.fetch;
    window.fetch = (url, init) =>
      init?.method === 'POST' ? Promise.reject(new TypeError('offline')) : kept(url, init);"""


def test_what_could_not_be_told_is_told_again_and_once(page: Page) -> None:
    page.open("#q=Fado 1")
    page.run(OFFLINE)
    page.button("Like: Fado 10 by Fado Band 0").click()
    page.wait(lambda: page.one("#you-waiting").is_displayed())
    page.button("Dislike: Fado 11 by Fado Band 1").click()
    assert len(stored(page)["outbox"]) == 2
    page.driver.refresh()
    page.wait(lambda: stored(page)["outbox"] == [])
    assert [event["kind"] for event in told(page)] == ["like", "dislike"]
    assert not page.one("#you-waiting").is_displayed()


def test_what_is_taken_back_before_it_was_told_is_not_there(page: Page) -> None:
    page.open("#q=Fado 1")
    page.run(OFFLINE)
    like = page.button("Like: Fado 10 by Fado Band 0")
    like.click()
    page.wait(lambda: page.one("#you-waiting").is_displayed())
    like.click()
    assert page.texts(".entry") == []
    page.driver.refresh()
    page.wait(lambda: stored(page)["outbox"] == [])
    assert told(page) == []


def keep(page: Page, outbox: list[Any], listener: str = "a" * 32) -> None:
    """What an earlier visit left behind."""
    state = {"id": listener, "entries": [], "outbox": outbox, "next": len(outbox) + 1}
    page.run("localStorage.setItem('soundalike.listener', arguments[0])", json.dumps(state))
    page.driver.refresh()
    page.settle()


def listens(n: int) -> list[dict[str, Any]]:
    times = (f"2026-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z" for n in range(n))
    event = {"track_id": "ska01", "kind": "listen", "seconds_played": 9}
    return [{"n": n, "event": event | {"at": at}} for n, at in enumerate(times, start=1)]


def test_many_events_are_told_in_batches_and_one_bad_one_holds_none_up(page: Page) -> None:
    page.open()
    outbox = listens(450)
    outbox[300]["event"] |= {"at": "yesterday"}
    keep(page, outbox)
    page.wait(lambda: stored(page)["outbox"] == [])
    summary = httpx.get(f"{page.url}listeners/{'a' * 32}").json()
    assert summary["by_kind"]["listen"] == 449


@pytest.mark.parametrize("text", ["{", "[]", '{"id": "x", "entries": [{}], "outbox": [null]}'])
def test_what_somebody_else_left_in_the_storage_is_no_listener(page: Page, text: str) -> None:
    page.open("#q=Fado 1")
    page.run("localStorage.setItem('soundalike.listener', arguments[0])", text)
    page.driver.refresh()
    page.settle()
    press(page, "Like: Fado 10 by Fado Band 0")
    assert len(stored(page)["id"]) == 32


def test_another_tab_shows_what_is_liked_here(page: Page) -> None:
    page.open("#q=Fado 1")
    here = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    page.driver.get(f"{page.url}#q=Fado 1")
    page.settle()
    press(page, "Like: Fado 10 by Fado Band 0")
    page.driver.close()
    page.driver.switch_to.window(here)
    page.wait(lambda: page.texts("#you-like-list .row-title") == ["Fado 10"])
    press(page, "Dislike: Fado 11 by Fado Band 1")
    assert [event["kind"] for event in told(page)] == ["like", "dislike"]


def test_the_page_goes_on_where_nothing_may_be_stored(page: Page) -> None:
    page.open()
    forbid = """Object.defineProperty(window, 'localStorage',
        {get() { throw new DOMException('no', 'SecurityError'); }});"""
    script = page.driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": forbid}
    )
    page.driver.get(f"{page.url}?#q=Fado 10")
    page.settle()
    page.button("Like: Fado 10 by Fado Band 0").click()
    page.open_view("#/you")
    page.wait(lambda: set(styles(page)) == {"Fado"})
    page.command("Page.removeScriptToEvaluateOnNewDocument", script)
    assert page.complaints() == []


def test_what_is_refused_is_said_and_holds_nothing_up(page: Page) -> None:
    page.open("#q=Fado 1")
    ahead = """
        const Now = Date;
        window.Date = class extends Now { constructor() { super(Now.now() + 2e8); } };"""
    page.run(ahead)
    page.button("Like: Fado 10 by Fado Band 0").click()
    page.wait(lambda: "more than a day from now" in page.text("#alert-detail"))
    assert stored(page)["outbox"] == []
    assert page.texts(".entry") == []


def test_forgetting_erases_here_and_on_the_server(page: Page) -> None:
    page.open("#q=Fado 1")
    press(page, "Like: Fado 10 by Fado Band 0")
    listener = stored(page)["id"]
    assert httpx.get(f"{page.url}listeners/{listener}").json()["events"] == 1
    page.button("Forget me").click()
    page.button("Keep").click()
    assert stored(page)["id"] == listener
    page.button("Forget me").click()
    page.button("Erase it all").click()
    page.wait(lambda: stored(page)["id"] == "")
    assert httpx.get(f"{page.url}listeners/{listener}").json()["events"] == 0
    assert page.texts(".entry") == []
    assert page.button("Like: Fado 10 by Fado Band 0").get_attribute("aria-pressed") == "false"
    press(page, "Like: Fado 10 by Fado Band 0")
    assert stored(page)["id"] not in ("", listener)


UNREACHABLE = """
    const kept = window.fetch;
    window.fetch = (url, init) => {
      if (init?.method === 'DELETE' && !window.back) return Promise.reject(new TypeError());
      return kept(url, init);
    };"""


def test_who_could_not_be_forgotten_is_told_so(page: Page) -> None:
    page.open("#q=Fado 1")
    press(page, "Like: Fado 10 by Fado Band 0")
    page.run(UNREACHABLE)
    page.button("Forget me").click()
    page.button("Erase it all").click()
    page.wait(lambda: page.text("#alert-title") == "You are not forgotten: No connection")
    assert page.texts("#you-like-list .row-title") == ["Fado 10"]
    page.run("window.back = true")
    page.button("Try again").click()
    page.wait(lambda: stored(page)["id"] == "")


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
