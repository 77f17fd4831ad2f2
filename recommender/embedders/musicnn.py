"""musicnn, the default embedder: two trained models side by side, in numpy alone.

The vector of a window is the penultimate layer of the model trained on the Million Song Dataset
followed by that of the model trained on MagnaTagATune; together they retrieve better than either.
Options choose one of the models, what the dense layers are fed with, maximum or mean over time, or
the tags' probabilities.

Reference: J. Pons and X. Serra, "musicnn: Pre-trained convolutional neural networks for music audio
tagging", ISMIR late-breaking demo, 2019.
"""

from collections.abc import Mapping
from pathlib import Path

from recommender.embedders.musicnn_models import PACKAGED, Architecture, PackagedModels
from recommender.embedders.musicnn_network import MusicnnNetwork

WEIGHTS = PACKAGED
MODELS = ("MSD_musicnn", "MTT_musicnn")
NAME = "musicnn"
COST = 1.0
LICENCE = "ISC"
FITNESS = (
    "hits by cosine alone: fourth of ten embeddings for warm users, second of seven for cold ones "
    "(Tamm and Aljanaki, RecSys 2024, arXiv:2409.08987)"
)
CHOICES = {
    "layer": ("penultimate", "mean_pool", "max_pool", "taggram"),
    "model": ("msd+mtt", "msd", "mtt"),
}
WIDTHS = {"penultimate": 200, "mean_pool": 753, "max_pool": 753, "taggram": 50}


class Musicnn(PackagedModels):
    """Embeds windows of 3 seconds into 400 numbers and 100 tag probabilities.

    Parameters
    ----------
    weights
        Folder with ``manifest.json`` and the files it lists; the packaged one by default.
    options
        Values of `CHOICES`. A model has 753 numbers in a pooling layer, and 50 tags.

    Raises
    ------
    InvalidParameterError
        Options that there are not.
    """

    def __init__(self, weights: Path = WEIGHTS, options: Mapping[str, str] | None = None):
        architecture = Architecture(NAME, MODELS, CHOICES, WIDTHS, MusicnnNetwork)
        super().__init__(architecture, weights, options)
