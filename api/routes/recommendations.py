"""Questions by taste: several tracks that are liked, and some that are not."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.answers import answer_json
from api.dependencies import Running, ServedSpaces, json_body, no_parameters
from api.questions import RecommendationsQuestion
from api.replies import json_response
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
    response_model=AnswerJson,
    dependencies=[Depends(no_parameters), Depends(json_body)],
)
async def recommend(
    question: RecommendationsQuestion, spaces: ServedSpaces, service: Running
) -> Response:
    """Neither the liked nor the disliked tracks are among the matches."""
    chosen, options = spaces.choose(question.space), question.options()
    liked = [one.preference() for one in question.positive]
    disliked = [one.preference() for one in question.negative]

    def search() -> bytes:
        return answer_json(question.json_text(), chosen.recommend(liked, disliked, options))

    return json_response(await service.searches.ask(chosen, options, search))
