"""TensorFlow's version 1 checkpoints, written by hand and read without TensorFlow."""

from pathlib import Path

import numpy as np
import pytest

from recommender.embedders.tf_checkpoint import read_checkpoint, read_varint
from recommender.errors import WeightsError
from recommender.weights import Tensors
from tests.tf_tables import checkpoint, field, saved_meta, saved_values, table

KERNEL = np.arange(600, dtype=np.float32).reshape(20, 30)
BIAS = np.array([0.5, -2.0], np.float32)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_varints_are_seven_bits_a_byte_from_the_lowest() -> None:
    assert read_varint(b"\x00\xac\x02", 1) == (300, 3)


def test_variables_come_back_by_name_and_in_shape(tmp_path: Path) -> None:
    variables: Tensors = {"net/conv/weights": KERNEL, "net/conv/biases": BIAS}
    tensors = read_checkpoint(written(tmp_path / "model.ckpt", checkpoint(variables)))
    assert tensors.keys() == variables.keys()
    for name, values in variables.items():
        np.testing.assert_array_equal(tensors[name], values, strict=True)


def test_a_scalar_has_no_axes(tmp_path: Path) -> None:
    scalar = np.array(3.5, np.float32)
    tensors = read_checkpoint(written(tmp_path / "model.ckpt", checkpoint({"rate": scalar})))
    np.testing.assert_array_equal(tensors["rate"], scalar, strict=True)


def test_variables_of_other_types_are_left_out(tmp_path: Path) -> None:
    step = np.array(7, np.int64)
    meta = field(1, saved_meta("bias", BIAS)) + field(1, saved_meta("step", step))
    content = table(
        (b"", field(1, meta)),
        (b"a", saved_values("bias", BIAS)),
        (b"b", saved_values("step", step)),
    )
    assert list(read_checkpoint(written(tmp_path / "model.ckpt", content))) == ["bias"]


def test_a_variable_in_slices_is_refused(tmp_path: Path) -> None:
    content = table(
        (b"", field(1, field(1, saved_meta("kernel", KERNEL)))),
        (b"a", saved_values("kernel", KERNEL[:10])),
    )
    with pytest.raises(WeightsError, match="values=300 of variable=kernel do not fill"):
        read_checkpoint(written(tmp_path / "model.ckpt", content))


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", bytes(1000)])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(WeightsError, match="not a sorted string table"):
        read_checkpoint(written(tmp_path / "model.ckpt", content))


def test_a_compressed_table_is_refused(tmp_path: Path) -> None:
    content = table((b"", field(1, b"")), compression=1)
    with pytest.raises(WeightsError, match="compressed"):
        read_checkpoint(written(tmp_path / "model.ckpt", content))


def test_any_damage_to_the_structure_is_said_in_words_or_goes_unseen(tmp_path: Path) -> None:
    content = checkpoint({"conv": KERNEL, "bias": BIAS})
    damage = np.random.default_rng(5)
    for _ in range(300):
        spoilt = bytearray(content)
        spoilt[damage.integers(len(content) - 8)] = damage.integers(256)
        try:
            tensors = read_checkpoint(written(tmp_path / "model.ckpt", bytes(spoilt)))
        except WeightsError:
            continue
        assert all(values.dtype == np.float32 for values in tensors.values())


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    whole = checkpoint({"conv": KERNEL})
    with pytest.raises(WeightsError, match=r"checkpoint=model\.ckpt cannot be read"):
        read_checkpoint(written(tmp_path / "model.ckpt", whole[1500:]))


def test_a_missing_file_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"checkpoint=none\.ckpt cannot be read"):
        read_checkpoint(tmp_path / "none.ckpt")
