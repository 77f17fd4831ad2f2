"""Libraries that people would pick: hnswlib, usearch, voyager, annoy."""

from collections.abc import Sequence

import numpy as np

from benchmarks.contestants import CANDIDATES, LEAST, LINKS, NO_ROWS, Allowed, Contestant, Stock
from benchmarks.output import cores
from recommender.arrays import FloatArray, Rows

TREES = 50


class Hnswlib(Contestant):
    """hnswlib; its filter is a Python function that is called for every node on the way."""

    name, efforts, filters = "hnswlib", (LEAST, 4096), True

    def build(self, stock: Stock) -> None:
        """Add all at once."""
        import hnswlib

        self._index = hnswlib.Index(space="ip", dim=stock.vectors.shape[1])
        self._index.init_index(
            max_elements=len(stock.vectors), ef_construction=CANDIDATES, M=LINKS, random_seed=1
        )
        self._index.add_items(stock.vectors, num_threads=cores())

    def use(self, effort: int) -> None:
        """Set its ef."""
        super().use(effort)
        self._index.set_ef(effort)

    def search(self, query: FloatArray, k: int) -> Rows:
        """One query, one thread."""
        rows: Rows = self._index.knn_query(query, k, num_threads=1)[0][0].astype(np.int64)
        return rows

    def search_allowed(self, query: FloatArray, k: int, allowed: Allowed) -> Rows:
        """Empty where it finds fewer than k, for it raises an error then."""
        is_allowed = allowed.mask.__getitem__
        try:
            found = self._index.knn_query(query, k, num_threads=1, filter=is_allowed)
        except RuntimeError:
            return NO_ROWS
        rows: Rows = found[0][0].astype(np.int64)
        return rows

    def batch(self, queries: FloatArray, k: int) -> None:
        """Its own call."""
        self._index.knn_query(queries, k, num_threads=cores())

    def n_bytes(self) -> int:
        """Of the file it saves."""
        self._index.save_index(str(self._file()))
        return self._file().stat().st_size


class Usearch(Contestant):
    """usearch, with the type of number that it keeps vectors in; Python cannot filter with it."""

    efforts = (LEAST, 4096)

    def __init__(self, dtype: str):
        super().__init__()
        self.name, self._dtype = f"usearch {dtype}", dtype

    def build(self, stock: Stock) -> None:
        """Add all at once."""
        from usearch.index import Index

        self._index = Index(
            ndim=stock.vectors.shape[1],
            metric="ip",
            dtype=self._dtype,
            connectivity=LINKS,
            expansion_add=CANDIDATES,
        )
        self._index.add(np.arange(len(stock.vectors)), stock.vectors, threads=cores())

    def use(self, effort: int) -> None:
        """Set its expansion."""
        super().use(effort)
        self._index.expansion_search = effort

    def search(self, query: FloatArray, k: int) -> Rows:
        """One query, one thread."""
        rows: Rows = self._index.search(query, k, threads=1).keys.astype(np.int64)
        return rows

    def batch(self, queries: FloatArray, k: int) -> None:
        """Its own call."""
        self._index.search(queries, k, threads=cores())

    def n_bytes(self) -> int:
        """Of the file it saves."""
        return int(self._index.serialized_length)


class Voyager(Contestant):
    """voyager, Spotify's successor to annoy; it does not filter."""

    name, efforts = "voyager", (LEAST, 4096)

    def build(self, stock: Stock) -> None:
        """Add all at once."""
        import voyager

        self._index = voyager.Index(
            voyager.Space.InnerProduct,
            num_dimensions=stock.vectors.shape[1],
            M=LINKS,
            ef_construction=CANDIDATES,
            max_elements=len(stock.vectors),
        )
        self._index.add_items(stock.vectors, num_threads=cores())

    def search(self, query: FloatArray, k: int) -> Rows:
        """One query, one thread."""
        rows: Rows = self._index.query(query, k, query_ef=self.effort)[0].astype(np.int64)
        return rows

    def batch(self, queries: FloatArray, k: int) -> None:
        """Its own call."""
        self._index.query(queries, k, num_threads=cores(), query_ef=self.effort)

    def n_bytes(self) -> int:
        """Of the file it saves."""
        self._index.save(str(self._file()))
        return self._file().stat().st_size


class Annoy(Contestant):
    """annoy: random trees; it has neither batches nor filters."""

    name, efforts = "annoy", (10, 1_000_000)

    def build(self, stock: Stock) -> None:
        """Add one by one, then grow the trees."""
        from annoy import AnnoyIndex

        self._index = AnnoyIndex(stock.vectors.shape[1], "angular")
        self._index.set_seed(1)
        for row, vector in enumerate(stock.vectors):
            self._index.add_item(row, vector)
        self._index.build(TREES, n_jobs=cores())

    def search(self, query: FloatArray, k: int) -> Rows:
        """One query, one thread."""
        return np.array(self._index.get_nns_by_vector(query, k, search_k=self.effort), np.int64)

    def n_bytes(self) -> int:
        """Of the file it saves."""
        self._index.save(str(self._file()))
        return self._file().stat().st_size


def libraries() -> Sequence[Contestant]:
    """Those that run in the process that asks."""
    return (Hnswlib(), Usearch("f32"), Usearch("f16"), Voyager(), Annoy())
