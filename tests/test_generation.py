"""Verification: whatever is damaged, missing or does not fit is refused before it is served."""

import io
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender.arrays import FloatArray
from recommender.current import Served, current_generation, list_generations, make_current
from recommender.errors import GenerationError, IndexUnavailableError
from recommender.files import replace_durably, sha256_of, sync
from recommender.generation import normalised, open_generation
from recommender.index.faiss import FaissIndex
from recommender.index.recipes import INDEX, flat
from recommender.manifest import (
    ARTISTS,
    CATALOG,
    CATALOG_FILES,
    CENTRE,
    IDS,
    MANIFEST,
    MAP,
    MEANS,
    ORDER,
    TAGS,
    Manifest,
    data_files,
)
from recommender.verifying import verify_files
from tests.builders import (
    DIMENSION,
    SPACE,
    entry,
    folder_of,
    generation_of,
    publish_entries,
    random_entries,
    rewrite_manifest,
    unsealed,
)

DATA_FILES = data_files(SPACE.describe(), flat())
FILES = (*DATA_FILES, MANIFEST)
# what an update adds: nothing of a generation that is none
FILLED = [file for file in FILES if file != "catalog.added.jsonl"]
FLIPS = 200


@pytest.fixture
def published(tmp_path: Path) -> tuple[Path, str]:
    return tmp_path, publish_entries(tmp_path, random_entries(30))


def replace_file(folder: Path, name: str, content: bytes) -> None:
    """Replace a file and have the manifest agree, as a writer with a fault would."""
    (folder / name).write_bytes(content)
    files = dict(Manifest.read(folder).files)
    files[name] = {"size": len(content), "sha256": sha256_of(folder / name)}
    rewrite_manifest(folder, {"files": files})


