"""The OpenSubsonic API through a client library of others."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from libopensonic import AsyncConnection
from libopensonic.errors import DataNotFoundError, SonicError
from libopensonic.extensions import Extensions

Ask = Callable[[Callable[[Any], Awaitable[Any]]], Any]
WAYS: list[dict[str, bool]] = [
    {"use_get": use_get, "use_views": use_views, "legacy_auth": legacy}
    for use_get in (True, False)
    for use_views, legacy in ((True, False), (False, True))
]


@pytest.fixture(params=WAYS, ids=str)
def ask(client: httpx.Client, request: pytest.FixtureRequest) -> Ask:
    """Ask the service over the small catalog: by GET or form, with .view, by token or password."""

    async def asked(question: Callable[[Any], Awaitable[Any]]) -> Any:
        connection = AsyncConnection(
            "http://127.0.0.1",
            username="ada",
            password="sesame",
            port=client.base_url.port,
            **request.param,
        )
        try:
            return await question(connection)
        finally:
            await connection.cleanup()

    return lambda question: asyncio.run(asked(question))


def test_the_service_answers(ask: Ask) -> None:
    assert ask(lambda service: service.ping()) is True


def test_the_extension_is_announced(ask: Ask) -> None:
    found = ask(lambda service: service.get_open_subsonic_extensions())
    assert {one.name: one.versions for one in found} == {
        Extensions.FORM_POST: [1],
        Extensions.SONIC_SIMILARITY: [1],
    }


def test_similar_tracks_are_read(ask: Ask) -> None:
    found = ask(lambda service: service.get_sonic_similar_tracks("a0", count=2))
    assert [match.entry.id for match in found] == ["a1", "a2"]
    assert 0.9 < found[1].similarity < found[0].similarity < 1.0
    entry = found[0].entry
    assert (entry.title, entry.artist, entry.album) == ("Song a1", "Ada", "Album")
    assert (entry.is_dir, entry.duration, entry.content_type) == (False, 180, "audio/wav")


def test_a_path_is_read(ask: Ask) -> None:
    found = ask(lambda service: service.find_sonic_path("a0", "b1", count=5))
    ids = [match.entry.id for match in found]
    assert (ids[0], ids[-1], len(set(ids))) == ("a0", "b1", 5)
    assert found[0].similarity == 1.0


def test_similar_songs_are_read(ask: Ask) -> None:
    songs = ask(lambda service: service.get_similar_songs("a0", count=3))
    assert [song.id for song in songs] == ["a1", "a2", "a3"]
    assert ask(lambda service: service.get_similar_songs2("a0", count=3)) == songs


def test_errors_are_understood(ask: Ask) -> None:
    with pytest.raises(DataNotFoundError, match="gone"):
        ask(lambda service: service.get_similar_songs("gone"))
    with pytest.raises(SonicError, match="count=1"):
        ask(lambda service: service.find_sonic_path("a0", "b1", count=1))
