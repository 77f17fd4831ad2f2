"""The spaces that are served at one moment, and which of them a caller means."""

from dataclasses import dataclass
from typing import NamedTuple, Self

from recommender.engine import Recommender
from recommender.ensemble import Ensemble
from recommender.errors import IndexOutdatedError, InvalidParameterError, SpaceUnavailableError
from recommender.served import embedder_of, find_space


class Slot(NamedTuple):
    """A space that is served; `recommender` is None when its generation cannot be opened.

    It is `outdated` when an earlier version made the generation.
    """

    embedder: str
    recommender: Recommender | None
    outdated: bool = False

    @classmethod
    def of(cls, embedder: str, recommender: Recommender | None, *, outdated: bool = False) -> Self:
        """The slot of an embedder, which the generation knows best."""
        manifest = recommender.generation.manifest if recommender else None
        return cls(embedder_of(manifest) if manifest else embedder, recommender, outdated)

    @property
    def space_id(self) -> str:
        """Id of the space, "" when it does not answer."""
        return self.recommender.generation.manifest.space_id if self.recommender else ""

    def answering(self) -> Recommender:
        """What answers in this space.

        Raises
        ------
        IndexOutdatedError
            An earlier version made what is published of it.
        SpaceUnavailableError
            Nothing does.
        """
        if self.recommender is None and self.outdated:
            raise IndexOutdatedError(self.embedder, f"the index of space={self.embedder}")
        if self.recommender is None:
            raise SpaceUnavailableError(
                f"space={self.embedder} is published, but cannot be read; on the server run: "
                "python -m indexer verify"
            )
        return self.recommender


@dataclass(frozen=True, slots=True)
class Spaces:
    """Every space that is served at one moment, the default first."""

    slots: tuple[Slot, ...]

    @property
    def available(self) -> list[Recommender]:
        """What answers, of those spaces that can."""
        return [slot.recommender for slot in self.slots if slot.recommender]

    @property
    def outdated(self) -> list[str]:
        """Embedders of the spaces of which an earlier version made what is published."""
        return [slot.embedder for slot in self.slots if slot.outdated]

    @property
    def default(self) -> Recommender:
        """What answers when no space is named; raises as :meth:`Slot.answering`."""
        return self.slots[0].answering()

    def choose(self, text: str | None) -> Ensemble:
        """The spaces that a caller names, fused when they are several.

        Parameters
        ----------
        text
            Names as :func:`recommender.served.find_space` takes them, ``+`` between; a space counts
            as ``+``, which it was before a browser decoded the address. None for the default.

        Raises
        ------
        InvalidParameterError
            A space is not served, may be several, or is named twice.
        SpaceUnavailableError, IndexOutdatedError
            A space is served, but cannot be read.
        """
        if text is None:
            return Ensemble([self.default])
        known = [(slot.space_id, slot.embedder) for slot in self.slots]
        places = [find_space(known, name) for name in text.replace(" ", "+").split("+")]
        if len(set(places)) < len(places):
            raise InvalidParameterError(f"space={text} names a space twice")
        return Ensemble([self.slots[place].answering() for place in places])

    def holding(self, track_id: str) -> Recommender:
        """The first that holds a track, the default when none does."""
        return next((one for one in self.available if one.holds(track_id)), self.default)
