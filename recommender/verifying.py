"""Check the files of a generation against the digests in its manifest."""

from collections.abc import Iterable
from pathlib import Path

from recommender.errors import GenerationError
from recommender.files import sha256_of_all
from recommender.manifest import Manifest


def verify_files(
    folder: Path, manifest: Manifest, others: Iterable[Manifest] = (), *, patient: bool = False
) -> None:
    """Check size and digest of every file of a generation.

    Parameters
    ----------
    folder
        Where the generation is.
    manifest
        Its own.
    others
        Of generations beside it that are verified and open. What is the same file on the disk, and
        said to be the same by both, is not read once more.
    patient
        Read in what time other threads and processes leave.

    Raises
    ------
    GenerationError
        Naming the first file that is missing or not what was published.
    """
    paths = {name: folder / name for name in manifest.files}
    for name, path in paths.items():
        if not path.is_file() or path.stat().st_size != manifest.files[name]["size"]:
            raise GenerationError(f"generation={folder.name} file={name} is missing or cut")
    for other in others:
        beside = folder.parent / other.generation
        for name in _common(manifest, other):
            if name in paths and _is_same_file(paths[name], beside / name):
                del paths[name]
    for name, digest in zip(paths, sha256_of_all(paths.values(), patient=patient), strict=True):
        if digest != manifest.files[name]["sha256"]:
            raise GenerationError(f"generation={folder.name} file={name} is damaged (sha256)")


def _common(one: Manifest, other: Manifest) -> list[str]:
    return [name for name in one.files if one.files[name] == other.files.get(name)]


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except FileNotFoundError:
        return False
