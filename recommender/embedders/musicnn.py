"""musicnn, the default embedder: two trained models side by side, in numpy alone.

The vector of a window is the penultimate layer of the model trained on the Million Song Dataset
followed by that of the model trained on MagnaTagATune; together they retrieve better than either.
The weights come with the package, converted by ``tools/convert_musicnn.py``.

Reference: J. Pons and X. Serra, "musicnn: Pre-trained convolutional neural networks for music audio
tagging", ISMIR late-breaking demo, 2019.
"""

import json
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.musicnn_network import N_FRAMES, MusicnnNetwork
from recommender.embedding import EmbedderSpec, Frames
from recommender.errors import InvalidParameterError, WeightsError
from recommender.frontend import hann_window, log_compress, mel_filterbank, power_spectrogram
from recommender.weights import combined_digest, load_weights

WEIGHTS = Path(__file__).parent / "musicnn_weights"
MODELS = ("MSD_musicnn", "MTT_musicnn")
SAMPLE_RATE = 16_000
N_FFT = 512
HOP = 256
N_MELS = 96
HIGH_HZ = 8_000.0
GAIN = 10_000.0
UNITS = 200
# power and mel of anything louder would not be finite in float32
LOUDEST = 1e15


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What the manifest says of one model: its file, digest, and tags in the order of outputs."""

    path: Path
    sha256: str
    tags: tuple[str, ...]


class Musicnn:
    """Embeds windows of 3 seconds into 400 numbers and 100 tag probabilities.

    Parameters
    ----------
    weights
        Folder with ``manifest.json`` and the files it lists; the packaged one by default.
    """

    def __init__(self, weights: Path = WEIGHTS):
        self._folder = weights
        self._lock = threading.Lock()

    @cached_property
    def _files(self) -> tuple[ModelFile, ...]:
        return read_manifest(self._folder)

    @cached_property
    def spec(self) -> EmbedderSpec:
        """What it is; reads the manifest, not the weights.

        Raises
        ------
        WeightsError
            The manifest is missing or unreadable.
        """
        return EmbedderSpec(
            name="musicnn",
            version="1",
            sample_rate=SAMPLE_RATE,
            window_samples=N_FFT + (N_FRAMES - 1) * HOP,
            hop_samples=N_FRAMES * HOP,
            context_samples=N_FFT // 2,
            least_samples=(N_FRAMES - 1) * HOP,
            frame_dimension=len(MODELS) * UNITS,
            tag_names=tuple(tag for file in self._files for tag in file.tags),
            front_end="mel96-slaney-16k-zero-pad",
            layer="msd+mtt-penultimate",
            weights_sha256=combined_digest([file.sha256 for file in self._files]),
        )

    def embed(self, windows: FloatArray) -> Frames:
        """Embed windows of shape (n_windows, 48128), samples in [-1, 1] at 16 kHz.

        A window that holds NaN gives NaN and leaves the others alone.

        Raises
        ------
        InvalidParameterError
            The windows have another length.
        WeightsError
            The weights are missing or not the pinned ones.
        """
        length, expected = windows.shape[1], self.spec.window_samples
        if length != expected:
            raise InvalidParameterError(f"window_samples={length} must be {expected} for musicnn")
        networks = self._loaded()
        mel = self._mel(windows)
        outputs = [network(mel) for network in networks]
        return Frames(
            vectors=np.concatenate([penultimate for penultimate, _ in outputs], axis=1),
            tags=np.concatenate([probabilities for _, probabilities in outputs], axis=1),
        )

    def _loaded(self) -> tuple[MusicnnNetwork, ...]:
        with self._lock:  # two threads must not both prepare the weights
            return self._networks

    @cached_property
    def _networks(self) -> tuple[MusicnnNetwork, ...]:
        return tuple(MusicnnNetwork(load_weights(f.path, f.sha256)) for f in self._files)

    @cached_property
    def _bank(self) -> FloatArray:
        return mel_filterbank(SAMPLE_RATE, N_FFT, N_MELS, 0.0, HIGH_HZ)

    def _mel(self, windows: FloatArray) -> FloatArray:
        """Compressed mel spectrograms, shape (n_windows, 187, 96)."""
        samples = np.clip(windows, -LOUDEST, LOUDEST)
        power = power_spectrogram(samples, hann_window(N_FFT), HOP)
        return log_compress(power @ self._bank, GAIN)


def read_manifest(folder: Path) -> tuple[ModelFile, ...]:
    """Read digests and tags of both models.

    Raises
    ------
    WeightsError
        ``manifest.json`` is missing or not what the converter writes.
    """
    try:
        files = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
        return tuple(_model_file(folder, model, files[f"{model}.safetensors"]) for model in MODELS)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"manifest={folder.name}/manifest.json cannot be used ({error!r}); "
            "install soundalike again"
        ) from error


def _model_file(folder: Path, model: str, entry: dict[str, Any]) -> ModelFile:
    prefix = model.split("_")[0].lower()
    tags = tuple(f"{prefix}:{tag.lower()}" for tag in entry["tags"])
    return ModelFile(folder / f"{model}.safetensors", entry["sha256"], tags)
