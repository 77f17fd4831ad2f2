"""Questions by taste: several tracks that are liked, and some that are not."""

from fastapi import APIRouter, Depends

from api.dependencies import ServedSpaces, json_body, no_parameters
from api.questions import RecommendationsQuestion
from api.routes.documented import problems
from api.schemas import AnswerJson

router = APIRouter(tags=["Recommending"])


@router.post(
    "/recommendations",
    operation_id="recommend",
    summary="What goes with several tracks, and stays away from others",
    response_description="The matches, closest first.",
    responses=problems(
        "unknown-track", "payload-too-large", "unsupported-media", "index-unavailable"
    ),
    dependencies=[Depends(no_parameters), Depends(json_body)],
)
def recommend(question: RecommendationsQuestion, spaces: ServedSpaces) -> AnswerJson:
    """Neither the liked nor the disliked tracks are among the matches."""
    answer = spaces.choose(question.space).recommend(
        [liked.preference() for liked in question.positive],
        [disliked.preference() for disliked in question.negative],
        question.options(),
    )
    return AnswerJson.of(question.echo(), answer)
