from indexer.plan import KnownFiles, Plan, make_plan, probably_moved
from indexer.scan import Scan
from recommender.records import Failed, FileState

ROOT = b"/music"
OLD, NEW = FileState(10, 1), FileState(10, 2)


def plan(
    files: dict[bytes, FileState],
    known: KnownFiles | None = None,
    failures: list[Failed] | None = None,
    embedded: set[str] | None = None,
    unreadable: list[bytes] | None = None,
    full: bool = False,
) -> Plan:
    found = Scan(files=files, unreadable=unreadable or [])
    return make_plan(found, [ROOT], known or {}, failures or [], embedded or set(), full=full)


def failed(path: bytes, state: FileState) -> Failed:
    return Failed(path, state, "undecodable-audio", "no")


def test_an_unknown_file_is_new() -> None:
    assert plan({b"/music/a.mp3": OLD}).new == [b"/music/a.mp3"]


def test_a_known_file_with_a_vector_needs_nothing() -> None:
    result = plan({b"/music/a.mp3": OLD}, {b"/music/a.mp3": (OLD, "t")}, embedded={"t"})
    assert (result.work, result.unchanged) == ([], 1)


def test_a_known_file_without_a_vector_in_the_space_is_listened_to() -> None:
    result = plan({b"/music/a.mp3": OLD}, {b"/music/a.mp3": (OLD, "t")})
    assert (result.unembedded, result.unchanged) == ([b"/music/a.mp3"], 0)


def test_a_file_written_to_is_changed() -> None:
    result = plan({b"/music/a.mp3": NEW}, {b"/music/a.mp3": (OLD, "t")}, embedded={"t"})
    assert result.changed == [b"/music/a.mp3"]


def test_a_missing_file_is_gone() -> None:
    assert plan({}, {b"/music/a.mp3": (OLD, "t")}).gone == [b"/music/a.mp3"]


def test_files_outside_the_folders_of_the_run_are_never_gone() -> None:
    known = {b"/elsewhere/a.mp3": (OLD, "t"), b"/music2/b.mp3": (OLD, "u")}
    assert plan({}, known).gone == []


def test_files_below_a_folder_that_cannot_be_listed_are_not_gone() -> None:
    known = {b"/music/locked/a.mp3": (OLD, "t"), b"/music/b.mp3": (OLD, "u")}
    assert plan({}, known, unreadable=[b"/music/locked"]).gone == [b"/music/b.mp3"]


def test_a_failed_file_is_tried_again_only_when_it_changes() -> None:
    path = b"/music/bad.mp3"
    same = plan({path: OLD}, failures=[failed(path, OLD)])
    changed = plan({path: NEW}, failures=[failed(path, OLD)])
    assert (same.work, same.failed_before) == ([], 1)
    assert (changed.changed, changed.failed_before) == ([path], 0)


def test_a_failed_file_that_is_missing_is_forgotten() -> None:
    path = b"/music/bad.mp3"
    assert plan({}, failures=[failed(path, OLD)]).gone == [path]


def test_full_opens_everything_again() -> None:
    good, bad = b"/music/a.mp3", b"/music/bad.mp3"
    result = plan(
        {good: OLD, bad: OLD},
        {good: (OLD, "t")},
        [failed(bad, OLD)],
        embedded={"t"},
        full=True,
    )
    assert result.work == [good, bad]


def test_work_is_in_path_order() -> None:
    known = {b"/music/b.mp3": (OLD, "t")}
    files = {b"/music/c.mp3": OLD, b"/music/b.mp3": NEW, b"/music/a.mp3": OLD}
    assert plan(files, known).work == [b"/music/a.mp3", b"/music/b.mp3", b"/music/c.mp3"]


def test_moves_are_forecast_by_size_and_time() -> None:
    known = {b"/music/old.mp3": (OLD, "t")}
    files = {b"/music/new.mp3": OLD, b"/music/other.mp3": NEW}
    result = plan(files, known, embedded={"t"})
    assert probably_moved(result, Scan(files=files), known) == 1
