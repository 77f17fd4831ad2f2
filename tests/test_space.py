"""The identity of vectors: it changes with whatever changes a vector."""

from dataclasses import fields, replace
from typing import Any

import pytest

from recommender.embedding import EmbedderSpec
from recommender.space import Space
from tests.builders import SPACE, SPEC


def test_the_id_is_that_of_a_known_description() -> None:
    # frozen on purpose: a change here makes every published index and library incomparable
    assert SPACE.id == "fake-5db1666f14c0"


@pytest.mark.parametrize("field", [f.name for f in fields(EmbedderSpec)])
def test_every_field_of_the_embedder_changes_the_id(field: str) -> None:
    value = getattr(SPEC, field)
    other: Any = {str: "other", int: 12345, tuple: ("other",)}[type(value)]
    assert Space(replace(SPEC, **{field: other}), 12).id != SPACE.id


@pytest.mark.parametrize("constant", ["RESAMPLER", "POOLING", "PROJECTION"])
def test_every_step_around_the_embedder_changes_the_id(
    constant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = SPACE.id
    monkeypatch.setattr(f"recommender.space.{constant}", "other")
    assert SPACE.id != before


def test_the_number_of_windows_changes_the_id() -> None:
    assert len({Space(SPEC, n).id for n in (1, 12, 13, None)}) == 4


def test_equal_descriptions_have_one_id() -> None:
    assert Space(replace(SPEC), 12).id == SPACE.id


def test_all_windows_are_said_in_words() -> None:
    assert Space(SPEC, None).describe()["n_windows"] == "all"
