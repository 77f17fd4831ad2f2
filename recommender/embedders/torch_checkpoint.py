"""Checkpoints of torch: tensors by name, and never the Python objects that a pickle may hold."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from recommender.errors import WeightsError
from recommender.weights import Tensors

# what torch raises on files that are cut, of another kind, or hold more than tensors
UNREADABLE = (
    *(OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, AttributeError),
    UnpicklingError,
)


def load_checkpoint(
    file: Path | BytesIO, name: str, harmless: Sequence[Any] = ()
) -> dict[str, Any]:
    """Read a checkpoint; nothing that it holds is executed.

    Parameters
    ----------
    file
        Where it is.
    name
        What it is called in messages.
    harmless
        Functions and classes beside tensors that it may refer to, as
        ``torch.serialization.safe_globals`` takes them.

    Raises
    ------
    WeightsError
        It is no dictionary that torch can read without running code.
    """
    try:
        with torch.serialization.safe_globals(list(harmless)):
            content = torch.load(file, map_location="cpu", weights_only=True)
        return dict(content.items())
    except UNREADABLE as error:
        raise WeightsError(
            f"weights={name} are no checkpoint of tensors alone ({type(error).__name__}), and "
            "Python objects are not loaded; get the file that docs/embedders.md names"
        ) from error


def tensors_of(content: object) -> dict[str, torch.Tensor]:
    """What is a tensor in a dictionary, or in what should be one."""
    items = content.items() if isinstance(content, Mapping) else ()
    return {str(name): value for name, value in items if torch.is_tensor(value)}


def shaped(
    tensors: Mapping[str, torch.Tensor], shapes: Mapping[str, tuple[int, ...]], name: str
) -> Tensors:
    """The tensors that a network wants, float32; those that are it already are not copied.

    Parameters
    ----------
    tensors
        What there is.
    shapes
        What is wanted.
    name
        What the file is called in messages.

    Raises
    ------
    WeightsError
        One is missing or has another shape; naming the first.
    """
    for wanted, shape in shapes.items():
        found = tuple(tensors[wanted].shape) if wanted in tensors else "missing"
        if found != shape:
            raise WeightsError(
                f"tensor={wanted} of weights={name} is {found} and should be {shape}; "
                "get the file that docs/embedders.md names"
            )
    return {n: tensors[n].to(torch.float32).contiguous().numpy() for n in shapes}
