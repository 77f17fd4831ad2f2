"""Indexes to measure beside each other: what they have in common, and ours of each kind.

Graphs are built alike everywhere: `LINKS` neighbours a node (twice as many on the ground floor,
as all of these libraries have it), `CANDIDATES` kept while a node is linked, all cores. One query
runs on one thread. What decides between speed and recall is called effort here, whatever each
library calls it.
"""

import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from benchmarks.output import cores
from recommender.arrays import FloatArray, Rows
from recommender.index.building import build_index
from recommender.index.faiss import FaissIndex
from recommender.index.recipes import IndexOptions
from recommender.selection import Selection

LINKS, CANDIDATES = 16, 100
# graphs cannot keep fewer candidates than they are asked for
LEAST = 10
NO_ROWS = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Allowed:
    """Rows that a filtered search may return.

    Attributes
    ----------
    field
        Which column of numbers the filter is on; each row has one in [0, 1).
    below
        What the number has to be below: about the share of rows that are allowed.
    mask
        Whether each row is allowed, bool, shape (n,).
    """

    field: str
    below: float
    mask: np.ndarray[Any, np.dtype[np.bool_]]

    @cached_property
    def selection(self) -> Selection:
        """The same for our indexes, which are given it as the service gives it: made once."""
        return Selection(self.mask)


@dataclass(frozen=True, eq=False)
class Stock:
    """What is indexed: unit vectors, shape (n, dimension), and numbers to filter by, (n,) each."""

    vectors: FloatArray
    fields: Mapping[str, FloatArray]


class Contestant(ABC):
    """An index that is built once and searched for unit vectors.

    `efforts` are the least and the greatest effort, None when there is nothing to choose;
    `filters` says whether it can be asked for some rows only.
    """

    name: str
    efforts: tuple[int, int] | None = None
    effort = 0
    filters = False

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="benchmark-"))

    @abstractmethod
    def build(self, stock: Stock) -> None:
        """Index everything, on all cores."""

    def use(self, effort: int) -> None:
        """Search with this effort from now on."""
        self.effort = effort

    @abstractmethod
    def search(self, query: FloatArray, k: int) -> Rows:
        """Rows of the k nearest, best first."""

    def search_allowed(self, query: FloatArray, k: int, allowed: Allowed) -> Rows:
        """The same among some rows."""
        raise NotImplementedError

    def batch(self, queries: FloatArray, k: int) -> None:
        """Search for many at once, on all cores: one after another where there is no such call."""
        for query in queries:
            self.search(query, k)

    @abstractmethod
    def n_bytes(self) -> int:
        """Size of all that a search needs, as a file."""

    def close(self) -> None:
        """Remove what was built."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _file(self) -> Path:
        return self._folder / "index"


class Ours(Contestant):
    """One of our kinds, through what the service calls."""

    filters = True

    def __init__(self, kind: str):
        super().__init__()
        self.name, self._kind = f"soundalike {kind}", kind

    def build(self, stock: Stock) -> None:
        """Build as a publication does; a kind that cannot be made gives way as it does there."""
        index, recipe = build_index(stock.vectors, IndexOptions(index=self._kind))
        index.save(self._folder)
        # as it is served: mapped
        self._index = FaissIndex.load(self._folder, recipe, index.effort)
        efforts = self._index.efforts
        self.efforts = (efforts[0], efforts[-1]) if efforts else None
        self.name = f"soundalike {recipe.kind}"
        self._pool = ThreadPoolExecutor(cores())

    def use(self, effort: int) -> None:
        """Share the index, search it otherwise."""
        super().use(effort)
        if self.efforts:
            self._index = self._index.at_effort(effort)

    def search(self, query: FloatArray, k: int) -> Rows:
        """By `nearest`, as the engine does."""
        return self._index.nearest(query, k, NO_ROWS)[0]

    def search_allowed(self, query: FloatArray, k: int, allowed: Allowed) -> Rows:
        """With a selection that is there already: the service keeps those of frequent filters."""
        return self._index.nearest(query, k, NO_ROWS, allowed.selection)[0]

    def batch(self, queries: FloatArray, k: int) -> None:
        """From a pool of threads: the service has single questions, but many at once."""
        list(self._pool.map(lambda query: self.search(query, k), queries))

    def n_bytes(self) -> int:
        """Of its files, those for re-ranking included."""
        return sum(path.stat().st_size for path in self._folder.iterdir())

    def resident(self) -> float:
        """Bytes a vector that every search reads, without what is read for re-ranking only."""
        return self._index.bytes_per_vector

    def close(self) -> None:
        """Remove what was built."""
        self._pool.shutdown()
        super().close()


def one_thread_a_query() -> None:
    """Have FAISS search on one thread."""
    faiss.omp_set_num_threads(1)
