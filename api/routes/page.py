"""The page, and the documentation of the API."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

WEB = Path(__file__).parents[1] / "web"
_PAGES = {"/": "index.html", "/docs": "docs.html"}
_SUFFIXES = frozenset({".css", ".js", ".svg"})


def page_routes() -> list[Route]:
    """A route for every file of the page: nothing else can be asked for."""
    files = StaticFiles(directory=WEB)
    assets = {f"/{path.name}": path.name for path in WEB.iterdir() if path.suffix in _SUFFIXES}
    return [_route(address, name, files) for address, name in (_PAGES | assets).items()]


def _route(address: str, name: str, files: StaticFiles) -> Route:
    async def serve(request: Request) -> Response:
        return await files.get_response(name, request.scope)

    return Route(address, serve, include_in_schema=False)
