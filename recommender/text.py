"""Text as it is compared: without case, accents and signs (pure).

Words are made here and not by SQLite's tokenizer, whose tables are of Unicode 6.1 and know neither
where words of scripts without spaces end nor titles that are made of signs.
"""

import re
import unicodedata

_BETWEEN_GENRES = re.compile(r"[;,/]")
_ASCII_PIECES = re.compile(r"[a-z0-9]+")
# kana and ideographs: no spaces between words, so that each counts as one
_SPACELESS = re.compile(
    "([\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u9fff\U00020000-\U0003ffff])"
)


def folded(text: str) -> str:
    """Text as it is compared: without case, accents and surplus white space."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(text.casefold().split())


def genre_keys(text: str) -> set[str]:
    """What a file's genre is found by: the whole, and its parts between ``;``, ``,`` and ``/``."""
    whole = folded(text)
    return {whole, *(part.strip() for part in _BETWEEN_GENRES.split(whole))} - {""}


def words_to_index(text: str) -> str:
    """The words of a text, parted by spaces.

    A word with signs inside gives its pieces, and at the end of the text once more all of it
    without the signs: "AC/DC" is "ac dc acdc". One of nothing but signs stays as it is.
    """
    found, joined = list[str](), list[str]()
    for word in folded(text).split():
        pieces = _pieces(word)
        found += pieces or _signs(word)
        if len(pieces) > 1:
            joined.append("".join(pieces))
    return _spaced(" ".join(found + joined))


def words_to_find(query: str) -> list[str]:
    """The different words of a query, each as its pieces, parted by spaces.

    Words of nothing but signs count only where there are no others: the dash in
    "artist - title" is not looked for.
    """
    words = folded(query).split()
    found = [" ".join(pieces) for pieces in map(_pieces, words) if pieces]
    signs = [sign for word in words for sign in _signs(word)]
    return list(dict.fromkeys(map(_spaced, found or signs)))


def _pieces(word: str) -> list[str]:
    """Stretches of letters and digits in a folded word; a letter keeps the marks that follow it."""
    if word.isascii():
        return _ASCII_PIECES.findall(word)
    kept = (c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in word)
    return [piece for piece in "".join(kept).split() if piece[0].isalnum()]


def _signs(word: str) -> list[str]:
    """A word without letters and digits, as far as it can be seen: as a list of one, or of none."""
    shown = "".join(c for c in word if c.isprintable() and unicodedata.category(c)[0] != "M")
    return [shown] if shown else []


def _spaced(words: str) -> str:
    if words.isascii():
        return words
    return " ".join(_SPACELESS.sub(r" \1 ", words).split())
