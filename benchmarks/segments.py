"""Clips in time, on music of your own: ``python -m benchmarks.segments DATA_DIR``.

Excerpts of random tracks, at random moments, clean and damaged, go the way of an uploaded clip:
which track comes first, where in it, and whether it is said to be the very recording. The same
clips are asked for as a whole, for comparison. The index must have been made with ``--segments``.
"""

import argparse
import io
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.output import Report, Table, add_json, shown
from recommender.analysis import clip_embeddings, embeddings_from
from recommender.analysis_in_time import clip_in_time, clip_windows_from
from recommender.arrays import FloatArray
from recommender.audio import CATALOG_LIMITS, open_audio
from recommender.current import current_generation
from recommender.degradations import CLEAN, DEGRADATIONS, degrade
from recommender.embedding import Embedding
from recommender.engine import Recommender
from recommender.errors import SilentAudioError
from recommender.generation import open_generation, space_of
from recommender.manifest import Manifest
from recommender.questions import Options
from recommender.segments import ClipWindows
from recommender.track import Stretch

SECONDS = 10.0
NEAR_SECONDS = 3.0
CONDITIONS = (CLEAN, "mp3 64 kbit/s", "-12 dB", "noise 20 dB")


@dataclass(frozen=True)
class Excerpt:
    """A stretch of a track.

    Attributes
    ----------
    track_id, start_seconds
        Where it was cut from.
    waveform, sample_rate
        Mono.
    """

    track_id: str
    start_seconds: float
    waveform: FloatArray
    sample_rate: int


@dataclass(frozen=True)
class Heard:
    """A clip as it was heard as a whole, and in time, and the milliseconds of either."""

    excerpt: Excerpt
    whole: list[Embedding]
    in_time: list[Embedding]
    windows: ClipWindows
    milliseconds: tuple[float, float]


@dataclass(frozen=True)
class Found:
    """What a clip found: the rank of its track, 0 for none, and the segments of it and another."""

    rank: int
    own: Stretch | None
    other: Stretch | None
    milliseconds: float


def cut(recommender: Recommender, n_tracks: int, seed: int) -> list[Excerpt]:
    """Excerpts of random tracks at random moments."""
    rng, excerpts = np.random.default_rng(seed), list[Excerpt]()
    ids = recommender.generation.track_ids
    for place in rng.permutation(len(ids)).tolist():
        if len(excerpts) == n_tracks:
            break
        path = Path(os.fsdecode(recommender.audio_path(ids[place])))
        with path.open("rb") as file, open_audio(file, CATALOG_LIMITS) as audio:
            latest = audio.duration_seconds - SECONDS
            if latest > 0:
                start, rate = float(rng.random()) * latest, audio.sample_rate
                n_samples = round(SECONDS * rate)
                waveform = audio.read_windows([round(start * rate)], n_samples, rate)[0]
                excerpts.append(Excerpt(ids[place], start, waveform, rate))
    return excerpts


def hear(excerpt: Excerpt, condition: str, manifest: Manifest) -> Heard | None:
    """Damage an excerpt and listen to it, None when it is silent."""
    clip = degrade(condition, excerpt.waveform, excerpt.sample_rate)
    space, levels = space_of(manifest), manifest.level_quantiles_dbfs
    began = time.perf_counter()
    try:
        heard = clip_embeddings(io.BytesIO(clip), space.clip_listening, levels)
    except SilentAudioError:
        return None
    whole = time.perf_counter()
    answer = clip_in_time(io.BytesIO(clip), space.clip_listening, levels)
    milliseconds = 1000 * (whole - began), 1000 * (time.perf_counter() - whole)
    windows = clip_windows_from(answer, space)
    return Heard(excerpt, heard, embeddings_from(answer, space), windows, milliseconds)


def find(recommender: Recommender, heard: Heard, *, in_time: bool) -> Found:
    """Ask for what sounds like a clip."""
    began = time.perf_counter()
    asked = (heard.in_time, heard.windows) if in_time else (heard.whole, None)
    question = recommender.about_clip(*asked)
    answer = recommender.answer(question, Options(limit=100))
    milliseconds = 1000 * (time.perf_counter() - began)
    ids = [match.track.id for match in answer.matches]
    stretches = [match.reasons.get("segment") for match in answer.matches]
    rank = ids.index(heard.excerpt.track_id) + 1 if heard.excerpt.track_id in ids else 0
    own = stretches.pop(rank - 1) if rank and stretches else None
    other = max(filter(None, stretches), key=lambda one: one["similarity"], default=None)
    return Found(rank, own, other, milliseconds)


def row_of(condition: str, clips: list[Heard], found: list[Found], by: str) -> dict[str, object]:
    """One row of the table."""
    row: dict[str, object] = {
        "condition": condition,
        "by": by,
        "clips": len(clips),
        "rank 1": np.mean([one.rank == 1 for one in found]),
        "top 10": np.mean([0 < one.rank <= 10 for one in found]),
        "hear ms": np.median([clip.milliseconds[by == "segments"] for clip in clips]),
        "search ms": np.median([one.milliseconds for one in found]),
    }
    if by == "tracks":
        return row
    starts = [clip.excerpt.start_seconds for clip in clips]
    errors = [
        abs(one.own["start_seconds"] - start) if one.own else np.inf
        for one, start in zip(found, starts, strict=True)
    ]
    own, other = (
        [bool(one and one["same_recording"]) for one in of]
        for of in ([one.own for one in found], [one.other for one in found])
    )
    return row | {
        "within 3 s": np.mean(np.array(errors) <= NEAR_SECONDS),
        "error s": np.median(errors),
        "same: own": np.mean(own),
        "same: other": np.mean(other),
    }


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--tracks", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    names = ", ".join(DEGRADATIONS)
    parser.add_argument(
        "--conditions", nargs="+", default=list(CONDITIONS), help=names.replace("%", "%%")
    )
    add_json(parser)
    options = parser.parse_args()
    name = current_generation(options.data_dir)
    recommender = Recommender(open_generation(options.data_dir, name))
    manifest = recommender.generation.manifest
    if manifest.index.segments is None:
        parser.error(f"DATA_DIR={options.data_dir} has no segments; run reindex --segments")
    excerpts, rows = cut(recommender, options.tracks, options.seed), list[dict[str, object]]()
    for condition in options.conditions:
        heard = [hear(one, condition, manifest) for one in shown(excerpts, condition)]
        clips = [clip for clip in heard if clip]
        for by in ("tracks", "segments"):
            found = [find(recommender, clip, in_time=by == "segments") for clip in clips]
            rows.append(row_of(condition, clips, found, by))
    shares = ("rank 1", "top 10", "within 3 s", "same: own", "same: other")
    columns = {"condition": "", "by": "", "clips": "d"} | dict.fromkeys(shares, ".3f")
    columns |= {"error s": ".1f", "hear ms": ".0f", "search ms": ".1f"}
    title = f"{SECONDS:g} s of random tracks among {manifest.n_tracks:,}"
    note = "same: how often the track itself, and the best other one, is said to be the recording."
    report = Report.of("benchmarks.segments", options)
    report.add(Table(title, columns, rows, note))


if __name__ == "__main__":
    main()
