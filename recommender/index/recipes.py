"""Which index is built for how many vectors: kinds, what they take, and the choice among them.

Kinds are made by FAISS, whose factory strings name every other index:
https://github.com/facebookresearch/faiss/wiki/The-index-factory
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from recommender.errors import InvalidParameterError
from recommender.index.factories import LINKS, n_parts, opq, pq, rabitq

INDEX = "index.faiss"
VECTORS = "vectors.faiss"
AUTO = "auto"
# a scan of so much takes 0.6 ms of one core from memory, which no caller notices
QUICK_SCAN_BYTES = 16 * 2**20
_FLOAT, _HALF = 4, 2
# both ways on the ground level, upper levels, and an offset and a level for each vector
_GRAPH_BYTES = 2 * 4 * LINKS + 4 * LINKS / (LINKS - 1) + 12
_ROW_NUMBER_BYTES = 8
_RABITQ_FACTORS_BYTES = 8


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """What a user may say of the index.

    Attributes
    ----------
    index
        "auto", one of `KINDS`, or a factory string of FAISS.
    memory_budget
        Bytes that one worker may keep in memory; looked at when `index` is "auto".
    target_recall
        Share of the ten nearest that searches have to find, in (0, 1].
    segments
        Whether single windows are kept and searched as well.

    Raises
    ------
    InvalidParameterError
        A value is out of its range.
    """

    index: str = AUTO
    memory_budget: int = 2**30
    target_recall: float = 0.98
    segments: bool = False

    def __post_init__(self) -> None:
        if not self.index:
            raise InvalidParameterError(f"index='' must be {AUTO}, a kind or a factory string")
        if self.memory_budget < 1:
            raise InvalidParameterError(f"memory_budget={self.memory_budget} must be positive")
        if not 0 < self.target_recall <= 1:
            raise InvalidParameterError(f"target_recall={self.target_recall} must be in (0, 1]")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an index is made.

    Attributes
    ----------
    kind
        One of `KINDS`, or the factory string that was asked for.
    factory
        What FAISS makes.
    refined
        Whether that is only what finds candidates, which are ranked by float16 vectors in a file
        of their own.
    warnings
        Why it is not what was asked for, or more than there is room for; for people.
    """

    kind: str
    factory: str
    refined: bool
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """The recipe in the JSON of a manifest."""
        return cls(**{**content, "warnings": tuple(content["warnings"])})

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files of the index."""
        return (INDEX, VECTORS) if self.refined else (INDEX,)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of index.

    Attributes
    ----------
    purpose
        What it is for, in one line.
    factory
        Factory string by number of vectors and dimension.
    bytes_per_vector
        That stay in memory, by dimension; vectors in a file of their own do not.
    refined
        See :class:`Recipe`.
    least_rows
        Fewer cannot train it.
    instead
        The nearest kind that fewer rows can train.
    """

    purpose: str
    factory: Callable[[int, int], str]
    bytes_per_vector: Callable[[int], float]
    refined: bool = False
    least_rows: int = 0
    instead: str = ""


KINDS: Mapping[str, Kind] = {
    "flat": Kind(
        "exact search; small catalogs",
        lambda _n, _d: "Flat",
        lambda d: _FLOAT * d,
    ),
    "flat-fp16": Kind(
        "exact search of half the bytes; cosines are right to 1e-4",
        lambda _n, _d: "SQfp16",
        lambda d: _HALF * d,
    ),
    "flat-sq8": Kind(
        "a scan of a quarter of the bytes, candidates ranked from disk",
        lambda _n, _d: "SQ8",
        lambda d: d,
        refined=True,
        least_rows=256,
        instead="flat-fp16",
    ),
    "hnsw": Kind(
        "a graph: the fastest, and the most memory",
        lambda _n, _d: f"HNSW{LINKS}",
        lambda d: _FLOAT * d + _GRAPH_BYTES,
    ),
    "hnsw-fp16": Kind(
        "a graph over half the bytes: as fast",
        lambda _n, _d: f"HNSW{LINKS}_SQfp16",
        lambda d: _HALF * d + _GRAPH_BYTES,
    ),
    "hnsw-sq8": Kind(
        "a graph over a quarter of the bytes, candidates ranked from disk",
        lambda _n, _d: f"HNSW{LINKS}_SQ8",
        lambda d: d + _GRAPH_BYTES,
        refined=True,
        least_rows=256,
        instead="hnsw-fp16",
    ),
    "ivf-pq": Kind(
        "lists of 4-bit codes, candidates ranked from disk; builds slowly, searches fast",
        pq,
        lambda d: n_parts(d) / 2 + _ROW_NUMBER_BYTES,
        refined=True,
        least_rows=1_000,
        instead="flat-sq8",
    ),
    "ivf-opq": Kind(
        "ivf-pq after a rotation learned from the catalog: finds more, builds slower",
        opq,
        lambda d: n_parts(d) / 2 + _ROW_NUMBER_BYTES,
        refined=True,
        least_rows=1_000,
        instead="flat-sq8",
    ),
    "ivf-rabitq": Kind(
        "lists of one bit a dimension, candidates ranked from disk; the least memory",
        rabitq,
        lambda d: d / 8 + _RABITQ_FACTORS_BYTES + _ROW_NUMBER_BYTES,
        refined=True,
        least_rows=1_000,
        instead="flat-sq8",
    ),
}
_LADDER = ("hnsw", "hnsw-fp16", "hnsw-sq8", "ivf-rabitq")


def plan(n_vectors: int, dimension: int, options: IndexOptions, beside: int = 0) -> Recipe:
    """Choose the index for a catalog.

    Parameters
    ----------
    n_vectors, dimension
        Of the catalog.
    options
        What was asked for; a text that is no kind is taken for a factory string, unchecked.
    beside
        Bytes that one worker keeps in memory beside the index.
    """
    if options.index == AUTO:
        return _automatic(n_vectors, dimension, options.memory_budget, beside)
    if options.index in KINDS:
        return _trainable(options.index, n_vectors, dimension)
    if n_vectors == 0:
        return flat(f"index={options.index} needs vectors to train; it is flat until there are")
    return Recipe(options.index, options.index, refined=True)


def index_bytes(kind: str, n_vectors: int, dimension: int) -> int:
    """Bytes of an index that one worker is estimated to keep in memory."""
    return round(n_vectors * KINDS[kind].bytes_per_vector(dimension))


def flat(*warnings: str) -> Recipe:
    """The recipe that always works."""
    return Recipe("flat", "Flat", refined=False, warnings=warnings)


def _automatic(n_vectors: int, dimension: int, budget: int, beside: int) -> Recipe:
    if _FLOAT * n_vectors * dimension <= QUICK_SCAN_BYTES:
        return flat()
    for kind in _LADDER:
        if beside + index_bytes(kind, n_vectors, dimension) <= budget:
            return _trainable(kind, n_vectors, dimension)
    smallest = _LADDER[-1]
    least = beside + index_bytes(smallest, n_vectors, dimension)
    warning = (
        f"memory_budget={budget} is less than the {least} bytes that a worker takes with {smallest}"
    )
    return _trainable(smallest, n_vectors, dimension, warning)


def _trainable(asked: str, n_vectors: int, dimension: int, *warnings: str) -> Recipe:
    name = asked
    while n_vectors < KINDS[name].least_rows:
        name = KINDS[name].instead
    if name != asked:
        least = KINDS[asked].least_rows
        warnings += (f"index={asked} needs {least} vectors, there are {n_vectors}; it is {name}",)
    kind = KINDS[name]
    return Recipe(name, kind.factory(n_vectors, dimension), kind.refined, warnings)
