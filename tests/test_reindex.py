"""The main job on real files, with the real embedder, in real child processes."""

import csv
import io
import os
import shutil
from dataclasses import replace
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from rich.console import Console

from indexer.lock import indexer_lock
from indexer.reindex import forecast, reindex
from indexer.request import Report, Request
from recommender.current import current_generation, generations_dir, list_generations
from recommender.embedding import Embedding
from recommender.engine import Recommender
from recommender.errors import ChildFailedError, InvalidParameterError, LockedError
from recommender.generation import open_generation
from recommender.questions import Options
from recommender.track import Track
from tests.music import N_TRACKS, tracks_in

QUIET = Console(file=io.StringIO())


def request(music: Path, tmp_path: Path) -> Request:
    return Request((os.fsencode(music),), tmp_path / "data", "musicnn", 1, 2)


def run(music: Path, tmp_path: Path, *, full: bool = False, allow_empty: bool = False) -> Report:
    wanted = replace(request(music, tmp_path), full=full, allow_empty=allow_empty)
    return reindex(wanted, QUIET)


def served(tmp_path: Path) -> Recommender:
    data = tmp_path / "data"
    return Recommender(open_generation(data, current_generation(data)))


def found(tmp_path: Path, query: str) -> list[Track]:
    """What a search of the served catalog finds."""
    page = served(tmp_path).search(query, 100)
    assert (len(page.documents), page.after) == (page.total, None)
    return [Track.from_document(document) for document in page.documents]


def ids_by_title(tmp_path: Path) -> dict[str, str]:
    return {track.metadata.title: track.id for track in found(tmp_path, "")}


def test_a_folder_of_music_becomes_a_published_generation(music: Path, tmp_path: Path) -> None:
    report = run(music, tmp_path)
    assert (report.added, report.failed, report.tracks) == (N_TRACKS, 0, N_TRACKS)
    assert report.published
    tracks = found(tmp_path, "")
    assert len(tracks) == N_TRACKS
    answer = served(tmp_path).similar(tracks[0].id, Options(limit=10))
    assert len(answer.matches) == N_TRACKS - 1
    assert tracks[0].id not in {match.track.id for match in answer.matches}
    assert tracks[0].duration_seconds == pytest.approx(5.0, abs=0.1)


def test_a_second_run_opens_nothing_and_publishes_nothing(music: Path, tmp_path: Path) -> None:
    first, second = run(music, tmp_path), run(music, tmp_path)
    assert (second.unchanged, second.added, second.published) == (N_TRACKS, 0, False)
    assert second.generation == first.generation


def test_a_moved_file_keeps_its_id_and_is_not_embedded_again(music: Path, tmp_path: Path) -> None:
    run(music, tmp_path)
    before = ids_by_title(tmp_path)
    tracks_in(music)[0].rename(music / "renamed.ogg")
    report = run(music, tmp_path)
    assert (report.moved, report.added, report.removed) == (1, 0, 0)
    assert report.audio_seconds == 0.0
    assert ids_by_title(tmp_path) == before


def test_a_retagged_file_keeps_its_id_and_is_not_embedded_again(
    music: Path, tmp_path: Path
) -> None:
    run(music, tmp_path)
    path = tracks_in(music)[0]
    tags = mutagen.File(path)
    old_id = ids_by_title(tmp_path)[tags["title"][0]]
    tags["title"] = "A new name " * 40
    tags.save()
    report = run(music, tmp_path)
    assert (report.updated, report.added, report.audio_seconds) == (1, 0, 0.0)
    assert old_id in ids_by_title(tmp_path).values()
    assert any(title.startswith("A new name") for title in ids_by_title(tmp_path))


def test_a_gone_file_leaves_the_generation_and_comes_back_for_free(
    music: Path, tmp_path: Path
) -> None:
    run(music, tmp_path)
    path = tracks_in(music)[0]
    content = path.read_bytes()
    path.unlink()
    assert run(music, tmp_path).removed == 1
    assert len(ids_by_title(tmp_path)) == N_TRACKS - 1
    path.write_bytes(content)
    report = run(music, tmp_path)
    assert (report.tracks, report.audio_seconds) == (N_TRACKS, 0.0)


