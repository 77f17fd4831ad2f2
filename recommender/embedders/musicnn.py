"""musicnn, the default embedder: two trained models side by side, in numpy alone.

The vector of a window is the penultimate layer of the model trained on the Million Song Dataset
followed by that of the model trained on MagnaTagATune; together they retrieve better than either.
Options choose one of the models, or what the dense layers are fed with: maximum or mean over time.
The weights come with the package, converted by ``tools/convert_musicnn.py``.

Reference: J. Pons and X. Serra, "musicnn: Pre-trained convolutional neural networks for music audio
tagging", ISMIR late-breaking demo, 2019.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.musicnn_network import N_FRAMES, Layers, MusicnnNetwork
from recommender.embedders.once import Once
from recommender.embedders.options import complete, full_name
from recommender.embedding import EmbedderSpec, Frames
from recommender.errors import WeightsError
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
NAME = "musicnn"
LICENCE = "ISC"
FITNESS = (
    "hits by cosine alone: fourth of ten embeddings for warm users, second of seven for cold ones "
    "(Tamm and Aljanaki, RecSys 2024, arXiv:2409.08987)"
)
CHOICES = {"layer": ("penultimate", "mean_pool", "max_pool"), "model": ("msd+mtt", "msd", "mtt")}
WIDTH = {"penultimate": 200, "mean_pool": 753, "max_pool": 753}
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
    options
        Values of `CHOICES`. A pooling layer is 753 numbers a model, and one model has 50 tags.

    Raises
    ------
    InvalidParameterError
        Options that there are not.
    """

    def __init__(self, weights: Path = WEIGHTS, options: Mapping[str, str] | None = None):
        self._folder = weights
        self._options = complete(NAME, CHOICES, options or {})
        self._loaded = Once(self._load)

    @cached_property
    def _files(self) -> tuple[ModelFile, ...]:
        wanted = self._options["model"].upper().split("+")
        return tuple(
            f for f in read_manifest(self._folder) if f.path.name.startswith(tuple(wanted))
        )

    @cached_property
    def spec(self) -> EmbedderSpec:
        """What it is; reads the manifest, not the weights.

        Raises
        ------
        WeightsError
            The manifest is missing or unreadable.
        """
        return EmbedderSpec(
            name=full_name(NAME, CHOICES, self._options),
            version="1",
            sample_rate=SAMPLE_RATE,
            window_samples=N_FFT + (N_FRAMES - 1) * HOP,
            hop_samples=N_FRAMES * HOP,
            context_samples=N_FFT // 2,
            least_samples=(N_FRAMES - 1) * HOP,
            frame_dimension=len(self._files) * WIDTH[self._options["layer"]],
            tag_names=tuple(tag for file in self._files for tag in file.tags),
            front_end="mel96-slaney-16k-zero-pad",
            layer="{model}-{layer}".format_map(self._options),
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
        self.spec.require_windows(windows)
        networks = self._loaded()
        mel = self._mel(windows)
        layers = [network(mel) for network in networks]
        return Frames(
            vectors=_beside(layers, self._options["layer"]), tags=_beside(layers, "taggram")
        )

    def _load(self) -> tuple[MusicnnNetwork, ...]:
        return tuple(MusicnnNetwork(load_weights(f.path, f.sha256)) for f in self._files)

    @cached_property
    def _bank(self) -> FloatArray:
        return mel_filterbank(SAMPLE_RATE, N_FFT, N_MELS, 0.0, HIGH_HZ)

    def _mel(self, windows: FloatArray) -> FloatArray:
        """Compressed mel spectrograms, shape (n_windows, 187, 96)."""
        samples = np.clip(windows, -LOUDEST, LOUDEST)
        power = power_spectrogram(samples, hann_window(N_FFT), HOP)
        return log_compress(power @ self._bank, GAIN)


def _beside(models: list[Layers], layer: str) -> FloatArray:
    """One layer of each model, side by side."""
    vectors: FloatArray = np.concatenate([getattr(model, layer) for model in models], axis=1)
    return vectors


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