def array_bytes(array: np.ndarray[Any, Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def test_what_was_published_opens(published: tuple[Path, str]) -> None:
    data_dir, name = published
    generation = open_generation(data_dir, name)
    assert len(generation.index) == len(generation.catalog) == len(generation.track_ids) == 30
    assert generation.labels.names == ["jazz", "rock"]
    assert (generation.manifest.space_id, generation.manifest.n_tracks) == (SPACE.id, 30)


@pytest.mark.parametrize("file", FILLED)
def test_every_flipped_bit_is_noticed(published: tuple[Path, str], file: str) -> None:
    data_dir, name = published
    path = folder_of(data_dir, name) / file
    sound = path.read_bytes()
    random = np.random.default_rng(len(file))
    for offset in random.integers(0, len(sound), FLIPS):
        damaged = bytearray(sound)
        damaged[offset] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(GenerationError, match=file.replace(".", r"\.")):
            open_generation(data_dir, name)
    path.write_bytes(sound)
    open_generation(data_dir, name)


def test_no_byte_of_the_manifest_can_be_another(published: tuple[Path, str]) -> None:
    data_dir, name = published
    path = folder_of(data_dir, name) / MANIFEST
    sound = path.read_bytes()
    for offset in range(0, len(sound), 3):
        # what stands for a digit, a line end or a blank, and still reads as JSON
        other = {0x0A: b"\r", 0x20: b"\t", 0x31: b"2"}.get(sound[offset], b"1")
        path.write_bytes(sound[:offset] + other + sound[offset + 1 :])
        with pytest.raises(GenerationError):
            Manifest.read(path.parent)


@pytest.mark.parametrize("file", FILLED)
def test_every_cut_is_noticed(published: tuple[Path, str], file: str) -> None:
    data_dir, name = published
    path = folder_of(data_dir, name) / file
    sound = path.read_bytes()
    lengths = {0, 1, len(sound) // 2, len(sound) - 1, *range(0, len(sound), len(sound) // 50)}
    for length in lengths:
        path.write_bytes(sound[:length])
        with pytest.raises(GenerationError, match=file.replace(".", r"\.")):
            open_generation(data_dir, name)


@pytest.mark.parametrize("file", FILES)
def test_bytes_too_many_are_noticed(published: tuple[Path, str], file: str) -> None:
    data_dir, name = published
    with (folder_of(data_dir, name) / file).open("ab") as opened:
        opened.write(b"\n")
    with pytest.raises(GenerationError, match=file.replace(".", r"\.")):
        open_generation(data_dir, name)


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(published: tuple[Path, str], file: str) -> None:
    data_dir, name = published
    (folder_of(data_dir, name) / file).unlink()
    with pytest.raises(GenerationError, match=file.replace(".", r"\.")):
        open_generation(data_dir, name)


@pytest.mark.parametrize("file", FILES)
def test_a_folder_in_the_place_of_a_file_is_refused(published: tuple[Path, str], file: str) -> None:
    data_dir, name = published
    (folder_of(data_dir, name) / file).unlink()
    (folder_of(data_dir, name) / file).mkdir()
    with pytest.raises(GenerationError):
        open_generation(data_dir, name)


LIES: dict[str, dict[str, Any]] = {
    "more tracks": {"n_tracks": 31},
    "fewer tracks": {"n_tracks": 29},
    "tracks in words": {"n_tracks": "30"},
    "another dimension": {"dimension": DIMENSION + 1},
    "another space": {"space_id": "other-000000000000"},
    "another description": {"space": {**SPACE.describe(), "pooling": "max"}},
    "no description": {"space": {}},
    "a description of another kind": {"space": []},
    "another name": {"generation": "20200101T000000Z-00000000"},
    "another schema": {"schema_version": 99},
    "fewer rows than tracks": {"n_rows": 29},
    "more rows": {"n_rows": 31},
    "no files": {"files": {}},
    "files of another kind": {"files": 5},
    "files without digests": {"files": {name: {} for name in DATA_FILES}},
    "a file elsewhere": {"files": {"../../library.db": {"size": 1, "sha256": ""}}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_manifest_that_lies_is_refused(published: tuple[Path, str], lie: str) -> None:
    data_dir, name = published
    rewrite_manifest(folder_of(data_dir, name), LIES[lie])
    with pytest.raises(GenerationError, match=f"generation={name}"):
        open_generation(data_dir, name)


@pytest.mark.parametrize("field", sorted(f.name for f in fields(Manifest)))
def test_a_manifest_without_one_of_its_fields_is_refused(
    published: tuple[Path, str], field: str
) -> None:
    data_dir, name = published
    folder = folder_of(data_dir, name)
    content = unsealed(folder)
    del content[field]
    (folder / MANIFEST).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(GenerationError, match=r"manifest\.json"):
        open_generation(data_dir, name)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '"x"', "{", "\x00", '{"a": 1}'])
def test_what_is_no_manifest_is_refused(published: tuple[Path, str], text: str) -> None:
    data_dir, name = published
    (folder_of(data_dir, name) / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(GenerationError, match=r"no valid manifest\.json"):
        open_generation(data_dir, name)


def test_a_renamed_generation_is_refused(published: tuple[Path, str]) -> None:
    data_dir, name = published
    folder_of(data_dir, name).rename(folder_of(data_dir, "20990101T000000Z-00000000"))
    with pytest.raises(GenerationError, match="does not fit"):
        open_generation(data_dir, "20990101T000000Z-00000000")


IDS_30 = np.array([f"t{i:03}".encode() for i in range(30)])
ORDER_30 = np.arange(30, dtype=np.int32)
UNFIT: dict[str, tuple[str, Callable[[], bytes]]] = {
    "ids out of order": (IDS, lambda: array_bytes(IDS_30[::-1])),
    "an id twice": (IDS, lambda: array_bytes(np.sort(np.append(IDS_30[1:], b"t001")))),
    "an id too few": (IDS, lambda: array_bytes(IDS_30[1:])),
    "ids of other tracks": (IDS, lambda: array_bytes(np.char.add(b"x", IDS_30))),
    "ids in two dimensions": (IDS, lambda: array_bytes(IDS_30[:, np.newaxis])),
    "a row too few": (ORDER, lambda: array_bytes(ORDER_30[1:])),
    "a row twice": (ORDER, lambda: array_bytes(np.maximum(ORDER_30, 1))),
    "a row below the first": (ORDER, lambda: array_bytes(ORDER_30 - 1)),
    "a row beyond the last": (ORDER, lambda: array_bytes(ORDER_30 + 1)),
    "rows in words": (ORDER, lambda: array_bytes(IDS_30)),
    "a tag too few": (TAGS, lambda: array_bytes(np.zeros((30, 2), np.float16))),
    "tags of a row too few": (TAGS, lambda: array_bytes(np.zeros((29, 3), np.float16))),
    "an artist too few": (ARTISTS, lambda: array_bytes(ORDER_30[1:])),
    "artists that are no numbers": (ARTISTS, lambda: array_bytes(IDS_30)),
    "one mean": (MEANS, lambda: array_bytes(np.zeros((1, DIMENSION), np.float32))),
    "a place too few": (MAP, lambda: array_bytes(np.zeros((29, 2), np.float32))),
    "places beyond the map": (MAP, lambda: array_bytes(np.full((30, 2), 1.1, np.float32))),
    "places nowhere": (MAP, lambda: array_bytes(np.full((30, 2), np.nan, np.float32))),
    "ids that are numbers": (IDS, lambda: array_bytes(np.arange(30))),
    "ids that are objects": (IDS, lambda: array_bytes(IDS_30.astype(object), allow_pickle=True)),
    "ids that are no array": (IDS, lambda: b"not an array"),
    "ids of no bytes": (IDS, lambda: b""),
    "a centre of another length": (CENTRE, lambda: array_bytes(np.zeros(5, np.float32))),
    "a centre that is not finite": (CENTRE, lambda: array_bytes(np.full(4, np.nan, np.float32))),
    "a centre of words": (CENTRE, lambda: array_bytes(np.array(["a"] * 4))),
    "a catalog that is none": (CATALOG, lambda: b"not a catalog" * 100),
    "an index that is none": (INDEX, lambda: b"not an index" * 100),
}


@pytest.mark.parametrize("what", UNFIT)
def test_parts_that_do_not_fit_are_refused(published: tuple[Path, str], what: str) -> None:
    data_dir, name = published
    file, content = UNFIT[what]
    replace_file(folder_of(data_dir, name), file, content())
    with pytest.raises(GenerationError):
        open_generation(data_dir, name)


VECTORS: dict[str, FloatArray] = {
    "too few": normalised(np.ones((29, DIMENSION), np.float32)),
    "of another dimension": normalised(np.ones((30, DIMENSION + 1), np.float32)),
    "not of unit length": np.full((30, DIMENSION), 0.9, np.float32),
    "zero": np.zeros((30, DIMENSION), np.float32),
    "not numbers": np.full((30, DIMENSION), np.nan, np.float32),
}


@pytest.mark.parametrize("what", VECTORS)
def test_an_index_whose_vectors_are_unfit_is_refused(
    published: tuple[Path, str], what: str, tmp_path: Path
) -> None:
    data_dir, name = published
    other = tmp_path / "other"
    other.mkdir()
    FaissIndex.build(VECTORS[what]).save(other)
    replace_file(folder_of(data_dir, name), INDEX, (other / INDEX).read_bytes())
    with pytest.raises(GenerationError, match=f"generation={name}"):
        open_generation(data_dir, name)


@pytest.mark.parametrize("files", [CATALOG_FILES, CATALOG_FILES[:1], CATALOG_FILES[1:]])
def test_the_catalog_of_another_generation_is_refused(
    published: tuple[Path, str], tmp_path: Path, files: tuple[str, ...]
) -> None:
    data_dir, name = published
    others = [entry(f"u{i:03}", [1, 0, 0, 0]) for i in range(30)]
    other = publish_entries(tmp_path / "other", others)
    for file in files:
        content = (folder_of(tmp_path / "other", other) / file).read_bytes()
        replace_file(folder_of(data_dir, name), file, content)
    with pytest.raises(GenerationError, match="catalog and ids differ"):
        open_generation(data_dir, name)


def test_verifying_names_the_damaged_file(published: tuple[Path, str]) -> None:
    data_dir, name = published
    folder = folder_of(data_dir, name)
    manifest = Manifest.read(folder)
    verify_files(folder, manifest)
    (folder / CENTRE).write_bytes(bytes((folder / CENTRE).stat().st_size))
    with pytest.raises(GenerationError, match=r"centre\.npy is damaged \(sha256\)"):
        verify_files(folder, manifest)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"../generations/x",
        b"/etc",
        b"..",
        b".",
        b".tmp-20260101T000000Z-00000000",
        b"a/b",
        b"a\x00b",
        b"\xff\xfe",
        b"one\none",
        b"one\n\ntwo",
        b"one\n../two",
    ],
)
def test_a_current_that_names_no_generation_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "CURRENT").write_bytes(content)
    with pytest.raises(IndexUnavailableError, match="reindex MUSIC_DIR"):
        current_generation(tmp_path)


def test_without_current_nothing_is_published(tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailableError, match="holds no published index"):
        current_generation(tmp_path)


def test_current_names_what_was_made_current(tmp_path: Path) -> None:
    make_current(tmp_path, Served("20260101T000000Z-00000000"))
    assert current_generation(tmp_path) == "20260101T000000Z-00000000"
    assert [p.name for p in tmp_path.iterdir()] == ["CURRENT"]


def test_generations_are_listed_by_age_and_only_the_finished_ones(tmp_path: Path) -> None:
    home = tmp_path / "generations"
    for name in ("20260102T000000Z-00000000", "20260101T000000Z-ffffffff", ".tmp-x", "unfinished"):
        (home / name).mkdir(parents=True)
        if name != "unfinished":
            (home / name / MANIFEST).touch()
    assert list_generations(tmp_path) == ["20260101T000000Z-ffffffff", "20260102T000000Z-00000000"]


def test_rows_of_known_ids_come_in_the_order_asked_for(tmp_path: Path) -> None:
    generation = generation_of(tmp_path, [entry(i, [1, 0, 0, 0]) for i in ("a", "c", "é")])
    rows, unknown = generation.rows_of(["é", "b", "a", "a", "zz", ""])
    assert (rows.tolist(), unknown) == ([2, 0, 0], ["b", "zz", ""])
    assert rows.dtype == np.int64


@pytest.mark.parametrize("id_", ["a\x00", "\x00a", "a" * 10_000, "A", " a", "a ", "\ud800", "ａ"])
def test_an_id_that_is_nearly_one_is_unknown(tmp_path: Path, id_: str) -> None:
    generation = generation_of(tmp_path, [entry("a", [1, 0, 0, 0]), entry("aa", [1, 0, 0, 0])])
    rows, unknown = generation.rows_of([id_, "aa"])
    assert (rows.tolist(), unknown) == ([1], [id_])


def test_an_empty_generation_knows_no_id(tmp_path: Path) -> None:
    rows, unknown = generation_of(tmp_path, []).rows_of(["a"])
    assert (rows.tolist(), unknown) == ([], ["a"])


def test_a_vector_is_centred_and_normalised(published: tuple[Path, str]) -> None:
    generation = open_generation(*published)
    away = np.array([0, 3, 0, 4], np.float32)
    np.testing.assert_allclose(
        generation.project(generation.projection.centre + away), [0, 0.6, 0, 0.8], atol=1e-6
    )


def test_normalising_leaves_zeros_and_takes_extremes() -> None:
    vectors = np.array([[3, 4], [0, 0], [1e-30, 0], [3e30, 4e30]], np.float32)
    expected = np.array([[0.6, 0.8], [0, 0], [1, 0], [0.6, 0.8]])
    np.testing.assert_allclose(normalised(vectors), expected, rtol=1e-6)


def test_the_digest_is_that_of_the_known_empty_and_large_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    assert sha256_of(path).startswith("e3b0c44298fc1c149afbf4c8996fb924")
    path.write_bytes(b"a" * 1_000_000)
    assert sha256_of(path).startswith("cdc76e5c9914fb9281a1c7e284d73e67")
    path.write_bytes(b"a" * (2 * 2**20 + 1))
    assert len(sha256_of(path)) == 64


def test_replacing_a_file_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for text in ("one\n", "two\n"):
        replace_durably(path, text)
        assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]
    sync(path)
    sync(tmp_path)


@pytest.mark.parametrize("n_tracks", [0, 1, 63, 64, 65, 200])
def test_every_track_is_found_by_its_id_and_no_other(tmp_path: Path, n_tracks: int) -> None:
    arrays = generation_of(tmp_path, random_entries(n_tracks)).arrays
    ids = arrays.names(np.arange(n_tracks))
    assert [arrays.row_of(id_) for id_ in ids] == list(range(n_tracks))
    others = ["", "\x00", "zzz", *(id_ + "!" for id_ in ids), *(id_[:-1] for id_ in ids)]
    assert {arrays.row_of(id_) for id_ in others} == {None}
