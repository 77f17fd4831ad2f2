import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import slices
from recommender.documents import Documents, DocumentWriter
from recommender.errors import GenerationError


def written(folder: Path, documents: dict[int, str]) -> Path:
    catalog = folder / "catalog.db"
    with DocumentWriter(catalog) as writer:
        for row, text in documents.items():
            writer.put(row, text)
    return catalog


@pytest.fixture(params=["mapped", "read"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files may be mapped, or are too large for that."""
    if request.param == "read":
        monkeypatch.setattr(slices, "MOST_MAPPED_BYTES", 0)


@pytest.mark.usefixtures("_both_ways")
def test_documents_come_in_the_order_asked_for(tmp_path: Path) -> None:
    documents = Documents(written(tmp_path, {0: '{"id":"a"}', 2: '{"id":"é"}', 1: "{}"}))
    assert list(documents.of([2, 0, 2, 1]).items()) == [
        (2, '{"id":"é"}'),
        (0, '{"id":"a"}'),
        (1, "{}"),
    ]
    assert documents.of([]) == {}


def test_rows_without_a_document_are_told(tmp_path: Path) -> None:
    documents = Documents(written(tmp_path, {1: "one", 3: "three"}))
    assert list(documents.of([-1, 0, 1, 2, 3, 4])) == [1, 3]


def test_a_catalog_may_be_empty(tmp_path: Path) -> None:
    assert Documents(written(tmp_path, {})).of([0]) == {}


@pytest.mark.usefixtures("_both_ways")
def test_what_is_not_text_is_refused(tmp_path: Path) -> None:
    catalog = written(tmp_path, {0: "text", 1: "more"})
    lines = catalog.with_suffix(".jsonl")
    lines.write_bytes(lines.read_bytes().replace(b"more", b"mor\xe9"))
    documents = Documents(catalog)
    assert documents.of([0]) == {0: "text"}
    with pytest.raises(GenerationError, match="documents cannot be read"):
        documents.of([0, 1])


@pytest.mark.usefixtures("_both_ways")
def test_what_was_opened_is_read_although_its_files_are_gone(tmp_path: Path) -> None:
    catalog = written(tmp_path, {0: "zero"})
    documents = Documents(catalog)
    for path in tmp_path.iterdir():
        path.unlink()
    assert documents.of([0]) == {0: "zero"}


@settings(max_examples=40, deadline=None)
@given(
    turns=st.lists(
        st.tuples(
            st.dictionaries(st.integers(0, 8), st.text(min_size=1, max_size=40), max_size=5),
            st.sets(st.integers(0, 8), max_size=4),
        ),
        max_size=8,
    )
)
def test_after_any_changes_each_row_has_its_last_document(
    tmp_path_factory: pytest.TempPathFactory,
    turns: list[tuple[dict[int, str], set[int]]],
) -> None:
    folder = tmp_path_factory.mktemp("documents")
    catalog, model = written(folder, {0: "begin"}), {0: "begin"}
    for put, forgotten in turns:
        with DocumentWriter(catalog) as writer:
            writer.forget(sorted(forgotten & set(model)))
            for row, text in put.items():
                writer.put(row, text)
        model = {row: text for row, text in model.items() if row not in forgotten} | put
        documents = Documents(catalog)
        assert documents.of(range(10)) == model
        live = sum(len(text.encode()) + 1 for text in model.values())
        sizes = [path.stat().st_size for path in folder.glob("*.jsonl")]
        assert sum(sizes) <= 2 * (live + 10)


@pytest.mark.parametrize(
    "places",
    [
        np.array([[0, 99]]),
        np.array([[-5, 2]]),
        np.array([[0, 1]], np.int32),
        np.array([0, 1]),
        np.array([["a", "b"]]),
    ],
)
def test_places_that_do_not_fit_are_refused(tmp_path: Path, places: np.ndarray[Any, Any]) -> None:
    catalog = written(tmp_path, {0: "x"})
    np.save(catalog.with_suffix(".npy"), places)
    with pytest.raises(GenerationError, match=r"catalog=catalog\.db has other documents"):
        Documents(catalog)


@pytest.mark.parametrize("suffix", [".npy", ".jsonl", ".added.jsonl"])
def test_a_missing_file_is_refused(tmp_path: Path, suffix: str) -> None:
    catalog = written(tmp_path, {0: "x"})
    catalog.with_suffix(suffix).unlink()
    with pytest.raises(GenerationError, match=r"catalog=catalog\.db has no documents"):
        Documents(catalog)


@pytest.mark.usefixtures("_both_ways")
def test_documents_are_read_from_both_files(tmp_path: Path) -> None:
    catalog = written(tmp_path, {0: "zero", 1: "one"})
    with DocumentWriter(catalog) as writer:
        writer.put(1, "another")
    assert Documents(catalog).of([1, 0]) == {1: "another", 0: "zero"}


@pytest.mark.usefixtures("_both_ways")
def test_what_was_opened_is_read_although_its_lines_are_written_anew(tmp_path: Path) -> None:
    catalog = written(tmp_path, {0: "zero"})
    with DocumentWriter(catalog) as writer:
        writer.put(1, "added")
    documents = Documents(catalog)
    for turn in range(30):
        with DocumentWriter(catalog) as writer:
            writer.put(0, f"turn {turn}")
    assert catalog.with_suffix(".added.jsonl").stat().st_size < 30
    assert documents.of([1, 0]) == {1: "added", 0: "zero"}


@pytest.mark.usefixtures("_both_ways")
def test_the_first_file_may_be_read_by_others_meanwhile(tmp_path: Path) -> None:
    catalog = written(tmp_path, {row: f"document {row}" for row in range(10)})
    others = Documents(catalog)
    linked = tmp_path / "update" / "catalog.db"
    linked.parent.mkdir()
    linked.with_suffix(".jsonl").hardlink_to(catalog.with_suffix(".jsonl"))
    for suffix in (".npy", ".added.jsonl"):
        shutil.copyfile(catalog.with_suffix(suffix), linked.with_suffix(suffix))
    for turn in range(30):
        with DocumentWriter(linked) as writer:
            writer.forget([turn % 10])
            writer.put(turn % 10, f"turn {turn}")
    assert others.of(range(10)) == {row: f"document {row}" for row in range(10)}
    assert Documents(catalog).of([3]) == {3: "document 3"}
    assert Documents(linked).of(range(10)) == {row: f"turn {row + 20}" for row in range(10)}
