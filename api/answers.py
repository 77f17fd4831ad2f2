"""The JSON of answers as bytes; `api.schemas` describes it, and tests hold the two together."""

from collections.abc import Iterable
from typing import Any

import orjson

from recommender.paths import PathAnswer
from recommender.personal import PersonalAnswer
from recommender.questions import Answer
from recommender.track import SpaceRank, TagStrength

Listed = Answer | PathAnswer | PersonalAnswer


def answer_json(asked: bytes, answer: Listed) -> bytes:
    """The JSON of `AnswerJson`, `PathJson` or `RecommendedToJson`.

    Parameters
    ----------
    asked
        JSON of the question, defaults included.
    answer
        What was found.
    """
    if isinstance(answer, PersonalAnswer):
        return _recommended_json(asked, answer)
    matches: list[dict[str, Any]] = [
        {
            "rank": rank,
            "similarity": similarity,
            "track": orjson.Fragment(document),
            "why": {"shared_tags": tags, "space_ranks": _places(ranks) if ranks else ()},
        }
        for rank, similarity, document, tags, ranks in answer.matches
    ]
    if isinstance(answer, Answer) and answer.stretches:
        for match, stretch in zip(matches, answer.stretches, strict=True):
            match["why"]["segment"] = stretch and stretch._asdict()
    return orjson.dumps(
        {
            "query": orjson.Fragment(asked),
            "generation": answer.generation,
            "space": answer.space,
            "matches": matches,
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


def _recommended_json(asked: bytes, answer: PersonalAnswer) -> bytes:
    return orjson.dumps(
        {
            "query": orjson.Fragment(asked),
            "generation": answer.generation,
            "space": answer.space,
            "matches": [
                {
                    "rank": match.rank,
                    "similarity": match.similarity,
                    "track": orjson.Fragment(match.document),
                    "why": {
                        "shared_tags": match.shared_tags,
                        "space_ranks": (),
                        "because": match.because,
                    },
                }
                for match in answer.matches
            ],
            "warnings": answer.warnings,
        }
    )
