"""Tracks, and the JSON that stands for them."""

import json
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from recommender.track import Match, Metadata, SpaceRank, Track

texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.integers(0, 9999)
metadata = st.builds(
    Metadata,
    **{f.name: numbers if f.type in (int, "int") else texts for f in fields(Metadata)},
)


def test_a_document_is_what_the_service_gives() -> None:
    track = Track(
        "a1",
        12.34567,
        Metadata("T", "Björk", "B", "C", "D", "G", 7, 1999, "r", "l", "p", "CC0", "by"),
    )
    assert track.document() == (
        '{"id":"a1","title":"T","artist":"Björk","album":"B","album_artist":"C","composer":"D",'
        '"duration_seconds":12.346,"genre":"G","year":1999,"track_number":7,'
        '"musicbrainz_recording_id":"r","musicbrainz_album_id":"l","musicbrainz_artist_id":"p",'
        '"licence":"CC0","attribution":"by","bpm":0.0,"key":""}'
    )


@given(metadata, st.integers(0, 10**7))
def test_nothing_is_lost_in_a_document(of: Metadata, milliseconds: int) -> None:
    track = Track("id", milliseconds / 1000, of)
    document = track.document()
    assert Track.from_document(document) == track
    assert json.loads(document).keys() == {"id", "duration_seconds"} | {
        f.name for f in fields(Metadata)
    }


def test_a_match_knows_its_track() -> None:
    track = Track("a", 1.5, Metadata(title="T"))
    match = Match(1, 0.9, track.document())
    assert match.track == track
    assert (match.shared_tags, match.space_ranks) == ((), ())


def test_places_have_names() -> None:
    assert SpaceRank("musicnn", 3).rank == 3
