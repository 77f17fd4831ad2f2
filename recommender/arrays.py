"""Names for the arrays that pass between modules, and how they become files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


def write_arrays(folder: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays by the names of their files."""
    for name, array in arrays.items():
        np.save(folder / name, array, allow_pickle=False)
