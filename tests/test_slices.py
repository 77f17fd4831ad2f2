from pathlib import Path

import numpy as np
import pytest

from recommender import slices
from recommender.slices import RowFile, open_slices

CONTENT = bytes(range(100))
ROWS = np.arange(60, dtype=np.int32).reshape(10, 2, 3)


@pytest.fixture(params=[0, 2**20], ids=["read", "mapped"])
def most_mapped(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(slices, "MOST_MAPPED_BYTES", request.param)
    return int(request.param)


@pytest.mark.usefixtures("most_mapped")
def test_slices_are_those_of_the_file_also_when_it_has_lost_its_name(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    opened = open_slices(path)
    path.unlink()
    assert (len(opened), opened[7:11], opened[0:100]) == (100, CONTENT[7:11], CONTENT)


@pytest.mark.usefixtures("most_mapped")
def test_an_empty_file_has_no_slices(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    assert len(open_slices(path)) == 0


def test_rows_are_those_of_the_array(tmp_path: Path, most_mapped: int) -> None:
    path = tmp_path / "rows.npy"
    np.save(path, ROWS)
    opened = RowFile.of(path)
    assert isinstance(opened, RowFile) == (most_mapped == 0)
    assert (len(opened), opened.shape, opened.dtype.name) == (10, (10, 2, 3), "int32")
    np.testing.assert_array_equal(opened[4], ROWS[4])
    np.testing.assert_array_equal(np.asarray(opened), ROWS)


@pytest.mark.usefixtures("most_mapped")
def test_what_is_no_array_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    path.write_bytes(b"none")
    with pytest.raises(ValueError, match=r"pickle|magic"):
        RowFile.of(path)


def test_a_file_that_was_cut_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "MOST_MAPPED_BYTES", 0)
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    opened = open_slices(path)
    path.write_bytes(CONTENT[:50])
    assert opened[10:20] == CONTENT[10:20]
    with pytest.raises(OSError, match="shorter"):
        opened[45:55]
