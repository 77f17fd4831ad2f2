"""Search by FAISS, by inner product over unit vectors.

Some kinds hold their vectors, in float32 or float16. The others hold codes that find candidates,
which are then ranked by float16 vectors in a file of their own, so that the cosines that come back
are always those of the vectors.

A question with filters is answered in the quicker of two ways: a scan of the allowed rows, or the
approximate search, which has to try harder the fewer of the rows that it meets are allowed. See
`recommender.index.methods` for what was measured of that.
"""

from copy import copy
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from recommender.arrays import FloatArray, Rows
from recommender.errors import GenerationError
from recommender.index import check_allowed, checked_query, native
from recommender.index.binding import faiss
from recommender.index.methods import innermost, method_of
from recommender.index.recipes import INDEX, VECTORS, Recipe, flat
from recommender.index.storage import Found, Storage, kept
from recommender.selection import Selection

# more excluded rows than this are left out by a selection rather than dropped from an answer
DROPPED = 1_000
# a scan of so few is quicker than to prepare anything else
FEW = 1_000
# rows near a query that tell how many of those there are allowed
NEAR = 64
# among more, exact search of all rows for all would take minutes
MOST_COMPARED = 50_000
# candidates for each answer, of which float16 vectors choose: among 160, 4-bit codes have 83 of a
# hundred nearest ones of a million tracks, among 1,280 they have 98
CANDIDATES = {"IndexHNSWSQ": 3, "IndexScalarQuantizer": 3, "IndexIVFPQFastScan": 128}
OTHER_CANDIDATES = 16


