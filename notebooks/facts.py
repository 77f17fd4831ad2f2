"""Sentences on what stands on its own: the catalog, its index, controls, hubs."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from indexer.evaluation.figures import Figure
from indexer.evaluation.subject import LABELS, Subject
from notebooks.curves import EFFORT, LATENCY
from notebooks.measures import Check
from notebooks.text import Words, percent, with_interval
from recommender.arrays import Rows
from recommender.evaluation import anti_hub_share, hub_skewness


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


def saturated(metric: str, subject: Subject) -> Words:
    """That a list as long as the catalog holds every answer; "" when it is shorter."""
    n_tracks, depth = len(subject.tracks), int(metric.partition("@")[2])
    if n_tracks - 1 > depth:
        return Words("")
    return Words(
        f"**{metric} says nothing here**: of {n_tracks} tracks a list of {depth} holds every one "
        "that may be listed, in whatever order. Index more tracks."
    )


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
