"""What the service recommends to listeners, over a real connection."""

import json

import httpx
import pytest

from tests.fakes import slug_of
from tests.listener_client import EVENT, post


def asked(client: httpx.Client, listener: str, **parameters: str | int | float) -> httpx.Response:
    return client.get(f"/listeners/{listener}/recommendations", params=parameters)


def ids(answer: httpx.Response) -> list[str]:
    return [match["track"]["id"] for match in answer.json()["matches"]]


def test_a_history_becomes_a_list_with_reasons(client: httpx.Client) -> None:
    post(client, "fan", EVENT | {"track_id": "a0", "kind": "like"})
    answer = asked(client, "fan", limit=3)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert len(ids(answer)) == 3
    assert "a0" not in ids(answer)
    for match in answer.json()["matches"]:
        assert match["why"]["because"] == {"track_id": "a0", "interest": 1}
    assert answer.json()["query"]["novelty"] == "exclude"


def test_dislikes_count_until_they_are_taken_back(client: httpx.Client) -> None:
    post(client, "fickle", EVENT | {"track_id": "a0", "kind": "like"})
    before = ids(asked(client, "fickle"))
    post(client, "fickle", EVENT | {"track_id": before[0], "kind": "dislike"})
    assert before[0] not in ids(asked(client, "fickle"))
    client.delete("/listeners/fickle/events", params={"track_id": before[0], "kind": "dislike"})
    assert ids(asked(client, "fickle")) == before


def test_a_stranger_gets_a_start_that_is_called_one(client: httpx.Client) -> None:
    answer = asked(client, "stranger").json()
    assert "stand for all" in answer["warnings"][0]
    assert {match["why"]["because"] for match in answer["matches"]} == {None}


def test_the_answer_does_not_say_who_asked(client: httpx.Client) -> None:
    post(client, "very-secret-name", EVENT | {"track_id": "a0"})
    for form in ("json", "m3u8", "xspf", "jspf"):
        answer = asked(client, "very-secret-name", format=form)
        assert answer.status_code == 200
        assert "very-secret-name" not in answer.text + json.dumps(dict(answer.headers))


@pytest.mark.parametrize(
    "parameters",
    [
        {"novelty": "some"},
        {"surprise": 1.5},
        {"seed": -1},
        {"half_life_days": 0},
        {"limit": 0},
        {"track_id": "a0"},
    ],
)
def test_what_is_out_of_bounds_is_refused(
    client: httpx.Client, parameters: dict[str, str | float]
) -> None:
    answer = asked(client, "fan", **parameters)
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
