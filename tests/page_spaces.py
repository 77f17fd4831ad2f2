"""The spaces of the page's stand-in server: one tells tracks by pitch, others by other rules."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from tests.page_catalog import ToneTrack

Distance = Callable[[ToneTrack, float], float]


@dataclass(frozen=True)
class EarSpace:
    """A space, and how far a track is from a pitch in it."""

    embedder: str
    distance: Distance

    @property
    def id(self) -> str:
        digest = sha256(self.embedder.encode()).hexdigest()
        return f"{self.embedder.partition(':')[0]}-{digest[:12]}"

    def ranks(self, tracks: list[ToneTrack], pitch_hz: float) -> dict[str, int]:
        """Places of all tracks by id, 1 for the closest."""
        by_distance = sorted(tracks, key=lambda track: (self.distance(track, pitch_hz), track.id))
        return {track.id: rank for rank, track in enumerate(by_distance, start=1)}


MUSICNN = EarSpace("musicnn", lambda track, pitch_hz: abs(track.pitch_hz - pitch_hz))
# hears everything the other way round
PANNS = EarSpace("panns:layer=last", lambda track, pitch_hz: -abs(track.pitch_hz - pitch_hz))
OPENL3 = EarSpace("openl3", lambda track, pitch_hz: track.pitch_hz)
OPENL3_ENV = EarSpace("openl3:content=env", lambda track, pitch_hz: -track.pitch_hz)


class NotServedError(LookupError):
    """No space that is served is meant."""


def meant(spaces: list[EarSpace], text: str | None) -> list[EarSpace]:
    """The spaces that a caller names, the default when none."""
    if text is None:
        return spaces[:1]
    by_name = {name: space for space in spaces for name in (space.id, space.embedder)}
    try:
        return [by_name[name] for name in text.split("+")]
    except KeyError as error:
        known = ", ".join(space.embedder for space in spaces)
        raise NotServedError(f"space={error.args[0]} is not served; use one of {known}") from None


@dataclass(frozen=True)
class Placed:
    """A track of an answer; `places` by space, when there are several."""

    track: ToneTrack
    score: float
    places: dict[str, int]


def answers(spaces: list[EarSpace], tracks: list[ToneTrack], pitch_hz: float) -> list[Placed]:
    """Tracks, closest first: in pitch when one space is asked, by reciprocal rank in several."""
    rankings = {space.id: space.ranks(tracks, pitch_hz) for space in spaces}
    placed = []
    for track in tracks:
        places = {space: ranks[track.id] for space, ranks in rankings.items()}
        score = sum(61 / (60 + rank) for rank in places.values()) / len(places)
        placed.append(Placed(track, round(score, 4), places))
    placed.sort(key=lambda one: (-one.score, one.track.id))
    return placed if len(spaces) > 1 else [_alone(one, pitch_hz) for one in placed]


def _alone(placed: Placed, pitch_hz: float) -> Placed:
    similarity = max(0.5, 0.97 - abs(placed.track.pitch_hz - pitch_hz) / 900)
    return Placed(placed.track, round(similarity, 4), {})
