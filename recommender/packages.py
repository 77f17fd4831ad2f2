"""Packages that only some embedders and converters need: whether they are there, what brings them.

torch and its like weigh gigabytes, so the package is installed without them.
"""

import importlib.util
from collections.abc import Iterable

from recommender.errors import MissingPackageError

# by the name that is imported, the extra in pyproject.toml that brings it
EXTRAS = {"torch": "torch", "transformers": "wav2vec2", "h5py": "h5"}
# extras that bring what another one brings as well
INCLUDED = {"wav2vec2": "torch"}


def require(what: str, packages: Iterable[str]) -> None:
    """Make sure that packages can be imported; imports none of them.

    Parameters
    ----------
    what
        Who needs them, as ``name=value``.
    packages
        The names that are imported.

    Raises
    ------
    MissingPackageError
        One is not there; with the command that brings all that are missing.
    """
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise MissingPackageError(needs(what, missing))


def needs(what: str, missing: Iterable[str]) -> str:
    """A sentence about missing packages that ends with the command that brings them."""
    names = list(missing)
    extras = dict.fromkeys(EXTRAS[name] for name in names if name in EXTRAS)
    included = {INCLUDED[extra] for extra in extras if extra in INCLUDED}
    said = ",".join(extra for extra in extras if extra not in included)
    wanted = [f'".[{said}]"'] if extras else []
    wanted += [name for name in names if name not in EXTRAS]
    where = " in soundalike's folder" if extras else ""
    return (
        f"{what} needs {' and '.join(names)}, not installed here; "
        f"run{where}: pip install {' '.join(wanted)}"
    )
