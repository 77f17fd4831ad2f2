"""What is served while generations come and go."""

import threading
from dataclasses import replace
from pathlib import Path

import httpx

from recommender.housekeeping import KEEP_GENERATIONS
from tests.builders import (
    as_before_neighbours_were_listed,
    folder_of,
    publish_beside,
    publish_entries,
)
from tests.fakes import service, similar, slug_of, small_catalog


def test_the_index_is_described(client: httpx.Client) -> None:
    facts = client.get("/index").json()
    assert facts["embedder"] == "fake"
    assert (facts["n_tracks"], facts["dimension"]) == (8, 4)
    assert facts["stale"] is None
    assert facts["index"]["kind"] == "flat"
    assert facts["index"]["measurement"]["recall_at_10"] == 1.0
    assert client.get("/readyz").json() == {"status": "ready", "generation": facts["generation"]}


def test_without_an_index_the_service_lives_but_is_not_ready(tmp_path: Path) -> None:
    with service(tmp_path, poll_seconds=0.01) as client:
        assert client.get("/livez").json() == {"status": "alive"}
        assert client.get("/").status_code == 200
        for path in ("/readyz", "/similar?track_id=a0", "/index", "/tracks", "/tracks/a0"):
            answer = client.get(path)
            assert (answer.status_code, slug_of(answer)) == (503, "index-unavailable")
            assert int(answer.headers["retry-after"]) > 0
            assert str(tmp_path) not in answer.text
        publish_entries(tmp_path, small_catalog())
        while client.get("/readyz").status_code == 503:
            pass
        assert similar(client)


def test_a_damaged_index_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    old = publish_entries(tmp_path, small_catalog())
    with service(tmp_path, poll_seconds=0.01) as client:
        new = publish_entries(tmp_path, small_catalog()[:4])
        while client.get("/index").json()["generation"] != new:
            pass
        catalog = folder_of(tmp_path, old) / "catalog.db"
        catalog.write_bytes(catalog.read_bytes()[:-1])
        (tmp_path / "CURRENT").write_text(old)
        while not client.get("/index").json()["stale"]:
            pass
        facts = client.get("/index").json()
        assert facts["generation"] == new
        assert str(tmp_path) not in facts["stale"]
        assert len(similar(client)) == 3


def test_an_index_of_an_earlier_version_is_said_to_be_one(tmp_path: Path) -> None:
    old = publish_entries(tmp_path, small_catalog())
    as_before_neighbours_were_listed(folder_of(tmp_path, old))
    with service(tmp_path, poll_seconds=0.01) as client:
        for path in ("/readyz", "/similar?track_id=a0", "/index", "/tracks/a0"):
            answer = client.get(path)
            assert (answer.status_code, slug_of(answer)) == (503, "index-unavailable")
            detail = answer.json()["detail"]
            assert detail.startswith("the index was made by an earlier version")
            assert "reindex MUSIC_DIR --embedder fake --data-dir DATA_DIR" in detail
            assert str(tmp_path) not in answer.text
        publish_entries(tmp_path, small_catalog())
        while client.get("/readyz").status_code == 503:
            pass
        assert similar(client)


def test_a_space_of_an_earlier_version_beside_others_is_told_of(tmp_path: Path) -> None:
    publish_entries(tmp_path, small_catalog())
    beside = publish_beside(tmp_path, small_catalog())
    as_before_neighbours_were_listed(folder_of(tmp_path, beside))
    with service(tmp_path) as client:
        assert len(similar(client)) == 7
        answer = client.get("/similar", params={"track_id": "a0", "space": "other"})
        assert (answer.status_code, slug_of(answer)) == (503, "index-unavailable")
        stale = client.get("/index").json()["stale"]
        assert stale == answer.json()["detail"]
        assert stale.startswith("the index of space=other:layer=last was made by an earlier")
        assert str(tmp_path) not in stale


def test_publishing_under_load_fails_no_question_and_mixes_no_generations(tmp_path: Path) -> None:
    def publish(number: int) -> str:
        entries = [
            replace(e, metadata=replace(e.metadata, title=f"{e.id} {number}"))
            for e in small_catalog()
        ]
        return publish_entries(tmp_path, entries)

    numbers = {publish(0): 0}
    answers: list[httpx.Response] = []
    with service(tmp_path, poll_seconds=0.02) as client:
        published = threading.Event()

        def ask() -> None:
            while not published.wait(0.005):
                answers.append(client.get("/similar", params={"track_id": "a0"}))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        numbers |= {publish(number): number for number in range(1, 21)}
        published.set()
        for thread in threads:
            thread.join()
    assert {answer.status_code for answer in answers} == {200}
    for answer in map(httpx.Response.json, answers):
        number = numbers[answer["generation"]]
        expected = {f"{i} {number}" for i in ("a1", "a2", "a3", "b0", "b1", "c0", "c1")}
        assert {match["track"]["title"] for match in answer["matches"]} == expected
    assert len({answer.json()["generation"] for answer in answers}) > 3


def test_a_generation_that_is_served_answers_after_it_was_pruned(tmp_path: Path) -> None:
    served = publish_entries(tmp_path, small_catalog())
    with service(tmp_path, poll_seconds=3600) as client:
        for _ in range(KEEP_GENERATIONS + 1):
            publish_entries(tmp_path, small_catalog())
        assert not folder_of(tmp_path, served).exists()
        assert len(similar(client)) == 7
        assert client.get("/index").json()["generation"] == served
