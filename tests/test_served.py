"""Spaces side by side: which of them are served, in which order, and how they are named."""

from dataclasses import replace
from pathlib import Path

import pytest

from recommender.current import Served, current_generation, list_generations, make_current, served
from recommender.errors import GenerationError, InvalidParameterError
from recommender.generation import open_generation
from recommender.housekeeping import KEEP_GENERATIONS
from recommender.index.recipes import INDEX
from recommender.manifest import MANIFEST, Manifest
from recommender.publishing import publish
from recommender.served import (
    embedder_of,
    find_space,
    make_default,
    serve,
    served_manifests,
    serving,
    stop_serving,
)
from recommender.space import Space
from tests.builders import (
    OTHER_SPACE,
    SPACE,
    SPEC,
    folder_of,
    indexed,
    open_library,
    publish_beside,
    publish_entries,
    random_entries,
)

TRACKS = random_entries(6)


def served_generations(data_dir: Path) -> list[str]:
    return [line.generation for line in served(data_dir)]


def known(data_dir: Path) -> list[tuple[str, str]]:
    return [(m.space_id, embedder_of(m)) for m in served_manifests(data_dir)]


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
    assert first.track_ids == second.track_ids


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
        first, second = served_generations(tmp_path)
        assert publish(tmp_path, library, SPACE) == first
        assert publish(tmp_path, library, OTHER_SPACE) == second
    for manifest in served_manifests(tmp_path):
        assert manifest.n_tracks == len(TRACKS) - 1
        assert TRACKS[0].id not in open_generation(tmp_path, manifest.generation).track_ids


def test_a_space_that_is_up_to_date_is_not_built_again(
    tmp_path: Path, both: tuple[str, str]
) -> None:
    before = served_generations(tmp_path)[1]
    with open_library(tmp_path) as library:
        assert publish(tmp_path, library, OTHER_SPACE) == before
        library.store([indexed(TRACKS[0])], SPACE)
        publish(tmp_path, library, SPACE)
    assert served_generations(tmp_path)[1] == before


def test_damage_in_one_space_is_noticed_and_mended_with_the_next_publication(
    tmp_path: Path, both: tuple[str, str]
) -> None:
    damaged = served_generations(tmp_path)[1]
    (folder_of(tmp_path, damaged) / INDEX).write_bytes(b"")
    with open_library(tmp_path) as library:
        name = publish(tmp_path, library, SPACE)
        assert publish(tmp_path, library, SPACE) == name
    assert embedders(tmp_path) == ["fake", "other:layer=last"]
    assert damaged not in served_generations(tmp_path)


@pytest.fixture(params=[0, 1], ids=["default", "beside"])
def damaged(request: pytest.FixtureRequest, tmp_path: Path, both: tuple[str, str]) -> str:
    """The generation of one of two spaces, whose manifest cannot be read."""
    name = both[0] if request.param == 0 else served_generations(tmp_path)[1]
    (folder_of(tmp_path, name) / MANIFEST).write_text("{}")
    return name


def test_a_damaged_generation_keeps_its_place_until_its_space_is_published(
    tmp_path: Path, damaged: str
) -> None:
    before = serving(tmp_path)
    assert [line.embedder for line in before] == ["fake", "other:layer=last"]
    with open_library(tmp_path) as library:
        for space in (SPACE, OTHER_SPACE):
            publish(tmp_path, library, space)
    assert embedders(tmp_path) == ["fake", "other:layer=last"]
    assert damaged not in served_generations(tmp_path)


def test_choosing_and_dropping_leave_a_damaged_generation_where_it_is(
    tmp_path: Path, damaged: str
) -> None:
    publish_beside(tmp_path, TRACKS, Space(replace(SPEC, name="third"), 12))
    make_default(tmp_path, "third")
    assert [line.embedder for line in serving(tmp_path)] == ["third", "fake", "other:layer=last"]
    assert damaged in served_generations(tmp_path)
    stop_serving(tmp_path, "third")
    assert damaged in served_generations(tmp_path)


@pytest.mark.parametrize("content", ["a\na\n", "one fake\ntwo\n", "one x\ntwo x\n", "", "../x y"])
def test_nothing_is_changed_while_current_is_damaged(
    tmp_path: Path, both: tuple[str, str], content: str
) -> None:
    (tmp_path / "CURRENT").write_text(content)
    with open_library(tmp_path) as library, pytest.raises(GenerationError, match="is damaged"):
        publish(tmp_path, library, SPACE)
    with pytest.raises(GenerationError, match="run reindex for every space"):
        make_default(tmp_path, "fake")
    assert (tmp_path / "CURRENT").read_text() == content


def test_a_current_of_an_earlier_version_is_understood(tmp_path: Path) -> None:
    name = publish_entries(tmp_path, TRACKS)
    make_current(tmp_path, Served(name))
    assert (tmp_path / "CURRENT").read_text() == f"{name}\n"
    assert serving(tmp_path) == [Served(name, "fake")]
    beside = publish_beside(tmp_path, TRACKS)
    assert (tmp_path / "CURRENT").read_text() == f"{name} fake\n{beside} other:layer=last\n"


