"""What calls of the OpenSubsonic API are answered with."""

from collections.abc import Iterable
from typing import Any

from api.subsonic import Code, SubsonicError
from api.subsonic_call import Call
from api.subsonic_tracks import Child, child_of
from recommender.engine import Recommender
from recommender.paths import (
    MAX_STEPS,
    MIN_STEPS,
    PathOptions,
    find_path,
    similarities_to_start,
)
from recommender.questions import MAX_LIMIT, Options
from recommender.track import Track

Content = dict[str, Any]
EXTENSIONS = {"formPost": [1], "sonicSimilarity": [1]}
SIMILAR_SONGS, SIMILAR_TRACKS, PATH_SONGS = 50, 10, 25


def extensions() -> Content:
    """What this service has beyond the Subsonic API."""
    found = [{"name": name, "versions": versions} for name, versions in EXTENSIONS.items()]
    return {"openSubsonicExtensions": found}


def similar_songs(recommender: Recommender, call: Call) -> Content:
    """Songs that sound like one, closest first."""
    songs = [child for child, _ in _similar(recommender, call, SIMILAR_SONGS)]
    return {"similarSongs": {"song": songs}}


def similar_songs_2(recommender: Recommender, call: Call) -> Content:
    """The same, as clients that go by tags ask for it."""
    return {"similarSongs2": similar_songs(recommender, call)["similarSongs"]}


def sonic_similar_tracks(recommender: Recommender, call: Call) -> Content:
    """Tracks that sound like one, closest first, each with its similarity."""
    return _matches(_similar(recommender, call, SIMILAR_TRACKS))


def sonic_path(recommender: Recommender, call: Call) -> Content:
    """A walk from one song to another, each with its similarity to the first."""
    start, end = call.required("startSongId"), call.required("endSongId")
    if start == end:
        raise SubsonicError(Code.GENERIC, f"startSongId={start} is also endSongId; name two songs")
    steps = call.count(PATH_SONGS, MIN_STEPS, MAX_STEPS)
    path = find_path(recommender.generation, start, end, PathOptions(steps))
    children = [_child(recommender, stop.track) for stop in path.matches]
    similarities = similarities_to_start(recommender.generation, path)
    return _matches(zip(children, similarities, strict=True))


def _similar(recommender: Recommender, call: Call, usual: int) -> list[tuple[Child, float]]:
    options = Options(limit=call.count(usual, 1, MAX_LIMIT))
    matches = recommender.similar(call.required("id"), options).matches
    return [(_child(recommender, match.track), match.similarity) for match in matches]


def _child(recommender: Recommender, track: Track) -> Child:
    return child_of(track, recommender.audio_path(track.id))


def _matches(found: Iterable[tuple[Child, float]]) -> Content:
    return {"sonicMatch": [{"similarity": close, "entry": child} for child, close in found]}
