"""Random weights for soundnet, in its exact architecture."""

from recommender.embedders.soundnet import STAGES
from recommender.weights import Tensors
from tests.random_weights_waveform import random_stage_tensors


def random_tensors(seed: int) -> Tensors:
    return random_stage_tensors(STAGES, seed)
