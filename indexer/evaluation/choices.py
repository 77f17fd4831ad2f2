"""Every choice behind recommendations in turn: hubs, dislikes, and the defaults for listeners."""

from indexer.evaluation.crowding import crowding_figures
from indexer.evaluation.disliking import dislike_figures
from indexer.evaluation.figures import Figure
from indexer.evaluation.recommendations import (
    DRIFTING,
    STEADY,
    again_figures,
    audience_of,
    compare_ways,
    ways,
    ways_for_changing_tastes,
)
from indexer.evaluation.styles import LEAST_STYLE
from indexer.evaluation.subject import Subject

DEFAULT_FANS = 60
NOT_SERVED = "no recommendations: they are those of the served space"
NO_FANS = "no recommendations to listeners: they need --fans above 0"
NO_STYLES = (
    "no recommendations to listeners: too few tracks share an album or a genre to simulate "
    f"styles; two of {LEAST_STYLE} tracks are needed"
)


def measure_choices(subject: Subject, n_fans: int, seed: int) -> tuple[list[Figure], list[str]]:
    """Figures of every choice, and notes on what could not be measured.

    Parameters
    ----------
    subject
        What is served.
    n_fans
        Simulated listeners of each kind; 0 for none.
    seed
        The same seed gives the same figures.
    """
    if not subject.is_served:
        return [], [NOT_SERVED]
    figures = crowding_figures(subject, seed)
    steady = audience_of(subject, n_fans, seed)
    if not steady.listeners:
        return figures, [NO_STYLES if n_fans else NO_FANS]
    drifting = audience_of(subject, n_fans, seed, drifting=True)
    return [
        *figures,
        *compare_ways(steady, STEADY, ways()),
        *compare_ways(drifting, DRIFTING, ways_for_changing_tastes()),
        *again_figures(steady),
        *dislike_figures(steady),
    ], []
