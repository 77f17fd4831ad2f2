"""yamnet: a small network that tells the 521 sounds of AudioSet apart.

The vector of a window of 0.975 s is the layer before the classes: 1024 averages over time and
frequency, none below 0. Windows begin 0.48 s apart, as the original's do, so that with all of them
the vectors are the original's; save that it fills the end of a recording up with zeros to one more
window, where here the rest is left out. AudioSet's classes are not offered as tags: few of them
describe music.

References
----------
.. [1] M. Plakal and D. Ellis (2019): YAMNet. https://github.com/tensorflow/models, in
       research/audioset/yamnet.
.. [2] A. G. Howard et al. (2017): MobileNets: Efficient convolutional neural networks for mobile
       vision applications. arXiv:1704.04861.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from recommender.arrays import FloatArray
from recommender.embedders.options import Choices
from recommender.embedders.published import PublishedEmbedder
from recommender.embedding import EmbedderSpec
from recommender.frontend import audioset_log_mel
from recommender.weights_store import Installed, Source, installed

if TYPE_CHECKING:
    from recommender.embedders.yamnet_network import YamnetNetwork

NAME = "yamnet"
REQUIRES = ("torch",)
COST = 0.7
FITNESS = (
    "ranks GTZAN's excerpts by genre with a mean average precision of .817; MuQ-MuLan .854, "
    "wav2vec2-base .585 (MAEB results of 2026-08-20)"
)
CHOICES: Choices = {}
SAMPLE_RATE = 16_000
WINDOW_SAMPLES = 15_600
HOP_SAMPLES = 7_680
WIDTH = 1024
OFFSET = 0.001
SOURCE = Source(
    name="yamnet",
    url="https://storage.googleapis.com/audioset/yamnet.h5",
    file_name="yamnet.h5",
    n_bytes=15_296_092,
    digest="sha256:13c3308955bbfaef262f175ac9c40e47b134573a93984f009220dd7cc12a1744",
    licence="Apache-2.0",
    attribution="Google, YAMNet, https://github.com/tensorflow/models",
    trained_on="AudioSet (2 million clips of 10 s from YouTube, 521 classes of sound)",
    commercial=True,
    converter="recommender.embedders.yamnet_weights:convert",
    n_parameters=3_195_456,
)
WEIGHTS: tuple[Source, ...] = (SOURCE,)


class Yamnet(PublishedEmbedder["YamnetNetwork"]):
    """Embeds windows of 0.975 s, 15600 samples at 16 kHz, into 1024 numbers."""

    base_name = NAME
    choices = CHOICES

    def _describe(self, name: str) -> EmbedderSpec:
        return EmbedderSpec(
            name=name,
            version="1",
            sample_rate=SAMPLE_RATE,
            window_samples=WINDOW_SAMPLES,
            hop_samples=HOP_SAMPLES,
            context_samples=0,
            least_samples=WINDOW_SAMPLES,
            frame_dimension=WIDTH,
            tag_names=(),
            front_end="log-mel64-htk-16k-0.001",
            layer="global-average",
            weights_sha256=self._installed.sha256,
        )

    def _vectors(self, network: "YamnetNetwork", windows: FloatArray) -> FloatArray:
        return network(audioset_log_mel(windows, OFFSET))

    @cached_property
    def _installed(self) -> Installed:
        return installed(SOURCE)

    def _load(self) -> "YamnetNetwork":
        from recommender.embedders.yamnet_network import YamnetNetwork

        return YamnetNetwork(self._installed.load())
