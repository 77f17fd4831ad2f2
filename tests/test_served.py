"""Spaces side by side: which of them are served, in which order, and how they are named."""

from dataclasses import replace
from pathlib import Path

import pytest

from recommender.current import current_generation, list_generations, served_generations
from recommender.errors import GenerationError, InvalidParameterError
from recommender.generation import open_generation
from recommender.manifest import INDEX, MANIFEST, Manifest
from recommender.publishing import KEEP_GENERATIONS, publish, published
from recommender.served import (
    find_space,
    make_default,
    serve,
    served_manifests,
    stop_serving,
)
from recommender.space import Space
from tests.builders import (
    OTHER_SPACE,
    SPACE,
    SPEC,
    folder_of,
    open_library,
    publish_beside,
    publish_entries,
    random_entries,
)

TRACKS = random_entries(6)


def embedders(data_dir: Path) -> list[str]:
    return [manifest.space["embedder"]["name"] for manifest in served_manifests(data_dir)]


@pytest.fixture
def both(tmp_path: Path) -> tuple[str, str]:
    """Two spaces of the same tracks; the names of their generations, the default first."""
    return publish_entries(tmp_path, TRACKS), publish_beside(tmp_path, TRACKS)


def test_another_embedder_adds_a_space_and_leaves_the_first_alone(
    tmp_path: Path, both: tuple[str, str]
) -> None:
    assert current_generation(tmp_path) == served_generations(tmp_path)[0]
    assert embedders(tmp_path) == ["fake", "other:layer=last"]
    first, second = (open_generation(tmp_path, n) for n in served_generations(tmp_path))
    assert (first.manifest.space_id, second.manifest.space_id) == (SPACE.id, OTHER_SPACE.id)
    assert list(first.ids) == list(second.ids)


def test_the_same_embedder_takes_its_own_place(tmp_path: Path, both: tuple[str, str]) -> None:
    fewer_windows = Space(SPEC, 3)
    name = publish_beside(tmp_path, TRACKS, fewer_windows)
    assert served_generations(tmp_path)[0] == name
    assert embedders(tmp_path) == ["fake", "other:layer=last"]


def test_publishing_one_space_brings_the_others_up_to_date(
    tmp_path: Path, both: tuple[str, str]
) -> None:
    with open_library(tmp_path) as library:
        library.forget_files([TRACKS[0].file])
        publish(tmp_path, library, SPACE)
        assert published(tmp_path, library, SPACE)
        assert published(tmp_path, library, OTHER_SPACE)
    for manifest in served_manifests(tmp_path):
        assert manifest.n_tracks == len(TRACKS) - 1
        assert TRACKS[0].id not in open_generation(tmp_path, manifest.generation).ids


def test_a_space_that_is_up_to_date_is_not_built_again(
    tmp_path: Path, both: tuple[str, str]
) -> None:
    before = served_generations(tmp_path)[1]
    with open_library(tmp_path) as library:
        publish(tmp_path, library, OTHER_SPACE)
        after = served_generations(tmp_path)
        publish(tmp_path, library, SPACE)
    assert after[1] != before
    assert served_generations(tmp_path)[1] == after[1]


def test_damage_in_one_space_is_noticed_and_mended_with_the_next_publication(
    tmp_path: Path, both: tuple[str, str]
) -> None:
    damaged = served_generations(tmp_path)[1]
    (folder_of(tmp_path, damaged) / INDEX).write_bytes(b"")
    with open_library(tmp_path) as library:
        assert published(tmp_path, library, SPACE) == ""
        publish(tmp_path, library, SPACE)
        assert published(tmp_path, library, SPACE)
    assert embedders(tmp_path) == ["fake", "other:layer=last"]
    assert damaged not in served_generations(tmp_path)


