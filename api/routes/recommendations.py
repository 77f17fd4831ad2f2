"""Questions by taste: several tracks that are liked, and some that are not."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.dependencies import Running, ServedSpaces, json_body, no_parameters
from api.playlists import form_of
from api.questions import RecommendationsQuestion
from api.replies import response_of
from api.routes.documented import PLAYLISTS, problems
from api.schemas import AnswerJson

router = APIRouter(tags=["Recommending"])


@router.post(
    "/recommendations",
    operation_id="recommend",
    summary="What goes with several tracks, and stays away from others",
    response_description="The matches, closest first.",
    responses=problems(
        "unknown-track", "payload-too-large", "unsupported-media", "index-unavailable"
    )
    | PLAYLISTS,
    response_model=AnswerJson,
    dependencies=[Depends(no_parameters), Depends(json_body)],
)
async def recommend(
    question: RecommendationsQuestion, spaces: ServedSpaces, service: Running, request: Request
) -> Response:
    """Neither the liked nor the disliked tracks are among the matches."""
    chosen, options = spaces.choose(question.space), question.options()
    form = form_of(request, question, spaces, lambda: "Recommendations")
    liked = [one.preference() for one in question.positive]
    disliked = [one.preference() for one in question.negative]

    def search() -> bytes:
        return form.write(question.json_text(), chosen.recommend(liked, disliked, options))

    body = await service.searches.ask(chosen, options, search, brief=form.brief)
    return response_of(body, form.headers)
