"""Sentences on systems that were asked the same questions, compared pair by pair."""

from collections.abc import Mapping, Sequence

import numpy as np

from indexer.evaluation.clips import AS_IT_IS, SERVED, Outcome
from indexer.evaluation.figures import Figure
from indexer.evaluation.listeners import Listening, paired_difference
from indexer.evaluation.splits import Audience
from indexer.evaluation.variants import CONTROLS, MFCC
from notebooks.text import Words, are_few, chance, counted, escaped, joined, percent
from recommender.significance import paired_permutation_test

LEVEL = 0.05


def levelling(outcomes: Sequence[Outcome]) -> Words:
    """What comparing a clip at several levels is worth."""
    first = {(o.condition, o.subject, o.track_id): float(o.rank == 1) for o in outcomes}
    lines = []
    for condition in dict.fromkeys(o.condition for o in outcomes if o.subject == AS_IT_IS):
        ids = [o.track_id for o in outcomes if (o.condition, o.subject) == (condition, AS_IT_IS)]
        levelled, as_it_is = (
            np.array([first[condition, s, i] for i in ids]) for s in (SERVED, AS_IT_IS)
        )
        p_value = paired_permutation_test(levelled, as_it_is)
        lines.append(
            f"* {condition}: own track first in {percent(levelled.mean())} of {len(ids)} clips "
            f"with levels, in {percent(as_it_is.mean())} without (paired, {chance(p_value)})"
        )
    return Words("\n".join(lines))


def listeners(audience: Audience, notes: Sequence[str]) -> Words:
    """Who listens."""
    splits = audience.splits
    if not splits:
        return joined(*map(escaped, notes))
    past = np.median([len(split.history) for split in splits])
    future = np.median([len(split.held_out) for split in splits])
    return joined(
        f"**{len(splits)} listeners**; half of them have {past:.0f} tracks or more in their past "
        f"and {future:.0f} or more to be found.",
        *map(escaped, notes),
    )


def rivals(listening: Listening, condition: str, metric: str) -> Words:
    """How what is served compares with every other recommender, listener by listener."""
    names = [
        one for one, where, what in listening.per_listener if (where, what) == (condition, metric)
    ]
    if len(names) < 2:
        return Words("No listener has anything to be found under this condition.")
    ours, *others = names
    found = {o: paired_difference(listening, ours, o, condition, metric) for o in others}
    lines = [
        f"* {_verdict(mean, p_value)} *{other}*: {mean:+.3f} ({chance(p_value)})"
        for other, (mean, p_value) in found.items()
    ]
    return Words("\n".join([f"{metric} of *{ours}* is", "", *lines]))


def independence(notes: Sequence[str]) -> Words:
    """That no system can find other artists for simulated listeners; "" when they are real."""
    if not any(note.startswith("listeners are simulated") for note in notes):
        return Words("")
    return Words(
        "These listeners are simulated, and their tastes in different artists are independent: "
        "what they know says nothing of what else they like, so **no system can do better here "
        "than popularity does**. The figures below say nothing against sound. Only a log of real "
        "listeners can answer this question."
    )


def variants(figures: Sequence[Figure]) -> Words:
    """Which variants differ from the default by more than chance, all of a question considered."""
    p_values = {(f.subject, f.condition): f.value for f in figures if f.metric == "p adjusted"}
    if not p_values:
        return Words("No variant was measured: no track was heard, or no two share a label.")
    less = {(f.subject, f.condition): f for f in figures if f.metric.startswith("MAP less")}
    compared = [key for key in p_values if key[0] not in CONTROLS]
    found = [key for key in compared if p_values[key] < LEVEL]
    better = [less[key] for key in found if less[key].value > 0]
    worse = [less[key] for key in found if less[key].value <= 0]
    blind = [less[key] for key in p_values if key[0] in CONTROLS and p_values[key] >= LEVEL]
    return joined(
        f"Of {len(compared)} comparisons, {len(better)} are better than the default and "
        f"{len(worse)} worse by more than chance explains, when it is counted how "
        f"many were made within each question (Holm, {percent(LEVEL)}).",
        _by_question("Better", better),
        _by_question("Worse", worse),
        _classic([less[key] for key in compared if key[0] == MFCC], p_values),
        _blindness(blind)
        if blind
        else "What does not differ can be chosen by its cost; a default that nothing beats stays.",
    )


def settings(figures: Sequence[Figure], default: str = "served") -> Words:
    """Which settings of recommendations differ from the default by more than chance."""
    p_values = {f.key: f.value for f in figures if f.metric.endswith(" p")}
    lines = list[str]()
    for f in figures:
        metric = f.metric.removesuffix(f" less {default}")
        p_value = p_values.get((f.section, f.subject, f.condition, f"{metric} p"), 1.0)
        if metric != f.metric and p_value < LEVEL:
            verdict = _verdict(f.value, p_value)
            lines.append(
                f"* {f.condition}, {metric}: *{f.subject}* is {verdict} the default, "
                f"{f.value:+.3f} (adjusted {chance(p_value)})"
            )
    if not lines:
        return Words("No setting can be told apart from the default; a cheaper one could be taken.")
    return Words("\n".join(["Beyond chance, all comparisons considered:", "", *lines]))


def _by_question(heading: str, figures: Sequence[Figure]) -> str:
    """Which variants, a line a question; "" without any."""
    lines = [
        f"* {question}: "
        + ", ".join(f"*{f.subject}* ({f.value:+.3f})" for f in figures if f.condition == question)
        for question in dict.fromkeys(f.condition for f in figures)
    ]
    return "\n".join([f"**{heading}**", "", *lines]) if lines else ""


def _classic(figures: Sequence[Figure], p_values: Mapping[tuple[str, str], float]) -> str:
    """How the classic baseline compares, a line a question; "" when it was not measured."""
    lines = [
        f"* {f.condition}: {f.value:+.3f} ({counted(f) or f'n = {f.n}'}), "
        + _against_default(f, p_values[f.subject, f.condition])
        for f in figures
    ]
    return "\n".join(["MAP of *MFCC* less that of the default:", "", *lines]) if lines else ""


def _against_default(figure: Figure, p_value: float) -> str:
    if are_few(figure):
        return "too few labels to conclude"
    return f"{_verdict(figure.value, p_value)} the default (adjusted {chance(p_value)})"


def _blindness(blind: Sequence[Figure]) -> str:
    questions = {f.condition: counted(f) or f"n = {f.n}" for f in blind}
    names = "; ".join(f"{question} ({count})" for question, count in questions.items())
    return (
        "**Too few labels to tell much**: even controls, which know nothing, cannot be told from "
        f"the default on {names}. More *labels* are needed, other artists and albums, and not "
        "more tracks of these: labels, not tracks, are what counts as independent."
    )


def _verdict(mean: float, p_value: float) -> str:
    if p_value >= LEVEL:
        return "not to be told apart from"
    return "**above**" if mean > 0 else "**below**"
