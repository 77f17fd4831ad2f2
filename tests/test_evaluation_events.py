"""Plays read from files, split in time, and simulated: by known answers."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.evaluation.events import Events, read_events
from indexer.evaluation.splits import (
    LEAST_GROUP,
    LEAST_HISTORY,
    PLAYS,
    WORLD_LISTENERS,
    WORLDS,
    Split,
    simulated_listeners,
    split_by_time,
)
from recommender.errors import InvalidParameterError

IDS = ["aa", "bb", "cc"]
HEADER = "listener,track_id,time\n"


def read(folder: Path, content: str | bytes) -> Events:
    path = folder / "plays.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_events(path, IDS)


def refusal(folder: Path, content: str | bytes) -> str:
    with pytest.raises(InvalidParameterError) as caught:
        read(folder, content)
    message = str(caught.value)
    assert message.startswith(f"events={folder / 'plays.csv'} line=")
    assert message.isprintable()
    return message.partition("plays.csv ")[2]


def events_of(plays: list[tuple[str, int, float]]) -> Events:
    names = sorted({name for name, _, _ in plays})
    return Events(
        names,
        np.array([names.index(name) for name, _, _ in plays], np.int64),
        np.array([row for _, row, _ in plays], np.int64),
        np.array([time for _, _, time in plays], np.float64),
        0,
        0,
    )


def listed(split: Split) -> tuple[str, list[int], list[int]]:
    return split.listener, split.history.tolist(), split.held_out.tolist()


def test_plays_are_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    events = read(tmp_path, HEADER + "ann,cc,20\nbob,aa,10.5\nann,aa,30\n")
    assert list(events.names) == ["ann", "bob"]
    assert events.listeners.tolist() == [0, 1, 0]
    assert events.rows.tolist() == [2, 0, 0]
    assert events.times.tolist() == [20.0, 10.5, 30.0]
    assert (events.n_unknown, events.n_not_positive) == (0, 0)


def test_a_mark_at_the_start_other_columns_blank_lines_and_quotes_do_no_harm(
    tmp_path: Path,
) -> None:
    content = '\ufeffTime, Track_ID ,player,Listener\r\n\r\n7,bb,x,"a, b"\r\n'
    events = read(tmp_path, content)
    assert list(events.names) == ["a, b"]
    assert (events.rows.tolist(), events.times.tolist()) == ([1], [7.0])


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("0", 0.0),
        ("1700000000", 1.7e9),
        ("1700000000.25", 1.7e9 + 0.25),
        ("-1", -1.0),
        ("1970-01-02", 86400.0),
        ("1970-01-01T00:01:00", 60.0),
        ("1970-01-01 00:01:00Z", 60.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1969-12-31T19:00:00-05:00", 0.0),
        ("1970-01-01T00:00:00.500", 0.5),
        ("0001-01-01T00:00:00+14:00", -62135596800.0 - 14 * 3600),
    ],
)
def test_times_are_unix_seconds_or_iso_and_utc_without_a_zone(
    tmp_path: Path, time: str, seconds: float
) -> None:
    assert read(tmp_path, f"{HEADER}ann,aa,{time}\n").times.tolist() == [seconds]


@pytest.mark.parametrize(
    "time",
    ["", "soon", "nan", "inf", "1e9", "1_000", "1700000000000", "9" * 9999, "2024-13-01", "١٢"],
)
def test_other_times_are_refused_with_their_line(tmp_path: Path, time: str) -> None:
    message = refusal(tmp_path, f"{HEADER}ann,aa,1\nann,bb,{time}\n")
    assert message.startswith("line=3: time=")
    assert "seconds" in message
    assert len(message) < 200


def test_likes_count_as_plays_and_skips_and_dislikes_do_not(tmp_path: Path) -> None:
    kinds = ["listen", "Like", "", "skip", "DISLIKE"]
    lines = [f"ann,aa,{i},{kind}\n" for i, kind in enumerate(kinds)]
    events = read(tmp_path, "listener,track_id,time,kind\n" + "".join(lines))
    assert events.times.tolist() == [0.0, 1.0, 2.0]
    assert events.n_not_positive == 2


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, "listener,track_id,time,kind\nann,aa,1,hum\n")
    assert message == "line=2: kind='hum'; use listen, like, skip, dislike"


def test_tracks_that_are_not_in_the_catalog_are_counted(tmp_path: Path) -> None:
    events = read(tmp_path, HEADER + "ann,zz,1\nann,aa\0,2\nann,aa,3\n")
    assert (events.n_unknown, events.rows.tolist()) == (2, [0])


@pytest.mark.parametrize("content", ["", "\n", "\ufeff", "listener,time\nann,1\n"])
def test_a_file_without_the_columns_is_refused(tmp_path: Path, content: str) -> None:
    message = refusal(tmp_path, content)
    assert message.startswith("line=1: columns=")
    assert message.endswith("begin the file with listener,track_id,time")


def test_only_what_is_missing_or_double_is_named(tmp_path: Path) -> None:
    assert "must have track_id once" in refusal(tmp_path, "listener,time\n")
    assert "must have listener once" in refusal(tmp_path, "listener,track_id,time,listener\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEADER + "ann,aa\n", "line=2: n_columns=2 instead of 3"),
        (HEADER + "ann,b,aa,1\n", "line=2: n_columns=4 instead of 3"),
        (HEADER + "ann,aa,1\n\0\0\0\n", "line=3: n_columns=1"),
        (HEADER + ",aa,1\n", 'line=2: listener=""'),
        (HEADER + "ann, ,1\n", 'line=2: listener="" or track_id=""'),
        (HEADER + f"ann,{'a' * 200_000},1\n", "line=2: field larger than"),
        (HEADER + f"ann,{'a' * 2_000_000},1\n", "line=2: longer than"),
        (HEADER + 'ann,"aa,1\n', "line=2: unexpected end of data"),
        (HEADER + 'ann,"a"a,1\n', "line=2: "),
        (HEADER.encode() + b"ann,aa,1\nb\xff,aa,1\n", "line=3: not UTF-8"),
        (HEADER.encode("utf-16"), "line=1: not UTF-8"),
    ],
)
def test_lines_that_cannot_be_understood_are_refused_with_their_number(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    assert refusal(tmp_path, content).startswith(said)


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "absent", tmp_path / "fifo"):
        with pytest.raises(InvalidParameterError, match="is no file; name a CSV"):
            read_events(path, IDS)


def test_a_header_alone_holds_no_plays(tmp_path: Path) -> None:
    events = read(tmp_path, HEADER)
    assert len(events.rows) == 0
    split = split_by_time(events)
    assert (split.audience.splits, split.n_short_history, split.n_nothing_new) == ([], 0, 0)
    assert list(map(len, split.audience.pasts)) == [0]
    assert np.isnan(split.moment)


def test_a_hundred_thousand_plays_are_read(tmp_path: Path) -> None:
    lines = (f"l{i % 1000},{IDS[i % 3]},{i}\n" for i in range(100_000))
    events = read(tmp_path, HEADER + "".join(lines))
    assert (len(events.names), len(events.rows)) == (1000, 100_000)
    assert events.times[-1] == 99_999.0


def test_one_moment_parts_the_plays_of_everybody() -> None:
    plays = [("ann", row, float(row)) for row in range(10)]
    plays += [("bob", row, 10.0 + row) for row in range(10)]
    result = split_by_time(events_of(plays))
    # of 20 plays at 0 to 19 the last 4 are the future, all of them bob's
    assert result.moment == 15.0
    assert list(map(listed, result.audience.splits)) == [("bob", [0, 1, 2, 3, 4, 5], [6, 7, 8, 9])]
    assert (result.n_short_history, result.n_nothing_new) == (0, 1)


def test_a_history_is_in_the_order_of_the_latest_plays_and_only_new_tracks_are_held_out() -> None:
    past = [3, 0, 1, 2, 4, 0, 3]
    plays = [("ann", row, float(time)) for time, row in enumerate(past)]
    plays += [("ann", row, 10.0 + time) for time, row in enumerate([3, 7, 5, 7])]
    result = split_by_time(events_of(plays[::-1]), held_out=4 / 11)
    assert list(map(listed, result.audience.splits)) == [("ann", [1, 2, 4, 0, 3], [7, 5])]


@pytest.mark.parametrize(("n_history", "n_left_out"), [(LEAST_HISTORY, 0), (LEAST_HISTORY - 1, 1)])
def test_listeners_with_a_short_history_are_left_out_and_counted(
    n_history: int, n_left_out: int
) -> None:
    plays = [("ann", row, float(row)) for row in range(n_history)] + [("ann", 99, 50.0)]
    result = split_by_time(events_of(plays))
    assert (len(result.audience.splits), result.n_short_history) == (1 - n_left_out, n_left_out)


def test_listeners_who_only_play_what_they_know_are_left_out_and_counted() -> None:
    plays = [("ann", row, float(row)) for row in range(8)] + [("ann", 0, 8.0), ("ann", 1, 9.0)]
    result = split_by_time(events_of(plays))
    assert (result.audience.splits, result.n_nothing_new) == ([], 1)


def test_the_past_of_the_world_is_that_of_all_listeners_and_not_their_future() -> None:
    # ann goes on to something new; bob to nothing, cat only starts, and dan had little
    plays = [("ann", row, float(row)) for row in range(5)] + [("ann", 8, 21.0)]
    plays += [("bob", row, float(row)) for row in (3, 4, 3, 5, 6, 7)] + [("bob", 7, 22.0)]
    plays += [("cat", row, 23.0) for row in (0, 9)] + [("dan", 7, 9.0), ("dan", 9, 24.0)]
    result = split_by_time(events_of(plays), held_out=5 / len(plays))
    assert result.moment == 9.0
    assert list(map(listed, result.audience.splits)) == [("ann", [0, 1, 2, 3, 4], [8])]
    assert [split.world for split in result.audience.splits] == [0]
    (past,) = result.audience.pasts
    assert np.bincount(past, minlength=10).tolist() == [1, 1, 1, 2, 2, 1, 1, 2, 0, 0]
    assert (result.n_short_history, result.n_nothing_new) == (2, 1)


@pytest.mark.parametrize("held_out", [0.0, 1.0, -0.5, float("nan")])
def test_a_share_that_is_no_share_is_refused(held_out: float) -> None:
    with pytest.raises(InvalidParameterError, match=r"held_out=.* must lie between 0 and 1"):
        split_by_time(events_of([]), held_out)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.integers(0, 30)), max_size=80
    ),
    st.floats(0.05, 0.95),
)
def test_nothing_of_the_future_is_in_a_history(
    drawn: list[tuple[str, int, int]], held_out: float
) -> None:
    plays = [(name, row, float(time)) for name, row, time in drawn]
    result = split_by_time(events_of(plays), held_out)
    after = sum(time > result.moment for _, _, time in plays)
    assert after <= held_out * len(plays) + 1e-6
    for split in result.audience.splits:
        past = {r for n, r, t in plays if n == split.listener and t <= result.moment}
        future = {r for n, r, t in plays if n == split.listener and t > result.moment}
        assert sorted(split.history) == sorted(past)
        assert sorted(split.held_out) == sorted(future - past)


GROUPS = [f"g{i % 12}" for i in range(120)] + [""] * 30


def test_simulated_listeners_play_distinct_tracks_and_a_fifth_is_held_out() -> None:
    splits = simulated_listeners(GROUPS, seed=1).splits
    assert len({split.listener for split in splits}) == len(splits) == WORLDS * WORLD_LISTENERS
    for split in splits:
        rows = [*split.history, *split.held_out]
        assert len(set(rows)) == len(rows)
        assert PLAYS[0] <= len(rows) <= PLAYS[1]
        assert len(split.held_out) == max(1, round(0.2 * len(rows)))


def test_the_same_seed_simulates_the_same_listeners_and_another_seed_others() -> None:
    one, again, other = (
        list(map(listed, simulated_listeners(GROUPS, seed, 2, 10).splits)) for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other


def test_simulated_listeners_love_few_groups_and_play_a_tenth_off_taste() -> None:
    # more tracks a group than anyone plays, so that no taste runs dry
    groups = [f"g{i % 20}" for i in range(2000)] + [""] * 2000
    splits = simulated_listeners(groups, seed=3, n_listeners=10).splits
    unknown = np.mean([row >= 2000 for s in splits for row in [*s.history, *s.held_out]])
    # half of the tracks, so half of what is off taste
    assert 0.035 < unknown < 0.07
    favourites = [
        Counter(groups[row] for row in s.history if row < 2000).most_common(1)[0][1]
        / len(s.history)
        for s in splits
    ]
    assert np.mean(favourites) > 0.5


def test_tastes_of_a_large_catalog_are_narrow_too() -> None:
    groups = [f"g{i // 10}" for i in range(20_000)]
    splits = simulated_listeners(groups, seed=4, n_worlds=1).splits
    distinct = [len({groups[row] for row in s.history}) / len(s.history) for s in splits]
    assert np.mean(distinct) < 0.6


def test_some_groups_are_more_popular_than_others() -> None:
    splits = simulated_listeners(GROUPS, seed=5, n_worlds=1, n_listeners=300).splits
    plays = Counter(GROUPS[row] for s in splits for row in s.history if GROUPS[row])
    shares = sorted(plays.values())
    assert shares[-1] > 2 * shares[0]


def test_each_world_has_its_own_popular_groups_and_tracks() -> None:
    audience = simulated_listeners(GROUPS, seed=5, n_worlds=3, n_listeners=300)
    plays = np.array([np.bincount(past, minlength=len(GROUPS)) for past in audience.pasts])
    of_group = plays[:, :120].reshape(3, 10, 12).sum(axis=1)
    # the same tracks would be popular in all three if they shared one order
    for counts in (plays[:, :120], of_group):
        assert np.abs(np.corrcoef(counts)[np.triu_indices(3, 1)]).max() < 0.8
    first, again = (
        simulated_listeners(GROUPS, seed=5, n_worlds=n, n_listeners=300).pasts[0] for n in (1, 2)
    )
    assert first.tolist() == again.tolist() == audience.pasts[0].tolist()


def test_the_past_of_a_simulated_world_is_what_its_listeners_had_played() -> None:
    audience = simulated_listeners(GROUPS, seed=6, n_worlds=4, n_listeners=5)
    assert Counter(split.world for split in audience.splits) == dict.fromkeys(range(4), 5)
    for world, past in enumerate(audience.pasts):
        played = [r for s in audience.splits if s.world == world for r in s.history.tolist()]
        assert past.tolist() == played


@pytest.mark.parametrize(
    "groups", [[], [""] * 50, ["small"] * (LEAST_GROUP - 1) + [f"g{i}" for i in range(50)]]
)
def test_a_catalog_without_large_groups_has_no_simulated_listeners(groups: list[str]) -> None:
    audience = simulated_listeners(groups, seed=1)
    assert (audience.splits, audience.pasts) == ([], [])


def test_listeners_who_find_too_little_to_play_are_left_out() -> None:
    assert simulated_listeners(["only"] * (PLAYS[0] - 1), seed=1).splits == []