def test_identical_audio_is_one_track_with_two_files(music: Path, tmp_path: Path) -> None:
    shutil.copy(tracks_in(music)[0], music / "copy.ogg")
    report = run(music, tmp_path)
    assert report.added + report.duplicates == N_TRACKS + 1
    assert report.tracks == N_TRACKS
    (music / "copy.ogg").unlink()
    assert run(music, tmp_path).tracks == N_TRACKS


def test_new_audio_under_an_old_name_is_another_track(music: Path, tmp_path: Path) -> None:
    run(music, tmp_path)
    first = tracks_in(music)[0]
    gone_id = ids_by_title(tmp_path)[mutagen.File(first)["title"][0]]
    noise = np.random.default_rng(0).normal(0, 0.1, 22_050 * 4)
    soundfile.write(first, noise, 22_050, format="OGG")
    report = run(music, tmp_path)
    assert (report.updated, report.tracks) == (1, N_TRACKS)
    assert gone_id not in ids_by_title(tmp_path).values()


def test_bad_files_are_rows_with_reasons_and_stay_until_they_change(
    music: Path, tmp_path: Path
) -> None:
    (music / "empty.mp3").touch()
    (music / "text.mp3").write_text("this is not music\n" * 100)
    soundfile.write(music / "silence.wav", np.zeros(22_050 * 5), 22_050)
    soundfile.write(music / "short.wav", np.full(2_205, 0.1), 22_050)
    report = run(music, tmp_path)
    reasons = {Path(os.fsdecode(f.path)).name: f.reason for f in report.failures}
    assert reasons == {
        "empty.mp3": "unsupported-media",
        "text.mp3": "unsupported-media",
        "silence.wav": "silent-audio",
        "short.wav": "audio-too-short",
    }
    assert report.added == N_TRACKS
    again = run(music, tmp_path)
    assert (again.failed, again.failed_before) == (0, 4)
    shutil.copy(tracks_in(music)[0], music / "empty.mp3")
    assert run(music, tmp_path).failed_before == 3


def test_full_listens_to_everything_again(music: Path, tmp_path: Path) -> None:
    run(music, tmp_path)
    report = run(music, tmp_path, full=True)
    assert report.updated == N_TRACKS
    assert report.audio_seconds == pytest.approx(5.0 * N_TRACKS, abs=1.0)


def test_a_forecast_changes_nothing(music: Path, tmp_path: Path) -> None:
    plan = forecast(request(music, tmp_path))
    assert len(plan.plan.new) == N_TRACKS
    assert not (tmp_path / "data").exists()


def test_a_folder_that_lost_all_its_music_is_refused(music: Path, tmp_path: Path) -> None:
    run(music, tmp_path)
    shutil.rmtree(music)
    with pytest.raises(InvalidParameterError, match="is not a folder"):
        run(music, tmp_path)
    music.mkdir()
    with pytest.raises(InvalidParameterError, match="--allow-empty"):
        run(music, tmp_path)
    assert run(music, tmp_path, allow_empty=True).tracks == 0


