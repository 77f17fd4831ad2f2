"""What arrays that were kept must look like to be believed: a file may be damaged, or not ours."""

from collections.abc import Sequence

import numpy as np

from indexer.evaluation.measurements import Arrays
from recommender.space import Space

_Layout = dict[str, tuple[type[np.generic], tuple[int, ...]]]


def frames_fit(arrays: Arrays, space: Space) -> bool:
    """Whether these can be what :func:`recommender.analysis.frames_of_file` says in a space."""
    n_windows = _n_vectors(arrays)
    layout = _vectors(n_windows, space.embedder.frame_dimension, space) | {
        "audible": (np.bool_, (n_windows,)),
        "cpu_seconds": (np.float64, (1,)),
        "audio_seconds": (np.float64, (1,)),
    }
    return (
        0 < n_windows <= (space.n_windows or n_windows)
        and _conform(arrays, layout)
        and bool(arrays["cpu_seconds"][0] > 0 and arrays["audio_seconds"][0] > 0)
    )


def excerpts_fit(arrays: Arrays, space: Space, levels: Sequence[float], n_conditions: int) -> bool:
    """Whether these can be what :func:`recommender.excerpts.embed_excerpts` says.

    Parameters
    ----------
    arrays
        What is in question.
    space, levels
        Space and levels that it was asked for.
    n_conditions
        How many conditions it was asked for.
    """
    n_heard = _n_vectors(arrays)
    layout = _vectors(n_heard, space.dimension, space) | {
        "level_dbfs": (np.float64, (n_heard,)),
        "n_windows": (np.int64, (n_heard,)),
        "condition": (np.int64, (n_heard,)),
    }
    if not (n_heard and _conform(arrays, layout) and (arrays["n_windows"] > 0).all()):
        return False
    # each condition as it is and at every level, or not at all
    heard = np.unique(arrays["condition"])
    complete = np.array_equal(arrays["condition"], np.repeat(heard, 1 + len(levels)))
    return complete and bool(heard[0] >= 0 and heard[-1] < n_conditions)


def _vectors(n_rows: int, dimension: int, space: Space) -> _Layout:
    return {
        "vectors": (np.float32, (n_rows, dimension)),
        "tags": (np.float32, (n_rows, len(space.embedder.tag_names))),
    }


def _n_vectors(arrays: Arrays) -> int:
    """How many vectors there are; 0 without any."""
    return len(arrays["vectors"]) if "vectors" in arrays and arrays["vectors"].ndim else 0


def _conform(arrays: Arrays, layout: _Layout) -> bool:
    """Whether these are the arrays of a layout and no others, all of them finite."""
    return arrays.keys() == layout.keys() and all(
        (arrays[name].dtype, arrays[name].shape) == (np.dtype(dtype), shape)
        and bool(np.isfinite(arrays[name]).all())
        for name, (dtype, shape) in layout.items()
    )
