"""Values of flags: what is taken, and what is said of the rest."""

from argparse import ArgumentTypeError
from collections.abc import Callable

import pytest

from indexer.arguments import memory, pooling, projection, share


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


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [
        ("1", 1),
        ("1000000", 1_000_000),
        ("64K", 65_536),
        ("512MiB", 512 * 2**20),
        ("1.5GiB", 3 * 2**29),
        ("2G", 2**31),
        ("1T", 2**40),
    ],
)
def test_memory_is_given_in_bytes_or_steps_of_1024(text: str, n_bytes: int) -> None:
    assert memory(text) == n_bytes


@pytest.mark.parametrize(
    "text", ["", "0", "0.4", "-1", "G", "1GB", "1 G", "1g", "inf", "1e9", "\u0661G", "9" * 400]
)
def test_what_is_no_amount_of_memory_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="no amount of memory; say it like 512MiB"):
        memory(text)


@pytest.mark.parametrize(("text", "number"), [("1", 1.0), ("0.98", 0.98), ("1e-3", 0.001)])
def test_a_share_is_a_number_up_to_one(text: str, number: float) -> None:
    assert share(text) == number


@pytest.mark.parametrize("text", ["", "0", "-0.5", "1.01", "98", "98%", "nan", "inf"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="not a number above 0 and up to 1"):
        share(text)
