"""Posts about listeners, and a client that loses no event: it sends each until acknowledged."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from tests.contracts_listeners import NOON

Key = tuple[str, str, str]
AT = "2026-01-31T12:00:00Z"
EVENT: dict[str, Any] = {"track_id": "a0", "kind": "listen", "at": AT, "seconds_played": 30.5}
KINDS = ("listen", "like", "dislike", "skip")


def post(client: httpx.Client, listener: str, *events: dict[str, Any]) -> httpx.Response:
    """Tell what a listener did."""
    return client.post(f"/listeners/{listener}/events", json={"events": events})


def told(client: httpx.Client, listener: str, **query: Any) -> list[dict[str, Any]]:
    """A page of what a listener did."""
    answer = client.get(f"/listeners/{listener}/events", params=query)
    assert answer.status_code == 200, answer.text
    events: list[dict[str, Any]] = answer.json()["events"]
    return events


def event_json(number: int) -> dict[str, Any]:
    """One of any number of different events."""
    at = NOON + timedelta(milliseconds=7 * number)
    return {
        "track_id": f"t{number % 97}",
        "kind": KINDS[number % 4],
        "at": at.isoformat(timespec="milliseconds"),
        "seconds_played": float(number % 200),
    }


def key_of(event: dict[str, Any]) -> Key:
    """What tells an event from others of its listener, in JSON sent or answered."""
    return event["track_id"], event["kind"], event["at"].replace("Z", "+00:00")


@dataclass
class Sender:
    """Sends a listener's events in posts of some size, each until it is acknowledged.

    Parameters
    ----------
    url
        The service, asked anew for each try.
    listener
        Whose events.
    n_posts
        How many posts.
    sizes
        Least and most events of a post.
    """

    url: Callable[[], str]
    listener: str
    n_posts: int
    sizes: tuple[int, int] = (1, 1)
    n_again: int = 0
    n_done: int = 0
    acknowledged: list[Key] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def run(self, give_up: threading.Event) -> None:
        """Send everything."""
        with httpx.Client(timeout=30.0) as client:
            for post in self._posts():
                while not self._sent(client, post):
                    if give_up.wait(0.02):
                        return
                    self.n_again += 1
                self.acknowledged += map(key_of, post)
                self.n_done += 1

    def _posts(self) -> Iterator[list[dict[str, Any]]]:
        sizes, first = random.Random(self.listener), 0
        for _ in range(self.n_posts):
            last = first + sizes.randint(*self.sizes)
            yield [event_json(number) for number in range(first, last)]
            first = last

    def _sent(self, client: httpx.Client, post: list[dict[str, Any]]) -> bool:
        try:
            answer = client.post(
                f"{self.url()}/listeners/{self.listener}/events", json={"events": post}
            )
        except httpx.TransportError:
            return False
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["accepted"] + told["duplicates"] == len(post)
        self.counts.update(told)
        return True


def told_of(client: httpx.Client, listener: str) -> list[Key]:
    """All events of a listener that the service tells, page by page."""
    found: list[Key] = []
    cursor: dict[str, str] = {}
    while True:
        answer = client.get(f"/listeners/{listener}/events", params={"limit": 1000, **cursor})
        assert answer.status_code == 200, answer.text
        found += map(key_of, answer.json()["events"])
        if answer.json()["next_cursor"] is None:
            return found
        cursor = {"cursor": answer.json()["next_cursor"]}
