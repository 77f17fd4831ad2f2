"""Values of flags: what is taken, and what is said of the rest."""

from argparse import ArgumentTypeError
from collections.abc import Callable

import pytest

from indexer.arguments import pooling, projection


@pytest.mark.parametrize(
    ("parse", "text"),
    [(pooling, "mean"), (pooling, "mean+std"), (projection, "none"), (projection, "pca:64")],
)
def test_names_are_taken_as_they_are(parse: Callable[[str], str], text: str) -> None:
    assert parse(text) == text


@pytest.mark.parametrize(
    ("parse", "text", "complaint"),
    [
        (pooling, "sum", "pooling=sum is unknown; choose mean, mean+std, max, mean+max or median"),
        (projection, "pca", "projection=pca is unknown; choose corpus-centred, none or pca:N"),
        (projection, "pca:0", "projection=pca:0 is unknown"),
    ],
)
def test_others_are_refused_with_what_is_valid(
    parse: Callable[[str], str], text: str, complaint: str
) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        parse(text)
    assert str(caught.value).startswith(complaint)
