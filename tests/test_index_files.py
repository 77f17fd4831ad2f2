"""The files of an index: written, read with care, and added to."""

from pathlib import Path

import faiss
import numpy as np
import pytest

from recommender.errors import GenerationError, StorageError
from recommender.index.building import build_index
from recommender.index.faiss import FaissIndex
from recommender.index.recipes import INDEX, KINDS, VECTORS, IndexOptions, Recipe, flat
from tests.contracts_index import NONE, unit_vectors

REFINED = Recipe("hnsw-sq8", "HNSW16_SQ8", refined=True)


def test_the_file_of_a_flat_index_depends_on_its_vectors_alone(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        FaissIndex.build(unit_vectors(100)).save(tmp_path / name)
    assert (tmp_path / "one" / INDEX).read_bytes() == (tmp_path / "two" / INDEX).read_bytes()


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("content", [b"", b"IxFI", b"not an index at all" * 100])
def test_what_is_not_an_index_is_refused(tmp_path: Path, content: bytes, mapped: bool) -> None:
    (tmp_path / INDEX).write_bytes(content)
    with pytest.raises(GenerationError, match=r"index=index\.faiss cannot be read"):
        FaissIndex.load(tmp_path, flat(), 0, mapped=mapped)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match=r"index=index\.faiss"):
        FaissIndex.load(tmp_path, flat(), 0)
    FaissIndex.build(unit_vectors(300), REFINED).save(tmp_path)
    (tmp_path / VECTORS).unlink()
    with pytest.raises(GenerationError, match=r"index=vectors\.faiss"):
        FaissIndex.load(tmp_path, REFINED, 16)


@pytest.mark.parametrize("index", [faiss.IndexFlatL2(4), faiss.IndexHNSWFlat(4, 8)])
def test_an_index_of_another_kind_is_refused(tmp_path: Path, index: faiss.Index) -> None:
    faiss.write_index(index, str(tmp_path / INDEX))
    with pytest.raises(GenerationError, match="is not what Flat makes"):
        FaissIndex.load(tmp_path, flat(), 0)


def test_a_kind_that_holds_no_vectors_needs_their_file(tmp_path: Path) -> None:
    FaissIndex.build(unit_vectors(300), REFINED).save(tmp_path)
    with pytest.raises(GenerationError, match="does not hold its vectors"):
        FaissIndex.load(tmp_path, Recipe("hnsw-sq8", "HNSW16_SQ8", refined=False), 16)


@pytest.mark.parametrize("other", [unit_vectors(299), unit_vectors(300, dimension=8)])
def test_vectors_of_another_index_are_refused(tmp_path: Path, other: np.ndarray) -> None:
    FaissIndex.build(unit_vectors(300), REFINED).save(tmp_path)
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    FaissIndex.build(other, REFINED).save(elsewhere)
    (elsewhere / VECTORS).rename(tmp_path / VECTORS)
    with pytest.raises(GenerationError, match="differ"):
        FaissIndex.load(tmp_path, REFINED, 16)


def test_an_index_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"index\.faiss"):
        FaissIndex.build(unit_vectors(3)).save(tmp_path / "no such folder")


@pytest.mark.parametrize("kind", [*KINDS, "IVF16,Flat", "HNSW8,SQ8"])
def test_what_was_added_is_found_and_saved(tmp_path: Path, kind: str) -> None:
    vectors, more = unit_vectors(1_200), unit_vectors(40, 1)
    index, recipe = build_index(vectors, IndexOptions(kind))
    assert index.save(tmp_path) == recipe.files
    assert {path.name for path in tmp_path.iterdir()} == set(recipe.files)
    grown = FaissIndex.load(tmp_path, recipe, index.effort, mapped=False)
    grown.add(more[:30])
    grown.add(more[30:])
    grown.save(tmp_path)
    again = FaissIndex.load(tmp_path, recipe, index.effort)
    for one in (grown, again):
        assert len(one) == 1_240
        found = [int(one.nearest(vector, 1, NONE)[0][0]) for vector in more]
        assert found == list(range(1_200, 1_240))
        np.testing.assert_allclose(one.vectors(np.arange(1_200, 1_240)), more, atol=1e-3)
    assert len(index) == 1_200


def test_vectors_can_be_added_to_nothing() -> None:
    index = FaissIndex.build(unit_vectors(0))
    index.add(unit_vectors(5))
    assert index.nearest(unit_vectors(5)[3], 1, NONE)[0].tolist() == [3]


def test_a_kind_that_cannot_grow_says_so() -> None:
    index, _ = build_index(unit_vectors(1_200), IndexOptions("NSG8"))
    with pytest.raises(GenerationError, match="index=NSG8 takes no more vectors"):
        index.add(unit_vectors(1))


@pytest.mark.parametrize("kind", KINDS)
def test_the_bytes_of_a_vector_are_those_of_the_file(tmp_path: Path, kind: str) -> None:
    index, _ = build_index(unit_vectors(1_200), IndexOptions(kind))
    index.save(tmp_path)
    assert index.bytes_per_vector == (tmp_path / INDEX).stat().st_size / 1_200
