import asyncio
from typing import Any

from api.one_write import OneWriteProtocol, _Gathering


class Wire:
    """A transport that notes what happens to it."""

    def __init__(self) -> None:
        self.events = list[Any]()

    def write(self, data: bytes) -> None:
        self.events.append(data)

    def close(self) -> None:
        self.events.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.events


async def _round(wire: Wire) -> None:
    loop, callers = asyncio.get_running_loop(), {1, 2}
    gathering = _Gathering(wire, loop, callers)  # type: ignore[arg-type]
    gathering.write(b"head")
    gathering.write(b"body")
    assert wire.events == []
    await asyncio.sleep(0)
    assert wire.events == [b"headbody"]
    callers.remove(2)
    gathering.write(b"alone")
    assert wire.events.pop() == b"alone"
    callers.add(2)
    gathering.write(b"next")
    gathering.close()
    assert wire.events == [b"headbody", b"next", "closed"]
    assert gathering.is_closing()
    gathering.write(b"late")
    await asyncio.sleep(0)
    assert wire.events == [b"headbody", b"next", "closed"]


def test_what_is_written_in_one_go_is_sent_in_one_piece_and_before_the_end() -> None:
    asyncio.run(_round(Wire()))


def test_it_is_the_protocol_of_uvicorn_but_for_that() -> None:
    assert set(vars(OneWriteProtocol)) - {"__module__", "__doc__"} == {"connection_made"}
