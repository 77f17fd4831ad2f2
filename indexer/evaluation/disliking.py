"""A style that is disliked must go, and come back when the dislikes are deleted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexer.evaluation.figures import Figure, figure
from indexer.evaluation.recommendations import DEFAULT, RANDOM, SECTION, Audience, K
from indexer.evaluation.styles import NOW, Fan
from recommender.arrays import Rows
from recommender.events import Event, Kind

DISLIKES = 3
DISLIKED = "a disliked style"
PLACES, GONE, OTHERS = f"places of {K}", f"none in {K}", f"recall@{K} of the other styles"


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """A listener who dislikes: the style, and lists after no, one, two, … dislikes."""

    fan: Fan
    style: int
    lists: list[Rows]
    back: bool


def dislike_figures(audience: Audience) -> list[Figure]:
    """What becomes of the style that has most places, of which the first tracks are disliked.

    Of each number of dislikes: how many places the style has, how often it has none, and recall of
    what comes next of the other styles. ``deleted`` is the share of listeners who have the very
    list of before when their dislikes are deleted. Listeners of whom no style has three places are
    left out.

    Returns
    -------
    list of Figure
        None when no listener is left.
    """
    cases = [case for fan in audience.listeners if (case := _case(audience, fan))]
    if not cases:
        return []
    figures = [
        one
        for number in range(DISLIKES + 1)
        for one in _figures(audience, f"dislikes: {number}", cases, number)
    ]
    back = [float(case.back) for case in cases]
    sizes = [np.mean(audience.codes == case.style) * K for case in cases]
    return [
        *figures,
        figure(SECTION, "dislikes: deleted", DISLIKED, "list as before", back),
        figure(SECTION, RANDOM, DISLIKED, PLACES, sizes),
    ]


def _case(audience: Audience, fan: Fan) -> _Case | None:
    events = audience.events_of(fan)
    first = audience.answer(events, DEFAULT)
    counts = [int((audience.codes[first] == style).sum()) for style in fan.styles]
    if max(counts) < DISLIKES:
        return None
    style = int(fan.styles[int(np.argmax(counts))])
    disliked = first[audience.codes[first] == style][:DISLIKES]
    said = [Event(audience.ids[row], Kind.DISLIKE, NOW) for row in disliked]
    lists = [audience.answer([*events, *said[:n]], DEFAULT) for n in range(DISLIKES + 1)]
    left = [event for event in [*events, *said] if event.kind is not Kind.DISLIKE]
    return _Case(fan, style, lists, np.array_equal(audience.answer(left, DEFAULT), first))


def _figures(audience: Audience, name: str, cases: Sequence[_Case], number: int) -> list[Figure]:
    places = np.array([(audience.codes[c.lists[number]] == c.style).sum() for c in cases])
    recalls = list[float]()
    for case in cases:
        others = case.fan.held_out[audience.codes[case.fan.held_out] != case.style]
        if len(others):
            recalls.append(float(np.isin(others, case.lists[number]).mean()))
    values = {PLACES: places, GONE: places == 0, OTHERS: recalls}
    return [figure(SECTION, name, DISLIKED, metric, of) for metric, of in values.items() if len(of)]
