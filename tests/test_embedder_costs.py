"""What embedders cost, as it is recorded, and how long they are waited for because of it."""

import pytest

from api.clips import LIMITS, _patience
from indexer.embedders_command import as_if_present
from recommender.embedders import EMBEDDERS, UNKNOWN_COST, cost_of, create_embedder, patience_of
from recommender.embedding import DEFAULT_WINDOWS

LEVELS = 6


def test_costs_are_those_of_the_default_embedder_or_more() -> None:
    costs = {name: cost_of(name) for name in EMBEDDERS}
    assert costs["musicnn"] == 1
    assert all(cost and 0 < cost < UNKNOWN_COST for cost in costs.values())


def test_none_is_given_less_time_than_the_default_one() -> None:
    assert {name: patience_of(name) for name in ("musicnn", "mfcc", "soundnet")} == {
        "musicnn": 1,
        "mfcc": 1,
        "soundnet": 1,
    }
    assert patience_of("openl3:size=6144") == cost_of("openl3")


@pytest.mark.parametrize("name", EMBEDDERS)
def test_clips_get_several_times_what_their_windows_cost(name: str) -> None:
    """Of musicnn a minute takes half a second on the machine where costs were measured."""
    with as_if_present(name):
        spec = create_embedder(name).spec
    minutes = DEFAULT_WINDOWS * LEVELS * spec.hop_samples / spec.sample_rate / 60
    expected = 0.5 * minutes * (cost_of(name) or 1)
    assert _patience(spec) * LIMITS.cpu_seconds > 4 * expected
