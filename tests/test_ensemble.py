"""Several spaces that answer together, against reciprocal ranks taken by brute force."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import ensemble
from recommender.engine import Recommender
from recommender.ensemble import Ensemble, fused
from recommender.errors import (
    InvalidParameterError,
    SpaceMismatchError,
    SpaceUnavailableError,
    UnknownTrackError,
)
from recommender.filters import Filters
from recommender.questions import Options, Preference
from recommender.spaces import Slot, Spaces
from recommender.track import Metadata
from tests.builders import (
    OTHER_SPACE,
    SPACE,
    embedding,
    entry,
    opened,
    publish_beside,
    publish_entries,
    random_entries,
)

N_TRACKS = 40
ONE = [
    replace(track, metadata=replace(track.metadata, artist=f"artist {i % 5}"))
    for i, track in enumerate(random_entries(N_TRACKS, 1))
]
TWO = [replace(a, vector=b.vector) for a, b in zip(ONE, random_entries(N_TRACKS, 2), strict=True)]


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recommender, Recommender]:
    folder = tmp_path_factory.mktemp("data")
    first = publish_entries(folder, ONE)
    second = publish_beside(folder, TWO)
    return opened(folder, first), opened(folder, second)


def ranking(member: Recommender, seed: str) -> list[str]:
    matches = member.similar(seed, Options(limit=N_TRACKS)).matches
    return [match.track.id for match in matches]


def test_scores_are_reciprocal_ranks() -> None:
    scores = dict(fused([["a", "b", "c"], ["b", "a"]]))
    assert scores["a"] == scores["b"] == round((1 + 61 / 62) / 2, 6)
    assert scores["c"] == round(61 / 63 / 2, 6)


def test_first_everywhere_is_one_and_equal_scores_are_in_the_order_of_ids() -> None:
    assert fused([["a"], ["a"]]) == [("a", 1.0)]
    assert [id_ for id_, _ in fused([["b", "a"], ["a", "b"]])] == ["a", "b"]


@given(st.lists(st.permutations("abcdef"), min_size=1, max_size=4))
def test_fusion_is_bounded_and_does_not_depend_on_the_order_of_spaces(
    rankings: list[list[str]],
) -> None:
    result = fused(rankings)
    assert result == fused(rankings[::-1])
    assert all(0 < score <= 1 for _, score in result)
    assert sorted(id_ for id_, _ in result) == list("abcdef")


def test_one_space_answers_as_it_would_alone(members: tuple[Recommender, Recommender]) -> None:
    for member in members:
        answer = Ensemble([member]).similar("t003", Options(limit=7))
        assert answer == member.similar("t003", Options(limit=7))
        assert all(match.space_ranks == () for match in answer.matches)


def test_two_spaces_answer_in_the_order_of_reciprocal_ranks(
    members: tuple[Recommender, Recommender],
) -> None:
    rankings = [ranking(member, "t003") for member in members]
    answer = Ensemble(members).similar("t003", Options(limit=12))
    expected = fused(rankings)[:12]
    assert [(m.track.id, m.similarity) for m in answer.matches] == expected
    assert [m.rank for m in answer.matches] == list(range(1, 13))
    for match in answer.matches:
        assert {place.space: place.rank for place in match.space_ranks} == {
            SPACE.id: rankings[0].index(match.track.id) + 1,
            OTHER_SPACE.id: rankings[1].index(match.track.id) + 1,
        }
    assert answer.space == f"{SPACE.id}+{OTHER_SPACE.id}"
    assert answer.generation.count("+") == 1
    assert "t003" not in [match.track.id for match in answer.matches]


def test_exclusions_caps_and_thresholds_hold_for_several_spaces(
    members: tuple[Recommender, Recommender],
) -> None:
    both = Ensemble(members)
    everything = both.similar("t000", Options(limit=N_TRACKS)).matches
    best = everything[0].track.id
    assert len(everything) == N_TRACKS - 1
    without = both.similar("t000", Options(limit=5, exclude_ids=(best, "zz")))
    assert best not in [match.track.id for match in without.matches]
    assert without.warnings == ("exclude_id=zz is not in the catalog",)
    artists = [
        match.track.metadata.artist
        for match in both.similar("t000", Options(limit=N_TRACKS, max_per_artist=2)).matches
    ]
    assert len(artists) == 10
    assert max(map(artists.count, artists)) == 2
    bound = everything[4].similarity
    close = both.similar("t000", Options(limit=N_TRACKS, min_similarity=bound)).matches
    assert [m.track.id for m in close] == [m.track.id for m in everything if m.similarity >= bound]
    none = both.similar("t000", Options(exclude_artists=tuple(f"artist {i}" for i in range(5))))
    assert none.matches == ()
    with pytest.raises(InvalidParameterError, match="limit=0"):
        both.similar("t000", Options(limit=0))
    with pytest.raises(InvalidParameterError, match=r"diversity=0\.5 .* name one"):
        both.similar("t000", Options(diversity=0.5))


def test_a_cap_on_albums_holds_for_several_spaces(tmp_path: Path) -> None:
    catalog = [
        replace(track, metadata=Metadata(album=f"{i % 3}", album_artist="Various"))
        for i, track in enumerate(ONE[:30])
    ]
    first, second = publish_entries(tmp_path, catalog), publish_beside(tmp_path, catalog)
    members = [opened(tmp_path, first), opened(tmp_path, second)]
    options = Options(limit=30, max_per_album=2)
    albums = [m.track.metadata.album for m in Ensemble(members).similar("t000", options).matches]
    assert max(map(albums.count, albums)) == 2


def test_a_cap_makes_it_look_deeper(
    members: tuple[Recommender, Recommender], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options(limit=5, max_per_artist=1)
    deep = Ensemble(members).similar("t001", options)
    monkeypatch.setattr(ensemble, "DEPTH", 5)
    shallow = Ensemble(members).similar("t001", options)
    assert len(shallow.matches) == len(deep.matches) == 5


def test_taste_and_clips_are_fused_as_well(members: tuple[Recommender, Recommender]) -> None:
    both, options = Ensemble(members), Options(limit=5)
    taste = [Preference("t001"), Preference("t002")], [Preference("t009")]
    expected = fused([m.nearest_ids(m.about_taste(*taste), options, N_TRACKS) for m in members])
    assert [m.track.id for m in both.recommend(*taste, options).matches] == [
        id_ for id_, _ in expected[:5]
    ]
    heard = [[embedding([1, 0, 0, 0])], [embedding([0, 1, 0, 0], ())]]
    answer = both.similar_to_clip(heard, options)
    expected = fused(
        [m.nearest_ids(m.about_clip(h), options, 40) for m, h in zip(members, heard, strict=True)],
    )
    assert [m.track.id for m in answer.matches] == [id_ for id_, _ in expected[:5]]


def test_a_clip_of_another_space_is_refused(members: tuple[Recommender, Recommender]) -> None:
    heard = [[embedding([1, 0, 0, 0])], [embedding(np.ones(7), ())]]
    with pytest.raises(SpaceMismatchError, match=OTHER_SPACE.id):
        Ensemble(members).similar_to_clip(heard, Options())


def test_a_space_that_lacks_the_seed_is_left_out_and_said(tmp_path: Path) -> None:
    first = publish_entries(tmp_path, ONE)
    second = publish_beside(tmp_path, TWO[:20])
    both = Ensemble([opened(tmp_path, first), opened(tmp_path, second)])
    answer = both.similar("t030", Options(limit=3))
    assert [w for w in answer.warnings if OTHER_SPACE.id in w and "t030" in w]
    alone = both.members[0].similar("t030", Options(limit=3))
    assert [m.track.id for m in answer.matches] == [m.track.id for m in alone.matches]
    assert answer.matches[0].similarity == 1.0
    with pytest.raises(UnknownTrackError, match="track_id=zz"):
        both.similar("zz", Options())


def test_tracks_of_one_space_alone_are_found_with_their_metadata(tmp_path: Path) -> None:
    first = publish_entries(tmp_path, ONE[:10])
    second = publish_beside(tmp_path, TWO)
    recommenders = [opened(tmp_path, first), opened(tmp_path, second)]
    found = Ensemble(recommenders).similar("t000", Options(limit=100)).matches
    assert len(found) == N_TRACKS - 1
    assert all(match.track.metadata.artist for match in found)
    spaces = spaces_of(recommenders)
    assert spaces.holding("t030") is recommenders[1]
    assert spaces.holding("t003") is spaces.holding("zz") is recommenders[0]


def test_reasons_come_from_the_space_that_has_tags(tmp_path: Path) -> None:
    tagged = [entry(f"t{i}", [1, i, 0, 0], tags=(0.9, 0.8, 0.1)) for i in range(4)]
    names = publish_entries(tmp_path, tagged), publish_beside(tmp_path, tagged)
    for order in (names, names[::-1]):
        answer = Ensemble([opened(tmp_path, n) for n in order]).similar("t0", Options(limit=2))
        assert [tag["name"] for tag in answer.matches[0].shared_tags] == ["jazz", "rock"]


def test_a_name_is_warned_of_when_no_space_has_a_track_with_it(tmp_path: Path) -> None:
    tracks = [replace(t, metadata=replace(t.metadata, genre=t.id)) for t in ONE[:6]]
    names = publish_entries(tmp_path, tracks[:4]), publish_beside(tmp_path, tracks)
    fused = Ensemble([opened(tmp_path, name) for name in names])
    filters = Filters(genres=("t001", "t005", "jaz"))
    options = Options(filters=filters, exclude_artists=("nobody", "artist 4"), exclude_ids=("zz",))
    answer = fused.similar("t000", options)
    assert [match.track.id for match in answer.matches] == ["t001", "t005"]
    assert answer.warnings == (
        "exclude_id=zz is not in the catalog",
        "genre=jaz is in no track of the catalog",
        "exclude_artist=nobody is in no track of the catalog",
    )
    assert fused.similar("t000", Options()).warnings == ()


def test_spaces_are_chosen_by_name(members: tuple[Recommender, Recommender]) -> None:
    spaces = spaces_of(members)
    assert spaces.choose(None).members == members[:1]
    assert spaces.choose("other").members == members[1:]
    for text in ("fake+other", "fake other", f"{SPACE.id}+other:layer=last"):
        assert spaces.choose(text).members == members
    assert spaces.choose("other+fake").members == members[::-1]
    with pytest.raises(InvalidParameterError, match="names a space twice"):
        spaces.choose(f"fake+{SPACE.id}")
    for text in ("", "+", "fake+", "nothing"):
        with pytest.raises(InvalidParameterError, match="is not served"):
            spaces.choose(text)
    with pytest.raises(InvalidParameterError, match="name one"):
        spaces.choose("fake+other").only()


def test_a_space_that_cannot_be_read_does_not_answer_and_the_others_do(
    members: tuple[Recommender, Recommender],
) -> None:
    first, second = members
    spaces = Spaces((Slot.of("fake", first), Slot.of("other", None)))
    assert spaces.choose("fake").members == (first,)
    assert spaces.available == [first]
    for text in ("other", "fake+other"):
        with pytest.raises(SpaceUnavailableError, match="space=other is published, but"):
            spaces.choose(text)
    without_default = Spaces((Slot.of("fake", None), Slot.of("", second)))
    assert without_default.choose("other:layer=last").only() is second
    with pytest.raises(SpaceUnavailableError, match="space=fake"):
        without_default.choose(None)


def spaces_of(recommenders: Sequence[Recommender]) -> Spaces:
    return Spaces(tuple(Slot.of("", one) for one in recommenders))
