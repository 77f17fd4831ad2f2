"""What listeners did (temporary, the helper's takes its place)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """Kinds."""

    LISTEN = "listen"
    LIKE = "like"
    DISLIKE = "dislike"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Event:
    """One."""

    track_id: str
    kind: Kind
    at: datetime
    seconds_played: float | None = None
