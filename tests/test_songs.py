"""What songs are known by, and which cosines make two tracks copies of one recording."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.songs import SONG, Songs, are_copies, may_be_copies, parted, song_of
from recommender.track import Metadata, Track

KITTO = Metadata(title="Slow Elevator", artist="Kitto")


def songs(*metadata: Metadata, seconds: float = 180.0) -> Songs:
    return np.array([song_of(Track("a", seconds, one)) for one in metadata], SONG)


def copies(
    one: Metadata, other: Metadata, cosine: float, seconds: float = 180.0, room: float = -1.0
) -> bool:
    first, second = songs(one), songs(other, seconds=seconds)
    [found] = are_copies(first, second, np.array([cosine]), np.array([room])).tolist()
    [back] = are_copies(second, first, np.array([cosine]), np.array([room])).tolist()
    assert found == back
    return bool(found)


def least(one: Metadata, other: Metadata, seconds: float = 180.0) -> float | None:
    """The least cosine, in hundredths, of copies that are called so; None when there is none."""
    cosines = [n / 100 for n in range(101) if copies(one, other, n / 100, seconds)]
    return min(cosines, default=None)


@pytest.mark.parametrize(
    "title",
    [
        "Slow Elevator (Live)",
        "slow elevator [2011 Remaster]",
        "Slow Elevator - Live at the Hall",
        "Slow Elevator – Radio Edit",
        "03 - Slow Elevator",
        "Slow Elevator (feat. Ada)",
        "Slow Elevator;Slow Elevator",
        "Slow Elevator (Mono) - Remastered 2009",
    ],
)
def test_a_title_is_the_same_whatever_is_said_of_the_version(title: str) -> None:
    assert parted(title) == parted("Slow Elevator")
    assert least(KITTO, replace(KITTO, title=title)) == 0.75


@pytest.mark.parametrize(
    "title",
    [
        "Slow Elevator (Ada Remix)",
        "Slow Elevator (Instrumental)",
        "Slow Elevator (Part 2)",
        "Slow Elevator (II. Adagio)",
        "Slow Elevator - Lacrimosa",
        "Slow Elevator; Fast Stairs",
    ],
)
@pytest.mark.usefixtures("told_by_sound")
def test_another_work_has_another_name(title: str) -> None:
    assert parted(title)[0] != parted("Slow Elevator")[0]
    assert least(KITTO, replace(KITTO, title=title)) == 0.99


def test_a_note_that_says_nothing_known_stands_beside_the_title() -> None:
    assert parted("Slow Elevator (from the attic)") == ("slowelevator", "fromtheattic")
    assert parted("(Everything)") == ("everything", "")
    assert parted("") == ("", "")


CASES: list[tuple[str, Metadata, Metadata, float | None, float | None]] = [
    ("the same names", KITTO, KITTO, 0.75, 0.75),
    ("a guest", KITTO, replace(KITTO, artist="The Kitto & Ada"), 0.75, 0.75),
    ("a note", KITTO, replace(KITTO, title="Slow Elevator (attic)"), 0.75, 0.86),
    ("no artist", KITTO, Metadata(title="Slow Elevator"), 0.75, 0.86),
    ("a compilation", KITTO, replace(KITTO, artist="Various Artists"), 0.75, 0.86),
    ("another artist", KITTO, replace(KITTO, artist="Ada"), 0.9, 0.95),
    (
        "a title of many, by one artist",
        replace(KITTO, title="Intro"),
        replace(KITTO, title="INTRO"),
        0.75,
        0.86,
    ),
    ("a title of many", Metadata(title="Track 01"), Metadata(title="Track 01"), 0.9, 0.95),
    ("another title", KITTO, replace(KITTO, title="Fast Stairs"), 0.99, None),
    ("no title", KITTO, replace(KITTO, title=""), 0.92, None),
    ("no names", Metadata(), Metadata(), 0.92, None),
    ("no title, another artist", KITTO, Metadata(artist="Ada"), 0.99, None),
    (
        "the same recording for MusicBrainz",
        Metadata(title="One", musicbrainz_recording_id="1"),
        Metadata(title="Two", musicbrainz_recording_id="1"),
        0.75,
        0.75,
    ),
]


@pytest.mark.parametrize(
    ("one", "other", "of_one_length", "of_any_length"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
@pytest.mark.usefixtures("told_by_sound")
def test_the_more_names_say_the_less_alike_copies_need_be(
    one: Metadata, other: Metadata, of_one_length: float | None, of_any_length: float | None
) -> None:
    assert least(one, other) == of_one_length
    assert least(one, other, seconds=120.0) == of_any_length


@pytest.mark.usefixtures("told_by_sound")
def test_what_only_sounds_alike_must_lie_apart_from_what_else_there_is() -> None:
    nameless = Metadata()
    assert copies(nameless, nameless, 0.971, room=0.9)
    assert not copies(nameless, nameless, 0.969, room=0.9)
    assert copies(KITTO, KITTO, 0.76, room=0.9)


@pytest.mark.usefixtures("told_by_sound")
def test_other_names_speak_against_copies_of_copies() -> None:
    one, other = songs(KITTO), songs(replace(KITTO, title="Fast Stairs"))
    assert not may_be_copies(one, other, np.array([0.98]))
    assert may_be_copies(one, songs(Metadata()), np.array([0.75]))
    assert not may_be_copies(one, songs(KITTO), np.array([0.74]))


NAMES = st.text(max_size=12) | st.sampled_from(["(", "- Live", "(live)", ";", "01. a", "[x] [y]"])


@given(st.lists(NAMES, max_size=4), st.text(max_size=12))
def test_any_names_are_those_of_a_song(title: list[str], artist: str) -> None:
    named: Any = Metadata(title="".join(title), artist=artist)
    assert songs(named)[0] == songs(named)[0]
    assert bool(songs(named)["title"][0]) == bool(parted(named.title)[0])
