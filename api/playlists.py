"""The form of an answer: JSON or a playlist, as `format` or the header Accept asks for (RFC 9110).

A route that answers with matches asks :func:`form_of` for it, writes its answer with it, and sends
its headers.
"""

import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.types import Scope

from api.answers import Listed, answer_json
from api.dependencies import running
from api.problems import ProblemError
from api.questions import ListQuestion
from api.replies import JSON_HEADERS, RawHeaders
from recommender.errors import InvalidParameterError
from recommender.playlists import Item, file_uri, jspf, m3u8, relative_uri, xspf
from recommender.settings import Settings
from recommender.spaces import Spaces

_Headers = Iterable[tuple[bytes, bytes]]
_Locate = Callable[[str], str]

_WRITERS = {"m3u8": m3u8, "xspf": xspf, "jspf": jspf}
# best first for a caller who takes several alike; the first of a format is what it is sent as
_JSON_TYPE = b"application/json"
_TYPES = {
    _JSON_TYPE: "json",
    b"audio/mpegurl": "m3u8",
    b"audio/x-mpegurl": "m3u8",
    b"application/x-mpegurl": "m3u8",
    b"application/vnd.apple.mpegurl": "m3u8",
    b"application/xspf+xml": "xspf",
    b"application/jspf+json": "jspf",
}
MEDIA_TYPES = {format_: type_ for type_, format_ in reversed(_TYPES.items())}
_RANGE = re.compile(
    rb"\s*(?P<type>[^\s;]+)\s*(?:;(?!\s*q=)[^;]*)*"
    rb"(?:;\s*q=(?P<weight>0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*(?:;.*)?)?",
    re.IGNORECASE,
)
# more than anyone means; reading on would hold up others
_MAX_RANGES = 50
_VARY = (b"vary", b"Accept")
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")
# what some file system or shell takes for something else; % would be decoded in a header
_NOT_IN_NAMES = frozenset('<>:"/\\|?*%')
_MAX_NAME = 60


class Form(NamedTuple):
    """What an answer is written as.

    Attributes
    ----------
    headers
        Those that are sent with it.
    write
        Makes the body from the question's JSON and the answer.
    tag
        Sets its validators apart from those of other forms: put it behind what was asked.
    brief
        Whether writing takes no time to speak of.
    """

    headers: RawHeaders
    write: Callable[[bytes, Listed], bytes]
    tag: bytes = b""
    brief: bool = True


_JSON = Form((*JSON_HEADERS, _VARY), answer_json)


def form_of(
    request: Request, query: ListQuestion, served: Spaces, title: Callable[[], str]
) -> Form:
    """The form that a caller asks for; nothing is written yet.

    Parameters
    ----------
    request
        Its headers count when the query names no format.
    query
        The options.
    served
        What answers.
    title
        Gives the title of a playlist; it begins with a word, not with what a track is called.

    Raises
    ------
    InvalidParameterError
        The paths that are asked for are not given.
    ProblemError
        The request names no host that an address could be made of.
    """
    type_ = MEDIA_TYPES[query.format] if query.format else accepted(request.scope["headers"])
    if type_ != _JSON_TYPE:
        return _playlist(request, query.paths or "url", served, type_, title())
    if query.paths is None:
        return _JSON
    raise InvalidParameterError(
        f"paths={query.paths} is for playlists; ask for format=m3u8, xspf or jspf as well"
    )


def accepted(headers: _Headers) -> bytes:
    """The media type that suits a caller best.

    It is JSON when nothing suits: RFC 9110, 12.5.1, leaves that to the service, and Accept is often
    set by a library on its own.
    """
    said = b""
    for name, value in headers:
        if name == b"accept":
            said = said + b"," + value if said else value
    return _best(said)


