"""The vectors of single windows, of tracks and of clips: where these lie, and how they are kept.

A pooled vector says what a track sounds like as a whole; these say what it sounds like when. They
lie on a grid of their own, about `STEP_SECONDS` apart whatever the embedder, and are kept in a byte
a number. Windows of a clip lie closer together: nobody knows how the two grids lie to each other.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from recommender.arrays import FloatArray
from recommender.embedding import EmbedderSpec, spread

STEP_SECONDS = 3.0
PHASES = 3
"""Windows of a clip for each step of the grid of tracks."""
MOST_RUNS = 8
"""Most steps of a clip in which all phases are heard; those of longer clips are spread evenly."""
_MOST = 127


@dataclass(frozen=True, slots=True)
class Segments:
    """Windows of one track, the silent ones left out.

    Attributes
    ----------
    places
        Place of each window on the grid of :func:`step_samples`, ascending, int32, shape (n,).
    vectors
        float32, shape (n, frame_dimension), as the embedder makes them.
    """

    places: npt.NDArray[np.int32]
    vectors: FloatArray


@dataclass(frozen=True, slots=True)
class ClipWindows:
    """Windows of a clip, the silent ones left out.

    Attributes
    ----------
    places
        Place of each window in parts of 1 / `PHASES` of a step, ascending, shape (n,).
    vectors
        float32, shape (n_levels, n, frame_dimension): as the clip is, and amplified.
    seconds
        Length of the clip.
    """

    places: npt.NDArray[np.int32]
    vectors: FloatArray
    seconds: float


@dataclass(frozen=True, slots=True)
class Codes:
    """Segments as they are kept: a byte a number, and a scale for each window.

    Attributes
    ----------
    places, scales, codes
        Little-endian int32 and float32, and int8, one window after another.
    """

    places: bytes
    scales: bytes
    codes: bytes

    @classmethod
    def of(cls, segments: Segments) -> Self:
        """The codes of segments; cosines are right to about 1e-4."""
        greatest = np.abs(segments.vectors).max(axis=1, initial=0.0)
        scales = (greatest / _MOST).astype("<f4")
        rounded = np.rint(segments.vectors / np.where(scales > 0, scales, 1.0)[:, np.newaxis])
        codes = np.clip(rounded, -_MOST, _MOST).astype(np.int8)
        return cls(segments.places.astype("<i4").tobytes(), scales.tobytes(), codes.tobytes())

    def segments(self) -> Segments:
        """The segments again.

        Raises
        ------
        ValueError
            These are not the codes of any.
        """
        places, scales = np.frombuffer(self.places, "<i4"), np.frombuffer(self.scales, "<f4")
        width = len(self.codes) // max(1, len(scales))
        codes = np.frombuffer(self.codes, np.int8).reshape(len(scales), width)
        if len(places) != len(scales) or not np.isfinite(scales).all():
            raise ValueError(f"places={len(places)} and scales={len(scales)} are of no segments")
        return Segments(places.astype(np.int32), codes.astype(np.float32) * scales[:, np.newaxis])


def step_samples(spec: EmbedderSpec) -> int:
    """Samples from one window of the grid to the next.

    A multiple of the embedder's own distance, or a fraction of it, that is next to `STEP_SECONDS`,
    so that windows which are heard for the pooled vector anyway are on the grid where they can be.
    """
    wanted = STEP_SECONDS * spec.sample_rate
    if spec.hop_samples <= wanted:
        return spec.hop_samples * round(wanted / spec.hop_samples)
    return round(spec.hop_samples / round(spec.hop_samples / wanted))


def grid(n_samples: int, spec: EmbedderSpec) -> list[int]:
    """First samples, context included, of the windows of the grid that lie within a track.

    What is shorter than a window has one.
    """
    last = max(0, n_samples - spec.least_samples)
    return [first - spec.context_samples for first in range(0, last + 1, step_samples(spec))]


def clip_grid(n_samples: int, spec: EmbedderSpec) -> list[tuple[int, int]]:
    """Place, and first sample, context included, of the windows that a clip is heard in.

    Parameters
    ----------
    n_samples
        Of the clip, at the rate of the embedder.
    spec
        Of the embedder.
    """
    step, last = step_samples(spec), max(0, n_samples - spec.least_samples)
    n_runs = 1 + last // step
    places = (run * PHASES + phase for run in spread(n_runs, MOST_RUNS) for phase in range(PHASES))
    firsts = ((place, round(place * step / PHASES)) for place in places)
    return [(place, first - spec.context_samples) for place, first in firsts if first <= last]
