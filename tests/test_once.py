"""What is made once, however many ask."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from recommender.embedders.once import Once


def test_threads_that_ask_together_get_one_and_the_same() -> None:
    made = list[object]()
    gate = threading.Barrier(8)

    def make() -> object:
        time.sleep(0.01)
        made.append(object())
        return made[-1]

    once = Once(make)

    def ask(_: int) -> object:
        gate.wait()
        return once()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(8)))
    assert len(made) == 1
    assert all(answer is made[0] for answer in answers)


def test_nothing_is_made_before_it_is_asked_for_and_none_is_made_once() -> None:
    calls = list[int]()
    once = Once(lambda: calls.append(1))
    assert calls == []
    assert once() is None
    assert once() is None
    assert calls == [1]


def test_a_failure_is_tried_again() -> None:
    results = iter([ZeroDivisionError, None])

    def make() -> str:
        error = next(results)
        if error:
            raise error
        return "made"

    once = Once(make)
    with pytest.raises(ZeroDivisionError):
        once()
    assert once() == "made"
