"""A stand-in for the API, in memory, so that the page is tested against answers that are known.

It keeps to the HTTP contract of `docs/`, sounds a tone of its own for every track, and serves the
page under the strictest Content-Security-Policy that the page promises to live with.
"""

import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from api.problems import problem_of
from api.questions import (
    OptionsQuestion,
    RecommendingQuestion,
    SimilarQuestion,
)
from recommender.filters import Filters
from tests.page_catalog import ToneTrack, catalog, tone
from tests.page_filters import UnknownTagError, fits
from tests.page_index import EXACT
from tests.page_spaces import MUSICNN, EarSpace, NotServedError, Placed, answers, meant

PAGE_FOLDER = Path(__file__).parents[1] / "api" / "web"
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; media-src 'self' blob:; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

Answer = dict[str, Any]


class StandIn:
    """The backend's state, and what it was asked; tests read and change both."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.tracks = catalog()
        self.spaces: list[EarSpace] = [MUSICNN]
        self.published = True
        self.generation = "g"
        self.asked: list[Answer] = []
        self.index: Answer = EXACT
        self.why: Answer = {}

    def track(self, track_id: str) -> ToneTrack:
        found = [track for track in self.tracks if track.id == track_id]
        if not found:
            raise ProblemError(404, "unknown-track", f"track_id={track_id} is not in the catalog")
        return found[0]

    def audio_file(self, track_id: str) -> Path:
        path = self.folder / f"{track_id}.wav"
        if not path.exists():
            path.write_bytes(tone(self.track(track_id).pitch_hz))
        return path

    def matches(
        self, pitch_hz: float, without: set[str], options: OptionsQuestion, filters: Filters
    ) -> Answer:
        """What the spaces that are asked find nearest, at most so many of one artist."""
        try:
            spaces = meant(self.spaces, options.space)
            fitting = [track for track in self.tracks if fits(track, filters)]
        except (NotServedError, UnknownTagError) as error:
            raise ProblemError(422, "invalid-parameter", str(error)) from None
        without = without | {t.id for t in fitting if t.artist in options.exclude_artist}
        others = [track for track in fitting if track.id not in without]
        kept: list[Placed] = []
        for placed in answers(spaces, others, pitch_hz):
            same = sum(other.track.artist == placed.track.artist for other in kept)
            if options.max_per_artist is None or same < options.max_per_artist:
                kept.append(placed)
        rows = [_match(rank, one) for rank, one in enumerate(kept[: options.limit], start=1)]
        for row in rows:
            row["why"] |= self.why
        space = "+".join(space.id for space in spaces)
        return {"query": {}, "generation": "g", "space": space, "matches": rows, "warnings": []}


def _match(rank: int, placed: Placed) -> Answer:
    tags = [{"name": "guitar", "strength": 0.8}, {"name": "slow", "strength": 0.45}]
    places = [{"space": space, "rank": place} for space, place in placed.places.items()]
    why = {"shared_tags": tags[: 1 + rank % 2], "space_ranks": places}
    track = placed.track.as_json()
    return {"rank": rank, "similarity": placed.score, "track": track, "why": why}


class ProblemError(Exception):
    """Becomes an `application/problem+json` answer."""

    def __init__(self, status: int, slug: str, detail: str):
        super().__init__(detail)
        self.status, self.slug, self.detail = status, slug, detail


def create_app(state: StandIn) -> FastAPI:
    """The contract's routes over `state`, and the page at /."""
    app = FastAPI()
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.middleware("http")(_guarded(state))
    _add_catalog_routes(app, state)
    _add_recommending_routes(app, state)
    app.mount("/", StaticFiles(directory=PAGE_FOLDER, html=True))
    return app


def _problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    title = error.slug.replace("-", " ").capitalize()
    body = {"type": f"/problems/{error.slug}", "title": title, "status": error.status}
    return JSONResponse(
        body | {"detail": error.detail}, error.status, media_type="application/problem+json"
    )


