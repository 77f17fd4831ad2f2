"""Search in a catalog: which words find what, in which order, page by page."""

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from recommender import catalog_search
from recommender.catalog import Catalog
from recommender.catalog_search import MAX_WORDS
from recommender.errors import InvalidParameterError
from recommender.text import words_to_find, words_to_index
from recommender.track import Metadata, Track
from tests.builders import Entry, entry
from tests.test_catalog import V, catalog_of, titled

SIGNS = ("100% Pure", "snake_case", "back\\slash", "Rock 'n' Roll", '12" mix', "!!!", "÷", '"')
TEXTS = ("", *SIGNS, "Night Bus", "Malmö", "Don't", "東京の夜", "Nacht", "A1 a2", "R.E.M.")


def found(catalog: Catalog, query: str) -> list[str]:
    page = catalog.search(query, 100)
    assert page.total == len(page.documents)
    assert page.after is None
    return [Track.from_document(text).metadata.title for text in page.documents]


def ids_of(documents: list[str]) -> list[str]:
    return [Track.from_document(text).id for text in documents]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("100%", ["100% Pure"]),
        ("snake_case", ["snake_case"]),
        ("snakecase", ["snake_case"]),
        ("snake%case", ["snake_case"]),
        ("slash", ["back\\slash"]),
        ("rock 'n' roll", ["Rock 'n' Roll"]),
        ("' OR 1=1 --", []),
        ('12"', ['12" mix']),
        ("!!!", ["!!!"]),
        ("!", ["!!!"]),
        ("÷", ["÷"]),
        ('"', ['"']),
        ("rock - pure", []),
        ("100 - pure", ["100% Pure"]),
        ("*", []),
        ("title:pure", []),
        ("pure NOT 100", []),
        ("NEAR(pure", []),
        ("^100", ["100% Pure"]),
        ("(", []),
    ],
)
def test_signs_of_query_languages_mean_nothing(
    tmp_path: Path, query: str, titles: list[str]
) -> None:
    assert found(titled(tmp_path, *SIGNS), query) == titles


@pytest.mark.parametrize(
    "query",
    ["malmo", "MALMÖ", "malmo\u0308", "  bus   malmö ", "malm bus", "n b t m", "bus malm\0"],
)
def test_case_accents_spaces_endings_and_the_order_of_words_do_not_matter(
    tmp_path: Path, query: str
) -> None:
    catalog = titled(tmp_path, "Night Bus to Malmö", "Day Bus")
    assert found(catalog, query) == ["Night Bus to Malmö"]


@pytest.mark.parametrize("query", ["ight", "lmo", "bus malmo x"])
def test_what_is_no_beginning_of_a_word_finds_nothing(tmp_path: Path, query: str) -> None:
    assert found(titled(tmp_path, "Night Bus to Malmö"), query) == []


@pytest.mark.parametrize(
    "query", ["東", "京", "東京", "京の夜", "夜", "kyo 夜", "ヒカル", "宇多田ヒカル"]
)
def test_words_of_scripts_without_spaces_are_found_inside(tmp_path: Path, query: str) -> None:
    title = "東京の夜 Kyoto 宇多田・ヒカル"
    assert title in found(titled(tmp_path, title, "京東"), query)


def test_the_order_of_ideographs_matters(tmp_path: Path) -> None:
    assert found(titled(tmp_path, "東京", "京東", "東x京"), "東京") == ["東京"]


@pytest.mark.parametrize("query", ["acdc", "ac/dc", "ac dc", "AC", "dc"])
def test_words_with_signs_inside_are_found_with_and_without(tmp_path: Path, query: str) -> None:
    assert found(titled(tmp_path, "AC/DC", "DA"), query) == ["AC/DC"]


def test_words_are_looked_for_in_every_name(tmp_path: Path) -> None:
    catalog = catalog_of(
        tmp_path,
        entry("a", V, title="One", artist="Kitto", album="Small Hours", album_artist="Various"),
        entry("b", V, title="Two", artist="Other", album="Small Hours", composer="Dvořák"),
    )
    assert found(catalog, "dvorak other") == ["Two"]
    assert found(catalog, "kitto small one various") == ["One"]
    assert sorted(found(catalog, "small")) == ["One", "Two"]
    assert found(catalog, "kitto two") == []


def test_a_word_does_not_reach_from_one_field_into_the_next(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, entry("a", V, title="A", artist="C", album_artist="B"))
    assert found(catalog, "a/c") == []
    assert found(catalog, "c/b") == []
    assert found(catalog, "a c b") == ["A"]


def test_titles_and_artists_come_before_albums_and_those_before_credits(tmp_path: Path) -> None:
    catalog = catalog_of(
        tmp_path,
        entry("a", V, title="1", artist="x", album="x", composer="Night"),
        entry("b", V, title="2", artist="x", album="Night", composer="x"),
        entry("c", V, title="Night", artist="x", album="x", composer="x"),
        *(entry(f"d{i}", V, title="y", artist="y", album="y", composer="y") for i in range(9)),
    )
    assert found(catalog, "night") == ["Night", "2", "1"]


def test_a_whole_word_comes_before_one_that_only_begins_so(tmp_path: Path) -> None:
    catalog = titled(tmp_path, "Helpless", "Helping", "Help", *"abcdefghi")
    assert found(catalog, "help") == ["Help", "Helpless", "Helping"]


def test_equal_ones_come_by_row(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, *(entry(f"t{9 - i}", V, title="Same") for i in range(10)))
    assert ids_of(catalog.search("same", 10).documents) == [f"t{9 - i}" for i in range(10)]


