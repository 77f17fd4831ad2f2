"""The questions of the HTTP service and its catalog, asked over a real connection."""

import httpx
import pytest

from tests.fakes import ids_of, similar

TRACK_FIELDS = {
    *("id", "title", "artist", "album", "album_artist", "composer", "genre", "year"),
    *("duration_seconds", "track_number", "licence", "attribution", "bpm", "key"),
    *("musicbrainz_recording_id", "musicbrainz_album_id", "musicbrainz_artist_id"),
}


# recommending


def test_an_answer_names_its_query_generation_and_reasons(client: httpx.Client) -> None:
    answer = client.get("/similar", params={"track_id": "a0", "limit": 2}).json()
    index = client.get("/index").json()
    assert answer["query"]["track_id"] == "a0"
    assert answer["query"]["limit"] == 2
    assert (answer["generation"], answer["space"]) == (index["generation"], index["space"])
    assert answer["warnings"] == []
    first, second = answer["matches"]
    assert set(first) == {"rank", "similarity", "track", "why"}
    assert set(first["track"]) == TRACK_FIELDS
    assert (first["rank"], second["rank"]) == (1, 2)
    assert 1 >= first["similarity"] >= second["similarity"] >= 0
    assert first["track"]["title"] == "Song a1"
    assert [tag["name"] for tag in first["why"]["shared_tags"]]


def test_matches_come_closest_first_without_the_seed(client: httpx.Client) -> None:
    assert similar(client) == ["a1", "a2", "a3", "b0", "b1", "c0", "c1"]
    assert similar(client, limit=1) == ["a1"]


def test_what_is_excluded_is_replaced_by_what_comes_next(client: httpx.Client) -> None:
    assert similar(client, exclude_id=["a1", "a3"], limit=2) == ["a2", "b0"]
    assert similar(client, exclude_artist=["ADA"], limit=2) == ["b0", "b1"]
    assert similar(client, exclude_artist=["ada", "bjork"]) == ["c0", "c1"]


def test_an_unknown_excluded_track_is_a_warning(client: httpx.Client) -> None:
    answer = client.get("/similar", params={"track_id": "a0", "exclude_id": "zz"}).json()
    assert len(answer["warnings"]) == 1
    assert "zz" in answer["warnings"][0]


def test_a_cap_holds_for_each_artist_but_not_for_unknown_ones(client: httpx.Client) -> None:
    assert similar(client, max_per_artist=1) == ["a1", "b0", "c0", "c1"]


def test_order_and_variety_may_be_asked_for(client: httpx.Client) -> None:
    everything = set(similar(client))
    assert set(similar(client, diversity=1)) == everything
    # too few tracks for hubs
    assert similar(client, hub_correction="true") == similar(client)
    assert set(similar(client, max_per_album=1)) <= everything


def test_matches_below_the_least_similarity_are_left_out(client: httpx.Client) -> None:
    everything = client.get("/similar", params={"track_id": "a0"}).json()["matches"]
    bound = everything[3]["similarity"]
    kept = [m["track"]["id"] for m in everything if m["similarity"] >= bound]
    assert similar(client, min_similarity=bound) == kept
    assert similar(client, min_similarity=1) == []


def test_recommendations_leave_out_what_was_named(client: httpx.Client) -> None:
    body = {
        "positive": [{"track_id": "a0"}, {"track_id": "a1", "weight": 3}],
        "negative": [{"track_id": "b1", "weight": 0.5}],
        "limit": 3,
        "exclude_id": ["a3"],
    }
    answer = client.post("/recommendations", json=body)
    assert ids_of(answer)[0] == "a2"
    assert not {"a0", "a1", "a3", "b1"} & set(ids_of(answer))
    assert answer.json()["query"]["positive"][1] == {"track_id": "a1", "weight": 3.0}


def test_recommendations_move_away_from_what_is_disliked(client: httpx.Client) -> None:
    liked = {"positive": [{"track_id": "b0"}], "limit": 10}
    without = ids_of(client.post("/recommendations", json=liked))
    against = liked | {"negative": [{"track_id": "b1", "weight": 1.0}]}
    assert without.index("b1") < without.index("a0")
    assert ids_of(client.post("/recommendations", json=against))[0].startswith("a")


@pytest.mark.parametrize("weight", [5e-324, 1e308])
def test_a_single_like_counts_the_same_whatever_its_weight(
    client: httpx.Client, weight: float
) -> None:
    body = {"positive": [{"track_id": "a0", "weight": weight}]}
    assert ids_of(client.post("/recommendations", json=body)) == similar(client)


# catalog


def test_tracks_are_searched_without_case_and_accents(client: httpx.Client) -> None:
    page = client.get("/tracks", params={"q": "bjork song"}).json()
    assert [track["id"] for track in page["tracks"]] == ["b0", "b1"]
    assert page["total"] == 2
    assert page["generation"] == client.get("/index").json()["generation"]


@pytest.mark.parametrize("q", ["%", "_", "\\", "' OR 1=1--"])
def test_search_takes_wildcards_literally(client: httpx.Client, q: str) -> None:
    assert client.get("/tracks", params={"q": q}).json()["total"] == 0


def test_the_catalog_is_paged(client: httpx.Client) -> None:
    pages = [client.get("/tracks", params={"limit": 3}).json()]
    while cursor := pages[-1]["next_cursor"]:
        pages.append(client.get("/tracks", params={"limit": 3, "cursor": cursor}).json())
    assert [len(page["tracks"]) for page in pages] == [3, 3, 2]
    assert {page["total"] for page in pages} == {8}
    assert len({track["id"] for page in pages for track in page["tracks"]}) == 8


def test_a_track_comes_with_its_tags(client: httpx.Client) -> None:
    answer = client.get("/tracks/b0").json()
    assert answer["track"]["artist"] == "Björk"
    assert set(answer["track"]) == TRACK_FIELDS
    assert all(set(tag) == {"name", "strength"} for tag in answer["tags"])
    strengths = [tag["strength"] for tag in answer["tags"]]
    assert strengths == sorted(strengths, reverse=True) != []
