"""Which settings serve listeners best: every default of what they are recommended, and others.

Simulated listeners of several styles are answered by the service's own code, once for each way in
which it could have been set, and each way is compared with the default listener by listener.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from indexer.evaluation.figures import Figure, figure
from indexer.evaluation.styles import NOW, Fan, fans, style_codes
from indexer.evaluation.subject import Subject
from indexer.evaluation.variants import holm
from recommender.arrays import Rows
from recommender.engine import Recommender
from recommender.evaluation import intra_list_diversity
from recommender.events import Event, Kind
from recommender.personal import Mood, Novelty, recommend_to
from recommender.questions import Options, Preference
from recommender.significance import bootstrap_interval, paired_permutation_test
from recommender.taste import DIVISION, HALF_LIFE_DAYS, Division, Opinion

SECTION = "recommendations"
STEADY, DRIFTING = "steady tastes", "changing tastes"
SERVED, MEAN, RANDOM = "served", "one mean of the history", "random"
PLAIN_MEAN = "one mean, as POST /recommendations"
K = 20
RECALL, STYLES, DIVERSITY = f"recall@{K}", f"styles@{K}", f"diversity@{K}"
COMPARED = (RECALL, STYLES)
NEVER = 36_500.0
# what GET /listeners/{listener_id}/recommendations takes when nothing is said
SERVED_OPTIONS = Options(limit=K, corrects_hubs=True, diversity=0.2)

Values = npt.NDArray[np.float64]
Measured = dict[str, Values]
"""Values of shape (n_listeners,) by metric."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to recommend.

    Attributes
    ----------
    name
        ``"served"`` for the default.
    options, mood, division, half_life_days
        What it is set to; what is not said is the default.
    by_mean
        Whether one weighted mean of all that was heard is asked about, and no interest.
    """

    name: str
    options: Options = field(default_factory=lambda: SERVED_OPTIONS)
    mood: Mood = field(default_factory=Mood)
    division: Division = DIVISION
    half_life_days: float = HALF_LIFE_DAYS
    by_mean: bool = False


DEFAULT = Way(SERVED)


def ways() -> list[Way]:
    """What is compared for listeners of steady tastes, the default first."""
    return [
        DEFAULT,
        Way(MEAN, by_mean=True),
        Way(PLAIN_MEAN, Options(limit=K), by_mean=True),
        Way("hubs as they are", replace(DEFAULT.options, corrects_hubs=False)),
        *(_interests(Division(1.0, most), f"interests: {most}") for most in (1, 2, 3, 5, 8)),
        *(
            _interests(Division(share, DIVISION.most), f"interests: {100 * share:.0f} % explained")
            for share in (0.2, 0.4, 0.5)
        ),
        *_half_lives((30.0, 180.0, 365.0, NEVER)),
        *(
            Way(f"diversity: {value}", replace(DEFAULT.options, diversity=value))
            for value in (0.0, 0.1, 0.3, 0.5)
        ),
        *(
            Way(f"of one artist: {most}", replace(DEFAULT.options, max_per_artist=most))
            for most in (1, 2, 3, 5)
        ),
        *(Way(f"surprise: {value}", mood=Mood(surprise=value)) for value in (0.2, 0.5, 1.0)),
    ]


def ways_for_changing_tastes() -> list[Way]:
    """What is compared for listeners of changing tastes, the default first."""
    return [DEFAULT, Way(MEAN, by_mean=True), *_half_lives((30.0, 180.0, 365.0, NEVER))]


def _interests(division: Division, name: str) -> Way:
    return Way(name, division=division)


def _half_lives(days: Sequence[float]) -> Iterator[Way]:
    for one in days:
        yield Way(f"half-life: {'none' if one == NEVER else f'{one:.0f} days'}", half_life_days=one)


class Audience:
    """Listeners in front of a recommender.

    Parameters
    ----------
    subject
        What is served.
    listeners
        Who asks.
    codes
        Style of each row.
    """

    def __init__(self, subject: Subject, listeners: Sequence[Fan], codes: Rows):
        self.listeners, self.codes, self.vectors = listeners, codes, subject.vectors
        self.ids = [entry.track.id for entry in subject.tracks]
        self._recommender = Recommender(subject.generation)
        self._row_of = {id_: row for row, id_ in enumerate(self.ids)}

    def events_of(self, fan: Fan) -> list[Event]:
        """What a listener did."""
        moments = zip(fan.played, fan.moments(), strict=True)
        return [Event(self.ids[row], Kind.LISTEN, at) for row, at in moments]

    def answer(self, events: Sequence[Event], way: Way) -> Rows:
        """Rows that the service recommends, best first."""
        opinions = self._recommender.opinions(events, NOW, way.half_life_days)
        if way.by_mean:
            return self._rows(self._by_mean(opinions, way.options))
        found = recommend_to(self._recommender, opinions, way.options, way.mood, way.division)
        return self._rows([match.document for match in found.matches])

    def _by_mean(self, opinions: Sequence[Opinion], options: Options) -> list[str]:
        liked = [Preference(one.track_id, one.weight) for one in opinions]
        found = self._recommender.recommend(liked, [], options)
        return [match.document for match in found.matches]

    def _rows(self, documents: Sequence[str]) -> Rows:
        ids = [json.loads(document)["id"] for document in documents]
        return np.array([self._row_of[id_] for id_ in ids], np.int64)

    def measured(self, lists: Sequence[Rows]) -> Measured:
        """What lists are worth, one for each listener.

        ``recall@20`` is the share of what comes next, ``styles@20`` that of the current styles of
        which a track is listed, ``diversity@20`` the mean of 1 - cosine over pairs, ``heard@20``
        the share of the list that was heard.
        """
        values = defaultdict[str, list[float]](list)
        for fan, rows in zip(self.listeners, lists, strict=True):
            values[RECALL].append(np.isin(fan.held_out, rows).mean())
            values[STYLES].append(np.isin(fan.styles, self.codes[rows]).mean())
            values[DIVERSITY].append(float(intra_list_diversity(self.vectors[rows])))
            values[f"heard@{K}"].append(np.isin(rows, fan.played).mean() if len(rows) else 0.0)
        return {metric: np.array(of) for metric, of in values.items()}


def audience_of(subject: Subject, count: int, seed: int, drifting: bool = False) -> Audience:
    """Simulated listeners of a subject's styles, see :func:`indexer.evaluation.styles.fans`."""
    codes = style_codes(subject.labels("album"), subject.labels("genre"))
    return Audience(subject, fans(codes, count, seed, drifting), codes)


