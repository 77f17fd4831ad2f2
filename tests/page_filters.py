"""The filters of the page's stand-in server."""

from recommender.filters import Filters
from recommender.text import folded, genre_keys
from tests.page_catalog import TONE_SECONDS, ToneTrack


class UnknownTagError(LookupError):
    """A tag that no embedder predicts."""


def fits(track: ToneTrack, filters: Filters) -> bool:
    """Whether a track is what is asked for.

    Raises
    ------
    UnknownTagError
        A tag is none of those that tracks here have.
    """
    for tag in set(filters.tags) - {"guitar", "slow"}:
        raise UnknownTagError(f"tag={tag} is unknown in this space; it has guitar, slow")
    texts = (
        (genre_keys(track.genre), filters.genres),
        ({folded(track.artist)}, filters.artists),
        ({folded(track.album)}, filters.albums),
    )
    last = filters.year_to or 9999
    return (
        all(not wanted or keys & set(map(folded, wanted)) for keys, wanted in texts)
        and ("slow" not in filters.tags or track.number % 2 == 0)
        and (filters.year_from or 0) <= track.year <= last
        and (track.year > 0 or filters.year_from is filters.year_to is None)
        and (filters.duration_max is None or filters.duration_max >= TONE_SECONDS)
    )
