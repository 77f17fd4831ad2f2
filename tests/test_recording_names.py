"""Names of recordings: what is the same, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.recording_names import artist_key, artist_keys, title_key

SAME_TITLES = [
    ("Song", "Song (feat. Björk)", "Song ft. Björk", "Song [Featuring Björk]", "Song (with Björk)"),
    ("Song", "Song (Remastered 2011)", "Song - 2011 Remaster", "song [2011 - Remaster]"),
    ("Song", "Song - Remastered", "Song (Digitally Remastered)", "Song (Explicit)"),
    ("Song", "Song (2009 Digital Remaster)", "Song (Remastered Version)", "Song - Album Version"),
    ("Song - Live", "Song (Live)", "Song [live]", "Song - Live - 2011 Remaster", "Song – Live"),
    ("Don't Stop", "Dont Stop", "Don’t Stop", "DON'T STOP!"),
    ("Rock & Roll", "Rock and Roll", "Rock + Roll"),
    ("Jóga", "Joga", "JÓGA", "Jo\u0301ga"),
    ("Album", "Album (Deluxe Edition)", "Album (35th Anniversary Edition)", "Album [Super Deluxe]"),
    ("Re-Make", "Remake", "Re Make"),
]  # fmt: skip

DIFFERENT_TITLES = [
    ("Song", "Song (Live)"),
    ("Song", "Song (Acoustic)"),
    ("Song", "Song (B Remix)"),
    ("Song", "Song - Radio Edit"),
    ("Song", "Song, Pt. 2"),
    ("Song (A Remix)", "Song (B Remix)"),
    ("Song", "Songs"),
    ("÷", "×"),
    ("夜", "朝"),
    ("กา", "กี"),
]


@pytest.mark.parametrize("titles", SAME_TITLES, ids=lambda titles: titles[0])
def test_titles_of_one_recording_are_the_same(titles: tuple[str, ...]) -> None:
    assert len({title_key(title) for title in titles}) == 1


@pytest.mark.parametrize("titles", DIFFERENT_TITLES, ids=str)
def test_titles_of_different_recordings_differ(titles: tuple[str, str]) -> None:
    assert title_key(titles[0]) != title_key(titles[1])


@pytest.mark.parametrize(
    "title", ["Remastered", "Explicit", "Featuring", "Ft.", "(Live)", "!!!", "(Remastered)", "-"]
)
def test_a_title_that_is_nothing_but_a_note_keeps_it(title: str) -> None:
    assert title_key(title)


def test_the_article_and_signs_of_an_artist_do_not_count() -> None:
    assert artist_key("The Beatles") == artist_key("Beatles, The") == artist_key("beatles")
    assert artist_key("AC/DC") == artist_key("AC-DC") == artist_key("ACDC")
    assert artist_key("Simon & Garfunkel") == artist_key("Simon and Garfunkel")
    assert artist_key("The The") == "the"
    assert artist_key("") == ""


@pytest.mark.parametrize(
    "artist",
    ["A & B", "A feat. B", "A; B", "A, B", "A / B", "A x B", "A and B", "A vs. B", "A ft B"],
)
def test_an_artist_is_found_by_each_that_it_may_be_made_of(artist: str) -> None:
    whole, *parts = artist_keys(artist)
    assert whole == artist_key(artist)
    assert parts == ["a", "b"]


def test_names_with_joining_words_inside_are_whole() -> None:
    for name in ("Band of Horses", "Xavier", "Fleet Foxes", "Andy"):
        assert artist_keys(name) == [artist_key(name)]


@given(st.text(max_size=60))
def test_any_text_has_keys_that_do_not_depend_on_case_and_space(text: str) -> None:
    assert title_key(f" {text} ") == title_key(text)
    assert artist_keys(f" {text} ") == artist_keys(text)
    assert bool(title_key(text)) == bool(text.split())
