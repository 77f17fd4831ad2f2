"""The folder of weights: stored in one step, found by name, damage noticed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from api.clips import ClipEmbedder
from recommender.errors import InvalidParameterError, WeightsError
from recommender.files import replace_durably
from recommender.weights_store import (
    installed,
    is_installed,
    store,
    weights_dir,
    weights_environment,
)
from tests.published_weights import SOURCE, TENSORS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOUNDALIKE_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "weights"


def test_the_default_is_in_the_users_own_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SOUNDALIKE_WEIGHTS_DIR")
    assert weights_dir() == tmp_path / "home/.local/share/soundalike/weights"


def test_a_child_gets_the_same_folder_whatever_its_own_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_WEIGHTS_DIR", "here")
    assert weights_environment() == {"SOUNDALIKE_WEIGHTS_DIR": str(Path.cwd() / "here")}


def test_an_empty_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_WEIGHTS_DIR", "")
    with pytest.raises(InvalidParameterError, match="SOUNDALIKE_WEIGHTS_DIR is empty"):
        weights_dir()


def test_missing_weights_are_said_with_the_command() -> None:
    assert not is_installed(SOURCE)
    with pytest.raises(WeightsError, match="run: python -m indexer weights fetch fake-one"):
        installed(SOURCE)


def test_what_is_stored_is_read_back() -> None:
    kept = store(SOURCE, TENSORS, "sha256:aa")
    assert installed(SOURCE) == kept
    assert not kept.damage()
    loaded = kept.load()
    assert loaded.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        np.testing.assert_array_equal(loaded[name], tensor)


def test_the_record_says_licence_and_origin(folder: Path) -> None:
    store(SOURCE, TENSORS, "sha256:aa")
    said = json.loads((folder / "fake-one.json").read_text())
    assert (said["licence"], said["attribution"]) == (SOURCE.licence, SOURCE.attribution)
    assert (said["origin"], said["url"]) == ("sha256:aa", SOURCE.url)


def test_newer_weights_replace_older_ones_and_leave_other_names_alone(folder: Path) -> None:
    other = store(replace(SOURCE, name="fake-one.b"), TENSORS, "")
    older = store(SOURCE, TENSORS, "")
    newer = store(SOURCE, {"bias": np.zeros(3, np.float32)}, "")
    assert not older.path.exists()
    assert installed(SOURCE) == newer
    assert other.path.exists()


def test_a_crash_before_the_record_leaves_the_older_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    older = store(SOURCE, TENSORS, "")

    def crash(path: Path, content: str | bytes) -> None:
        if path.suffix == ".json":
            raise OSError(28, "No space left on device")
        replace_durably(path, content)

    monkeypatch.setattr("recommender.weights_store.replace_durably", crash)
    with pytest.raises(OSError, match="No space left"):
        store(SOURCE, {"bias": np.zeros(3, np.float32)}, "")
    assert installed(SOURCE) == older
    assert not installed(SOURCE).damage()


def test_a_changed_byte_is_damage_and_is_not_loaded() -> None:
    kept = store(SOURCE, TENSORS, "")
    content = bytearray(kept.path.read_bytes())
    content[-1] ^= 1
    kept.path.write_bytes(content)
    assert "should be" in kept.damage()
    with pytest.raises(WeightsError, match="weights verify"):
        installed(SOURCE).load()
    kept.path.unlink()
    assert "cannot be read" in kept.damage()


@pytest.mark.parametrize(
    "record", ["", "{}", "[]", "null", '{"sha256": "../../x", "origin": ""}', '{"sha256": 1}']
)
def test_a_damaged_record_is_said_so(folder: Path, record: str) -> None:
    folder.mkdir()
    (folder / "fake-one.json").write_text(record)
    with pytest.raises(WeightsError, match="is damaged; run: python -m indexer weights fetch"):
        installed(SOURCE)


def test_the_digest_does_not_depend_on_the_order_of_tensors() -> None:
    # it is part of what makes a space
    backwards = dict(reversed(TENSORS.items()))
    assert store(SOURCE, backwards, "").sha256 == store(SOURCE, TENSORS, "").sha256


def test_children_that_embed_clips_look_into_the_same_folder(folder: Path) -> None:
    clips = ClipEmbedder.start(1)
    try:
        assert clips._pool.call(weights_dir_here) == bytes(folder)
    finally:
        clips.close()


def weights_dir_here() -> bytes:
    """For a child to say where it would look."""
    return bytes(weights_dir())