def test_a_space_that_cannot_be_built_stays_as_it_was_and_stops_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish_entries(tmp_path, TRACKS)
    reduced = replace(OTHER_SPACE, projection="pca:3")
    with open_library(tmp_path) as library:
        library.add_space(OTHER_SPACE)
        tracks = [indexed(replace(e, tags=())) for e in TRACKS[:3]]
        library.store(tracks, OTHER_SPACE)
        old = publish(tmp_path, library, reduced)
        library.forget_files([TRACKS[0].file])
        names = [publish(tmp_path, library, SPACE) for _ in range(3)]
    assert len(set(names)) == 1
    assert served_generations(tmp_path) == [names[0], old]
    assert "the space of other:layer=last stays as it was" in caplog.text
    assert "needs at least 3 tracks" in caplog.text


def test_a_failure_leaves_everything_that_is_served_as_it_was_and_nothing_new(
    tmp_path: Path, both: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, there = served_generations(tmp_path), list_generations(tmp_path)

    def fail(folder: Path, manifest: Manifest) -> None:
        if manifest.space_id == OTHER_SPACE.id:
            raise OSError("the disk is full")

    with open_library(tmp_path) as library:
        library.forget_files([TRACKS[0].file])
        monkeypatch.setattr("recommender.press.open_verified", fail)
        with pytest.raises(OSError, match="the disk is full"):
            publish(tmp_path, library, SPACE)
    assert served_generations(tmp_path) == before
    assert list_generations(tmp_path) == there


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
    serve(tmp_path, {"fake": default})
    assert served_generations(tmp_path)[0] == default
    assert len(served_generations(tmp_path)) == 2
    assert beside not in served_generations(tmp_path)  # it was brought up to date


def test_the_default_is_chosen(tmp_path: Path, both: tuple[str, str]) -> None:
    assert make_default(tmp_path, "other").embedder == "other:layer=last"
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
    manifests = known(tmp_path)
    for text in (OTHER_SPACE.id, "other:layer=last", "other"):
        assert find_space(manifests, text) == 1
    for text in ("", "fak", "fake:layer=last", "other:layer=first"):
        with pytest.raises(InvalidParameterError, match=r"is not served; use one of fake, other"):
            find_space(manifests, text)


def test_a_name_that_two_spaces_have_is_not_enough(tmp_path: Path, both: tuple[str, str]) -> None:
    publish_beside(tmp_path, TRACKS, Space(replace(SPEC, name="other:layer=first"), 12))
    with pytest.raises(InvalidParameterError, match="other may mean other:layer=last, other:l"):
        find_space(known(tmp_path), "other")
    # a full name without options is exact, however many others begin with it
    publish_beside(tmp_path, TRACKS, Space(replace(SPEC, name="other"), 12))
    assert find_space(known(tmp_path), "other") == 3


def test_before_anything_is_published_nothing_is_served(tmp_path: Path) -> None:
    assert served_manifests(tmp_path) == []
    with pytest.raises(InvalidParameterError):
        make_default(tmp_path, "fake")


@pytest.mark.parametrize("cut", [1, 4])
def test_a_current_that_was_cut_off_is_damaged(
    tmp_path: Path, both: tuple[str, str], cut: int
) -> None:
    path = tmp_path / "CURRENT"
    path.write_text(path.read_text()[:-cut])
    with pytest.raises(GenerationError, match="is damaged"):
        serving(tmp_path)


def test_a_current_of_an_earlier_version_whose_generation_is_damaged_is_left_alone(
    tmp_path: Path,
) -> None:
    name = publish_entries(tmp_path, TRACKS)
    make_current(tmp_path, Served(name))
    (folder_of(tmp_path, name) / MANIFEST).write_text("{}")
    with pytest.raises(GenerationError, match="or the generation that it names"):
        serving(tmp_path)


@pytest.mark.parametrize("embedder", ["a\nb", "a\u2028b", "a ", ""])
def test_what_could_not_be_read_again_is_not_written(
    tmp_path: Path, both: tuple[str, str], embedder: str
) -> None:
    before = (tmp_path / "CURRENT").read_text()
    with pytest.raises(GenerationError, match="cannot name"):
        make_current(tmp_path, *serving(tmp_path), Served("another", embedder))
    assert (tmp_path / "CURRENT").read_text() == before


def test_a_space_whose_vectors_the_library_lost_stays_as_it_was(
    tmp_path: Path, both: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    before = served_generations(tmp_path)[1]
    for path in tmp_path.glob("library.db*"):
        path.unlink()
    publish_entries(tmp_path, TRACKS)
    assert served_generations(tmp_path)[1] == before
    assert "6 of its tracks have no vector in the library" in caplog.text
