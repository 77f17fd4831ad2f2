"""Names of recordings as histories are matched by them (pure).

The same recording is called "Song (feat. B) [2011 Remaster]" by A in one place, and "Song" by
"A & B" in another. What is not about the recording is taken away; what tells one recording from
another, such as "live" or "remix", stays.
"""

import re
import unicodedata
from collections.abc import Iterator

from recommender.text import folded

# of a compilation, not of who plays
NOBODY = frozenset({"variousartists", "various", "va", "unknownartist", "unknown"})

_NOTE = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]|\s[-–—~]\s+([^()\[\]{}]*)")
_HAS_NOTE = re.compile(r"[(\[{–—~]|\s-\s")
_GUESTS = re.compile(r"\b(?:feat|ft|featuring)\b.*")
_WITH = re.compile(r"\s*with\s.*")
_SAME = re.compile(
    r"(?:\b(?:19|20)\d\d\b\s*-?\s*)?(?:\b(?:digital(?:ly)?|newly|original)\s+)?"
    r"\bre-?master(?:ed|ing)?\b(?:\s+(?:version|edition|mix|track))?"
    r"(?:\s*(?:in\s+)?\b(?:19|20)\d\d\b)?"
    r"|\b(?:the\s+)?(?:album|lp|original|standard|explicit|clean|stereo)\s+version\b"
    r"|\b(?:(?:super|limited)\s+)?(?:deluxe|expanded|special|standard|collector'?s|legacy|"
    r"bonus track|(?:\d+(?:st|nd|rd|th)\s+)?anniversary)(?:\s+(?:edition|version))?\b"
    r"|\bbonus track\b|\bexplicit\b|\bstereo\b"
)
_PARTS = re.compile(
    r"\s*(?:[;,/&+]|\b(?:feat|ft|featuring|vs|versus|and|with|presents|pres|et|und|y)\b\.?|\sx\s)\s*"
)
_SIGNS = re.compile(r"[^a-z0-9]+")
_AND = re.compile(r"\s[&+]\s")


def title_key(title: str) -> str:
    """What a title or an album is compared by; "" for an empty one."""
    text = folded(title)
    if _HAS_NOTE.search(text):
        text = _NOTE.sub(_kept, text)
    if "f" in text:
        text = _GUESTS.sub("", text) or text
    return _squeezed(text) or _squeezed(folded(title))


def artist_key(artist: str) -> str:
    """What a whole artist's name is compared by; "" for an empty one."""
    text = folded(artist)
    if text.startswith("the "):
        text = text[4:]
    return _squeezed(text.removesuffix(", the"))


def artist_keys(artist: str) -> list[str]:
    """Keys of an artist: the whole name's, then those of each that it may be made of."""
    text = folded(artist)
    parts = _PARTS.split(text) if _PARTS.search(text) else []
    return list(dict.fromkeys(filter(None, map(artist_key, [text, *parts]))))


def _kept(note: re.Match[str]) -> str:
    """What a note says of the recording."""
    text = note[1] if note[1] is not None else note[2]
    if note[1] is not None and _WITH.match(text):
        return " "
    return f" {_SAME.sub(' ', _GUESTS.sub('', text))} "


def _squeezed(text: str) -> str:
    """Letters and digits alone; of a text that has none, the text."""
    text = _AND.sub(" and ", text)
    if text.isascii():
        return _SIGNS.sub("", text) or "".join(text.split())
    return "".join(_letters(text)) or "".join(text.split())


def _letters(text: str) -> Iterator[str]:
    # marks are vowels in some scripts
    return (c for c in text if c.isalnum() or unicodedata.category(c)[0] == "M")
