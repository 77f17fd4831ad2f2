"""Looks for the windows of a clip among those of all tracks, and aligns it with these tracks.

Every window of the clip finds its nearest ones; the tracks that these are of, and those that are
near to the clip as a whole, are then compared with the clip window by window.
"""

from collections.abc import Sequence

import numpy as np

from recommender.alignment import Alignment, align
from recommender.arrays import Rows
from recommender.generation import Generation, normalised
from recommender.ranking import Similarities, similarity
from recommender.retrieval import Room
from recommender.segment_index import SegmentIndex
from recommender.segments import PHASES, ClipWindows
from recommender.selection import Selection
from recommender.track import Reasons, Stretch

# windows that each window of a clip finds
NEAREST = 32
# tracks of these that a clip is aligned with
CANDIDATES = 64
SAME_RECORDING = 0.955
"""Similarity from which on a stretch is of the very recording, see docs/recommendation.md."""


class SegmentSearch:
    """One clip among the windows of a generation.

    Parameters
    ----------
    generation
        Has segments.
    segments
        They.
    clip
        Its windows as they were heard.
    """

    def __init__(self, generation: Generation, segments: SegmentIndex, clip: ClipWindows):
        self._generation, self._segments, self._clip = generation, segments, clip
        n_levels, n_windows, dimension = clip.vectors.shape
        flat = clip.vectors.reshape(n_levels * n_windows, dimension)
        units = normalised(segments.projection.apply(flat))
        self._units = units.reshape(n_levels, n_windows, -1)
        self._alignments = dict[int, Alignment | None]()

    def candidates(self, room: Room) -> Rows:
        """Rows of a room with windows that are near those of the clip, the most promising first."""
        segments, allowed = self._segments, self._allowed(room)
        none, best = np.empty(0, np.int64), dict[int, float]()
        for window in range(len(self._clip.places)):
            found = dict[int, float]()
            for query in self._units[:, window]:
                windows, cosines = segments.index.nearest(query, NEAREST, none, allowed)
                for row, cosine in zip(
                    segments.rows[windows].tolist(), cosines.tolist(), strict=True
                ):
                    found[row] = max(cosine, found.get(row, 0.0))
            for row, cosine in found.items():
                best[row] = best.get(row, 0.0) + cosine
        rows = sorted(best, key=lambda row: (-best[row], row))[:CANDIDATES]
        return np.array(rows, np.int64)

    def similarities(self, rows: Rows) -> Similarities:
        """Those of the best stretch of each row, NaN for rows without windows, shape (n,)."""
        alignments = [self._alignment(row) for row in rows.tolist()]
        return similarity(np.array([np.nan if one is None else one.cosine for one in alignments]))

    def explain(self, rows: Sequence[int], reasons: Sequence[Reasons]) -> None:
        """Add to the reasons of matches where the clip is in each; not of those without windows."""
        tracks = self._generation.catalog.tracks(rows)
        for row, why in zip(rows, reasons, strict=True):
            stretch = self.stretch(row, tracks[row].duration_seconds)
            if stretch is not None:
                why["segment"] = stretch

    def stretch(self, row: int, duration_seconds: float) -> Stretch | None:
        """Where the clip is in a row; None for one without windows."""
        alignment = self._alignment(row)
        if alignment is None:
            return None
        part = self._segments.record.step_seconds / PHASES
        start = min(max(0.0, alignment.begins * part), duration_seconds)
        end = min(max(0.0, alignment.begins * part + self._clip.seconds), duration_seconds)
        found = float(similarity(np.array([alignment.cosine]))[0])
        return Stretch(
            start_seconds=round(start, 1),
            end_seconds=round(end, 1),
            similarity=found,
            same_recording=found >= SAME_RECORDING,
        )

    def _alignment(self, row: int) -> Alignment | None:
        if row not in self._alignments:
            windows = self._segments.of(row)
            self._alignments[row] = align(self._clip.places, self._units, *windows)
        return self._alignments[row]

    def _allowed(self, room: Room) -> Selection | None:
        """Windows of the rows of a room, None for all."""
        if room.allowed is None and not len(room.excluded):
            return None
        total = len(self._generation.arrays.ids)
        rows = Selection.every(total) if room.allowed is None else room.allowed
        return Selection(rows.without(room.excluded).mask[self._segments.rows])
