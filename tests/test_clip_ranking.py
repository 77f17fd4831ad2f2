"""Clips in time: which track, and when, with the options of every question."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender.engine import Recommender
from recommender.errors import InvalidParameterError
from recommender.filters import Filters
from recommender.questions import Answer, Options
from recommender.segment_search import CANDIDATES
from recommender.track import Stretch
from tests.builders import SPACE, Entry, embedding, indexed, open_library, random_entries
from tests.segmented import (
    N_WINDOWS,
    SEGMENTED,
    UPDATING,
    clip_among,
    clip_of,
    published,
    segmented,
    store_segmented,
)

TRACKS = [
    replace(e, metadata=replace(e.metadata, artist=f"Artist {i % 10}", year=1970 + i % 50))
    for i, e in enumerate(random_entries(150, seed=3))
]


@pytest.fixture(scope="module")
def recommender(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    """Of 150 tracks, ten of them without windows."""
    folder = tmp_path_factory.mktemp("data")
    store_segmented(folder, TRACKS[:140])
    with open_library(folder) as library:
        library.store([indexed(e) for e in TRACKS[140:]], SPACE)
    return Recommender(published(folder))


def heard(recommender: Recommender, entry: Entry, begins: int, **options: object) -> Answer:
    # as a whole the clip sounds like another track
    question = recommender.about_clip([embedding(TRACKS[5].vector)], clip_of(entry, begins))
    return recommender.answer(question, Options(**{"limit": 10, **options}))  # type: ignore[arg-type]


def stretches(answer: Answer) -> list[Stretch | None]:
    """Where each match holds the clip."""
    return [match.reasons.get("segment") for match in answer.matches]


@pytest.mark.parametrize(("track", "begins"), [(17, 0), (42, 20), (139, N_WINDOWS - 4)])
def test_a_clip_finds_its_track_and_the_moment(
    recommender: Recommender, track: int, begins: int
) -> None:
    answer = heard(recommender, TRACKS[track], begins)
    assert answer.matches[0].track.id == TRACKS[track].id
    first = stretches(answer)[0]
    assert first is not None
    assert (first["start_seconds"], first["end_seconds"]) == (3.0 * begins, 3.0 * begins + 12.0)
    assert first["similarity"] == answer.matches[0].similarity > 0.999
    assert first["same_recording"]
    assert len(answer.matches) == 10


def test_a_passage_unlike_the_mean_of_its_track_is_found(tmp_path: Path) -> None:
    odd = segmented(TRACKS[0])
    assert odd.segments is not None
    vectors = odd.segments.vectors.copy()
    vectors[10:14] = 20 * (np.eye(4) - np.asarray(TRACKS[0].vector))
    with open_library(tmp_path) as library:
        library.store([replace(odd, segments=replace(odd.segments, vectors=vectors))], SPACE)
        library.store([segmented(e) for e in TRACKS[1:]], SPACE)
    recommender = Recommender(published(tmp_path))
    clip = clip_among(vectors, 10)
    whole = [embedding(vectors[10:14].mean(axis=0))]
    by_whole = recommender.answer(recommender.about_clip(whole), Options(limit=10))
    in_time = recommender.answer(recommender.about_clip(whole, clip), Options(limit=10))
    assert TRACKS[0].id not in [match.track.id for match in by_whole.matches]
    assert in_time.matches[0].track.id == TRACKS[0].id
    first = stretches(in_time)[0]
    assert first is not None
    assert first["start_seconds"] == 30.0


def test_similarities_descend_and_ids_come_once(recommender: Recommender) -> None:
    answer = heard(recommender, TRACKS[30], 9, limit=100)
    similarities = [match.similarity for match in answer.matches]
    assert similarities == sorted(similarities, reverse=True)
    assert len({match.track.id for match in answer.matches}) == 100 > CANDIDATES


def test_a_list_is_as_long_as_it_can_be(recommender: Recommender) -> None:
    filters = Filters(artists=("Artist 3",))
    answer = heard(recommender, TRACKS[30], 9, limit=100, filters=filters)
    assert len(answer.matches) == 15
    assert {match.track.metadata.artist for match in answer.matches} == {"Artist 3"}
    # the last of them has no windows, and is compared as a whole
    assert stretches(answer).count(None) == 1


def test_tracks_that_are_excluded_are_not_found(recommender: Recommender) -> None:
    answer = heard(recommender, TRACKS[42], 20, exclude_ids=(TRACKS[42].id,), limit=100)
    assert TRACKS[42].id not in [match.track.id for match in answer.matches]
    others = heard(recommender, TRACKS[42], 20, exclude_artists=("artist 2",), limit=100)
    assert "Artist 2" not in {match.track.metadata.artist for match in others.matches}


def test_caps_hold_and_leave_the_list_as_long_as_it_can_be(recommender: Recommender) -> None:
    answer = heard(recommender, TRACKS[42], 20, max_per_artist=2, limit=30)
    artists = [match.track.metadata.artist for match in answer.matches]
    assert {artist: artists.count(artist) for artist in artists} == {
        f"Artist {i}": 2 for i in range(10)
    }
    assert answer.matches[0].track.id == TRACKS[42].id


def test_what_is_less_similar_than_wanted_is_left_out(recommender: Recommender) -> None:
    everything = heard(recommender, TRACKS[42], 20, limit=100)
    least = everything.matches[4].similarity
    answer = heard(recommender, TRACKS[42], 20, limit=100, min_similarity=least)
    assert answer.matches == everything.matches[:5]


def test_other_options_choose_among_the_same_tracks(recommender: Recommender) -> None:
    plain = heard(recommender, TRACKS[42], 20)
    for options in ({"diversity": 0.5}, {"corrects_hubs": True}):
        answer = heard(recommender, TRACKS[42], 20, **options)
        assert len(answer.matches) == 10
        assert answer.matches[0].track.id == plain.matches[0].track.id
    with pytest.raises(InvalidParameterError, match="limit=0"):
        heard(recommender, TRACKS[42], 20, limit=0)


def test_tracks_that_left_are_not_found_though_their_windows_are_there(tmp_path: Path) -> None:
    store_segmented(tmp_path, TRACKS)
    published(tmp_path, UPDATING)
    with open_library(tmp_path) as library:
        library.forget_files([TRACKS[42].file])
    after = published(tmp_path, UPDATING)
    assert after.segments is not None
    assert after.manifest.parent
    assert after.segments.spans[42, 1] == N_WINDOWS
    answer = heard(Recommender(after), TRACKS[42], 20, limit=100)
    assert TRACKS[42].id not in [match.track.id for match in answer.matches]
    assert len(answer.matches) == 100


def test_without_windows_in_clip_or_generation_tracks_are_compared_as_a_whole(
    recommender: Recommender, tmp_path: Path
) -> None:
    whole = recommender.answer(recommender.about_clip([embedding(TRACKS[5].vector)]), Options())
    assert not any(stretches(whole))
    store_segmented(tmp_path, TRACKS[:20])
    without = Recommender(
        published(tmp_path, replace(SEGMENTED, options=replace(SEGMENTED.options, segments=False)))
    )
    assert not any(stretches(heard(without, TRACKS[3], 5)))


def test_the_end_is_that_of_the_track(tmp_path: Path) -> None:
    short = [replace(e, duration_seconds=113.5) for e in TRACKS[:9]]
    store_segmented(tmp_path, short)
    answer = heard(Recommender(published(tmp_path)), TRACKS[3], N_WINDOWS - 4)
    first = stretches(answer)[0]
    assert first is not None
    assert (first["start_seconds"], first["end_seconds"]) == (108.0, 113.5)
