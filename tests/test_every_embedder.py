"""Every embedder end to end, from a file to a unit vector, with random weights where it has none.

The weights of the published networks are random, in their exact architecture: what is tested is
that audio arrives, not that it is understood.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr

from indexer.__main__ import main
from recommender.arrays import FloatArray
from recommender.audio import CATALOG_LIMITS, open_audio
from recommender.embedders import EMBEDDERS, create_embedder, weights_of
from recommender.embedders.environment import MAX_URL
from recommender.embedding import BATCH_WINDOWS, Embedder, Embedding
from recommender.errors import SilentAudioError, UndecodableAudioError
from recommender.generation import normalised
from recommender.hearing import embed
from recommender.projection import fit
from recommender.weights_store import VARIABLE
from tests.fake_max import serving_max
from tests.fakes import ids_of, service
from tests.random_weights import MAKERS, SEED, install
from tests.signals import SAMPLE_RATE, SIGNALS

# what a server answers that is no network cannot be compared by sound
HEARING = [name for name in EMBEDDERS if name != "max"]
ALIKE = 0.98
_CATALOGS: WeakKeyDictionary[Embedder, dict[str, FloatArray]] = WeakKeyDictionary()
AVERAGES = ("mean", "var", "variance")


@pytest.fixture(scope="module", params=EMBEDDERS)
def embedder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Embedder]:
    """An embedder that stays loaded for all tests that ask for it."""
    name: str = request.param
    with pytest.MonkeyPatch.context() as patch, serving_max() as server:
        patch.setenv(MAX_URL, server.url)
        patch.setenv(VARIABLE, str(tmp_path_factory.mktemp(name)))
        install(name)
        yield create_embedder(name)


class Waveform:
    """Audio in memory at its own rate, resampled as files are."""

    def __init__(self, samples: npt.NDArray[np.floating], sample_rate: int):
        self._samples, self._rate = samples, sample_rate

    def n_samples(self, sample_rate: int) -> int:
        return len(self._samples) * sample_rate // self._rate

    def read_windows(
        self, starts: Sequence[int], window_samples: int, sample_rate: int
    ) -> FloatArray:
        whole = soxr.resample(self._samples, self._rate, sample_rate, "HQ").astype(np.float32)
        windows = np.zeros((len(starts), window_samples), np.float32)
        for window, start in zip(windows, starts, strict=True):
            part = whole[max(0, start) : start + window_samples]
            window[max(0, -start) :][: len(part)] = part
        return windows


class Hours(Waveform):
    """Two hours of a second of music again and again; keeps how many windows were read at once."""

    def __init__(self) -> None:
        super().__init__(SIGNALS["chords"](1.0), SAMPLE_RATE)
        self.most = 0

    def n_samples(self, sample_rate: int) -> int:
        return 2 * 3600 * sample_rate

    def read_windows(
        self, starts: Sequence[int], window_samples: int, sample_rate: int
    ) -> FloatArray:
        self.most = max(self.most, len(starts))
        second = super().read_windows([0], sample_rate, sample_rate)[0]
        windows = [np.resize(np.roll(second, -start), window_samples) for start in starts]
        return np.stack(windows)


def music(signal: str, seconds: float) -> FloatArray:
    """At `SAMPLE_RATE`, again from its beginning where it is longer than the signal."""
    return np.resize(SIGNALS[signal](), int(seconds * SAMPLE_RATE))


def enough(embedder: Embedder) -> float:
    """Seconds of a little more than one window."""
    return max(1.0, embedder.spec.window_samples / embedder.spec.sample_rate) + 0.3


def heard(embedder: Embedder, signal: str = "chords", sample_rate: int = 44_100) -> FloatArray:
    samples = soxr.resample(music(signal, enough(embedder)), SAMPLE_RATE, sample_rate, "HQ")
    return embed(Waveform(samples, sample_rate), embedder, 1).vector


def catalog(embedder: Embedder) -> dict[str, FloatArray]:
    """The vector of each signal; heard once for all tests, as large networks are slow."""
    if embedder not in _CATALOGS:
        _CATALOGS[embedder] = {signal: heard(embedder, signal) for signal in SIGNALS}
    return _CATALOGS[embedder]


def of_file(embedder: Embedder, path: Path) -> Embedding:
    with path.open("rb") as file, open_audio(file, CATALOG_LIMITS) as audio:
        return embed(audio, embedder, 1)


def cosine(first: FloatArray, second: FloatArray) -> float:
    a, b = normalised(np.stack([first, second])).astype(np.float64)
    return float(a @ b)


def test_a_catalog_becomes_unit_vectors(embedder: Embedder) -> None:
    vectors = np.stack(list(catalog(embedder).values()))
    assert vectors.shape == (len(SIGNALS), embedder.spec.frame_dimension)
    assert vectors.dtype == np.float32
    unit = normalised(fit("corpus-centred", vectors).apply(vectors))
    assert unit.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, rtol=1e-5)


def test_the_same_audio_gives_the_same_bits(embedder: Embedder) -> None:
    np.testing.assert_array_equal(heard(embedder, "chords"), catalog(embedder)["chords"])


def test_windows_together_are_the_mean_of_each_alone(embedder: Embedder) -> None:
    spec = embedder.spec
    seconds = (spec.window_samples + spec.hop_samples) / spec.sample_rate
    # what is behind the second window, for the sake of rates that round, must not make a third
    samples = music("sweep", seconds + 0.01 * (spec.tail == "dropped"))
    source = Waveform(samples, SAMPLE_RATE)
    both = embed(source, embedder, 2)
    starts = [-spec.context_samples, spec.hop_samples - spec.context_samples]
    windows = source.read_windows(starts, spec.window_samples, spec.sample_rate)
    alone = [embedder.embed(window[None]).vectors[0] for window in windows]
    assert both.n_windows == 2
    largest = float(np.abs(both.vector).max())
    np.testing.assert_allclose(both.vector, np.mean(alone, axis=0), atol=1e-4 * largest)


def test_silence_is_refused(embedder: Embedder) -> None:
    silence = Waveform(np.zeros(3 * SAMPLE_RATE, np.float32), SAMPLE_RATE)
    with pytest.raises(SilentAudioError):
        embed(silence, embedder, 2)


def test_what_is_not_a_number_is_refused(embedder: Embedder, tmp_path: Path) -> None:
    broken = music("chords", 3.0)
    broken[::1000] = np.nan
    soundfile.write(tmp_path / "nan.wav", broken, SAMPLE_RATE, "FLOAT")
    with pytest.raises(UndecodableAudioError, match="NaN"):
        of_file(embedder, tmp_path / "nan.wav")


def test_audio_shorter_than_a_window_is_repeated(embedder: Embedder) -> None:
    spec = embedder.spec
    second = music("chords", 1.0)
    short = embed(Waveform(second, SAMPLE_RATE), embedder, 1)
    assert short.n_windows == 1
    assert np.isfinite(short.vector).all()
    if spec.least_samples > spec.sample_rate:
        once = Waveform(second, SAMPLE_RATE).read_windows([0], spec.sample_rate, spec.sample_rate)
        window = np.zeros((1, spec.window_samples), np.float32)
        window[0, spec.context_samples :] = np.resize(
            once[0], spec.window_samples - spec.context_samples
        )
        np.testing.assert_array_equal(short.vector, embedder.embed(window).vectors[0])


def test_both_channels_are_heard(embedder: Embedder, tmp_path: Path) -> None:
    left, right = (music(signal, enough(embedder)) / 2 for signal in ("chords", "sweep"))
    both, mono = tmp_path / "both.wav", tmp_path / "mono.wav"
    soundfile.write(both, np.stack([left, right], axis=1), SAMPLE_RATE, "FLOAT")
    soundfile.write(mono, (left + right) / 2, SAMPLE_RATE, "FLOAT")
    of_both, of_mono = of_file(embedder, both), of_file(embedder, mono)
    assert cosine(of_both.vector, of_mono.vector) > 0.9999


@pytest.mark.parametrize("sample_rate", [8_000, 192_000])
def test_files_of_any_rate_are_taken(embedder: Embedder, sample_rate: int, tmp_path: Path) -> None:
    samples = soxr.resample(music("chords", 1.2), SAMPLE_RATE, sample_rate, "HQ")
    soundfile.write(tmp_path / "x.wav", samples, sample_rate, "FLOAT")
    assert np.isfinite(of_file(embedder, tmp_path / "x.wav").vector).all()


@pytest.mark.parametrize("embedder", HEARING, indirect=True)
def test_the_same_music_at_another_rate_sounds_the_same(embedder: Embedder) -> None:
    """Music of up to 8 kHz, at 44.1 kHz and at 96 kHz; the centre is that of three sounds.

    Without centring, vectors that are nowhere negative would be alike whatever is heard.
    """
    vectors = catalog(embedder)
    centre = np.mean(list(vectors.values()), axis=0)
    chords = vectors["chords"] - centre
    assert cosine(chords, heard(embedder, "chords", 96_000) - centre) > ALIKE
    assert cosine(chords, vectors["sweep"] - centre) < ALIKE


def test_memory_does_not_grow_with_hours(embedder: Embedder) -> None:
    hours = Hours()
    assert embed(hours, embedder, 2).n_windows == 2
    assert hours.most <= BATCH_WINDOWS


def test_what_is_indexed_is_recommended(embedder: Embedder, tmp_path: Path) -> None:
    """The whole way: files, child processes under their limits, a generation, the service."""
    name, folder = embedder.spec.name, tmp_path / "music"
    folder.mkdir()
    for signal in SIGNALS:
        soundfile.write(folder / f"{signal}.wav", music(signal, 1.5), SAMPLE_RATE)
    said = ["--data-dir", str(tmp_path / "data"), "--embedder", name, "--workers", "1"]
    assert main(["reindex", str(folder), *said]) == 0
    with service(tmp_path / "data") as client:
        tracks = client.get("/tracks").json()["tracks"]
        assert len(tracks) == len(SIGNALS)
        query = {"track_id": tracks[0]["id"], "space": name}
        assert len(ids_of(client.get("/similar", params=query))) == len(SIGNALS) - 1


def test_two_hours_are_streamed_window_by_window() -> None:
    hours, mfcc = Hours(), create_embedder("mfcc")
    assert embed(hours, mfcc, None).n_windows > 2000
    assert hours.most == BATCH_WINDOWS


@pytest.mark.parametrize("name", EMBEDDERS)
def test_parameters_are_counted_as_they_are(name: str) -> None:
    for source in weights_of(name):
        learned = (t for key, t in MAKERS[source.name](SEED).items() if not key.endswith(AVERAGES))
        assert sum(tensor.size for tensor in learned) == source.n_parameters, source.name
