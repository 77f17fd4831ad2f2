"""The catalog of the page's stand-in server: names of all kinds, and a tone for every track."""

import io
import wave
from dataclasses import dataclass
from typing import Any

import numpy as np

TONE_SECONDS = 12
SAMPLE_RATE = 8_000
HOSTILE_TITLE = '<img src=x onerror="document.title=1">'
LICENCE = "CC BY 4.0"

_TITLES = (
    "Harbour Lights|Low Tide Orchestra|Estuary|Ambient|2016",
    "Undertow|Low Tide Orchestra|Estuary|Ambient|2016",
    "Salt Meadow|Low Tide Orchestra|Marshland|Ambient|2019",
    "Copper Wire|Mara Lindqvist|Signal & Noise|Electronic|2021",
    "Night Bus to Malmö|Mara Lindqvist|Signal & Noise|Electronic|2021",
    "Paper Lanterns|Kitto|Small Hours|Downtempo|2018",
    "Slow Elevator|Kitto|Small Hours|Downtempo|2018",
    "Gravel Road Waltz|The Fennel Brothers|Porch Recordings|Folk|2009",
    "Whistling at Noon|The Fennel Brothers|Porch Recordings|Folk|2009",
    "Étude for a Broken Piano|Ines Abascal|Prepared|Classical|2014",
    "Nocturne in Rust|Ines Abascal|Prepared|Classical|2014",
    "Redshift|Parallax Drive|Outrun the Sun|Synthwave|2020",
)

_COMPOSERS = {"Ines Abascal": "Clara Vieuxtemps", "Parallax Drive": "Parallax Drive"}


@dataclass(frozen=True)
class ToneTrack:
    """A track of the stand-in catalog; its tone's pitch rises with its number."""

    number: int
    title: str
    artist: str
    album: str
    genre: str = ""
    year: int = 0
    attribution: str = ""
    licence: str = ""
    composer: str = ""

    @property
    def id(self) -> str:
        return f"tone-{self.number:03d}"

    @property
    def pitch_hz(self) -> float:
        return 220.0 + 20.0 * self.number

    def as_json(self) -> dict[str, Any]:
        names = ("id", "title", "artist", "album", "composer", "genre", "year")
        fields = (*names, "attribution", "licence")
        return {name: getattr(self, name) for name in fields} | {"duration_seconds": TONE_SECONDS}


def catalog() -> list[ToneTrack]:
    """Twelve tracks with names of all kinds, one hostile, and enough fillers for a second page."""
    named = []
    for number, line in enumerate(_TITLES):
        title, artist, album, genre, year = line.split("|")
        credit = (f"{artist}, “{title}”", LICENCE) if artist == "Kitto" else ("", "")
        composer = _COMPOSERS.get(artist, "")
        named.append(ToneTrack(number, title, artist, album, genre, int(year), *credit, composer))
    named.append(ToneTrack(len(named), HOSTILE_TITLE, "W" * 120, ""))
    fillers = [ToneTrack(n, f"Loop {n}", f"Sampler {n % 7}", "Loops") for n in range(13, 60)]
    return named + fillers


def tone(pitch_hz: float, seconds: float = TONE_SECONDS) -> bytes:
    """A quiet sine as a WAV file."""
    phase = 2 * np.pi * pitch_hz * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    samples = (3_000 * np.sin(phase)).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(samples.tobytes())
    return file.getvalue()
