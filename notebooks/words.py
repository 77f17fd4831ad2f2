"""Sentences that name figures: what to conclude from them, whatever the catalog."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from indexer.evaluation.figures import Figure
from indexer.evaluation.subject import LABELS, Subject
from notebooks.curves import EFFORT, LATENCY
from notebooks.measures import Check
from notebooks.text import Words, escaped, joined, percent, pick, with_interval
from recommender.arrays import Rows
from recommender.evaluation import anti_hub_share, hub_skewness

LEVEL = 0.05


def catalog(subject: Subject) -> Words:
    """What is evaluated."""
    hours = sum(entry.track.duration_seconds for entry in subject.tracks) / 3600
    facts = (
        f"**{len(subject.tracks):,} tracks, {hours:.1f} hours**, as {subject.vectors.shape[1]} "
        f"numbers each in space `{subject.space_id}`."
    )
    return Words("\n".join([facts, "", *(_known(subject, name) for name in LABELS)]))


def _known(subject: Subject, name: str) -> str:
    counts = Counter(label for label in subject.labels(name) if label)
    if not counts:
        return f"* {name}: not known of any track"
    shared = sum(count > 1 for count in counts.values())
    return (
        f"* {name}: known of {counts.total():,} tracks, {len(counts):,} different, "
        f"{shared:,} of them shared by two tracks or more"
    )


def compared(figures: Sequence[Figure], one: str, other: str, metric: str) -> Words:
    """In which conditions the intervals of two subjects lie apart, and in which they do not."""
    ours, theirs = pick(figures, one, metric), pick(figures, other, metric)
    both = [condition for condition in ours if condition in theirs]
    if not both:
        return Words(f"**Nothing to conclude**: {one} and {other} were not both measured.")
    clear = [c for c in both if ours[c].low > theirs[c].high]
    worse = [c for c in both if ours[c].high < theirs[c].low]
    open_ = [c for c in both if c not in clear and c not in worse]
    return joined(
        f"In {len(clear)} of {len(both)} questions the {metric} of *{one}* is above that of "
        f"*{other}* beyond both intervals" + (f": {_listed(clear, ours)}." if clear else "."),
        f"**Worse than {other}**: {_listed(worse, ours)}." if worse else "",
        f"Not to be told apart by this catalog: {_listed(open_, ours)}." if open_ else "",
    )


def filtered(figures: Sequence[Figure], metric: str) -> Words:
    """What is left of a figure when the easy answers are forbidden."""
    served = pick(figures, "served", metric)
    parts = {condition: condition.partition(", ") for condition in served}
    lines = [
        f"* {plain}: {metric} {with_interval(served[plain])} with all answers, "
        f"**{with_interval(served[condition])} {without}** (n = {served[condition].n})"
        for condition, (plain, _, without) in parts.items()
        if without and plain in served
    ]
    note = (
        "The second figure of a line is the more honest one. It is of fewer questions, those that "
        "have such answers, so the two may differ either way."
    )
    return Words("\n".join([*lines, "", note])) if lines else Words("")


def index(figures: Sequence[Figure]) -> Words:
    """What the served index finds of what there is to find."""
    served = [f for f in figures if f.subject == "served" and f.metric.startswith("recall@")]
    worst = min(served, key=lambda f: f.value)
    same = next(f for f in figures if f.subject == "service")
    loss = (
        f"**The served index finds every true neighbour** of {worst.n} queries"
        if worst.value == 1.0
        else f"**The served index loses some**: {worst.metric} is {with_interval(worst)}"
    )
    return Words(
        f"{loss}. Of the places in the service's answers, {percent(same.value, 1)} are taken as "
        "exact arithmetic in double precision takes them."
    )


def search_curve(figures: Sequence[Figure], recall: str, wanted: float = 0.99) -> Words:
    """How much faster approximate search would be at little loss."""
    times = {f.subject: f.value for f in figures if f.metric == LATENCY}
    shares = {f.subject: f.value for f in figures if f.metric == recall}
    exact = next((name for name in times if not name.startswith(EFFORT)), "")
    good = [s for s, share in shares.items() if s != exact and share >= wanted and s in times]
    if exact not in times or not good:
        return Words(f"No effort that was tried reaches a {recall} of {wanted:g}.")
    name = min(good, key=times.__getitem__)
    return Words(
        f"With *{name}* the graph finds {percent(shares[name], 1)} in {times[name]:.2f} ms, "
        f"where exact search takes {times[exact]:.2f} ms: "
        f"**{times[exact] / times[name]:.1f} times as fast**."
    )


def confused(labels: Sequence[str], shares: npt.NDArray[np.float64]) -> Words:
    """Which label keeps together best, and which is taken for another most."""
    if len(labels) < 2:
        return Words("There are too few labels to confuse.")
    own = np.diag(shares)
    wrong = shares[:, :-1] - np.diag(own)
    asked, answered = divmod(int(wrong.argmax()), len(labels))
    best = int(own.argmax())
    return Words(
        f"Best kept together: **{escaped(labels[best])}**, {percent(own[best])} of the answers "
        f"are its own. Mistaken most: {percent(wrong[asked, answered])} of the answers to "
        f"**{escaped(labels[asked])}** are **{escaped(labels[answered])}**. Listen before calling "
        "that an error: two labels may well sound alike."
    )


def extremes(figures: Sequence[Figure], subject: str, metric: str) -> Words:
    """The best and the worst condition of a subject."""
    found = pick(figures, subject, metric)
    if not found:
        return Words("No clip was measured: no track was to be heard, or its file is gone.")
    hardest = min(found.values(), key=lambda f: f.value)
    easiest = max(found.values(), key=lambda f: f.value)
    return Words(
        f"Hardest: **{hardest.condition}** with {metric} {with_interval(hardest)}; "
        f"easiest: **{easiest.condition}** with {with_interval(easiest)}."
    )


def along(figures: Sequence[Figure], subject: str, metric: str) -> Words:
    """From where to where a metric goes along an ordered list of conditions."""
    found = list(pick(figures, subject, metric).values())
    if len(found) < 2:
        return Words("There is no course to follow: one condition at most was measured.")
    first, last = found[0], found[-1]
    apart = first.high < last.low or last.high < first.low
    return Words(
        f"From *{first.condition}* to *{last.condition}*, the {metric} of *{subject}* goes from "
        f"{with_interval(first)} to {with_interval(last)}: "
        + ("**beyond both intervals**." if apart else "the intervals overlap.")
    )


def controls(checks: Sequence[Check]) -> Words:
    """That shuffled vectors are as good as chance."""
    if not checks:
        return Words("No two tracks share a label, so there is nothing to shuffle.")
    lines = [
        f"* {check.name}: MAP {check.found:.3f} (standard error {check.error:.3f}), "
        f"chance {check.expected:.3f}"
        for check in checks
    ]
    return Words("\n".join(["Vectors of the wrong tracks score like chance:", "", *lines]))


def twins(found: npt.NDArray[np.float64]) -> Words:
    """That copies come first."""
    return Words(f"The copy came first for **all {len(found):,} tracks** that were asked.")


def hubs(counts: Mapping[str, Rows], k: int) -> Words:
    """How crowded the lists are."""
    lines = [
        f"* {name}: skewness {hub_skewness(one):.2f}; the commonest track is on "
        f"{int(one.max(initial=0))} lists of {k}, {percent(anti_hub_share(one))} of the tracks are "
        "on none"
        for name, one in counts.items()
    ]
    return Words("\n".join(lines))


def _listed(conditions: Sequence[str], figures: Mapping[str, Figure]) -> str:
    return "; ".join(f"{c} ({with_interval(figures[c])}, n = {figures[c].n})" for c in conditions)
