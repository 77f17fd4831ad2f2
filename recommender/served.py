"""The spaces that are served side by side: one generation each, known by the embedder's name.

A space takes the place of the one that the same embedder made before, with other weights or windows
say; spaces of different embedders stand side by side. One of them is the default.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from recommender.current import generations_dir, make_current, served_generations
from recommender.embedders.options import base_name
from recommender.errors import GenerationError, IndexUnavailableError, InvalidParameterError
from recommender.manifest import Manifest

_log = logging.getLogger(__name__)


def embedder_of(manifest: Manifest) -> str:
    """Full name of the embedder that made the vectors of a generation."""
    return str(manifest.space["embedder"]["name"])


def served_manifests(data_dir: Path) -> list[Manifest]:
    """Manifests of the served generations, the default first; none before anything is published.

    One that is damaged does not say which space it is of: it is left out, and the log names it.
    """
    try:
        names = served_generations(data_dir)
    except IndexUnavailableError:
        return []
    manifests = list[Manifest]()
    for name in names:
        try:
            manifests.append(Manifest.read(generations_dir(data_dir) / name))
        except GenerationError as error:
            _log.warning("%s; it is not counted among the spaces that are served", error)
    return manifests


def find_space(manifests: Sequence[Manifest], text: str) -> int:
    """Place of the space that a caller means.

    Parameters
    ----------
    manifests
        Of the served generations, the default first.
    text
        ``"musicnn-5d4…"``, the space's id; ``"openl3:content=env"``, its embedder's name; or
        ``"openl3"``, a name without options, when one space alone has it.

    Raises
    ------
    InvalidParameterError
        No space that is served, or more than one, is meant.
    """
    embedders = [embedder_of(manifest) for manifest in manifests]
    for known in ([m.space_id for m in manifests], embedders, [base_name(e) for e in embedders]):
        places = [place for place, name in enumerate(known) if name == text]
        if len(places) == 1:
            return places[0]
        if places:
            break
    raise InvalidParameterError(
        f"space={text} is not {'one' if places else 'served'}; use one of {', '.join(embedders)}"
    )


def serve(data_dir: Path, names: Sequence[str]) -> None:
    """Serve generations in the place of those of the same embedders; new ones come last.

    Raises
    ------
    GenerationError
        One of them has no sound manifest.
    """
    served = {embedder_of(m): m.generation for m in served_manifests(data_dir)}
    for name in names:
        served[embedder_of(Manifest.read(generations_dir(data_dir) / name))] = name
    make_current(data_dir, *served.values())


def make_default(data_dir: Path, text: str) -> Manifest:
    """Have the space that `text` means answer when no space is named.

    Raises
    ------
    InvalidParameterError
        As of :func:`find_space`.
    """
    manifests = served_manifests(data_dir)
    chosen = manifests.pop(find_space(manifests, text))
    make_current(data_dir, chosen.generation, *(m.generation for m in manifests))
    return chosen


def stop_serving(data_dir: Path, text: str) -> Manifest:
    """Take a space out of what is served; its vectors stay in the library.

    Raises
    ------
    InvalidParameterError
        As of :func:`find_space`; or it is the only one.
    """
    manifests = served_manifests(data_dir)
    dropped = manifests.pop(find_space(manifests, text))
    if not manifests:
        raise InvalidParameterError(f"space={text} is the only one that is served; add one first")
    make_current(data_dir, *(m.generation for m in manifests))
    return dropped
