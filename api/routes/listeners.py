"""Listeners: what they did is told, shown, taken back and erased."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as PathParameter

from api.cursors import cursor_of, place_of
from api.dependencies import Running, ServedSpaces, json_body, no_parameters
from api.listener_json import (
    AddedJson,
    EventJson,
    EventsQuestion,
    HistoryJson,
    HistoryQuestion,
    ListenerId,
    ListenerJson,
    RemovalQuestion,
    RemovedJson,
    event_at,
    place_after,
)
from api.personal_question import PersonalQuestion
from api.playlists import form_of
from api.problems import ProblemError
from api.replies import response_of
from api.routes.documented import PLAYLISTS, problems
from api.schemas import AnswerJson
from recommender.errors import IndexUnavailableError
from recommender.listeners import Listeners
from recommender.live import LiveRecommender
from recommender.personal import MOST_EVENTS, recommend_to

_LIST = "events of a listener"


async def listener_of(
    listener_id: Annotated[
        ListenerId, PathParameter(description="Your id of a listener: 1 to 200 characters, no /.")
    ],
    request: Request,
    response: Response,
) -> str:
    """The id in the address, and that nothing on the way keeps what is answered."""
    # decoded it would part the address: another listener's, or another route
    if b"%2f" in request.scope["raw_path"].lower():
        raise ProblemError("invalid-parameter", "path listener_id: it may not hold a slash")
    response.headers["Cache-Control"] = "no-store"
    return listener_id


Listener = Annotated[str, Depends(listener_of)]
router = APIRouter(tags=["Listeners"], prefix="/listeners/{listener_id}")
_problems = problems("listeners-unavailable")


@router.post(
    "/events",
    operation_id="add_events",
    summary="Tell what a listener did",
    response_description="They are on the disk.",
    responses=problems("payload-too-large", "unsupported-media", "listeners-unavailable"),
    dependencies=[Depends(no_parameters), Depends(json_body)],
)
async def add_events(listener: Listener, question: EventsQuestion, service: Running) -> AddedJson:
    """All or none; told again they are there once, so repeat what was not answered."""
    events = [one.event() for one in question.events]

    def add(store: Listeners) -> AddedJson:
        added = store.add(listener, events)
        unknown = _count_unknown(service.live, (event.track_id for event in events))
        return AddedJson(**asdict(added), unknown=unknown)

    return await service.listening.run(add)


@router.get(
    "",
    operation_id="listener",
    summary="How much is known of a listener",
    response_description="How many events, by kind, and of what time.",
    responses=_problems,
    dependencies=[Depends(no_parameters)],
)
async def listener_summary(listener: Listener, service: Running) -> ListenerJson:
    """Nobody is unknown: without events there are none."""
    return ListenerJson.of(await service.listening.run(lambda store: store.summary(listener)))


@router.get(
    "/events",
    operation_id="events",
    summary="All that is known of a listener, newest first",
    response_description="One page.",
    responses=problems("invalid-cursor", "listeners-unavailable"),
)
async def events(
    listener: Listener, query: Annotated[HistoryQuestion, Query()], service: Running
) -> HistoryJson:
    """Events that come meanwhile move nothing on the next page."""
    before = None
    if query.cursor is not None:
        before = event_at(place_of(query.cursor, _LIST, listener))
    # one more tells whether there is another page
    found = await service.listening.run(lambda s: s.events(listener, query.limit + 1, before))
    page = found[: query.limit]
    more = len(found) > len(page)
    return HistoryJson(
        events=[EventJson.of(event) for event in page],
        next_cursor=cursor_of(_LIST, listener, place_after(page[-1])) if more else None,
    )


@router.delete(
    "/events",
    operation_id="remove_events",
    summary="Take events of a track back",
    response_description="How many there were.",
    responses=_problems,
)
async def remove_events(
    listener: Listener, query: Annotated[RemovalQuestion, Query()], service: Running
) -> RemovedJson:
    """A like that was none: its kind, or its moment as well, leaves the others."""
    removed = await service.listening.run(
        lambda store: store.remove(listener, query.track_id, query.kind, query.at)
    )
    return RemovedJson(removed=removed)


@router.delete(
    "",
    operation_id="erase_listener",
    summary="Erase all that is known of a listener",
    status_code=204,
    response_description="Nothing is known, nor left in files.",
    responses=_problems,
    dependencies=[Depends(no_parameters)],
)
async def erase(listener: Listener, service: Running) -> None:
    """It cannot be undone."""
    await service.listening.run(lambda store: store.erase(listener))


@router.get(
    "/recommendations",
    operation_id="recommend_to",
    summary="What a listener may like",
    response_description="The matches; every interest has its places among them.",
    response_model=AnswerJson,
    responses=problems("index-unavailable", "listeners-unavailable") | PLAYLISTS,
)
async def recommendations(
    listener: Listener,
    query: Annotated[PersonalQuestion, Query()],
    request: Request,
    spaces: ServedSpaces,
    service: Running,
) -> Response:
    """Without a history, tracks that stand for the catalog, and a warning that says so."""
    recommender, asked = spaces.choose(query.space).only(), query.json_text()
    form = form_of(request, query, spaces, lambda: "Recommended")
    events = await service.listening.run(lambda store: store.events(listener, MOST_EVENTS))

    def search() -> bytes:
        opinions = recommender.opinions(events, datetime.now(UTC), query.half_life_days)
        return form.write(asked, recommend_to(recommender, opinions, query.options(), query.mood()))

    answer = response_of(await service.searches.run(search), form.headers)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _count_unknown(live: LiveRecommender, track_ids: Iterable[str]) -> int:
    try:
        served = live.spaces.available
    except IndexUnavailableError:
        served = []
    return sum(not any(one.holds(id_) for one in served) for id_ in track_ids)
