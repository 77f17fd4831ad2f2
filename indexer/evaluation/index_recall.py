"""Whether the index finds what exact search finds, and how long it takes.

Recall@k is the share of the k true nearest neighbours that the index returns, the measure of
ANN-Benchmarks (M. Aumueller, E. Bernhardsson and A. Faithfull, Information Systems 87, 2020). A
row counts when it is as close as the k-th true neighbour: among equals no order is the right one.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.evaluation.figures import Figure, figure
from indexer.evaluation.subject import Subject
from recommender import evaluation as metrics
from recommender.arrays import FloatArray, Rows
from recommender.engine import Recommender
from recommender.generation import normalised
from recommender.index import VectorIndex
from recommender.index.exact import ExactIndex
from recommender.index.faiss import FaissIndex
from recommender.index.recipes import IndexOptions, plan
from recommender.questions import Options
from recommender.ranking import similarity

DEPTHS = (1, 10, 100)
MAX_QUERIES = 500
EFFORTS = (10, 20, 40, 80, 160)
NEIGHBOURS = 10
LATENCY_DEPTH = 10
REPEATS = 3
# cosines of equal vectors differ this far with the order of summation in float32
_EQUAL = 1e-6
_AT_ONCE = 1_000

PerQuery = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Search:
    """What an index did with some queries.

    Attributes
    ----------
    recall
        By depth k, one value a query: the share of the k nearest that was found.
    milliseconds
        Of each query for the first `LATENCY_DEPTH`, the least of `REPEATS`.
    """

    recall: dict[int, PerQuery]
    milliseconds: PerQuery


def index_figures(subject: Subject, seed: int) -> list[Figure]:
    """The served index against exact search, and the service's answers against exact ones.

    Every query is a track of the catalog, itself left out, as in ``GET /similar``. What is true is
    computed from the vectors of the library, so an index that holds others has no recall.
    """
    vectors = normalised(subject.generation.projection.apply(subject.pooled))
    queries = drawn(len(vectors), MAX_QUERIES, seed)
    truth = kth_cosines(vectors, queries, DEPTHS)
    served = searched(subject.index, vectors, queries, truth)
    exact = searched(ExactIndex(vectors), vectors, queries, truth)
    same = agreement(subject, vectors, queries)
    return [
        *search_figures("served", served),
        *search_figures("exact", exact),
        figure("index", "service", "", f"same answers@{LATENCY_DEPTH}", same),
    ]


def search_figures(name: str, search: Search) -> list[Figure]:
    """Recall by depth, and latency."""
    recalls = [figure("index", name, "", f"recall@{k}", search.recall[k]) for k in search.recall]
    return [*recalls, figure("index", name, "", "latency (ms)", search.milliseconds)]


def kth_cosines(vectors: FloatArray, queries: Rows, depths: Sequence[int]) -> dict[int, PerQuery]:
    """How close the true k-th neighbour of each query is, by depth k.

    Parameters
    ----------
    vectors
        Unit vectors, shape (n, dimension), n at least 2.
    queries
        Rows, shape (n_queries,); none is a neighbour of itself.
    depths
        Depths k; one that exceeds the other tracks becomes their number.
    """
    others = len(vectors) - 1
    reached = sorted({min(k, others) for k in depths})
    cosines = []
    for query in queries.tolist():
        near = np.delete(vectors @ vectors[query], query)
        cosines.append(np.sort(np.partition(near, others - reached[-1])[::-1][: reached[-1]])[::-1])
    return {k: np.array([near[k - 1] for near in cosines], dtype=np.float64) for k in reached}


def searched(
    index: VectorIndex, vectors: FloatArray, queries: Rows, truth: Mapping[int, PerQuery]
) -> Search:
    """Ask an index for the neighbours of some of its own rows, and compare with exact search.

    Parameters
    ----------
    index
        What is measured; its rows are those of `vectors`.
    vectors
        Unit vectors, shape (n, dimension).
    queries
        Rows, shape (n_queries,); each is left out of its own answer.
    truth
        What :func:`kth_cosines` says of them.
    """
    recall: dict[int, list[float]] = {k: [] for k in truth}
    milliseconds = []
    for place, query in enumerate(queries.tolist()):
        own = np.array([query], dtype=np.int64)
        # each depth is asked for itself: an approximate index finds more when asked for more
        for k, kth in truth.items():
            rows, _ = index.nearest(vectors[query], k, own)
            others = np.setdiff1d(rows, own)  # nothing counts twice, nor for its own neighbour
            # the index's own cosines may be of compressed vectors
            close = vectors[others] @ vectors[query] >= kth[place] - _EQUAL
            recall[k].append(min(k, int(close.sum())) / k)
        milliseconds.append(_milliseconds(index, vectors[query], own))
    shares = {k: np.array(values) for k, values in recall.items()}
    return Search(shares, np.array(milliseconds))


def agreement(subject: Subject, vectors: FloatArray, queries: Rows) -> PerQuery:
    """Share of the first answers of the service that are those of exact search, by query."""
    service = Recommender(subject.generation)
    exact = vectors.astype(np.float64)
    shares = []
    for query in queries.tolist():
        answer = service.similar(
            subject.tracks[query].track.id, Options(limit=LATENCY_DEPTH, collapses_duplicates=False)
        )
        others = np.delete(np.arange(len(exact), dtype=np.int64), query)
        best = metrics.ranking(similarity(exact[others] @ exact[query]), depth=LATENCY_DEPTH)
        wanted = [subject.tracks[row].track.id for row in others[best]]
        given = [match.track.id for match in answer.matches]
        shares.append(np.mean([a == b for a, b in zip(given, wanted, strict=True)]))
    return np.array(shares)


def graph_curve(vectors: FloatArray, seed: int) -> dict[int, Search]:
    """What a search along a graph would find, and how quickly, by effort."""
    index = FaissIndex.build(vectors, plan(len(vectors), vectors.shape[1], IndexOptions("hnsw")))
    queries = drawn(len(vectors), MAX_QUERIES, seed)
    truth = kth_cosines(vectors, queries, (LATENCY_DEPTH,))
    return {
        effort: searched(index.at_effort(effort), vectors, queries, truth) for effort in EFFORTS
    }


def enlarged(vectors: FloatArray, n: int, seed: int) -> FloatArray:
    """More unit vectors of the same kind: real ones, moved towards and away from their neighbours.

    Each is drawn from a Gaussian around a real vector whose covariance is that of its
    `NEIGHBOURS` nearest, so the catalog keeps its shape; random vectors are far harder to search.

    Parameters
    ----------
    vectors
        Unit vectors, shape (n_tracks, dimension), n_tracks at least 2.
    n
        How many are wanted.
    """
    random = np.random.default_rng(seed)
    near = min(NEIGHBOURS, len(vectors) - 1)
    # in pieces: the neighbours of all would not fit
    pieces = [
        _moved(vectors, random.integers(len(vectors), size=min(_AT_ONCE, n - first)), near, random)
        for first in range(0, n, _AT_ONCE)
    ]
    return normalised(np.concatenate(pieces))


def _moved(vectors: FloatArray, rows: Rows, near: int, random: np.random.Generator) -> FloatArray:
    cosines = vectors[rows] @ vectors.T
    cosines[np.arange(len(rows)), rows] = -np.inf
    neighbours = np.argpartition(-cosines, near - 1, axis=1)[:, :near]
    steps = random.normal(scale=near**-0.5, size=(len(rows), near)).astype(np.float32)
    directions = vectors[neighbours] - vectors[rows][:, np.newaxis]
    moved: FloatArray = vectors[rows] + np.einsum("rn,rnd->rd", steps, directions)
    return moved


def drawn(n: int, most: int, seed: int) -> Rows:
    """Rows in ascending order: all `n` of them, or a random choice of `most`."""
    rows = np.random.default_rng(seed).permutation(n)[:most]
    return np.sort(rows).astype(np.int64)


def _milliseconds(index: VectorIndex, query: FloatArray, own: Rows) -> float:
    """The least of some repeats: what else the machine does can only add."""
    elapsed = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        index.nearest(query, LATENCY_DEPTH, own)
        elapsed.append(time.perf_counter() - started)
    return 1000.0 * min(elapsed)
