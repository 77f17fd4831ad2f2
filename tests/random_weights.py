"""Random weights of the exact architecture for every embedder whose weights are published."""

from collections.abc import Callable
from functools import partial

from recommender.embedders import create_embedder, weights_of
from recommender.embedders.panns import VARIANTS
from recommender.embedders.panns_network import ARCHITECTURES
from recommender.errors import WeightsError
from recommender.weights import Tensors
from recommender.weights_store import store
from tests import (
    random_weights_audioset,
    random_weights_clmr,
    random_weights_mooer,
    random_weights_openl3,
    random_weights_panns,
    random_weights_soundnet,
    random_weights_wav2vec2,
)

SEED = 11
MAKERS: dict[str, Callable[[int], Tensors]] = {
    **{
        variant.source.name: partial(
            random_weights_panns.random_tensors, architecture=ARCHITECTURES[variant.architecture]
        )
        for variant in VARIANTS.values()
    },
    **dict.fromkeys(
        (source.name for source in weights_of("openl3")), random_weights_openl3.random_tensors
    ),
    "clmr-mtat": random_weights_clmr.random_tensors,
    "vggish": random_weights_audioset.random_vggish,
    "vggish-pca": random_weights_audioset.random_pca,
    "yamnet": random_weights_audioset.random_yamnet,
    "soundnet-8": random_weights_soundnet.random_tensors,
    "soundnet-8-torch7": random_weights_soundnet.random_tensors,
    "wav2vec2-base": random_weights_wav2vec2.random_tensors,
    "wav2vec2-base-torchaudio": random_weights_wav2vec2.random_tensors,
    "mooer-encoder": random_weights_mooer.random_tensors,
    "mooer-cmvn": random_weights_mooer.random_cmvn,
}


def install(name: str) -> None:
    """Store random weights for the embedder called `name`, as many files as its spec asks for."""
    for source in weights_of(name):
        try:
            _ = create_embedder(name).spec
        except WeightsError:
            store(source, MAKERS[source.name](SEED), origin="random")
        else:
            return
