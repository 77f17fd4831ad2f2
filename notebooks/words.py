"""Sentences that name figures: what to conclude from them, whatever the catalog."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from indexer.evaluation.figures import Figure
from indexer.evaluation.retrieval import Task
from notebooks.text import (
    Words,
    are_few,
    counted,
    escaped,
    joined,
    percent,
    pick,
    with_interval,
)


def compared(figures: Sequence[Figure], one: str, other: str, metric: str) -> Words:
    """In which conditions the intervals of two subjects lie apart, and in which they do not."""
    ours, theirs = pick(figures, one, metric), pick(figures, other, metric)
    both = [condition for condition in ours if condition in theirs]
    if not both:
        return Words(f"**Nothing to conclude**: {one} and {other} were not both measured.")
    few = [c for c in both if are_few(ours[c]) or are_few(theirs[c])]
    enough = [c for c in both if c not in few]
    clear = [c for c in enough if ours[c].low > theirs[c].high]
    worse = [c for c in enough if ours[c].high < theirs[c].low]
    open_ = [c for c in enough if c not in clear and c not in worse]
    verdict = (
        f"In {len(clear)} of {len(enough)} questions the {metric} of *{one}* is above that of "
        f"*{other}* beyond both intervals" + (f": {_listed(clear, ours)}." if clear else ".")
    )
    return joined(
        verdict if enough else "",
        f"**Worse than {other}**: {_listed(worse, ours)}." if worse else "",
        f"Not to be told apart by this catalog: {_listed(open_, ours)}." if open_ else "",
        _too_few([ours[c] for c in few]),
    )


def not_above(figures: Sequence[Figure], one: str, other: str, metric: str) -> Words:
    """The conditions where a further metric of one subject is not above that of another."""
    ours, theirs = pick(figures, one, metric), pick(figures, other, metric)
    both = [c for c in ours if c in theirs and not are_few(ours[c])]
    open_ = [c for c in both if ours[c].low <= theirs[c].high]
    if not open_:
        return Words("")
    pairs = (f"{c} ({ours[c].value:.2f}, {other} {theirs[c].value:.2f})" for c in open_)
    return Words(
        f"By {metric}, *{one}* is **not above** *{other}* beyond both intervals: "
        f"{'; '.join(pairs)}."
    )


def filtered(figures: Sequence[Figure], metric: str) -> Words:
    """What is left of a figure when the easy answers are forbidden."""
    served = pick(figures, "served", metric)
    parts = {condition: condition.partition(", ") for condition in served}
    hard = {c: plain for c, (plain, _, without) in parts.items() if without and plain in served}
    lines = [
        f"* {plain}: {metric} {with_interval(served[plain])} with all answers, "
        f"**{with_interval(served[condition])} {parts[condition][2]}** (n = {served[condition].n})"
        for condition, plain in hard.items()
        if not are_few(served[condition])
    ]
    note = (
        "The second figure of a line is the more honest one. It is of fewer questions, those that "
        "have such answers, so the two may differ either way."
    )
    return joined(
        "\n".join(lines),
        note if lines else "",
        _too_few([served[c] for c in hard if are_few(served[c])]),
    )


def _too_few(figures: Sequence[Figure]) -> str:
    """Figures from which nothing is concluded, with what their intervals are over."""
    if not figures:
        return ""
    names = "; ".join(f"{f.condition} ({counted(f)}, {f.value:.2f}, n = {f.n})" for f in figures)
    return f"**Too few labels to conclude**: {names}."


def confused(
    labels: Sequence[str], shares: npt.NDArray[np.float64], ceilings: Sequence[float]
) -> Words:
    """Which label keeps together best, and which is taken for another most.

    Parameters
    ----------
    labels, shares
        As of :func:`indexer.evaluation.failures.confusions`.
    ceilings
        The share of its own answers that each label can have at most.
    """
    if len(labels) < 2:
        return Words("There are too few labels to confuse: two tracks or more must share each.")
    own = np.diag(shares)
    best = int(own.argmax())
    small = [
        f"{escaped(label)} ({percent(ceiling)} at most)"
        for label, ceiling in zip(labels, ceilings, strict=True)
        if ceiling < 1.0
    ]
    return joined(
        f"Best kept together: **{escaped(labels[best])}**, {percent(own[best])} of the answers "
        f"are its own. {_mistaken(labels, shares, ceilings)}",
        "A label of few tracks cannot fill every answer, however well it is kept together: "
        f"{', '.join(small)}."
        if small
        else "",
    )


def _mistaken(
    labels: Sequence[str], shares: npt.NDArray[np.float64], ceilings: Sequence[float]
) -> str:
    own = np.diag(shares)
    wrong = shares[:, :-1] - np.diag(own)
    # after all of a label's own tracks something else must come, and that is no mistake
    wrong[np.isclose(own, ceilings)] = 0.0
    asked, answered = divmod(int(wrong.argmax()), len(labels))
    if wrong[asked, answered] == 0.0:
        return "None of them is mistaken for another one."
    return (
        f"Mistaken most: {percent(wrong[asked, answered])} of the answers to "
        f"**{escaped(labels[asked])}** are **{escaped(labels[answered])}**. Listen before calling "
        "that an error: two labels may well sound alike."
    )


def extremes(figures: Sequence[Figure], subject: str, metric: str, finer: str) -> Words:
    """The best and the worst condition of a subject.

    Parameters
    ----------
    figures, subject
        Of what is looked at.
    metric
        What conditions are compared by.
    finer
        The metric instead, where several conditions are the best by `metric`.
    """
    found = pick(figures, subject, metric)
    if not found:
        return Words("No clip was measured: no track was to be heard, or its file is gone.")
    if len(found) > 1 and len(_with_value(found, max)) > 1:
        metric, found = finer, pick(figures, subject, finer)
    hardest, easiest = _with_value(found, min), _with_value(found, max)
    if hardest == easiest:
        return Words(f"All conditions are equal: {metric} {with_interval(easiest[0])}.")
    return Words(
        f"Hardest: {_conditions(hardest)} with {metric} {with_interval(hardest[0])}; "
        f"easiest: {_conditions(easiest)} with {with_interval(easiest[0])}."
    )


def _with_value(
    figures: Mapping[str, Figure], which: Callable[[Iterable[float]], float]
) -> list[Figure]:
    value = which(f.value for f in figures.values())
    return [f for f in figures.values() if f.value == value]


def _conditions(figures: Sequence[Figure]) -> str:
    return " and ".join(f"**{f.condition}**" for f in figures)


def along(figures: Sequence[Figure], subject: str, metric: str) -> Words:
    """From where to where a metric goes along an ordered list of conditions."""
    found = list(pick(figures, subject, metric).values())
    if len(found) < 2:
        return Words("There is no course to follow: one condition at most was measured.")
    first, last = found[0], found[-1]
    course = f"From *{first.condition}* to *{last.condition}*, the {metric} of *{subject}*"
    if len({f"{f.value:.2f}" for f in found}) == 1:
        return Words(f"{course} stays at {first.value:.2f}.")
    apart = first.high < last.low or last.high < first.low
    few = next((f for f in (first, last) if are_few(f)), None)
    verdict = "**beyond both intervals**." if apart else "the intervals overlap."
    return Words(
        f"{course} goes from {with_interval(first)} to {with_interval(last)}: "
        + (f"too few to conclude ({counted(few)})." if few else verdict)
    )


def failing(task: Task | None, tasks: Sequence[Task]) -> Words:
    """Which question the worst answers are to, or why there are none."""
    if not tasks:
        return Words("No two tracks share a label, so no answer is known to be wrong.")
    if task is None:
        return Words(f"**Every answer to all {len(tasks)} questions is perfect.**")
    return Words(
        f"Question: **{task.name}** ({len(task.seeds):,} tracks asked), which most tracks were "
        "asked of those with an answer that is not perfect."
    )


def _listed(conditions: Sequence[str], figures: Mapping[str, Figure]) -> str:
    return "; ".join(f"{c} ({with_interval(figures[c])}, n = {figures[c].n})" for c in conditions)
