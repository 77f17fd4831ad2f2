"""Answers that are written without their models are what the models, and so /docs, say."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from api.app import create_app
from api.questions import SimilarQuestion
from api.schemas import AnswerJson, IndexJson, TrackDetailJson, TracksJson
from recommender.settings import Settings
from tests.builders import publish_beside, publish_entries
from tests.fakes import service, small_catalog

LIKED: dict[str, Any] = {"positive": [{"track_id": "a0"}], "exclude_id": ["zz"]}


def assert_is(model: type[BaseModel], answer: httpx.Response) -> None:
    """An answer has every field of a model, of the right type, and no other."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    read = model.model_validate_json(answer.content, strict=True)
    assert read.model_dump(mode="json", exclude_unset=True) == answer.json()


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/similar?track_id=a0&exclude_id=zz", AnswerJson),
        ("/similar?track_id=a0&min_similarity=1", AnswerJson),
        ("/similar?track_id=b0&max_per_artist=1&space=fake", AnswerJson),
        ("/tracks", TracksJson),
        ("/tracks?q=bjork&limit=1", TracksJson),
        ("/tracks/b0", TrackDetailJson),
        ("/index", IndexJson),
    ],
)
def test_an_answer_is_what_its_model_says(
    client: httpx.Client, path: str, model: type[BaseModel]
) -> None:
    assert_is(model, client.get(path))


def test_an_answer_to_a_body_is_what_its_model_says(client: httpx.Client) -> None:
    answer = client.post("/recommendations", json=LIKED)
    assert_is(AnswerJson, answer)
    assert "zz" in answer.json()["warnings"][0]


def test_an_answer_of_several_spaces_is_what_its_model_says(tmp_path: Path) -> None:
    publish_entries(tmp_path, small_catalog())
    publish_beside(tmp_path, small_catalog()[:5])
    with service(tmp_path) as client:
        answer = client.get("/similar", params={"track_id": "a0", "space": "fake+other:layer=last"})
    assert_is(AnswerJson, answer)
    assert len(answer.json()["matches"][0]["why"]["space_ranks"]) == 2


def test_an_answer_repeats_what_was_asked_with_defaults(client: httpx.Client) -> None:
    params: dict[str, Any] = {"track_id": "a0", "exclude_id": ["a1", "a2"], "limit": 3}
    query = client.get("/similar", params=params).json()["query"]
    asked = SimilarQuestion.model_validate(params)
    assert query == asked.model_dump(mode="json", exclude_none=True)
    assert client.get("/similar", params=query).json()["query"] == query


# lean routes beside those of FastAPI


def parameters(app: FastAPI, path: str) -> dict[str, Any]:
    found = app.openapi()["paths"][path]["get"].get("parameters", [])
    return {one["name"]: one for one in found}


def test_lean_routes_are_documented_with_all_their_parameters() -> None:
    app = create_app(Settings())
    assert set(parameters(app, "/similar")) == set(SimilarQuestion.model_fields)
    assert parameters(app, "/similar")["track_id"]["required"]
    assert parameters(app, "/similar")["limit"]["schema"]["maximum"] == 100
    assert parameters(app, "/similar")["genre"]["schema"]["type"] == "array"
    assert parameters(app, "/tracks/{track_id}")["track_id"]["in"] == "path"
    assert not parameters(app, "/index")
    answer = app.openapi()["paths"]["/similar"]["get"]["responses"]
    assert answer["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/AnswerJson")
    assert "304" in answer


@pytest.mark.parametrize("path", ["/tracks/%7F", "/tracks/" + "x" * 501, "/tracks/%00"])
def test_a_part_of_a_path_is_checked(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 422
    assert {(e["in"], e["name"]) for e in answer.json()["errors"]} == {("path", "track_id")}


def test_a_method_that_a_lean_route_lacks_is_named(client: httpx.Client) -> None:
    answer = client.post("/tracks")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
