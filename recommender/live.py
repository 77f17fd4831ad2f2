"""The generations that are being served, replaced without dropping a question."""

import logging
import threading
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from recommender.current import generations_dir, list_generations, served_generations
from recommender.engine import Recommender
from recommender.errors import GenerationError, IndexUnavailableError
from recommender.generation import open_generation
from recommender.manifest import Manifest
from recommender.served import embedder_of

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Served:
    recommenders: tuple[Recommender, ...] = ()
    wanted: tuple[str, ...] = ()
    problem: str = ""


class LiveRecommender:
    """Follows `CURRENT` and holds the newest generation of every space that could be verified.

    A question takes :attr:`recommenders` once and is answered from those alone, whatever is
    published meanwhile. A new generation that does not verify is refused, and the old one of its
    space stays.
    """

    def __init__(self, data_dir: Path, poll_seconds: float):
        self._data_dir = data_dir
        self._poll_seconds = poll_seconds
        self._served = _Served()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follow-current", daemon=True)

    @property
    def recommenders(self) -> tuple[Recommender, ...]:
        """What answers questions now, one for each space, the default first.

        Raises
        ------
        IndexUnavailableError
            No valid generation has been published yet.
        """
        served = self._served
        if not served.recommenders:
            raise IndexUnavailableError(served.problem or "no index is published yet")
        return served.recommenders

    @property
    def recommender(self) -> Recommender:
        """What answers when no space is named; raises as :attr:`recommenders`."""
        return self.recommenders[0]

    @property
    def problem(self) -> str:
        """Why what `CURRENT` names is not what is served; "" when it is."""
        return self._served.problem

    def start(self) -> None:
        """Open what is published and follow it in the background."""
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        """Stop following; what is served stays usable."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def refresh(self) -> None:
        """Look at `CURRENT` once, and serve what it names if that verifies."""
        try:
            wanted = served_generations(self._data_dir)
        except (IndexUnavailableError, OSError) as error:
            self._served = _Served(self._served.recommenders, (), str(error))
            return
        if wanted != self._served.wanted:
            self._serve(wanted)

    def _serve(self, wanted: tuple[str, ...]) -> None:
        found, problems, again = list[Recommender](), list[str](), False
        for name in wanted:
            try:
                found.append(self._opened(name))
            except (GenerationError, OSError) as error:
                _log.error("refused generation=%s: %s", name, error)
                problems.append(str(error))
                # damage does not heal, but a disk that could not be read may: ask again
                again = again or not isinstance(error, GenerationError)
                found += self._instead_of(name, wanted)
        spaces = {embedder_of(one.generation.manifest): one for one in reversed(found)}
        serving = tuple(one for one in found if one in spaces.values())
        self._served = _Served(serving, () if again else wanted, "; ".join(problems))
        for one in serving:
            manifest = one.generation.manifest
            _log.info("serving generation=%s tracks=%d", manifest.generation, manifest.n_tracks)

    def _opened(self, name: str) -> Recommender:
        """What answers from a generation; one that is served already is not opened again."""
        for served in self._served.recommenders:
            if served.generation.manifest.generation == name:
                return served
        return Recommender(open_generation(self._data_dir, name))

    def _instead_of(self, refused: str, wanted: Collection[str]) -> list[Recommender]:
        """Another generation of the same space: better an older answer than none.

        When the refused one does not even say which space it is of, any will do.
        """
        space = self._space_of(refused)
        served = [one.generation.manifest.generation for one in self._served.recommenders]
        for name in [*served, *reversed(list_generations(self._data_dir))]:
            if name in wanted or (space and self._space_of(name) != space):
                continue
            try:
                return [self._opened(name)]
            except (GenerationError, OSError) as error:
                _log.error("refused generation=%s: %s", name, error)
        return []

    def _space_of(self, name: str) -> str:
        """The embedder of a generation, "" when it cannot be read."""
        for served in self._served.recommenders:
            if served.generation.manifest.generation == name:
                return embedder_of(served.generation.manifest)
        try:
            return embedder_of(Manifest.read(generations_dir(self._data_dir) / name))
        except GenerationError:
            return ""

    def _follow(self) -> None:
        while not self._stopped.wait(self._poll_seconds):
            try:
                self.refresh()
            except Exception:
                # the thread must outlive whatever this is, or the old index is served for ever
                _log.exception("could not look for a new generation; trying again")
