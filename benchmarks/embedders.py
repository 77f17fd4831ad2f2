"""Audio minutes per second of PANNs and OpenL3, against the packages of their authors.

::

    python -m benchmarks.embedders MUSIC_DIR [--only panns] [--tracks 10] [--seconds 60] [--turns 5]

Files in, a vector for each out, the same random weights and both cores on either side, in turns and
warmed up; the ratio of medians is what to quote. Theirs is what their documentation shows:
librosa.load and ``panns_inference.AudioTagging`` on a whole recording; soundfile.read and
``torchopenl3.get_audio_embedding`` at a hop of 1 s; both with torch's threads. "in windows" is
AudioTagging fed a recording as 10 s windows, which is what ours computes. Ours is what the indexer
runs: child processes of one thread, identification included, all windows.

Needs what the extra `bench` installs and, without what they depend on in turn, panns-inference,
torchlibrosa, torchopenl3, julius and resampy; docs/performance.md has the command.
"""

import argparse
import importlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soundfile
import torch

from benchmarks import originals
from indexer.scan import scan
from indexer.workers import FILE_LIMITS, Analyst, default_workers
from recommender.arrays import FloatArray
from recommender.embedders import create_embedder, openl3, panns
from recommender.records import FileState, Indexed
from recommender.sandbox import ChildPool
from recommender.space import Space
from recommender.weights_store import VARIABLE, store, weights_environment
from tests import random_weights_openl3, random_weights_panns

SEED = 5
PANNS_RATE = 32_000
PANNS_WINDOW = 10 * PANNS_RATE

Way = Callable[[Sequence[Path]], list[FloatArray]]


@dataclass(frozen=True, slots=True)
class Contest:
    """Theirs, by name, against ours; `alike` names the one that computes what ours does."""

    embedder: str
    theirs: Mapping[str, Way]
    alike: str


def excerpts(music: Path, count: int, seconds: float, folder: Path) -> list[Path]:
    """The middles of `count` recordings, spread evenly over the catalog, as FLAC in `folder`."""
    paths = [Path(path.decode()) for path in sorted(scan([bytes(music.resolve())]).files)]
    long_enough = [path for path in paths if librosa.get_duration(path=path) >= seconds]
    chosen = long_enough[:: max(1, len(long_enough) // count)][:count]
    for number, path in enumerate(chosen):
        start = (librosa.get_duration(path=path) - seconds) / 2
        audio, rate = librosa.load(path, sr=None, mono=False, offset=start, duration=seconds)
        soundfile.write(folder / f"{number:03}.flac", np.clip(audio.T, -1, 1), int(rate))
    return sorted(folder.glob("*.flac"))


def panns_contest(folder: Path) -> Contest:
    """Cnn14 at 32 kHz."""
    tensors = random_weights_panns.random_tensors(SEED)
    store(panns.VARIANTS["cnn14"].source, tensors, origin="random")
    tagging = originals.audio_tagging(originals.panns_inference(folder), tensors, folder)

    def whole(paths: Sequence[Path]) -> list[FloatArray]:
        return [tagging.inference(_mono(path)[None])[1][0] for path in paths]

    def in_windows(paths: Sequence[Path]) -> list[FloatArray]:
        waves = [_mono(path) for path in paths]
        parts = [wave[: len(wave) // PANNS_WINDOW * PANNS_WINDOW] for wave in waves]
        return [tagging.inference(part.reshape(-1, PANNS_WINDOW))[1].mean(0) for part in parts]

    ways = {"panns_inference": whole, "panns_inference in windows": in_windows}
    return Contest("panns", ways, alike="panns_inference in windows")


def _mono(path: Path) -> Any:
    return librosa.load(path, sr=PANNS_RATE, mono=True)[0]


def openl3_contest(_folder: Path) -> Contest:
    """Music, mel256, 512 numbers, the front-end of training."""
    tensors = random_weights_openl3.random_tensors(SEED)
    store(openl3.SOURCES["mel256", "music"], tensors, origin="random")
    package = importlib.import_module("torchopenl3")
    network = originals.torchopenl3_network(package, tensors, "mel256", 512)

    def sampled_by(sampler: str) -> Way:
        def way(paths: Sequence[Path]) -> list[FloatArray]:
            return [one(path, sampler) for path in paths]

        return way

    def one(path: Path, sampler: str) -> Any:
        audio, rate = soundfile.read(path)
        vectors, _ = package.get_audio_embedding(
            audio, rate, model=network, center=False, hop_size=1, sampler=sampler
        )
        return vectors[0].numpy().mean(axis=0)

    ways = {"torchopenl3": sampled_by("resampy"), "torchopenl3, julius": sampled_by("julian")}
    return Contest("openl3", ways, alike="torchopenl3")


CONTESTS = {"panns": panns_contest, "openl3": openl3_contest}


def ours(embedder: str, pool: ChildPool) -> Way:
    """As the indexer does it, all windows."""
    analyst = Analyst(pool, Space(create_embedder(embedder).spec, None), ())

    def vector(path: Path) -> FloatArray:
        outcome = analyst.analyse(bytes(path), FileState.of(path.stat()))
        if not isinstance(outcome, Indexed) or outcome.embedding is None:
            raise RuntimeError(f"outcome={outcome} must be a vector")
        return outcome.embedding.vector

    def way(paths: Sequence[Path]) -> list[FloatArray]:
        with ThreadPoolExecutor(default_workers()) as threads:
            return list(threads.map(vector, paths))

    return way


def compare(contest: Contest, paths: Sequence[Path], seconds: float, turns: int) -> None:
    """Time the ways in turns, and print medians and ratios."""
    environment = weights_environment()
    with ChildPool(default_workers(), FILE_LIMITS, environment) as pool:
        ways: dict[str, Way] = {**contest.theirs, "ours": ours(contest.embedder, pool)}
        # as many as there are children, so that each has read its weights
        first = {name: way(paths[: default_workers()])[0] for name, way in ways.items()}
        print(f"{contest.embedder}: cosine {_cosine(first[contest.alike], first['ours']):.6f}")
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(turns):
            for name, way in ways.items():
                started = time.perf_counter()
                way(paths)
                times[name].append(time.perf_counter() - started)
    for name, values in times.items():
        ratios = [a / b for a, b in zip(values, times["ours"], strict=True)]
        rate = len(paths) * seconds / 60 / statistics.median(values)
        print(
            f"  {name:<27} {rate:6.3f} audio minutes a second; ours is "
            f"{statistics.median(ratios):5.2f} x as fast ({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


def _cosine(one: FloatArray, other: FloatArray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("music_dir", type=Path)
    parser.add_argument("--only", choices=CONTESTS, nargs="+", default=list(CONTESTS))
    parser.add_argument("--tracks", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(default_workers())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ[VARIABLE] = str(folder / "weights")
        paths = excerpts(options.music_dir, options.tracks, options.seconds, folder)
        print(f"{len(paths)} excerpts of {options.seconds:g} s, {default_workers()} cores")
        for chosen in options.only:
            compare(CONTESTS[chosen](folder), paths, options.seconds, options.turns)


if __name__ == "__main__":
    main()
