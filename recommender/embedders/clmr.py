"""clmr: SampleCNN as it was trained, without labels, to recognise two pieces of one song.

The vector of a window of 2.7 seconds is the output of the encoder, before the projection that the
contrastive training added. The network hears the waveform itself; there is no spectrogram. Windows
have the length of the training and lie end to end, as the authors' evaluation cuts a song; they
average what is predicted of the windows, and here their vectors are averaged alike.

References
----------
.. [1] J. Spijkervet and J. A. Burgoyne (2021): Contrastive learning of musical representations.
       ISMIR. Code and weights: https://github.com/Spijkervet/CLMR
.. [2] J. Lee, J. Park, K. L. Kim and J. Nam (2017): Sample-level deep convolutional neural networks
       for music auto-tagging using raw waveforms. SMC.
"""

from functools import cached_property
from itertools import pairwise
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

NAME = "clmr"
REQUIRES = ("torch",)
COST = 1.7
FITNESS = (
    "a linear layer on it tells genres of GTZAN with an accuracy of .686, on Jukebox .797 (README "
    "of TUNe), and tags of MagnaTagATune with a ROC-AUC of .887 (README of CLMR)"
)
CHOICES: Choices = {}
SAMPLE_RATE = 22_050
WINDOW_SAMPLES = 3**10
WIDTHS = (128, 128, 128, 256, 256, 256, 256, 256, 256, 512)
STAGES = (
    Stage(1, 128, kernel=3, stride=3, padding=0),
    *(
        Stage(inputs, outputs, kernel=3, stride=1, padding=1, pool=3)
        for inputs, outputs in pairwise(WIDTHS)
    ),
    Stage(512, 512, kernel=3, stride=1, padding=1),
)
# far beyond any recording; what is louder might not stay finite on its way through the network
LOUDEST = 1e6
SOURCE = Source(
    name="clmr-mtat",
    url="https://github.com/Spijkervet/CLMR/releases/download/2.0/clmr_checkpoint_10000.zip",
    file_name="clmr_checkpoint_10000.zip",
    n_bytes=0,
    digest="",
    licence="Apache-2.0",
    attribution="Janne Spijkervet and John Ashley Burgoyne, CLMR, ISMIR 2021",
    trained_on="MagnaTagATune, without its labels",
    commercial=True,
    converter="recommender.embedders.clmr_weights:convert",
    n_parameters=2_368_512,
)
WEIGHTS = (SOURCE,)


class Clmr(PublishedEmbedder["WaveformNetwork"]):
    """Embeds windows of 2.7 s, 59049 samples at 22.05 kHz, into 512 numbers, none below 0."""

    base_name = NAME
    choices = CHOICES

    def _describe(self, name: str) -> EmbedderSpec:
        return EmbedderSpec(
            name=name,
            version="1",
            sample_rate=SAMPLE_RATE,
            window_samples=WINDOW_SAMPLES,
            hop_samples=WINDOW_SAMPLES,
            context_samples=0,
            least_samples=WINDOW_SAMPLES,
            frame_dimension=STAGES[-1].outputs,
            tag_names=(),
            front_end="waveform-22k",
            layer="encoder",
            weights_sha256=self._installed.sha256,
        )

    def _vectors(self, network: "WaveformNetwork", windows: FloatArray) -> FloatArray:
        # 3^10 samples leave one step
        return network(np.clip(windows, -LOUDEST, LOUDEST))[:, 0]

    @cached_property
    def _installed(self) -> Installed:
        return installed(SOURCE)

    def _load(self) -> "WaveformNetwork":
        from recommender.embedders.waveform_network import WaveformNetwork

        return WaveformNetwork(self._installed.load(), STAGES)
