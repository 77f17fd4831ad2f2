"""Values and bodies that are made to break something: never a 500."""

import socket
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import middleware
from api.app import MAX_BODY_BYTES
from tests.builders import publish_entries
from tests.fakes import FakeClipEmbedder, service, slug_of, small_catalog

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    data_dir = tmp_path_factory.mktemp("data")
    publish_entries(data_dir, small_catalog())
    with service(data_dir, FakeClipEmbedder()) as client:
        yield client


HUGE = 2**63
LIMITS = ["0", "-1", "101", "1000000000", "x", "1e3", str(HUGE), "", "1.5", "9" * 5000, "NaN", "٣x"]


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("path", ["/similar?track_id=a0&", "/tracks?"])
def test_no_limit_out_of_range_is_taken(client: httpx.Client, path: str, limit: str) -> None:
    answer = client.get(f"{path}limit={limit}")
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")


@pytest.mark.parametrize(
    "query",
    [
        "offset=3",
        "q=%00",
        "q=" + "x" * 501,
        "space=",
    ],
)
def test_no_page_out_of_range_is_taken(client: httpx.Client, query: str) -> None:
    assert slug_of(client.get(f"/tracks?{query}")) == "invalid-parameter"


@pytest.mark.parametrize(
    "query",
    [
        "max_per_artist=0",
        "max_per_artist=x",
        "min_similarity=nan",
        "min_similarity=inf",
        "min_similarity=-0.1",
        "min_similarity=",
        "exclude_id=",
        "exclude_id=%00",
        "exclude_artist=",
        "exclude_artist=a%00b",
        "&".join(f"exclude_id={i}" for i in range(1001)),
    ],
)
def test_no_option_out_of_range_is_taken(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/similar?track_id=a0&{query}")
    assert (answer.status_code, slug_of(answer)) == (422, "invalid-parameter")


@pytest.mark.parametrize(
    "query",
    [
        f"max_per_artist={HUGE}",
        "exclude_artist=%ff%fe",
        "exclude_id=%F0%9F%8E%B5",
        "min_similarity=1e-400",
        "&".join(f"exclude_artist={i}" for i in range(1000)),
    ],
)
def test_odd_but_lawful_options_are_taken(client: httpx.Client, query: str) -> None:
    assert client.get(f"/similar?track_id=a0&{query}").status_code == 200


IDS = [
    str(HUGE),
    "-1",
    "%00",
    "a0%00",
    "%ed%a0%80",
    "%ff",
    "a" * 10_000,
    "%25",
    "'%20OR%201=1--",
    "٠١",
    "A0",
    "a0%20",
    "%0d%0aX-Evil:1",
    "%E2%80%AE",
]


@pytest.mark.parametrize("track_id", IDS)
def test_a_strange_id_is_unknown(client: httpx.Client, track_id: str) -> None:
    for path in (
        f"/similar?track_id={track_id}",
        f"/tracks/{track_id}",
        f"/tracks/{track_id}/audio",
    ):
        answer = client.get(path)
        assert answer.status_code in (404, 422)
        assert slug_of(answer) in ("unknown-track", "invalid-parameter")
        assert len(answer.content) < 3000
        assert "x-evil" not in answer.headers


def liked(value: str) -> str:
    return f'{{"positive": [{{"track_id": {value}}}]}}'


def weighed(value: str) -> str:
    return f'{{"positive": [{{"track_id": "a0", "weight": {value}}}]}}'


@pytest.mark.parametrize(
    "body",
    [
        *map(weighed, ("0", "-1", "NaN", "Infinity", "-Infinity", "1e400", "true", '"1"', "null")),
        weighed("9" * 400),
        weighed("1" + "0" * 5000),
        *map(liked, ('"\\u0000"', '"\\ud800"', '""', "5", "null", "[]", '"' + "a" * 10_000 + '"')),
        '{"positive": [{"track_id": "a0"}], "limit": 9223372036854775808}',
        '{"positive": [{"track_id": "a0"}], "limit": "5"}',
        '{"positive": [{"track_id": "a0"}], "limit": 1.5}',
        '{"positive": [{"track_id": "a0"}], "min_similarity": NaN}',
        '{"positive": [{"track_id": "a0"}], "exclude_artist": ["\\ud800"]}',
        '{"positive": [{"track_id": "a0"}], "\\ud800": 1}',
        '{"positive": [' + ",".join(['{"track_id": "a0"}'] * 101) + "]}",
        '{"positive": {"track_id": "a0"}}',
        "[" * 100_000,
        '{"positive":' * 5000,
        "",
        "null",
        "[]",
        '"x"',
        b"\xff\xfe\x00",
        b'{"positive": "\xff"}',
    ],
)
def test_no_hostile_json_is_taken(client: httpx.Client, body: str | bytes) -> None:
    answer = client.post("/recommendations", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    assert slug_of(answer) in ("malformed-request", "invalid-parameter")
    assert len(answer.content) < 6000


@given(query=st.dictionaries(st.sampled_from(["track_id", "limit", "q", "x"]), st.text()))
def test_no_query_breaks_the_service(client: httpx.Client, query: dict[str, str]) -> None:
    lawful = {name: value.encode(errors="replace") for name, value in query.items()}
    for path in ("/similar", "/tracks"):
        assert client.get(path, params=lawful).status_code < 500


# bodies


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_json_body_is_refused(client: httpx.Client, chunked: bool) -> None:
    body = b" " * (MAX_BODY_BYTES + 1)
    content = (body[i : i + 65536] for i in range(0, len(body), 65536)) if chunked else body
    answer = client.post("/recommendations", content=content, headers=JSON)
    assert (answer.status_code, slug_of(answer)) == (413, "payload-too-large")


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "x"])
def test_an_encoded_body_is_refused(client: httpx.Client, encoding: str) -> None:
    for path in ("/recommendations", "/similar/clip"):
        answer = client.post(path, content=b"{}", headers=JSON | {"Content-Encoding": encoding})
        assert (answer.status_code, slug_of(answer)) == (415, "unsupported-media")


def test_a_second_encoding_does_not_hide_behind_a_first(client: httpx.Client) -> None:
    headers = [("Content-Encoding", "identity"), ("Content-Encoding", "gzip"), *JSON.items()]
    answer = client.post("/recommendations", content=b"{}", headers=headers)
    assert (answer.status_code, slug_of(answer)) == (415, "unsupported-media")


def test_a_body_that_stops_coming_is_given_up(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "IDLE_SECONDS", 0.05)
    head = b"POST /recommendations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n"
    with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as connection:
        connection.sendall(head + b"Content-Type: application/json\r\n\r\n{")
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"/problems/request-timeout" in answer