@pytest.mark.parametrize("query", ["", "  ", "\0", "\u200b\n"])
def test_without_words_everything_is_found(tmp_path: Path, query: str) -> None:
    assert found(titled(tmp_path, "A", "B"), query) == ["A", "B"]


def test_an_empty_catalog_finds_nothing(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path)
    assert found(catalog, "") == found(catalog, "a") == []


def test_without_words_the_order_is_that_of_a_record_shelf(tmp_path: Path) -> None:
    catalog = catalog_of(
        tmp_path,
        entry("1", V, artist="éclair", album="B", track_number=1, title="4"),
        entry("2", V, artist="Eclair", album="A", track_number=10, title="3"),
        entry("3", V, artist="ECLAIR", album="á", track_number=9, title="2"),
        entry("4", V, artist="Abba", album="Z", title="1"),
        entry("5", V, artist="Zebra", title="6"),
        entry("0", V, artist="Zebra", title="5"),
    )
    assert found(catalog, "") == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize("most", [0, 250_000])
@pytest.mark.parametrize("query", ["", "same"])
@pytest.mark.parametrize("limit", [1, 5, 23, 24])
def test_pages_hold_every_track_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str, limit: int, most: int
) -> None:
    monkeypatch.setattr(catalog_search, "RANKED_MOST", most)
    catalog = catalog_of(
        tmp_path,
        *(entry(f"t{i:02}", V, artist="Same", title="x " * (i * 7 % 5)) for i in range(23)),
    )
    seen, page = list[str](), catalog.search(query, limit)
    whole = catalog.search(query, 100).documents
    while True:
        assert page.total == 23
        assert len(page.documents) == min(limit, 23 - len(seen))
        seen += page.documents
        if page.after is None:
            break
        page = catalog.search(query, limit, page.after)
    assert seen == whole
    assert sorted(ids_of(seen)) == [f"t{i:02}" for i in range(23)]


@pytest.mark.parametrize("after", ["", "x", "-1", "1.5", "١", "9" * 30, "1 OR 1", "\0"])
@pytest.mark.parametrize("query", ["", "a"])
def test_a_place_that_was_not_given_is_refused(tmp_path: Path, query: str, after: str) -> None:
    with pytest.raises(InvalidParameterError, match="begin without it"):
        titled(tmp_path, "A").search(query, 10, after)


@pytest.mark.parametrize("query", ["", "a"])
def test_nothing_comes_after_the_end(tmp_path: Path, query: str) -> None:
    page = titled(tmp_path, "A", "AB").search(query, 10, "5")
    assert (page.documents, page.total, page.after) == ([], 2, None)


def test_a_page_holds_at_least_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterError, match="limit=0 must be at least 1"):
        titled(tmp_path, "A").search("", 0)


@pytest.mark.parametrize("words", [" ".join(map(str, range(51))), "歌" * 51, ".".join("a" * 51)])
def test_a_query_may_not_hold_very_many_words(tmp_path: Path, words: str) -> None:
    with pytest.raises(InvalidParameterError, match="q has 51 words; use at most 50"):
        titled(tmp_path, "A").search(words, 10)


def test_a_query_may_hold_some_words_and_repeat_them(tmp_path: Path) -> None:
    catalog = titled(tmp_path, " ".join(map(str, range(60))), "歌" * 60)
    assert len(found(catalog, "1 " * 5000)) == 1
    assert len(found(catalog, " ".join(map(str, range(MAX_WORDS))))) == 1
    assert len(found(catalog, "歌" * MAX_WORDS)) == 1


def test_a_query_may_be_very_long(tmp_path: Path) -> None:
    assert found(titled(tmp_path, "A"), "x" * 100_000) == []


texts = st.sampled_from(TEXTS) | st.lists(st.sampled_from(TEXTS), max_size=3).map(" ".join)
named = st.builds(Metadata, title=texts, artist=texts, album=texts, composer=texts)
queries = (
    st.text(max_size=12)
    | texts
    | st.lists(
        st.sampled_from(TEXTS).flatmap(lambda text: st.integers(0, 5).map(lambda n: text[:n]))
        | st.sampled_from(
            ["AND", "OR", "NOT", "NEAR", "*", '"', "'", "(", ")", "^", ":", "-", "{"]
        ),
        max_size=4,
    ).map(" ".join)
)


def holds(metadata: Metadata, word: str) -> bool:
    """Whether the pieces of a word lie side by side in a field, the last one as a beginning."""
    wanted = word.split(" ")
    for text in (metadata.title, metadata.artist, metadata.album, metadata.composer):
        held = words_to_index(text).split()
        for first in range(len(held) - len(wanted) + 1):
            here = held[first : first + len(wanted)]
            if here[:-1] == wanted[:-1] and here[-1].startswith(wanted[-1]):
                return True
    return False


@settings(max_examples=60, deadline=None)
@given(st.lists(named, max_size=8), st.lists(queries, min_size=1, max_size=12))
def test_every_query_finds_those_that_hold_all_its_words(
    tmp_path_factory: pytest.TempPathFactory, known: list[Metadata], asked: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("search")
    catalog = catalog_of(folder, *(Entry(f"{i:02}", V, of) for i, of in enumerate(known)))
    for query in asked:
        words = words_to_find(query)
        expected = [
            f"{i:02}" for i, metadata in enumerate(known) if all(holds(metadata, w) for w in words)
        ]
        page = catalog.search(query, 100)
        assert sorted(ids_of(page.documents)) == expected
        assert page.total == len(expected)
