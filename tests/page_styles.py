"""A real service for tests of the page: styles that lie apart, every track a tone that is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.app import create_app
from recommender.settings import Settings
from tests.builders import Entry, entry, publish_entries
from tests.page_catalog import HOSTILE_TITLE, TONE_SECONDS, tone
from tests.page_server import serving

STYLES = ("Ska", "Doom", "Fado", "Drone")
EACH = 24
HOSTILE_ID = "hostile"
SKA, FADO = "ska00", "fado00"


def publish_styles(folder: Path) -> Path:
    """Publish four styles of 24 tracks, each around an axis of its own, and one hostile title."""
    file = folder / "tone.wav"
    file.write_bytes(tone(440.0))
    random = np.random.default_rng(4)
    tracks = [
        _track(style, number, np.eye(4)[axis] + 0.15 * random.standard_normal(4), folder)
        for axis, style in enumerate(STYLES)
        for number in range(EACH)
    ]
    hostile = entry(HOSTILE_ID, [1.0, 1.0, 0.0, 0.0], title=HOSTILE_TITLE, artist=HOSTILE_TITLE)
    publish_entries(folder / "data", [*tracks, replace(hostile, path=bytes(file))])
    return folder / "data"


def _track(style: str, number: int, vector: np.ndarray[Any, Any], folder: Path) -> Entry:
    path = folder / f"{style.lower()}{number:02}.wav"
    path.hardlink_to(folder / "tone.wav")
    named = entry(
        path.stem,
        vector.tolist(),
        title=f"{style} {number:02}",
        artist=f"{style} Band {number % 5}",
        album=f"{style} Album {number % 3}",
        genre=style,
        tags=(0.7, 0.2, 0.1),
    )
    return replace(named, path=bytes(path), duration_seconds=float(TONE_SECONDS))


@contextmanager
def styles_service(data_dir: Path, map_js: str = "", **settings: Any) -> Iterator[str]:
    """Serve what is published, with this module in the place of the map's; gives the URL."""
    app = create_app(Settings(data_dir=data_dir, **settings))

    async def stand_in(request: Request) -> Response:
        return Response(map_js, media_type="text/javascript")

    if map_js:
        app.router.routes.insert(0, Route("/map.js", stand_in))
    with serving(app) as url:
        yield url
