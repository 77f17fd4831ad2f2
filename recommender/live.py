"""The generations that are being served, replaced without dropping a question."""

import logging
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from recommender.current import CURRENT, Served, list_generations, served
from recommender.engine import Recommender
from recommender.errors import (
    GenerationError,
    IndexOutdatedError,
    IndexUnavailableError,
    OutdatedGenerationError,
)
from recommender.generation import open_generation
from recommender.served import embedder_of, made_by
from recommender.spaces import Slot, Spaces

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Served:
    spaces: Spaces
    wanted: tuple[Served, ...] = ()
    refused: tuple[str, ...] = ()
    problem: str = ""


class LiveRecommender:
    """Follows `CURRENT` and holds the newest generation of every space that could be verified.

    A question takes :attr:`spaces` once and is answered from those alone, whatever is published
    meanwhile. A new generation that does not verify is refused, and an older one of its space
    answers in its place; when there is none, the space does not answer.
    """

    def __init__(self, data_dir: Path, poll_seconds: float):
        self._data_dir = data_dir
        self._poll_seconds = poll_seconds
        self._served = _Served(Spaces(()))
        self._told = dict[str, str]()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follow-current", daemon=True)

    @property
    def spaces(self) -> Spaces:
        """What answers questions now, the default first.

        Raises
        ------
        IndexUnavailableError
            No valid generation has been published yet.
        IndexOutdatedError
            An earlier version made what is published.
        """
        served = self._served
        if not served.spaces.available:
            if outdated := served.spaces.outdated:
                raise IndexOutdatedError(outdated[0])
            raise IndexUnavailableError(served.problem or "no index is published yet")
        return served.spaces

    @property
    def recommender(self) -> Recommender:
        """What answers when no space is named; raises as :attr:`spaces`."""
        return self.spaces.default

    @property
    def problem(self) -> str:
        """Why what `CURRENT` names is not what is served; "" when it is."""
        return self._served.problem

    @property
    def refused(self) -> tuple[str, ...]:
        """Embedders of the spaces that answer from an older generation, or not at all."""
        return self._served.refused

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
            wanted = served(self._data_dir)
        except (IndexUnavailableError, OSError) as error:
            self._served = _Served(self._served.spaces, problem=str(error))
            self._tell(CURRENT, f"the index cannot be served: {error}", logging.WARNING)
            return
        self._told.pop(CURRENT, None)
        if wanted != self._served.wanted:
            self._serve(wanted)

    def _serve(self, wanted: tuple[Served, ...]) -> None:
        slots, problems, refused, again = list[Slot](), list[str](), list[str](), False
        for line in wanted:
            try:
                slot = Slot.of(line.embedder, self._opened(line.generation))
            except (GenerationError, OSError) as error:
                problems.append(str(error))
                # damage does not heal, but a disk that could not be read may: ask again
                again = again or not isinstance(error, GenerationError)
                slot = self._without(line, error)
                refused.append(slot.embedder)
            slots.append(slot)
        spaces = Spaces(tuple(slots))
        asked = () if again else wanted
        self._served = _Served(spaces, asked, tuple(refused), "; ".join(problems))
        for one in spaces.available:
            manifest = one.generation.manifest
            _log.info("serving generation=%s tracks=%d", manifest.generation, manifest.n_tracks)

    def _opened(self, name: str) -> Recommender:
        """What answers from a generation; one that is served already is not opened again."""
        now = {one.generation.manifest.generation: one for one in self._served.spaces.available}
        if name in now:
            return now[name]
        others = [one.generation.manifest for one in now.values()]
        try:
            opened = Recommender(open_generation(self._data_dir, name, others, patient=True))
        except (GenerationError, OSError) as error:
            self._tell(name, f"refused generation={name}: {error}")
            raise
        self._told.pop(name, None)
        return opened

    def _without(self, refused: Served, error: Exception) -> Slot:
        """What is served of a space whose generation is refused."""
        if not isinstance(error, OutdatedGenerationError):
            return Slot.of(refused.embedder, self._instead_of(refused))
        known = Served(refused.generation, refused.embedder or error.embedder)
        return Slot.of(known.embedder, self._instead_of(known), outdated=True)

    def _tell(self, about: str, message: str, level: int = logging.ERROR) -> None:
        """Log what is wrong, but not at every look while it stays the same."""
        if self._told.get(about) != message:
            self._told[about] = message
            _log.log(level, "%s", message)

    def _instead_of(self, refused: Served) -> Recommender | None:
        """Another generation of the same space, the served one first: better older than none."""
        now = [one.generation.manifest for one in self._served.spaces.available]
        serving = [m.generation for m in now if refused.embedder in ("", embedder_of(m))]
        on_disk = [
            name
            for name in reversed(list_generations(self._data_dir))
            if refused.embedder in ("", made_by(self._data_dir, name))
        ]
        for name in dict.fromkeys([*serving, *on_disk]):
            if name == refused.generation:
                continue
            # the log says why not
            with suppress(GenerationError, OSError):
                return self._opened(name)
        return None

    def _follow(self) -> None:
        while not self._stopped.wait(self._poll_seconds):
            try:
                self.refresh()
            except Exception:
                # the thread must outlive whatever this is, or the old index is served for ever
                _log.exception("could not look for a new generation; trying again")
