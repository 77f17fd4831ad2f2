"""A contestant at work: tuned on some queries, measured on others."""

from collections.abc import Callable
from functools import cache

import numpy as np

from benchmarks.clock import latencies, timed
from benchmarks.contestants import Allowed, Contestant
from benchmarks.exact import recall
from recommender.arrays import FloatArray, Rows

N_TUNING = 1_000
TUNING_SECONDS = 3.0
WARM_UP = 20
# efforts are found to this part of their size
FINENESS = 24


def tuned_effort(contestant: Contestant, queries: FloatArray, truth: Rows, target: float) -> int:
    """The smallest effort that finds `target` of what the first `N_TUNING` queries look for."""
    k = truth.shape[1]
    if contestant.efforts is None:
        return 0

    @cache
    def recall_at(effort: int) -> float:
        found = list[float]()
        contestant.use(effort)

        def search(number: int) -> None:
            rows = contestant.search(queries[number], k)
            found.append(recall(rows, truth[number]))

        latencies(search, range(min(N_TUNING, len(queries))), TUNING_SECONDS)
        return float(np.mean(found))

    return smallest(lambda effort: recall_at(effort) >= target, *contestant.efforts)


def smallest(enough: Callable[[int], bool], least: int, most: int) -> int:
    """The smallest number of a range that is enough, about; the greatest when none is."""
    low, high = least, least
    while not enough(high):
        if high >= most:
            return most
        low, high = high, min(2 * high, most)
    while high - low > max(1, high // FINENESS):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


class Trial:
    """One contestant with one effort, and what became of its queries so far.

    Parameters
    ----------
    contestant
        Built.
    effort
        Its effort.
    queries, truth
        All queries and what exact search finds; the first `N_TUNING` are left out where there are
        more, for the effort was chosen with them.
    turn_seconds
        How long single queries last in a turn, and a batch again as long.
    allowed
        Which rows are searched for, None for all.
    """

    def __init__(
        self,
        contestant: Contestant,
        effort: int,
        queries: FloatArray,
        truth: Rows,
        turn_seconds: float,
        allowed: Allowed | None = None,
    ):
        self.contestant, self.effort = contestant, effort
        first = N_TUNING if len(queries) > N_TUNING else 0
        self._queries, self._truth = queries[first:], truth[first:]
        self._turn_seconds, self._allowed = turn_seconds, allowed
        self._spent = list[FloatArray]()
        self._recalls, self._counts = dict[int, float](), dict[int, int]()
        self._next = 0
        self.batch_rates = list[float]()

    @property
    def seconds(self) -> FloatArray:
        """Of every single query so far."""
        return np.concatenate(self._spent)

    @property
    def recall(self) -> float:
        """Mean over the queries so far, each counted once."""
        return float(np.mean(list(self._recalls.values())))

    @property
    def n_found(self) -> float:
        """How many rows came back, on average."""
        return float(np.mean(list(self._counts.values())))

    def turn(self) -> None:
        """Single queries for a while; then a batch that takes about as long, unless filtered."""
        self.contestant.use(self.effort)
        for number in self._numbers(WARM_UP):
            self._search(number)
        numbers, found = self._numbers(len(self._queries)), dict[int, Rows]()

        def search(number: int) -> None:
            found[number] = self._search(number)

        spent = latencies(search, numbers, self._turn_seconds)
        self._next += len(spent)
        self._spent.append(spent)
        for number, rows in found.items():
            self._recalls[number] = recall(rows, self._truth[number])
            self._counts[number] = len(rows)
        if self._allowed is None:
            self._batch(float(np.median(spent)))

    def _numbers(self, n: int) -> list[int]:
        return [(self._next + i) % len(self._queries) for i in range(n)]

    def _search(self, number: int) -> Rows:
        query, k = self._queries[number], self._truth.shape[1]
        if self._allowed is None:
            return self.contestant.search(query, k)
        return self.contestant.search_allowed(query, k, self._allowed)

    def _batch(self, seconds_each: float) -> None:
        n = int(np.clip(self._turn_seconds / seconds_each, 1, len(self._queries)))
        queries, k = self._queries[:n], self._truth.shape[1]
        _, seconds = timed(lambda: self.contestant.batch(queries, k))
        self.batch_rates.append(n / seconds)
