"""panns: convolutional networks trained to tag the sounds of AudioSet, music among them.

The vector of a window is the layer before the tags, rectified: 2048 numbers of Cnn14, 512 of its
small siblings. A window is 10 seconds, the length the networks were trained on, and is embedded as
the original embeds a recording of that length: its ends are mirrored, and the network's mean and
maximum over time lie within the window. Longer audio is the mean over windows. AudioSet's classes
are not offered as tags: few of them describe music.

Options choose the network: ``cnn14`` (32 kHz), ``cnn14_16k``, ``cnn10`` and ``cnn6`` (32 kHz).

References
----------
.. [1] Q. Kong, Y. Cao, T. Iqbal, Y. Wang, W. Wang and M. D. Plumbley (2020): PANNs: Large-scale
       pretrained audio neural networks for audio pattern recognition. IEEE/ACM Transactions on
       Audio, Speech, and Language Processing 28, 2880-2894.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.options import Choices
from recommender.embedders.published import PublishedEmbedder
from recommender.embedding import EmbedderSpec
from recommender.frontend import decibels, hann_window, mel_filterbank, power_spectrogram
from recommender.weights_store import Installed, Source, installed

if TYPE_CHECKING:
    from recommender.embedders.panns_network import PannsNetwork

NAME = "panns"
REQUIRES = ("torch",)
COST = 2.1
FITNESS = (
    "a trained layer on it tells genres of GTZAN with an accuracy of .860 (HEAR 2021), not "
    "the cosine used here; OpenL3 .879"
)
CHOICES: Choices = {"model": ("cnn14", "cnn14_16k", "cnn10", "cnn6")}
N_MELS = 64
LOW_HZ = 50.0
LEAST_POWER = 1e-10
WINDOW_SECONDS = 10
FRAMES_PER_SECOND = 100
# the power of anything louder would not be finite in float32
LOUDEST = 1e15


def _source(model: str, file_name: str, n_bytes: int, digest: str, n_parameters: int) -> Source:
    quoted = file_name.replace("=", "%3D")
    return Source(
        name=f"panns-{model.replace('_', '-')}",
        url=f"https://zenodo.org/record/3987831/files/{quoted}?download=1",
        file_name=file_name,
        n_bytes=n_bytes,
        digest=digest,
        licence="CC-BY-4.0",
        attribution="Qiuqiang Kong et al., PANNs, https://zenodo.org/record/3987831",
        trained_on="AudioSet (2 million clips of 10 s from YouTube, 527 classes of sound)",
        commercial=True,
        converter="recommender.embedders.panns_weights:convert",
        n_parameters=n_parameters,
    )


@dataclass(frozen=True, slots=True)
class Variant:
    """One network: its weights, which architecture they are of, and what it hears."""

    source: Source
    architecture: str
    sample_rate: int
    n_fft: int
    high_hz: float
    dimension: int


VARIANTS = {
    "cnn14": Variant(
        _source(
            "cnn14",
            "Cnn14_mAP=0.431.pth",
            327_428_481,
            "sha256:0dc499e40e9761ef5ea061ffc77697697f277f6a960894903df3ada000e34b31",
            79_673_792,
        ),
        architecture="cnn14",
        sample_rate=32_000,
        n_fft=1024,
        high_hz=14_000.0,
        dimension=2048,
    ),
    "cnn14_16k": Variant(
        _source(
            "cnn14_16k",
            "Cnn14_16k_mAP=0.438.pth",
            358_668_570,
            "sha256:e2ee543a27919542c2ea03eabaa70b24dcd4e6c8e05621de6b67a94e4c5058e6",
            79_673_792,
        ),
        architecture="cnn14",
        sample_rate=16_000,
        n_fft=512,
        high_hz=8_000.0,
        dimension=2048,
    ),
    "cnn10": Variant(
        _source(
            "cnn10",
            "Cnn10_mAP=0.380.pth",
            25_237_595,
            "md5:bfb1f1f9968938fa8ef4012b8471f5f6",
            4_948_928,
        ),
        architecture="cnn10",
        sample_rate=32_000,
        n_fft=1024,
        high_hz=14_000.0,
        dimension=512,
    ),
    "cnn6": Variant(
        _source("cnn6", "Cnn6_mAP=0.343.pth", 0, "md5:e25e26b84585b14c7754c91e48efc9be", 4_567_104),
        architecture="cnn6",
        sample_rate=32_000,
        n_fft=1024,
        high_hz=14_000.0,
        dimension=512,
    ),
}
WEIGHTS: tuple[Source, ...] = tuple(variant.source for variant in VARIANTS.values())


class Panns(PublishedEmbedder["PannsNetwork"]):
    """Embeds windows of 10 s at 32 kHz (cnn14_16k: 16) into 2048 numbers (cnn10, cnn6: 512)."""

    base_name = NAME
    choices = CHOICES

    def __init__(self, options: Mapping[str, str] | None = None):
        super().__init__(options)
        self._variant = VARIANTS[self._options["model"]]

    def _describe(self, name: str) -> EmbedderSpec:
        variant = self._variant
        samples = WINDOW_SECONDS * variant.sample_rate
        return EmbedderSpec(
            name=name,
            version="1",
            sample_rate=variant.sample_rate,
            window_samples=samples,
            hop_samples=samples,
            context_samples=0,
            least_samples=samples,
            frame_dimension=variant.dimension,
            tag_names=(),
            front_end=f"mel64-slaney-{variant.sample_rate // 1000}k-mirrored",
            layer=f"{self._options['model']}-fc1",
            weights_sha256=self._installed.sha256,
            tail="covered",
        )

    def _vectors(self, network: "PannsNetwork", windows: FloatArray) -> FloatArray:
        return network([self._levels(window) for window in windows])

    @cached_property
    def _installed(self) -> Installed:
        return installed(self._variant.source)

    def _load(self) -> "PannsNetwork":
        from recommender.embedders.panns_network import ARCHITECTURES, PannsNetwork

        architecture = ARCHITECTURES[self._variant.architecture]
        return PannsNetwork(architecture, self._installed.load())

    @cached_property
    def _bank(self) -> FloatArray:
        variant = self._variant
        return mel_filterbank(variant.sample_rate, variant.n_fft, N_MELS, LOW_HZ, variant.high_hz)

    def _levels(self, window: FloatArray) -> FloatArray:
        """Mel levels of one window in dB, shape (1001, 64)."""
        variant = self._variant
        samples = np.clip(window, -LOUDEST, LOUDEST)
        mirrored = np.pad(samples, variant.n_fft // 2, mode="reflect")
        hop = variant.sample_rate // FRAMES_PER_SECOND
        power = power_spectrogram(mirrored[None], hann_window(variant.n_fft), hop)[0]
        return decibels(power @ self._bank, LEAST_POWER)
