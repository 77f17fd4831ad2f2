"""The engines of vector search: all keep the contract; FAISS's files are read with care."""

from pathlib import Path

import faiss
import numpy as np
import pytest

from recommender.arrays import FloatArray
from recommender.errors import GenerationError, StorageError
from recommender.index import VectorIndex
from recommender.index.exact import ExactIndex
from recommender.index.faiss import FaissIndex
from tests.contracts_index import NONE, VectorIndexContract, unit_vectors


class TestExactIndex(VectorIndexContract):
    def build(self, vectors: FloatArray) -> VectorIndex:
        return ExactIndex(vectors)

    def test_equal_cosines_come_in_the_order_of_rows(self) -> None:
        vectors = np.repeat(unit_vectors(1), 9, axis=0)
        assert ExactIndex(vectors).nearest(vectors[0], 9, NONE)[0].tolist() == list(range(9))


class TestFaissIndex(VectorIndexContract):
    def build(self, vectors: FloatArray) -> VectorIndex:
        return FaissIndex.build(vectors)


class TestFaissIndexFromFile(VectorIndexContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "index.faiss"

    def build(self, vectors: FloatArray) -> VectorIndex:
        FaissIndex.build(vectors).save(self.path)
        return FaissIndex.load(self.path)


def test_the_file_of_an_index_depends_on_its_vectors_alone(tmp_path: Path) -> None:
    for name in ("one", "two"):
        FaissIndex.build(unit_vectors(100)).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("content", [b"", b"IxFI", b"not an index at all" * 100])
def test_what_is_not_an_index_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "index.faiss"
    path.write_bytes(content)
    with pytest.raises(GenerationError, match=r"index=index\.faiss cannot be read"):
        FaissIndex.load(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match=r"index=index\.faiss"):
        FaissIndex.load(tmp_path / "index.faiss")


@pytest.mark.parametrize("index", [faiss.IndexFlatL2(4), faiss.IndexHNSWFlat(4, 8)])
def test_an_index_of_another_kind_is_refused(tmp_path: Path, index: faiss.Index) -> None:
    path = tmp_path / "index.faiss"
    faiss.write_index(index, str(path))
    with pytest.raises(GenerationError, match="not a flat inner-product index"):
        FaissIndex.load(path)


def test_an_index_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"index\.faiss"):
        FaissIndex.build(unit_vectors(3)).save(tmp_path / "no such folder" / "index.faiss")
