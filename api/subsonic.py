"""The envelope of the OpenSubsonic API: what every answer is wrapped in, as XML or JSON.

Shapes are those of https://opensubsonic.netlify.app, version 1.16.1 of the Subsonic API.
"""

import re
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import orjson
from starlette.responses import Response

from api.etags import VERSION

API_VERSION = "1.16.1"
TYPE = "soundalike"
ROOT = "subsonic-response"
NAMESPACE = "http://subsonic.org/restapi"
# what XML 1.0 cannot say, in any form
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Code(IntEnum):
    """What the API calls its errors."""

    GENERIC = 0
    MISSING_PARAMETER = 10
    CLIENT_TOO_OLD = 20
    SERVER_TOO_OLD = 30
    CONFLICTING_AUTHENTICATION = 43
    INVALID_API_KEY = 44
    NOT_FOUND = 70


class SubsonicError(Exception):
    """A call that is answered with an error.

    Parameters
    ----------
    code
        What kind of error.
    message
        What is wrong, and the next step.
    """

    def __init__(self, code: Code, message: str):
        super().__init__(message)
        self.code = code


class Format(StrEnum):
    """How an answer is written."""

    XML = "xml"
    JSON = "json"


def answered(content: Mapping[str, Any], form: Format) -> Response:
    """The answer to a call that went well.

    Parameters
    ----------
    content
        What the call adds to the envelope: scalars, dicts and lists of them.
    form
        How to write it.
    """
    return _response("ok", content, form, 200)


def failed(error: SubsonicError, form: Format, status: int = 200) -> Response:
    """The answer to a call that did not; the status is 200 all the same, for clients read on."""
    content = {"error": {"code": int(error.code), "message": str(error)}}
    return _response("failed", content, form, status)


def _response(result: str, content: Mapping[str, Any], form: Format, status: int) -> Response:
    envelope = {
        "status": result,
        "version": API_VERSION,
        "type": TYPE,
        "serverVersion": VERSION,
        "openSubsonic": True,
        **content,
    }
    if form is Format.JSON:
        return Response(orjson.dumps({ROOT: envelope}), status, media_type="application/json")
    root = Element(ROOT, {"xmlns": NAMESPACE})
    _fill(root, envelope)
    body = tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(body, status, media_type="application/xml")


def _fill(element: Element, content: Mapping[str, Any]) -> None:
    """Scalars become attributes, dicts elements, and lists an element for each item."""
    for name, value in content.items():
        if not isinstance(value, dict | list):
            element.set(name, _text(value))
            continue
        for item in value if isinstance(value, list) else [value]:
            inner = SubElement(element, name)
            if isinstance(item, dict):
                _fill(inner, item)
            else:
                inner.text = _text(item)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _NOT_XML.sub("\ufffd", str(value))
