"""Is it as good as it was? A report against an earlier one of the same catalog."""

import math
from collections.abc import Sequence

from indexer.evaluation.figures import Figure
from indexer.evaluation.report import Report
from recommender.errors import InvalidParameterError

# what is ours; the others are what ours is compared with
GATED_SUBJECTS = ("served", "service")
# sums of the same numbers differ this far between processors
_ROUNDING = 1e-9
# times are the machine's; of the others neither more nor less is better for itself
NOT_GATED = ("latency", "coverage", "novelty", "diversity", "artist share")


def regressions(report: Report, baseline: Report) -> list[str]:
    """What has become worse, in words; nothing when all is as good as it was.

    A figure has become worse when it lies below :func:`floor_of` the earlier one, or when it is not
    measured any more. `NOT_GATED` says what is not compared.

    Raises
    ------
    InvalidParameterError
        The reports are of different tracks, or chose at random in different ways.
    """
    for name in ("catalog", "seed", "listened"):
        ours, theirs = getattr(report, name), getattr(baseline, name)
        if ours != theirs:
            raise InvalidParameterError(
                f"{name}={ours}, but {name}={theirs} in the baseline; figures of other tracks or "
                "samples cannot be compared; evaluate alike, or store a new baseline"
            )
    now = {figure.key: figure for figure in report.figures}
    complaints = [_complaint(before, now.get(before.key)) for before in _gated(baseline.figures)]
    return [complaint for complaint in complaints if complaint]


def _gated(figures: Sequence[Figure]) -> list[Figure]:
    return [
        f for f in figures if f.subject in GATED_SUBJECTS and not f.metric.startswith(NOT_GATED)
    ]


def floor_of(before: Figure) -> float:
    """What a figure in [0, 1] may not fall below: the narrower of two 95 % intervals.

    The interval of a figure is over labels, and says how far it carries to other music. Here the
    music is the same, so that of its queries counts too: no metric in [0, 1] of mean m varies more
    than one that is 1 for a share m of the queries and 0 for the others.
    """
    mean = min(1.0, max(0.0, before.value))
    return max(before.low, before.value - 1.96 * math.sqrt(mean * (1.0 - mean) / before.n))


def _complaint(before: Figure, now: Figure | None) -> str:
    name = " · ".join(part for part in before.key if part)
    if now is None:
        return f"{name}: {before.value:.3f} before, not measured now"
    floor = floor_of(before)
    if now.value < floor - _ROUNDING:
        values = f"{now.value:.3f} now, {before.value:.3f} before"
        return f"{name}: {values}, at least {floor:.3f} wanted"
    return ""
