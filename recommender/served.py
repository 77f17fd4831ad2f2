"""The spaces that are served side by side: one generation each, known by the embedder's name.

A space takes the place of the one that the same embedder made before, with other weights or windows
say; spaces of different embedders stand side by side. One of them is the default.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from recommender.current import (
    CURRENT,
    Served,
    generations_dir,
    list_generations,
    make_current,
    served,
)
from recommender.embedders.options import base_name
from recommender.errors import GenerationError, IndexUnavailableError, InvalidParameterError
from recommender.manifest import Manifest


def embedder_of(manifest: Manifest) -> str:
    """Full name of the embedder that made the vectors of a generation."""
    return str(manifest.space["embedder"]["name"])


def read_manifest(data_dir: Path, generation: str) -> Manifest | None:
    """The manifest of a generation; None when it is missing or damaged."""
    try:
        return Manifest.read(generations_dir(data_dir) / generation)
    except GenerationError:
        return None


def made_by(data_dir: Path, generation: str) -> str:
    """The embedder of a generation, "" for one that does not say."""
    manifest = read_manifest(data_dir, generation)
    return embedder_of(manifest) if manifest else ""


def serving(data_dir: Path) -> list[Served]:
    """What is served, the default first, damaged generations included; [] before anything is.

    Raises
    ------
    GenerationError
        ``CURRENT`` is there and cannot be understood: to go on would drop what it named.
    """
    try:
        lines = served(data_dir)
    except IndexUnavailableError as error:
        if (data_dir / CURRENT).exists():
            raise _damaged(data_dir) from error
        return []
    lines = tuple(Served(name, known or made_by(data_dir, name)) for name, known in lines)
    if not all(line.embedder for line in lines):
        raise _damaged(data_dir)
    return list(lines)


def by_embedder(data_dir: Path) -> dict[str, str]:
    """The generation that is served for each embedder, the default first.

    Raises
    ------
    GenerationError
        As of :func:`serving`.
    """
    return {line.embedder: line.generation for line in serving(data_dir)}


def _damaged(data_dir: Path) -> GenerationError:
    return GenerationError(
        f"{data_dir / CURRENT} is damaged, or the generation that it names; delete it, then run "
        "reindex for every space that was served, with the same options: nothing is heard again"
    )


def last_known(data_dir: Path, embedder: str) -> Manifest | None:
    """The newest manifest of an embedder that can be read, that of the served generation first."""
    now = [line.generation for line in serving(data_dir) if line.embedder == embedder]
    older = reversed(list_generations(data_dir))
    for name in dict.fromkeys([*now, *older]) if now else ():
        manifest = read_manifest(data_dir, name)
        if manifest and embedder_of(manifest) == embedder:
            return manifest
    return None


def served_manifests(data_dir: Path) -> list[Manifest]:
    """Manifests of what is served, the default first, but for those that cannot be read.

    Raises
    ------
    GenerationError
        As of :func:`serving`.
    """
    found = (read_manifest(data_dir, line.generation) for line in serving(data_dir))
    return [manifest for manifest in found if manifest]


def find_space(spaces: Sequence[tuple[str, str]], text: str) -> int:
    """Place of the space that a caller means.

    Parameters
    ----------
    spaces
        Id and embedder of each space, the default first.
    text
        ``"musicnn-5d4…"``, the space's id; ``"openl3:content=env"``, its embedder's name; or
        ``"openl3"``, a name without options, when one space alone has it.

    Raises
    ------
    InvalidParameterError
        No space that is served, or more than one, is meant.
    """
    ids, embedders = [id_ for id_, _ in spaces], [embedder for _, embedder in spaces]
    for known in (ids, embedders, [base_name(embedder) for embedder in embedders]):
        places = [place for place, name in enumerate(known) if name and name == text]
        if len(places) == 1:
            return places[0]
        if places:
            several = ", ".join(embedders[place] for place in places)
            raise InvalidParameterError(f"space={text} may mean {several}; use one of these")
    raise InvalidParameterError(
        f"space={text} is not served; use one of {', '.join(filter(None, embedders))}"
    )


def serve(data_dir: Path, generations: Mapping[str, str]) -> None:
    """Serve generations, by embedder, in the place of those before; new ones come last.

    Raises
    ------
    GenerationError
        As of :func:`serving`.
    """
    if not generations:
        return
    now = by_embedder(data_dir) | dict(generations)
    make_current(data_dir, *(Served(name, embedder) for embedder, name in now.items()))


def make_default(data_dir: Path, text: str) -> Served:
    """Have the space that `text` means answer when no space is named.

    Raises
    ------
    InvalidParameterError
        As of :func:`find_space`.
    GenerationError
        As of :func:`serving`.
    """
    lines = serving(data_dir)
    chosen = lines.pop(_place(data_dir, lines, text))
    make_current(data_dir, chosen, *lines)
    return chosen


def stop_serving(data_dir: Path, text: str) -> Served:
    """Take a space out of what is served; its vectors stay in the library.

    Raises
    ------
    InvalidParameterError
        As of :func:`find_space`; or it is the only one.
    GenerationError
        As of :func:`serving`.
    """
    lines = serving(data_dir)
    dropped = lines.pop(_place(data_dir, lines, text))
    if not lines:
        raise InvalidParameterError(f"space={text} is the only one that is served; add one first")
    make_current(data_dir, *lines)
    return dropped


def _place(data_dir: Path, lines: Sequence[Served], text: str) -> int:
    manifests = (read_manifest(data_dir, line.generation) for line in lines)
    ids = [manifest.space_id if manifest else "" for manifest in manifests]
    return find_space(list(zip(ids, [line.embedder for line in lines], strict=True)), text)
