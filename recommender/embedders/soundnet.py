"""soundnet: SoundNet's eight-layer network, taught by what two vision networks saw in videos.

The vector of a window of 10 seconds is the average over time of the last hidden layer (``conv7``,
1024 numbers every 1.5 s) or of the fifth (``pool5``, 256 numbers every 0.37 s), the two that the
authors use as features. Ten seconds are the shortest sound that the published network classifies:
its last layer spans eight steps of ``conv7``. Longer windows would only average more steps, which
the average over windows does as well. It was made for scenes and objects, not for music.

Samples are multiplied by 256 as in the original, which takes the first of several channels where
this project mixes them, and does not resample.

References
----------
.. [1] Y. Aytar, C. Vondrick and A. Torralba (2016): SoundNet: Learning sound representations from
       unlabeled video. NIPS. Code and weights: https://github.com/cvondrick/soundnet
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import FloatArray
from recommender.embedders.options import Choices
from recommender.embedders.published import PublishedEmbedder
from recommender.embedders.waveform_stages import Stage
from recommender.embedding import EmbedderSpec
from recommender.weights_store import Installed, Source, installed

if TYPE_CHECKING:
    from recommender.embedders.waveform_network import WaveformNetwork

NAME = "soundnet"
REQUIRES = ("torch",)
COST = 0.3
FITNESS = (
    "made to tell scenes and objects; no published figures on music are known, so measure it on "
    "your own catalog first"
)
CHOICES: Choices = {"layer": ("conv7", "pool5")}
N_STAGES = {"conv7": 7, "pool5": 5}
SAMPLE_RATE = 22_050
WINDOW_SAMPLES = 10 * SAMPLE_RATE
FULL_SCALE = 256.0
STAGES = (
    Stage(1, 16, kernel=64, stride=2, padding=32, pool=8),
    Stage(16, 32, kernel=32, stride=2, padding=16, pool=8),
    Stage(32, 64, kernel=16, stride=2, padding=8),
    Stage(64, 128, kernel=8, stride=2, padding=4),
    Stage(128, 256, kernel=4, stride=2, padding=2, pool=4),
    Stage(256, 512, kernel=4, stride=2, padding=2),
    Stage(512, 1024, kernel=4, stride=2, padding=2),
)
# far beyond any recording; what is louder might not stay finite on its way through the network
LOUDEST = 1e6
SOURCE = Source(
    name="soundnet-8",
    url="https://github.com/pseeth/soundnet_keras/raw/master/models/sound8.npy",
    file_name="sound8.npy",
    n_bytes=0,
    digest="git-sha1:96766f1571489fdac071e132ef605f1440dda856",
    licence="MIT",
    attribution="Yusuf Aytar, Carl Vondrick and Antonio Torralba, SoundNet, NIPS 2016",
    trained_on="the sound of two million videos, labelled by networks that saw them",
    commercial=True,
    converter="recommender.embedders.soundnet_weights:convert",
    n_parameters=2_874_320,
)
# what the authors themselves publish: the same numbers, but not over https and without a digest
ORIGINAL = replace(
    SOURCE,
    name="soundnet-8-torch7",
    url="http://data.csail.mit.edu/soundnet/soundnet_models_public.zip",
    file_name="soundnet_models_public.zip",
    digest="",
)
WEIGHTS = (SOURCE, ORIGINAL)


class SoundNet(PublishedEmbedder["WaveformNetwork"]):
    """Embeds windows of 10 s, 220500 samples at 22.05 kHz, into 1024 or 256 numbers.

    None is below 0.
    """

    base_name = NAME
    choices = CHOICES

    def __init__(self, options: Mapping[str, str] | None = None):
        super().__init__(options)
        self._stages = STAGES[: N_STAGES[self._options["layer"]]]

    def _describe(self, name: str) -> EmbedderSpec:
        return EmbedderSpec(
            name=name,
            version="1",
            sample_rate=SAMPLE_RATE,
            window_samples=WINDOW_SAMPLES,
            hop_samples=WINDOW_SAMPLES,
            context_samples=0,
            least_samples=WINDOW_SAMPLES,
            frame_dimension=self._stages[-1].outputs,
            tag_names=(),
            front_end="waveform256-22k",
            layer=self._options["layer"],
            weights_sha256=self._installed.sha256,
            tail="covered",
        )

    def _vectors(self, network: "WaveformNetwork", windows: FloatArray) -> FloatArray:
        samples = np.float32(FULL_SCALE) * np.clip(windows, -LOUDEST, LOUDEST)
        vectors: FloatArray = network(samples).mean(axis=1)
        return vectors

    @cached_property
    def _installed(self) -> Installed:
        return installed(*WEIGHTS)

    def _load(self) -> "WaveformNetwork":
        from recommender.embedders.waveform_network import WaveformNetwork

        return WaveformNetwork(self._installed.load(), self._stages)
