"""Names of embedders with options: ``name[:key=value[,key=value]...]``.

One embedder in two forms makes vectors of two spaces, so the options are part of the name that a
space, a manifest and a child process know it by. The full name leaves options at their defaults
out and gives the others in one order: whoever means the same embedder says the same name.
"""

import re
from collections.abc import Mapping

from recommender.errors import InvalidParameterError

Choices = Mapping[str, tuple[str, ...]]
"""For each option of an embedder its values, the default first."""


# names stand in addresses, in lines of files and on terminals
_SAID = re.compile(r"[!-~]+", re.ASCII)


def base_name(name: str) -> str:
    """A name without its options."""
    return name.partition(":")[0]


def parse_options(name: str) -> dict[str, str]:
    """The options in a name, as they are written; whether they exist is for the embedder to say.

    Raises
    ------
    InvalidParameterError
        What stands behind the colon is not ``key=value[,key=value]...``, or says a key twice.
    """
    _, colon, text = name.partition(":")
    options = dict[str, str]()
    for part in text.split(",") if colon else ():
        key, equals, value = part.partition("=")
        if not (key and equals and value) or key in options or not _SAID.fullmatch(part):
            raise InvalidParameterError(
                f"embedder={ascii(name)[1:-1]} is no name[:key=value[,key=value]...] with each key "
                "once, of letters, digits and signs without spaces"
            )
        options[key] = value
    return options


def complete(base: str, choices: Choices, options: Mapping[str, str]) -> dict[str, str]:
    """Every option with its value, in the order of `choices`.

    Raises
    ------
    InvalidParameterError
        An option or a value that `choices` does not have; the message lists what there is.
    """
    for key, value in options.items():
        if value not in choices.get(key, ()):
            valid = ", ".join(f"{name}={'|'.join(values)}" for name, values in choices.items())
            raise InvalidParameterError(
                f"embedder={base} has no option {key}={value}; "
                + (f"use {valid}" if valid else "it takes none")
            )
    return {key: options.get(key, values[0]) for key, values in choices.items()}


def full_name(base: str, choices: Choices, chosen: Mapping[str, str]) -> str:
    """The name that makes this very embedder again; `chosen` is what :func:`complete` returned."""
    said = [f"{key}={chosen[key]}" for key, values in choices.items() if chosen[key] != values[0]]
    return f"{base}:{','.join(said)}" if said else base
