"""Every kind of index keeps the contract, whatever it becomes in a small catalog."""

from pathlib import Path

import numpy as np
import pytest

from recommender.arrays import FloatArray
from recommender.index import VectorIndex
from recommender.index.building import build_index
from recommender.index.exact import ExactIndex
from recommender.index.faiss import FaissIndex
from recommender.index.grown import grown
from recommender.index.recipes import KINDS, IndexOptions
from tests.contracts_index import NONE, VectorIndexContract, unit_vectors

CUSTOM = ("IVF4,Flat", "NSG8", "PCA8,HNSW8")


class TestExactIndex(VectorIndexContract):
    def build(self, vectors: FloatArray) -> VectorIndex:
        return ExactIndex(vectors)

    def test_equal_cosines_come_in_the_order_of_rows(self) -> None:
        vectors = np.repeat(unit_vectors(1), 9, axis=0)
        assert ExactIndex(vectors).nearest(vectors[0], 9, NONE)[0].tolist() == list(range(9))


class KindContract(VectorIndexContract):
    @pytest.fixture(autouse=True)
    def _kind(self, kind: str) -> None:
        self.kind = kind

    def build(self, vectors: FloatArray) -> VectorIndex:
        return build_index(vectors, IndexOptions(self.kind))[0]


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
class TestKindsOfFloats(KindContract):
    pass


@pytest.mark.parametrize("kind", sorted({*KINDS, *CUSTOM} - {"flat", "hnsw"}))
class TestKindsOfHalves(KindContract):
    tolerance = 1e-3


@pytest.mark.parametrize(
    ("kind", "mapped"), [("flat", True), ("hnsw-fp16", False), ("hnsw-sq8", True)]
)
class TestKindsFromFiles(VectorIndexContract):
    tolerance = 1e-3

    @pytest.fixture(autouse=True)
    def _files(self, kind: str, mapped: bool, tmp_path: Path) -> None:
        self.kind, self.mapped, self.folder = kind, mapped, tmp_path

    def build(self, vectors: FloatArray) -> VectorIndex:
        index, recipe = build_index(vectors, IndexOptions(self.kind))
        index.save(self.folder)
        return FaissIndex.load(self.folder, recipe, index.effort, mapped=self.mapped)


class GrownContract(KindContract):
    """A third of the rows lie beside."""

    def build(self, vectors: FloatArray) -> VectorIndex:
        first = len(vectors) - -(-len(vectors) // 3)
        base, _ = build_index(vectors[:first], IndexOptions(self.kind))
        return grown(base, vectors[first:])


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
class TestGrownKindsOfFloats(GrownContract):
    pass


@pytest.mark.parametrize("kind", ["hnsw-sq8", "ivf-pq", "ivf-rabitq", "IVF4,Flat"])
class TestGrownKindsOfHalves(GrownContract):
    tolerance = 1e-3
