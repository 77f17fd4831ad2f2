"""Where questions are answered: at once on the event loop, or in threads, one a core."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from recommender.closing import Closing
from recommender.ensemble import Ensemble
from recommender.questions import Options

_Result = TypeVar("_Result")


class Searches(Closing):
    """Runs searches without holding up the event loop for longer than a thread would cost.

    Parameters
    ----------
    n_threads
        Most searches at a time; more wait for their turn.
    """

    def __init__(self, n_threads: int):
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix="search")

    async def run(self, search: Callable[[], _Result]) -> _Result:
        """What `search` gives, found in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, search)

    async def ask(
        self,
        spaces: Ensemble,
        options: Options,
        search: Callable[[], _Result],
        *,
        brief: bool = True,
    ) -> _Result:
        """What `search` gives, found at once where that is quicker than handing it to a thread.

        Parameters
        ----------
        spaces, options
            Who is asked, and how.
        search
            Asks, and writes the answer.
        brief
            Whether writing it takes no time to speak of.
        """
        first, *others = spaces.members
        if brief and not others and first.quick(options):
            return search()
        return await self.run(search)

    def close(self) -> None:
        """Wait for searches that are under way; those that have not begun are given up."""
        self._threads.shutdown(cancel_futures=True)


def threads_for(n_workers: int) -> int:
    """Threads of each of some processes that share this machine.

    Two at least, so that one search may be long.
    """
    return max(2, _cores() // n_workers)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
