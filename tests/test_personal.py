"""What a listener is recommended, on catalogs of styles that lie apart."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender import personal
from recommender.arrays import FloatArray
from recommender.engine import Recommender
from recommender.errors import InvalidParameterError
from recommender.filters import Filters
from recommender.personal import NO_HISTORY, Mood, Novelty, recommend_to
from recommender.questions import Answer, Options
from recommender.retrieval import Retrieval, Room
from recommender.taste import DISLIKE, Opinion
from tests.builders import entry, generation_of

STYLES = ("ska", "doom", "fado", "drone")
EACH = 30


@pytest.fixture(scope="module")
def recommender(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    """Four styles of thirty tracks, each around an axis of its own."""
    random = np.random.default_rng(4)
    catalog = [
        entry(
            f"{style}{i:02}",
            (np.eye(4)[axis] + 0.15 * random.standard_normal(4)).tolist(),
            artist=f"{style} band {i % 5}",
            genre=style,
        )
        for axis, style in enumerate(STYLES)
        for i in range(EACH)
    ]
    return Recommender(generation_of(tmp_path_factory.mktemp("catalog"), catalog))


def likes(*ids: str) -> list[Opinion]:
    return [Opinion(id_, 1.0) for id_ in ids]


def dislikes(*ids: str) -> list[Opinion]:
    return [Opinion(id_, DISLIKE, disliked=True) for id_ in ids]


def ask(
    recommender: Recommender,
    opinions: Sequence[Opinion],
    options: Options | None = None,
    mood: Mood | None = None,
) -> Answer:
    return recommend_to(recommender, opinions, options or Options(limit=20), mood or Mood())


def ids(answer: Answer) -> list[str]:
    return [match.track.id for match in answer.matches]


def styles(answer: Answer) -> dict[str, int]:
    found = [id_[:-2] for id_ in ids(answer)]
    return {style: found.count(style) for style in sorted(set(found))}


TWO_STYLES = likes("ska00", "ska01", "ska02", "ska03", "fado00", "fado01")


def test_every_interest_has_its_share_of_the_places(recommender: Recommender) -> None:
    found = styles(ask(recommender, TWO_STYLES, Options(limit=18)))
    assert set(found) == {"ska", "fado"}
    assert found["ska"] in (11, 12, 13)


def test_what_was_heard_is_left_out_allowed_or_all_there_is(recommender: Recommender) -> None:
    heard = {one.track_id for one in TWO_STYLES}
    assert not heard & set(ids(ask(recommender, TWO_STYLES)))
    allowed = ask(recommender, TWO_STYLES, mood=Mood(Novelty.ALLOW))
    assert heard & set(ids(allowed))
    assert set(ids(ask(recommender, TWO_STYLES, mood=Mood(Novelty.ONLY)))) == heard


def test_a_style_falls_out_after_three_dislikes_and_comes_back(recommender: Recommender) -> None:
    before = ask(recommender, TWO_STYLES)
    assert styles(before)["fado"] >= 5
    three = [id_ for id_ in ids(before) if id_.startswith("fado")][:3]
    after = ask(recommender, [*TWO_STYLES, *dislikes(*three)])
    assert "fado" not in styles(after)
    assert len(after.matches) == 20
    assert ask(recommender, TWO_STYLES) == before


@pytest.mark.parametrize("novelty", list(Novelty))
def test_what_is_disliked_never_comes(recommender: Recommender, novelty: Novelty) -> None:
    opinions = [*likes("ska00", "ska01"), *dislikes("ska02", "ska03")]
    found = ids(ask(recommender, opinions, mood=Mood(novelty)))
    assert found
    assert not {"ska02", "ska03"} & set(found)


def test_a_reason_is_the_nearest_track_of_the_interest(recommender: Recommender) -> None:
    vectors = recommender.generation.index.vectors
    for match in ask(recommender, TWO_STYLES).matches:
        assert match.reasons["because"] is not None
        reason = match.reasons["because"]["track_id"]
        assert reason[:-2] == match.track.id[:-2]
        assert match.reasons["because"]["interest"] == (1 if reason.startswith("ska") else 2)
        one, other = vectors(recommender.generation.rows_of([reason, match.track.id])[0])
        assert match.similarity == pytest.approx((1 + float(one @ other)) / 2, abs=2e-6)


def test_someone_unknown_gets_what_stands_for_the_catalog(recommender: Recommender) -> None:
    answer = ask(recommender, [], Options(limit=4))
    assert answer.warnings == (NO_HISTORY,)
    assert set(styles(answer)) == set(STYLES)
    assert all(match.reasons["because"] is None for match in answer.matches)


def test_dislikes_alone_are_no_history_but_are_heeded(recommender: Recommender) -> None:
    start = ids(ask(recommender, [], Options(limit=4)))
    answer = ask(recommender, dislikes(start[0]), Options(limit=4))
    assert answer.warnings == (NO_HISTORY,)
    assert start[0] not in ids(answer)


def test_tracks_that_the_catalog_lacks_say_nothing(recommender: Recommender) -> None:
    gone = likes("gone1", "gone2")
    assert ask(recommender, [*TWO_STYLES, *gone]) == ask(recommender, TWO_STYLES)
    assert ask(recommender, gone).warnings == (NO_HISTORY,)


def test_filters_caps_and_thresholds_hold(recommender: Recommender) -> None:
    fado = ask(recommender, TWO_STYLES, Options(limit=50, filters=Filters(genres=("fado",))))
    assert styles(fado) == {"fado": EACH - 2}
    capped = ask(recommender, TWO_STYLES, Options(limit=100, max_per_artist=2))
    artists = [match.track.metadata.artist for match in capped.matches]
    assert len(artists) == 2 * 5 * len(STYLES)
    assert max(map(artists.count, artists)) == 2
    near = ask(recommender, TWO_STYLES, Options(limit=100, min_similarity=0.97)).matches
    assert near
    assert all(match.similarity >= 0.97 for match in near)
    without = ask(recommender, TWO_STYLES, Options(exclude_ids=("ska10", "zz")))
    assert "ska10" not in ids(without)
    assert without.warnings == ("exclude_id=zz is not in the catalog",)


def test_lists_are_as_long_as_the_catalog_allows(recommender: Recommender) -> None:
    everything = ask(recommender, TWO_STYLES, Options(limit=100))
    assert len(everything.matches) == 100
    assert len(set(ids(everything))) == 100


def test_chance_makes_other_lists_and_the_same_again(recommender: Recommender) -> None:
    def found(surprise: float, seed: int) -> list[str]:
        return ids(ask(recommender, TWO_STYLES, Options(), Mood(surprise=surprise, seed=seed)))

    assert found(0.0, 1) == found(0.0, 2)
    assert found(0.5, 1) == found(0.5, 1)
    assert found(0.5, 1) != found(0.5, 2)
    usual = set(found(0.0, 0))
    kept = [np.mean([len(usual & set(found(s, seed))) for seed in range(8)]) for s in (0.2, 1.0)]
    assert 10 > kept[0] > kept[1]


@pytest.mark.parametrize("least", [0.9999999, 1.0])
def test_a_threshold_that_nothing_reaches_ends_the_search(
    recommender: Recommender, least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[int]()
    nearest = Retrieval.nearest

    def noted(self: Retrieval, queries: FloatArray, k: int, room: Room) -> Any:
        asked.append(k)
        return nearest(self, queries, k, room)

    monkeypatch.setattr(Retrieval, "nearest", noted)
    assert ask(recommender, TWO_STYLES, Options(min_similarity=least)).matches == ()
    assert asked == [100, 100]


def test_no_deeper_than_is_bearable_is_searched(
    recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal, "DEPTH", 5)
    monkeypatch.setattr(personal, "MOST_DEPTH", 6)
    found = ids(ask(recommender, TWO_STYLES, Options(limit=3, max_per_artist=1)))
    assert 1 <= len(found) <= 3
    assert len(set(found)) == len(found)


def test_no_match_at_all_is_refused(recommender: Recommender) -> None:
    with pytest.raises(InvalidParameterError, match="limit=0"):
        ask(recommender, TWO_STYLES, Options(limit=0))


def test_an_empty_catalog_recommends_nothing(tmp_path: Path) -> None:
    empty = Recommender(generation_of(tmp_path, []))
    assert ask(empty, TWO_STYLES).matches == ()


def test_a_little_diversity_takes_no_interest_its_places(tmp_path: Path) -> None:
    # one style lies so close that all of its tracks fit better than any of the other
    random = np.random.default_rng(2)
    spread = {"ska": 0.02, "fado": 0.4}
    catalog = [
        entry(f"{style}{i:02}", (np.eye(4)[axis] + s * random.standard_normal(4)).tolist())
        for axis, (style, s) in enumerate(spread.items())
        for i in range(EACH)
    ]
    recommender = Recommender(generation_of(tmp_path, catalog))
    found = [
        styles(ask(recommender, TWO_STYLES, Options(limit=18, diversity=d))) for d in (0.0, 1e-9)
    ]
    assert found[0] == found[1]
    assert min(found[0].values()) >= 5
