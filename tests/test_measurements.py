"""What is measured of tracks is measured once, in children, and survives whatever stops it."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from safetensors.numpy import save

from indexer.evaluation.measurements import SHOWN_FAILURES, Arrays, measured
from recommender.errors import FileChangedError, UnreadableFileError, WeightsError
from recommender.records import FileState

Tracks = dict[str, tuple[bytes, FileState]]


def length_and_factor(path: bytes, state: FileState, factor: int) -> bytes:
    """A child's work: how long a file is, times a factor; notes the call beside the file."""
    try:
        length = Path(os.fsdecode(path)).stat().st_size
    except FileNotFoundError:
        raise UnreadableFileError("it is gone") from None
    if length != state.size:
        raise FileChangedError("it was written to")
    return save({"length": np.array([length * factor])})


def is_length(arrays: Arrays) -> bool:
    return arrays.keys() == {"length"} and arrays["length"].shape == (1,)


def other_shape(path: bytes, state: FileState) -> bytes:
    return save({"length": np.array([1, 2])})


def nonsense(path: bytes, state: FileState) -> bytes:
    return b"no safetensors"


def without_weights(path: bytes, state: FileState) -> bytes:
    raise WeightsError("weights=x are missing")


@pytest.fixture
def tracks(tmp_path: Path) -> Tracks:
    """Files of 1, 2 and 3 bytes."""
    found = {}
    for number in (1, 2, 3):
        path = tmp_path / f"{number}.wav"
        path.write_bytes(b"x" * number)
        found[f"{number:032x}"] = (bytes(path), FileState.of(path.stat()))
    return found


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=40)


def lengths(tracks: Tracks, folder: Path, console: Console, factor: int = 1) -> dict[str, int]:
    found = measured(
        tracks,
        folder,
        length_and_factor,
        lambda _: (factor,),
        is_length,
        2,
        console,
        "lengths of files",
    )
    return {id_[-1]: int(arrays["length"][0]) for id_, arrays in found.items()}


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_every_track_is_measured_with_its_arguments(
    tracks: Tracks, tmp_path: Path, console: Console
) -> None:
    factors = {id_: number for number, id_ in enumerate(tracks)}
    found = measured(
        tracks,
        tmp_path / "new" / "folder",
        length_and_factor,
        lambda i: (factors[i],),
        is_length,
        2,
        console,
        "l",
    )
    assert list(found) == list(tracks)
    assert [int(a["length"][0]) for a in found.values()] == [0, 2, 6]


def test_what_is_stored_is_not_measured_again(
    tracks: Tracks, tmp_path: Path, console: Console
) -> None:
    first = dict(list(tracks.items())[:2])
    lengths(first, tmp_path, console)
    assert lengths(tracks, tmp_path, console, factor=10) == {"1": 1, "2": 2, "3": 30}
    assert "lengths of files: 2 of 3 tracks are measured already" in said(console)


def test_when_all_is_stored_no_child_starts_and_nothing_is_said(
    tracks: Tracks, tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = lengths(tracks, tmp_path, console)
    monkeypatch.setattr("indexer.evaluation.measurements.ChildPool", None)
    silent = Console(file=io.StringIO())
    assert lengths(tracks, tmp_path, silent) == expected
    assert said(silent) == ""


NO_NUMPY = b'{"length":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"half",
        b"\x08\x00\x00\x00\x00\x00\x00\x00{}",
        len(NO_NUMPY).to_bytes(8, "little") + NO_NUMPY + b"\x00\x00",
        save({}),
        save({"width": np.array([1])}),
        save({"length": np.array([1, 2])}),
    ],
)
def test_a_stored_file_that_cannot_be_read_is_measured_anew(
    damage: bytes, tracks: Tracks, tmp_path: Path, console: Console
) -> None:
    lengths(tracks, tmp_path / "kept", console)
    for path in (tmp_path / "kept").iterdir():
        path.write_bytes(damage)
    assert lengths(tracks, tmp_path / "kept", console) == {"1": 1, "2": 2, "3": 3}


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to(path)])
def test_what_is_no_file_is_replaced(
    make: Callable[[Path], None], tracks: Tracks, tmp_path: Path, console: Console
) -> None:
    (tmp_path / "kept").mkdir()
    for id_ in tracks:
        make(tmp_path / "kept" / f"{id_}.safetensors")
    expected = lengths(tracks, tmp_path / "kept", console)
    assert expected == {"1": 1, "2": 2, "3": 3}
    assert lengths(tracks, tmp_path / "kept", console, factor=10) == expected


def test_nothing_but_measurements_is_left_in_the_folder(
    tracks: Tracks, tmp_path: Path, console: Console
) -> None:
    lengths(tracks, tmp_path / "kept", console)
    names = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert names == [f"{id_}.safetensors" for id_ in tracks]


def test_files_that_are_gone_or_changed_are_left_out_and_said(
    tracks: Tracks, tmp_path: Path, console: Console
) -> None:
    (tmp_path / "1.wav").unlink()
    (tmp_path / "2.wav").write_bytes(b"longer than before")
    assert lengths(tracks, tmp_path / "kept", console) == {"3": 3}
    assert "lengths of files: 2 tracks are left out" in said(console)
    assert "1.wav': it is gone" in said(console)
    assert "2.wav': it was written to" in said(console)


def test_a_track_that_was_left_out_is_tried_again(
    tracks: Tracks, tmp_path: Path, console: Console
) -> None:
    (tmp_path / "1.wav").unlink()
    lengths(tracks, tmp_path / "kept", console)
    (tmp_path / "1.wav").write_bytes(b"x")
    assert lengths(tracks, tmp_path / "kept", console) == {"1": 1, "2": 2, "3": 3}


def test_names_of_files_cannot_command_the_terminal(tmp_path: Path, console: Console) -> None:
    path = os.fsencode(tmp_path) + b"/\x1b[2J\xff[red].wav"
    assert lengths({"0": (path, FileState(1, 1))}, tmp_path / "kept", console) == {}
    assert r"\x1b[2J\udcff[red].wav" in said(console)


def test_of_many_failures_the_first_are_shown(tmp_path: Path, console: Console) -> None:
    gone: Tracks = {str(n): (bytes(tmp_path / f"{n}"), FileState(1, 1)) for n in range(8)}
    assert lengths(gone, tmp_path / "kept", console) == {}
    assert said(console).count("it is gone") == SHOWN_FAILURES
    assert "and 3 more" in said(console)


@pytest.mark.parametrize("function", [nonsense, other_shape])
def test_an_answer_that_does_not_fit_is_not_stored(
    function: Callable[..., bytes], tracks: Tracks, tmp_path: Path, console: Console
) -> None:
    found = measured(
        tracks, tmp_path / "kept", function, lambda _: (), is_length, 1, console, "nonsense"
    )
    assert found == {}
    assert list((tmp_path / "kept").iterdir()) == []
    assert "3 tracks are left out" in said(console)


def test_what_is_not_the_fault_of_a_file_ends_it(
    tracks: Tracks, tmp_path: Path, console: Console
) -> None:
    with pytest.raises(WeightsError, match="weights=x"):
        measured(
            tracks, tmp_path / "kept", without_weights, lambda _: (), is_length, 2, console, "none"
        )


def test_no_tracks_give_nothing(tmp_path: Path, console: Console) -> None:
    assert lengths({}, tmp_path / "kept", console) == {}
