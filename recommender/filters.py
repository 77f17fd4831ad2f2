"""What a match must be like, beside sounding alike."""

from dataclasses import dataclass

# musicnn's probabilities are low: of 327 tracks of free collections, each has some tag above this,
# and a track has a tenth of all tags; above 0.2 some have none, above 0.3 every sixth
TAG_THRESHOLD = 0.1


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions that all have to hold; what is not given does not matter.

    Text is compared as :func:`recommender.text.folded`. What is not known of a track never fits: no
    year lies in a range of years, and "" is nobody's name.

    Attributes
    ----------
    genres, artists, albums
        Any of the given. A file's genre may hold several, see
        :func:`recommender.text.genre_keys`.
    tags
        All of the given, as the embedder hears them.
    tag_threshold
        Least probability of a tag, in [0, 1].
    year_from, year_to
        First and last year; None for no bound.
    duration_min, duration_max
        Seconds, both inclusive, to the millisecond; None for no bound.
    """

    genres: tuple[str, ...] = ()
    artists: tuple[str, ...] = ()
    albums: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    tag_threshold: float = TAG_THRESHOLD
    year_from: int | None = None
    year_to: int | None = None
    duration_min: float | None = None
    duration_max: float | None = None

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        texts = self.genres or self.artists or self.albums or self.tags
        bounds = (self.year_from, self.year_to, self.duration_min, self.duration_max)
        return bool(texts) or bounds != (None, None, None, None)


NO_FILTERS = Filters()