def compare_ways(audience: Audience, condition: str, compared: Sequence[Way]) -> list[Figure]:
    """Figures of each way, and of its difference from the first; see :func:`difference_figures`.

    Beside them stands what a random choice of tracks that were not heard is worth.
    """
    found = {
        way.name: audience.measured(
            [audience.answer(audience.events_of(fan), way) for fan in audience.listeners]
        )
        for way in compared
    }
    random = audience.measured([_random(fan, len(audience.ids)) for fan in audience.listeners])
    return [
        *(
            figure(SECTION, name, condition, metric, values)
            for name, of in {**found, RANDOM: random}.items()
            for metric, values in of.items()
        ),
        *difference_figures(condition, found),
    ]


def difference_figures(condition: str, found: Mapping[str, Measured]) -> Iterator[Figure]:
    """How each way differs from the first, listener by listener.

    Intervals are of the mean difference, by bootstrap over listeners. p values are of a permutation
    test, and adjusted for all ways of a condition and metric together (Holm).
    """
    (name, default), *others = found.items()
    for metric in COMPARED:
        differences = {other: values[metric] - default[metric] for other, values in others}
        p_values = {
            other: paired_permutation_test(less, np.zeros_like(less))
            for other, less in differences.items()
        }
        adjusted = holm(p_values)
        for other, less in differences.items():
            yield difference_figure(other, condition, f"{metric} less {name}", less)
            p = adjusted[other]
            yield Figure(SECTION, other, condition, f"{metric} p", p, p, p, len(less))


def difference_figure(
    subject: str, condition: str, metric: str, less: Values, clusters: Rows | None = None
) -> Figure:
    """A mean difference, which unlike a share may well be 0 for all who ask.

    Parameters
    ----------
    subject, condition, metric
        As in :class:`Figure`.
    less
        Difference for each who asks, shape (n,).
    clusters
        As of :func:`indexer.evaluation.figures.figure`.
    """
    members = None if clusters is None else clusters.tolist()
    groups = None if members is None else len(set(members))
    low, high = bootstrap_interval(less, clusters=members)
    value = float(less.mean())
    return Figure(SECTION, subject, condition, metric, value, low, high, len(less), groups)


def again_figures(audience: Audience) -> list[Figure]:
    """Whether `novelty` keeps what it promises: the share of a list that was heard."""
    figures = list[Figure]()
    for novelty in Novelty:
        way = Way(SERVED, mood=Mood(novelty))
        lists = [audience.answer(audience.events_of(fan), way) for fan in audience.listeners]
        heard = audience.measured(lists)[f"heard@{K}"]
        figures.append(figure(SECTION, "novelty", str(novelty), f"heard@{K}", heard))
    return figures


def _random(fan: Fan, n_tracks: int) -> Rows:
    heard = np.unique(fan.played)
    unheard = np.setdiff1d(np.arange(n_tracks), heard)
    return np.random.default_rng(fan.number).permutation(unheard)[:K]
