"""What tests of the page ask of its listener."""

import json
from typing import Any

import httpx

from tests.page_browser import Page


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
