import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.labels import Labels
from recommender.track import TagStrength

NAMES = ("one:rock", "one:jazz", "two:jazz", "two:ambient")


# as they are stored, also just below and above what counts
PROBABILITY = st.floats(0, 1, width=16) | st.sampled_from([0.0, 0.04998779296875, 0.0625, 0.1875])


def strengths(labels: Labels, *probabilities: float) -> dict[str, float]:
    places, values = labels.strong(np.array(probabilities))
    return {labels.names[place]: value for place, value in zip(places, values, strict=True)}


def shared(one: list[float], others: list[list[float]]) -> list[tuple[TagStrength, ...]]:
    labels = Labels(["a", "b", "c", "d"])
    return labels.shared(labels.strong(np.array(one)), np.array(others))


def test_names_are_without_their_tagger_and_in_the_order_of_the_alphabet() -> None:
    assert Labels(NAMES).names == ["ambient", "jazz", "rock"]


def test_where_two_taggers_know_a_tag_the_stronger_one_counts() -> None:
    assert strengths(Labels(NAMES), 0.125, 0.25, 0.75, 0.5) == {
        "ambient": 0.5,
        "jazz": 0.75,
        "rock": 0.125,
    }


def test_weak_tags_do_not_count() -> None:
    assert strengths(Labels(NAMES), 0.0499, 0.05, 0.0, 0.01) == {"jazz": 0.05}


def test_columns_of_a_tag_are_those_of_every_tagger() -> None:
    labels = Labels(NAMES)
    assert sorted(labels.columns_of("jazz")) == [1, 2]
    assert labels.columns_of("polka") == []


@pytest.mark.parametrize("n_rows", [0, 1, 3])
def test_an_embedder_without_tags_shares_none(n_rows: int) -> None:
    labels = Labels(())
    assert labels.names == []
    nothing = labels.strong(np.empty(0))
    assert len(nothing.places) == len(nothing.values) == 0
    assert labels.shared(nothing, np.empty((n_rows, 0))) == [()] * n_rows


def test_what_is_shared_is_as_strong_as_the_surer_tagger_says() -> None:
    labels = Labels(NAMES)
    one = labels.strong(np.array([0.0, 0.9, 0.1, 0.9]))
    [found] = labels.shared(one, np.array([[0.8, 0.2, 0.7, 0.4]]))
    assert found == ({"name": "jazz", "strength": 0.7}, {"name": "ambient", "strength": 0.4})


def test_the_weaker_of_two_strengths_counts_and_the_strongest_comes_first() -> None:
    [found] = shared([0.9, 0.2, 0.5, 0.0], [[0.3, 0.8, 0.6, 0.9]])
    assert [(tag["name"], tag["strength"]) for tag in found] == [("c", 0.5), ("a", 0.3), ("b", 0.2)]


def test_at_most_three_tags_are_named() -> None:
    [found] = shared([0.9, 0.8, 0.7, 0.6], [[1.0, 1.0, 1.0, 1.0]])
    assert [tag["name"] for tag in found] == ["a", "b", "c"]


def test_of_equal_strengths_the_first_in_the_alphabet_comes_first() -> None:
    [found] = shared([0.5, 0.5, 0.5, 0.5], [[0.7, 0.5, 0.9, 0.5]])
    assert [tag["name"] for tag in found] == ["a", "b", "c"]


def test_weak_tags_are_no_reason() -> None:
    [found] = shared([0.9, 0.9, 0.9, 0.9], [[0.049, 0.051, 0.0, 0.04]])
    assert [tag["name"] for tag in found] == ["b"]


def test_strengths_have_three_decimals() -> None:
    [found] = shared([0.12345, 0, 0, 0], [[1, 0, 0, 0]])
    assert found == ({"name": "a", "strength": 0.123},)


@given(st.lists(st.lists(PROBABILITY, min_size=4, max_size=4), min_size=1, max_size=4))
def test_what_is_shared_is_what_is_strong_in_both(tracks: list[list[float]]) -> None:
    labels = Labels(NAMES)
    strong = [strengths(labels, *track) for track in tracks]
    expected = [
        sorted(
            ((-min(strong[0][name], other[name]), name) for name in strong[0] if name in other),
        )[:3]
        for other in strong
    ]
    first = labels.strong(np.array(tracks[0]))
    assert labels.shared(first, np.array(tracks, np.float16)) == [
        tuple({"name": name, "strength": round(-strength, 3)} for strength, name in best)
        for best in expected
    ]
