"""What the real service is told of the page's listener: once, in order, until it is forgotten."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from selenium.webdriver.common.keys import Keys

from tests.page_browser import Page, chromium
from tests.page_listener import press, stored, told
from tests.page_styles import publish_styles, styles_service


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    data_dir = publish_styles(tmp_path_factory.mktemp("styles"))
    profile = tmp_path_factory.mktemp("profile")
    with styles_service(data_dir) as url, chromium(profile) as driver:
        yield Page(driver, url)


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
    page.wait(lambda: {title[:4] for title in page.texts("#tracks .row-title")} == {"Fado"})
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
