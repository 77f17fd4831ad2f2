"""Publish: have what the library holds served, in one step.

A crash at any moment leaves `CURRENT` pointing to complete generations: a generation gets its name
when it is whole, and `CURRENT` is replaced last. Leftovers of a crash are swept by the next run.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from recommender.current import generations_dir
from recommender.errors import GenerationError
from recommender.housekeeping import prune, remove, sweep
from recommender.library import Library
from recommender.manifest import IDS, ORDER, Manifest
from recommender.press import How, Press
from recommender.served import embedder_of, last_known, serve, served_manifests, serving
from recommender.space import Space, id_of, stored

_log = logging.getLogger(__name__)


def publish(data_dir: Path, library: Library, space: Space, how: How | None = None) -> str:
    """Have a space served as the library stands; answers are drawn from it from then on.

    It takes the place of the one that the same embedder made before, and is an update of it where
    that will do, see :mod:`recommender.updating`. The other spaces that are served are brought up
    to date as well, see :func:`refresh`; all change in one step.

    Parameters
    ----------
    data_dir
        Where generations are kept.
    library
        What there is.
    space
        What is to be served.
    how
        How its index is made; None for as it was made before.

    Returns
    -------
    str
        Name of the generation: the one that is served already when that is up to date.

    Raises
    ------
    RecallError
        Searches would find too little; the old generation of this space stays.
    GenerationError
        What was built fails its own checks; the old generation of this space stays.
    StorageError, OSError
        The disk is full or not writable; the old generations stay.
    """
    sweep(data_dir)
    press, embedder = Press(data_dir, library), space.embedder.name
    how = how or press.how_as_served(embedder)
    for manifest in served_manifests(data_dir):
        if manifest.space_id == space.id and press.is_up_to_date(manifest, how.options):
            _serve_new(press, {}, without=embedder)
            return manifest.generation
    try:
        built = {embedder: press.make(space.describe(), how)}
    except GenerationError:
        _serve_new(press, {}, without=embedder)
        raise
    _serve_new(press, built, without=embedder)
    return built[embedder]


def refresh(data_dir: Path, library: Library) -> None:
    """Bring the served spaces up to date of which the library holds something else by now.

    They are made from the vectors in it. A space that cannot be made, or that would lose tracks
    which nothing says are gone, stays as it was, and the log says so.

    Raises
    ------
    StorageError, OSError
        As of :func:`publish`.
    """
    sweep(data_dir)
    _serve_new(Press(data_dir, library), {}, without="")


def held(data_dir: Path, embedder: str) -> set[str]:
    """Ids of the tracks in the space that is served for an embedder; of an older one if damaged."""
    manifest = last_known(data_dir, embedder)
    if manifest is None:
        return set()
    folder = generations_dir(data_dir) / manifest.generation
    try:
        ids = np.load(folder / IDS, allow_pickle=False)
        if ids.dtype.kind == "U":  # of the first versions, when every row was alive
            return set(ids.tolist())
        ids = ids[np.load(folder / ORDER, allow_pickle=False)]
        return {id_.decode(errors="surrogatepass") for id_ in ids.tolist()}
    except (FileNotFoundError, ValueError, EOFError, IndexError):
        return set()


def leaving(library: Library, tracks: set[str], space: Mapping[str, Any]) -> set[str]:
    """Tracks that a space would lose if it were published, though nothing says that they are gone.

    Gone is what the library knows, and what no file of it holds any more.

    Parameters
    ----------
    library
        What there is.
    tracks
        What the space holds that is replaced, see :func:`held`.
    space
        What takes its place, as `Space.describe` has it.
    """
    lost = tracks - library.embedded(id_of(stored(space)))
    if not lost:
        return lost
    in_files = {track_id for _, track_id in library.files().values()}
    return lost - (library.track_ids() - in_files)


def _serve_new(press: Press, built: dict[str, str], without: str) -> None:
    """Serve what was made, and with it whatever else is out of date but for one embedder."""
    data_dir = press.data_dir
    try:
        for manifest in served_manifests(data_dir):
            if embedder_of(manifest) != without and not press.is_up_to_date(manifest):
                built |= _renewed(press, manifest)
        serve(data_dir, built)
    except BaseException:
        # what nobody ever served, nobody may roll back to
        for name in set(built.values()).difference(line.generation for line in serving(data_dir)):
            remove(data_dir, name)
        raise
    # what cannot be removed now is published over next time; the new ones are served already
    with suppress(OSError):
        prune(data_dir)


def _renewed(press: Press, manifest: Manifest) -> dict[str, str]:
    """The generation that takes the place of another of the same space, by embedder; {} if none."""
    embedder, library = embedder_of(manifest), press.library
    lost = leaving(library, held(press.data_dir, embedder), manifest.space)
    try:
        if lost:
            raise GenerationError(
                f"{len(lost)} of its tracks have no vector in the library any more"
            )
        if manifest.n_tracks and not library.count_publishable(id_of(stored(manifest.space))):
            raise GenerationError("none of its tracks has a file that can be read any more")
        return {embedder: press.make(manifest.space, How.of(manifest))}
    except GenerationError as error:
        _log.warning(
            "the space of %s stays as it was: %s; run reindex with --embedder %s, or: "
            "python -m indexer spaces drop %s",
            *(embedder, error, embedder, embedder),
        )
        return {}
