"""The reader of TensorFlow's tensor bundles, on a bundle written by hand; and the whole of it."""

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from recommender.embedders.musicnn import WEIGHTS
from recommender.errors import WeightsError
from tests.tf_tables import table
from tools import convert_musicnn
from tools.convert_musicnn import DATA_SHA256, Entry, parse_entry, read_bundle, read_labels

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


def test_the_packaged_files_are_those_the_manifest_lists() -> None:
    files = json.loads((WEIGHTS / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert set(files) == {path.name for path in WEIGHTS.glob("*.safetensors")}
    for name, entry in files.items():
        assert hashlib.sha256((WEIGHTS / name).read_bytes()).hexdigest() == entry["sha256"]
        assert entry["source_data_sha256"] == DATA_SHA256[name.removesuffix(".safetensors")]
        assert len(entry["tags"]) == 50


def write_wheel(path: Path, data: bytes) -> None:
    with zipfile.ZipFile(path, "w") as wheel:
        for model in DATA_SHA256:
            wheel.writestr(f"musicnn/{model}/.index", INDEX)
            wheel.writestr(f"musicnn/{model}/.data-00000-of-00001", data)
        wheel.writestr("musicnn/configuration.py", "MSD_LABELS = ['a']\nMTT_LABELS = ['b']\n")
        wheel.writestr(convert_musicnn.LICENSE_MEMBER, "a licence\n\n")


def test_a_wheel_becomes_weights_manifest_and_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = np.arange(7, dtype="<f4").tobytes()
    for model in DATA_SHA256:
        monkeypatch.setitem(DATA_SHA256, model, hashlib.sha256(data).hexdigest())
    write_wheel(tmp_path / "wheel.whl", data)
    convert_musicnn.convert(tmp_path / "wheel.whl", tmp_path / "weights")
    manifest = json.loads((tmp_path / "weights" / "manifest.json").read_text(encoding="utf-8"))
    tags = {name: entry["tags"] for name, entry in manifest["files"].items()}
    assert tags == {f"{m}.safetensors": ["a" if "MSD" in m else "b"] for m in DATA_SHA256}
    for name in tags:
        np.testing.assert_array_equal(load_file(tmp_path / "weights" / name)["conv/bias"], [0])
    assert (tmp_path / "weights" / "LICENSE.musicnn").read_text() == "a licence\n"


def test_a_wheel_with_other_data_is_refused(tmp_path: Path) -> None:
    write_wheel(tmp_path / "wheel.whl", b"other")
    with pytest.raises(SystemExit, match=r"of MSD_musicnn is not 8579734e"):
        convert_musicnn.convert(tmp_path / "wheel.whl", tmp_path / "weights")
