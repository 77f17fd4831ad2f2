"""The identity of vectors: it changes with whatever changes a vector."""

from dataclasses import asdict, fields, replace
from itertools import product
from typing import Any

import pytest

from recommender.embedding import EmbedderSpec
from recommender.errors import InvalidParameterError
from recommender.pooling import POOLINGS
from recommender.space import Listening, Space
from tests.builders import SPACE, SPEC


def test_the_id_is_that_of_a_known_description() -> None:
    # frozen on purpose: a change here makes every published index and library incomparable
    assert SPACE.id == "fake-5db1666f14c0"


@pytest.mark.parametrize("field", [f.name for f in fields(EmbedderSpec)])
def test_every_field_of_the_embedder_changes_the_id(field: str) -> None:
    value = getattr(SPEC, field)
    other: Any = {str: "other", int: 12345, tuple: ("other",)}[type(value)]
    assert Space(replace(SPEC, **{field: other}), 12).id != SPACE.id


def test_another_resampler_changes_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    before = SPACE.id
    monkeypatch.setattr("recommender.space.RESAMPLER", "other")
    assert SPACE.id != before


def test_every_pooling_and_projection_has_an_id_of_its_own() -> None:
    projections = ("corpus-centred", "none", "pca:2", "pca:3")
    spaces = [Space(SPEC, 12, *names) for names in product(POOLINGS, projections)]
    assert spaces[0] == SPACE
    assert len({space.id for space in spaces}) == len(spaces) == 20


def test_the_default_is_described_as_it_was_before_there_was_a_choice() -> None:
    # what libraries and manifests hold; the id is a digest of it
    spec = {field: value for field, value in asdict(SPEC).items() if field != "tail"}
    assert SPACE.describe() == {
        "embedder": spec,
        "n_windows": 12,
        "resampler": "soxr-hq",
        "pooling": "mean",
        "projection": "corpus-centred",
    }


def test_a_tail_that_is_covered_is_described() -> None:
    described = Space(replace(SPEC, tail="covered"), 12).describe()
    assert described["embedder"]["tail"] == "covered"


@pytest.mark.parametrize("names", [("average", "none"), ("mean", "centred")])
def test_a_space_of_an_unknown_pooling_or_projection_is_refused(names: tuple[str, str]) -> None:
    with pytest.raises(InvalidParameterError, match="is unknown; choose "):
        Space(SPEC, 12, *names)


def test_the_dimension_is_that_of_pooled_vectors_before_the_projection() -> None:
    dimensions = [Space(SPEC, 12, pooling, "pca:2").dimension for pooling in POOLINGS]
    assert dimensions == [4, 8, 4, 8, 4]


@pytest.mark.parametrize(("n_windows", "of_a_clip"), [(None, 12), (3, 3), (12, 12), (60, 12)])
def test_clips_are_heard_as_tracks_are_with_no_more_windows_than_a_caller_can_wait_for(
    n_windows: int | None, of_a_clip: int
) -> None:
    space = Space(SPEC, n_windows, "median")
    assert space.listening == Listening(SPEC, n_windows, "median")
    assert space.clip_listening == Listening(SPEC, of_a_clip, "median")


def test_the_number_of_windows_changes_the_id() -> None:
    assert len({Space(SPEC, n).id for n in (1, 12, 13, None)}) == 4


def test_equal_descriptions_have_one_id() -> None:
    assert Space(replace(SPEC), 12).id == SPACE.id


def test_all_windows_are_said_in_words() -> None:
    assert Space(SPEC, None).describe()["n_windows"] == "all"
