"""OpenL3: a network that learnt which sounds belong to which video frames, at 48 kHz.

A window is one second, as in training, and windows do not overlap: the authors' own default, a step
of 0.1 s, costs ten times as much for nearly the same average. Windows begin with the audio; the
authors' program puts half a second of silence before it.

The network was trained on videos of music or of the environment. The front-end is part of what it
learnt; which of the three published ones is used is an option, and the default is that of training.
The level of a window says nothing to it: spectrograms are relative to their own loudest bin.

References
----------
.. [1] J. Cramer, H.-H. Wu, J. Salamon and J. P. Bello (2019): Look, listen and learn more: design
       choices for deep audio embeddings. ICASSP.
.. [2] R. Arandjelović and A. Zisserman (2017): Look, listen and learn. ICCV.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from recommender.arrays import FloatArray
from recommender.embedders.openl3_frontend import (
    FRONT_ENDS,
    SAMPLE_RATE,
    WINDOW,
    LinearFrontEnd,
    MelFrontEnd,
    create_front_end,
)
from recommender.embedders.options import Choices
from recommender.embedders.published import PublishedEmbedder
from recommender.embedding import EmbedderSpec
from recommender.weights_store import Installed, Source, installed

if TYPE_CHECKING:
    from recommender.embedders.openl3_network import OpenL3Network

    _Loaded = tuple[OpenL3Network, LinearFrontEnd | MelFrontEnd]

NAME = "openl3"
REQUIRES = ("torch",)
COST = 12.0
FITNESS = (
    "a trained layer on it tells genres of GTZAN with an accuracy of .879 (HEAR 2021), not "
    "the cosine used here; PANNs .860"
)
CHOICES: Choices = {
    "content": ("music", "env"),
    "repr": ("mel256", "mel128", "linear"),
    "size": ("512", "6144"),
    "frontend": FRONT_ENDS,
}
POOLS = {
    ("mel256", "512"): (32, 24),
    ("mel256", "6144"): (8, 8),
    ("mel128", "512"): (16, 24),
    ("mel128", "6144"): (4, 8),
    ("linear", "512"): (32, 24),
    ("linear", "6144"): (8, 8),
}
# of the SHA-256 only one was ever published; the others are known as git knows them
DIGESTS = {
    ("mel256", "music"): "sha256:e379f41e880b78e157c199ebddac80d3764e6a46282bcccdbe875bcf538f9afd",
    ("mel256", "env"): "git-sha1:34dbd7a91cdd2de6a3d6d036ac0a24d27d78e3cc",
    ("mel128", "music"): "git-sha1:73ff29de441865318c4b3a3f98c40763c4773e7c",
    ("mel128", "env"): "git-sha1:8c3dfee140f7776373841e5938a3e76c54f28942",
    ("linear", "music"): "git-sha1:4e2e61beb17865481c8b8791c72eac8307e2753a",
    ("linear", "env"): "git-sha1:7837407f033f3564c7e8d53fc4a4241fe160478b",
}
TRAINED_ON = {
    "music": "AudioSet videos of musical performances",
    "env": "AudioSet videos of the environment",
}


def _source(representation: str, content: str) -> Source:
    file_name = f"openl3_audio_{representation}_{content}-v0_4_0.h5.gz"
    return Source(
        name=f"{NAME}-{representation}-{content}",
        url=f"https://github.com/marl/openl3/raw/models/{file_name}",
        file_name=file_name,
        n_bytes=0,
        digest=DIGESTS[representation, content],
        licence="CC-BY-4.0",
        attribution="J. Cramer et al., OpenL3, https://github.com/marl/openl3",
        trained_on=TRAINED_ON[content],
        commercial=True,
        converter="recommender.embedders.openl3_weights:convert",
        n_parameters=4_687_042,
    )


SOURCES = {key: _source(*key) for key in DIGESTS}
WEIGHTS: tuple[Source, ...] = tuple(SOURCES.values())


class OpenL3(PublishedEmbedder["_Loaded"]):
    """Embeds windows of one second, 48000 samples at 48 kHz, into 512 or 6144 numbers.

    Parameters
    ----------
    options
        Values of `CHOICES`. Linear spectrograms are alike in every front-end, so ``frontend`` says
        nothing about them and is dropped from the name.

    Raises
    ------
    InvalidParameterError
        Options that there are not.
    """

    base_name = NAME
    choices = CHOICES
    # the spectra of as many take 20 MB
    group = 4

    def __init__(self, options: Mapping[str, str] | None = None):
        super().__init__(options)
        if self._options["repr"] == "linear":
            self._options["frontend"] = FRONT_ENDS[0]

    @cached_property
    def _installed(self) -> Installed:
        return installed(SOURCES[self._options["repr"], self._options["content"]])

    def _describe(self, name: str) -> EmbedderSpec:
        options = self._options
        return EmbedderSpec(
            name=name,
            version="1",
            sample_rate=SAMPLE_RATE,
            window_samples=WINDOW,
            hop_samples=WINDOW,
            context_samples=0,
            least_samples=WINDOW,
            frame_dimension=int(options["size"]),
            tag_names=(),
            front_end="{repr}-48k-{frontend}".format_map(options),
            layer="{content}-audio_embedding-{size}".format_map(options),
            weights_sha256=self._installed.sha256,
        )

    def _vectors(self, network: "_Loaded", windows: FloatArray) -> FloatArray:
        openl3, front_end = network
        return openl3(front_end(windows))

    def _load(self) -> "_Loaded":
        from recommender.embedders.openl3_network import OpenL3Network

        pool = POOLS[self._options["repr"], self._options["size"]]
        front_end = create_front_end(self._options["repr"], self._options["frontend"])
        return OpenL3Network(self._installed.load(), pool), front_end
