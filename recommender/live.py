"""The generation that is being served, replaced without dropping a question."""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from recommender.engine import Recommender
from recommender.errors import GenerationError, IndexUnavailableError
from recommender.generation import current_generation, list_generations, open_generation

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Served:
    recommender: Recommender | None = None
    wanted: str = ""
    problem: str = ""


class LiveRecommender:
    """Follows `CURRENT` and holds the newest generation that could be verified.

    A question takes :attr:`recommender` once and is answered from that generation alone, whatever
    is published meanwhile. A new generation that does not verify is refused, and the old one stays.
    """

    def __init__(self, data_dir: Path, poll_seconds: float):
        self._data_dir = data_dir
        self._poll_seconds = poll_seconds
        self._served = _Served()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follow-current", daemon=True)

    @property
    def recommender(self) -> Recommender:
        """What answers questions now.

        Raises
        ------
        IndexUnavailableError
            No valid generation has been published yet.
        """
        served = self._served
        if served.recommender is None:
            raise IndexUnavailableError(served.problem or "no index is published yet")
        return served.recommender

    @property
    def problem(self) -> str:
        """Why the generation that `CURRENT` names is not the one served; "" when it is."""
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
            wanted = current_generation(self._data_dir)
        except (IndexUnavailableError, OSError) as error:
            self._served = _Served(self._served.recommender, "", str(error))
            return
        if wanted != self._served.wanted:
            self._serve(wanted)

    def _serve(self, wanted: str) -> None:
        try:
            generation = open_generation(self._data_dir, wanted)
        except (GenerationError, OSError) as error:
            _log.error("refused generation=%s: %s", wanted, error)
            recommender = self._served.recommender or self._newest_valid(wanted)
            # damage does not heal, but a disk that could not be read may: ask again
            tried = wanted if isinstance(error, GenerationError) else ""
            self._served = _Served(recommender, tried, str(error))
            return
        self._served = _Served(Recommender(generation), wanted, "")
        _log.info("serving generation=%s tracks=%d", wanted, generation.manifest.n_tracks)

    def _newest_valid(self, refused: str) -> Recommender | None:
        """The newest other generation that verifies: better an older answer than none."""
        for name in reversed(list_generations(self._data_dir)):
            if name == refused:
                continue
            try:
                return Recommender(open_generation(self._data_dir, name))
            except (GenerationError, OSError) as error:
                _log.error("refused generation=%s: %s", name, error)
        return None

    def _follow(self) -> None:
        while not self._stopped.wait(self._poll_seconds):
            try:
                self.refresh()
            except Exception:
                # the thread must outlive whatever this is, or the old index is served for ever
                _log.exception("could not look for a new generation; trying again")
