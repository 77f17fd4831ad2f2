"""The query of what a listener is recommended."""

from pydantic import Field

from api.questions import RecommendingQuestion
from recommender.personal import Mood, Novelty
from recommender.taste import HALF_LIFE_DAYS

MAX_SEED = 2**53 - 1
"""The largest whole number that JSON readers agree on."""


class PersonalQuestion(RecommendingQuestion):
    """The query of GET /listeners/{listener_id}/recommendations."""

    hub_correction: bool = Field(
        True, description="Whether tracks that are near to everything are put back."
    )
    diversity: float = Field(
        0.2,
        ge=0.0,
        le=1.0,
        allow_inf_nan=False,
        description="How unlike each other matches are to be, 0 for not at all.",
    )
    novelty: Novelty = Field(
        Novelty.EXCLUDE,
        strict=False,
        description="What becomes of tracks that were heard: exclude, allow, or only those.",
    )
    surprise: float = Field(
        0.0, ge=0.0, le=1.0, allow_inf_nan=False, description="How much is left to chance."
    )
    seed: int = Field(
        0, ge=0, le=MAX_SEED, description="Of chance: the same number gives the same list."
    )
    half_life_days: float = Field(
        HALF_LIFE_DAYS,
        gt=0.0,
        le=36_500.0,
        allow_inf_nan=False,
        description="After how many days a listen counts half.",
    )

    def mood(self) -> Mood:
        """The same for the recommender."""
        return Mood(self.novelty, self.surprise, self.seed)
