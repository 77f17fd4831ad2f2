"""Random weights for clmr, in its exact architecture."""

from recommender.embedders.clmr import STAGES
from recommender.weights import Tensors
from tests.random_weights_waveform import random_stage_tensors


def random_tensors(seed: int) -> Tensors:
    return random_stage_tensors(STAGES, seed)
