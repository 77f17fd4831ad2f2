"""Why tracks are matches, over the routes by which one asks."""

from pathlib import Path

import numpy as np
import pytest

from recommender.engine import Recommender
from recommender.ensemble import Ensemble
from recommender.paths import PathOptions, find_path
from recommender.personal import Mood, recommend_to
from recommender.questions import Options, Preference
from recommender.taste import Opinion
from recommender.track import NO_REASONS
from tests.builders import embedding, entry, random_entries, recommender_of


@pytest.fixture
def recommender(tmp_path: Path) -> Recommender:
    return recommender_of(
        tmp_path,
        [
            entry("a", [1, 0, 0, 0], bpm=100.0, key="C major"),
            entry("b", [0.9, 0.1, 0, 0], bpm=101.0),
            entry("c", [0, 1, 0, 0], bpm=60.0, key="F# major"),
            entry("d", [0.1, 0.9, 0, 0], key="B major"),
            entry("e", [0.7, 0.7, 0, 0]),
        ],
    )


LEVEL = {"level_dbfs": -14.0, "difference_db": 0.0}


def test_a_match_is_compared_with_the_track_that_was_asked_about(recommender: Recommender) -> None:
    why = {match.track.id: match.reasons for match in recommender.similar("a", Options()).matches}
    assert why["b"] == {
        "tempo": {"bpm": 101.0, "seed_bpm": 100.0, "close": True},
        "level": LEVEL,
    }
    assert why["d"] == {
        "key": {"key": "B major", "seed_key": "C major", "related": False},
        "level": LEVEL,
    }
    assert why["e"] == {"level": LEVEL}


def test_of_several_tracks_the_nearest_is_named_and_compared_with(recommender: Recommender) -> None:
    liked = [Preference("a"), Preference("c", 2.0)]
    answer = recommender.recommend(liked, [Preference("e")], Options())
    why = {match.track.id: match.reasons for match in answer.matches}
    assert why["b"]["seed"]["track_id"] == "a"
    assert why["b"]["tempo"]["seed_bpm"] == 100.0
    assert why["d"]["seed"]["track_id"] == "c"
    assert why["d"]["seed"]["similarity"] == pytest.approx((1 + 0.9 / np.hypot(0.1, 0.9)) / 2, 1e-5)
    assert why["d"]["key"]["related"] is True
    one = recommender.recommend(liked[:1], [], Options()).matches[0]
    assert "seed" not in one.reasons


def test_a_clip_is_compared_with_nothing(recommender: Recommender) -> None:
    answer = recommender.similar_to_clip([embedding([1, 0, 0, 0])], Options())
    assert {match.track.id: match.reasons for match in answer.matches}["a"] == {}


def test_a_listener_is_told_of_the_track_that_speaks_for_a_match(recommender: Recommender) -> None:
    (match, *_) = recommend_to(recommender, [Opinion("a", 1.0)], Options(limit=1), Mood()).matches
    assert match.track.id == "b"
    assert match.reasons["because"] == {"track_id": "a", "interest": 1}
    assert match.reasons["tempo"]["close"] is True


def test_each_stop_of_a_path_is_compared_with_the_one_before(recommender: Recommender) -> None:
    path = find_path(recommender.generation, "a", "c", PathOptions(steps=3))
    first, _, last = path.matches
    assert first.reasons == NO_REASONS
    assert last.reasons["level"] == LEVEL


def test_several_spaces_give_reasons_of_one_that_holds_the_track(recommender: Recommender) -> None:
    answer = Ensemble([recommender, recommender]).similar("a", Options())
    alone = recommender.similar("a", Options())
    assert {match.track.id: match.reasons for match in answer.matches} == {
        match.track.id: match.reasons for match in alone.matches
    }


def test_what_was_corrected_for_hubs_says_so(tmp_path: Path, recommender: Recommender) -> None:
    large = recommender_of(tmp_path, random_entries(60))
    track_id = large.generation.track_ids[0]
    for corrects in (True, False):
        answer = large.similar(track_id, Options(corrects_hubs=corrects))
        assert {match.reasons.get("hub_corrected") for match in answer.matches} == {
            corrects or None
        }
    # too few to know any hubs
    few = recommender.similar("a", Options(corrects_hubs=True))
    assert not any("hub_corrected" in match.reasons for match in few.matches)
