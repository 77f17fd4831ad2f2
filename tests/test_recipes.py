"""Which index is planned for how many vectors."""

import json
from collections.abc import Callable
from dataclasses import asdict

import pytest

from recommender.errors import InvalidParameterError
from recommender.index.building import build_index
from recommender.index.factories import n_lists, n_parts, opq, pq, rabitq
from recommender.index.native import check_factory
from recommender.index.recipes import (
    KINDS,
    IndexOptions,
    Recipe,
    index_bytes,
    plan,
)
from recommender.memory import bytes_beside
from tests.contracts_index import unit_vectors

MILLION = 10**6
GIB = 2**30
# of musicnn, and of an embedder of AudioSet
N_TAGS = {200: 50, 2048: 527}


@pytest.mark.parametrize(
    ("n_vectors", "dimension", "budget", "kind"),
    [
        (0, 200, GIB, "flat"),
        (10_000, 200, GIB, "flat"),
        (20_971, 200, GIB, "flat"),
        (20_972, 200, GIB, "hnsw"),
        (100_000, 200, GIB, "hnsw"),
        (MILLION, 200, GIB, "hnsw-fp16"),
        (1_500_000, 200, GIB, "hnsw-sq8"),
        (4 * MILLION, 200, GIB, "ivf-rabitq"),
        (10 * MILLION, 200, 16 * GIB, "hnsw"),
        (100_000, 2048, GIB, "hnsw-fp16"),
    ],
)
def test_auto_takes_what_is_fast_and_fits(
    n_vectors: int, dimension: int, budget: int, kind: str
) -> None:
    options, beside = IndexOptions(memory_budget=budget), bytes_beside(n_vectors, N_TAGS[dimension])
    recipe = plan(n_vectors, dimension, options, beside)
    assert (recipe.kind, recipe.warnings) == (kind, ())


def test_a_budget_that_nothing_fits_gives_the_smallest_and_a_warning() -> None:
    recipe = plan(MILLION, 200, IndexOptions(memory_budget=1000), beside=5)
    assert recipe.kind == "ivf-rabitq"
    needed = 5 + index_bytes("ivf-rabitq", MILLION, 200)
    assert recipe.warnings == (
        f"memory_budget=1000 is less than the {needed} bytes that a worker takes with ivf-rabitq",
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_what_it_is_called_when_there_is_enough_to_train_it(kind: str) -> None:
    enough = max(1, KINDS[kind].least_rows)
    recipe = plan(enough, 200, IndexOptions(kind))
    assert (recipe.kind, recipe.warnings) == (kind, ())
    check_factory(recipe.factory, 200)


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.least_rows])
@pytest.mark.parametrize("short", [False, True])
def test_too_few_to_train_make_the_nearest_kind_that_works(kind: str, short: bool) -> None:
    few = 0 if short else KINDS[kind].least_rows - 1
    recipe = plan(few, 200, IndexOptions(kind))
    assert KINDS[recipe.kind].least_rows <= few
    assert recipe.warnings == (
        f"index={kind} needs {KINDS[kind].least_rows} vectors, there are {few}; "
        f"it is {recipe.kind}",
    )


def test_another_text_is_a_factory_string_whose_candidates_are_ranked() -> None:
    assert plan(500, 16, IndexOptions("IVF4,Flat")) == Recipe("IVF4,Flat", "IVF4,Flat", True)
    empty = plan(0, 16, IndexOptions("IVF4,Flat"))
    assert (empty.kind, len(empty.warnings)) == ("flat", 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dimension", [1, 2, 7, 96, 200, 512, 2048])
def test_every_kind_can_be_made_in_every_dimension(kind: str, dimension: int) -> None:
    check_factory(plan(100_000, dimension, IndexOptions(kind)).factory, dimension)


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        "IVF",
        "PQ3",
        "LSH",
        "IDMap,Flat",
        "IVF4,Flat,RFlat",
        "HNSW99999999999",
        "é",
        "auto2",
        "Flat ",
    ],
)
def test_what_cannot_be_made_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidParameterError, match="index="):
        build_index(unit_vectors(50), IndexOptions(text))


def test_what_cannot_be_trained_is_flat_with_a_warning() -> None:
    index, recipe = build_index(unit_vectors(20), IndexOptions("IVF64,Flat"))
    assert (recipe.kind, len(index), index.exact) == ("flat", 20, True)
    assert "index=IVF64,Flat cannot be built from 20 vectors" in recipe.warnings[0]


@pytest.mark.parametrize(
    ("n_vectors", "lists"), [(1, 1), (1_000, 16), (100_000, 1024), (MILLION, 2048)]
)
def test_lists_grow_with_the_root_of_the_catalog(n_vectors: int, lists: int) -> None:
    assert n_lists(n_vectors) == lists


@pytest.mark.parametrize(("dimension", "parts"), [(1, 1), (7, 7), (200, 100), (2048, 1024)])
def test_a_part_has_two_dimensions_where_that_divides(dimension: int, parts: int) -> None:
    assert n_parts(dimension) == parts


@pytest.mark.parametrize(
    "wrong",
    [{"index": ""}, {"memory_budget": 0}, {"target_recall": 0.0}, {"target_recall": 1.01}],
)
def test_options_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    (name,) = wrong
    with pytest.raises(InvalidParameterError, match=f"{name}="):
        IndexOptions(**wrong)  # type: ignore[arg-type]


def test_a_recipe_survives_json() -> None:
    recipe = Recipe("hnsw-sq8", "HNSW16_SQ8", True, ("a", "b"))
    assert Recipe.of(json.loads(json.dumps(asdict(recipe)))) == recipe
    assert recipe.files == ("index.faiss", "vectors.faiss")
    assert plan(5, 5, IndexOptions()).files == ("index.faiss",)


def test_the_estimate_of_an_index_is_of_its_vectors() -> None:
    assert index_bytes("flat", 100, 200) == 80_000


@pytest.mark.parametrize("factory", [pq, opq, rabitq])
def test_lists_are_found_by_comparing_with_all_centroids(
    factory: Callable[[int, int], str],
) -> None:
    # a graph over the centroids of a million tracks reached 233 of 2,048 lists
    assert "IVF2048," in factory(1_000_000, 200)
