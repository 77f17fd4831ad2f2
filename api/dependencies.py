"""What routes are handed: the service's parts, and checks that routes share."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi import Path as PathParameter

from api.clips import ClipEmbedder
from api.listening import Listening
from api.problems import ProblemError
from api.queries import lists_of, query_values
from api.questions import ClipSimilarQuestion, NoParameters, RecommendingQuestion, TrackId
from api.searching import Searches
from api.uploads import received_file
from recommender.engine import Recommender
from recommender.ensemble import Ensemble
from recommender.errors import InvalidParameterError
from recommender.listeners import Listeners
from recommender.live import LiveRecommender
from recommender.settings import Settings
from recommender.spaces import Spaces

_REPEATABLE = lists_of(RecommendingQuestion)


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of a running service."""

    settings: Settings
    live: LiveRecommender
    clips: ClipEmbedder
    searches: Searches
    listening: Listening

    @property
    def listeners(self) -> Listeners:
        """What listeners did; raises StorageError while it cannot be opened."""
        return self.listening.store


def running(request: Request) -> Service:
    """The running service."""
    service: Service = request.app.state.service
    return service


async def service_of(request: Request) -> Service:
    """The running service, as FastAPI asks for it."""
    return running(request)


async def spaces_of(service: Annotated[Service, Depends(service_of)]) -> Spaces:
    """What answers this request: the same generations from its first look to its last."""
    return service.live.spaces


async def recommender_of(spaces: Annotated[Spaces, Depends(spaces_of)]) -> Recommender:
    """What answers where no space can be named."""
    return spaces.default


async def clip_embedder_of(service: Annotated[Service, Depends(service_of)]) -> ClipEmbedder:
    """What embeds clips."""
    return service.clips


async def refuse_repeats(request: Request) -> None:
    """Refuse ``?limit=1&limit=2``, see :func:`api.queries.query_values`."""
    query_values(request.scope["query_string"], _REPEATABLE)


async def no_parameters(query: Annotated[NoParameters, Query()]) -> None:
    """Refuse any query parameter."""


async def json_body(request: Request) -> None:
    """Refuse a body that is not called JSON: a page of another site may send any other."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ProblemError("unsupported-media", "send Content-Type: application/json")


@dataclass(frozen=True, slots=True)
class ClipQuestion:
    """An uploaded clip, what is asked of it, and who answers."""

    path: Path
    query: ClipSimilarQuestion
    spaces: Ensemble

    @property
    def in_time(self) -> bool:
        """Whether it is to be looked for in segments."""
        return self.query.by != "tracks" and self.spaces.has_segments


Served = Annotated[Recommender, Depends(recommender_of)]
ServedSpaces = Annotated[Spaces, Depends(spaces_of)]
Running = Annotated[Service, Depends(service_of)]
Embeds = Annotated[ClipEmbedder, Depends(clip_embedder_of)]
TrackIdInPath = Annotated[TrackId, PathParameter(description="Id of a track.")]


async def clip_question(
    request: Request,
    query: Annotated[ClipSimilarQuestion, Query()],
    spaces: ServedSpaces,
    service: Running,
    clips: Embeds,
) -> AsyncIterator[ClipQuestion]:
    """Receive a clip, once it is known that it could be answered; it is deleted afterwards."""
    chosen = spaces.choose(query.space)
    if query.by == "segments" and not chosen.has_segments:
        raise InvalidParameterError(
            "by=segments needs one space that has them; leave by out, or run reindex --segments"
        )
    # a slot only once the clip is there: a slow sender must not keep others from being heard
    with clips.receiving():
        async with received_file(request, service.settings.max_clip_bytes) as path:
            with clips.slot():
                yield ClipQuestion(path, query, chosen)
