"""Musical keys: the spellings that taggers use for them, and which of them go together (pure).

A key is a number here: twice its place on the circle of fifths, where C major and A minor are 0,
and one more for minor. So a key and its relative one differ in the last bit alone.
"""

import re

MAJOR = ("C", "G", "D", "A", "E", "B", "F#", "Db", "Ab", "Eb", "Bb", "F")
MINOR = ("A", "E", "B", "F#", "C#", "G#", "Eb", "Bb", "F", "C", "G", "D")
FIFTHS = len(MAJOR)

# at C major in the two systems that DJs count by: 8B, and 1d
_CAMELOT_C, _OPEN_C = 8, 1
_WHEEL = re.compile(r"0?(1[0-2]|[1-9])\s*([ABdm])", re.IGNORECASE)
_NOTE = re.compile(
    r"(?P<letter>[A-Ga-g])\s*(?P<sign>#|b|♯|♭|-?sharp|-?flat)?\s*(?P<mode>[A-Za-z]*)"
)
# semitones above C
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"": 0, "#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}
_MINOR_MODES = frozenset({"m", "min", "minor", "moll"})
_MAJOR_MODES = frozenset({"", "maj", "major", "dur"})
_MOST_TEXT = 32


def key_name(text: str) -> str:
    """A key in one spelling, such as "F# minor"; "" for what is none.

    Parameters
    ----------
    text
        As taggers write it: "F#m", "Gb minor", "Fis" is not understood, "11A" and "4m" are.
    """
    number = _number_in(text[:_MOST_TEXT].strip())
    return "" if number is None else name_of(number)


def name_of(number: int) -> str:
    """The name of a key."""
    place, is_minor = divmod(number, 2)
    return f"{MINOR[place]} minor" if is_minor else f"{MAJOR[place]} major"


def number_of(name: str) -> int | None:
    """The number of a key that :func:`key_name` named, None for ""."""
    note, _, mode = name.partition(" ")
    if not note:
        return None
    return 2 * (MINOR if mode == "minor" else MAJOR).index(note) + (mode == "minor")


def are_related(one: int, other: int) -> bool:
    """Whether two keys are the same, relative to each other, or of one mode and a fifth apart."""
    (first, mode), (second, other_mode) = divmod(one, 2), divmod(other, 2)
    apart = (first - second) % FIFTHS
    return apart == 0 or (mode == other_mode and apart in (1, FIFTHS - 1))


def _number_in(text: str) -> int | None:
    wheel = _WHEEL.fullmatch(text)
    if wheel:
        place, mode = int(wheel[1]), wheel[2].lower()
        first = _CAMELOT_C if mode in "ab" else _OPEN_C
        return 2 * ((place - first) % FIFTHS) + (mode in "am")
    note = _NOTE.fullmatch(text)
    if note is None:
        return None
    mode = note["mode"]
    # "M" is major where "m" is minor
    is_minor = mode == "m" or mode.lower() in _MINOR_MODES - {"m"}
    if not is_minor and mode != "M" and mode.lower() not in _MAJOR_MODES:
        return None
    semitone = _LETTERS[note["letter"].upper()] + _SIGNS[(note["sign"] or "").lstrip("-")]
    # a fifth is seven semitones, and seven times seven is one more than four octaves
    place = 7 * (semitone + 3 * is_minor) % FIFTHS
    return 2 * place + is_minor
