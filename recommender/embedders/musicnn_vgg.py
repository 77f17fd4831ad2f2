"""musicnn-vgg: the plain convolutional network that musicnn's authors published beside it.

The vector of a window is what the one dense layer gets: the last maximum over time and frequency,
128 channels for each half of the window, of the model trained on the Million Song Dataset, followed
by that of the model trained on MagnaTagATune. Options choose one of the models, or the tags'
probabilities. It runs in numpy alone.

Reference: J. Pons and X. Serra, "musicnn: Pre-trained convolutional neural networks for music audio
tagging", ISMIR late-breaking demo, 2019.
"""

from collections.abc import Mapping
from pathlib import Path

from recommender.embedders.musicnn_models import PACKAGED, Architecture, PackagedModels
from recommender.embedders.musicnn_vgg_network import VggNetwork

WEIGHTS = PACKAGED
MODELS = ("MSD_vgg", "MTT_vgg")
NAME = "musicnn-vgg"
COST = 1.0
LICENCE = "ISC"
FITNESS = (
    "no figure for similarity is known; as a tagger it is a little behind musicnn, .8768 to .8802 "
    "ROC AUC on the Million Song Dataset (by its authors, github.com/jordipons/musicnn)"
)
CHOICES = {"layer": ("pool5", "taggram"), "model": ("msd+mtt", "msd", "mtt")}
WIDTHS = {"pool5": 256, "taggram": 50}


class MusicnnVgg(PackagedModels):
    """Embeds windows of 3 seconds into 512 numbers and 100 tag probabilities.

    Parameters
    ----------
    weights
        Folder with ``manifest.json`` and the files it lists; the packaged one by default.
    options
        Values of `CHOICES`. A model has 256 numbers in `pool5`, and 50 tags.

    Raises
    ------
    InvalidParameterError
        Options that there are not.
    """

    def __init__(self, weights: Path = WEIGHTS, options: Mapping[str, str] | None = None):
        architecture = Architecture(NAME, MODELS, CHOICES, WIDTHS, VggNetwork)
        super().__init__(architecture, weights, options)
