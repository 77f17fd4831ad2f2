"""Several spaces over HTTP: chosen by name, fused with a plus."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from recommender.embedding import Embedding
from recommender.manifest import Manifest
from tests.builders import OTHER_SPACE, SPACE, embedding, publish_beside, publish_entries
from tests.fakes import FakeClipEmbedder, ids_of, service, similar, slug_of, small_catalog

CATALOG = small_catalog()
# in the other space everything sounds the other way round
REVERSED = [
    replace(track, vector=other.vector) for track, other in zip(CATALOG, CATALOG[::-1], strict=True)
]


class TwoEars(FakeClipEmbedder):
    """Hears a clip in the space that is asked for, and notes which one that was."""

    def embed(self, path: Path, manifest: Manifest) -> list[Embedding]:
        super().embed(path, manifest)
        self.spaces = [*getattr(self, "spaces", []), manifest.space_id]
        tags = [0.0] * len(manifest.space["embedder"]["tag_names"])
        return [embedding(self.vector, tags)]


@pytest.fixture
def ears() -> TwoEars:
    return TwoEars()


@pytest.fixture
def both(tmp_path: Path, ears: TwoEars) -> Iterator[httpx.Client]:
    publish_entries(tmp_path, CATALOG)
    publish_beside(tmp_path, REVERSED)
    with service(tmp_path, ears) as client:
        yield client


def test_without_a_name_the_default_space_answers(both: httpx.Client) -> None:
    answer = both.get("/similar", params={"track_id": "a0"}).json()
    assert answer["space"] == SPACE.id
    assert "space" not in answer["query"]
    assert similar(both)[0] == "a1"


@pytest.mark.parametrize("name", ["other", "other:layer=last", OTHER_SPACE.id])
def test_a_space_is_named_by_embedder_or_id(both: httpx.Client, name: str) -> None:
    answer = both.get("/similar", params={"track_id": "c1", "space": name})
    assert answer.json()["space"] == OTHER_SPACE.id
    assert answer.json()["query"]["space"] == name
    assert ids_of(answer)[0] == "c0"
    assert answer.json()["matches"][0]["why"]["space_ranks"] == []


def test_a_plus_in_an_address_fuses_whether_it_was_decoded_or_not(both: httpx.Client) -> None:
    plain, escaped = (
        both.get(f"/similar?track_id=a0&space=fake{plus}other").json() for plus in ("+", "%2B")
    )
    assert plain["matches"] == escaped["matches"]
    assert plain["space"] == f"{SPACE.id}+{OTHER_SPACE.id}"
    for match in plain["matches"]:
        assert {place["space"] for place in match["why"]["space_ranks"]} == {
            SPACE.id,
            OTHER_SPACE.id,
        }


def test_a_space_that_is_not_served_is_refused_with_those_that_are(both: httpx.Client) -> None:
    for name in ("panns", "fake+panns", "fake+fake", "+"):
        answer = both.get("/similar", params={"track_id": "a0", "space": name})
        assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")
    assert "fake, other:layer=last" in answer.json()["detail"]
    assert both.get("/similar?track_id=a0&space=").status_code == 422


def test_taste_is_asked_in_a_space(both: httpx.Client) -> None:
    body = {"positive": [{"track_id": "c1"}], "space": "other"}
    answer = both.post("/recommendations", json=body)
    assert (ids_of(answer)[0], answer.json()["space"]) == ("c0", OTHER_SPACE.id)


def test_a_clip_is_embedded_in_every_space_that_answers(both: httpx.Client, ears: TwoEars) -> None:
    clip = {"file": ("clip.wav", b"RIFF", "audio/wav")}
    answer = both.post("/similar/clip?space=other+fake", files=clip)
    assert answer.status_code == 200
    assert ears.spaces == [OTHER_SPACE.id, SPACE.id]
    both.post("/similar/clip?space=other", files=clip)
    assert ears.spaces[2:] == [OTHER_SPACE.id]


def test_a_clip_for_a_space_that_is_not_served_is_not_even_received(
    both: httpx.Client, ears: TwoEars
) -> None:
    answer = both.post("/similar/clip?space=panns", files={"file": ("c.wav", b"RIFF")})
    assert answer.status_code == 422
    assert ears.heard == []


def test_spaces_that_answer_together_warn_of_a_name_that_none_has(both: httpx.Client) -> None:
    asked = {"track_id": "a0", "space": "fake+other", "artist": ["ada", "ade"]}
    answer = both.get("/similar", params=asked)
    assert set(ids_of(answer)) == {"a1", "a2", "a3"}
    assert answer.json()["warnings"] == ["artist=ade is in no track of the catalog"]


def test_the_index_lists_every_space(both: httpx.Client) -> None:
    index = both.get("/index").json()
    assert [space["embedder"] for space in index["spaces"]] == ["fake", "other:layer=last"]
    assert index["space"] == index["spaces"][0]["space"] == SPACE.id
    assert {space["n_tracks"] for space in index["spaces"]} == {len(CATALOG)}


def test_a_track_of_one_space_alone_can_be_looked_at(tmp_path: Path) -> None:
    publish_entries(tmp_path, CATALOG[:4])
    publish_beside(tmp_path, CATALOG)
    with service(tmp_path) as client:
        assert client.get("/tracks/c1").json()["track"]["title"] == "Song c1"
        assert client.get("/tracks/zz").status_code == 404
        answer = client.get("/similar", params={"track_id": "c1"})
        assert f"space={SPACE.id}" in answer.json()["detail"]


def test_spaces_come_and_go_while_it_runs(tmp_path: Path) -> None:
    publish_entries(tmp_path, CATALOG)
    with service(tmp_path, poll_seconds=0.05) as client:
        question = {"track_id": "a0", "space": "other"}
        assert client.get("/similar", params=question).status_code == 422
        publish_beside(tmp_path, REVERSED)
        while client.get("/similar", params=question).status_code != 200:
            pass