class FaissIndex:
    """An index of FAISS; safe to search from many threads while nothing is added.

    Parameters
    ----------
    index
        Answers with rows; trained.
    recipe
        How it was made.
    storage
        The vectors of the same rows.
    effort
        How hard searches try: `efSearch` of a graph, `nprobe` of lists; 0 when there is no choice.
    """

    def __init__(self, index: Any, recipe: Recipe, storage: Storage, effort: int):
        self.recipe = recipe
        self._index, self._storage, self._effort = index, storage, effort
        self.exact = not recipe.refined and storage.index is index
        self._assemble()

    def _assemble(self) -> None:
        self._size, self._dimension = int(self._index.ntotal), int(self._index.d)
        self._method = method_of(self._index)
        self._searched, self._factor = self._index, 1
        if self.recipe.refined:
            kind = type(innermost(self._index)).__name__
            self._factor = CANDIDATES.get(kind, OTHER_CANDIDATES)
            self._searched = faiss.IndexRefine(self._index, self._storage.index)
        self._parameters = self._made_parameters(self._effort, None)

    @classmethod
    def build(cls, vectors: FloatArray, recipe: Recipe | None = None) -> "FaissIndex":
        """Index unit vectors of shape (n, dimension), on all cores; flat without a recipe.

        Raises
        ------
        InvalidParameterError
            FAISS cannot make the recipe of these vectors.
        """
        recipe = recipe or flat()
        index = native.build(recipe.factory, vectors)
        if recipe.refined:
            halves = native.halves(vectors.shape[1])
            native.add(halves, vectors)
            storage = Storage(halves)
        else:
            storage = _own_storage(index, recipe)
        return cls(index, recipe, storage, _middle(method_of(index).efforts))

    @classmethod
    def load(
        cls, folder: Path, recipe: Recipe, effort: int, *, mapped: bool = True
    ) -> "FaissIndex":
        """Read what :meth:`save` wrote; the caller has verified digests already.

        Parameters
        ----------
        folder
            Where the files are.
        recipe
            What they were made by.
        effort
            See :class:`FaissIndex`.
        mapped
            Leave vectors in the file until they are looked at, and share them with other
            processes; False when vectors will be added.

        Raises
        ------
        GenerationError
            FAISS cannot read the files, or they are not what the recipe says.
        """
        index = native.read(folder / INDEX, mapped=mapped)
        if not native.same_kind(index, recipe.factory):
            raise GenerationError(f"index={INDEX} is not what {recipe.factory} makes; run reindex")
        if recipe.refined:
            storage = Storage.inside(native.read(folder / VECTORS, mapped=mapped))
            if storage is None or (len(storage), storage.index.d) != (index.ntotal, index.d):
                raise GenerationError(f"index={INDEX} and {VECTORS} differ; run reindex")
        else:
            storage = _own_storage(index, recipe)
        return cls(index, recipe, storage, effort)

    def save(self, folder: Path) -> tuple[str, ...]:
        """Write the files into `folder` and return their names; the caller makes them durable.

        Raises
        ------
        StorageError
            The disk is full or not writable.
        """
        native.write(self._index, folder / INDEX)
        if self.recipe.refined:
            native.write(self._storage.index, folder / VECTORS)
        return self.recipe.files

    def add(self, vectors: FloatArray) -> None:
        """Add unit vectors of shape (n, dimension) as the next rows; nobody may search meanwhile.

        Raises
        ------
        GenerationError
            This kind of index takes no more; it has to be built anew.
        """
        try:
            native.add(self._index, vectors)
        except RuntimeError as error:
            raise GenerationError(f"index={self.recipe.kind} takes no more vectors") from error
        if self.recipe.refined:
            native.add(self._storage.index, vectors)
        self._storage = self._storage.refreshed()
        self._assemble()

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    def __len__(self) -> int:
        """Number of vectors."""
        return self._size

    @property
    def effort(self) -> int:
        """How hard searches try."""
        return self._effort

    @property
    def efforts(self) -> tuple[int, ...]:
        """Efforts worth trying, ascending; () when there is nothing to choose."""
        return self._method.efforts

    @property
    def bytes_per_vector(self) -> float:
        """Bytes of the index by vector, those of vectors in a file of their own left out."""
        return native.size(self._index) / max(1, self._size)

    def at_effort(self, effort: int) -> "FaissIndex":
        """The same index, shared, searched with another effort."""
        other = copy(self)
        other._effort = effort
        other._parameters = other._made_parameters(effort, None)
        return other

    def nearest(
        self, query: FloatArray, k: int, excluded: Rows, allowed: Selection | None = None
    ) -> Found:
        """See :meth:`recommender.index.VectorIndex.nearest`."""
        asked = checked_query(query, self._dimension, k)[np.newaxis]
        if allowed is not None:
            check_allowed(allowed, self._size)
        if len(excluded) > DROPPED:
            every = Selection.every(self._size) if allowed is None else allowed
            allowed, excluded = every.without(excluded), excluded[:0]
        n_allowed = self._size if allowed is None else len(allowed)
        wanted = min(k + len(excluded), n_allowed)
        if n_allowed > FEW and not self.exact and self._pays(self._effort, n_allowed, wanted):
            effort = self._effort_near(asked, allowed)
            if effort == self._effort or self._pays(effort, n_allowed, wanted):
                found = kept(self._approximate(asked, wanted, effort, allowed), k, excluded)
                if len(found[0]) == k:
                    return found
        return kept(self._storage.nearest(asked, wanted, allowed), k, excluded)

    def vectors(self, rows: Rows) -> FloatArray:
        """See :meth:`recommender.index.VectorIndex.vectors`."""
        return self._storage.vectors(rows)

    def as_kept(self, vectors: FloatArray) -> FloatArray:
        """Vectors as they will come back once they are added."""
        return self._storage.as_kept(vectors)

    @property
    def lists_neighbours(self) -> bool:
        """Whether :meth:`neighbours` can be asked for all rows in reasonable time."""
        return self._size <= MOST_COMPARED or not self.exact

    def neighbours(self, rows: Rows, k: int) -> Rows:
        """The `k` rows nearest to each of some rows, all found at once, on all cores.

        Parameters
        ----------
        rows
            Shape (n,).
        k
            At least 1.

        Returns
        -------
        Rows
            Shape (n, min(k, number of other rows)), in no particular order, none its own
            neighbour; -1 at the end where fewer were found.
        """
        queries, wanted = self.vectors(rows), min(k + 1, self._size)
        with native.threads(native.cores(self._size)):
            if self._size <= MOST_COMPARED:
                found = self._storage.nearest_of_all(queries, wanted)
            else:
                effort = self._method.deepened(self._effort, wanted)
                parameters = self._made_parameters(effort, None)
                _, found = self._searched.search(queries, wanted, params=parameters)
        return _others(found, rows)

    def _effort_near(self, query: FloatArray, allowed: Selection | None) -> int:
        """The effort that it takes where fewer rows near the query are allowed than elsewhere.

        A genre lies together. Whoever asks from outside has to go far, and the share of all rows
        that are of it does not tell how far.
        """
        if allowed is None or not self._method.selects:
            return self._effort
        _, rows = self._searched.search(query, min(NEAR, self._size), params=self._parameters)
        near = rows[0][rows[0] >= 0]
        n_allowed = max(1, int(np.count_nonzero(allowed.holds(near))))
        sparser = len(near) / n_allowed * len(allowed) / self._size
        return ceil(self._effort * max(1.0, sparser))

    def _pays(self, effort: int, n_allowed: int, wanted: int) -> bool:
        """Whether the approximate search is quicker than a scan of what is allowed."""
        if not self._method.selects:
            wanted = self._with_others(n_allowed, wanted)
        # some graphs never end when they are asked for nearly all
        if 4 * wanted * self._factor > self._size:
            return False
        return n_allowed > self._method.least(self._method.deepened(effort, wanted), wanted)

    def _with_others(self, n_allowed: int, wanted: int) -> int:
        """How many to ask for, so that enough of them will be allowed."""
        return wanted if n_allowed == self._size else ceil(2 * wanted * self._size / n_allowed)

    def _approximate(
        self, query: FloatArray, wanted: int, effort: int, allowed: Selection | None
    ) -> Found:
        deepened = self._method.deepened(effort, wanted)
        if allowed is None:
            usual = deepened == self._effort
            parameters = self._parameters if usual else self._made_parameters(deepened, None)
            cosines, rows = self._searched.search(query, wanted, params=parameters)
            return rows[0], cosines[0]
        if self._method.selects:
            rarity = self._size / len(allowed)
            parameters = self._made_parameters(ceil(deepened * rarity), allowed)
            cosines, rows = self._searched.search(query, wanted, params=parameters)
            return rows[0], cosines[0]
        more = self._with_others(len(allowed), wanted)
        cosines, rows = self._searched.search(query, more, params=self._parameters)
        keep = (rows[0] >= 0) & allowed.holds(rows[0])
        return rows[0][keep], cosines[0][keep]

    def _made_parameters(self, effort: int, allowed: Selection | None) -> Any:
        parameters = self._method.parameters(effort, allowed)
        if not self.recipe.refined:
            return parameters
        refining = faiss.IndexRefineSearchParameters(
            k_factor=self._factor, base_index_params=parameters
        )
        refining.kept_alive = parameters
        return refining


def _own_storage(index: Any, recipe: Recipe) -> Storage:
    storage = Storage.inside(index)
    if storage is None:
        raise GenerationError(f"index={recipe.kind} does not hold its vectors; run reindex")
    return storage


def _others(found: Rows, rows: Rows) -> Rows:
    """What was found for each row, but for itself; or without the last, if it was not found."""
    own = found == rows[:, np.newaxis]
    own[~own.any(axis=1), -1] = True
    others: Rows = found[~own].reshape(len(found), -1)
    return others


def _middle(efforts: tuple[int, ...]) -> int:
    return efforts[len(efforts) // 2] if efforts else 0