def test_two_folders_are_kept_side_by_side(music: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    tracks_in(music)[0].rename(other / "moved-away.ogg")
    run(music, tmp_path)
    assert run(other, tmp_path).tracks == N_TRACKS
    assert run(music, tmp_path).tracks == N_TRACKS


def test_credits_reach_the_catalog_and_outrank_tags(music: Path, tmp_path: Path) -> None:
    path = tracks_in(music)[0]
    with (music / "ATTRIBUTION.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "title", "licence", "attribution"])
        rows.writerow([path.relative_to(music), "Curated", "CC0-1.0", "by nobody"])
    run(music, tmp_path)
    [track] = found(tmp_path, "curated")
    assert (track.metadata.licence, track.metadata.attribution) == ("CC0-1.0", "by nobody")
    (music / "ATTRIBUTION.csv").unlink()
    report = run(music, tmp_path)
    assert (report.published, report.audio_seconds) == (True, 0.0)
    assert found(tmp_path, "curated") == []


def write_credits(folder: Path, text: str, encoding: str = "utf-8") -> None:
    (folder / "ATTRIBUTION.csv").write_text(text, encoding=encoding)


def test_credits_written_by_a_spreadsheet_are_read(music: Path, tmp_path: Path) -> None:
    name = tracks_in(music)[0].relative_to(music)
    write_credits(music, f"path,title\n./{name},Marked\n", encoding="utf-8-sig")
    run(music, tmp_path)
    assert len(found(tmp_path, "marked")) == 1


def test_credits_outside_their_folder_are_ignored(music: Path, tmp_path: Path) -> None:
    write_credits(music, "path,title\n/nowhere/x.ogg,T\n../y.ogg,T\nmissing.ogg,T\n")
    assert run(music, tmp_path).credits_without_file == 1
    assert run(music, tmp_path).published is False


def test_credits_cannot_smuggle_control_characters(music: Path, tmp_path: Path) -> None:
    name = tracks_in(music)[0].relative_to(music)
    write_credits(music, f"path,title\n{name},\x1b[31mevil\u202e\x07\n")
    run(music, tmp_path)
    [title] = [title for title in ids_by_title(tmp_path) if "evil" in title]
    assert title.isprintable()


def test_unreadable_credits_are_refused_before_anything_is_listened_to(
    music: Path, tmp_path: Path
) -> None:
    write_credits(music, "file,title\n")
    for attempt in (run, lambda *_: forecast(request(music, tmp_path))):
        with pytest.raises(InvalidParameterError, match="no column named path"):
            attempt(music, tmp_path)
    assert not (tmp_path / "data").exists()


def test_a_subfolder_alone_keeps_the_credits_of_the_whole(music: Path, tmp_path: Path) -> None:
    path = tracks_in(music)[0]
    write_credits(music, f"path,licence\n{path.relative_to(music)},CC0-1.0\n")
    run(music, tmp_path)
    assert run(path.parent, tmp_path).published is False


def test_a_space_that_other_folders_have_no_vectors_in_is_refused(
    music: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    tracks_in(music)[0].rename(other / "away.ogg")
    run(music, tmp_path)
    run(other, tmp_path)
    more = replace(request(music, tmp_path), n_windows=2)
    with pytest.raises(InvalidParameterError, match="1 files in other folders"):
        reindex(more, QUIET)
    both = replace(more, roots=(os.fsencode(music), os.fsencode(other)))
    assert reindex(both, QUIET).tracks == N_TRACKS


def test_a_folder_without_music_is_refused(tmp_path: Path, music: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "linked").symlink_to(music)
    with pytest.raises(InvalidParameterError, match=r"0 of its files are known, 1 symbolic links"):
        run(empty, tmp_path)
    with pytest.raises(InvalidParameterError, match="holds no audio"):
        forecast(request(empty, tmp_path))


def test_a_file_from_the_far_future_is_indexed(music: Path, tmp_path: Path) -> None:
    os.utime(tracks_in(music)[0], (2**40, 2**40))
    assert run(music, tmp_path).added == N_TRACKS
    assert run(music, tmp_path).unchanged == N_TRACKS


def test_a_second_indexer_is_refused(music: Path, tmp_path: Path) -> None:
    with indexer_lock(tmp_path / "data"), pytest.raises(LockedError, match="another indexer"):
        run(music, tmp_path)


def test_old_generations_are_pruned(music: Path, tmp_path: Path) -> None:
    for path in [None, *tracks_in(music)[:4]]:
        if path:
            path.unlink()
        run(music, tmp_path)
    assert len(list_generations(tmp_path / "data")) == 3


def test_a_space_is_not_replaced_by_one_that_lacks_tracks_because_they_failed(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run(music, tmp_path)

    def fail(*_: object) -> list[Embedding]:
        raise ChildFailedError("out of memory")

    other = replace(request(music, tmp_path), n_windows=2)
    with monkeypatch.context() as patch:
        patch.setattr("indexer.workers.embeddings_from", fail)
        report = reindex(other, QUIET)
    assert (report.failed, report.withheld, report.published) == (N_TRACKS, N_TRACKS, False)
    assert current_generation(tmp_path / "data") == report.generation == before.generation
    assert reindex(other, QUIET).withheld == 0
    assert len(served(tmp_path).generation.track_ids) == N_TRACKS


def test_a_space_may_be_replaced_by_less_when_that_is_said(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(music, tmp_path)

    def fail(*_: object) -> list[Embedding]:
        raise ChildFailedError("out of memory")

    monkeypatch.setattr("indexer.workers.embeddings_from", fail)
    other = replace(request(music, tmp_path), n_windows=2, allow_empty=True)
    report = reindex(other, QUIET)
    assert (report.tracks, report.published, report.withheld) == (0, True, 0)


def test_a_damaged_manifest_does_not_let_tracks_of_other_folders_leave(
    music: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    tracks_in(music)[0].rename(other / "away.ogg")
    run(music, tmp_path)
    name = run(other, tmp_path).generation
    (generations_dir(tmp_path / "data") / name / "manifest.json").write_text("{}")
    with pytest.raises(InvalidParameterError, match="files in other folders"):
        reindex(replace(request(other, tmp_path), n_windows=2), QUIET)
    assert run(other, tmp_path).tracks == N_TRACKS


def test_a_space_of_part_of_the_catalog_says_what_it_lacks(music: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    tracks_in(music)[0].rename(other / "away.ogg")
    run(music, tmp_path)
    run(other, tmp_path)
    report = reindex(replace(request(other, tmp_path), embedder="mfcc"), QUIET)
    assert report.lacking == {"mfcc": N_TRACKS - 1}


def test_files_that_all_fail_do_not_empty_what_is_served(music: Path, tmp_path: Path) -> None:
    before = run(music, tmp_path)
    for path in tracks_in(music):
        path.write_bytes(b"the disk gives back anything")
    report = run(music, tmp_path)
    assert (report.failed, report.withheld, report.published) == (N_TRACKS, N_TRACKS, False)
    assert current_generation(tmp_path / "data") == before.generation
    assert run(music, tmp_path, allow_empty=True).tracks == 0


def test_a_library_that_was_lost_empties_no_space(
    music: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    baseline = replace(request(music, tmp_path), embedder="mfcc")
    run(music, tmp_path)
    reindex(baseline, QUIET)
    for path in (tmp_path / "data").glob("library.db*"):
        path.unlink()
    reindex(baseline, QUIET)
    assert "the space of musicnn stays as it was" in caplog.text
    assert len(served(tmp_path).generation.track_ids) == N_TRACKS
    part = tmp_path / "part"
    part.mkdir()
    tracks_in(music)[0].rename(part / "one.ogg")
    for path in (tmp_path / "data").glob("library.db*"):
        path.unlink()
    report = run(part, tmp_path)
    assert (report.withheld, report.published) == (N_TRACKS - 1, False)
    assert run(music, tmp_path).tracks == N_TRACKS


def test_what_one_embedder_fails_at_is_not_lost_to_another(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> list[Embedding]:
        raise ChildFailedError("out of memory")

    baseline = replace(request(music, tmp_path), embedder="mfcc")
    with monkeypatch.context() as patch:
        patch.setattr("indexer.workers.embeddings_from", fail)
        assert reindex(baseline, QUIET).failed == N_TRACKS
        assert reindex(baseline, QUIET).failed_before == N_TRACKS
    assert run(music, tmp_path).added == N_TRACKS
    path = tracks_in(music)[0]
    path.rename(path.with_name("moved.ogg"))
    with monkeypatch.context() as patch:
        patch.setattr("indexer.workers.embeddings_from", fail)
        assert reindex(baseline, QUIET).failed == N_TRACKS
    report = run(music, tmp_path)
    assert (report.tracks, report.unchanged) == (N_TRACKS, N_TRACKS)


def test_what_is_gone_leaves_other_spaces_also_when_one_is_withheld(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(music, tmp_path)
    baseline = replace(request(music, tmp_path), embedder="mfcc")
    reindex(baseline, QUIET)
    tracks_in(music)[0].unlink()

    def fail(*_: object) -> list[Embedding]:
        raise ChildFailedError("out of memory")

    monkeypatch.setattr("indexer.workers.embeddings_from", fail)
    report = reindex(replace(baseline, n_windows=2), QUIET)
    assert report.withheld == N_TRACKS - 1
    assert len(served(tmp_path).generation.track_ids) == N_TRACKS - 1
