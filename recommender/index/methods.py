"""How each type of index of FAISS is searched, and what that takes."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

from recommender.index.binding import faiss
from recommender.selection import Selection

FEW_ANSWERS = 32
CANDIDATES_EACH = 3


class Method(Protocol):
    """How an index of FAISS is asked."""

    @property
    def efforts(self) -> tuple[int, ...]:
        """Efforts worth trying, ascending; () when there is nothing to choose."""
        ...

    @property
    def selects(self) -> bool:
        """Whether it can be told which rows may come back."""
        ...

    def least(self, effort: int, wanted: int) -> float:
        """How many rows must be allowed for a search to be quicker than a scan of those."""
        ...

    def deepened(self, effort: int, wanted: int) -> int:
        """The effort for many answers; what is measured as one is for ten."""
        ...

    def parameters(self, effort: int, allowed: Selection | None) -> Any:
        """Search parameters of FAISS; `allowed` is None where :attr:`selects` is False."""
        ...


@dataclass(frozen=True, slots=True)
class GraphMethod:
    """A graph: effort is the number of candidates that a search keeps, FAISS's ``efSearch``."""

    n_rows: int
    selects = True
    efforts = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)

    def least(self, effort: int, wanted: int) -> float:
        """See :class:`Method`; measured, at 0.1 and 1 million rows of 200 values.

        A scan of m rows takes time in proportion to m. Where m of n are allowed, a search meets as
        many allowed ones only when it tries n / m times as hard, and takes so much longer. Without
        a filter it takes as long as a scan of 40 rows for each candidate.
        """
        return math.sqrt(40 * max(effort, wanted) * self.n_rows)

    def deepened(self, effort: int, wanted: int) -> int:
        """See :class:`Method`; a graph that keeps as many candidates as answers finds 5 of 6."""
        return max(effort, CANDIDATES_EACH * wanted) if wanted > FEW_ANSWERS else effort

    def parameters(self, effort: int, allowed: Selection | None) -> Any:
        """See :class:`Method`."""
        made = faiss.SearchParametersHNSW(efSearch=effort)
        return _selecting(made, allowed)


class _AsDeep:
    """What finds many answers with the effort that it takes for ten."""

    __slots__ = ()

    def deepened(self, effort: int, wanted: int) -> int:  # noqa: ARG002
        """See :class:`Method`."""
        return effort


@dataclass(frozen=True, slots=True)
class ListMethod(_AsDeep):
    """An inverted file: effort is the number of lists that are searched, FAISS's ``nprobe``."""

    n_lists: int
    n_rows: int
    selects = True

    @property
    def efforts(self) -> tuple[int, ...]:
        """See :class:`Method`."""
        powers = (1 << power for power in range(self.n_lists.bit_length()))
        steps = (step for power in powers for step in (power, power + power // 2))
        return tuple(sorted({step for step in steps if step <= self.n_lists}))

    def least(self, effort: int, wanted: int) -> float:
        """See :class:`Method`; measured, at 0.1 and 1 million rows of 200 values.

        Rows that are not allowed cost little, so that trying n / m times as hard does not take much
        longer: all of them as much as a scan of one in 120.
        """
        codes = min(effort, self.n_lists) * self.n_rows / self.n_lists
        always = 3_000 + 10 * wanted + self.n_rows / 120
        # no more codes are compared than are allowed
        return min(always + 0.15 * codes, always / (1 - 0.15))

    def parameters(self, effort: int, allowed: Selection | None) -> Any:
        """See :class:`Method`."""
        nprobe = min(effort, self.n_lists)
        made = faiss.SearchParametersIVF(nprobe=nprobe)
        return _selecting(made, allowed)


@dataclass(frozen=True, slots=True)
class ScanMethod(_AsDeep):
    """Every row is looked at."""

    n_rows: int
    selects = True
    efforts = ()

    def least(self, effort: int, wanted: int) -> float:  # noqa: ARG002
        """See :class:`Method`."""
        return 0.7 * self.n_rows

    def parameters(self, effort: int, allowed: Selection | None) -> Any:  # noqa: ARG002
        """See :class:`Method`."""
        return _selecting(faiss.SearchParameters(), allowed)


@dataclass(frozen=True, slots=True)
class OtherMethod(_AsDeep):
    """What cannot be told anything: rows that may not come back are dropped afterwards."""

    n_rows: int
    selects = False
    efforts = ()

    def least(self, effort: int, wanted: int) -> float:  # noqa: ARG002
        """See :class:`Method`."""
        return math.sqrt((0.1 * self.n_rows + wanted) * self.n_rows)

    def parameters(self, effort: int, allowed: Selection | None) -> None:  # noqa: ARG002
        """See :class:`Method`."""
        return


def _selecting(parameters: Any, allowed: Selection | None) -> Any:
    if allowed is not None:
        parameters.sel = selector = faiss.IDSelectorBitmap(allowed.bits)
        # FAISS keeps a bare pointer
        parameters.kept_alive = selector
    return parameters


def innermost(index: Any) -> Any:
    """The index behind rotations, or `index` itself."""
    while isinstance(index, faiss.IndexPreTransform):
        index = faiss.downcast_index(index.index)
    return index


def method_of(index: Any) -> Method:
    """How `index` is asked."""
    inner = innermost(index)
    if isinstance(inner, faiss.IndexHNSW):
        return GraphMethod(index.ntotal)
    if isinstance(inner, faiss.IndexIVF):
        return ListMethod(inner.nlist, index.ntotal)
    if isinstance(inner, faiss.IndexFlat | faiss.IndexScalarQuantizer):
        return ScanMethod(index.ntotal)
    return OtherMethod(index.ntotal)