# callers say the same again and again, and reading it takes as long as some answers
@lru_cache(maxsize=64)
def _best(said: bytes) -> bytes:
    found = (_RANGE.fullmatch(one) for one in said.split(b",", _MAX_RANGES)[:_MAX_RANGES])
    weights = {one["type"].lower(): float(one["weight"] or 1) for one in found if one}
    # the first of the best
    best = max(_TYPES, key=lambda type_: _wish(type_, weights))
    return best if any(_wish(best, weights)) else _JSON_TYPE


def disposition(title: str, suffix: str) -> bytes:
    """A Content-Disposition that saves a file under a title (RFC 6266), safe on any system."""
    name = _file_name(title)
    plain = _file_name(unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode())
    header = f'attachment; filename="{plain or "playlist"}.{suffix}"'
    if plain != name:
        header += f"; filename*=UTF-8''{quote(name, safe='')}.{suffix}"
    return header.encode()


def _wish(type_: bytes, weights: dict[bytes, float]) -> tuple[float, int]:
    """How much a type is wanted: the weight of the most specific range around it, and how specific.

    The second is no part of the RFC, but of several alike the one that is named is meant.
    """
    ranges = (b"*/*", type_.partition(b"/")[0] + b"/*", type_)
    level, weight = max(
        ((level, weights[one]) for level, one in enumerate(ranges) if one in weights),
        default=(0, 0.0),
    )
    return (weight, level) if weight else (0.0, 0)


def _playlist(request: Request, paths: str, served: Spaces, type_: bytes, title: str) -> Form:
    suffix, base = _TYPES[type_], _base_url(request.scope) if paths == "url" else ""
    settings = running(request).settings
    if base and suffix == "m3u8" and not settings.serve_audio:
        raise InvalidParameterError(
            "paths=url leads nowhere, for the operator does not serve audio; ask for paths=relative"
        )
    locate = _locator(settings, paths, served, base)

    def write(_: bytes, answer: Listed) -> bytes:
        tracks = ((match.track, match.similarity) for match in answer.matches)
        items = [Item(track, locate(track.id), similarity) for track, similarity in tracks]
        return _WRITERS[suffix](title, items)

    headers = (
        (b"content-type", type_),
        (b"content-disposition", disposition(title, suffix)),
        _VARY,
    )
    return Form(headers, write, b"\n".join((b"", type_, base.encode())), brief=False)


def _locator(settings: Settings, paths: str, served: Spaces, base: str) -> _Locate:
    """What gives a track's location by its id, "" where there is none to give."""
    if paths == "absolute" and not settings.show_paths:
        raise InvalidParameterError(
            "paths=absolute is not given here; the operator allows it with "
            "SOUNDALIKE_SHOW_PATHS=true"
        )

    def path(track_id: str) -> bytes:
        return served.holding(track_id).audio_path(track_id)

    if paths == "relative":
        return lambda track_id: relative_uri(path(track_id), _folder(served))
    if paths == "absolute":
        return lambda track_id: file_uri(path(track_id))
    if settings.serve_audio:
        return lambda track_id: f"{base}/tracks/{quote(track_id, safe='')}/audio"
    return lambda _: ""


def _folder(served: Spaces) -> bytes:
    """The folder of all files that are served, the same for every question."""
    folders = (one.generation.catalog.folder for one in served.available)
    return os.path.join(os.path.commonpath([folder for folder in folders if folder]), b"")


def _base_url(scope: Scope) -> str:
    """The address that this service was asked under; what proxies add is not believed."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        raise ProblemError("malformed-request", "Host names no host; send its name and port")
    return f"{scope['scheme']}://{hosts[0].decode()}"


def _file_name(text: str) -> str:
    kept = (
        " "
        if character in _NOT_IN_NAMES or unicodedata.category(character)[0] in "CZ"
        else character
        for character in unicodedata.normalize("NFC", text)
    )
    # dots and blanks at the ends hide files, or are taken off
    return " ".join("".join(kept).split())[:_MAX_NAME].strip(" .")