def test_a_manifest_that_cannot_be_read_names_no_space(
    tmp_path: Path, both: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    damaged = served_generations(tmp_path)[1]
    (folder_of(tmp_path, damaged) / MANIFEST).write_text("{}")
    assert embedders(tmp_path) == ["fake"]
    assert damaged in caplog.text


def test_a_failure_leaves_everything_that_is_served_as_it_was(
    tmp_path: Path, both: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = served_generations(tmp_path)

    def fail(data_dir: Path, name: str) -> None:
        if Manifest.read(folder_of(data_dir, name)).space_id == OTHER_SPACE.id:
            raise GenerationError("broken")
        open_generation(data_dir, name)

    monkeypatch.setattr("recommender.publishing.open_generation", fail)
    with open_library(tmp_path) as library:
        library.forget_files([TRACKS[0].file])
        with pytest.raises(GenerationError, match="broken"):
            publish(tmp_path, library, SPACE)
    assert served_generations(tmp_path) == before


def test_of_each_embedder_the_newest_generations_are_kept(tmp_path: Path) -> None:
    publish_beside(tmp_path, TRACKS)
    for _ in range(KEEP_GENERATIONS + 2):
        publish_entries(tmp_path, TRACKS)
    names = list_generations(tmp_path)
    made_by = [Manifest.read(folder_of(tmp_path, name)).space["embedder"]["name"] for name in names]
    assert made_by.count("fake") == made_by.count("other:layer=last") == KEEP_GENERATIONS


def test_an_older_generation_is_served_in_the_place_of_its_own_space(
    tmp_path: Path, both: tuple[str, str]
) -> None:
    default, beside = served_generations(tmp_path)
    newer = publish_entries(tmp_path, TRACKS[:3])
    assert served_generations(tmp_path)[0] == newer
    serve(tmp_path, [default])
    assert served_generations(tmp_path)[0] == default
    assert len(served_generations(tmp_path)) == 2
    assert beside not in served_generations(tmp_path)  # it was brought up to date


def test_the_default_is_chosen(tmp_path: Path, both: tuple[str, str]) -> None:
    assert make_default(tmp_path, "other").space_id == OTHER_SPACE.id
    assert embedders(tmp_path) == ["other:layer=last", "fake"]
    with open_library(tmp_path) as library:
        publish(tmp_path, library, SPACE)
    assert embedders(tmp_path) == ["other:layer=last", "fake"]


def test_a_space_is_no_longer_served_but_its_vectors_stay(
    tmp_path: Path, both: tuple[str, str]
) -> None:
    stop_serving(tmp_path, OTHER_SPACE.id)
    assert embedders(tmp_path) == ["fake"]
    with open_library(tmp_path) as library:
        assert library.embedded(OTHER_SPACE.id) == {track.id for track in TRACKS}
    with pytest.raises(InvalidParameterError, match="only one"):
        stop_serving(tmp_path, "fake")


def test_a_space_is_found_by_id_by_full_name_and_by_name(
    tmp_path: Path, both: tuple[str, str]
) -> None:
    manifests = served_manifests(tmp_path)
    for text in (OTHER_SPACE.id, "other:layer=last", "other"):
        assert find_space(manifests, text) == 1
    for text in ("", "fak", "fake:layer=last", "other:layer=first"):
        with pytest.raises(InvalidParameterError, match=r"is not served; use one of fake, other"):
            find_space(manifests, text)


def test_a_name_that_two_spaces_have_is_not_enough(tmp_path: Path, both: tuple[str, str]) -> None:
    publish_beside(tmp_path, TRACKS, Space(replace(SPEC, name="other:layer=first"), 12))
    with pytest.raises(InvalidParameterError, match="space=other is not one; use one of fake, oth"):
        find_space(served_manifests(tmp_path), "other")
    # a full name without options is exact, however many others begin with it
    publish_beside(tmp_path, TRACKS, Space(replace(SPEC, name="other"), 12))
    assert find_space(served_manifests(tmp_path), "other") == 3


def test_before_anything_is_published_nothing_is_served(tmp_path: Path) -> None:
    assert served_manifests(tmp_path) == []
    with pytest.raises(InvalidParameterError):
        make_default(tmp_path, "fake")
