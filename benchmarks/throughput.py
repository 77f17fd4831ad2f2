"""Tracks per minute from files to a published index, against the straightforward pipeline.

::

    python -m benchmarks.throughput MUSIC_DIR [--tracks 24] [--turns 3]

The straightforward pipeline is what one would write first: librosa.load, librosa's mel
spectrogram, the same two networks in eager PyTorch over all windows of a track, one process with
all cores. It is warmed up before it is timed, and publishes nothing. Ours is timed as a user runs
it: a new process each time, start-up, identification, tags, database and publication included.
The two take turns in one run; the ratio of medians is what to quote.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from safetensors.numpy import load_file

from benchmarks.torch_musicnn import torch_network
from indexer.scan import scan
from recommender.audio import CATALOG_LIMITS, open_audio
from recommender.embedders.musicnn import MODELS, WEIGHTS, Musicnn
from recommender.embedding import DEFAULT_WINDOWS, window_starts
from recommender.hearing import embed
from recommender.tags import read_metadata

PATCH_FRAMES = 187


def straightforward(networks: list[Callable[[Any], Any]], path: Path) -> Any:
    """Embed a track as one would write it first: (400,), the mean over all windows."""
    waveform, _ = librosa.load(path, sr=16_000, mono=True)
    mel = librosa.feature.melspectrogram(
        y=waveform, sr=16_000, n_fft=512, hop_length=256, n_mels=96
    )
    compressed = np.log10(10_000.0 * mel.T + 1.0).astype(np.float32)
    starts = range(0, len(compressed) - PATCH_FRAMES + 1, PATCH_FRAMES)
    patches = [compressed[start : start + PATCH_FRAMES][None] for start in starts]
    return np.concatenate(
        [np.mean([network(patch)[0] for patch in patches], axis=0) for network in networks]
    )


def reindex_seconds(music: Path, windows: str) -> float:
    """Wall time of a whole run of the indexer into a new data folder."""
    with tempfile.TemporaryDirectory() as data:
        command = ["-m", "indexer", "reindex", str(music), "--data-dir", data, "--windows", windows]
        started = time.perf_counter()
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        return time.perf_counter() - started


def pick(music: Path, count: int, folder: Path) -> list[Path]:
    """Copy `count` files of at least one window, spread evenly over the catalog, into `folder`."""
    paths = [Path(path.decode()) for path in sorted(scan([bytes(music.resolve())]).files)]
    long_enough = [path for path in paths if librosa.get_duration(path=path) >= 3.0]
    chosen = long_enough[:: max(1, len(long_enough) // count)][:count]
    return [
        Path(shutil.copy(path, folder / f"{number:03}{path.suffix}"))
        for number, path in enumerate(chosen)
    ]


def stages(paths: list[Path]) -> dict[str, float]:
    """CPU seconds a track of each stage with the default windows, in this process."""
    embedder = Musicnn()
    spec = embedder.spec
    embedder.embed(np.zeros((1, spec.window_samples), np.float32))
    spent = dict.fromkeys(("tags", "open", "identify", "windows", "mel", "networks"), 0.0)

    @contextmanager
    def timed(stage: str) -> Iterator[None]:
        started = time.process_time()
        yield
        spent[stage] += (time.process_time() - started) / len(paths)

    for path in paths:
        with path.open("rb") as file:
            with timed("tags"):
                read_metadata(file, path.name)
            with timed("open"):
                audio = open_audio(file, CATALOG_LIMITS)
            with audio:
                with timed("identify"):
                    audio.content_id()
                with timed("windows"):
                    starts = window_starts(audio.n_samples(16_000), spec, DEFAULT_WINDOWS)
                    windows = audio.read_windows(starts, spec.window_samples, 16_000)
        with timed("mel"):
            mel = embedder._mel(windows)
        with timed("networks"):
            for network in embedder._loaded():
                network(mel)
    return spent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("music_dir", type=Path)
    parser.add_argument("--tracks", type=int, default=24)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = pick(options.music_dir, options.tracks, Path(folder))
        compare(paths, Path(folder), options.turns)
        print("\nwhere a track's CPU time goes, default windows:")
        spent = stages(paths)
        for stage, seconds in spent.items():
            print(f"  {stage:<9} {1e3 * seconds:7.1f} ms  {seconds / sum(spent.values()):4.0%}")


def compare(paths: list[Path], folder: Path, turns: int) -> None:
    """Time the three ways in turns and print the medians."""
    networks = [torch_network(load_file(WEIGHTS / f"{name}.safetensors")) for name in MODELS]
    reference = straightforward(networks, paths[0])
    with paths[0].open("rb") as file, open_audio(file, CATALOG_LIMITS) as audio:
        ours = embed(audio, Musicnn(), None).vector
    cosine = reference @ ours / np.linalg.norm(reference) / np.linalg.norm(ours)
    seconds = sum(librosa.get_duration(path=path) for path in paths)
    print(f"{len(paths)} tracks, {seconds / len(paths):.0f} s on average")
    print(f"both ways hear the same: cosine {cosine:.6f} over all windows of the first track")
    ways: dict[str, Callable[[], float]] = {
        "straightforward": lambda: _seconds(lambda: [straightforward(networks, p) for p in paths]),
        "ours, all windows": lambda: reindex_seconds(folder, "all"),
        f"ours, {DEFAULT_WINDOWS} windows": lambda: reindex_seconds(folder, str(DEFAULT_WINDOWS)),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, run in ways.items():
            times[name].append(run())
    slow = times["straightforward"]
    for name, values in times.items():
        ratios = [a / b for a, b in zip(slow, values, strict=True)]
        print(
            f"{name:<18} {60 * len(paths) / statistics.median(values):6.0f} tracks/min, "
            f"{statistics.median(ratios):5.2f} x ({min(ratios):.2f} to {max(ratios):.2f})"
        )


def _seconds(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
