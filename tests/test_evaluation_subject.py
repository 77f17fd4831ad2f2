"""What is evaluated is what is served."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.evaluation.subject import open_subject, projected, vectors_beside
from recommender.errors import IndexUnavailableError, InvalidParameterError
from recommender.library_tables import CREDIT_FIELDS
from recommender.publishing import publish
from recommender.records import FileState
from tests.builders import (
    OTHER_SPACE,
    SPACE,
    STATE,
    entry,
    indexed,
    open_library,
    publish_beside,
    publish_entries,
    random_entries,
)

NO_CREDIT = dict.fromkeys(CREDIT_FIELDS, "")


def test_vectors_are_those_of_the_served_index(tmp_path: Path) -> None:
    publish_entries(tmp_path, random_entries(5))
    subject = open_subject(tmp_path)
    assert subject.is_served
    assert [e.track.id for e in subject.tracks] == [f"t{i:03}" for i in range(5)]
    assert subject.states == [STATE] * 5
    assert isinstance(subject.states[0], FileState)
    np.testing.assert_allclose(projected(subject.pooled), subject.vectors, atol=1e-6)


def test_labels_are_compared_without_case_accents_and_white_space(tmp_path: Path) -> None:
    publish_entries(tmp_path, [entry("a", (1, 0, 0, 0), artist=" Björk"), entry("b", (0, 1, 0, 0))])
    assert open_subject(tmp_path).labels("artist") == ["bjork", ""]


def test_albums_of_one_title_are_told_apart(tmp_path: Path) -> None:
    albums: list[dict[str, Any]] = [
        {"album": "Greatest Hits", "album_artist": "Ada"},
        {"album": "greatest hits ", "album_artist": "ADA"},
        {"album": "Greatest Hits", "album_artist": "Björk"},
        {"album": "Greatest Hits"},
        {"album": "Greatest Hits", "musicbrainz_album_id": "1f"},
        {"album_artist": "Ada"},
    ]
    publish_entries(
        tmp_path, [entry(f"t{i}", (1, i, 0, 0), **album) for i, album in enumerate(albums)]
    )
    labels = open_subject(tmp_path).labels("album")
    assert labels[0] == labels[1]
    assert len(set(labels[1:])) == 5
    assert labels[5] == ""


def test_nothing_published_is_said(tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailableError, match="reindex"):
        open_subject(tmp_path)


def test_a_generation_without_its_library_is_said(tmp_path: Path) -> None:
    publish_entries(tmp_path, random_entries(3))
    (tmp_path / "library.db").unlink()
    with pytest.raises(InvalidParameterError, match=r"library\.db is not there"):
        open_subject(tmp_path)
    assert not (tmp_path / "library.db").exists()


def test_a_library_that_went_on_is_said(tmp_path: Path) -> None:
    publish_entries(tmp_path, random_entries(3))
    with open_library(tmp_path) as library:
        library.forget_files([b"/music/t001.flac"])
    with pytest.raises(InvalidParameterError, match="has changed since generation="):
        open_subject(tmp_path)


def test_labels_that_are_not_served_yet_are_said(tmp_path: Path) -> None:
    publish_entries(tmp_path, random_entries(3))
    with open_library(tmp_path) as library:
        library.set_credits(b"/music", {b"/music/t001.flac": {**NO_CREDIT, "artist": "Ada"}})
    with pytest.raises(InvalidParameterError, match="run reindex, then evaluate"):
        open_subject(tmp_path)


def test_a_library_whose_files_are_to_be_read_again_is_said(tmp_path: Path) -> None:
    entries = random_entries(3)
    publish_entries(tmp_path, entries)
    with open_library(tmp_path) as library:
        library.store([indexed(e, FileState(-1, 0)) for e in entries], SPACE)
        publish(tmp_path, library, SPACE)
    with pytest.raises(InvalidParameterError, match="was upgraded"):
        open_subject(tmp_path)


def test_an_unknown_space_is_said_with_those_that_are_there(tmp_path: Path) -> None:
    publish_entries(tmp_path, random_entries(3))
    with pytest.raises(InvalidParameterError, match=SPACE.id):
        open_subject(tmp_path, "musicnn-000000000000")


def test_other_spaces_of_the_same_tracks_stand_beside(tmp_path: Path) -> None:
    entries = random_entries(6)
    publish_entries(tmp_path, entries)
    whole, part = replace(SPACE, n_windows=1), replace(SPACE, n_windows=2)
    with open_library(tmp_path) as library:
        for space in (whole, part):
            library.add_space(space)
        turned = [replace(e, vector=e.vector[::-1]) for e in entries]
        library.store([indexed(e) for e in turned], whole)
        library.store([indexed(e) for e in turned[:4]], part)
        publish(tmp_path, library, SPACE)
    subject = open_subject(tmp_path)
    beside, notes = vectors_beside(tmp_path, subject)
    assert list(beside) == [whole.id]
    np.testing.assert_allclose(beside[whole.id], subject.vectors[:, ::-1], atol=1e-6)
    assert notes == [f"space={part.id} lacks 2 tracks"]


@pytest.mark.parametrize("name", ["other", "other:layer=last", OTHER_SPACE.id])
def test_a_served_space_is_meant_by_name_and_by_id(tmp_path: Path, name: str) -> None:
    tracks = random_entries(5)
    publish_entries(tmp_path, tracks)
    publish_beside(tmp_path, tracks)
    subject = open_subject(tmp_path, name)
    assert (subject.space_id, subject.is_served) == (OTHER_SPACE.id, True)
    assert open_subject(tmp_path, "fake").space_id == open_subject(tmp_path).space_id
