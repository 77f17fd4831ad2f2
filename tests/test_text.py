"""Text as it is compared: known answers, and laws that hold for any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.text import folded, genre_keys, words_to_find, words_to_index


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Malmö", "malmo"),
        ("Malmo\u0308", "malmo"),
        ("ÉTUDE", "etude"),
        ("Straße", "strasse"),
        ("ﬁnale", "finale"),
        ("  a\t\nb\u00a0c  ", "a b c"),
        ("Σίσυφος", "σισυφοσ"),
        ("ＡＢＣ", "abc"),
        ("İstanbul", "istanbul"),
        ("", ""),
    ],
)
def test_text_is_folded_to_what_is_compared(text: str, expected: str) -> None:
    assert folded(text) == expected
    assert folded(folded(text)) == expected


@pytest.mark.parametrize(
    ("genre", "keys"),
    [
        ("Rock", {"rock"}),
        ("Rock; Jazz", {"rock; jazz", "rock", "jazz"}),
        ("Jazz/Fusion", {"jazz/fusion", "jazz", "fusion"}),
        ("Chanson, Hip Hop", {"chanson, hip hop", "chanson", "hip hop"}),
        ("Música；Ópera", {"musica;opera", "musica", "opera"}),
        ("R&B", {"r&b"}),
        (" ; /", {"; /"}),
        ("", set()),
    ],
)
def test_a_genre_is_found_as_a_whole_and_by_its_parts(genre: str, keys: set[str]) -> None:
    assert genre_keys(genre) == keys


@pytest.mark.parametrize(
    ("text", "indexed"),
    [
        ("Night Bus to Malmö", "night bus to malmo"),
        ("AC/DC live", "ac dc live acdc"),
        ("Don't stop", "don t stop dont"),
        ("!!!", "!!!"),
        ("÷ (Deluxe)", "÷ deluxe"),
        ("snake_case", "snake case snakecase"),
        ("東京の夜 2", "東 京 の 夜 2"),
        ("宇多田・ヒカル", "宇 多 田 ヒ カ ル 宇 多 田 ヒ カ ル"),
        ("スーパーマン", "ス ー ハ ー マ ン"),
        ("สวัสดี", "สวัสดี"),
        ("\x00\ufeff\ud800", ""),
        ("❤️ a", "❤ a"),
        ("", ""),
    ],
)
def test_words_of_a_text(text: str, indexed: str) -> None:
    assert words_to_index(text) == indexed


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("  Bus MALMÖ bus ", ["bus", "malmo"]),
        ("AC/DC", ["ac dc"]),
        ("Artist - Title", ["artist", "title"]),
        ("Simon & Garfunkel", ["simon", "garfunkel"]),
        ("!!! ?", ["!!!", "?"]),
        ("東京", ["東 京"]),
        ('"quoted words"', ["quoted", "words"]),
        ("\x00 \u200b", []),
        ("", []),
    ],
)
def test_words_of_a_query(query: str, words: list[str]) -> None:
    assert words_to_find(query) == words


@given(st.text())
def test_no_word_holds_what_cannot_be_stored(text: str) -> None:
    for words in (words_to_index(text), *words_to_find(text)):
        words.encode()
        assert "\0" not in words
        assert words.split(" ") == words.split() or not words


@given(st.text(max_size=30))
def test_every_text_is_found_by_itself(text: str) -> None:
    indexed = f" {words_to_index(text)} "
    assert all(f" {word} " in indexed for word in words_to_find(text))
