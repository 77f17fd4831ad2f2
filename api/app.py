"""The service as an ASGI application."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.access_log import AccessLog
from api.clips import ClipEmbedder
from api.counter import Application
from api.dependencies import Service, refuse_repeats
from api.etags import VERSION
from api.gate import Gate
from api.listening import Listening
from api.middleware import BodyGuard, Envelope
from api.problems import respond
from api.routes import index, listeners, maps, path, recommendations, similar, subsonic, tracks
from api.routes.page import page_routes
from api.searching import Searches, threads_for
from api.uploads import ENVELOPE_BYTES, sweep_left_overs
from recommender.errors import SoundalikeError
from recommender.live import LiveRecommender
from recommender.settings import Settings

MAX_BODY_BYTES = 1024**2


def create_app(settings: Settings) -> FastAPI:
    """Make the service; it follows what is published in ``settings.data_dir`` while it runs."""
    gate, access = Gate(settings.allowed_hosts), AccessLog()
    app = Application(
        gate,
        access,
        title="Soundalike",
        version=VERSION,
        summary="Music recommendation by sound.",
        description="Ids are text. Parameters that are not known are refused. Errors are RFC 9457.",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(settings),
        # two addresses of one thing would be two things to caches and logs
        redirect_slashes=False,
        # it would tell what people look for, and asks anew for each request whether to
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for noun in (similar, path, tracks, maps, index):
        app.include_lean(noun.lean)
    for noun in (similar, recommendations, listeners, tracks, index):
        app.include_router(noun.router, dependencies=[Depends(refuse_repeats)])
    # what is not known there is ignored, and what is repeated counts once: clients rely on it
    app.include_router(subsonic.router)
    app.router.routes.extend(page_routes())
    for kind in (SoundalikeError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _respond)
    clip_bytes = settings.max_clip_bytes + ENVELOPE_BYTES
    app.add_middleware(
        BodyGuard, max_bytes=MAX_BODY_BYTES, max_bytes_by_path={"/similar/clip": clip_bytes}
    )
    app.add_middleware(Envelope, gate=gate, access=access)
    return app


def _lifespan(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(sweep_left_overs)
        listening = Listening(settings)
        # first: what it refuses ends the service before there is anything to end
        await run_in_threadpool(listening.start)
        live = LiveRecommender(settings.data_dir, settings.poll_seconds)
        clips = ClipEmbedder.start(max(1, settings.clip_workers // settings.service_workers))
        searches = Searches(threads_for(settings.service_workers))
        await run_in_threadpool(live.start)
        app.state.service = Service(settings, live, clips, searches, listening)
        try:
            yield
        finally:
            await run_in_threadpool(listening.close)
            await run_in_threadpool(live.stop)
            await run_in_threadpool(clips.close)
            await run_in_threadpool(searches.close)

    return lifespan


async def _respond(request: Request, error: Exception) -> Response:
    # on the event loop: a thread would cost more than the answer
    return respond(request.state.request_id, error)
