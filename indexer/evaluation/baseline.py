"""Is it as good as it was? A report against an earlier one of the same catalog."""

import math
from collections.abc import Sequence
from dataclasses import fields

from indexer.evaluation.clips import SECTION as CLIPS
from indexer.evaluation.figures import Figure
from indexer.evaluation.report import Origin, Report
from recommender.errors import InvalidParameterError

# what is ours; the others are what ours is compared with
GATED_SUBJECTS = ("served", "service")
MARGIN = 0.05
# sums of the same numbers differ this far between processors
_ROUNDING = 1e-9
# times are the machine's; of the others neither more nor less is better for itself
NOT_GATED = ("latency", "coverage", "novelty", "diversity", "artist share", "heard")


def require_comparable(origin: Origin, baseline: Report) -> None:
    """Refuse to compare what is of other tracks or samples, or with nothing.

    Raises
    ------
    InvalidParameterError
        Naming the difference.
    """
    for field in fields(origin):
        ours, theirs = getattr(origin, field.name), getattr(baseline.origin, field.name)
        if ours != theirs:
            raise InvalidParameterError(
                f"{field.name}={ours}, but {field.name}={theirs} in the baseline; figures of other "
                "tracks or samples cannot be compared; evaluate alike, or store a new baseline"
            )
    if not _gated(baseline.figures):
        raise InvalidParameterError("the baseline holds nothing to compare with; store a new one")


def regressions(report: Report, baseline: Report) -> list[str]:
    """What has become worse, in words; nothing when all is as good as it was.

    A figure has become worse when it lies below :func:`floor_of` the earlier one, or when it is not
    measured any more, or of fewer queries. `NOT_GATED` says what is not compared.

    Raises
    ------
    InvalidParameterError
        As of :func:`require_comparable`.
    """
    require_comparable(report.origin, baseline)
    now = {figure.key: figure for figure in report.figures}
    complaints = [_complaint(before, now.get(before.key)) for before in _gated(baseline.figures)]
    return [complaint for complaint in complaints if complaint]


def _gated(figures: Sequence[Figure]) -> list[Figure]:
    return [
        f for f in figures if f.subject in GATED_SUBJECTS and not f.metric.startswith(NOT_GATED)
    ]


def floor_of(before: Figure) -> float:
    """What a figure in [0, 1] may not fall below: the narrowest of two intervals and a margin.

    The interval of a figure is over labels, and says how far it carries to other music. Here the
    music is the same, so that of its queries counts too: no metric in [0, 1] of mean m varies more
    than one that is 1 for a share m of the queries and 0 for the others. And as the queries are the
    same as well, no figure may lose more than `MARGIN`.

    A clip goes through encoders whose last bits are the machine's: one of them may be lost.
    """
    mean = min(1.0, max(0.0, before.value))
    spread = 1.96 * math.sqrt(mean * (1.0 - mean) / before.n)
    # of a single label there is no interval, and both its ends are the value
    low = before.low if before.low < before.value else 0.0
    floor = max(low, before.value - spread, before.value - MARGIN)
    return min(floor, before.value - 1 / before.n) if before.section == CLIPS else floor


def _complaint(before: Figure, now: Figure | None) -> str:
    name = " · ".join(part for part in before.key if part)
    if now is None:
        return f"{name}: {before.value:.3f} before, not measured now"
    if now.n < before.n:
        return f"{name}: of n={now.n} now, of n={before.n} before"
    floor = floor_of(before)
    if not now.value >= floor - _ROUNDING:
        values = f"{now.value:.3f} now, {before.value:.3f} before"
        return f"{name}: {values}, at least {floor:.3f} wanted"
    return ""
