"""What musicnn's architectures share: packaged models side by side behind one front-end.

The weights come with the package, converted by ``tools/convert_musicnn.py``.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.musicnn_network import N_FRAMES, Tensors
from recommender.embedders.once import Once
from recommender.embedders.options import Choices, complete, full_name
from recommender.embedding import EmbedderSpec, Frames
from recommender.errors import WeightsError
from recommender.frontend import hann_window, log_compress, mel_filterbank, power_spectrogram
from recommender.weights import combined_digest, load_weights

PACKAGED = Path(__file__).parent / "musicnn_weights"
SAMPLE_RATE = 16_000
N_FFT = 512
HOP = 256
N_MELS = 96
HIGH_HZ = 8_000.0
GAIN = 10_000.0
# power and mel of anything louder would not be finite in float32
LOUDEST = 1e15

Network = Callable[[FloatArray], tuple[FloatArray, ...]]
"""From mel spectrograms (n_windows, 187, 96) to a named tuple of layers, ``taggram`` among them."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """One of the authors' networks.

    Attributes
    ----------
    name
        The embedder's.
    models
        The files of weights without their ending, in the order of their vectors; what stands
        before the underscore is the data they were trained on.
    choices
        The options ``layer`` and ``model``.
    widths
        Numbers that one model has in each layer.
    network
        Makes the network of a model's tensors.
    """

    name: str
    models: tuple[str, ...]
    choices: Choices
    widths: Mapping[str, int]
    network: Callable[[Tensors], Network]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What the manifest says of one model: its file, digest, and tags in the order of outputs."""

    path: Path
    sha256: str
    tags: tuple[str, ...]


class PackagedModels:
    """Embeds windows of 3 seconds into one layer of each model, and the models' tags.

    Parameters
    ----------
    architecture
        Whose models they are.
    weights
        Folder with ``manifest.json`` and the files it lists.
    options
        Values of the architecture's choices.

    Raises
    ------
    InvalidParameterError
        Options that there are not.
    """

    def __init__(
        self, architecture: Architecture, weights: Path, options: Mapping[str, str] | None
    ):
        self._architecture = architecture
        self._folder = weights
        self._options = complete(architecture.name, architecture.choices, options or {})
        self._loaded = Once(self._load)

    @cached_property
    def _files(self) -> tuple[ModelFile, ...]:
        wanted = tuple(self._options["model"].upper().split("+"))
        files = read_manifest(self._folder, self._architecture.models)
        return tuple(file for file in files if file.path.name.startswith(wanted))

    @cached_property
    def spec(self) -> EmbedderSpec:
        """What it is; reads the manifest, not the weights.

        Raises
        ------
        WeightsError
            The manifest is missing or unreadable.
        """
        architecture = self._architecture
        return EmbedderSpec(
            name=full_name(architecture.name, architecture.choices, self._options),
            version="1",
            sample_rate=SAMPLE_RATE,
            window_samples=N_FFT + (N_FRAMES - 1) * HOP,
            hop_samples=N_FRAMES * HOP,
            context_samples=N_FFT // 2,
            least_samples=(N_FRAMES - 1) * HOP,
            frame_dimension=len(self._files) * architecture.widths[self._options["layer"]],
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

    def _load(self) -> tuple[Network, ...]:
        make = self._architecture.network
        return tuple(make(load_weights(file.path, file.sha256)) for file in self._files)

    @cached_property
    def _bank(self) -> FloatArray:
        return mel_filterbank(SAMPLE_RATE, N_FFT, N_MELS, 0.0, HIGH_HZ)

    def _mel(self, windows: FloatArray) -> FloatArray:
        """Compressed mel spectrograms, shape (n_windows, 187, 96)."""
        samples = np.clip(windows, -LOUDEST, LOUDEST)
        power = power_spectrogram(samples, hann_window(N_FFT), HOP)
        return log_compress(power @ self._bank, GAIN)


def _beside(models: list[tuple[FloatArray, ...]], layer: str) -> FloatArray:
    """One layer of each model, side by side."""
    vectors: FloatArray = np.concatenate([getattr(model, layer) for model in models], axis=1)
    return vectors


def read_manifest(folder: Path, models: tuple[str, ...]) -> tuple[ModelFile, ...]:
    """Read digests and tags of `models`.

    Raises
    ------
    WeightsError
        ``manifest.json`` is missing or not what the converter writes.
    """
    try:
        files = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
        return tuple(_model_file(folder, model, files[f"{model}.safetensors"]) for model in models)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"manifest={folder.name}/manifest.json cannot be used ({error!r}); "
            "install soundalike again"
        ) from error


def _model_file(folder: Path, model: str, entry: dict[str, Any]) -> ModelFile:
    prefix = model.split("_")[0].lower()
    tags = tuple(f"{prefix}:{tag.lower()}" for tag in entry["tags"])
    return ModelFile(folder / f"{model}.safetensors", entry["sha256"], tags)
