"""Whether a clip finds the track that it was cut from, through the running service.

::

    python -m api --data-dir DIR &
    python -m benchmarks.clips --data-dir DIR [--url http://127.0.0.1:8000] [--tracks 60] [--seed 5]

Excerpts of 10 s from random places of random tracks are posted to /similar/clip as WAV, as MP3 at
about 128 kbit/s, and both again 12 dB lower.
"""

import argparse
import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile

from recommender.generation import Generation, current_generation, open_generation

CLIP_SECONDS = 10
CLIENTS = 2
# of libsndfile's range from 320 to 32 kbit/s
MP3_COMPRESSION = (320 - 128) / (320 - 32)


def encode(samples: np.ndarray[Any, Any], sample_rate: int, kind: str) -> bytes:
    """The clip as a file of some kind."""
    file = io.BytesIO()
    if kind == "WAV":
        soundfile.write(file, samples, sample_rate, format="WAV", subtype="PCM_16")
    else:
        soundfile.write(
            file,
            samples,
            sample_rate,
            format="MP3",
            bitrate_mode="CONSTANT",
            compression_level=MP3_COMPRESSION,
        )
    return file.getvalue()


def excerpts(
    generation: Generation, count: int, seed: int
) -> list[tuple[str, np.ndarray[Any, Any], int]]:
    """Track id, samples and sample rate of random excerpts, one a track."""
    random = np.random.default_rng(seed)
    tracks = generation.catalog.tracks(range(len(generation.ids)))
    long_enough = [row for row, track in tracks.items() if track.duration_seconds > 15]
    found = []
    for row in random.permutation(sorted(long_enough))[:count].tolist():
        with soundfile.SoundFile(os.fsdecode(generation.catalog.path(row))) as file:
            rate = file.samplerate
            start = int(random.uniform(0, file.frames - CLIP_SECONDS * rate))
            file.seek(start)
            found.append((tracks[row].id, file.read(CLIP_SECONDS * rate, dtype="float32"), rate))
    return found


def rank_of(client: httpx.Client, track_id: str, clip: bytes) -> int:
    """Place of the track in the answer, 1 the first; 101 when it is not among the first 100."""
    answer = client.post("/similar/clip", params={"limit": 100}, files={"file": clip})
    answer.raise_for_status()
    ids = [match["track"]["id"] for match in answer.json()["matches"]]
    return ids.index(track_id) + 1 if track_id in ids else 101


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--tracks", type=int, default=60)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    generation = open_generation(options.data_dir, current_generation(options.data_dir))
    clips = excerpts(generation, options.tracks, options.seed)
    print(f"{len(clips)} clips of {CLIP_SECONDS} s, {len(generation.ids)} tracks in the catalog")
    with (
        httpx.Client(base_url=options.url, timeout=120.0) as client,
        ThreadPoolExecutor(CLIENTS) as threads,
    ):
        for kind in ("WAV", "MP3"):
            for gain_db in (0, -12):
                gain = np.float32(10 ** (gain_db / 20))
                encoded = [
                    (id_, encode(samples * gain, rate, kind)) for id_, samples, rate in clips
                ]
                asked = threads.map(lambda clip: rank_of(client, *clip), encoded)
                ranks = np.array(list(asked))
                kbits = np.mean([len(clip) for _, clip in encoded]) * 8 / CLIP_SECONDS / 1000
                print(
                    f"{kind} {gain_db:4d} dB {kbits:6.0f} kbit/s: own track first "
                    f"{np.mean(ranks == 1):.3f}, in the first ten {np.mean(ranks <= 10):.3f}"
                )


if __name__ == "__main__":
    main()
