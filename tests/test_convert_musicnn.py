"""The reader of TensorFlow's tensor bundles, on a bundle written by hand."""

import numpy as np
import pytest

from recommender.errors import WeightsError
from tests.tf_tables import table
from tools.convert_musicnn import Entry, parse_entry, read_bundle, read_labels

# BundleEntryProto: dtype 1; shape {dim {size}...}; offset; size; a checksum that is skipped
KERNEL = b"\x08\x01\x12\x08\x12\x02\x08\x02\x12\x02\x08\x03\x20\x04\x28\x18" + (
    b"\x35\x01\x02\x03\x04"
)
BIAS = b"\x08\x01\x12\x04\x12\x02\x08\x01\x28\x04"


INDEX = table(
    (b"", b"\x08\x01"), (b"conv/bias", BIAS), (b"conv/bias/Adam", BIAS), (b"conv/kernel", KERNEL)
)


def test_an_entry_says_where_its_tensor_lies() -> None:
    assert parse_entry(KERNEL) == Entry(dtype=1, shape=(2, 3), offset=4, size=24)
    assert parse_entry(BIAS) == Entry(dtype=1, shape=(1,), offset=0, size=4)


def test_tensors_are_read_without_those_of_the_optimiser() -> None:
    values = np.arange(7, dtype="<f4")
    tensors = read_bundle(INDEX, values.tobytes())
    assert sorted(tensors) == ["conv/bias", "conv/kernel"]
    np.testing.assert_array_equal(tensors["conv/bias"], [0])
    np.testing.assert_array_equal(tensors["conv/kernel"], [[1, 2, 3], [4, 5, 6]])


def test_what_is_not_such_a_table_is_refused() -> None:
    with pytest.raises(WeightsError, match="not a sorted string table"):
        read_bundle(b"something else", b"")
    with pytest.raises(WeightsError, match="compressed"):
        read_bundle(table((b"a/b", BIAS), compression=1), b"")


def test_labels_are_read_without_running_the_source() -> None:
    source = "raise RuntimeError\nSR = 16000\nMTT_LABELS = ['guitar', 'no vocals']\n"
    assert read_labels(source, "MTT_LABELS") == ["guitar", "no vocals"]
    with pytest.raises(SystemExit, match="variable=OTHER"):
        read_labels(source, "OTHER")
