"""The least that FastAPI does for an answer: one route, the same bytes every time.

::

    python -m benchmarks.empty_route BODY_FILE

Started as `benchmarks.serving` starts it: the settings of uvicorn are those of the service, and
the socket names its protocol, without which every answer would wait 40 ms.
"""

import argparse
import gc
import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.responses import Response

from api.serving import BACKLOG


def app_of(body: bytes) -> FastAPI:
    """An application without anything in front of its route."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/empty")
    async def empty() -> Response:
        return Response(body, media_type="application/json")

    return app


def main() -> None:
    """Serve on any free port of this machine, and say which."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("body", type=Path)
    options = parser.parse_args()
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(BACKLOG)
    config = uvicorn.Config(
        app_of(options.body.read_bytes()),
        log_config=None,
        http="h11",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        backlog=BACKLOG,
    )
    # as the service does
    gc.collect()
    gc.freeze()
    sys.stdout.write(f"listening on http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main()
