"""When a generation is better built as a whole than updated.

An update must not go too far from what the index was built of, and its searches and lists must
find what they found before.
"""

from dataclasses import dataclass, replace

from recommender.generation import Generation
from recommender.index import VectorIndex
from recommender.index.faiss import FaissIndex
from recommender.index.grown import GrownIndex, is_same_base
from recommender.index.measurement import Measurement
from recommender.index.recipes import plan
from recommender.index.truth import Truth
from recommender.index.tuning import measure
from recommender.manifest import IndexRecord, Manifest
from recommender.memory import bytes_beside, bytes_of_segments
from recommender.neighbours import Neighbours, listed_recall
from recommender.selection import Selection

MORE_EFFORTS = 3
# recall of so few questions may be lower by this without anything being wrong
BY_CHANCE = 0.01
QUERIES = 100


class WholeBetterError(Exception):
    """Why an index is better built as a whole."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a generation is updated before its index is built as a whole again.

    Attributes
    ----------
    least_rows
        Below, all is built anew at once: it takes a second, and the projection fits exactly.
    most_dead
        Share of rows whose tracks left.
    most_growth
        Rows that were added since the index was built, for each row that it was built from.
    most_drift
        Distance that the mean of the unit vectors moved since the projection was fitted.
    most_beside
        Rows beside the index. Every search compares all of them: so many of 200 values take as long
        as a search of a graph of a million, and fewer next to nothing.
    """

    least_rows: int = 2_000
    most_dead: float = 0.1
    most_growth: float = 1.0
    most_drift: float = 0.05
    most_beside: int = 2_000

    def check(self, manifest: Manifest, n_tracks: int, n_rows: int, drift: float) -> None:
        """Check how far an update goes.

        Parameters
        ----------
        manifest
            Of the generation before.
        n_tracks, n_rows
            From now on.
        drift
            See `most_drift`.

        Raises
        ------
        WholeBetterError
            Too far.
        """
        record = manifest.index
        dead, growth = 1 - n_tracks / n_rows, n_rows / max(record.n_built, 1) - 1
        beside = bytes_beside(n_tracks, len(manifest.space["embedder"]["tag_names"]))
        beside += bytes_of_segments(record.segments, n_rows)
        wanted = plan(n_tracks, manifest.dimension, record.options, beside).kind
        reasons = {
            f"{dead:.1%} of its rows are dead": dead > self.most_dead,
            f"it grew by {growth:.0%}": growth > self.most_growth,
            f"the catalog drifted by {drift:.3f}": drift > self.most_drift,
            f"its kind is {wanted} from now on": wanted != record.recipe.kind,
        }
        for reason, holds in reasons.items():
            if holds:
                raise WholeBetterError(reason)


def measured(
    before: Generation,
    index: FaissIndex | GrownIndex,
    lists: Neighbours,
    live: Selection | None,
    n_removed: int,
) -> Measurement:
    """What an update finds, searched with more effort if need be.

    Parameters
    ----------
    before
        What is updated.
    index, lists
        Of the update.
    live
        Rows of tracks that are still there; None when all are.
    n_removed
        Rows that died.

    Raises
    ------
    WholeBetterError
        Too little.
    """
    record = before.manifest.index
    truth = Truth.within(index, live, QUERIES)
    if truth is None:
        return record.measurement
    listed = _listed(lists, index, live, truth, record)
    found = record.measurement
    # an index that differs only in what lies beside it misses no row that it found before: those
    # beside are all compared, and none of the rest takes the place of a closer one
    if n_removed or not is_same_base(index, before.index):
        found = _searched(index, live, truth, record)
    return replace(found, listed_recall_at_10=listed)


def _searched(
    index: FaissIndex | GrownIndex,
    live: Selection | None,
    truth: Truth,
    record: IndexRecord,
) -> Measurement:
    """What searches find now, with more effort if need be.

    What was published below its target already is held to what it was.
    """
    before = record.measurement
    if index.exact:
        return before
    target = min(record.options.target_recall, before.recall_at_10)
    efforts = [effort for effort in index.efforts if effort > index.effort][:MORE_EFFORTS]
    for effort in [index.effort, *efforts]:
        found = measure(index.at_effort(effort), live, truth)
        if found.recall_at_10 >= target:
            # the curve is of when the index was built
            return replace(found, curve=before.curve)
    raise WholeBetterError(f"recall@10={found.recall_at_10:.4f} is below {target}")


def _listed(
    lists: Neighbours, index: VectorIndex, live: Selection | None, truth: Truth, record: IndexRecord
) -> float | None:
    """Recall of the lists, held to what it was as that of searches is."""
    before, options = record.measurement.listed_recall_at_10, record.options
    found = listed_recall(lists, truth, index.vectors, live)
    if found is None or before is None:
        return found
    if found < min(options.target_recall, before) - BY_CHANCE:
        raise WholeBetterError(f"recall@10={found:.4f} of the lists is too low")
    return found
