"""The reader of Torch 7 files: every kind of data, and files that mean harm."""

import struct
from contextlib import suppress

import numpy as np
import pytest

from recommender.embedders.torch7 import Torch7Object, parse_torch7
from recommender.errors import WeightsError
from tests.torch7_writer import Module, Storage, Tensor, Torch7Writer, tensor_of


def read(value: object, versions: bool = True) -> object:
    return parse_torch7(Torch7Writer(versions).file(value), "x.t7")


@pytest.mark.parametrize("value", [None, 2.5, -3.0, True, False, "", "caf\xe9", {}])
def test_plain_values_come_back(value: object) -> None:
    assert read(value) == value


def test_bytes_are_those_of_the_format() -> None:
    # a table (3), the first object, of 1 entry: the number (1) 1, and the string (2) of 2 bytes
    content = struct.pack("<iiiidii2s", 3, 1, 1, 1, 1.0, 2, 2, b"ab")
    assert Torch7Writer().file({1: "ab"}) == content
    assert parse_torch7(content, "x.t7") == {1: "ab"}


@pytest.mark.parametrize("versions", [True, False])
def test_objects_have_a_class_and_fields(versions: bool) -> None:
    found = read(Module("nn.ReLU", {"inplace": True, "modules": {1: Module("a", {})}}), versions)
    assert isinstance(found, Torch7Object)
    assert found.class_name == "nn.ReLU"
    assert found.fields == {"inplace": True, "modules": {1: Torch7Object("a")}}


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("Float", "<f4"), ("Cuda", "<f4"), ("Double", "<f8"), ("Long", "<i8"), ("Byte", "<u1")],
)
def test_tensors_and_storages_keep_their_type(kind: str, dtype: str) -> None:
    array = np.arange(6, dtype=dtype).reshape(2, 3)
    found = read({"tensor": tensor_of(array, kind), "storage": Storage(array.ravel(), kind)})
    assert isinstance(found, dict)
    np.testing.assert_array_equal(found["tensor"], array, strict=True)
    np.testing.assert_array_equal(found["storage"], array.ravel(), strict=True)


def test_tensors_are_views_into_a_storage_that_they_share() -> None:
    storage = Storage(np.arange(10, dtype="<f4"), "Float")
    found = read({1: Tensor(storage, 1, (2, 3), (1, 2)), 2: Tensor(storage, 9, (1,), (1,))})
    assert isinstance(found, dict)
    np.testing.assert_array_equal(found[1], [[1, 3, 5], [2, 4, 6]])
    np.testing.assert_array_equal(found[2], [9])


def test_a_tensor_without_elements_is_empty() -> None:
    found = read(Tensor(None, 0, (), ()))
    assert isinstance(found, np.ndarray)
    assert found.shape == (0,)


def test_a_table_and_an_object_may_hold_themselves() -> None:
    table: dict[str, object] = {}
    module = Module("nn.Sequential", {"all": table})
    table.update(table=table, module=module)
    found = read(table)
    assert isinstance(found, dict)
    assert found["table"] is found
    assert found["module"].fields["all"] is found


@pytest.mark.parametrize(
    "tensor",
    [
        ((0, (11,), (1,))),
        ((1, (10,), (1,))),
        ((0, (2, 3), (9, 1))),
        ((-1, (3,), (1,))),
        ((9, (3,), (-1,))),
        ((0, (0,), (1,))),
        ((0, (2**40,), (2**40,))),
    ],
)
def test_a_tensor_beyond_its_storage_is_refused(
    tensor: tuple[int, tuple[int, ...], tuple[int, ...]],
) -> None:
    storage = Storage(np.arange(10, dtype="<f4"), "Float")
    with pytest.raises(WeightsError, match="reaches beyond its storage"):
        read(Tensor(storage, *tensor))


@pytest.mark.parametrize("storage", [Storage(np.arange(9, dtype="<f8"), "Double"), {1: 1.0}, "abc"])
def test_a_tensor_without_a_storage_of_its_type_is_refused(storage: object) -> None:
    content = struct.pack("<iii3si17siqqq", 4, 99, 3, b"V 1", 17, b"torch.FloatTensor", 1, 1, 1, 1)
    with pytest.raises(WeightsError, match="no storage of its type"):
        parse_torch7(content + Torch7Writer().file(storage), "x.t7")


@pytest.mark.parametrize("kind", [6, 7, 8, 9, -1])
def test_functions_and_unknown_types_are_refused(kind: int) -> None:
    with pytest.raises(WeightsError, match=rf"file=x\.t7 .*type {kind} at byte 4 is not data"):
        parse_torch7(struct.pack("<iii", kind, 1, 0), "x.t7")


def test_every_file_that_is_cut_short_is_refused() -> None:
    content = Torch7Writer().file({1: tensor_of(np.ones((2, 2), "<f4"), "Float"), "a": "b"})
    for length in range(len(content)):
        with pytest.raises(WeightsError, match="cut short"):
            parse_torch7(content[:length], "x.t7")


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<ii", 2, -1),
        struct.pack("<ii", 2, 2**31 - 1),
        struct.pack("<iii3si18sq", 4, 1, 3, b"V 1", 18, b"torch.FloatStorage", 2**62),
        struct.pack("<iii3si17si", 4, 1, 3, b"V 1", 17, b"torch.FloatTensor", -5),
        struct.pack("<iiiiii", 3, 1, 1, 3, 2, 0) + struct.pack("<i", 0),
        struct.pack("<iii3si2sid", 4, 1, 3, b"V 1", 2, b"nn", 1, 1.0),
        b"".join(struct.pack("<iiiid", 3, i, 1, 1, 1.0) for i in range(100_000)),
    ],
    ids=["negative", "long", "storage", "rank", "table as key", "no fields", "deep"],
)
def test_files_that_mean_harm_are_refused(content: bytes) -> None:
    with pytest.raises(WeightsError, match=r"file=x\.t7 is no Torch 7 file that can be read"):
        parse_torch7(content, "x.t7")


def test_no_damaged_byte_raises_anything_else() -> None:
    content = Torch7Writer().file({1: tensor_of(np.ones((2, 2), "<f4"), "Float"), "a": "b"})
    for place in range(len(content)):
        for value in (0, 1, 4, 127, 255):
            damaged = content[:place] + bytes([value]) + content[place + 1 :]
            with suppress(WeightsError):
                parse_torch7(damaged, "x.t7")
