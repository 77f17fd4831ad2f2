"""The JSON of answers as bytes; `api.schemas` describes it, and tests hold the two together."""

from collections.abc import Iterable
from typing import Any

import orjson

from recommender.paths import PathAnswer
from recommender.questions import Answer
from recommender.track import SpaceRank, TagStrength

Listed = Answer | PathAnswer


def answer_json(asked: bytes, answer: Listed) -> bytes:
    """The JSON of `AnswerJson`.

    Parameters
    ----------
    asked
        JSON of the question, defaults included.
    answer
        What was found.
    """
    return orjson.dumps(
        {
            "query": orjson.Fragment(asked),
            "generation": answer.generation,
            "space": answer.space,
            "matches": [
                {
                    "rank": rank,
                    "similarity": similarity,
                    "track": orjson.Fragment(document),
                    "why": {
                        "shared_tags": tags,
                        "space_ranks": _places(ranks) if ranks else (),
                        **reasons,
                    },
                }
                for rank, similarity, document, tags, ranks, reasons in answer.matches
            ],
            "warnings": answer.warnings,
        }
    )


def tracks_json(
    documents: Iterable[str], total: int, next_cursor: str | None, generation: str
) -> bytes:
    """The JSON of `TracksJson`; a document is the JSON of a track."""
    return orjson.dumps(
        {
            "tracks": [orjson.Fragment(document) for document in documents],
            "total": total,
            "next_cursor": next_cursor,
            "generation": generation,
        }
    )


def track_json(document: str, tags: Iterable[TagStrength], generation: str) -> bytes:
    """The JSON of `TrackDetailJson`."""
    return orjson.dumps(
        {
            "track": orjson.Fragment(document),
            "tags": tuple(tags),
            "generation": generation,
        }
    )


def _places(ranks: Iterable[SpaceRank]) -> list[dict[str, Any]]:
    return [{"space": space, "rank": place} for space, place in ranks]
