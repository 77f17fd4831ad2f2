"""Sends the head and the body of an answer in one go while there are several callers."""

import asyncio
from collections.abc import Collection
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class OneWriteProtocol(H11Protocol):
    """HTTP as uvicorn speaks it, with a system call for each answer instead of two.

    On a machine that answers itself, such as behind a proxy, the call takes longer than to find
    some answers, for it delivers what it sends. A caller who is alone gets the head at once: so it
    wakes up while the rest is made.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See :class:`asyncio.Protocol`."""
        super().connection_made(_Gathering(transport, self.loop, self.connections))  # type: ignore[arg-type]


class _Gathering:
    """A transport that writes what was given to it when the loop comes round."""

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        connections: Collection[object],
    ):
        self._transport, self._loop, self._connections = transport, loop, connections
        self._gathered = list[bytes]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._gathered:
            if len(self._connections) == 1:
                self._transport.write(data)
                return
            self._loop.call_soon(self._flush)
        self._gathered.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered and not self._transport.is_closing():
            self._transport.write(b"".join(gathered))
