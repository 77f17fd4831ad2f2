"""mooer: the encoder that MooER hears speech with. An experiment: it never learned from music.

MooER is a language model that transcribes, translates and answers speech. It has no interface for
embeddings: what comes nearest are the states of its encoder, which its authors took over from
Paraformer, a recogniser of Mandarin, and did not train further. The vector of a window is the mean
of the encoder's last states, one every 60 ms: 512 numbers. To use them so is our idea, and no
figures on music are published.

Windows have 10 seconds and lie end to end, with one more that ends where the audio does: attention
grows with the square of their length, and the authors advise against more than 30 seconds.

References
----------
.. [1] J. Xu, Z. Liang, Y. Liu, Y. Hu, J. Li, Y. Zheng, M. Cai and H. Wang (2024): MooER: LLM-based
       speech recognition and translation models from Moore Threads. arXiv:2408.05101.
.. [2] Z. Gao, S. Zhang, I. McLoughlin and Z. Yan (2022): Paraformer: Fast and accurate parallel
       transformer for non-autoregressive end-to-end speech recognition. Interspeech.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from recommender.arrays import FloatArray
from recommender.embedders.options import Choices
from recommender.embedders.published import PublishedEmbedder
from recommender.embedding import EmbedderSpec
from recommender.frontend import kaldi_log_mel, stacked_frames
from recommender.weights import Tensors, combined_digest
from recommender.weights_store import Installed, Source, installed

if TYPE_CHECKING:
    from recommender.embedders.mooer_network import MooerNetwork

    _Loaded = tuple[MooerNetwork, Tensors]

NAME = "mooer"
REQUIRES = ("torch",)
COST = 5.3
FITNESS = "experimental: made to recognise speech; no figures on music are published"
CHOICES: Choices = {}
SAMPLE_RATE = 16_000
WINDOW_SAMPLES = 10 * SAMPLE_RATE
WIDTH = 512
N_MELS = 80
STACKED = 7
STEP = 6
_LICENCE = "FunASR Model License Agreement (MooER's code: MIT)"
_ATTRIBUTION = (
    "Paraformer of FunASR, Alibaba Group, as published with MooER by Moore Threads, "
    "https://huggingface.co/mtspeech/MooER-MTL-5K"
)
_TRAINED_ON = "Mandarin speech (Paraformer: 60,000 hours according to FunASR's list of models)"
_FOLDER = "https://huggingface.co/mtspeech/MooER-MTL-5K/resolve/main/paraformer_encoder"
ENCODER_SOURCE = Source(
    name="mooer-encoder",
    url=f"{_FOLDER}/paraformer-encoder.pth",
    file_name="paraformer-encoder.pth",
    n_bytes=0,
    digest="sha256:1fd1d80d5ef6f2d5ec4e32ba077d6e80a7a1fb4bf5cf502bfa12907cf2e75cef",
    licence=_LICENCE,
    attribution=_ATTRIBUTION,
    trained_on=_TRAINED_ON,
    # the agreement allows use, but calls it one for reference and learning, and may be revised
    commercial=False,
    converter="recommender.embedders.mooer_weights:convert",
    n_parameters=157_975_648,
)
CMVN_SOURCE = Source(
    name="mooer-cmvn",
    url=f"{_FOLDER}/am.mvn",
    file_name="am.mvn",
    n_bytes=0,
    digest="md5:dc1dbdeeb8961f012161cfce31eaacaf",
    licence=_LICENCE,
    attribution=_ATTRIBUTION,
    trained_on=_TRAINED_ON,
    commercial=False,
    converter="recommender.embedders.mooer_weights:convert_cmvn",
    n_parameters=1_120,
)
WEIGHTS: tuple[Source, ...] = (ENCODER_SOURCE, CMVN_SOURCE)


class Mooer(PublishedEmbedder["_Loaded"]):
    """Embeds windows of 10 s, 160000 samples at 16 kHz, into 512 numbers."""

    base_name = NAME
    choices = CHOICES
    group = 4

    def _describe(self, name: str) -> EmbedderSpec:
        return EmbedderSpec(
            name=name,
            version="1",
            sample_rate=SAMPLE_RATE,
            window_samples=WINDOW_SAMPLES,
            hop_samples=WINDOW_SAMPLES,
            context_samples=0,
            least_samples=WINDOW_SAMPLES,
            frame_dimension=WIDTH,
            tag_names=(),
            front_end="kaldi-mel80-16k-lfr7/6-cmvn",
            layer="after_norm-mean",
            weights_sha256=combined_digest([weights.sha256 for weights in self._installed]),
            tail="covered",
        )

    def _vectors(self, network: "_Loaded", windows: FloatArray) -> FloatArray:
        encoder, cmvn = network
        vectors: FloatArray = encoder(heard(windows, cmvn)).mean(axis=1)
        return vectors

    @cached_property
    def _installed(self) -> list[Installed]:
        return [installed(source) for source in WEIGHTS]

    def _load(self) -> "_Loaded":
        from recommender.embedders.mooer_network import MooerNetwork

        encoder, cmvn = self._installed
        return MooerNetwork(encoder.load()), cmvn.load()


def heard(windows: FloatArray, cmvn: Tensors) -> FloatArray:
    """What the network is given: seven frames of 80 mel bands each at a time, every 60 ms.

    Parameters
    ----------
    windows
        Shape (n_windows, n_samples).
    cmvn
        As :func:`recommender.embedders.mooer_weights.convert_cmvn` returns it.

    Returns
    -------
    numpy.ndarray
        float32, shape (n_windows, n_frames, 560); 167 frames of a window of 10 s.
    """
    stacked = stacked_frames(kaldi_log_mel(windows, N_MELS), STACKED, STEP)
    return (stacked + cmvn["cmvn/shift"]) * cmvn["cmvn/scale"]