def _invalid(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    body = {"type": f"/problems/{problem.slug}", "title": "Invalid parameter", "status": 422}
    return JSONResponse(body | {"detail": problem.detail, "errors": problem.errors}, 422)


_PARAMETERS = {
    "/tracks": {"q", "limit", "cursor"},
    "/similar": set(SimilarQuestion.model_fields),
    "/similar/clip": set(RecommendingQuestion.model_fields),
}

Next = Callable[[Request], Awaitable[Response]]


def _guarded(state: StandIn) -> Callable[[Request, Next], Awaitable[Response]]:
    """Refuse what the contract refuses, and put the page under its policy."""

    async def guard(request: Request, call_next: Next) -> Response:
        path, is_page = request.url.path, request.url.path == "/" or "." in request.url.path
        unknown = set(request.query_params) - _PARAMETERS.get(path, set())
        if unknown:
            return _problem(request, ProblemError(422, "invalid-parameter", str(unknown)))
        if not state.published and not is_page:
            detail = "nothing is published; run the indexer"
            return _problem(request, ProblemError(503, "index-unavailable", detail))
        answer = await call_next(request)
        answer.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return answer

    return guard


def _add_catalog_routes(app: FastAPI, state: StandIn) -> None:
    @app.get("/index")
    def index() -> Answer:
        created = {"generation": "g", "created_at": "2026-05-04T03:02:01Z", "dimension": 200}
        created |= {"n_tracks": len(state.tracks), "index": state.index}
        spaces = [created | {"space": s.id, "embedder": s.embedder} for s in state.spaces]
        return spaces[0] | {"spaces": spaces, "audio": True}

    @app.get("/readyz")
    def readyz() -> Answer:
        return {"status": "ready"}

    @app.get("/tracks")
    def tracks(q: str = "", limit: int = 20, cursor: str = "") -> Answer:
        generation, _, place = cursor.partition(" ")
        if cursor and generation != state.generation:
            raise ProblemError(400, "invalid-cursor", "it is of another index; begin again")
        words = q.lower().split()
        found = [
            track.as_json()
            for track in state.tracks
            if all(w in f"{track.title} {track.artist} {track.album}".lower() for w in words)
        ]
        found.sort(key=lambda track: (track["artist"], track["album"], track["id"]))
        end = int(place or 0) + limit
        following = f"{state.generation} {end}" if end < len(found) else None
        answer = {"total": len(found), "generation": state.generation, "next_cursor": following}
        return answer | {"tracks": found[end - limit : end]}

    @app.get("/tracks/{track_id}")
    def track(track_id: str) -> Answer:
        tags = [{"name": "guitar", "strength": 0.83}, {"name": "slow", "strength": 0.41}]
        return {"track": state.track(track_id).as_json(), "tags": tags}

    @app.get("/tracks/{track_id}/audio")
    def audio(track_id: str) -> FileResponse:
        return FileResponse(state.audio_file(track_id), media_type="audio/wav")


def _add_recommending_routes(app: FastAPI, state: StandIn) -> None:
    @app.get("/similar")
    def similar(query: Annotated[SimilarQuestion, Query()]) -> Answer:
        seed = state.track(query.track_id)
        state.asked.append(query.model_dump(exclude_unset=True))
        return state.matches(seed.pitch_hz, {seed.id}, query, query.filters())

    @app.post("/similar/clip")
    def clip(file: UploadFile, query: Annotated[RecommendingQuestion, Query()]) -> Answer:
        if file.file.read(4) != b"RIFF":
            detail = f"the content of {file.filename} is not audio; send WAV, FLAC, MP3 or OGG"
            raise ProblemError(415, "unsupported-media", detail)
        state.asked.append(query.model_dump(exclude_unset=True))
        return state.matches(440.0, set(), query, query.filters())


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve `app` on a free port of this machine for as long as the block runs; gives its URL."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="error", ws="none", proxy_headers=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the stand-in server did not start")
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join()
