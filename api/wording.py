"""What is wrong with a question, in words that say what would be right."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

# kinds of errors that are in words of ours already
_IN_WORDS = frozenset({"range", "worded"})
_KINDS = {"integer": "a whole number", "number": "a finite number", "array": "a list"}
# by the name of the lower bound: that of the upper one, and what is counted
_BOUNDS = {
    "minimum": ("maximum", ""),
    "minLength": ("maxLength", " characters"),
    "minItems": ("maxItems", " items"),
}
NO_NUL, NO_CONTROLS = r"^[^\x00]*$", r"^[^\x00-\x1f\x7f]+$"
_PATTERNS = {NO_NUL: ", without NUL", NO_CONTROLS: ", without control characters"}


def worded(model: type[BaseModel], error: ValidationError) -> ValidationError:
    """The same error, but it says what a field takes, and which fields there are.

    Parameters
    ----------
    model
        What was asked to validate.
    error
        As pydantic tells it. What is of a model inside `model` is in words already.
    """
    details = [
        InitErrorDetails(
            type=PydanticCustomError("worded", _message(model, found)), loc=found["loc"], input=None
        )
        for found in error.errors(include_url=False, include_input=False)
    ]
    return ValidationError.from_exception_data(model.__name__, details)


def allowed(schema: Mapping[str, Any]) -> str:
    """What a JSON schema lets through, as far as questions have such."""
    schema = next((one for one in schema.get("anyOf", ()) if one["type"] != "null"), schema)
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    words = "text" if schema.get("type") == "string" else _KINDS.get(schema.get("type", ""), "")
    for lower, (upper, counted) in _BOUNDS.items():
        words += _between(schema.get(lower), schema.get(upper), counted)
    if "exclusiveMinimum" in schema:
        words += f" above {schema['exclusiveMinimum']:g}"
    words += _PATTERNS.get(schema.get("pattern", ""), "")
    items = schema.get("items", {})
    return (words or "an object") + (f", each {allowed(items)}" if "type" in items else "")


def _between(least: float | None, most: float | None, counted: str) -> str:
    of = " of" if counted else ""
    if least is not None and most is not None:
        return f"{of or ' from'} {least:.12g} to {most:.12g}{counted}"
    if least is not None:
        return f"{of} at least {least:.12g}{counted}" if of else f" of {least:.12g} or more"
    return f"{of} at most {most:.12g}{counted}" if most is not None else ""


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"properties": {}, "required": [], **model.model_json_schema()}


def _message(model: type[BaseModel], found: Mapping[str, Any]) -> str:
    kind, loc, schema = found["type"], found["loc"], _schema(model)
    text: str = found["msg"]
    if kind == "extra_forbidden":
        names = [*schema["required"], *schema["properties"]]
        known = ", ".join(dict.fromkeys(names))
        text = f"it is not known here; known are {known}" if known else "nothing is taken here"
    elif kind not in _IN_WORDS:
        field = schema["properties"].get(loc[0] if loc else "", {})
        takes = allowed(field.get("items", field) if len(loc) > 1 else field)
        text = f"it is missing; it must be {takes}" if kind == "missing" else f"it must be {takes}"
    return text
