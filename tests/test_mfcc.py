"""The classic baseline against librosa's coefficients, and as an embedder.

The golden numbers are means and deviations of ``librosa.feature.mfcc(S=level, n_mfcc=20)`` over the
first 129 frames, with ``level = power_to_db(melspectrogram(y=signal, sr=22050), top_db=None)``, by
librosa 0.11.0. The signals are taken as if their rate were 22.05 kHz.
"""

import numpy as np
import pytest

from recommender.arrays import FloatArray
from recommender.embedders.mfcc import Mfcc
from recommender.embedding import Embedder
from tests.contracts import EmbedderContract
from tests.signals import SIGNALS

# 20 means, then 20 deviations
GOLDEN_TEXT = {
    "chords": """
        -149.879 33.448 -5.482 3.998 -4.504 -8.293 -11.713 -13.872 -17.604 -16.490
        -13.302 -12.621 -14.428 -10.752 -9.250 -7.683 -5.849 -2.083 1.364 5.844
        60.452 11.493 6.824 4.735 6.266 5.577 3.457 5.627 9.147 7.631
        6.563 7.812 3.946 9.047 8.101 9.806 8.014 4.962 7.787 12.793
    """,
    "sweep": """
        -966.676 197.716 135.142 70.133 23.972 2.145 -4.862 -7.197 -8.597 -8.339
        -6.386 -4.489 -4.125 -5.078 -6.317 -7.217 -7.698 -7.717 -7.204 -6.321
        64.167 20.548 23.753 47.805 58.814 55.133 46.574 39.669 35.195 32.542
        31.017 29.054 26.200 23.588 21.884 20.762 19.596 18.154 16.992 16.509
    """,
    "hiss": """
        -188.075 -3.657 0.374 0.363 0.661 0.237 0.513 0.528 -0.042 -0.020
        0.118 -0.025 0.012 -0.135 -0.160 -0.059 0.170 0.839 0.839 0.145
        149.321 3.332 3.231 3.197 3.307 3.203 2.993 3.043 2.992 2.976
        2.870 3.450 3.423 3.467 3.118 2.726 2.652 3.021 2.734 3.301
    """,
}
GOLDEN = {name: [float(number) for number in text.split()] for name, text in GOLDEN_TEXT.items()}
TOLERANCE = 2e-3


class TestMfccContract(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return Mfcc()


def first_window(signal: FloatArray) -> FloatArray:
    """As the indexer reads it: with nothing before the signal's beginning."""
    spec = Mfcc.spec
    return np.pad(signal, (spec.context_samples, 0))[None, : spec.window_samples]


@pytest.mark.parametrize("signal", SIGNALS)
def test_coefficients_are_those_of_librosa(signal: str) -> None:
    vector = Mfcc().embed(first_window(SIGNALS[signal]())).vectors[0]
    np.testing.assert_allclose(vector, GOLDEN[signal], rtol=0, atol=TOLERANCE)


def test_level_moves_the_first_coefficient_alone() -> None:
    window = first_window(SIGNALS["hiss"]())
    quiet, loud = Mfcc().embed(np.concatenate([window, window * np.float32(10)])).vectors
    # 20 dB on each of 128 bands: the first basis vector is 1 / sqrt(128) throughout
    assert loud[0] - quiet[0] == pytest.approx(20 * 128**0.5, rel=1e-4)
    np.testing.assert_allclose(loud[1:], quiet[1:], atol=0.05)


def test_a_steady_sound_does_not_deviate() -> None:
    # 2048 samples hold whole periods, and so does the way from frame to frame
    tone = np.sin(2 * np.pi * np.arange(Mfcc.spec.window_samples) * 16 / 2048)
    vector = Mfcc().embed(tone.astype(np.float32)[None]).vectors[0]
    assert np.abs(vector[:20]).max() > 100
    assert vector[20:].max() < 1.0


def test_silence_is_the_floor_of_the_scale() -> None:
    vector = Mfcc().embed(np.zeros((1, Mfcc.spec.window_samples), np.float32)).vectors[0]
    np.testing.assert_allclose(vector, [-100 * 128**0.5, *[0.0] * 39], atol=1e-2)
