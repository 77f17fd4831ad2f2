"""What a worker keeps in memory beside an index, held against what was measured."""

import pytest

from recommender.index.measurement import UNMEASURED
from recommender.index.recipes import IndexOptions, index_bytes, plan
from recommender.manifest import SegmentsRecord
from recommender.memory import SERVICE_BYTES, bytes_beside, bytes_of_segments
from recommender.slices import MOST_MAPPED_BYTES

MIB = 2**20


@pytest.mark.parametrize(
    ("n_tracks", "kind", "resident_mib"),
    [(10_000, "flat", 135), (100_000, "hnsw", 293), (1_000_000, "hnsw-fp16", 827)],
)
def test_the_estimate_is_near_what_was_measured(
    n_tracks: int, kind: str, resident_mib: int
) -> None:
    estimate = bytes_beside(n_tracks, 50) + index_bytes(kind, n_tracks, 200)
    assert estimate / MIB == pytest.approx(resident_mib, rel=0.06)


def test_an_empty_space_takes_what_the_service_takes() -> None:
    assert bytes_beside(0, 50) == SERVICE_BYTES


def test_every_tag_of_every_track_counts() -> None:
    assert bytes_beside(1_000, 527) - bytes_beside(1_000, 0) == 2 * 527 * 1_000


def test_files_so_large_that_they_are_read_do_not_count() -> None:
    n_tracks = MOST_MAPPED_BYTES // 192
    assert bytes_beside(n_tracks, 0) - bytes_beside(n_tracks + 1, 0) > 0.99 * MOST_MAPPED_BYTES


def test_windows_that_are_kept_one_by_one_count_with_their_index() -> None:
    recipe = plan(1_000, 128, IndexOptions("flat-fp16"))
    record = SegmentsRecord(1_000, 20, 128, True, 3.0, 3.0, recipe, UNMEASURED)
    assert bytes_of_segments(None, 20) == 0
    assert bytes_of_segments(record, 20) == 1_000 * (2 * 128 + 8) + 20 * 16
