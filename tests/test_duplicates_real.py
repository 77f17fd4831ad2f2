"""Copies of rendered music, as they come: encoded anew, cut, faster, slower, without an artist."""

import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from rich.console import Console

from indexer.reindex import reindex
from indexer.request import Request
from recommender.arrays import FloatArray
from recommender.current import current_generation
from recommender.engine import Recommender
from recommender.generation import open_generation
from recommender.paths import PathOptions, find_path
from recommender.questions import Options
from tests.music import N_TRACKS, tracks_in

Sound = tuple[FloatArray, int]
COPIES: dict[str, tuple[str, Callable[[FloatArray, int], Sound]]] = {
    "again": ("mp3", lambda samples, rate: (samples, rate)),
    "cut": ("ogg", lambda samples, rate: (samples[int(0.08 * len(samples)) : -rate // 4], rate)),
    "fast": ("ogg", lambda samples, rate: (samples, round(1.02 * rate))),
    "slow": ("flac", lambda samples, rate: (samples, round(0.98 * rate))),
}


def planted(originals: Path, folder: Path) -> None:
    """Write the originals and their copies into a folder."""
    for number, path in enumerate(tracks_in(originals)):
        samples, rate = soundfile.read(path, dtype="float32")
        title = mutagen.File(path, easy=True)["title"][0]
        write(folder / f"{number}.ogg", (samples, rate), title, "Kitto")
        for name, (kind, change) in COPIES.items():
            artist = "Kitto" if number % 2 else ""
            write(
                folder / f"{number}-{name}.{kind}",
                change(samples, rate),
                f"{title} ({name})",
                artist,
            )


def write(path: Path, sound: Sound, title: str, artist: str) -> None:
    soundfile.write(path, *sound)
    file = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    file["title"] = title
    if artist:
        file["artist"] = artist
    file.save()


@pytest.fixture(scope="module")
def recommender(rendered_music: Path, tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    folder, data = (tmp_path_factory.mktemp(name) for name in ("planted", "data"))
    planted(rendered_music, folder)
    console = Console(file=io.StringIO())
    report = reindex(Request((os.fsencode(folder),), data, "musicnn", 1, 2), console)
    assert (report.added, report.failed) == (N_TRACKS * (1 + len(COPIES)), 0)
    return Recommender(open_generation(data, current_generation(data)))


def song(recommender: Recommender, track_id: str) -> int:
    name = Path(os.fsdecode(recommender.audio_path(track_id))).stem
    return int(name.partition("-")[0])


@pytest.mark.parametrize("corrects_hubs", [False, True])
@pytest.mark.parametrize("limit", [3, 20])
def test_planted_copies_never_stand_beside_each_other(
    recommender: Recommender, limit: int, corrects_hubs: bool
) -> None:
    options = Options(limit, corrects_hubs=corrects_hubs)
    for seed in recommender.generation.track_ids:
        matches = recommender.similar(seed, options).matches
        found = [song(recommender, match.track.id) for match in matches]
        assert len(found) == len(set(found)) == min(limit, N_TRACKS - 1)
        assert song(recommender, seed) not in found


def test_without_the_step_they_do(recommender: Recommender) -> None:
    kept = replace(Options(N_TRACKS), collapses_duplicates=False)
    own = [
        song(recommender, seed)
        in [song(recommender, m.track.id) for m in recommender.similar(seed, kept).matches]
        for seed in recommender.generation.track_ids
    ]
    assert np.mean(own) > 0.9


def test_paths_visit_each_song_once(recommender: Recommender) -> None:
    first, *others = recommender.generation.track_ids
    generation = recommender.generation
    for last in others:
        stops = find_path(generation, first, last, PathOptions(30)).matches
        found = [song(recommender, stop.track.id) for stop in stops]
        n_songs = N_TRACKS if found[0] != found[-1] else N_TRACKS + 1
        assert len(found) == n_songs
        assert len(set(found)) == N_TRACKS
