import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.keys import MAJOR, MINOR, are_related, key_name, name_of, number_of

NUMBERS = st.integers(0, 23)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("C", "C major"),
        ("Am", "A minor"),
        ("A minor", "A minor"),
        ("a moll", "A minor"),
        ("F#", "F# major"),
        ("Gb", "F# major"),
        ("G♭ major", "F# major"),
        ("Dbm", "C# minor"),
        ("C#min", "C# minor"),
        ("C-sharp minor", "C# minor"),
        ("Bbmaj", "Bb major"),
        ("B", "B major"),
        ("Cb", "B major"),
        ("E#", "F major"),
        ("GM", "G major"),
        ("Gm", "G minor"),
        ("8A", "A minor"),
        ("8B", "C major"),
        ("08b", "C major"),
        ("9A", "E minor"),
        ("5A", "C minor"),
        ("12B", "E major"),
        ("1m", "A minor"),
        ("1d", "C major"),
        ("12d", "F major"),
        ("6m", "G# minor"),
    ],
)
def test_a_key_has_one_name_however_it_is_written(text: str, name: str) -> None:
    assert key_name(text) == name
    assert key_name(f" {text} ") == name


@pytest.mark.parametrize(
    "text", ["", "o", "H", "13A", "0B", "Am7", "C/G", "all", "minor", "8", "C" * 400, "\0", "♯"]
)
def test_what_is_no_key_has_no_name(text: str) -> None:
    assert key_name(text) == ""
    assert number_of(key_name(text)) is None


@given(NUMBERS)
def test_a_name_and_a_number_say_the_same(number: int) -> None:
    assert number_of(name_of(number)) == number
    assert key_name(name_of(number)) == name_of(number)


@given(st.text(max_size=40))
def test_any_text_is_a_key_or_none(text: str) -> None:
    assert key_name(text) in {"", *map(name_of, range(24))}


def test_the_circles_hold_each_note_once() -> None:
    assert len(set(MAJOR)) == len(set(MINOR)) == 12


@pytest.mark.parametrize(
    ("one", "other", "related"),
    [
        ("C major", "C major", True),
        ("C major", "A minor", True),
        ("C major", "G major", True),
        ("C major", "F major", True),
        ("A minor", "E minor", True),
        ("F major", "C major", True),
        ("C major", "D major", False),
        ("C major", "C minor", False),
        ("C major", "E minor", False),
        ("C major", "F# major", False),
    ],
)
def test_keys_that_go_together(one: str, other: str, related: bool) -> None:
    first, second = number_of(one), number_of(other)
    assert first is not None
    assert second is not None
    assert are_related(first, second) is are_related(second, first) is related
