"""The JSON that the routes of listeners take and give."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from api.examples import TRACK_ID
from api.problems import ProblemError
from api.questions import Question, TrackId
from recommender.errors import InvalidParameterError
from recommender.events import Event, Kind, check_listener_id, milliseconds_of, moment_of
from recommender.listeners import Summary

MAX_EVENTS = 1000
# clocks are wrong, and days begin elsewhere
AHEAD = timedelta(days=1)
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_AT = "2026-01-31T12:00:00Z"


def _listener_id(text: str) -> str:
    try:
        check_listener_id(text)
    except InvalidParameterError as error:
        raise PydanticCustomError("worded", "{why}", {"why": str(error)}) from None
    return text


def _moment(value: object) -> datetime:
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise PydanticCustomError("worded", "write a moment of RFC 3339 with offset, as " + _AT)
    try:
        moment = datetime.fromisoformat(value.upper())
        milliseconds_of(moment)
    except (ValueError, InvalidParameterError) as error:
        raise PydanticCustomError("worded", "{why}", {"why": str(error)}) from None
    return moment


def _happened(moment: datetime) -> datetime:
    if moment > datetime.now(UTC) + AHEAD:
        raise PydanticCustomError("worded", "it is more than a day from now")
    return moment


def _in_address(value: object) -> object:
    """A moment whose ``+`` became a space when the address was decoded."""
    return value[:-6] + value[-6:].replace(" ", "+") if isinstance(value, str) else value


ListenerId = Annotated[str, AfterValidator(_listener_id)]
_Schema = WithJsonSchema({"type": "string", "format": "date-time", "examples": [_AT]})
Moment = Annotated[datetime, PlainValidator(_moment), _Schema]
MomentInAddress = Annotated[
    datetime, PlainValidator(lambda value: _moment(_in_address(value))), _Schema
]
# a word of JSON is no member of an enumeration yet
_Kind = Annotated[
    Kind, Field(strict=False), WithJsonSchema({"type": "string", "enum": [*map(str, Kind)]})
]


class EventQuestion(Question):
    """Something that a listener did."""

    model_config = ConfigDict(strict=True)

    track_id: TrackId
    kind: _Kind
    at: Annotated[Moment, AfterValidator(_happened)] = Field(
        description="When, with offset; milliseconds count, what is smaller is cut off."
    )
    seconds_played: float | None = Field(
        None, ge=0.0, allow_inf_nan=False, description="How much of the track was heard."
    )

    def event(self) -> Event:
        """The same for the store."""
        return Event(self.track_id, self.kind, self.at, self.seconds_played)


class EventsQuestion(Question):
    """The body of POST /listeners/{listener_id}/events."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "events": [
                        {
                            "track_id": TRACK_ID,
                            "kind": "listen",
                            "at": _AT,
                            "seconds_played": 181.5,
                        },
                        {"track_id": TRACK_ID, "kind": "like", "at": "2026-01-31T12:03:10Z"},
                    ]
                }
            ]
        },
    )

    events: list[EventQuestion] = Field(min_length=1, max_length=MAX_EVENTS)


class HistoryQuestion(Question):
    """The query of GET /listeners/{listener_id}/events."""

    limit: int = Field(100, ge=1, le=MAX_EVENTS, description="Most events of the page.")
    cursor: str | None = Field(None, description="next_cursor of the page before.")


class RemovalQuestion(Question):
    """The query of DELETE /listeners/{listener_id}/events."""

    track_id: TrackId = Field(description="The track whose events are taken back.")
    kind: _Kind | None = Field(None, description="Those of this kind only.")
    at: MomentInAddress | None = Field(None, description="That of this moment only.")


class AddedJson(BaseModel):
    """What became of the events: all but `unknown` add up to their number."""

    accepted: int = Field(description="Stored now.")
    duplicates: int = Field(description="Stored already, or twice in the body.")
    expired: int = Field(description="Older than the service keeps events; not stored.")
    unknown: int = Field(
        description="Of a track that no served index holds; stored all the same, it may get it."
    )


class EventJson(BaseModel):
    """Something that a listener did."""

    track_id: str
    kind: Kind
    at: str = Field(description="UTC, RFC 3339, milliseconds.")
    seconds_played: float | None = Field(description="null when it was not told.")

    @classmethod
    def of(cls, event: Event) -> Self:
        """The JSON of an event."""
        return cls(
            track_id=event.track_id,
            kind=event.kind,
            at=_written(event.at),
            seconds_played=event.seconds_played,
        )


class HistoryJson(BaseModel):
    """A page of what a listener did."""

    events: list[EventJson]
    next_cursor: str | None = Field(description="For the next page; null on the last one.")


class ListenerJson(BaseModel):
    """What is known of a listener; without events it is as if there were none."""

    events: int
    by_kind: dict[Kind, int]
    first: str | None = Field(description="Moment of the oldest event; null without any.")
    last: str | None = Field(description="Moment of the newest event; null without any.")

    @classmethod
    def of(cls, summary: Summary) -> Self:
        """The JSON of a summary."""
        return cls(
            events=summary.events,
            by_kind=dict(summary.by_kind),
            first=None if summary.first is None else _written(summary.first),
            last=None if summary.last is None else _written(summary.last),
        )


class RemovedJson(BaseModel):
    """How many events were taken back."""

    removed: int


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def place_after(event: Event) -> str:
    """Where a page ended, as :func:`event_at` reads it."""
    return f"{milliseconds_of(event.at)} {event.kind} {event.track_id}"


def event_at(place: str) -> Event:
    """The event with which a page ended.

    Raises
    ------
    ProblemError
        No page of this service did.
    """
    milliseconds, _, rest = place.partition(" ")
    kind, _, track_id = rest.partition(" ")
    try:
        return Event(track_id, Kind(kind), moment_of(int(milliseconds)))
    except (ValueError, OverflowError, InvalidParameterError):
        raise ProblemError("invalid-cursor", "query cursor: begin again without cursor") from None
