"""What is known of each row after an update."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from recommender.changes import changes_of
from recommender.filters import Filters
from recommender.generation import Generation, open_generation
from recommender.manifest import ARTISTS, MAP
from recommender.neighbours import Neighbours, no_lists
from recommender.publishing import publish
from recommender.update_rows import UpdatedRows
from tests.builders import DIMENSION, SPACE, open_library
from tests.updates import HNSW, TRACKS, brought_up_to_date, forget, new_entries, same_file, store


def test_the_projection_stays_the_one_that_was_fitted(tmp_path: Path, before: Generation) -> None:
    store(tmp_path, new_entries(7))
    after = brought_up_to_date(tmp_path)
    np.testing.assert_array_equal(after.projection.centre, before.projection.centre)
    np.testing.assert_array_equal(
        after.index.vectors(np.arange(300)), before.index.vectors(np.arange(300))
    )


def test_the_mean_follows_what_is_there(tmp_path: Path, before: Generation) -> None:
    store(tmp_path, new_entries(7))
    forget(tmp_path, TRACKS[:5])
    after = brought_up_to_date(tmp_path)
    live = after.index.vectors(after.arrays.order.astype(np.int64))
    np.testing.assert_allclose(after.arrays.means[1], live.mean(axis=0), atol=1e-6)
    np.testing.assert_array_equal(after.arrays.means[0], before.arrays.means[0])


def test_artists_keep_their_numbers(tmp_path: Path) -> None:
    named = [
        replace(e, metadata=replace(e.metadata, artist=f"Artist {place % 9}"))
        for place, e in enumerate([*TRACKS, *new_entries(12)])
    ]
    store(tmp_path, named[:300])
    first = brought_up_to_date(tmp_path)
    forget(tmp_path, named[:2])
    renamed = replace(named[2], metadata=replace(named[2].metadata, artist="ARTIST 7"))
    newcomer = replace(named[3], metadata=replace(named[3].metadata, artist="A first one"))
    store(tmp_path, [*named[300:], renamed, newcomer])
    after = brought_up_to_date(tmp_path)
    numbers = {e.id: place % 9 for place, e in enumerate(named)} | {renamed.id: 7, newcomer.id: 9}
    assert after.arrays.artists[:2].tolist() == [-1, -1]
    order = after.arrays.order
    assert after.arrays.artists[order].tolist() == [numbers[id_] for id_ in after.track_ids]
    assert not same_file(tmp_path, first, after, ARTISTS)


def test_rows_keep_their_places_on_the_map_and_new_ones_lie_by_those_they_sound_like(
    tmp_path: Path, before: Generation
) -> None:
    alike = [replace(TRACKS[place], id=f"{TRACKS[place].id}-copy") for place in (7, 90)]
    store(tmp_path, [replace(entry, path=b"") for entry in [*alike, *new_entries(5)]])
    forget(tmp_path, TRACKS[:3])
    after = brought_up_to_date(tmp_path)
    places = after.arrays.places
    np.testing.assert_array_equal(places[:300], before.arrays.places)
    assert (np.abs(places) <= 1.0).all()
    [row] = after.rows_of([alike[0].id])[0]
    near = after.arrays.neighbours.of(7)
    assert near is not None
    around = places[[row for row in near[0].tolist() if row < 300]]
    assert np.linalg.norm(places[row] - np.median(around[:10], axis=0)) < 0.25


def test_without_lists_a_new_row_finds_its_place_by_a_search(
    tmp_path: Path, before: Generation
) -> None:
    [new] = new_entries(1)
    store(tmp_path, [new])
    with open_library(tmp_path) as library:
        rows = UpdatedRows(before, changes_of({new.id}, library, before))
    after = brought_up_to_date(tmp_path)
    places = rows.places(after.index, Neighbours(*no_lists()))
    np.testing.assert_array_equal(places, after.arrays.places)


def test_no_new_row_leaves_the_map_the_same_file(tmp_path: Path, before: Generation) -> None:
    forget(tmp_path, TRACKS[:3])
    assert same_file(tmp_path, before, brought_up_to_date(tmp_path), MAP)


def test_new_tags_of_a_file_change_the_catalog_and_no_row(
    tmp_path: Path, before: Generation
) -> None:
    retagged = replace(TRACKS[4], metadata=replace(TRACKS[4].metadata, artist="Ada", year=1970))
    store(tmp_path, [retagged])
    after = brought_up_to_date(tmp_path)
    assert after.manifest.n_rows == 300
    row = int(before.rows_of([retagged.id])[0][0])
    assert after.catalog.tracks([row])[row].metadata == retagged.metadata
    filters = Filters(artists=("ada",), year_from=1969)
    allowed = after.allowed.of(filters).rows
    assert allowed is not None
    assert allowed.rows.tolist() == [row]
    assert after.arrays.artists[row] >= 0


def test_a_track_that_was_heard_anew_gets_a_new_row(tmp_path: Path, before: Generation) -> None:
    other = replace(TRACKS[4], vector=[-v for v in TRACKS[4].vector], tags=(0.5, 0.25, 0.75))
    store(tmp_path, [other])
    after = brought_up_to_date(tmp_path)
    assert (after.manifest.n_tracks, after.manifest.n_rows) == (300, 301)
    [row] = after.rows_of([other.id])[0].tolist()
    assert row == 300
    np.testing.assert_allclose(after.arrays.tags[row], other.tags)
    expected = after.project(np.array(other.vector, np.float32))
    np.testing.assert_allclose(after.index.vectors(np.array([row]))[0], expected, atol=1e-6)


def test_other_tag_strengths_of_the_same_vector_are_kept_up_to_date(
    tmp_path: Path, before: Generation
) -> None:
    store(tmp_path, [replace(TRACKS[4], tags=(0.5, 0.25, 0.75))])
    after = brought_up_to_date(tmp_path)
    assert after.manifest.n_rows == 300
    row = after.rows_of([TRACKS[4].id])[0]
    np.testing.assert_allclose(after.arrays.tags[row][0], (0.5, 0.25, 0.75))
    np.testing.assert_allclose(before.arrays.tags[row][0], 0.0)


def test_dimensions_of_a_projection_are_kept(tmp_path: Path) -> None:
    space = replace(SPACE, projection="pca:2")
    store(tmp_path, TRACKS)
    with open_library(tmp_path) as library:
        publish(tmp_path, library, space, HNSW)
    store(tmp_path, new_entries(4))
    with open_library(tmp_path) as library:
        generation = open_generation(tmp_path, publish(tmp_path, library, space, HNSW))
    assert generation.manifest.parent
    assert generation.index.dimension == 2
    assert generation.projection.components is not None
    assert generation.projection.components.shape == (2, DIMENSION)
