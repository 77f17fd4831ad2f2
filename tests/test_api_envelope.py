"""What every answer of the service has in common; the page and the documentation."""

import re
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from recommender.settings import Settings
from tests.fakes import service, slug_of

# the envelope


def test_a_request_id_is_kept_or_made(client: httpx.Client) -> None:
    for given in (b"abc-123", b"x" * 64):
        answer = client.get("/livez", headers={b"X-Request-ID": given})
        assert answer.headers["x-request-id"].encode() == given
    for given in (b"", b"x" * 65, b"a b", b"a/b", b"\xe9"):
        answer = client.get("/livez", headers={b"X-Request-ID": given})
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


def test_head_works_where_get_does(client: httpx.Client) -> None:
    for path in ("/", "/docs", "/similar?track_id=a0", "/tracks", "/tracks/a0", "/index", "/livez"):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]


def test_every_answer_carries_strict_headers(client: httpx.Client) -> None:
    for path in ("/", "/app.js", "/index", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers or headers["server"] == "uvicorn"


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("LOCALHOST:8000", 200), ("[::1]:8000", 200), ("evil.example", 400)]
    + [
        (host, 400) for host in ("", "localhost.evil.example", "localhost:x", "a@localhost", "[::1")
    ],
)
def test_only_known_host_names_are_answered(client: httpx.Client, host: str, status: int) -> None:
    answer = client.get("/livez", headers={"Host": host})
    assert answer.status_code == status
    if status == 400:
        assert slug_of(answer) == "unknown-host"


def test_an_operator_may_allow_any_host(data_dir: Path) -> None:
    with service(data_dir, allowed_hosts="*") as client:
        assert client.get("/livez", headers={"Host": "music.example"}).status_code == 200


# the page and the documentation


@pytest.mark.parametrize("page", ["/", "/docs"])
def test_everything_that_a_page_refers_to_is_served(client: httpx.Client, page: str) -> None:
    html = client.get(page)
    assert html.headers["content-type"].startswith("text/html")
    links = re.findall(r'(?:href|src)="([^"#]+)"', html.text)
    assert len(links) > 3
    for link in links:
        answer = client.get(html.url.join(link))
        assert answer.url.host == html.url.host
        assert answer.status_code == 200, link
        for module in re.findall(r'from "\./([^"]+)"', answer.text):
            assert "javascript" in client.get(f"/{module}").headers["content-type"]


def test_nothing_else_of_the_page_folder_is_served(client: httpx.Client) -> None:
    for path in ("/index.html", "/docs.html", "/web/app.js", "/..%2fapp.py", "/static/app.js"):
        assert client.get(path).status_code == 404


def test_the_api_documents_every_operation() -> None:
    paths = create_app(Settings()).openapi()["paths"]
    operations = [operation for methods in paths.values() for operation in methods.values()]
    assert set(paths) == {
        "/similar",
        "/similar/clip",
        "/recommendations",
        "/path",
        "/listeners/{listener_id}",
        "/listeners/{listener_id}/events",
        "/listeners/{listener_id}/recommendations",
        "/map",
        "/map/tracks",
        "/tracks",
        "/tracks/{track_id}",
        "/tracks/{track_id}/audio",
        "/index",
        "/livez",
        "/readyz",
        "/rest/getOpenSubsonicExtensions",
        "/rest/ping",
        "/rest/getSonicSimilarTracks",
        "/rest/findSonicPath",
        "/rest/getSimilarSongs",
        "/rest/getSimilarSongs2",
    }
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"]
        assert operation["description"]
        [told] = [answer for status, answer in operation["responses"].items() if status < "206"]
        assert told["description"] != "Successful Response"
        # errors of that API are its own
        if operation["tags"] == ["OpenSubsonic"]:
            continue
        problem = operation["responses"]["422"]["content"]["application/problem+json"]
        assert "invalid-parameter" in problem["examples"]
