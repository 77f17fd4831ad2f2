"""What every implementation of a protocol must do; each has one test class that inherits these."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from recommender.arrays import FloatArray
from recommender.embedding import Embedder
from recommender.errors import InvalidParameterError


class EmbedderContract:
    """Inherit as ``class TestName(EmbedderContract)`` and override the fixture `embedder`.

    Comparisons allow `tolerance` of the largest value, for sums that are taken in another order.
    """

    tolerance = 1e-5

    @pytest.fixture
    def embedder(self) -> Embedder:
        raise NotImplementedError("return an embedder that has not embedded anything yet")

    def test_spec_is_read_without_reading_weights(
        self, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: Path) -> bytes:
            raise AssertionError(f"{path} was read")

        monkeypatch.setattr(Path, "read_bytes", refuse)
        spec = embedder.spec
        assert spec.sample_rate > 0
        assert 0 <= spec.context_samples < spec.window_samples
        assert 0 < spec.least_samples <= spec.window_samples
        assert len(set(spec.tag_names)) == len(spec.tag_names)
        assert spec.weights_sha256 == "" or len(spec.weights_sha256) == 64

    def test_spec_stays_the_same(self, embedder: Embedder) -> None:
        assert embedder.spec == embedder.spec

    def test_frames_have_the_shape_the_spec_says(self, embedder: Embedder) -> None:
        frames = embedder.embed(noise_windows(embedder, 3))
        assert frames.vectors.shape == (3, embedder.spec.frame_dimension)
        assert frames.tags.shape == (3, len(embedder.spec.tag_names))
        assert frames.vectors.dtype == frames.tags.dtype == np.float32
        assert np.isfinite(frames.vectors).all()
        assert ((frames.tags >= 0) & (frames.tags <= 1)).all()

    def test_no_windows_give_no_frames(self, embedder: Embedder) -> None:
        frames = embedder.embed(noise_windows(embedder, 1)[:0])
        assert frames.vectors.shape == (0, embedder.spec.frame_dimension)
        assert frames.tags.shape == (0, len(embedder.spec.tag_names))

    def test_the_same_windows_give_the_same_bits(self, embedder: Embedder) -> None:
        windows = noise_windows(embedder, 2)
        first, second = embedder.embed(windows), embedder.embed(windows)
        np.testing.assert_array_equal(first.vectors, second.vectors)
        np.testing.assert_array_equal(first.tags, second.tags)

    def test_a_batch_equals_its_windows_one_by_one(self, embedder: Embedder) -> None:
        windows = noise_windows(embedder, 3)
        batch = embedder.embed(windows).vectors
        singles = np.concatenate([embedder.embed(window[None]).vectors for window in windows])
        self.assert_close(batch, singles)

    def test_different_sounds_give_different_vectors(self, embedder: Embedder) -> None:
        gains = np.array([[1.0], [0.01]], np.float32)
        first, second = embedder.embed(noise_windows(embedder, 2) * gains).vectors
        assert not np.allclose(first, second)

    def test_windows_are_left_as_they_were(self, embedder: Embedder) -> None:
        windows = noise_windows(embedder, 2)
        before = windows.copy()
        embedder.embed(windows)
        np.testing.assert_array_equal(windows, before)

    def test_read_only_windows_are_accepted(self, embedder: Embedder) -> None:
        windows = noise_windows(embedder, 1)
        windows.flags.writeable = False
        assert np.isfinite(embedder.embed(windows).vectors).all()

    @pytest.mark.parametrize("level", [0.0, 1e-40, 1.0, 1e30], ids=lambda level: f"{level:g}")
    def test_any_finite_level_gives_finite_vectors(self, embedder: Embedder, level: float) -> None:
        windows = (noise_windows(embedder, 1) * level).astype(np.float32)
        assert np.isfinite(embedder.embed(windows).vectors).all()

    def test_nan_stays_in_its_own_window(self, embedder: Embedder) -> None:
        windows = noise_windows(embedder, 3)
        clean = embedder.embed(windows).vectors
        windows[1, windows.shape[1] // 2] = np.nan
        spoilt = embedder.embed(windows).vectors
        assert np.isnan(spoilt[1]).any()
        self.assert_close(spoilt[[0, 2]], clean[[0, 2]])

    def test_windows_of_another_length_are_refused(self, embedder: Embedder) -> None:
        with pytest.raises(InvalidParameterError, match="window_samples="):
            embedder.embed(noise_windows(embedder, 1)[:, :-1])

    def test_threads_may_share_an_embedder(self, embedder: Embedder) -> None:
        windows = noise_windows(embedder, 4)
        with ThreadPoolExecutor(4) as threads:
            shared = list(threads.map(lambda window: embedder.embed(window[None]).vectors, windows))
        self.assert_close(np.concatenate(shared), embedder.embed(windows).vectors)

    def assert_close(self, actual: FloatArray, expected: FloatArray) -> None:
        largest = float(np.abs(expected).max())
        np.testing.assert_allclose(actual, expected, rtol=0, atol=self.tolerance * largest)


def noise_windows(embedder: Embedder, n_windows: int) -> FloatArray:
    """Windows of seeded noise, each different, peak 0.1."""
    shape = (n_windows, embedder.spec.window_samples)
    return np.random.default_rng(20).uniform(-0.1, 0.1, shape).astype(np.float32)
