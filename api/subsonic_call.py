"""What a Subsonic client sends: parameters in the query, in a form, or in both."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl

from starlette.requests import Request

from api.subsonic import API_VERSION, Code, Format, SubsonicError

FORM = "application/x-www-form-urlencoded"
MAX_PARAMETERS = 1000
_AUTHENTICATION = ("u", "p", "t", "s")
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_MAJOR = re.compile(r"(\d{1,4})\.\d{1,4}(\.\d{1,4})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Call:
    """The parameters of a call. Those that nobody asks for are ignored, as the API has it."""

    values: dict[str, str]

    @classmethod
    async def received(cls, request: Request) -> Self:
        """Read the parameters; of one that is repeated the first counts, the query before a form.

        Raises
        ------
        SubsonicError
            There are too many.
        """
        texts = [request.scope["query_string"]]
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
            texts.append(await request.body())
        values = dict[str, str]()
        for text in texts:
            for name, value in _parsed(text):
                values.setdefault(name, value)
        return cls(values)

    @property
    def form(self) -> Format:
        """How the answer is to be written; an error is always written somehow."""
        return Format.JSON if self.values.get("f") in ("json", "jsonp") else Format.XML

    def check_format(self) -> None:
        """Refuse formats that are not served."""
        wanted = self.values.get("f", Format.XML)
        if wanted not in set(Format):
            raise SubsonicError(Code.GENERIC, f"f={wanted} is not served; use f=json or f=xml")

    def check_caller(self) -> None:
        """Refuse callers that say neither who they are nor what they speak.

        There are no accounts: any name and password are taken.

        Raises
        ------
        SubsonicError
            A parameter is missing, two ways to log in are mixed, or the version does not fit.
        """
        given = [name for name in _AUTHENTICATION if self.values.get(name)]
        if self.values.get("apiKey"):
            if given:
                raise _conflicting("apiKey", given)
            raise SubsonicError(Code.INVALID_API_KEY, "there are no API keys here; send u and p")
        self.required("u")
        if "p" in given and ("t" in given or "s" in given):
            raise _conflicting("p", given[2:])
        if "p" not in given and not {"t", "s"} <= set(given):
            raise SubsonicError(Code.MISSING_PARAMETER, "p is missing, or both t and s")
        self.required("c")
        self._check_version(self.required("v"))

    def required(self, name: str) -> str:
        """The value of a parameter; raises SubsonicError when it is missing or empty."""
        value = self.values.get(name, "")
        if not value:
            raise SubsonicError(Code.MISSING_PARAMETER, f"{name} is missing")
        return value

    def count(self, usual: int, least: int, most: int) -> int:
        """How many tracks are wanted, at most `most`.

        Raises
        ------
        SubsonicError
            It is no number, or below `least`.
        """
        text = self.values.get("count") or str(usual)
        if not _WHOLE.fullmatch(text) or int(text) < least:
            raise SubsonicError(
                Code.GENERIC, f"count={text[:20]} must be a whole number of {least} or more"
            )
        return min(int(text), most)

    def _check_version(self, text: str) -> None:
        major = _MAJOR.fullmatch(text)
        if major is None:
            raise SubsonicError(Code.GENERIC, f"v={text[:20]} is no version; send v={API_VERSION}")
        ours = int(API_VERSION.partition(".")[0])
        if int(major[1]) < ours:
            raise SubsonicError(Code.CLIENT_TOO_OLD, f"v={text}; this is {API_VERSION}")
        if int(major[1]) > ours:
            raise SubsonicError(Code.SERVER_TOO_OLD, f"v={text}; this is {API_VERSION}")


def _parsed(text: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            text.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        message = f"send at most {MAX_PARAMETERS} parameters"
        raise SubsonicError(Code.GENERIC, message) from None


def _conflicting(one: str, others: list[str]) -> SubsonicError:
    return SubsonicError(
        Code.CONFLICTING_AUTHENTICATION, f"{one} and {', '.join(others)} are two ways to log in"
    )
