"""A small catalog of music of our own making, for machines that cannot fetch real recordings.

Eight invented ensembles, one album each. Everything is computed from a seed, so the same call gives
the same samples, and everything is given away under CC0-1.0.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import mutagen
import numpy as np
import soundfile as sf

from recommender.errors import InvalidParameterError
from tools import synth_styles as composers
from tools.synth_mix import Song, mix
from tools.synth_voices import RATE, FloatArray

LICENCE = "CC0-1.0"
ATTRIBUTION = "Rendered by Soundalike's own code"
SOURCE = "soundalike-synth 1"
_YEAR = 2025
_SEED = 2025
_BLOCK = 65_536  # libsndfile's Vorbis encoder can exhaust the stack on one very long write


@dataclass(frozen=True, slots=True)
class Style:
    """An invented ensemble, its album, and how it composes.

    Attributes
    ----------
    slug
        Name of the style, and of its folder.
    compose
        ``(rng, seconds) -> song``.
    first, second
        Words that titles are made of, separated by blanks.
    """

    slug: str
    ensemble: str
    album: str
    genre: str
    compose: Callable[[np.random.Generator, float], Song]
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class SynthTrack:
    """One track to render.

    Attributes
    ----------
    path
        Where it goes, relative to the catalog's folder, with forward slashes.
    number
        Place on its album, from 1.
    """

    path: str
    title: str
    artist: str
    album: str
    genre: str
    number: int


_ALBUMS = (
    Style("chiptune", "Chiptune Unit", "Eight Bits of Weather", "Chiptune", composers.chiptune,
          "Pixel Turbo Sprite Bonus Coin Boss", "Parade Harbour Ladder Comet Garden Sprint"),
    Style("drift", "Drift Ensemble", "Slow Water", "Ambient", composers.drift,
          "Pale Distant Quiet Winter Hollow Silver", "Shore Lantern Orbit Meadow Glacier Breath"),
    Style("club", "Club Machine", "Basement Arithmetic", "House", composers.club,
          "Carbon Midnight Parallel Chrome Static", "Floor Signal Motion Avenue Circuit Pulse"),
    Style("lateroom", "Late Room Trio", "After the Last Tram", "Jazz", composers.late_room,
          "Velvet Amber Corner Rainy Sunday Smoky", "Table Window Stairs Letter Coat Clock"),
    Style("plucked", "Plucked Quartet", "Hedgerow Dances", "Folk", composers.plucked,
          "Miller's Copper Barley Willow Orchard", "Gate Reel Crossing Lane Morning Bridge"),
    Style("chapel", "Choir and Organ", "Stone and Air", "Choral", composers.chapel,
          "Evening First Grey Eastern Patient Candle", "Chorale Psalm Vault Procession Hymn Tower"),
    Style("garage", "Overdrive Band", "Five Amps, One Fuse", "Rock", composers.garage,
          "Broken Loud Burning Rusty Electric Wild", "Highway Kettle Radio Engine Summer Thunder"),
    Style("bronze", "Bell Orchestra", "Circles in Bronze", "Percussion", composers.bronze,
          "Turning Woven Seven Golden Monsoon Hidden", "Gongs Pattern Wheels Temple Rain Circle"),
)  # fmt: skip
STYLES = {style.slug: style for style in _ALBUMS}


def plan(styles: Sequence[str] | None = None, tracks_per_style: int = 5) -> tuple[SynthTrack, ...]:
    """List the tracks of a catalog without rendering them.

    Parameters
    ----------
    styles
        Slugs of :data:`STYLES`; all of them when None.
    tracks_per_style
        1 to 30, as many titles as an album has words for.

    Raises
    ------
    InvalidParameterError
        A style is unknown, or an album would run out of titles.
    """
    slugs = list(STYLES) if styles is None else list(styles)
    unknown = sorted(set(slugs) - set(STYLES))
    if unknown:
        raise InvalidParameterError(
            f"styles={', '.join(unknown)} not known; choose from {', '.join(STYLES)}"
        )
    if not 1 <= tracks_per_style <= 30:
        raise InvalidParameterError(
            f"tracks_per_style={tracks_per_style} is outside 1 to 30; ask for fewer or more"
        )
    return tuple(track for slug in slugs for track in _album(STYLES[slug], tracks_per_style))


def render(track: SynthTrack, seconds: float = 30.0) -> FloatArray:
    """Compose and play one track.

    Parameters
    ----------
    track
        One of :func:`plan`.
    seconds
        Length, at least 1.

    Returns
    -------
    float32 waveform, shape (seconds * 44,100, 2), peak below -1 dBFS.

    Raises
    ------
    InvalidParameterError
        `seconds` is below 1.
    """
    if seconds < 1.0:
        raise InvalidParameterError(
            f"seconds={seconds:g} is too short for music; ask for 1 or more"
        )
    slug = track.path.split("/")[0]
    rng = _rng(slug, str(track.number))
    return mix(STYLES[slug].compose(rng, seconds), seconds, rng)


def render_catalog(
    out: Path, styles: Sequence[str] | None = None, tracks_per_style: int = 5, seconds: float = 30.0
) -> tuple[SynthTrack, ...]:
    """Render tagged Ogg Vorbis files into a folder.

    Parameters
    ----------
    out
        Folder to fill; made when it is not there.
    styles, tracks_per_style
        As for :func:`plan`.
    seconds
        Length of every track.

    Returns
    -------
    What was rendered; paths are relative to `out`.

    Raises
    ------
    InvalidParameterError
        As for :func:`plan` and :func:`render`.
    """
    tracks = plan(styles, tracks_per_style)
    for track in tracks:
        write_track(out, track, seconds)
    return tracks


def write_track(out: Path, track: SynthTrack, seconds: float) -> Path:
    """Render one track and write it with its tags; the file appears only when it is complete."""
    path = out / track.path
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    waveform = render(track, seconds)
    with sf.SoundFile(partial, "w", RATE, 2, format="OGG", subtype="VORBIS") as file:
        for start in range(0, waveform.shape[0], _BLOCK):
            file.write(waveform[start : start + _BLOCK])
    _tag(partial, track)
    return partial.replace(path)


def _album(style: Style, count: int) -> list[SynthTrack]:
    """Draw the titles of an album; the first ones stay the same when it grows."""
    words = [(a, b) for a in style.first.split() for b in style.second.split()]
    order = _rng(style.slug, "titles").permutation(len(words))[:count]
    titles = [" ".join(words[place]) for place in order]
    return [
        SynthTrack(
            path=f"{style.slug}/{number:02d} {title}.ogg",
            title=title,
            artist=f"Soundalike Synth: {style.ensemble}",
            album=style.album,
            genre=style.genre,
            number=number,
        )
        for number, title in enumerate(titles, start=1)
    ]


def _rng(*names: str) -> np.random.Generator:
    """Make a generator that depends on the names only, not on what was rendered before."""
    digest = hashlib.sha256("/".join((str(_SEED), *names)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def _tag(path: Path, track: SynthTrack) -> None:
    file = mutagen.File(path)
    file["title"] = track.title
    file["artist"] = track.artist
    file["album"] = track.album
    file["genre"] = track.genre
    file["date"] = str(_YEAR)
    file["tracknumber"] = str(track.number)
    file.save()
