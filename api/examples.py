"""What requests and answers look like, for the documentation of the API."""

from typing import Any

TRACK_ID = "0b5c8f0e6e0f4f7e9b1f3a2d4c5e6f70"
OTHER_ID = "7f3e1d5c9b8a46d2a0c4e6f812345678"
ANSWER: dict[str, Any] = {
    "query": {
        "track_id": TRACK_ID,
        "limit": 1,
        "exclude_id": [],
        "exclude_artist": [],
        "duplicates": "collapse",
        "min_similarity": 0.0,
        "genre": [],
        "artist": [],
        "album": [],
        "tag": [],
        "tag_threshold": 0.1,
    },
    "generation": "20260504T030201Z-9f86d081",
    "space": "musicnn-2c26b46b68ff",
    "matches": [
        {
            "rank": 1,
            "similarity": 0.93,
            "track": {
                "id": OTHER_ID,
                "title": "Slow Elevator",
                "artist": "Kitto",
                "album": "Small Hours",
                "album_artist": "Kitto",
                "composer": "Ines Kitto",
                "duration_seconds": 214.6,
                "genre": "Downtempo",
                "year": 2018,
                "track_number": 2,
                "musicbrainz_recording_id": "",
                "musicbrainz_album_id": "",
                "musicbrainz_artist_id": "",
                "licence": "CC BY 4.0",
                "attribution": "Kitto, “Slow Elevator”",
                "bpm": 84.0,
                "key": "A minor",
            },
            "why": {
                "shared_tags": [{"name": "ambient", "strength": 0.71}],
                "space_ranks": [],
                "tempo": {"bpm": 84.0, "seed_bpm": 86.5, "close": True},
                "key": {"key": "A minor", "seed_key": "C major", "related": True},
                "level": {"level_dbfs": -16.2, "difference_db": -1.4},
            },
        }
    ],
    "warnings": [],
}
RECOMMENDED: dict[str, Any] = {
    **ANSWER,
    "query": {
        **{name: value for name, value in ANSWER["query"].items() if name != "track_id"},
        "hub_correction": True,
        "diversity": 0.2,
        "novelty": "exclude",
        "surprise": 0.0,
        "seed": 0,
        "half_life_days": 90.0,
    },
    "matches": [
        {**match, "why": {**match["why"], "because": {"track_id": TRACK_ID, "interest": 1}}}
        for match in ANSWER["matches"]
    ],
}
HEARD: dict[str, Any] = {
    **ANSWER,
    "query": {name: value for name, value in ANSWER["query"].items() if name != "track_id"},
    "matches": [
        {
            **match,
            "why": {
                **match["why"],
                "segment": {
                    "start_seconds": 80.8,
                    "end_seconds": 90.8,
                    "similarity": 0.93,
                    "same_recording": True,
                },
            },
        }
        for match in ANSWER["matches"]
    ],
}
