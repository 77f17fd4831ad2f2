"""Read the query of an address: what is there, what may be there more than once, and as what."""

from typing import TypeVar, get_origin
from urllib.parse import parse_qsl

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.problems import ProblemError
from api.questions import Question

Values = dict[str, str | list[str]]
_REPEATED = "it is there more than once; give it once"
_Question = TypeVar("_Question", bound=Question)


def lists_of(model: type[Question]) -> frozenset[str]:
    """Names that a query may repeat: those that a question has a sequence of."""
    fields = model.model_fields.items()
    return frozenset(name for name, field in fields if get_origin(field.annotation) is tuple)


def query_values(query: bytes, repeatable: frozenset[str]) -> Values:
    """The values of a query by name, lists of those that may be repeated.

    Raises
    ------
    ProblemError
        Another name is there twice: whichever of the two counted, it would surprise someone.
    """
    values: Values = {}
    repeated: dict[str, None] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in values:
            values[name] = [value] if name in repeatable else value
        elif isinstance(known := values[name], list):
            known.append(value)
        else:
            repeated[name] = None
    if repeated:
        errors = [{"in": "query", "name": name, "message": _REPEATED} for name in repeated]
        first = f"query {errors[0]['name']}: {_REPEATED}"
        raise ProblemError("invalid-parameter", first, errors=errors)
    return values


def question_of(model: type[_Question], values: Values) -> _Question:
    """The question that a query asks.

    Raises
    ------
    RequestValidationError
        As FastAPI does: a name is not known, or a value is not what it should be.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([{**e, "loc": ("query", *e["loc"])} for e in found]) from None
