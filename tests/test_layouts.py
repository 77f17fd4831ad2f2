"""What was kept is believed only when it has the names, types, shapes and values of an answer."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from indexer.evaluation.layouts import excerpts_fit, frames_fit
from indexer.evaluation.measurements import Arrays
from recommender.embedders import create_embedder
from recommender.space import Space

SPEC = replace(create_embedder("mfcc").spec, frame_dimension=4, tag_names=("a", "b"))
SPACE = Space(SPEC, None)
Damage = Callable[[Arrays], Arrays]


def frames(n_windows: int = 3) -> Arrays:
    return {
        "vectors": np.ones((n_windows, 4), np.float32),
        "tags": np.ones((n_windows, 2), np.float32),
        "audible": np.ones(n_windows, bool),
        "cpu_seconds": np.array([0.1]),
        "audio_seconds": np.array([5.0]),
    }


def excerpts(*conditions: int) -> Arrays:
    n_heard = len(conditions)
    return {
        "vectors": np.ones((n_heard, 4), np.float32),
        "tags": np.ones((n_heard, 2), np.float32),
        "level_dbfs": np.full(n_heard, -14.0),
        "n_windows": np.full(n_heard, 3),
        "condition": np.array(conditions, np.int64),
    }


def put(name: str, *values: float) -> Damage:
    """Write values over the first ones of an array."""

    def damage(arrays: Arrays) -> Arrays:
        changed = arrays[name].copy()
        changed.reshape(-1)[: len(values)] = values
        return arrays | {name: changed}

    return damage


def made(name: str, how: Callable[..., object]) -> Damage:
    return lambda arrays: arrays | {name: np.asarray(how(arrays[name]))}


ANY_DAMAGE: list[Damage] = [
    lambda _: {},
    lambda arrays: arrays | {"more": np.zeros(1)},
    *(
        lambda arrays, name=name: {k: v for k, v in arrays.items() if k != name}
        for name in ("vectors", "tags")
    ),
    made("vectors", lambda a: a[:-1]),
    made("vectors", lambda a: a[:, :3]),
    made("vectors", lambda a: a.astype(np.float64)),
    made("vectors", lambda a: a.reshape(-1)),
    made("vectors", lambda _: np.float32(1)),
    made("tags", lambda a: a[:, :1]),
    put("vectors", np.nan),
    put("tags", np.inf),
]


def test_what_children_answer_fits() -> None:
    assert frames_fit(frames(), SPACE)
    assert frames_fit(frames(12), Space(SPEC, 12))
    for conditions in ([0, 0, 0], [1, 1, 1, 4, 4, 4]):
        assert excerpts_fit(excerpts(*conditions), SPACE, [-20.0, -10.0], 5)
    assert excerpts_fit(excerpts(0, 1), SPACE, [], 2)


@pytest.mark.parametrize(
    "damage",
    [
        *ANY_DAMAGE,
        made("audible", lambda a: a[:-1]),
        made("audible", lambda a: a.astype(np.int64)),
        made("cpu_seconds", lambda a: a[0]),
        made("audio_seconds", lambda a: a[:0]),
        put("cpu_seconds", 0.0),
        put("cpu_seconds", np.inf),
        put("audio_seconds", -1.0),
        put("audio_seconds", np.nan),
        lambda _: frames(0),
    ],
)
def test_damaged_frames_do_not_fit(damage: Damage) -> None:
    assert not frames_fit(damage(frames()), SPACE)


def test_more_windows_than_were_asked_for_do_not_fit() -> None:
    assert not frames_fit(frames(13), Space(SPEC, 12))


@pytest.mark.parametrize(
    "damage",
    [
        *ANY_DAMAGE,
        made("level_dbfs", lambda a: a[:-1]),
        put("level_dbfs", -np.inf),
        put("n_windows", 0),
        made("n_windows", lambda a: a.astype(np.float64)),
        made("condition", lambda a: a.astype(np.float64)),
        put("condition", -1, -1, -1),
        put("condition", 5, 5, 5, 7, 7, 7),
        put("condition", 0, 1, 0),
        put("condition", 2, 2, 2),
        lambda _: excerpts(),
        lambda _: excerpts(0, 0, 0, 1),
        lambda _: excerpts(1, 1, 1, 0, 0, 0),
    ],
)
def test_damaged_excerpts_do_not_fit(damage: Damage) -> None:
    assert not excerpts_fit(damage(excerpts(0, 0, 0, 2, 2, 2)), SPACE, [-20.0, -10.0], 5)
